/** The one network of the bench, what can be changed in it, and one training run. */
import { compiled, random, type Tensor, tensor, valueAndGrad } from "chainrule";
import type { Dataset } from "chainrule/data";
import {
  type Constraint,
  conv2d,
  crossEntropy,
  dense,
  flatten,
  type InitializerLike,
  type Layer,
  type LayerLike,
  type LossLike,
  type Model,
  type RegularizerLike,
  relu,
  sequential,
} from "chainrule/nn";
import { atLookAhead, momentum, type Optimizer } from "chainrule/optim";
import type { Callback } from "chainrule/train";

/** What the formula of a catalogue row gives here, and what it should give. */
export interface Check {
  /** "S-113"; empty for what the catalogue has no row of. */
  readonly row: string;
  readonly what: string;
  readonly found: readonly number[];
  readonly wanted: readonly number[];
  /** The largest distance allowed. */
  readonly within: number;
}

/** Parts of the network; what is not given is as usual. */
export interface Parts {
  /** Before everything, made for the training images: scaling, noise. */
  readonly first?: (train: Dataset) => LayerLike;
  readonly initializer?: InitializerLike;
  readonly regularizer?: RegularizerLike;
  readonly constraint?: (kernelRank: number) => Constraint;
  /** Between the convolution (place 0) or the dense layer (place 1) and its ReLU. */
  readonly norm?: (place: number) => Layer | null;
  /** After the ReLU of either. */
  readonly after?: (place: number) => Layer | null;
  readonly activity?: RegularizerLike;
  /** Further dense layers of 64, as the first one. Default: none. */
  readonly deeper?: number;
}

/** One option of the bench. */
export interface Ingredient {
  readonly name: string;
  readonly parts?: Parts;
  /** Told the number of steps of the run. Default: momentum 0.9 at 0.03. */
  readonly optimizer?: (steps: number) => Optimizer;
  readonly loss?: LossLike;
  readonly batchSize?: number;
  readonly epochs?: number;
  /** What becomes of the training images. */
  readonly data?: (train: Dataset) => Dataset;
  readonly callbacks?: () => readonly Callback[];
  /** Holds out this share of the training images, for callbacks that need a validation loss. */
  readonly holdOut?: number;
  /** Gradients at the point that momentum carries the weights to. */
  readonly lookAhead?: number;
  /** It is not expected to learn anything. */
  readonly fails?: true;
  readonly checks: () => readonly Check[];
}

export interface Outcome {
  /** Mean training loss of each tenth of the run. */
  readonly losses: readonly number[];
  readonly accuracy: { readonly train: number; readonly test: number };
  readonly seconds: number;
}

export interface Setting {
  readonly train: Dataset;
  readonly test: Dataset;
  readonly batchSize: number;
  readonly epochs: number;
}

/** Strided convolution 5×5×8, dense 64, dense 10: 101,282 numbers, and a place for everything that is compared. */
function network(parts: Parts, train: Dataset): Model {
  const { first, initializer, regularizer, constraint, norm, after, activity, deeper = 0 } = parts;
  const weights = (rank: number) => ({
    ...(initializer === undefined ? {} : { kernelInitializer: initializer }),
    ...(regularizer === undefined ? {} : { kernelRegularizer: regularizer }),
    ...(constraint === undefined ? {} : { kernelConstraint: constraint(rank) }),
    ...(activity === undefined ? {} : { activityRegularizer: activity }),
  });
  const then = (place: number): LayerLike[] =>
    [norm?.(place), relu, after?.(place)].filter((layer) => layer !== null && layer !== undefined);
  return sequential(
    [
      ...(first === undefined ? [] : [first(train)]),
      conv2d(8, 5, { strides: 2, padding: "same", ...weights(4) }),
      ...then(0),
      flatten(),
      ...Array.from({ length: 1 + deeper }, () => [dense(64, weights(2)), ...then(1)]).flat(),
      dense(10, initializer === undefined ? {} : { kernelInitializer: initializer }),
    ],
    { inputShape: [28, 28, 1] },
  );
}

/** Trains the network with one ingredient, from seed 1. */
export async function runOne(option: Ingredient, setting: Setting, learningRate = 0.03): Promise<Outcome> {
  const { parts = {}, batchSize = setting.batchSize, epochs = setting.epochs, holdOut = 0 } = option;
  random.seed(1);
  const started = performance.now();
  const count = Math.round(setting.train.length * (1 - holdOut));
  const learn = setting.train.take(count);
  const net = network(parts, learn);
  const size = Math.min(batchSize, count);
  const steps = epochs * learn.steps(size);
  const optimizer = option.optimizer?.(steps) ?? momentum(learningRate);
  net.compile({ optimizer, loss: option.loss ?? "sparseCategoricalCrossentropy", metrics: ["accuracy"] });
  const all: number[] = [];
  const data = option.data?.(learn) ?? learn;
  if (option.lookAhead === undefined) {
    await net.fit(data, {
      epochs,
      batchSize: size,
      verbose: 0,
      seed: 1,
      ...(holdOut > 0 ? { validationData: setting.train.skip(count) } : {}),
      ...(option.callbacks === undefined ? {} : { callbacks: option.callbacks() }),
      onEvent: (event) => {
        if (event.type === "batchEnd") all.push(event.loss);
      },
    });
  } else {
    const ahead = option.lookAhead;
    const step = compiled((x: Tensor, y: Tensor) => {
      const [loss, grads] = atLookAhead(optimizer, net, ahead, () =>
        valueAndGrad(net, () => crossEntropy(net(x, { training: true }), y)),
      );
      optimizer.update(net, grads);
      return loss;
    });
    for (let epoch = 0; epoch < epochs; epoch++)
      for (const { x, y } of data.batches(size, { shuffle: true, seed: 1, epoch }))
        all.push(step(tensor(x.data, { shape: x.shape }), tensor(y!.data, { dtype: "int32" })).item());
  }
  const seconds = (performance.now() - started) / 1000;
  // The option's loss may be for other labels: accuracy alone is compared.
  net.compile({ optimizer, loss: "sparseCategoricalCrossentropy", metrics: ["accuracy"] });
  const score = async (part: Dataset): Promise<number> => (await net.evaluate(part, { batchSize: 1000 }))["accuracy"];
  const accuracy = { train: await score(setting.train.take(count)), test: await score(setting.test) };
  return { losses: tenths(all), accuracy, seconds };
}

/** Means over ten equal parts; fewer where there are fewer values. */
function tenths(values: readonly number[]): number[] {
  const parts = Math.min(10, values.length);
  return Array.from({ length: parts }, (_, i) => {
    const part = values.slice(Math.floor((i * values.length) / parts), Math.floor(((i + 1) * values.length) / parts));
    return part.reduce((a, b) => a + b, 0) / part.length;
  });
}

/** The largest distance of what was found from what was wanted; NaN and missing values are infinitely far. */
export function distance({ found, wanted }: Check): number {
  if (found.length !== wanted.length) return Infinity;
  return Math.max(...found.map((v, i) => (Number.isNaN(v) ? Infinity : Math.abs(v - wanted[i]))));
}
