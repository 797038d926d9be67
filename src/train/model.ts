import { ValueError } from "../base/index.ts";
import { metricOf, type MetricLike } from "../metrics/index.ts";
import { baseFromConfig, type ConfigOptions } from "../nn/config.ts";
import { attach, type LayerLike } from "../nn/layer.ts";
import { type LossLike, lossOf } from "../nn/losses.ts";
import { makeModel, makeSequential, type ModelBase, type ModelConfig, type SequentialOptions } from "../nn/model.ts";
import type { Symbolic } from "../nn/symbolic.ts";
import type { Optimizer } from "../optim/index.ts";
import type { Tensor } from "../tensor/index.ts";
import type { History, PassEvent } from "./events.ts";
import { type Compilation, evaluate, type FitOptions, prepare, Run } from "./fit.ts";
import { type ArrayLikeInput, type SeveralData, sourceOf, type TrainingData } from "./inputs.ts";
import { makePredictor } from "./predict.ts";
import { type Each, type Several, severalOf } from "./several.ts";
import { applyState, captureState, randomNow, type TrainingState } from "./state.ts";
import { makeSteps } from "./step.ts";

/** What a network is trained by: options of `model.compile`. */
export interface CompileOptions {
  readonly optimizer: Optimizer;
  /**
   * A name ("mse", "sparseCategoricalCrossentropy" …), a loss, or a function of prediction and target. A cross-entropy by name goes
   * by the model's last activation: after softmax or sigmoid it computes from the logits behind them, which is exact; any other
   * output counts as logits. So `dense(10)` and `dense(10, { activation: "softmax" })` train alike. To override:
   * `sparseCategoricalCrossentropy({ fromLogits: false })`.
   */
  readonly loss: LossLike | Each<LossLike>;
  /** With several outputs: what each loss counts; default 1. */
  readonly lossWeights?: Each<number>;
  /** Names ("accuracy" …) or metrics; with several outputs a list for each, in their order or by name; default none. */
  readonly metrics?: readonly MetricLike[] | Each<readonly MetricLike[]>;
}

/** Options of `evaluate` and `predict`. */
export interface PassOptions {
  /** Default 32. */
  readonly batchSize?: number;
  /** Told after each batch; `passProgress()` draws it. */
  readonly onEvent?: (event: PassEvent) => void;
}

/** A network with the methods that train and use it, as in Keras. */
export interface Model<Out = Tensor> extends ModelBase<Out> {
  /** Sets what `fit` minimises and how; compiling again starts with a fresh step. */
  compile(options: CompileOptions): void;
  /** Internal: what single steps reach; null before `compile`. */
  readonly compilation: Compilation | null;
  /** The optimizer of `compile`; null before. */
  readonly optimizer: Optimizer | null;
  /**
   * Trains; the variables change in place. Data: a `Dataset`, `{ x, y }`, `[x, y]`, or a source of batches.
   *
   * @example
   * await model.fit(train, { epochs: 3, batchSize: 128, validationData: test });
   */
  fit(data: TrainingData, options?: FitOptions): Promise<History>;
  /** Mean loss and metrics over data, in evaluation mode. */
  evaluate(
    data: TrainingData,
    options?: PassOptions & { readonly sampleWeight?: ArrayLikeInput },
  ): Promise<Record<string, number>>;
  /** Outputs for samples [n, ...], computed in batches (default 32), in evaluation mode. Needs no `compile`. */
  predict(x: ArrayLikeInput | SeveralData["x"], options?: PassOptions): Promise<Out extends Tensor ? Tensor : Tensor[]>;
  /** Set to true, in a callback say, to end `fit` after the step in progress; `fit` begins by setting it to false. */
  stopTraining: boolean;
  /** Everything needed to go on training bit for bit: of the run in progress, or of the last one. */
  trainingState(): TrainingState;
  /** Weights, optimizer and random stream of a state. To go on with the run itself pass it to `fit({ resume })`. */
  restoreTrainingState(state: TrainingState): void;
}

/** Adds training to a network. */
function trainable<Out>(base: ModelBase<Out>, several: Several | null = null): Model<Out> {
  const net = base as unknown as ModelBase;
  let compilation: Compilation | null = null;
  let run: Run | null = null;
  const predictor = makePredictor(net);
  const need = (method: string): Compilation => {
    if (compilation === null)
      throw new ValueError(`[${method}] model "${net.name}" is not compiled: call compile({ optimizer, loss }) first.`);
    return compilation;
  };
  attach(base, {
    get compilation(): Compilation | null {
      return compilation;
    },
    get optimizer(): Optimizer | null {
      return compilation?.optimizer ?? null;
    },
    get stopTraining(): boolean {
      return run?.isStopped ?? false;
    },
    set stopTraining(on: boolean) {
      if (on) run?.stop();
    },
    compile({ optimizer, loss, lossWeights, metrics = [] }: CompileOptions = {} as CompileOptions): void {
      if (typeof (optimizer as Partial<Optimizer> | null | undefined)?.update !== "function") {
        throw new ValueError(
          `[compile] optimizer must be an optimizer such as adam(1e-3), got ${typeof optimizer === "function" ? "a function: call it" : JSON.stringify(optimizer)}.`,
        );
      }
      const parts = several?.compile({ loss, lossWeights, metrics }) ?? {
        loss: lossOf(loss as LossLike),
        metrics: ([metrics].flat() as readonly MetricLike[]).map(metricOf),
      };
      compilation = {
        model: net,
        optimizer,
        ...parts,
        steps: makeSteps(net, optimizer, parts.loss, parts.metrics),
      };
      run = null;
    },
    async fit(data: TrainingData, options: FitOptions = {}): Promise<History> {
      run = new Run(need("fit"), ...(several?.fit(data, options) ?? ([data, options] as const)));
      return run.fit();
    },
    async evaluate(
      data: TrainingData,
      options: PassOptions & { sampleWeight?: ArrayLikeInput } = {},
    ): Promise<Record<string, number>> {
      const at = need("evaluate");
      const source = several?.source(data, options.sampleWeight) ?? sourceOf(data, options.sampleWeight);
      prepare(at, source);
      return evaluate(at, source, options.batchSize ?? 32, "", options.onEvent);
    },
    predict: async (x: ArrayLikeInput, options: PassOptions = {}): Promise<Tensor> =>
      (several?.predict(x, options) ?? predictor(x, options)) as Tensor,
    trainingState(): TrainingState {
      if (run !== null) return run.state();
      const { optimizer } = need("trainingState");
      return captureState(net, optimizer, {
        position: { epoch: 0, batch: 0, step: optimizer.iterations },
        batchSize: 32,
        shuffle: true,
        seed: 0,
        random: randomNow(),
        running: { loss: 0, samples: 0, metrics: [] },
        history: { epoch: [], history: {} },
      });
    },
    restoreTrainingState(state: TrainingState): void {
      applyState(net, need("restoreTrainingState").optimizer, state);
    },
  });
  return base as Model<Out>;
}

/** A network whose layers stand one after the other. */
export interface Sequential extends Model {
  /** Puts a layer at the end (Keras: add). Throws ValueError once the variables are made: by data, `build` or `inputShape`. */
  add(layer: LayerLike): void;
}

/**
 * Layers one after the other (Keras: Sequential; S-432), all at once or by `add`. Plain functions such as `relu` are layers too.
 *
 * @example
 * const net = sequential([flatten(), dense(32), relu, dense(10)]);
 */
export const sequential = (layers: readonly LayerLike[] = [], options: SequentialOptions = {}): Sequential =>
  trainable<Tensor>(makeSequential(layers, options)) as Sequential;

/**
 * A network from a graph of layer calls on `input()` (Keras: the functional API; S-433).
 *
 * @example
 * const x = input([8]);
 * const h = dense(8, { activation: "relu" })(x);
 * const net = model(x, dense(1)(add()([x, h])));
 */
export function model(inputs: Symbolic | readonly Symbolic[], outputs: Symbolic, options?: ModelOptions): Model;
export function model(
  inputs: Symbolic | readonly Symbolic[],
  outputs: readonly Symbolic[],
  options?: ModelOptions,
): Model<Tensor[]>;
export function model(
  inputs: Symbolic | readonly Symbolic[],
  outputs: Symbolic | readonly Symbolic[],
  options: ModelOptions = {},
): Model | Model<Tensor[]> {
  const [ins, outs] = [[inputs].flat(), [outputs].flat()] as [Symbolic[], Symbolic[]];
  const base = makeModel<Tensor>(inputs, outputs, options);
  return trainable(base, ins.length + outs.length === 2 ? null : severalOf(base, ins, outs));
}

/** Options of `model`. */
export interface ModelOptions {
  readonly name?: string;
  readonly trainable?: boolean;
}

/**
 * The network that `model.config()` described; see `layerTable` for layers of your own.
 *
 * @example modelFromConfig(model.config()).layers.length; // → 5
 */
export const modelFromConfig = (config: ModelConfig, options: ConfigOptions = {}): Model =>
  trainable(baseFromConfig(config, options));
