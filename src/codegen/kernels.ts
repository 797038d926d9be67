import type { ContractKernel, Kernel, LoopKernel } from "../schedule/index.ts";
import { Asm, type Target } from "./asm/index.ts";
import { contractBlocks, contractScratchBytes, emitContract, type ContractSpec } from "./contract/index.ts";
import { emitEpilogue, emitLoopKernel, hostOps, loopBlocks } from "./loops/index.ts";
import { hostMath } from "./math/index.ts";
import { compileWasm, probeWasm, wasmTarget } from "./wasm/index.ts";

/** A kernel ready to call: `run(args, lo, hi)` does blocks lo..hi of `blocks`. */
export interface CompiledKernel {
  readonly run: (args: number, lo: number, hi: number) => void;
  readonly blocks: number;
  readonly scratchBytes: number;
}

/** Kernels that were not asked for in this many others are forgotten. */
const KEPT = 4096;

/** Compiles kernels to WebAssembly, once for each structure: all that are new in one module. */
export class WasmKernels {
  readonly target: Target;
  private readonly memory: WebAssembly.Memory;
  private readonly cache: Map<string, CompiledKernel> = new Map();

  constructor(memory: WebAssembly.Memory) {
    this.memory = memory;
    this.target = wasmTarget(probeWasm());
  }

  /** Code for each kernel, in order. */
  compile(kernels: readonly (LoopKernel | ContractKernel)[]): CompiledKernel[] {
    const keys = kernels.map(kernelKey);
    const missing = new Map<string, LoopKernel | ContractKernel>();
    keys.forEach((key, i) => {
      if (!this.cache.has(key)) missing.set(key, kernels[i]);
    });
    if (missing.size > 0) {
      const asm = new Asm(this.target);
      const list = [...missing];
      list.forEach(([, k], i) => emitKernel(asm, `k${i}`, k));
      const code = compileWasm(asm, { memory: this.memory, host: { ...hostMath, ...hostOps } });
      list.forEach(([key, k], i) =>
        this.cache.set(key, {
          run: code[`k${i}`],
          blocks: blocksOf(k, asm.lanes),
          scratchBytes: scratchOf(k, asm.lanes),
        }),
      );
    }
    const codes = keys.map((key) => {
      const code = this.cache.get(key) as CompiledKernel;
      // Most recently used last.
      this.cache.delete(key);
      this.cache.set(key, code);
      return code;
    });
    while (this.cache.size > KEPT) this.cache.delete(this.cache.keys().next().value as string);
    return codes;
  }
}

/** The structure of a kernel as text. */
const kernelKey = (k: Kernel): string =>
  JSON.stringify(k, (_, v: unknown) =>
    typeof v === "number" && (!Number.isFinite(v) || Object.is(v, -0)) ? `#${Object.is(v, -0) ? "-0" : v}` : v,
  );

const specOf = (k: ContractKernel): ContractSpec => ({
  dtype: k.dtype,
  batch: k.batch,
  m: k.m,
  n: k.n,
  k: k.k,
  aOffset: k.aOffset,
  bOffset: k.bOffset,
});

const blocksOf = (k: LoopKernel | ContractKernel, lanes: number): number =>
  k.kind === "loop" ? loopBlocks(k, lanes) : contractBlocks(specOf(k), lanes);

const scratchOf = (k: LoopKernel | ContractKernel, lanes: number): number =>
  k.kind === "loop" ? k.scratch : contractScratchBytes(specOf(k), lanes);

/** Adds the function `name(args, lo, hi)` for a kernel. */
function emitKernel(asm: Asm, name: string, k: LoopKernel | ContractKernel): void {
  if (k.kind === "loop") return emitLoopKernel(asm, name, k);
  asm.fn(name, ["ptr", "i32", "i32"], undefined, (args, lo, hi) => {
    const pointers = k.args.map((_, i) => asm.load("ptr", args, asm.ptrBytes * i));
    const scratch = scratchOf(k, asm.lanes) > 0 ? asm.load("ptr", args, asm.ptrBytes * k.args.length) : undefined;
    const [a, b] = pointers;
    emitContract(asm, specOf(k), { a, b, scratch, lo, hi }, (t) =>
      emitEpilogue(asm, k, pointers, {
        acc: t.acc,
        at: [...t.batch, ...t.m, ...t.n],
        count: t.count,
        lane: t.batch.length + t.m.length + t.lane,
      }),
    );
  });
}
