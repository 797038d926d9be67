// The threads that walk plans in machine code: this one leads, native threads of our own code serve.
import { POOL, THREAD } from "../base/records.ts";
import type { Speeds } from "./commands.ts";
import { MOST_THREADS } from "./crew.ts";
import type { Heap } from "./heap.ts";
import type { NativeBridge, NativeFn } from "./native.browser.ts";
import type { Failure, Walker } from "./runner.ts";

export class NativeCrew implements Walker {
  readonly heap: Heap;
  always = false;
  readonly speeds: Speeds = { contract: 120e3, loop: 40e3, bytes: 30e3 };
  threads: number;
  trouble = "";
  private readonly native: NativeBridge;
  private readonly thread: number;
  private readonly walkAlone: NativeFn;
  private readonly walkTogether: NativeFn;
  private readonly ticks: NativeFn;
  /** The clock and `performance.now()` at the same moment. */
  private readonly began: { readonly ticks: number; readonly ms: number };
  /** Outside of wasm memory: threads that nobody stops look at it until the process ends. */
  private readonly pool: number;
  private readonly words: Int32Array;
  private started = 1;

  /** `walk`: addresses of the walk's functions; see codegen/walk.ts. */
  constructor(heap: Heap, native: NativeBridge, walk: Readonly<Record<string, number>>, threads: number) {
    this.heap = heap;
    this.native = native;
    this.threads = threads;
    this.thread = walk.thread;
    this.walkAlone = native.fn(walk.alone, ["ptr"], "void");
    this.walkTogether = native.fn(walk.lead, ["ptr", "ptr"], "i32");
    this.ticks = native.fn(walk.ticks, [], "f64");
    this.began = this.both();
    const bytes = POOL.threads + MOST_THREADS * POOL.threadBytes;
    this.pool = native.allocate(bytes);
    this.words = new Int32Array(native.view(this.pool, bytes));
  }

  /** Threads that take part, this one included. */
  get serving(): number {
    return Math.min(this.started, this.threads);
  }

  alone(plan: number): void {
    this.walkAlone(plan + this.heap.base);
  }

  together(plan: number, threads: number): Failure | null {
    while (this.started < threads && this.trouble === "") this.hire(this.started);
    this.walkTogether(this.pool, plan + this.heap.base);
    return null;
  }

  private hire(thread: number): void {
    const record = POOL.threads + thread * POOL.threadBytes;
    const at = (record + THREAD.pool) / 4;
    this.words[at] = this.pool;
    this.words[at + 1] = Math.floor(this.pool / 2 ** 32);
    this.words[(record + THREAD.number) / 4] = thread;
    this.words[POOL.hired / 4] = thread + 1;
    try {
      this.native.startThread(this.thread, this.pool + record);
      this.started++;
    } catch (error) {
      this.trouble = String(error);
      this.threads = this.started;
    }
  }

  clock(): { scale: number; zero: number } {
    const { ticks, ms } = this.both();
    const scale = (ms - this.began.ms) / (ticks - this.began.ticks);
    return { scale, zero: ms - ticks * scale };
  }

  /** Both clocks at the same moment: of several readings the one that took least. */
  private both(): { ticks: number; ms: number } {
    let best = { ticks: 0, ms: 0, took: Infinity };
    for (let i = 0; i < 5; i++) {
      const before = performance.now();
      const ticks = this.ticks();
      const took = performance.now() - before;
      if (took < best.took) best = { ticks, ms: before + took / 2, took };
    }
    return best;
  }

  /** Lets the threads end. */
  dispose(): void {
    Atomics.add(this.words, POOL.mail / 4, 1);
    this.started = 1;
  }
}
