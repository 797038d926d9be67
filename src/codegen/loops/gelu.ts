// GELU in its tanh form, x · sigmoid(x (c x² + d)), as one function: constants are joined, x is what is divided.
import type { Ex } from "../../schedule/index.ts";
import { oneAndPower, LOG2E } from "../math/rounded.ts";
import { type MathEx, readerOf } from "./forms.ts";

/** The function, where expression `i` is one and its sigmoid is not among what is `stored`. */
export function gelu(exs: readonly Ex[], i: number, stored: ReadonlySet<number>): MathEx | undefined {
  const { op, isOne, onePlusExp } = readerOf(exs);
  /** The other source of an operation of two that has `one` among them. */
  const other = (srcs: readonly number[] | null, one: (n: number) => boolean): number | undefined =>
    srcs === null ? undefined : one(srcs[0]) ? srcs[1] : one(srcs[1]) ? srcs[0] : undefined;
  const isConst = (n: number): boolean => exs[n].k === "const";
  const value = (srcs: readonly number[]): number => {
    const e = exs[srcs.find(isConst) as number];
    return e.k === "const" ? e.value : 0;
  };
  const product = op(i, "mul");
  if (product === null) return undefined;
  for (const [x, gate] of [product, product.toReversed()]) {
    const quotient = op(gate, "div");
    const y = quotient !== null && isOne(quotient[0]) ? onePlusExp(quotient[1]) : undefined;
    const sum = y === undefined ? undefined : other(op(y, "mul"), (n) => n === x);
    const term = sum === undefined ? undefined : other(op(sum, "add"), isConst);
    const square = term === undefined ? undefined : other(op(term, "mul"), isConst);
    if (sum === undefined || term === undefined || square === undefined) continue;
    if (op(square, "mul")?.every((n) => n === x) !== true) continue;
    // Where the sigmoid is wanted by itself, too, it is computed once.
    if (
      stored.has(gate) ||
      exs.reduce((n, e) => n + (e.k === "op" ? e.srcs.filter((s) => s === gate).length : 0), 0) > 1
    )
      continue;
    const [c, d] = [value(exs[term].k === "op" ? exs[term].srcs : []), value(exs[sum].k === "op" ? exs[sum].srcs : [])];
    return {
      k: "math",
      name: "sigmoid",
      src: x,
      dtype: "float32",
      form: (asm, v) => {
        const t = asm.mul(v, asm.fma(asm.mul(v, v), -c * LOG2E, -d * LOG2E));
        return asm.div(v, oneAndPower(asm, t));
      },
    };
  }
  return undefined;
}
