// What a profile adds to the runner of a plan; other programs go without its code.
import { OP, PLAN } from "../base/records.ts";
import { allSteps, type Command } from "./commands.ts";
import type { PlanRunner } from "./runner.ts";

/** Has every run note start and end of each kernel, thread by thread. */
export class Clocks {
  /** Number among `allSteps(plan)` of each kernel of a run, in order of the walk. */
  readonly order: Int32Array;
  private readonly runner: PlanRunner;
  private readonly at: number;
  /** All bytes of the readings, and those of one thread. */
  private readonly bytes: number;
  private readonly each: number;

  constructor(runner: PlanRunner) {
    const { plan, commands, record, threads, walker } = runner;
    const { heap } = walker;
    const numbers = new Map(allSteps(plan).map((step, i) => [step, i]));
    this.runner = runner;
    this.order = Int32Array.from(eventsOf(commands.list), (n) => numbers.get(commands.names[n]) as number);
    this.each = Math.ceil(Math.max(1, this.order.length) / 4) * 64;
    this.bytes = this.each * threads;
    this.at = heap.alloc(this.bytes, true);
    heap.putAddress(record + PLAN.times, this.at);
    heap.putNumber(record + PLAN.timesBytes, this.each);
    heap.putNumber(record + PLAN.timed, 1);
  }

  /** Before a run: nobody has noted anything. */
  clear(): void {
    this.runner.walker.heap.u8.fill(0, this.at, this.at + this.bytes);
  }

  /** What the last run noted, by thread: start and end of each of `order` in milliseconds; 0, 0: it had no part in it. */
  stamps(): Float64Array[] {
    const { threads, walker } = this.runner;
    const { scale, zero } = walker.clock();
    return Array.from({ length: threads }, (_, t) => {
      const at = this.at + t * this.each;
      const ticks = new Float64Array(walker.heap.u8.slice(at, at + 16 * this.order.length).buffer);
      return ticks.map((x) => (x === 0 ? 0 : x * scale + zero));
    });
  }

  /** No run notes the clock from here on. */
  dispose(): void {
    const { record, walker } = this.runner;
    walker.heap.putNumber(record + PLAN.timed, 0);
    walker.heap.release(this.at);
    this.runner.clocks = null;
  }
}

/** Name numbers of the kernels of a run, in order, turns counted: what the events of a timed walk belong to. */
export function eventsOf(list: readonly Command[]): number[] {
  const out: number[] = [];
  const walk = (from: number): number => {
    for (let i = from; ; i++) {
      const { op, a, e } = list[i];
      if (op === OP.end || op === OP.next) return i;
      if (op === OP.kernel || op === OP.copy) out.push(e);
      if (op === OP.loop) {
        const start = out.length;
        i = walk(i + 1);
        const turn = out.slice(start);
        for (let t = 1; t < a; t++) for (const name of turn) out.push(name);
      }
    }
  };
  walk(0);
  return out;
}
