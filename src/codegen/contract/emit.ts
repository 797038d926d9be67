// What a contraction takes and gives; how its kernels are called.
import type { Arg, Asm, Target, Val } from "../asm/index.ts";
import { Nest } from "./nest.ts";
import { type ContractPlan, planContract } from "./plan.ts";
import type { ContractSpec } from "./spec.ts";

/** Addresses and block range that a kernel works with. */
export interface ContractIo {
  readonly a: Val;
  readonly b: Val;
  /** `contractScratchBytes` bytes of this thread's own; needed when that is not 0. */
  readonly scratch?: Val;
  /** Address of a word that says which B the scratch memory holds packed: −1 for none. Without it every call packs anew. */
  readonly packed?: Val;
  readonly lo: Arg;
  readonly hi: Arg;
  /** Asks for what `store` will touch at a place, before the sums for it are made. */
  readonly ahead?: (t: StorePlace) => void;
}

/** Where a vector of sums belongs. Indices are those of the spec's axes, as given there. */
export type StorePlace = Omit<StoreCtx, "acc">;

/** One finished vector of sums. Indices are those of the spec's axes, as given there. */
export interface StoreCtx {
  readonly acc: Val;
  readonly batch: readonly Val[];
  readonly m: readonly Val[];
  /** Index of the first lane; the lanes run along `lane`. */
  readonly n: readonly Val[];
  /** The n axis that the lanes run along; from -1 down, an m axis counted from the last (a product with a vector). */
  readonly lane: number;
  /** Valid lanes. */
  readonly count: number;
  /** Element offset in the output of the first lane. */
  readonly outOffset: Val;
  /** Elements between lanes in the output. */
  readonly laneStride: number;
}

/** Number of outer blocks: the range of lo..hi. */
export function contractBlocks(spec: ContractSpec, target: Target): number {
  return planContract(spec, target).blocks;
}
/** Bytes of scratch memory that one thread needs. */
export function contractScratchBytes(spec: ContractSpec, target: Target): number {
  return planContract(spec, target).at.size;
}

/** A store of sums as they are, to `c`. */
export function storePlain(asm: Asm, c: Val, es: number): (list: readonly StoreCtx[]) => void {
  return (list) => {
    for (const t of list) {
      const p = asm.ptrAdd(c, asm.mul(t.outOffset, es));
      if (t.laneStride === 1) asm.storePartial(t.count, p, 0, t.acc);
      else for (let i = 0; i < t.count; i++) asm.store(asm.ptrAdd(p, i * t.laneStride * es), 0, asm.extract(t.acc, i));
    }
  };
}

/**
 * Emits the contraction into the open function. `store` is called several times, once more to see how long its code is: it must record the same code for the same context and keep nothing.
 */
export function emitContract(
  asm: Asm,
  spec: ContractSpec,
  io: ContractIo,
  store: (list: readonly StoreCtx[]) => void,
  p: ContractPlan = planContract(spec, asm.target),
): void {
  if (p.norm.empty) return;
  new Nest(asm, spec, p, io, store).emit();
}
