// Compiled kernels of WebAssembly: modules over one memory, their functions in one table.
import { type Asm, Asm as Assembler, type Target } from "../asm/index.ts";
import { hostOps } from "../loops/index.ts";
import { hostMath } from "../math/index.ts";
import { emitWalk } from "../walk.ts";
import type { CodeModule, CodeStore } from "../kernels.ts";
import { buildWasm, instantiateWasm, probeWasm, wasmTarget, type WasmExports } from "./compile.ts";

/** A module as it is sent to workers: the functions `k0`, `k1` … belong at `fns`. */
export interface SentModule {
  readonly module: WebAssembly.Module;
  /** Names and places of its functions. */
  readonly names: readonly string[];
  readonly fns: readonly number[];
  /** Counts up from 1: see PLAN.needs. */
  readonly serial: number;
}

/** What a worker can import: it has no function of ours, only the host's. */
const inWorkers = (name: string): boolean => name !== "pow" && typeof Math[name as "sin"] === "function";

export class WasmCode implements CodeStore {
  readonly target: Target;
  /** The functions of the walk; see codegen/walk.ts. */
  readonly walk: WasmExports;
  readonly walkModule: WebAssembly.Module;
  /** Modules that workers may need, oldest first. */
  readonly sent: Map<number, SentModule> = new Map();
  /** How many there have been. */
  serial = 0;
  /** Told of each new module. */
  onModule: ((m: SentModule) => void) | null = null;
  private readonly memory: WebAssembly.Memory;
  private readonly table: WebAssembly.Table = new WebAssembly.Table({ element: "anyfunc", initial: 64 });
  private free: number[] = [];
  private used = 0;

  constructor(memory: WebAssembly.Memory) {
    this.memory = memory;
    this.target = wasmTarget(probeWasm());
    const asm = new Assembler(this.target);
    emitWalk(asm);
    this.walkModule = buildWasm(asm, { memory });
    this.walk = instantiateWasm(this.walkModule, { memory, table: this.table, host: { now: () => performance.now() } });
  }

  add(asm: Asm): CodeModule {
    const module = buildWasm(asm, { memory: this.memory });
    const code = instantiateWasm(module, { memory: this.memory, host: { ...hostMath, ...hostOps } });
    const names = asm.fns.map((f) => f.name);
    const fns = names.map((name) => {
      const place = this.place();
      this.table.set(place, code[name]);
      return place;
    });
    const shared = asm.externs.every((e) => inWorkers(e.name));
    const serial = shared ? ++this.serial : Infinity;
    if (shared) {
      const sent = { module, names, fns, serial };
      this.sent.set(serial, sent);
      this.onModule?.(sent);
    }
    return {
      fns,
      needs: serial,
      drop: () => {
        this.sent.delete(serial);
        for (const place of fns) this.table.set(place, null);
        this.free.push(...fns);
      },
    };
  }

  private place(): number {
    const known = this.free.pop();
    if (known !== undefined) return known;
    if (this.used === this.table.length) this.table.grow(this.table.length);
    return this.used++;
  }
}
