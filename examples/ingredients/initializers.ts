/** Initialisers, each with the variance of its row on large samples. */
import { compiled, linalg, matmul, random, relu, tanh, type Tensor, valueAndGrad } from "chainrule";
import * as nn from "chainrule/nn";
import { sgd } from "chainrule/optim";
import type { Check, Ingredient } from "./net.ts";
import { check, list } from "./paths.ts";

/** Mean square of [in, out] weights over what the formula says. */
const share = (initializer: nn.InitializerLike, fan: readonly [number, number], variance: number): number => {
  random.seed(7);
  return nn.initializerOf(initializer)(fan).square().mean().item() / variance;
};
const ofVariance = (
  row: string,
  initializer: nn.InitializerLike,
  fan: readonly [number, number],
  variance: number,
): Check =>
  check(
    row,
    `[${fan.join(", ")}]: variance over ${Number(variance.toPrecision(4))}`,
    [share(initializer, fan, variance)],
    [1],
    0.02,
  );

/** Deviation of what comes out of ten layers of 500 for N(0, 1) inputs. */
function tenLayers(initializer: nn.InitializerLike, f: (x: Tensor) => Tensor): number {
  random.seed(3);
  let x = random.normal([256, 500]);
  for (let i = 0; i < 10; i++) x = f(matmul(x, nn.initializerOf(initializer)([500, 500])));
  return x.std().item();
}

const normal = (stddev: number) => ({ name: "normal", stddev }) as const;

export const initializers: readonly Ingredient[] = [
  {
    name: "zeros",
    parts: { initializer: "zeros" },
    fails: true,
    checks: () => {
      random.seed(5);
      // Equal weights stay equal: all hidden units are one.
      const net = nn.sequential(
        [nn.dense(4, { kernelInitializer: "zeros" }), nn.tanh, nn.dense(1, { kernelInitializer: nn.constant(0.5) })],
        {
          inputShape: [3],
        },
      );
      const [x, y] = [random.normal([32, 3]), random.normal([32, 1])];
      descend(net, x, y, 100);
      const rows = list(net.layers[0].variables[0].std(1));
      return [check("S-082", "hidden units differ by, after 100 steps", rows, [0, 0, 0], 1e-12)];
    },
  },
  {
    name: "normal 0.01",
    parts: { initializer: normal(0.01) },
    checks: () => [
      check("S-083", "deviation", [Math.sqrt(share(normal(0.01), [400, 500], 1))], [0.01], 5e-4),
      check("S-090", "10 × 500 tanh: deviation of the last layer", [tenLayers(normal(0.01), tanh)], [3e-7], 2e-7),
    ],
  },
  {
    name: "normal 1",
    parts: { initializer: normal(1) },
    fails: true,
    checks: () => [check("S-090", "10 × 500 tanh: saturated", [tenLayers(normal(1), tanh)], [0.98], 0.02)],
  },
  {
    name: "normal 0.05",
    parts: { initializer: "normal" },
    checks: () => [ofVariance("S-083", "normal", [400, 500], 0.0025)],
  },
  {
    name: "truncated normal 0.05",
    parts: { initializer: "truncatedNormal" },
    checks: () => [ofVariance("", "truncatedNormal", [400, 500], 0.0025 * 0.7737413)],
  },
  {
    name: "uniform ±0.05",
    parts: { initializer: "uniform" },
    checks: () => [ofVariance("", "uniform", [400, 500], 0.05 ** 2 / 3)],
  },
  {
    name: "Xavier (LeCun) normal",
    parts: { initializer: "lecunNormal" },
    checks: () => [
      ofVariance("S-084", "lecunNormal", [500, 400], 0.002),
      check("S-089", "10 × 500 linear: variance kept", [tenLayers("lecunNormal", (x) => x) ** 2], [1], 0.2),
      check("S-090", "10 × 500 tanh: alive", [tenLayers("lecunNormal", tanh)], [0.23], 0.03),
    ],
  },
  {
    name: "LeCun uniform",
    parts: { initializer: "lecunUniform" },
    checks: () => [ofVariance("S-084", "lecunUniform", [500, 400], 0.002)],
  },
  {
    name: "Glorot normal",
    parts: { initializer: "glorotNormal" },
    checks: () => [ofVariance("S-085", "glorotNormal", [100, 100], 0.01)],
  },
  {
    name: "Glorot uniform",
    parts: { initializer: "glorotUniform" },
    checks: () => {
      random.seed(7);
      const most = nn.glorotUniform()([100, 100]).abs().max().item();
      return [check("S-086", "100/100: limit √6/√200", [most], [0.173205], 1e-4)];
    },
  },
  {
    name: "He normal",
    parts: { initializer: "heNormal" },
    checks: () => [
      check("S-087", "256 inputs: deviation", [Math.sqrt(share("heNormal", [256, 800], 1))], [0.088388], 9e-4),
      check("S-091", "10 × 500 ReLU: alive", [tenLayers("heNormal", relu)], [0.85], 0.1),
    ],
  },
  {
    name: "He uniform",
    parts: { initializer: "heUniform" },
    checks: () => [ofVariance("S-087", "heUniform", [256, 800], 2 / 256)],
  },
  {
    name: "orthogonal",
    parts: { initializer: nn.orthogonal() },
    checks: () => {
      random.seed(7);
      const s = linalg.svd(nn.orthogonal()([6, 4])).s;
      return [check("", "singular values", list(s), [1, 1, 1, 1], 1e-5)];
    },
  },
];

/** Some steps of gradient descent on the mean squared error. */
function descend(net: nn.Model, x: Tensor, y: Tensor, steps: number): void {
  const optimizer = sgd(0.1);
  const step = compiled((a: Tensor, b: Tensor) => {
    const [loss, grads] = valueAndGrad(net, () => net(a).sub(b).square().mean());
    optimizer.update(net, grads);
    return loss;
  });
  for (let i = 0; i < steps; i++) step(x, y);
}
