import { ValueError } from "../base/index.ts";
import { tapLayers } from "../nn/index.ts";
import type { Tensor } from "../tensor/index.ts";
import { formatTable } from "../viz/index.ts";

/** The units (last axis) of one layer over a batch. */
export interface UnitRow {
  readonly path: string;
  readonly activation: string;
  readonly units: number;
  /** Units that are 0 for every sample. */
  readonly dead: readonly number[];
  /** dead.length / units. */
  readonly deadShare: number;
  /** Share of all values that are 0. */
  readonly zeros: number;
  /** Share of all values near a limit of the activation, where its slope is small; null for activations without limits. */
  readonly saturated: number | null;
  readonly mean: number;
  readonly std: number;
}

/** What `unitMonitor` gives. */
export interface UnitReport {
  readonly rows: readonly UnitRow[];
  /** A table. */
  toString(): string;
}

/** Limits of activations that have some. */
const LIMITS: Readonly<Record<string, readonly [number, number]>> = {
  sigmoid: [0, 1],
  hardSigmoid: [0, 1],
  tanh: [-1, 1],
  softsign: [-1, 1],
};

/** How near to a limit counts, as a share of the distance between both: there a sigmoid's slope is below 1 %. */
const NEAR = 0.01;

function look(path: string, activation: string, out: Tensor): UnitRow {
  const data = out.dataSync();
  const units = out.shape.at(-1) ?? 1;
  const limits = LIMITS[activation] as readonly [number, number] | undefined;
  const alive = new Uint8Array(units);
  let [zeros, near, sum, squares] = [0, 0, 0, 0];
  for (let i = 0; i < data.length; i++) {
    const v = data[i];
    sum += v;
    squares += v * v;
    if (v === 0) zeros++;
    else alive[i % units] = 1;
    if (limits !== undefined) {
      const room = NEAR * (limits[1] - limits[0]);
      if (v < limits[0] + room || v > limits[1] - room) near++;
    }
  }
  const dead = Array.from({ length: units }, (_, u) => u).filter((u) => alive[u] === 0);
  const mean = sum / data.length;
  return {
    path,
    activation,
    units,
    dead,
    deadShare: dead.length / units,
    zeros: zeros / data.length,
    saturated: limits === undefined ? null : near / data.length,
    mean,
    std: Math.sqrt(Math.max(0, squares / data.length - mean * mean)),
  };
}

/**
 * Dead and saturated units of every layer of a network on a batch (S-419): a ReLU that never fires has no gradient, a sigmoid
 * near 0 or 1 hardly one.
 *
 * @param x one batch; the larger, the surer
 * @throws ValueError when no layer was called.
 * @example console.log(String(unitMonitor(net, x)));
 */
export function unitMonitor(net: (x: Tensor) => unknown, x: Tensor): UnitReport {
  const seen: [string, string, Tensor][] = [];
  tapLayers(
    (call) => {
      if (!call.isModel) seen.push([call.path, call.activation, call.outputs[0]]);
    },
    () => net(x),
  );
  if (seen.length === 0)
    throw new ValueError("[unitMonitor] no layer was called: pass a model, or a function that calls layers.");
  const rows = seen.map(([path, activation, out]) => look(path, activation, out));
  const share = (v: number | null): string => (v === null ? "" : `${(100 * v).toFixed(1)} %`);
  const text = formatTable(
    [
      ["layer", "activation", "units", "dead", "zeros", "saturated", "mean", "std"],
      ...rows.map((r) => [
        r.path,
        r.activation,
        r.units,
        `${r.dead.length}`,
        share(r.zeros),
        share(r.saturated),
        r.mean.toPrecision(3),
        r.std.toPrecision(3),
      ]),
    ],
    { header: true, align: ["left", "left", "right", "right", "right", "right", "right", "right"] },
  );
  return { rows, toString: () => text };
}
