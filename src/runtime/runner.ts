// Runs one plan: its commands and argument tables in memory, bound to addresses before each run.
import { ChainruleError } from "../base/index.ts";
import { COMMAND, OP, PATCH, PLAN } from "../base/records.ts";
import type { Plan, Step } from "../schedule/index.ts";
import type { Clocks } from "./clocks.ts";
import { Commands, type KernelCode, type Speeds, textOf } from "./commands.ts";
import type { Heap } from "./heap.ts";
import { Pace } from "./pace.ts";

/** What walks plans. */
export interface Walker {
  readonly heap: Heap;
  readonly speeds: Speeds;
  /** Threads among which large plans are divided, this one included. */
  readonly threads: number;
  /** Threads that take part now, this one included. */
  readonly serving: number;
  /** Divides plans even where it does not pay: for tests. */
  readonly always: boolean;
  /** How the walk's clock reads in milliseconds of `performance.now()`: ticks · scale + zero. */
  clock(): { readonly scale: number; readonly zero: number };
  /** Walks a plan on this thread. */
  alone(plan: number): void;
  /** Walks a plan with all threads that are ready; `needs`: what they must have received. Gives the thread that failed. */
  together(plan: number, threads: number): Failure | null;
}

/** A kernel that failed: its name number, and what was said. */
export interface Failure {
  readonly at: number;
  readonly reason: string;
}

/** Writes neighbouring cells of a record. */
const putNumbers = (heap: Heap, at: number, ...cells: number[]): void =>
  cells.forEach((x, i) => heap.putNumber(at + 8 * i, x));

const up = (x: number, to = 64): number => Math.ceil(x / to) * to;

/** Walks the kernels of one plan. Addresses of inputs, outputs and the room are bound before a run. */
export class PlanRunner {
  readonly plan: Plan;
  /** Arena and scratch memory of all threads. */
  readonly roomBytes: number;
  /** Threads that the plan is divided among: 1 when it is not worth more. */
  readonly threads: number;
  readonly walker: Walker;
  readonly commands: Commands;
  /** Address of the plan's record; commands, patches and tables follow. */
  readonly record: number;
  private readonly tables: number;
  private readonly tableBytes: number;
  private counters = 0;
  /** Notes the clock in every run while it is there. */
  clocks: Clocks | null = null;
  private readonly pace: Pace = new Pace();
  private readonly bound: { inputs: Float64Array; outputs: Float64Array; room: number };

  constructor(plan: Plan, codes: ReadonlyMap<Step, KernelCode>, walker: Walker) {
    const { heap } = walker;
    this.plan = plan;
    this.walker = walker;
    const c = new Commands(plan, codes, { threads: walker.threads, speeds: walker.speeds, ptrBytes: heap.ptrBytes });
    this.commands = c;
    this.threads = c.threads;
    this.roomBytes = c.roomBytes + c.threads * c.scratchBytes;
    this.bound = {
      inputs: new Float64Array(plan.inputs.length).fill(-1),
      outputs: new Float64Array(plan.outputs.length).fill(-1),
      room: -1,
    };
    const patches = c.list.reduce((n, x) => n + (x.patches?.length ?? 0), 0);
    this.tableBytes = up(c.entries * heap.ptrBytes);
    const commandsAt = PLAN.bytes;
    const patchesAt = commandsAt + c.list.length * COMMAND.bytes;
    const tablesAt = patchesAt + patches * PATCH.bytes;
    this.record = heap.alloc(tablesAt + c.threads * this.tableBytes, true);
    this.tables = this.record + tablesAt;
    heap.u8.fill(0, this.record, this.tables);
    this.writePlan();
    this.writeCommands(this.record + commandsAt, this.record + patchesAt);
  }

  // ---- what lies in memory ----

  private writePlan(): void {
    const { record, commands: c } = this;
    const { heap } = this.walker;
    heap.putAddress(record + PLAN.commands, record + PLAN.bytes);
    heap.putAddress(record + PLAN.tables, this.tables);
    heap.putNumber(record + PLAN.tableBytes, this.tableBytes);
    heap.putNumber(record + PLAN.threads, c.threads);
    heap.putNumber(record + PLAN.needs, Math.min(c.needs, 2 ** 31 - 1));
    if (c.threads === 1) return;
    const takenBytes = up(c.slots * 4);
    const bytes = takenBytes * c.threads + up(c.barriers * 4);
    this.counters = heap.alloc(bytes, true);
    heap.putAddress(record + PLAN.taken, this.counters);
    heap.putNumber(record + PLAN.takenBytes, takenBytes);
    heap.putAddress(record + PLAN.done, this.counters + takenBytes * c.threads);
    heap.putNumber(record + PLAN.counterBytes, bytes);
  }

  private writeCommands(at: number, patches: number): void {
    const { heap } = this.walker;
    let patch = patches;
    this.commands.list.forEach((x, i) => {
      const to = at + i * COMMAND.bytes;
      heap.putNumber(to + COMMAND.op, x.op);
      if (x.op === OP.kernel) heap.putPointer(to + COMMAND.a, x.a);
      else heap.putNumber(to + COMMAND.a, x.a);
      putNumbers(heap, to + COMMAND.b, x.b, x.c, x.d, x.e);
      if (x.patches === undefined) return;
      heap.putAddress(to + COMMAND.c, patch);
      heap.putNumber(to + COMMAND.d, x.patches.length);
      for (const p of x.patches) {
        heap.putNumber(patch + PATCH.kind, p.patch.kind);
        heap.putNumber(patch + PATCH.to, p.to * heap.ptrBytes);
        putNumbers(heap, patch + PATCH.a, p.patch.a, p.patch.b, p.patch.c);
        patch += PATCH.bytes;
      }
    });
  }

  /** Writes an address into an entry of every thread's table. */
  private put(entry: number, address: number): void {
    const { heap } = this.walker;
    for (let t = 0; t < this.threads; t++)
      heap.putAddress(this.tables + t * this.tableBytes + entry * heap.ptrBytes, address);
  }

  bindInput(index: number, address: number): void {
    if (this.bound.inputs[index] === address) return;
    this.bound.inputs[index] = address;
    for (const e of this.commands.inputs[index]) this.put(e, address);
  }

  bindOutput(index: number, address: number): void {
    if (this.bound.outputs[index] === address) return;
    this.bound.outputs[index] = address;
    for (const e of this.commands.outputs[index]) this.put(e, address);
  }

  bindRoom(address: number): void {
    if (this.bound.room === address) return;
    this.bound.room = address;
    const { commands: c, walker, tables, tableBytes } = this;
    for (const r of c.room) this.put(r.entry, address + r.offset);
    const { heap } = walker;
    for (let t = 0; t < this.threads; t++)
      for (const e of c.scratch)
        heap.putAddress(tables + t * tableBytes + e * heap.ptrBytes, address + c.roomBytes + t * c.scratchBytes);
  }

  // ---- running ----

  run(): void {
    if (this.commands.list.length === 1) return;
    this.clocks?.clear();
    const failure = this.threads === 1 ? this.runAlone() : this.runQuicker();
    if (failure !== null) {
      const step = this.commands.names[failure.at];
      throw new ChainruleError(
        `The kernel "${step === undefined ? "unknown" : textOf(step)}" failed: ${failure.reason}. What this run wrote is not to be trusted.`,
      );
    }
  }

  /** On all threads, or on this one where that is quicker. */
  private runQuicker(): Failure | null {
    const { walker, pace } = this;
    const ready = walker.serving >= this.threads && !walker.always;
    const divided = pace.divides(ready);
    const start = performance.now();
    const failure = divided ? walker.together(this.record, this.threads) : this.runAlone();
    pace.note(divided, ready, performance.now() - start);
    return failure;
  }

  private runAlone(): Failure | null {
    try {
      this.walker.alone(this.record);
      return null;
    } catch (error) {
      return { at: this.walker.heap.getNumber(this.record + PLAN.at), reason: String(error) };
    }
  }

  /** Gives the memory back. */
  dispose(): void {
    const { heap } = this.walker;
    this.clocks?.dispose();
    heap.release(this.record);
    if (this.counters > 0) heap.release(this.counters);
  }
}
