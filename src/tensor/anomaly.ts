import {
  callerLine,
  ChainruleError,
  isFloat,
  showShape,
  type Tree,
  flattenTree,
  type TypedArray,
  unravelIndex,
} from "../base/index.ts";
import { context, withContext } from "../base/context.ts";
import { type Node, topoOrder } from "../ir/index.ts";
import { fromValue } from "./apply.ts";
import { mapLeaves } from "./compiled.ts";
import type { LooseAll } from "./convert.ts";
import type { Value } from "./executor.ts";
import { Tensor } from "./tensor.ts";
import { close, currentTrace, record, runRecorded } from "./trace.ts";
import { Variable } from "./variable.ts";

/** Options of `detectAnomaly`. */
export interface AnomalyOptions {
  /** Infinities count as well. Default: false, because masks use them. */
  readonly infinities?: boolean;
}

/** Where a node was made: layers outermost first, and the user's line. */
interface Place {
  readonly layers: string;
  readonly line: string;
}

/** Index of the first element that counts, or -1. */
function firstOdd(data: TypedArray, infinities: boolean): number {
  for (let i = 0; i < data.length; i++) {
    if (Number.isNaN(data[i]) || (infinities && !Number.isFinite(data[i]))) return i;
  }
  return -1;
}

/**
 * The function, run slowly so that the operation which first makes a NaN is named: every intermediate value is kept and looked
 * at, those of gradients too. Without a NaN it gives the same as before and assigns the same variables; with one it throws and
 * assigns nothing. For finding the cause, not for training: memory holds all values of a step.
 *
 * @throws ChainruleError with the operation, its layer, the line that called it, the element and what went into it.
 * @example
 * const step = detectAnomaly((x: Tensor) => x.log().sum());
 * step([1, 2]).item(); // → 0.69315
 * // step([1, -1]) throws: [detectAnomaly] log made a NaN: element [1] of float32 [2], from -1 …
 */
export function detectAnomaly<R>(
  fn: (...args: Tensor[]) => R,
  options?: AnomalyOptions,
): (...args: LooseAll<Tensor[]>) => R;
export function detectAnomaly<A extends readonly unknown[], R>(
  fn: (...args: A) => R,
  options?: AnomalyOptions,
): (...args: A) => R;
export function detectAnomaly<R>(fn: (...args: never[]) => R, options: AnomalyOptions = {}): (...args: never[]) => R {
  const run = fn as unknown as (...args: unknown[]) => R;
  return (...args: unknown[]): R => {
    if (currentTrace() !== null) return run(...args);
    const places = new Map<Node, Place>();
    const born = (node: unknown): void =>
      void places.set(node as Node, { layers: context.scope.join("/"), line: callerLine() });
    const { trace, result } = withContext({ born }, () =>
      record(() =>
        flattenTree(
          run(...args.map((a) => mapLeaves(a, (t) => t))) as Tree<Tensor>,
          (x): x is Tensor => x instanceof Tensor,
        ),
      ),
    );
    const assigned = [...trace.assigned];
    // What is assigned is written here, after all has been looked at.
    trace.assigned.clear();
    const results = [...result.leaves.map((t) => t.node), ...assigned.map(([, node]) => node)];
    const watched = topoOrder(results).filter((n) => isFloat(n.dtype) && n.op !== "scan");
    const values = runRecorded(close(trace, [...results, ...watched]));
    const host = new Map(watched.map((n, i) => [n, values[results.length + i]]));
    const names = new Map<Node, string>();
    for (const [leaf, source] of trace.captured) if (source instanceof Variable) names.set(leaf, source.name);
    lookThrough(watched, host, places, names, options.infinities ?? false);
    assigned.forEach(([variable], i) => variable.value.write(values[result.leaves.length + i].read()));
    return result.def.unflatten(result.leaves.map((t, i) => fromValue(values[i], t.dtype))) as R;
  };
}

/** Throws for the first node that holds what none of its sources does. */
function lookThrough(
  watched: readonly Node[],
  host: ReadonlyMap<Node, Value>,
  places: ReadonlyMap<Node, Place>,
  names: ReadonlyMap<Node, string>,
  infinities: boolean,
): void {
  for (const node of watched) {
    const data = (host.get(node) as Value).read();
    const at = firstOdd(data, infinities);
    if (at < 0) continue;
    const type = `${node.dtype} ${showShape(node.shape)}`;
    const element = `element ${showShape(unravelIndex(at, node.shape))} of ${type}`;
    const what = Number.isNaN(data[at]) ? "a NaN" : "an infinity";
    if (node.op === "leaf") {
      const name = names.get(node);
      const which = name === undefined ? "an input" : name === "" ? "a variable" : `variable "${name}"`;
      throw new ChainruleError(
        `[detectAnomaly] ${which} already holds ${what}: ${element}. Clean the data, or look at the step before.`,
      );
    }
    const from = node.srcs.map((s) => {
      const value = host.get(s)?.read();
      const same = s.shape.length === node.shape.length && s.shape.every((d, i) => d === node.shape[i]);
      return value !== undefined && same ? String(value[at]) : `${s.dtype} ${showShape(s.shape)}`;
    });
    const place = places.get(node);
    const layer = place === undefined || place.layers === "" ? "" : ` in layer ${place.layers}`;
    const op = node.op === "get" ? "scan" : node.op;
    throw new ChainruleError(
      `[detectAnomaly] ${op}${layer} made ${what}: ${element}, from ${from.join(" and ")}${place === undefined ? "" : ` (${place.line})`}.`,
    );
  }
}
