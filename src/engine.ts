/**
 * The only file that joins the rooms: graphs from tensor, plans from schedule, code from codegen, memory from runtime. Its
 * executor is put into the context here, at import.
 */
import { type DType, type TypedArray, ValueError } from "./base/index.ts";
import { context } from "./base/context.ts";
import { type CompiledKernel, Kernels, WasmCode } from "./codegen/index.ts";
import type { Device, Threads } from "./engine.browser.ts";
import { askedThreads, openDevice, planOf, unhurried } from "./engine.node.ts";
import { graphKey } from "./ir/index.ts";
import { coreCount, startWorker } from "./runtime/threads.node.ts";
import {
  allSteps,
  DeviceValue,
  Heap,
  MOST_THREADS,
  PlanRunner,
  Residents,
  Tracker,
  WasmCrew,
} from "./runtime/index.ts";
import { explainPlan, type ContractKernel, type LoopKernel, type Plan, type Step } from "./schedule/index.ts";
import type { Executor, Graph, Observer, Program, Value } from "./tensor/executor.ts";

/** Programs that were not used in this many others are forgotten. */
const KEPT_PROGRAMS = 1024;
/** Threads that are used without being asked for. */
const DEFAULT_THREADS = 16;

function wasmDevice(threads: number, why: string): Device {
  const heap = new Heap({ shared: mayShare() });
  const code = new WasmCode(heap.memory);
  const crew = new WasmCrew(heap, code, threads, startWorker);
  return { name: "wasm", why, heap, code, kernels: new Kernels(code), crew };
}

/** Memory can be shared with workers: always in Node, in browsers on pages that are cross-origin isolated. */
const mayShare = (): boolean =>
  typeof SharedArrayBuffer === "function" &&
  (globalThis as { crossOriginIsolated?: boolean }).crossOriginIsolated !== false;

function checkThreads(n: number, who: string): number {
  if (Number.isInteger(n) && n >= 1 && n <= MOST_THREADS) return n;
  throw new ValueError(`[${who}] a whole number from 1 to ${MOST_THREADS} is needed, got ${n}.`);
}

/** Everything that one device holds. */
class CpuEngine implements Executor {
  readonly device: Device;
  readonly residents: Residents;
  observer: Observer | null = null;
  readonly programs: Map<string, CpuProgram> = new Map();
  private readonly heap: Heap;
  threads: Threads;
  /** Arena and scratch, shared by all programs: they run one at a time. */
  private room = { at: 0, bytes: 0 };

  constructor() {
    const { count, why } = coreCount();
    this.threads = askedThreads(checkThreads) ?? { count: Math.min(count, DEFAULT_THREADS), why };
    this.device = openDevice(this.threads.count, wasmDevice);
    this.heap = this.device.heap;
    this.residents = new Residents(this.heap);
  }

  compile(graph: Graph): Program {
    const key = graphKey(graph);
    const known = this.programs.get(key);
    if (known !== undefined) {
      this.programs.delete(key);
      this.programs.set(key, known);
      return known;
    }
    const start = performance.now();
    const program = unhurried(() => new CpuProgram(graph, planOf(graph, key, this.device), this));
    this.observer?.compiled(program, start, performance.now());
    this.programs.set(key, program);
    if (this.programs.size > KEPT_PROGRAMS) {
      const [oldest, p] = this.programs.entries().next().value as [string, CpuProgram];
      this.programs.delete(oldest);
      p.dispose();
    }
    return program;
  }

  fromHost(data: TypedArray, shape: readonly number[], dtype: DType): Value {
    const v = new DeviceValue(this.residents, shape, dtype);
    v.write(data);
    return v;
  }

  /** One run of a program. */
  run(p: CpuProgram, inputs: readonly Value[]): Value[] {
    const { observer } = this;
    const start = observer === null ? 0 : performance.now();
    const runner = p.runnerFor(this.device.crew.threads);
    if (observer === null) runner.clocks?.dispose();
    else observer.watch(runner);
    const { plan, staging } = p;
    const { heap } = this;
    if (runner.roomBytes > this.room.bytes) {
      if (this.room.bytes > 0) heap.release(this.room.at);
      this.room = { at: heap.alloc(runner.roomBytes), bytes: runner.roomBytes };
    }
    runner.bindRoom(this.room.at);
    for (let i = 0; i < inputs.length; i++) {
      const v = inputs[i] as DeviceValue;
      if (!v.small) runner.bindInput(i, v.address());
    }
    const outputs = plan.outputs.map((o) => new DeviceValue(this.residents, o.shape, o.dtype));
    for (let i = 0; i < outputs.length; i++) if (!outputs[i].small) runner.bindOutput(i, outputs[i].address());
    // After the last allocation: views of the heap are good from here on.
    for (let i = 0; i < inputs.length; i++) {
      const v = inputs[i] as DeviceValue;
      if (!v.small) continue;
      heap.u8.set(v.view(), staging.inputs[i]);
      runner.bindInput(i, staging.inputs[i]);
    }
    for (let i = 0; i < outputs.length; i++) if (outputs[i].small) runner.bindOutput(i, staging.outputs[i]);
    runner.run();
    // Inputs are in use until here: the memory of large ones may be the garbage collector's.
    for (const i of p.updated) {
      const v = inputs[i] as DeviceValue;
      if (v.small) v.view().set(heap.u8.subarray(staging.inputs[i], staging.inputs[i] + v.bytes));
    }
    for (let i = 0; i < outputs.length; i++) {
      const v = outputs[i];
      if (v.small) v.view().set(heap.u8.subarray(staging.outputs[i], staging.outputs[i] + v.bytes));
    }
    this.residents.sweep();
    observer?.ran(p, start, performance.now());
    return outputs;
  }

  /** Room for the small inputs and outputs of a program. */
  stage(plan: Plan): Staging {
    const rounded = [...plan.inputs, ...plan.outputs].map((t) => {
      const v = new DeviceValue(this.residents, t.shape, t.dtype);
      return v.small ? Math.ceil(Math.max(1, v.bytes) / 16) * 16 : 0;
    });
    const total = rounded.reduce((a, b) => a + b, 0);
    const base = this.heap.alloc(total, true);
    let at = base;
    const places = rounded.map((b) => {
      const place = at;
      at += b;
      return place;
    });
    return { base, inputs: places.slice(0, plan.inputs.length), outputs: places.slice(plan.inputs.length) };
  }

  unstage(s: Staging): void {
    this.heap.release(s.base);
  }
}

/** What computes, with how many threads, and why. */
export interface DeviceInfo {
  /** "wasm": WebAssembly; "x64": machine code. */
  readonly name: string;
  readonly why: string;
  readonly threads: number;
  readonly whyThreads: string;
  /** Threads that take part by now: others start when the first large program runs. */
  readonly ready: number;
}

/**
 * What the device holds: bytes in use by tensors, variables and programs, bytes reserved, compiled programs. Large tensors beyond
 * 512 MB may lie in array buffers of the garbage collector's own, which the process counts (`arrayBuffers`), not the device.
 */
export interface MemoryInfo {
  readonly usedBytes: number;
  readonly reservedBytes: number;
  readonly programs: number;
}

interface Staging {
  readonly base: number;
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
}

class CpuProgram implements Program {
  readonly plan: Plan;
  readonly updated: readonly number[];
  readonly staging: Staging;
  runner: PlanRunner;
  private readonly engine: CpuEngine;
  private readonly graph: Graph;
  private readonly codes: readonly CompiledKernel[];
  private readonly table: ReadonlyMap<Step, CompiledKernel>;
  /** Threads that the runner was made for. */
  private threads: number;
  private gone = false;

  constructor(graph: Graph, plan: Plan, engine: CpuEngine) {
    const { kernels, crew } = engine.device;
    this.graph = graph;
    this.plan = plan;
    this.updated = graph.updates.map((u) => u.input);
    this.engine = engine;
    const steps = allSteps(plan).filter((s) => s.kernel.kind !== "scan");
    this.codes = kernels.compile(steps.map((s) => s.kernel as LoopKernel | ContractKernel));
    this.table = new Map(steps.map((s, i) => [s, this.codes[i]]));
    this.threads = crew.threads;
    this.runner = new PlanRunner(plan, this.table, crew);
    this.staging = engine.stage(plan);
  }

  /** The runner, made anew when the number of threads has changed. */
  runnerFor(threads: number): PlanRunner {
    if (threads !== this.threads) {
      this.threads = threads;
      this.runner.dispose();
      this.runner = new PlanRunner(this.plan, this.table, this.engine.device.crew);
    }
    return this.runner;
  }

  run(inputs: readonly Value[]): Value[] {
    // Forgotten by the cache, but still in somebody's hands: its twin takes over.
    return this.gone ? this.engine.compile(this.graph).run(inputs) : this.engine.run(this, inputs);
  }

  explain(): string {
    return explainPlan(this.plan);
  }

  dispose(): void {
    this.gone = true;
    this.runner.dispose();
    this.engine.device.kernels.release(this.codes);
    this.engine.unstage(this.staging);
  }
}

export const engine: CpuEngine = new CpuEngine();
context.executor = engine;

/**
 * Sets how many threads large programs are divided among, this one included; small ones never leave the calling thread.
 * Results do not depend on it. Default: the cores of the processor, at most 16, or the environment's CHAINRULE_THREADS.
 *
 * @throws ValueError for anything but a whole number from 1 to 64.
 * @example setThreads(1);
 */
export function setThreads(n: number): void {
  engine.threads = { count: checkThreads(n, "setThreads"), why: `setThreads(${n})` };
  engine.device.crew.threads = n;
}

/**
 * What computes here, with how many threads, and why.
 *
 * @example const { name, threads } = device();
 */
export function device(): DeviceInfo {
  const { name, why, crew, heap } = engine.device;
  const { count, why: whyThreads } = engine.threads;
  const alone = crew.trouble || "memory cannot be shared here (in a browser: the page is not cross-origin isolated)";
  const reason = crew.threads === count ? whyThreads : heap.shared || crew.trouble !== "" ? crew.trouble : alone;
  return { name, why, threads: crew.threads, whyThreads: reason, ready: crew.serving };
}

/**
 * What the device holds right now.
 *
 * @example console.log(memory());
 */
export const memory = (): MemoryInfo => ({
  usedBytes: engine.residents.heap.used,
  reservedBytes: engine.residents.heap.reserved,
  programs: engine.programs.size,
});

/**
 * Where compiled programs are kept for later processes, and how many; or why none are.
 *
 * @example console.log(keptPrograms());
 */
export const keptPrograms = (): string =>
  engine.device.keeper?.describe() ?? "nothing is kept: only what machine code needs is";

/**
 * Starts recording which line makes each tensor (slow: for finding leaks), or stops with `false`.
 *
 * @example
 * trackMemory();
 * const kept: Tensor[] = [];
 * for (let i = 0; i < 300; i++) kept.push(zeros([1024, 10]).add(1)); // grows
 * console.log(leakReport()); // 12.0 MiB   300×  float32 [1024, 10]  at file.ts:2:33
 */
export const trackMemory = (on = true): void => {
  engine.residents.tracker = on ? new Tracker() : null;
};

/**
 * Tensors made since `trackMemory()` that are still alive, by the line that made them, most bytes first.
 *
 * @example
 * trackMemory();
 * const kept = zeros([1024, 10]).add(1);
 * console.log(kept.shape, leakReport());
 */
export const leakReport = (): string =>
  engine.residents.tracker?.report() ?? "Nothing was recorded: call trackMemory() first, then run what may leak.";
