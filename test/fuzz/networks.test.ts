/**
 * Random networks through the public interface, every program of their training steps repeated by the interpreter.
 * FUZZ_RUNS / 20 networks from FUZZ_SEED.
 */
import fc from "fast-check";
import { expect, test } from "vitest";
import { setSeed } from "../../src/base/context.ts";
import { compiled, type Tensor, tensor, valueAndGrad } from "../../src/index.ts";
import * as nn from "../../src/nn/index.ts";
import { adam, momentum, type Optimizer, sgd } from "../../src/optim/index.ts";
import { checked } from "../support/checked.ts";
import { randomArray, rngOf } from "../support/random.ts";

const runs = Math.max(3, Math.round(Number(process.env.FUZZ_RUNS ?? 200) / 20));
const seed = Number(process.env.FUZZ_SEED ?? 1);

type Make = (k: readonly number[], shape: readonly number[]) => nn.Layer | null;

const at = <T>(list: readonly T[], k: number): T => list[k % list.length];
const NAMES = ["relu", "tanh", "sigmoid", "gelu", "elu", "softplus", "silu", "linear"] as const;
const PADDING = ["same", "valid"] as const;

/** Not over one feature: its result is 0 but for rounding, on the kink of a relu. */
const norm: Make = (_, shape) => (shape[shape.length - 1] < 3 ? null : nn.layerNorm());

/** Layers for images [h, w, c]; null where the image has become too small. */
const IMAGE: readonly Make[] = [
  (k, [h, w]) => {
    const size = at([1, 2, 3, 5], k[0]);
    if (size > Math.min(h, w)) return null;
    const options = {
      strides: at([1, 1, 2], k[1]),
      padding: at(PADDING, k[2]),
      activation: at(NAMES, k[3]),
      useBias: k[1] % 5 !== 0,
    };
    return nn.conv2d(at([1, 3, 4, 8, 17, 20], k[4]), size, options);
  },
  (k, [h, w]) =>
    Math.min(h, w) < 3 ? null : nn.depthwiseConv2d(3, { strides: at([1, 2], k[1]), padding: at(PADDING, k[2]) }),
  (k, [h, w]) =>
    Math.min(h, w) < 2 ? null : nn.maxPool2d(2, { strides: at([1, 2], k[1]), padding: at(PADDING, k[2]) }),
  (k, [h, w]) =>
    Math.min(h, w) < 3
      ? null
      : nn.avgPool2d(at([2, 3], k[0]), { strides: at([1, 2], k[1]), padding: at(PADDING, k[2]) }),
  () => nn.batchNorm(),
  norm,
  (k) => nn.activation(at(NAMES, k[0])),
  (k) => nn.dropout(at([0.1, 0.5], k[0])),
];

const FLAT: readonly Make[] = [
  (k) => nn.dense(at([1, 5, 10, 16, 33], k[0]), { activation: at(NAMES, k[1]) }),
  () => nn.batchNorm(),
  norm,
  (k) => nn.dropout(at([0.1, 0.5], k[0])),
  (k) => nn.dense(at([7, 12], k[0]), { activation: "softmax" }),
];

// A large epsilon: otherwise Adam makes a full step of a gradient that is rounding only.
const OPTIMIZERS: readonly (() => Optimizer)[] = [
  (): Optimizer => sgd(0.05),
  (): Optimizer => adam({ learningRate: 0.01, epsilon: 0.01 }),
  (): Optimizer => momentum(0.02),
];

interface Plan {
  readonly size: readonly number[];
  readonly image: readonly (readonly number[])[];
  readonly flat: readonly (readonly number[])[];
  readonly classes: number;
  readonly optimizer: number;
}

function stack(plan: Plan): nn.Layer[] {
  const layers: nn.Layer[] = [];
  let shape: readonly (number | null)[] = plan.size;
  const push = (layer: nn.Layer | null): void => {
    if (layer === null) return;
    layers.push(layer);
    shape = layer.outputShape(shape);
  };
  const put = (list: readonly Make[], [kind, ...k]: readonly number[]): void =>
    push(at(list, kind)(k, shape.slice(1) as number[]));
  for (const k of plan.image) put(IMAGE, k);
  push(nn.flatten());
  for (const k of plan.flat) put(FLAT, k);
  push(nn.dense(plan.classes));
  return layers;
}

function train(plan: Plan): void {
  setSeed(7);
  const rng = rngOf(1);
  const model = nn.sequential(stack(plan));
  const optimizer = at(OPTIMIZERS, plan.optimizer)();
  const step = compiled((x: Tensor, y: Tensor) => {
    const [loss, grads] = valueAndGrad(model, () => nn.crossEntropy(model(x, { training: true }), y));
    optimizer.update(model, grads);
    return loss;
  });
  const [batch] = plan.size;
  for (let i = 0; i < 2; i++) {
    const x = tensor(randomArray(rng, plan.size, "float32"), { shape: plan.size });
    const y = tensor(randomArray(rng, [batch], "int32", (r) => r.int(0, plan.classes - 1)));
    expect(Number.isFinite(step(x, y).item())).toBe(true);
  }
  model(tensor(randomArray(rng, plan.size, "float32"), { shape: plan.size }));
}

const choices = fc.array(fc.nat(59), { minLength: 6, maxLength: 6 });
const plans: fc.Arbitrary<Plan> = fc.record({
  size: fc.tuple(
    fc.integer({ min: 1, max: 9 }),
    fc.integer({ min: 3, max: 12 }),
    fc.integer({ min: 3, max: 12 }),
    fc.constantFrom(1, 2, 3, 5, 16),
  ),
  image: fc.array(choices, { maxLength: 5 }),
  flat: fc.array(choices, { maxLength: 3 }),
  classes: fc.integer({ min: 2, max: 11 }),
  optimizer: fc.nat(2),
});

test(`${runs} random networks train as the interpreter trains them`, { timeout: 3_600_000 }, () => {
  fc.assert(
    fc.property(plans, (plan) => {
      expect(checked(() => train(plan))).toBeGreaterThan(2);
    }),
    { numRuns: runs, seed },
  );
});
