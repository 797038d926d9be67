// Expressions that one function computes more cheaply than their parts do.
import type { Ex, Phase } from "../../schedule/index.ts";
import type { Asm, Target, Val } from "../asm/index.ts";
import type { MathName } from "../math/index.ts";

/** A function of the math room in place of an expression. */
export interface MathEx {
  readonly k: "math";
  readonly name: MathName;
  readonly src: number;
  readonly dtype: "float32";
  /** What is written instead of the function `name`. */
  readonly form?: (asm: Asm, x: Val) => Val;
}

/** A phase, or the stores of a contraction. */
export type Stored = Pick<Phase, "stores"> & Partial<Phase>;

/** What expressions say, by number. */
export interface Reader {
  /** The sources of an operation of that name, else null. */
  readonly op: (i: number, name: string) => readonly number[] | null;
  readonly isOne: (i: number) => boolean;
  /** x, when the expression is 1 + e^-x. */
  readonly onePlusExp: (i: number) => number | undefined;
}

export function readerOf(exs: readonly Ex[]): Reader {
  const op = (i: number, name: string): readonly number[] | null => {
    const e = exs[i];
    return e.k === "op" && e.op === name ? e.srcs : null;
  };
  const isOne = (i: number): boolean => {
    const e = exs[i];
    return e.k === "const" && e.value === 1;
  };
  const onePlusExp = (i: number): number | undefined => {
    const sum = op(i, "add");
    const e = sum?.find((s) => !isOne(s));
    if (e === undefined || !sum?.some(isOne)) return undefined;
    return op(op(e, "exp")?.[0] ?? e, "neg")?.[0];
  };
  return { op, isOne, onePlusExp };
}

/** `exs` with 1 / (1 + e^-x) as sigmoid, and e^(x - max x) and e^-|x| without the upper half of exp's range. */
export function withForms(exs: readonly Ex[], phases: readonly Stored[], target: Target): readonly (Ex | MathEx)[] {
  const { op, isOne, onePlusExp } = readerOf(exs);
  const atMostZero = (i: number): boolean => {
    const negated = op(i, "neg");
    if (negated !== null) return op(negated[0], "abs") !== null;
    const [x, peak] = op(i, "sub") ?? [];
    const e = exs[peak ?? i];
    if (e.k !== "acc") return false;
    const r = phases[e.phase].reductions?.[e.slot];
    return r?.kind === "max" && r.value === x;
  };
  const stored = new Set(phases.flatMap((p) => p.stores.map((s) => s.value)));
  return exs.map((e, i) => {
    if (e.k !== "op" || e.dtype !== "float32") return e;
    const gelu = target.gelu?.(exs, i, stored);
    if (gelu !== undefined) return gelu;
    const as = (name: MathName, src: number): MathEx => ({ k: "math", name, src, dtype: "float32" });
    const x = e.op === "div" && isOne(e.srcs[0]) ? onePlusExp(e.srcs[1]) : undefined;
    if (x !== undefined) return as("sigmoid", x);
    return e.op === "exp" && atMostZero(e.srcs[0]) ? as("expBelow", e.srcs[0]) : e;
  });
}
