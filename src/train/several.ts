/** Several inputs and outputs: what networks made by `model()` add to `compile`, `fit`, `evaluate` and `predict`. */
import { hostArray, sizeOf, ValueError } from "../base/index.ts";
import type { Batch } from "../data/index.ts";
import { meanMetric, type Metric, type MetricLike, metricOf } from "../metrics/index.ts";
import { type Loss, type LossLike, lossOf, reduceLoss } from "../nn/losses.ts";
import type { HostArray, ModelBase } from "../nn/model.ts";
import type { Symbolic } from "../nn/symbolic.ts";
import { compiled, tensor, type Tensor } from "../tensor/index.ts";
import type { FitOptions } from "./fit.ts";
import { type ArrayLikeInput, type BatchSource, checkClasses, hostOf, sourceOf, type TrainingData } from "./inputs.ts";
import type { PassOptions } from "./model.ts";

/** One thing for each input or output, in their order or by name. */
export type Each<T> = readonly T[] | Readonly<Record<string, T>>;

/** What `compile` takes for a network of several outputs. */
interface SeveralOptions {
  readonly loss: Each<LossLike> | LossLike;
  readonly lossWeights?: Each<number>;
  readonly metrics?: Each<readonly MetricLike[]> | readonly MetricLike[];
}

/** A metric of one output. */
export interface OutputMetric extends Metric {
  readonly output: number;
}

/** The loss of several outputs, and the name of each part. */
export interface SeveralLoss extends Loss {
  readonly parts: readonly string[];
}

/** What a network of several inputs or outputs does in its own way. */
export interface Several {
  compile(options: SeveralOptions): { loss: Loss; metrics: readonly Metric[] };
  source(data: TrainingData, sampleWeight?: ArrayLikeInput): BatchSource;
  /** The arguments of `fit` with sources in the place of data. */
  fit(data: TrainingData, options: FitOptions): [data: BatchSource, options: FitOptions];
  predict(x: unknown, options: PassOptions): Tensor | Tensor[];
}

const isArrayLike = (x: unknown): boolean =>
  ArrayBuffer.isView(x) || typeof x === "number" || (typeof x === "object" && x !== null && "shape" in x);

/** Samples of several columns, each batch a list of arrays. */
class Joined implements BatchSource {
  private readonly columns: readonly BatchSource[];
  private readonly inputs: number;
  private readonly outputs: number;
  readonly length: number;
  readonly xShape: readonly number[];
  readonly xDtype: BatchSource["xDtype"];

  constructor(columns: readonly BatchSource[], inputs: number, outputs: number) {
    this.columns = columns;
    this.inputs = inputs;
    this.outputs = outputs;
    [this.length, this.xShape, this.xDtype] = [columns[0].length, columns[0].xShape, columns[0].xDtype];
  }

  steps(batchSize: number): number {
    return this.columns[0].steps(batchSize);
  }

  /** The columns are shuffled by one seed and epoch, so that rows stay together. */
  async *batches(batchSize: number, options: Parameters<BatchSource["batches"]>[1]): AsyncGenerator<Batch> {
    const all = this.columns
      .map((c) => c.batches(batchSize, options) as Iterable<Batch>)
      .map((c) => c[Symbol.iterator]());
    for (;;) {
      const row = all.map((c) => c.next());
      if (row[0].done === true) return;
      const batches = row.map((r) => r.value as Batch);
      const pick = (from: number, n: number): HostArray => {
        const list = batches.slice(from, from + n).map((b) => b.x);
        return (n === 1 ? list[0] : list) as HostArray;
      };
      yield {
        ...batches[0],
        x: pick(0, this.inputs),
        y: this.outputs === 0 ? null : pick(this.inputs, this.outputs),
      };
    }
  }
}

/** The ways of a network between these inputs and outputs. */
export function severalOf(net: ModelBase, inputs: readonly Symbolic[], outputs: readonly Symbolic[]): Several {
  /** Which outputs have class numbers as targets. */
  let sparse: readonly boolean[] = [];
  let several: ((xs: Tensor[]) => Tensor[]) | null = null;
  const outputNames = (): string[] => outputs.map((s, i) => s.call?.layer.name ?? `output_${i}`);
  const inputNames = (): string[] => inputs.map((s, i) => (s.name === "" ? `input_${i}` : s.name));
  /** One for each name, from a list or a record. */
  const spread = <T>(given: Each<T>, names: readonly string[], method: string, what: string): T[] => {
    const list = Array.isArray(given)
      ? (given as readonly T[])
      : names.map((n) => (given as Readonly<Record<string, T>>)[n]);
    const strange = Array.isArray(given) ? [] : Object.keys(given).filter((k) => !names.includes(k));
    if (list.length === names.length && !list.includes(undefined as T) && strange.length === 0) return [...list];
    throw new ValueError(
      `[${method}] ${what} must be one for each of ${names.join(", ")}, in this order or by name, got ${
        Array.isArray(given) ? `${list.length} of them` : Object.keys(given).join(", ") || "none"
      }.`,
    );
  };
  const columnsOf = (given: unknown, names: readonly string[], what: string): ArrayLikeInput[] => {
    if (names.length === 1 && (isArrayLike(given) || (Array.isArray(given) && !given.every(isArrayLike))))
      return [given as ArrayLikeInput];
    if (isArrayLike(given)) return spread([given as ArrayLikeInput], names, "fit", what);
    return spread(given as Each<ArrayLikeInput>, names, "fit", what);
  };
  return {
    compile({ loss, lossWeights, metrics = [] }) {
      const names = outputNames();
      if (names.length === 1 && (typeof loss === "string" || typeof loss === "function")) {
        const only = lossOf(loss);
        sparse = [only.sparse];
        return { loss: only, metrics: (metrics as readonly MetricLike[]).map(metricOf) };
      }
      const given = typeof loss === "string" || typeof loss === "function" ? names.map(() => loss) : loss;
      const losses = spread<LossLike>(given as Each<LossLike>, names, "compile", "loss").map((l) => lossOf(l));
      const weights =
        lossWeights === undefined
          ? names.map(() => 1)
          : spread(
              Array.isArray(lossWeights)
                ? lossWeights
                : { ...Object.fromEntries(names.map((n) => [n, 1])), ...lossWeights },
              names,
              "compile",
              "lossWeights",
            );
      const call = (p: Tensor, y: Tensor, w?: Tensor | null): Tensor => {
        const [ps, ys] = [p, y] as unknown as [Tensor[], Tensor[]];
        return losses
          .map((l, i) => {
            const value = l(ps[i], ys[i], w);
            return (value.rank === 0 ? value : reduceLoss(value, w)).mul(weights[i]);
          })
          .reduce((a, b) => a.add(b));
      };
      sparse = losses.map((l) => l.sparse);
      const total: SeveralLoss = Object.assign(call, {
        perSample: (p: Tensor, y: Tensor) => call(p, y),
        loss: "several",
        sparse: false,
        parts: losses.map((l) => l.loss),
      });
      const of = (m: Metric, output: number): OutputMetric => ({
        name: `${names[output]}_${m.name}`,
        output,
        batch: (p, y, at) => m.batch((p as unknown as Tensor[])[output], (y as unknown as Tensor[])[output], at),
        result: (sums) => m.result(sums),
      });
      const flat = Array.isArray(metrics) && !metrics.some(Array.isArray);
      const wanted = flat
        ? names.map(() => metrics as readonly MetricLike[])
        : Array.isArray(metrics)
          ? spread(metrics as readonly (readonly MetricLike[])[], names, "compile", "metrics")
          : names.map((n) => (metrics as Readonly<Record<string, readonly MetricLike[]>>)[n] ?? []);
      return {
        loss: total,
        metrics: names.flatMap((_, k) => [
          of(
            meanMetric("loss", (p, y, at) => losses[k].perSample(p, y, !at.activated)),
            k,
          ),
          ...wanted[k].map((m) => of(metricOf(m), k)),
        ]),
      };
    },
    source(data, sampleWeight) {
      if ("batches" in data) return data;
      const pair = Array.isArray(data)
        ? { x: data[0] as unknown, y: data[1] as unknown }
        : (data as { x: unknown; y?: unknown; sampleWeight?: ArrayLikeInput });
      const x = columnsOf(pair.x, inputNames(), "x");
      const y = pair.y === undefined ? [] : columnsOf(pair.y, outputNames(), "y");
      const weight = sampleWeight ?? (pair as { sampleWeight?: ArrayLikeInput }).sampleWeight;
      const columns = [...x, ...y].map((c, i) => sourceOf({ x: c }, i === 0 ? weight : undefined));
      const odd = columns.find((c) => c.length !== columns[0].length);
      if (odd !== undefined)
        throw new ValueError(
          `[fit] inputs and outputs need one number of samples: they have ${columns.map((c) => c.length).join(", ")}.`,
        );
      y.forEach((c, i) => {
        const classes = outputs[i].shape.at(-1);
        if (sparse[i] && classes) checkClasses(sourceOf({ x: c, y: c }), classes);
      });
      return new Joined(columns, x.length, y.length);
    },
    fit(data, { validationData, sampleWeight, ...rest }) {
      const validation = validationData === undefined ? {} : { validationData: this.source(validationData) };
      return [this.source(data, sampleWeight), { ...rest, ...validation }];
    },
    predict(x, { batchSize = 32, onEvent }) {
      const columns = columnsOf(x, inputNames(), "x").map((c) => hostOf(c, "x"));
      const run = (several ??= compiled((xs: Tensor[]): Tensor[] => {
        const out = net(xs.length === 1 ? xs[0] : xs, { training: false }) as Tensor | Tensor[];
        return Array.isArray(out) ? out : [out];
      }));
      const n = columns[0].shape[0];
      const made: { data: ReturnType<typeof hostArray>; shape: number[] }[] = [];
      for (let from = 0; from < n; from += batchSize) {
        const size = Math.min(batchSize, n - from);
        const xs = columns.map(({ data, shape, dtype }) => {
          const row = sizeOf(shape.slice(1));
          return tensor(data.slice(from * row, (from + size) * row), { shape: [size, ...shape.slice(1)], dtype });
        });
        run(xs).forEach((out, k) => {
          const width = out.size / size;
          made[k] ??= { data: hostArray(out.dtype, n * width), shape: [n, ...out.shape.slice(1)] };
          made[k].data.set(out.dataSync(), from * width);
          out.dispose();
        });
        onEvent?.({ type: "passBatchEnd", seen: from + size, samples: n, metrics: {} });
      }
      const results = made.map(({ data, shape }) => tensor(data, { shape }));
      return outputs.length === 1 ? results[0] : results;
    },
  };
}
