import { ChainruleError } from "../base/index.ts";
import type { Place, Plan, ScanKernel, Step } from "../schedule/index.ts";
import type { Heap } from "./heap.ts";

/** A kernel ready to call. */
export interface KernelCode {
  /** `args` points at the table of its arguments' addresses; blocks lo..hi of `blocks` are run. */
  readonly run: (args: number, lo: number, hi: number) => void;
  readonly blocks: number;
  /** Working memory it wants as its last argument; 0: none. */
  readonly scratchBytes: number;
}

interface Call {
  readonly code: KernelCode | null;
  readonly table: number;
  readonly scan: ScanRunner | null;
}

/** Up to a page: see heap. */
const rounded = (bytes: number): number => Math.ceil(bytes / 4096) * 4096;

/** Walks the kernels of one plan. Addresses of inputs, outputs and the arena are bound before a run. */
export class PlanRunner {
  readonly plan: Plan;
  /** Arena and scratch together. */
  readonly roomBytes: number;
  /** Seconds spent in each step since profiling was switched on; null: off. */
  times: Float64Array | null = null;
  private readonly heap: Heap;
  private readonly table: number;
  private readonly calls: Call[] = [];
  /** Table entries of each input, output, and of the arena with their offsets. */
  private readonly inputs: number[][];
  private readonly outputs: number[][];
  private readonly room: { entry: number; offset: number }[] = [];
  private readonly bound: { inputs: Int32Array; outputs: Int32Array; room: number };
  private readonly scans: { runner: ScanRunner; from: number; count: number }[] = [];

  constructor(plan: Plan, codes: ReadonlyMap<Step, KernelCode>, heap: Heap) {
    this.plan = plan;
    this.heap = heap;
    this.inputs = plan.inputs.map(() => []);
    this.outputs = plan.outputs.map(() => []);
    this.bound = {
      inputs: new Int32Array(plan.inputs.length).fill(-1),
      outputs: new Int32Array(plan.outputs.length).fill(-1),
      room: -1,
    };
    const entries = plan.steps.reduce((n, s) => n + s.args.length + 1, 0);
    this.table = heap.alloc(Math.max(4, entries * 4)) / 4;
    let at = this.table;
    let scratch = 0;
    for (const s of plan.steps) {
      const start = at;
      for (const place of s.args) this.note(place, at++);
      const code = codes.get(s) ?? null;
      if (code === null && s.kernel.kind !== "scan")
        throw new ChainruleError(`[runtime] no code for the kernel "${s.name}".`);
      let scan: ScanRunner | null = null;
      if (s.kernel.kind === "scan") {
        scan = new ScanRunner(s.kernel, codes, heap, start);
        scratch = Math.max(scratch, scan.scratchBytes);
      } else if (code !== null && code.scratchBytes > 0) {
        this.room.push({ entry: at++, offset: rounded(plan.arenaBytes) });
        scratch = Math.max(scratch, code.scratchBytes);
      }
      if (scan !== null) {
        this.room.push({ entry: at, offset: rounded(plan.arenaBytes) });
        scan.scratchEntry = at++;
        this.scans.push({ runner: scan, from: start, count: s.args.length });
      }
      this.calls.push({ code, table: start * 4, scan });
    }
    this.roomBytes = rounded(plan.arenaBytes) + scratch;
  }

  private note(place: Place, entry: number): void {
    if (place.at === "arena") this.room.push({ entry, offset: place.offset });
    else (place.at === "input" ? this.inputs : this.outputs)[place.index].push(entry);
  }

  bindInput(index: number, address: number): void {
    if (this.bound.inputs[index] === address) return;
    this.bound.inputs[index] = address;
    for (const e of this.inputs[index]) this.heap.i32[e] = address;
  }

  bindOutput(index: number, address: number): void {
    if (this.bound.outputs[index] === address) return;
    this.bound.outputs[index] = address;
    for (const e of this.outputs[index]) this.heap.i32[e] = address;
  }

  bindRoom(address: number): void {
    if (this.bound.room === address) return;
    this.bound.room = address;
    for (const r of this.room) this.heap.i32[r.entry] = address + r.offset;
  }

  run(): void {
    if (this.times !== null) return this.runTimed(this.times);
    for (const c of this.calls) {
      if (c.scan !== null) c.scan.run();
      else if (c.code !== null) c.code.run(c.table, 0, c.code.blocks);
    }
  }

  private runTimed(times: Float64Array): void {
    this.calls.forEach((c, i) => {
      const t = performance.now();
      if (c.scan !== null) c.scan.run();
      else if (c.code !== null) c.code.run(c.table, 0, c.code.blocks);
      times[i] += (performance.now() - t) / 1e3;
    });
  }

  /** Gives the table back. */
  dispose(): void {
    this.heap.release(this.table * 4);
    for (const s of this.scans) s.runner.dispose();
  }
}

/** Runs the body of a scan once a time step; carries alternate between two places. */
class ScanRunner {
  /** Table entry of the scratch memory; set by the owner. */
  scratchEntry = 0;
  readonly scratchBytes: number;
  private readonly k: ScanKernel;
  private readonly heap: Heap;
  private readonly body: PlanRunner;
  private readonly from: number;

  /** `from`: where in the table its arguments start: carries, xs, constants, final carries, ys, room. */
  constructor(k: ScanKernel, codes: ReadonlyMap<Step, KernelCode>, heap: Heap, from: number) {
    this.k = k;
    this.heap = heap;
    this.from = from;
    this.body = new PlanRunner(k.body, codes, heap);
    this.scratchBytes = this.body.roomBytes + 2 * k.carryBytes.reduce((n, b) => n + rounded(b), 0);
  }

  run(): void {
    const { k, heap, body } = this;
    const arg = (i: number): number => heap.i32[this.from + i];
    const room = heap.i32[this.scratchEntry];
    body.bindRoom(room);
    const places: [number[], number[]] = [[], []];
    let at = room + body.roomBytes;
    for (const side of places) {
      for (const bytes of k.carryBytes) {
        side.push(at);
        at += rounded(bytes);
      }
    }
    const inputs = k.carries + k.xs + k.consts;
    for (let c = 0; c < k.consts; c++) body.bindInput(k.carries + k.xs + c, arg(k.carries + k.xs + c));
    for (let step = 0; step < k.length; step++) {
      const t = k.reverse ? k.length - 1 - step : step;
      for (let c = 0; c < k.carries; c++) {
        body.bindInput(c, step === 0 ? arg(c) : places[step % 2][c]);
        body.bindOutput(c, step === k.length - 1 ? arg(inputs + c) : places[(step + 1) % 2][c]);
      }
      for (let x = 0; x < k.xs; x++) body.bindInput(k.carries + x, arg(k.carries + x) + t * k.xsBytes[x]);
      k.ysBytes.forEach((bytes, y) => body.bindOutput(k.carries + y, arg(inputs + k.carries + y) + t * bytes));
      body.run();
    }
    if (k.length === 0) k.carryBytes.forEach((bytes, c) => heap.u8.copyWithin(arg(inputs + c), arg(c), arg(c) + bytes));
  }

  dispose(): void {
    this.body.dispose();
  }
}
