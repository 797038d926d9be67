// The order of the elements of each row, by a stable radix sort: time proportional to the row's length.
import { type DType, sizeOf } from "../base/index.ts";
import type { Asm, Val } from "../codegen/index.ts";
import { build, type Family, type Node } from "../ir/index.ts";
import { routineKernel } from "./routine.ts";

/** Rows up to this length are sorted by insertion. */
const SHORT = 24;
/** Rows from this length on are sorted by larger digits: their counters pay then. */
const LONG = 4096;
const SIGN = -0x80000000;

/** int32 [...rows, n]: where the elements of each row of x stand in order; equal ones keep theirs, NaN counts as largest. */
export const argsortRows = (x: Node, descending: boolean): Node =>
  build.routine([x], { name: "argsort", params: [Number(descending)] }, x.shape, "int32", rule);

const rule: Family<"routine"> = {
  vjp: () => [null],
  routine(n) {
    const [x] = n.srcs;
    const size = x.shape[x.shape.length - 1];
    const p = plan(x.dtype, size, n.attrs.params[0] === 1);
    return routineKernel(n, {
      key: `argsort ${n.attrs.params.join()}`,
      parts: sizeOf(x.shape.slice(0, -1)),
      flops: size * (size <= SHORT ? size : 12 * p.digits.length),
      scratch: 2 * size * p.record + (p.digits.length << p.bits) * 4,
      emit: (asm, [from], into, room) => (size <= SHORT ? insertion : radix)(asm, p, from, into, room),
    });
  },
};

interface Plan {
  readonly dtype: DType;
  readonly size: number;
  readonly descending: boolean;
  /** Bytes of an element, and of a record: the words of its key, least first, then its index. */
  readonly bytes: number;
  readonly record: number;
  readonly bits: number;
  /** Digits of the key, least first: the word and the shift of each. */
  readonly digits: readonly { readonly word: number; readonly shift: number }[];
}

function plan(dtype: DType, size: number, descending: boolean): Plan {
  const words = dtype === "float64" ? 2 : 1;
  const bits = size >= LONG ? 11 : 8;
  const digits = [];
  for (let word = 0; word < words; word++) for (let shift = 0; shift < 32; shift += bits) digits.push({ word, shift });
  return { dtype, size, descending, bytes: 4 * words, record: 4 * words + 4, bits, digits };
}

/** The words of the key of the element at `p`: whole numbers without sign, in the order of the elements. */
function keyOf(asm: Asm, { dtype, descending }: Plan, p: Val): Val[] {
  const words = orderedBits(asm, dtype, p);
  return descending ? words.map((w) => asm.bin("xor", w, -1)) : words;
}

function orderedBits(asm: Asm, dtype: DType, p: Val): Val[] {
  if (dtype === "uint32") return [asm.load("i32", p)];
  if (dtype === "int32") return [asm.bin("xor", asm.load("i32", p), SIGN)];
  const wide = dtype === "float64";
  const x = asm.load(wide ? "f64" : "f32", p);
  const [nan, zero] = [asm.cmp("ne", x, x), asm.cmp("eq", x, 0)];
  // One NaN, one zero.
  const plainBits = (bits: Val, ofNaN: number): Val => asm.select(nan, ofNaN, asm.select(zero, 0, bits));
  const top = plainBits(asm.load("i32", p, wide ? 4 : 0), wide ? 0x7ff80000 : 0x7fc00000);
  // Negative numbers turn over.
  const turned = asm.bin("shrS", top, 31);
  const high = asm.bin("xor", top, asm.bin("or", turned, SIGN));
  return wide ? [asm.bin("xor", plainBits(asm.load("i32", p), 0), turned), high] : [high];
}

const words = (p: Plan): number[] => Array.from({ length: p.record / 4 }, (_, i) => i * 4);

function insertion(asm: Asm, p: Plan, from: Val, into: Val, room: Val): void {
  const end = p.record - 4;
  asm.loop(0, p.size, 1, (i) => {
    const key = keyOf(asm, p, asm.ptrAdd(from, asm.mul(i, p.bytes)));
    const at = asm.var("i32", i);
    const place = (k: Val): Val => asm.ptrAdd(room, asm.mul(k, p.record));
    const larger = asm.var("i32", 0);
    const look = (): void => {
      asm.set(larger, 0);
      asm.if(asm.cmp("gt", asm.get(at), 0), () => {
        const before = asm.ptrAdd(place(asm.get(at)), -p.record);
        const [a, b] = [asm.load("i32", before, end - 4), key[key.length - 1]];
        const above = asm.cmp("gtU", a, b);
        if (key.length === 1) return asm.set(larger, above);
        const lower = asm.bin("and", asm.cmp("eq", a, b), asm.cmp("gtU", asm.load("i32", before), key[0]));
        asm.set(larger, asm.bin("or", above, lower));
      });
    };
    look();
    asm.if(asm.get(larger), () =>
      asm.repeat(() => {
        const to = place(asm.get(at));
        const before = asm.ptrAdd(to, -p.record);
        for (const w of words(p)) asm.store(to, w, asm.load("i32", before, w));
        asm.set(at, asm.sub(asm.get(at), 1));
        look();
        return asm.get(larger);
      }),
    );
    const to = place(asm.get(at));
    key.forEach((k, w) => asm.store(to, 4 * w, k));
    asm.store(to, end, i);
  });
  writeIndices(asm, p, room, into);
}

/** Least digit first; a digit that all keys share is skipped. */
function radix(asm: Asm, p: Plan, from: Val, into: Val, room: Val): void {
  const end = p.record - 4;
  const counters = asm.ptrAdd(room, 2 * p.size * p.record);
  const table = (d: number): Val => asm.ptrAdd(counters, (d << p.bits) * 4);
  const digitOf = (word: Val, d: number): Val =>
    asm.mul(asm.bin("and", asm.bin("shrU", word, p.digits[d].shift), (1 << p.bits) - 1), 4);
  asm.fill(counters, 0, (p.digits.length << p.bits) * 4);
  asm.loop(0, p.size, 1, (i) => {
    const key = keyOf(asm, p, asm.ptrAdd(from, asm.mul(i, p.bytes)));
    const to = asm.ptrAdd(room, asm.mul(i, p.record));
    key.forEach((k, w) => asm.store(to, 4 * w, k));
    asm.store(to, end, i);
    p.digits.forEach(({ word }, d) => {
      const counter = asm.ptrAdd(table(d), digitOf(key[word], d));
      asm.store(counter, 0, asm.add(asm.load("i32", counter), 1));
    });
  });
  const here = asm.var("ptr", room);
  const there = asm.var("ptr", asm.ptrAdd(room, p.size * p.record));
  p.digits.forEach(({ word }, d) => {
    const [src, dst] = [asm.get(here), asm.get(there)];
    const first = asm.ptrAdd(table(d), digitOf(asm.load("i32", src, 4 * word), d));
    asm.if(asm.cmp("ne", asm.load("i32", first), p.size), () => {
      const sum = asm.var("i32", 0);
      asm.loop(0, 1 << p.bits, 1, (b) => {
        const counter = asm.ptrAdd(table(d), asm.mul(b, 4));
        const before = asm.get(sum);
        asm.set(sum, asm.add(before, asm.load("i32", counter)));
        asm.store(counter, 0, before);
      });
      asm.loop(0, p.size, 1, (i) => {
        const at = asm.ptrAdd(src, asm.mul(i, p.record));
        const record = words(p).map((w) => asm.load("i32", at, w));
        const counter = asm.ptrAdd(table(d), digitOf(record[word], d));
        const place = asm.load("i32", counter);
        asm.store(counter, 0, asm.add(place, 1));
        const to = asm.ptrAdd(dst, asm.mul(place, p.record));
        words(p).forEach((w, k) => asm.store(to, w, record[k]));
      });
      asm.set(here, dst);
      asm.set(there, src);
    });
  });
  writeIndices(asm, p, asm.get(here), into);
}

const writeIndices = (asm: Asm, p: Plan, from: Val, into: Val): void =>
  asm.loop(0, p.size, 1, (i) => {
    const index = asm.load("i32", asm.ptrAdd(from, asm.mul(i, p.record)), p.record - 4);
    asm.store(asm.ptrAdd(into, asm.mul(i, 4)), 0, index);
  });
