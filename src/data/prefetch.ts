/** Batches made by workers while the training step runs. */
import { ChainruleError, type DType, ValueError } from "../base/index.ts";
import type { Batch, BatchOptions } from "./samples.ts";

/** Options of `prefetch`. */
export interface PrefetchOptions {
  /** Number of workers; default 1. */
  readonly workers?: number;
  /** Batches made before they are asked for; default two a worker. */
  readonly ahead?: number;
  /** Given to the module's function; must be plain data. */
  readonly argument?: unknown;
}

/** What a worker says of its dataset. */
interface Described {
  readonly length: number;
  readonly xShape: readonly number[];
  readonly xDtype: DType;
  readonly yShape: readonly number[] | null;
  readonly yDtype: DType | null;
}

/** A message channel to one worker. */
export interface WorkerLine {
  post(message: unknown): void;
  stop(): void;
}

/** Node's workers and a browser's, behind one face. */
export type StartWorker = (
  script: string,
  onMessage: (message: unknown) => void,
  onError: (reason: string) => void,
) => WorkerLine;

interface Reply {
  readonly id: number;
  readonly result?: unknown;
  readonly error?: string;
}

/**
 * The script of a worker; `listen` and `answer(message, transfer)` stand before it. A request names a run (one epoch), of which it gives
 * the next batch.
 */
const SCRIPT = `
const runs = new Map();
let data;
const handle = async ({ kind, url, argument, run, batchSize, options }) => {
  if (kind === "open") {
    const made = await import(url);
    if (typeof made.default !== "function") throw new Error("the module has no default export that is a function");
    data = await made.default(argument);
    const { length, xShape, xDtype, yShape, yDtype } = data;
    return { length, xShape, xDtype, yShape, yDtype };
  }
  if (kind === "end") { runs.delete(run); return null; }
  if (!runs.has(run)) runs.set(run, data.batches(batchSize, options)[Symbol.iterator]());
  const { done, value } = runs.get(run).next();
  return done ? null : value;
};
listen(async (message) => {
  try {
    const result = await handle(message);
    const arrays = result === null ? [] : [result.x, result.y, result.sampleWeight];
    answer({ id: message.id, result }, arrays.filter((a) => a?.data).map((a) => a.data.buffer));
  } catch (error) {
    answer({ id: message.id, error: String(error?.stack ?? error) }, []);
  }
});
`;

/**
 * A dataset made and batched in workers, several batches ahead: for `fit`, in place of the dataset. The batches are those of the
 * dataset itself, bit for bit and in order, whatever the number of workers.
 *
 * @param module address of a JavaScript module whose default export is a function that returns a `Dataset` (a promise of one, too);
 * every worker calls it once
 * @throws ChainruleError with what the worker said, when the module or the dataset fails.
 * @example
 * // not run: it needs a module train-data.mjs: export default async () => (await cifar10()).train.mapBatches(augment);
 * const train = await prefetch(new URL("./train-data.mjs", import.meta.url), { workers: 2 });
 * await model.fit(train, { epochs: 10 });
 * train.close();
 */
export async function prefetch(module: string | URL, options: PrefetchOptions = {}): Promise<Prefetched> {
  const { workers = 1, ahead = 2 * workers, argument } = options;
  for (const [what, n] of Object.entries({ workers, ahead })) {
    if (!Number.isInteger(n) || n < 1)
      throw new ValueError(`[prefetch] ${what} must be a whole number ≥ 1, got ${String(n)}.`);
  }
  const inNode = typeof process !== "undefined" && process.versions?.node !== undefined;
  const { startWorker } = await (inNode ? import("./prefetch.node.ts") : import("./prefetch.browser.ts"));
  const crew = Array.from({ length: workers }, () => new Asker(startWorker));
  try {
    const open = { kind: "open", url: String(module), argument };
    const [described] = await Promise.all(crew.map((w) => w.ask(open) as Promise<Described>));
    return new Prefetched(crew, described, ahead);
  } catch (error) {
    for (const w of crew) w.stop();
    throw error;
  }
}

/** Questions to a worker and its answers. */
class Asker {
  private readonly line: WorkerLine;
  private readonly open: Map<number, { resolve: (v: unknown) => void; reject: (e: Error) => void }>;
  private next: number;

  constructor(start: StartWorker) {
    this.open = new Map();
    this.next = 0;
    const fail = (reason: string): void => {
      for (const { reject } of this.open.values()) reject(new ChainruleError(`[prefetch] a worker failed: ${reason}`));
      this.open.clear();
    };
    const take = (message: unknown): void => {
      const { id, result, error } = message as Reply;
      const waiting = this.open.get(id);
      this.open.delete(id);
      if (error === undefined) waiting?.resolve(result);
      else waiting?.reject(new ChainruleError(`[prefetch] a worker failed: ${error}`));
    };
    this.line = start(SCRIPT, take, fail);
  }

  ask(message: object): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const id = this.next++;
      this.open.set(id, { resolve, reject });
      this.line.post({ ...message, id });
    });
  }

  stop(): void {
    this.line.stop();
    for (const { reject } of this.open.values()) reject(new ChainruleError("[prefetch] it was closed meanwhile."));
    this.open.clear();
  }
}

/** A source of batches that workers make; see `prefetch`. */
export class Prefetched {
  /** Samples an epoch. */
  readonly length: number;
  readonly xShape: readonly number[];
  readonly xDtype: DType;
  readonly yShape: readonly number[] | null;
  readonly yDtype: DType | null;
  private readonly crew: readonly Asker[];
  private readonly ahead: number;
  private runs: number;

  constructor(crew: readonly Asker[], { length, xShape, xDtype, yShape, yDtype }: Described, ahead: number) {
    this.crew = crew;
    this.ahead = ahead;
    this.runs = 0;
    this.length = length;
    this.xShape = xShape;
    this.xDtype = xDtype;
    this.yShape = yShape;
    this.yDtype = yDtype;
  }

  /** Batches an epoch: the short last one counts unless dropped. */
  steps(batchSize: number, dropRemainder = false): number {
    if (!Number.isInteger(batchSize) || batchSize < 1)
      throw new ValueError(`[prefetch] batchSize must be a whole number ≥ 1, got ${batchSize}.`);
    return dropRemainder ? Math.floor(this.length / batchSize) : Math.ceil(this.length / batchSize);
  }

  /** The batches of one epoch, as `Dataset.batches` gives them. */
  async *batches(batchSize: number, options: BatchOptions = {}): AsyncGenerator<Batch, void, undefined> {
    const steps = this.steps(batchSize, options.dropRemainder);
    const { start = 0, stride = 1 } = options;
    const run = this.runs++;
    const workers = this.crew.length;
    const count = Math.max(0, Math.ceil((steps - start) / stride));
    // Worker w makes batches w, w + workers … of the run; buffers go to the caller, so that none can be filled again.
    const ask = (i: number): Promise<unknown> => {
      const w = i % workers;
      const own = { ...options, start: start + w * stride, stride: stride * workers, reuse: false };
      const answer = this.crew[w].ask({ kind: "next", run, batchSize, options: own });
      // Whoever awaits it hears of a failure; nobody does when the epoch is given up first.
      answer.catch(() => undefined);
      return answer;
    };
    const coming: Promise<unknown>[] = [];
    try {
      for (let i = 0; i < count; i++) {
        while (coming.length < this.ahead && i + coming.length < count) coming.push(ask(i + coming.length));
        yield (await coming.shift()) as Batch;
      }
    } finally {
      for (const w of this.crew) w.ask({ kind: "end", run }).catch(() => undefined);
    }
  }

  /** Ends the workers. They never keep a process alive. */
  close(): void {
    for (const w of this.crew) w.stop();
  }
}
