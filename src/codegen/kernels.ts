// From kernels as plain data to code, once for each structure, on any kind of machine.
import type { ContractKernel, LoopKernel } from "../schedule/index.ts";
import { Asm, type Target } from "./asm/index.ts";
import { emitContract, planContract, type StoreCtx, type StorePlace } from "./contract/index.ts";
import { emitLoopKernel, Epilogue, loopBlocks, loopGrain, loopScratch, type Tile } from "./loops/index.ts";

/** A kernel that a walk can call: `fn(args, lo, hi)` does blocks lo..hi of `blocks`. */
export interface CompiledKernel {
  /** Place in the table of functions, or address. */
  readonly fn: number;
  readonly blocks: number;
  /** Least blocks that are worth a call. */
  readonly grain: number;
  readonly scratchBytes: number;
  /** What a thread must have received to call it (PLAN.needs); Infinity: the main thread alone can. */
  readonly needs: number;
}

/** Machine code in memory, for one kind of machine. */
export interface CodeStore {
  readonly target: Target;
  /** Makes the functions of `asm` callable. */
  add(asm: Asm): CodeModule;
}

/** Functions that were compiled together. */
export interface CodeModule {
  /** Place or address of each function, in order. */
  readonly fns: readonly number[];
  readonly needs: number;
  /** Gives code and places back: nobody calls them any more. */
  drop(): void;
}

/** Kernels that were not asked for in this many others are forgotten, once no program holds them. */
const KEPT = 4096;

interface Entry extends CompiledKernel {
  readonly key: string;
  readonly home: Home;
  holders: number;
}

interface Home {
  readonly module: CodeModule;
  kernels: number;
}

/** A kernel and its structure as text. */
export type Keyed = readonly [key: string, kernel: LoopKernel | ContractKernel];

/** Compiled kernels by structure: all that are new go into one module. */
export class Kernels {
  private readonly store: CodeStore;
  private readonly cache: Map<string, Entry> = new Map();

  constructor(store: CodeStore) {
    this.store = store;
  }

  /** Code for each kernel, in order, held until it is released. */
  compile(kernels: readonly (LoopKernel | ContractKernel)[]): CompiledKernel[] {
    const keys = kernels.map(kernelKey);
    const missing = new Map<string, LoopKernel | ContractKernel>();
    keys.forEach((key, i) => {
      if (!this.cache.has(key)) missing.set(key, kernels[i]);
    });
    if (missing.size > 0) this.add([...missing]);
    const codes = keys.map((key) => {
      const entry = this.cache.get(key) as Entry;
      // Most recently used last.
      this.cache.delete(key);
      this.cache.set(key, entry);
      entry.holders++;
      return entry;
    });
    this.forget();
    return codes;
  }

  /** The other end of `compile`: a program is gone. */
  release(codes: readonly CompiledKernel[]): void {
    for (const code of codes) (code as Entry).holders--;
  }

  /** Code of kernels that are new, one function each. */
  protected make(list: readonly Keyed[]): CodeModule {
    const asm = new Asm(this.store.target);
    emitAll(asm, list);
    return this.store.add(asm);
  }

  private add(list: readonly Keyed[]): void {
    const home: Home = { module: this.make(list), kernels: list.length };
    const { target } = this.store;
    list.forEach(([key, k], i) =>
      this.cache.set(key, {
        key,
        home,
        holders: 0,
        fn: home.module.fns[i],
        needs: home.module.needs,
        ...sizesOf(k, target),
      }),
    );
  }

  private forget(): void {
    if (this.cache.size <= KEPT) return;
    for (const [key, entry] of this.cache) {
      if (this.cache.size <= KEPT) return;
      if (entry.holders > 0) continue;
      this.cache.delete(key);
      if (--entry.home.kernels === 0) entry.home.module.drop();
    }
  }
}

/** Adds a function for each kernel, in order. */
export const emitAll = (asm: Asm, list: readonly Keyed[]): void =>
  list.forEach(([, k], i) => emitKernel(asm, `k${i}`, k));

/** The structure of a kernel as text; values that JSON has no text for stand behind it. */
function kernelKey(k: LoopKernel | ContractKernel): string {
  const values = k.exs.map((e) => ("value" in e ? (Object.is(e.value, -0) ? "-0" : e.value) : ""));
  return JSON.stringify(k) + values.join();
}

/** Blocks, the least of a call, and bytes of a thread's own, as `CompiledKernel` has them. */
export function sizesOf(k: LoopKernel | ContractKernel, target: Target): Omit<CompiledKernel, "fn" | "needs"> {
  if (k.kind === "loop")
    return {
      blocks: loopBlocks(k, target.lanes),
      grain: loopGrain(k, target.lanes),
      scratchBytes: loopScratch(k, target),
    };
  const { blocks, grain, at } = planContract(k, target);
  return { blocks, grain, scratchBytes: at.size };
}

/**
 * Adds the function `name(args, lo, hi)` for a kernel. `args`: addresses of its operands and of its thread's scratch memory; before
 * them lies a word that is −1 at the first call of a run and that the thread's later calls find as it was left.
 */
export function emitKernel(asm: Asm, name: string, k: LoopKernel | ContractKernel): void {
  if (k.kind === "loop") return emitLoopKernel(asm, name, k);
  asm.fn(name, ["ptr", "i32", "i32"], undefined, (args, lo, hi) => {
    const pointers = k.args.map((_, i) => asm.load("ptr", args, asm.ptrBytes * i));
    const plan = planContract(k, asm.target);
    const scratch = plan.at.size > 0 ? asm.load("ptr", args, asm.ptrBytes * k.args.length) : undefined;
    const [a, b] = pointers;
    const placed = (t: StorePlace): Omit<Tile, "acc"> => ({
      at: [...t.batch, ...t.m, ...t.n],
      count: t.count,
      lane: t.batch.length + t.m.length + t.lane,
    });
    const early = asm.target.ahead?.epilogue;
    const ahead = early && ((t: StorePlace): void => early(asm, k, pointers, placed(t)));
    const epilogue = new Epilogue(asm, k, pointers);
    const store = (list: readonly StoreCtx[]): void => epilogue.emit(list.map((t) => ({ acc: t.acc, ...placed(t) })));
    const packed = asm.ptrAdd(args, -asm.ptrBytes);
    emitContract(asm, k, { a, b, scratch, packed, lo, hi, ahead }, store, plan);
  });
}
