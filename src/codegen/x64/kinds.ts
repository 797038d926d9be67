// What rules of selection share about types.
import type { Op, Type, Val } from "../asm/index.ts";
import * as F from "./forms.ts";
import { GENERAL, VECTOR } from "./machine.ts";
import type { Selector } from "./select.ts";

/** Writes the instructions of one operation; `dst` is the register of its result, -1 when it has none. */
export type Rule = (s: Selector, v: Val, dst: number) => void;
export type Rules = Partial<Record<Op, Rule>>;

export const isInteger = (t: Type): boolean => t === "i32" || t === "ptr";
/** The kind of register that holds a type (masks aside). */
export const kindOfType = (t: Type): number => (isInteger(t) ? GENERAL : VECTOR);
/** The size bit of general forms. */
export const sizeOf = (t: Type): number => (t === "ptr" ? F.Q : 0);

/** Immediates of float comparisons. */
export const PREDICATE: Partial<Record<Op, number>> = {
  eq: F.CMP.eq,
  ne: F.CMP.ne,
  lt: F.CMP.lt,
  le: F.CMP.le,
  gt: F.CMP.gt,
  ge: F.CMP.ge,
};
