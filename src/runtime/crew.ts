// The threads that walk plans on WebAssembly: this one leads, workers join when they are ready.
import { POOL, THREAD } from "../base/records.ts";
import type { Speeds } from "./commands.ts";
import type { Heap } from "./heap.ts";
import type { Failure, Walker } from "./runner.ts";
import { type Hello, type Letter, type Started, workerScript } from "./worker.ts";

/** What a crew needs of the compiled code; see codegen/wasm/store.ts. */
export interface WasmParts {
  /** Functions of the walk (codegen/walk.ts), and their module. */
  readonly walk: Readonly<Record<string, (...args: number[]) => number | void>>;
  readonly walkModule: WebAssembly.Module;
  /** Modules of kernels that are in use, and how many there have been. */
  readonly sent: ReadonlyMap<number, Letter>;
  readonly serial: number;
  onModule: ((letter: Letter) => void) | null;
}

export type StartWorker = (script: string, onEnd: (reason: string) => void) => Started | null;

/** Threads that one pool has room for. */
export const MOST_THREADS = 64;

export class WasmCrew implements Walker {
  readonly heap: Heap;
  always = false;
  readonly speeds: Speeds = { contract: 50e3, loop: 8e3, bytes: 25e3 };
  /** Why there are no more threads, once it is known. */
  trouble = "";
  private wanted: number;
  private readonly parts: WasmParts;
  private readonly start: StartWorker;
  private readonly pool: number;
  private readonly workers: (Started | null)[] = [];
  private mail = 0;

  constructor(heap: Heap, parts: WasmParts, threads: number, start: StartWorker) {
    this.heap = heap;
    this.parts = parts;
    this.start = start;
    this.wanted = threads;
    const bytes = POOL.threads + MOST_THREADS * POOL.threadBytes;
    this.pool = heap.alloc(bytes, true);
    heap.u8.fill(0, this.pool, this.pool + bytes);
    heap.putNumber(this.pool + POOL.awake, mayWait(heap) ? 0 : 1);
    parts.onModule = (letter) => this.send(letter);
  }

  get threads(): number {
    return this.heap.shared && this.trouble === "" ? this.wanted : 1;
  }

  set threads(n: number) {
    this.wanted = n;
    this.trouble = "";
  }

  clock(): { scale: number; zero: number } {
    return { scale: 1, zero: 0 };
  }

  /** Threads that take part, this one included: workers need some time until they do. */
  get serving(): number {
    let count = 1;
    for (let t = 1; t < this.workers.length && t < this.wanted; t++)
      if (this.workers[t] !== null && this.heap.getNumber(this.recordOf(t) + THREAD.ready) > 0) count++;
    return count;
  }

  alone(plan: number): void {
    this.parts.walk.alone(plan);
  }

  together(plan: number, threads: number): Failure | null {
    this.wake(threads);
    let failed: number;
    let reason = "";
    try {
      failed = this.parts.walk.lead(this.pool, plan) as number;
    } catch (error) {
      // A kernel failed here: the others are told, and leave.
      reason = String(error);
      failed = 1;
      Atomics.store(this.heap.i32, (this.pool + POOL.failed) >> 2, failed);
      this.parts.walk.halt(this.pool);
    }
    if (failed === 0) return null;
    const record = this.recordOf(failed - 1);
    return { at: this.heap.getNumber(record + THREAD.at), reason: reason || this.reasonAt(record) };
  }

  private recordOf(thread: number): number {
    return this.pool + POOL.threads + thread * POOL.threadBytes;
  }

  private reasonAt(record: number): string {
    const units = this.heap.getNumber(record + THREAD.reason);
    const from = record + THREAD.reason + 4;
    return String.fromCharCode(...new Uint16Array(this.heap.u8.slice(from, from + 2 * units).buffer));
  }

  /** Sees to it that `threads` are there or on their way. */
  private wake(threads: number): void {
    const { heap, workers } = this;
    for (let t = 1; t < threads; t++) {
      const worker = workers[t];
      if (worker === undefined) this.hire(t);
      else if (worker !== null) {
        const parked = (this.recordOf(t) + THREAD.parked) >> 2;
        if (Atomics.exchange(heap.i32, parked, 0) === 1) worker.post({});
      }
    }
  }

  private hire(thread: number): void {
    const { heap, parts, pool } = this;
    const record = this.recordOf(thread);
    heap.u8.fill(0, record, record + POOL.threadBytes);
    heap.putNumber(pool + POOL.hired, Math.max(thread + 1, heap.getNumber(pool + POOL.hired)));
    const worker: Started | null = this.start(workerScript, (reason) => {
      if (this.workers[thread] !== worker) return;
      this.trouble ||= `a worker is gone: ${reason}`;
      this.workers[thread] = null;
    });
    this.workers[thread] = worker;
    if (worker === null) {
      this.trouble = "this host has no workers";
      return;
    }
    const hello: Hello = {
      memory: heap.memory,
      walk: parts.walkModule,
      pool,
      thread,
      mail: this.mail,
      letters: [...parts.sent.values()],
      serial: parts.serial,
      origin: performance.timeOrigin,
    };
    worker.post(hello);
  }

  private send(letter: Letter): void {
    const { heap, pool, workers } = this;
    if (workers.length === 0) return;
    this.mail++;
    for (const worker of workers) worker?.post(letter);
    Atomics.store(heap.i32, (pool + POOL.mail) >> 2, this.mail);
    // Who naps has to read.
    Atomics.add(heap.i32, (pool + POOL.bell) >> 2, 1);
    Atomics.notify(heap.i32, (pool + POOL.bell) >> 2);
  }

  /** Lets the workers go; a later run would start them again. */
  dispose(): void {
    const workers = this.workers.splice(0);
    for (const worker of workers) worker?.stop();
  }
}

/** False on the main thread of a browser's page, which must not sleep. */
function mayWait(heap: Heap): boolean {
  try {
    Atomics.wait(heap.i32, 0, heap.i32[0] + 1, 0);
    return true;
  } catch {
    return false;
  }
}
