// Machine code against the evaluator: random functions with many values alive, bit for bit (NaN is NaN).
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Asm } from "../../src/codegen/asm/index.ts";
import { Code } from "../../src/codegen/x64/encode.ts";
import * as F from "../../src/codegen/x64/forms.ts";
import { compileX64 } from "../../src/codegen/x64/index.ts";
import { evaluateAsm } from "../support/evaluate-asm.ts";
import { loadX64, native, x64Targets } from "../support/native.ts";
import { growAsm, READ, WRITTEN } from "../support/random-asm.ts";

const runs = Number(process.env.ASM_RUNS ?? 150);
const BYTES = READ + WRITTEN;

function fillInput(bytes: ArrayBuffer): void {
  const f = new Float32Array(bytes, 0, READ / 4);
  for (let i = 0; i < f.length; i++) f[i] = i % 11 === 0 ? -i : i % 7 === 0 ? 1e9 * i : Math.sin(i) * (1 + (i % 13));
}

/**
 * Calls a function of Windows' convention from one of System V: arguments (pointer, i32) move, what the callee must keep is set
 * before and looked at after; the result, or -77777 when something was not kept.
 */
function fromWindows(address: number): Uint8Array {
  const { rax, rcx, rdx, rbx, rsi, rdi, r8, r12 } = F.GPR;
  const c = new Code();
  const at = c.constant(new Uint8Array(new BigInt64Array([BigInt(address)]).buffer));
  const marks = c.constant(new Uint8Array(new Int32Array([71, 72, 73, 74]).buffer));
  const failed = c.label();
  for (const r of [rbx, r12, rbx]) c.push(r);
  c.reg(F.subImm | F.Q, F.GPR.rsp, -1, -1, 0, false, 32);
  c.reg(F.mov | F.Q, rcx, -1, rdi);
  c.reg(F.mov | F.Q, rdx, -1, rsi);
  for (const r of [rsi, rdi, rbx, r12]) c.const32(r, 1000 + r);
  for (let x = 6; x < 16; x++) c.poolMem(F.vmovups, x, -1, marks);
  c.poolMem(F.call, -1, -1, at);
  c.const32(r8, -77777);
  for (const r of [rsi, rdi, rbx, r12]) {
    c.reg(F.cmpImm | F.Q, r, -1, -1, 0, false, 1000 + r);
    c.jcc(F.CC.ne, failed);
  }
  for (let x = 6; x < 16; x++) {
    c.poolMem(F.vpcmpeqd, x, x, marks);
    c.reg(F.vmovmskps, rcx, -1, x);
    c.reg(F.cmpImm, rcx, -1, -1, 0, false, 15);
    c.jcc(F.CC.ne, failed);
  }
  c.reg(F.mov, r8, -1, rax);
  c.bind(failed);
  c.reg(F.mov, rax, -1, r8);
  c.reg(F.addImm | F.Q, F.GPR.rsp, -1, -1, 0, false, 32);
  for (const r of [rbx, r12, rbx]) c.pop(r);
  c.ret();
  return c.finish();
}

/** Runs the same function on machine code and on the evaluator; what differs, or null. */
function compare(tape: readonly number[], target: (typeof x64Targets)[0], windows: boolean): string | null {
  const asm = new Asm(target);
  growAsm(asm, tape);
  const expected = new ArrayBuffer(BYTES);
  fillInput(expected);
  const want = evaluateAsm(asm, { memory: { buffer: expected } }).go(0, 5) as number;
  const [at, got] = (room ??= allocate());
  new Uint8Array(got).fill(0);
  fillInput(got);
  const result = windows ? runWindows(asm, at) : loadX64(asm).go(at, 5);
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
function runWindows(asm: Asm, at: number): number {
  const { bytes, offsets } = compileX64(asm, { windows: true });
  const address = native!.loadCode(bytes) + offsets[1];
  return native!.fn(native!.loadCode(fromWindows(address)), ["ptr", "i32"], "i32")(at, 5);
}
let room: [number, ArrayBuffer] | undefined;
const allocate = (): [number, ArrayBuffer] => {
  const at = native!.allocate(BYTES);
  return [at, native!.view(at, BYTES)];
};

describe.each(x64Targets)("random functions on $name", (target) => {
  it.each([
    ["System V", false],
    ["Windows, called through a bridge of ours", true],
  ])("compute what the evaluator does: %s", { timeout: 600_000 }, (_, windows) => {
    fc.assert(
      fc.property(fc.array(fc.nat(65535), { minLength: 20, maxLength: 700, size: "max" }), (tape) => {
        const why = compare(tape, target, windows);
        if (why !== null) expect.fail(why);
      }),
      { numRuns: runs, seed: 3, interruptAfterTimeLimit: 120_000 },
    );
  });
});
