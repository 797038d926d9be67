// Machine code against the evaluator: random functions with many values alive, bit for bit (NaN is NaN).
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Asm } from "../../src/codegen/asm/index.ts";
import { evaluateAsm } from "../support/evaluate-asm.ts";
import { loadX64, native, x64Targets } from "../support/native.ts";
import { growAsm, READ, WRITTEN } from "../support/random-asm.ts";

const runs = Number(process.env.ASM_RUNS ?? 150);
const BYTES = READ + WRITTEN;

function fillInput(bytes: ArrayBuffer): void {
  const f = new Float32Array(bytes, 0, READ / 4);
  for (let i = 0; i < f.length; i++) f[i] = i % 11 === 0 ? -i : i % 7 === 0 ? 1e9 * i : Math.sin(i) * (1 + (i % 13));
}

/** Runs the same function on machine code and on the evaluator; what differs, or null. */
function compare(tape: readonly number[], target: (typeof x64Targets)[0]): string | null {
  const asm = new Asm(target);
  growAsm(asm, tape);
  const expected = new ArrayBuffer(BYTES);
  fillInput(expected);
  const want = evaluateAsm(asm, { memory: { buffer: expected } }).go(0, 5);
  const [at, got] = (room ??= allocate());
  new Uint8Array(got).fill(0);
  fillInput(got);
  const result = loadX64(asm).go(at, 5);
  if (result !== want) return `result ${result}, wanted ${want}`;
  const [a, b] = [new Int32Array(got), new Int32Array(expected)];
  const [fa, fb] = [new Float32Array(got), new Float32Array(expected)];
  for (let i = 0; i < a.length; i++) {
    if (a[i] === b[i] || (Number.isNaN(fa[i]) && Number.isNaN(fb[i]))) continue;
    const [da, db] = [new Float64Array(got), new Float64Array(expected)].map((d) => d[i >> 1]);
    if (Number.isNaN(da) && Number.isNaN(db)) continue;
    return `byte ${4 * i}: ${a[i]} (${fa[i]}, ${da}), wanted ${b[i]} (${fb[i]}, ${db})`;
  }
  return null;
}
let room: [number, ArrayBuffer] | undefined;
const allocate = (): [number, ArrayBuffer] => {
  const at = native!.allocate(BYTES);
  return [at, native!.view(at, BYTES)];
};

describe.each(x64Targets)("random functions on $name", (target) => {
  it("compute what the evaluator does", { timeout: 600_000 }, () => {
    fc.assert(
      fc.property(fc.array(fc.nat(65535), { minLength: 20, maxLength: 700, size: "max" }), (tape) => {
        const why = compare(tape, target);
        if (why !== null) expect.fail(why);
      }),
      { numRuns: runs, seed: 3, interruptAfterTimeLimit: 120_000 },
    );
  });
});
