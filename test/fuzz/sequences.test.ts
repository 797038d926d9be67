/**
 * Random sequence networks through the public interface: embeddings, attention under a causal mask, recurrence by scan,
 * 1-D convolutions, residual sums, all in one compiled training step that the interpreter repeats.
 */
import fc from "fast-check";
import { expect, test } from "vitest";
import * as cr from "../../src/index.ts";
import type { Tensor } from "../../src/index.ts";
import { Variable } from "../../src/index.ts";
import * as nn from "../../src/nn/index.ts";
import { adam } from "../../src/optim/index.ts";
import { checked } from "../support/checked.ts";
import { randomArray, type Rng, rngOf } from "../support/random.ts";

const runs = Math.max(3, Math.round(Number(process.env.FUZZ_RUNS ?? 200) / 20));
const seed = Number(process.env.FUZZ_SEED ?? 1);

interface Plan {
  readonly batch: number;
  readonly length: number;
  readonly width: number;
  readonly words: number;
  readonly blocks: readonly (readonly number[])[];
}

/** A block [batch, length, width] → the same, with variables that it makes. */
type Block = (x: Tensor) => Tensor;
type Make = (k: readonly number[], plan: Plan, variable: (...shape: number[]) => Variable) => Block;

const causal = (length: number): Tensor =>
  cr.lessEqual(cr.reshape(cr.arange(length), [1, length]), cr.reshape(cr.arange(length), [length, 1]));

const BLOCKS: readonly Make[] = [
  // Attention of one or two heads.
  (k, { batch, length, width }, variable) => {
    const heads = width % 2 === 0 && k[0] % 2 === 0 ? 2 : 1;
    const size = width / heads;
    const [q, key, v] = [variable(width, width), variable(width, width), variable(width, width)];
    const split = (x: Tensor): Tensor => cr.transpose(cr.reshape(x, [batch, length, heads, size]), [0, 2, 1, 3]);
    return (x) => {
      const scores = cr.mul(
        cr.einsum("bhqd,bhkd->bhqk", split(cr.matmul(x, q)), split(cr.matmul(x, key))),
        1 / Math.sqrt(size),
      );
      const weights = cr.softmax(k[1] % 3 === 0 ? scores : cr.where(causal(length), scores, -1e9));
      const mixed = cr.transpose(cr.matmul(weights, split(cr.matmul(x, v))), [0, 2, 1, 3]);
      return cr.add(x, cr.reshape(mixed, [batch, length, width]));
    };
  },
  // A recurrent cell, forwards or backwards in time.
  (k, { batch, width }, variable) => {
    const [w, u, bias] = [variable(width, width), variable(width, width), variable(width)];
    return (x) => {
      const inputs = cr.matmul(cr.transpose(x, [1, 0, 2]), w);
      const cell = (h: Tensor, input: Tensor): readonly [Tensor, Tensor] => {
        const next = cr.tanh(cr.add(cr.add(input, cr.matmul(h, u)), bias));
        return [next, k[1] % 2 === 0 ? next : cr.mul(next, h)];
      };
      const [last, all] = cr.scan(cell, cr.zeros([batch, width]), inputs, { reverse: k[0] % 2 === 1 });
      return cr.add(cr.transpose(all, [1, 0, 2]), cr.expandDims(last, 1));
    };
  },
  (k, { width }) => {
    const layer = nn.conv1d(width, 1 + (k[0] % 3), { padding: "same", activation: "gelu" });
    return (x) => cr.add(x, layer(x));
  },
  (_, { width }, variable) => {
    const [w1, w2] = [variable(width, 2 * width), variable(2 * width, width)];
    return (x) => cr.add(x, cr.matmul(cr.gelu(cr.matmul(x, w1)), w2));
  },
  (_, { width }, variable) => {
    const [scale, shift] = [variable(width), variable(width)];
    return (x) => {
      const centred = cr.sub(x, cr.mean(x, -1, { keepdims: true }));
      const variance = cr.mean(cr.square(centred), -1, { keepdims: true });
      return cr.add(cr.mul(cr.mul(centred, cr.rsqrt(cr.add(variance, 1e-2))), scale), shift);
    };
  },
  // Every step mixed with the one before it.
  (k, { length }) =>
    (x) => {
      const before = cr.pad(cr.slice(x, null, [0, length - 1]), [
        [0, 0],
        [1, 0],
        [0, 0],
      ]);
      return k[0] % 2 === 0 ? cr.maximum(x, before) : cr.add(cr.mul(x, 0.5), cr.cumsum(cr.mul(before, 0.1), 1));
    },
];

function train(plan: Plan): void {
  const rng: Rng = rngOf(3);
  const variables: Variable[] = [];
  const variable = (...shape: number[]): Variable => {
    const v = new Variable(
      cr.tensor(
        randomArray(rng, shape, "float32", (r) => r.normal() / Math.sqrt(shape[0])),
        { shape },
      ),
    );
    variables.push(v);
    return v;
  };
  const { batch, length, width, words } = plan;
  const table = variable(words, width);
  const blocks = plan.blocks.map(([kind, ...k]) => BLOCKS[kind % BLOCKS.length](k, plan, variable));
  const forward = (ids: Tensor): Tensor =>
    cr.matmul(
      blocks.reduce((x, f) => f(x), cr.take(table, ids)),
      cr.transpose(table),
    );
  const optimizer = adam({ learningRate: 0.01, epsilon: 0.01 });
  const step = cr.compiled((ids: Tensor, next: Tensor) => {
    const [loss, grads] = cr.valueAndGrad(variables, () => nn.crossEntropy(forward(ids), next));
    optimizer.update(variables, grads);
    return loss;
  });
  for (let i = 0; i < 2; i++) {
    const ids = (): Tensor =>
      cr.tensor(
        randomArray(rng, [batch, length], "int32", (r) => r.int(0, words - 1)),
        { shape: [batch, length] },
      );
    expect(Number.isFinite(step(ids(), ids()).item())).toBe(true);
  }
}

const plans: fc.Arbitrary<Plan> = fc.record({
  batch: fc.integer({ min: 1, max: 5 }),
  length: fc.integer({ min: 1, max: 12 }),
  width: fc.constantFrom(2, 3, 4, 8, 16, 17),
  words: fc.integer({ min: 3, max: 30 }),
  blocks: fc.array(fc.array(fc.nat(29), { minLength: 4, maxLength: 4 }), { minLength: 1, maxLength: 5 }),
});

test(`${runs} random sequence networks train as the interpreter trains them`, { timeout: 3_600_000 }, () => {
  fc.assert(
    fc.property(plans, (plan) => {
      expect(checked(() => train(plan))).toBeGreaterThan(1);
    }),
    { numRuns: runs, seed },
  );
});
