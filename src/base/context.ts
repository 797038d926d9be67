import type { Key } from "./random.ts";
import { foldKey, keyOfSeed } from "./random.ts";

/**
 * The only mutable module state of the product: the trace in progress, the default random key, and what `engine.ts` and
 * `autodiff` inject. Everything here is per thread.
 */
interface Context {
  /** Interned nodes of the trace in progress; null when operations run at once. */
  nodes: Map<string, unknown> | null;
  nextId: number;
  /** The trace in progress (see tensor/trace.ts), innermost; null outside. */
  trace: unknown;
  /** Runs graphs; injected by engine.ts. */
  executor: unknown;
  /** The default random stream: every eager draw takes the next child of `key`. */
  key: Key;
  draws: number;
  /** Train or evaluate: what dropout and batch normalisation look at. */
  training: boolean;
  /** Names of the layers being called, outermost first: what errors and profiles show. */
  readonly scope: string[];
  /** Sees every node that is made; set by tensor/anomaly.ts, null otherwise. */
  born: ((node: unknown) => void) | null;
  /** Sees every call of a layer and may put another result in its place; set by nn/tap.ts, null otherwise. */
  tap: ((layer: unknown, inputs: readonly unknown[], output: unknown) => unknown) | null;
  /** The random stream of chainrule/numpy, once it is used. */
  numpy?: unknown;
}

/** All state of the product; see `withContext`. */
export const context: Context = {
  nodes: null,
  nextId: 1,
  trace: null,
  executor: null,
  key: keyOfSeed(0),
  draws: 0,
  training: false,
  scope: [],
  born: null,
  tap: null,
};

export const nextId = (): number => context.nextId++;

/** Sets the seed of the default random stream: the same program then draws the same numbers. */
export function setSeed(seed: number): void {
  context.key = keyOfSeed(seed);
  context.draws = 0;
}

/** The next key of the default random stream. */
export const nextKey = (): Key => foldKey(context.key, context.draws++);

/** Runs `f` with fields of the context changed, and puts them back whatever happens. */
export function withContext<T>(change: Partial<Omit<Context, "scope">>, f: () => T): T {
  const before: Partial<Context> = {};
  for (const k of Object.keys(change) as (keyof typeof change)[]) Object.assign(before, { [k]: context[k] });
  Object.assign(context, change);
  try {
    return f();
  } finally {
    Object.assign(context, before);
  }
}
