// Our bytes of every instruction form against what a disassembler reads from them (test/fixtures/make_x64.mjs).
import { describe, expect, it } from "vitest";
import { readFileSync } from "node:fs";
import { Code } from "../../src/codegen/x64/encode.ts";
import * as F from "../../src/codegen/x64/forms.ts";
import { cases, covered } from "./x64-cases.ts";

const fixture = JSON.parse(readFileSync(new URL("../fixtures/x64.json", import.meta.url), "utf8")) as Record<
  string,
  string
>;
const bytesOf = (emit: (code: Code) => void): string => {
  const code = new Code();
  emit(code);
  const { length } = code;
  return Buffer.from(code.finish().subarray(0, length)).toString("hex");
};

describe("x64 forms", () => {
  const all = cases();

  it("encode as the disassembler reads them", () => {
    const wrong: string[] = [];
    for (const { text, emit } of all) {
      const hex = bytesOf(emit);
      if (hex !== fixture[text]) wrong.push(`${text}: ${hex}, should be ${fixture[text] ?? "in the fixture"}`);
    }
    expect(wrong.slice(0, 20)).toEqual([]);
  });

  it("are all covered, and the fixture has nothing else", () => {
    const names = Object.keys(F).filter((name) => !["CC", "CMP", "GPR", "Y", "Z", "Q"].includes(name));
    const known = covered();
    expect(names.filter((name) => !known.has(name))).toEqual([]);
    expect(Object.keys(fixture).sort()).toEqual(all.map((c) => c.text).sort());
  });
});

describe("x64 code", () => {
  const code = (build: (code: Code) => void): number[] => {
    const c = new Code();
    build(c);
    return [...c.finish()];
  };

  it("jumps back short where it can, else by 32 bits, and forward by 32", () => {
    const back = code((c) => {
      const l = c.label();
      c.bind(l);
      c.ret();
      c.jmp(l);
      c.jcc(F.CC.ne, l);
    });
    expect(back).toEqual([0xc3, 0xeb, 0xfd, 0x75, 0xfb]);
    const forward = code((c) => {
      const l = c.label();
      c.jmp(l);
      c.jcc(F.CC.l, l);
      c.callLabel(l);
      c.bind(l);
      c.ret();
    });
    expect(forward).toEqual([0xe9, 11, 0, 0, 0, 0x0f, 0x8c, 5, 0, 0, 0, 0xe8, 0, 0, 0, 0, 0xc3]);
    // 126 bytes back is the last short one
    const far = (n: number): number =>
      code((c) => {
        const l = c.label();
        c.bind(l);
        for (let i = 0; i < n; i++) c.ret();
        c.jmp(l);
      }).length - n;
    expect([far(126), far(127)]).toEqual([2, 5]);
  });

  it("refuses a label that was never bound", () => {
    expect(() => code((c) => c.jmp(c.label()))).toThrow("[x64] label 0 is used and was never bound");
  });

  it("keeps equal constants once, aligned to their size, behind the code", () => {
    const c = new Code();
    const four = new Uint8Array([1, 2, 3, 4]);
    const wide = new Uint8Array(64).fill(7);
    expect(c.constant(four)).toBe(c.constant(four.slice()));
    c.poolMem(F.vbroadcastss | F.Z, 0, -1, c.constant(four));
    c.poolMem(F.vaddps | F.Z, 0, 0, c.constant(wide));
    // An immediate stands between the distance and the end of the instruction
    c.poolMem(F.vpternlogd | F.Z, 0, 0, c.constant(wide), 0, 0, false, 9);
    c.poolMem(F.mov, 0, -1, c.constant(four), 2);
    const { length } = c;
    const bytes = c.finish();
    expect(bytes.length).toBe(64 + 64 + 4);
    expect(bytes.subarray(64, 128)).toEqual(wide);
    expect(bytes.subarray(128)).toEqual(four);
    const view = new DataView(bytes.buffer);
    const ends = [10, 20, 31, 37];
    expect(length).toBe(37);
    expect(ends.map((end, i) => end + view.getInt32(end - (i === 2 ? 5 : 4), true))).toEqual([128, 64, 64, 130]);
  });

  it("aligns with no-operations and grows", () => {
    const c = new Code();
    for (let i = 0; i < 5000; i++) {
      c.ret();
      c.align(16);
    }
    const bytes = c.finish();
    expect(bytes.length).toBe(80_000);
    expect([...bytes.subarray(79_984)]).toEqual([
      0xc3, 0x66, 0x0f, 0x1f, 0x84, 0, 0, 0, 0, 0, 0x66, 0x0f, 0x1f, 0x44, 0, 0,
    ]);
    expect(bytes.subarray(0, 16)).toEqual(bytes.subarray(79_984));
  });
});
