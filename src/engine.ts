/**
 * The only file that joins the rooms: graphs from tensor, plans from schedule, code from codegen, memory from runtime. Its
 * executor is put into the context here, at import.
 */
import { type DType, sizeOf, type TypedArray, ValueError } from "./base/index.ts";
import { context } from "./base/context.ts";
import { WasmKernels } from "./codegen/index.ts";
import { graphKey } from "./ir/index.ts";
import { DeviceValue, Heap, type KernelCode, PlanRunner, Residents, Tracker } from "./runtime/index.ts";
import { explainPlan, makePlan, type ContractKernel, type LoopKernel, type Plan, type Step } from "./schedule/index.ts";
import type { Executor, Graph, Program, Value } from "./tensor/executor.ts";

/** Programs that were not used in this many others are forgotten. */
const KEPT_PROGRAMS = 1024;

/** Everything that one device holds. */
class CpuEngine implements Executor {
  private readonly heap: Heap = new Heap();
  readonly residents: Residents = new Residents(this.heap);
  private readonly kernels: WasmKernels = new WasmKernels(this.heap.memory);
  private readonly programs: Map<string, CpuProgram> = new Map();
  /** Arena and scratch, shared by all programs: they run one at a time. */
  private room = { at: 0, bytes: 0 };

  compile(graph: Graph): Program {
    const key = graphKey(graph);
    const known = this.programs.get(key);
    if (known !== undefined) {
      this.programs.delete(key);
      this.programs.set(key, known);
      return known;
    }
    const plan = makePlan(graph);
    const steps = allSteps(plan);
    const codes = this.kernels.compile(steps.map((s) => s.kernel as LoopKernel | ContractKernel));
    const table = new Map<Step, KernelCode>(steps.map((s, i) => [s, codes[i]]));
    const program = new CpuProgram(graph, plan, new PlanRunner(plan, table, this.heap), this);
    this.programs.set(key, program);
    if (this.programs.size > KEPT_PROGRAMS) {
      const [oldest, p] = this.programs.entries().next().value as [string, CpuProgram];
      this.programs.delete(oldest);
      p.dispose();
    }
    return program;
  }

  fromHost(data: TypedArray, shape: readonly number[], dtype: DType): Value {
    if (data.length !== sizeOf(shape))
      throw new ValueError(`[tensor] ${data.length} elements do not fill [${shape.join(", ")}].`);
    const v = new DeviceValue(this.residents, shape, dtype);
    v.write(data);
    return v;
  }

  /** One run of a program. */
  run(p: CpuProgram, inputs: readonly Value[]): Value[] {
    const { runner, plan, staging } = p;
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
    for (const i of p.updated) {
      const v = inputs[i] as DeviceValue;
      if (v.small) v.view().set(heap.u8.subarray(staging.inputs[i], staging.inputs[i] + v.bytes));
    }
    for (let i = 0; i < outputs.length; i++) {
      const v = outputs[i];
      if (v.small) v.view().set(heap.u8.subarray(staging.outputs[i], staging.outputs[i] + v.bytes));
    }
    this.residents.sweep();
    return outputs;
  }

  /** Room for the small inputs and outputs of a program. */
  stage(plan: Plan): Staging {
    const rounded = [...plan.inputs, ...plan.outputs].map((t) => {
      const v = new DeviceValue(this.residents, t.shape, t.dtype);
      return v.small ? Math.ceil(Math.max(1, v.bytes) / 16) * 16 : 0;
    });
    const total = rounded.reduce((a, b) => a + b, 0);
    const base = this.heap.alloc(total);
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

  memory(): MemoryInfo {
    return {
      usedBytes: this.heap.used,
      reservedBytes: this.heap.memory.buffer.byteLength,
      programs: this.programs.size,
    };
  }
}

/** What the device holds: bytes in use by tensors, variables and programs, bytes reserved, compiled programs. */
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

/** Kernels of a plan and of the bodies of its scans. */
const allSteps = (plan: Plan): Step[] =>
  plan.steps.flatMap((s) => (s.kernel.kind === "scan" ? allSteps(s.kernel.body) : [s]));

class CpuProgram implements Program {
  readonly plan: Plan;
  readonly runner: PlanRunner;
  readonly updated: readonly number[];
  readonly staging: Staging;
  private readonly engine: CpuEngine;
  private readonly graph: Graph;
  private gone = false;

  constructor(graph: Graph, plan: Plan, runner: PlanRunner, engine: CpuEngine) {
    this.graph = graph;
    this.plan = plan;
    this.runner = runner;
    this.updated = graph.updates.map((u) => u.input);
    this.engine = engine;
    this.staging = engine.stage(plan);
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
    this.engine.unstage(this.staging);
  }
}

export const engine: CpuEngine = new CpuEngine();
context.executor = engine;

/** What the device holds right now. */
export const memory = (): MemoryInfo => engine.memory();

/**
 * Starts recording which line makes each tensor (slow: for finding leaks), or stops with `false`.
 *
 * @example
 * trackMemory();
 * for (const batch of batches) kept.push(model.predict(batch)); // grows
 * console.log(leakReport()); // 12.0 MiB   300×  float32 [1024, 10]  at file.ts:2:33
 */
export const trackMemory = (on = true): void => {
  engine.residents.tracker = on ? new Tracker() : null;
};

/** Tensors made since `trackMemory()` that are still alive, by the line that made them, most bytes first. */
export const leakReport = (): string =>
  engine.residents.tracker?.report() ?? "Nothing was recorded: call trackMemory() first, then run what may leak.";
