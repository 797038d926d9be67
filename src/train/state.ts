import { type Key, ValueError } from "../base/index.ts";
import { context } from "../base/context.ts";
import type { HostArray, ModelBase } from "../nn/model.ts";
import type { Optimizer, OptimizerState } from "../optim/index.ts";

/** Where a run stands: the next batch to run, and the number of steps made. */
export interface Position {
  readonly epoch: number;
  readonly batch: number;
  readonly step: number;
}

/** Everything a run needs to go on bit for bit: plain named arrays and plain JSON, to be written to any file format. */
export interface TrainingState {
  /** "model/<variable>" and "optimizer/<number>". */
  readonly arrays: Record<string, HostArray>;
  readonly position: Position;
  readonly meta: TrainingMeta;
}

/** What a checkpoint holds beside arrays: where training stands. */
export interface TrainingMeta {
  readonly format: 1;
  readonly optimizer: string;
  /** The rate as it was set: the optimizer's own is rounded to float32. */
  readonly learningRate?: number;
  /** Of the order of batches. */
  readonly seed: number;
  readonly batchSize: number;
  readonly shuffle: boolean;
  /** The random stream: its key and how many draws were made. */
  readonly random: { readonly key: readonly [number, number]; readonly draws: number };
  /** Sums of the epoch in progress. */
  readonly running: RunningSums;
  readonly history: {
    readonly epoch: readonly number[];
    readonly history: Readonly<Record<string, readonly number[]>>;
  };
}

/** Sums over the batches of one epoch so far: the loss times the samples, the samples, and each metric's vector. */
export interface RunningSums {
  readonly loss: number;
  readonly samples: number;
  readonly metrics: readonly (readonly number[])[];
}

/** Where the default random stream stands. */
export const randomNow = (): TrainingMeta["random"] => ({
  key: [context.key[0], context.key[1]],
  draws: context.draws,
});

/** Weights and optimizer of a model as host copies, with what the run tells about itself. */
export function captureState(
  model: ModelBase,
  optimizer: Optimizer,
  run: { readonly position: Position } & Omit<TrainingMeta, "format" | "optimizer" | "learningRate">,
): TrainingState {
  const arrays: Record<string, HostArray> = {};
  for (const [name, w] of Object.entries(model.weights())) arrays[`model/${name}`] = w;
  for (const [name, w] of Object.entries(optimizer.state())) arrays[`optimizer/${name}`] = w;
  const { position, ...meta } = run;
  return {
    arrays,
    position,
    meta: { format: 1, optimizer: optimizer.optimizer, learningRate: optimizer.learningRate, ...meta },
  };
}

/** Puts a state back into a built model, its optimizer and the random stream. Checks everything before it writes anything. */
export function applyState(model: ModelBase, optimizer: Optimizer, state: TrainingState): void {
  if ((state.meta.format as number) !== 1)
    throw new ValueError(`[restore] training state of format ${state.meta.format}, this version reads 1.`);
  if (state.meta.optimizer !== optimizer.optimizer) {
    throw new ValueError(
      `[restore] the state is of optimizer "${state.meta.optimizer}", the model is compiled with "${optimizer.optimizer}".`,
    );
  }
  const part = (prefix: string): OptimizerState =>
    Object.fromEntries(
      Object.entries(state.arrays)
        .filter(([name]) => name.startsWith(prefix))
        .map(([name, w]) => [name.slice(prefix.length), w]),
    );
  optimizer.build(model);
  const before = model.weights();
  model.setWeights(part("model/"));
  try {
    optimizer.load(part("optimizer/"));
  } catch (error) {
    model.setWeights(before);
    throw error;
  }
  const { learningRate } = state.meta;
  if (learningRate !== undefined && typeof optimizer.recipe.learningRate === "number")
    optimizer.learningRate = learningRate;
  context.key = [...state.meta.random.key] as unknown as Key;
  context.draws = state.meta.random.draws;
}
