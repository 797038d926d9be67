// The vocabulary of the vector assembler: types, operations, instructions. Plain data, no target knowledge.
import type { Asm } from "./asm.ts";
import type { Pairs } from "../contract/pairs.ts";
import type { Squares } from "../contract/squares.ts";
import type { emitUnrolled } from "../contract/unrolled.ts";
import type { Turned } from "../contract/turned.ts";
import type { Ahead } from "../loops/ahead.ts";
import type { Rounded } from "../math/rounded.ts";
import type { gelu } from "../loops/gelu.ts";
import type { Rows } from "../loops/rows.ts";

/** Scalar and vector types. `vf32`/`vi32` hold `asm.lanes` elements, `vf64`/`vi64` half as many. `vi64` is only a mask. */
export type Type = "ptr" | "i32" | "f32" | "f64" | "vf32" | "vi32" | "vf64" | "vi64";
/** Vector types. */
export type VecType = "vf32" | "vi32" | "vf64" | "vi64";

/** Two-operand operations. See `Asm.bin` for which types take which. */
export type BinOp =
  | "add"
  | "sub"
  | "mul"
  | "div"
  | "min"
  | "max"
  | "pmin"
  | "pmax"
  | "and"
  | "or"
  | "xor"
  | "andnot"
  | "shl"
  | "shrS"
  | "shrU"
  | "divS"
  | "divU"
  | "remS"
  | "remU"
  | "copysign"
  | "scale";
/** One-operand operations. */
export type UnOp = "neg" | "abs" | "sqrt" | "floor" | "ceil" | "trunc" | "nearest" | "not" | "fraction";
/** Comparisons; the `U` forms are unsigned and for integers only. */
export type CmpOp = "eq" | "ne" | "lt" | "le" | "gt" | "ge" | "ltU" | "leU" | "gtU" | "geU";

/** What an instruction does. Types of operands select the machine form. */
export type Op =
  | BinOp
  | UnOp
  | CmpOp
  | "const"
  | "param"
  | "get"
  | "set"
  | "decl"
  | "fma"
  | "fnma"
  | "select"
  | "splat"
  | "extract"
  | "insert"
  | "f32FromI32"
  | "f32FromU32"
  | "i32FromF32"
  | "u32FromF32"
  | "f64FromF32"
  | "f32FromF64"
  | "f64FromI32"
  | "f64FromU32"
  | "i32FromF64"
  | "u32FromF64"
  | "bitcast"
  | "promoteLow"
  | "promoteHigh"
  | "demote"
  | "i32FromF64Pair"
  | "maskLow"
  | "maskHigh"
  | "bitmask"
  | "interleaveLow"
  | "interleaveHigh"
  | "interleaveLow2"
  | "interleaveHigh2"
  | "swapHalves"
  | "swapPairs"
  | "swap128"
  | "swap256"
  | "evenBlocks"
  | "oddBlocks"
  | "load"
  | "store"
  | "loadSplat"
  | "loadPartial"
  | "storePartial"
  | "loadU8"
  | "storeU8"
  | "copy"
  | "fill"
  | "loop"
  | "endloop"
  | "repeat"
  | "again"
  | "if"
  | "else"
  | "endif"
  | "call"
  | "callPtr"
  | "atomicLoad"
  | "atomicStore"
  | "atomicAdd"
  | "wait"
  | "notify"
  | "pause"
  | "prefetch"
  | "clock"
  | "pin";

/** A mutable variable of a function. */
export interface Var {
  readonly id: number;
  readonly type: Type;
}

/** An imported function of the host. */
export interface Extern {
  readonly kind: "extern";
  readonly index: number;
  readonly name: string;
  readonly params: readonly Type[];
  readonly result: Type | undefined;
}

/** A function under construction or finished: parameters, then a flat list of structured instructions. */
export interface Fn {
  readonly kind: "fn";
  readonly index: number;
  readonly name: string;
  readonly params: readonly Val[];
  readonly result: Type | undefined;
  readonly code: Val[];
  readonly vars: Var[];
  /** Constants by type, then by value. */
  readonly consts: Map<Type, Map<number, Val>>;
  ret: Val | undefined;
}

/** One instruction and the immutable value it yields (`type` undefined: no value). */
export interface Val {
  /** Number within the module. */
  readonly serial: number;
  /** Position in `Fn.code`; -1 for constants and parameters, which stand outside of it. */
  readonly id: number;
  readonly op: Op;
  /** Result type; statements repeat the type that they act on. */
  readonly type: Type;
  readonly a: Val | undefined;
  readonly b: Val | undefined;
  readonly c: Val | undefined;
  /** Constant value, byte offset, lane, loop step, parameter index: by operation. */
  readonly imm: number;
  /** Element count of partial memory accesses. */
  readonly count: number;
  /** Addresses, and integers known not to be negative: a constant added to one may become an immediate offset. */
  readonly positive: boolean;
  readonly ref: Var | Fn | Extern | Val | undefined;
  readonly args: readonly Val[] | undefined;
}

/** What the encoder promises; an assembler is made for one target. */
export interface Target {
  readonly name: string;
  /** float32 lanes of a vector: 4, 8 or 16. */
  readonly lanes: number;
  /** Bytes of an address in memory. */
  readonly ptrBytes: 4 | 8;
  /** One rounding in `fma` (and fast lane selection). */
  readonly fma: boolean;
  /** Vector registers that a kernel may count on. */
  readonly registers: number;
  /** How it transposes blocks of 128 bits, where vectors hold several. */
  readonly transposeBlocks?: (asm: Asm, vectors: readonly Val[]) => Val[];
  /** Where `prefetch` does something: what is asked for early. */
  readonly ahead?: Ahead;
  /** Has bodies write their parts of `code`, and stands these side by side: where registers are many. */
  readonly interleave?: (code: Val[], bodies: readonly (() => void)[]) => void;
  /** Functions that are cheaper where their argument, the result of `op`, is rounded anyway. */
  readonly rounded?: Rounded;
  /** An expression that is a GELU, as one function. */
  readonly gelu?: typeof gelu;
  /** How it works on several rows of a kernel at once. */
  readonly rows?: Rows;
  /** Bytes of the first- and second-level data caches of a core, where they are known. */
  readonly l1Bytes?: number;
  readonly l2Bytes?: number;
  /** It has the operations fraction and scale. */
  readonly scales?: boolean;
  /** How it makes results of few columns, and how it lays rows of A side by side: brought along, so that others need not load it. */
  readonly pairs?: Pairs;
  readonly squares?: Squares;
  /** How it adds to the sums of a tile, where it does more than `emitTile`. */
  readonly tile?: typeof emitUnrolled;
  /** How products whose columns of A are packed are divided. */
  readonly turned?: Turned;
}

/** True for types that hold lanes. */
export const isVec = (t: Type): t is VecType => t.charCodeAt(0) === 118;
/** Element type of a vector type. */
export const elemOf = (t: VecType): "f32" | "i32" | "f64" => (t === "vf32" ? "f32" : t === "vi32" ? "i32" : "f64");
/** Mask type of comparisons over `t`. */
export const maskOf = (t: Type): Type =>
  t === "vf32" || t === "vi32" ? "vi32" : t === "vf64" || t === "vi64" ? "vi64" : "i32";
/** Bytes of one element. */
export const bytesOf = (t: Type): number => (t === "f64" || t === "vf64" || t === "vi64" ? 8 : 4);
