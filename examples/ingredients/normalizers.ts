/** Normalisers between layers, and scalings of the input, each with the numbers of its row. */
import { ones, random, type Tensor } from "chainrule";
import { minMaxScaler, type Scaler, standardScaler } from "chainrule/data";
import * as nn from "chainrule/nn";
import type { Check, Ingredient } from "./net.ts";
import { check, f64, list } from "./paths.ts";

const FOUR = [1.341641, 0.447214].flatMap((v) => [-v, v]).sort((a, b) => a - b);
const column = (): Tensor => f64([1, 2, 3, 4]).reshape([4, 1]);
const row = (): Tensor => f64([1, 2, 3, 4]).reshape([1, 4]);
const plain = { epsilon: 0 };

/** The rows of batch normalisation. */
function batchNormChecks(): Check[] {
  random.seed(2);
  const inTraining = list(nn.batchNorm(plain)(column(), { training: true }));
  const x = random.normal([64, 3], { dtype: "float64" });
  const layer = nn.batchNorm();
  for (let i = 0; i < 1000; i++) layer(random.normal([64, 1]).mul(2).add(3), { training: true });
  const moving = layer.variables.slice(2).map((v) => v.item());
  const [both, alone] = [column().reshape([2, 2]), column().reshape([2, 2]).slice([0, 1])];
  const evaluated = nn.batchNorm();
  evaluated(both, { training: true });
  const spread = (b: number): number => random.normal([400, b]).mean(1).std().item();
  const back = nn.batchNorm();
  back(x, { training: true });
  back.variables[0].assign(x.variance(0).add(1e-3).sqrt());
  back.variables[1].assign(x.mean(0));
  const bias = nn.batchNorm();
  return [
    check("S-181", "(1, 2, 3, 4) in training", inTraining, FOUR, 1e-6),
    check("S-182", "evaluated alone and beside others", list(evaluated(alone)), list(evaluated(both)).slice(0, 2), 0),
    check("S-183", "moving mean and variance of N(3, 4)", moving, [3, 4], 0.2),
    check(
      "S-185",
      "a bias before it changes nothing",
      list(bias(x.add(7), { training: true })),
      list(bias(x, { training: true })),
      1e-10,
    ),
    check("S-186", "γ = √(σ² + ε), β = μ: the input", list(back(x, { training: true })), list(x), 1e-6),
    check("S-176", "spread of means, batches of 16 over 256", [spread(16) / spread(256)], [4], 0.8),
  ];
}

export const normalizers: readonly Ingredient[] = [
  { name: "none", checks: () => [] },
  { name: "batch norm", parts: { norm: () => nn.batchNorm({ momentum: 0.9 }) }, checks: batchNormChecks },
  {
    name: "layer norm",
    parts: { norm: () => nn.layerNorm() },
    checks: () => [check("S-188", "(1, 2, 3, 4) of one sample", list(nn.layerNorm(plain)(row())), FOUR, 1e-6)],
  },
  {
    name: "group norm, 4 groups",
    parts: { norm: () => nn.groupNorm(4) },
    checks: () => [check("", "(1, 2, 3, 4) in two groups", list(nn.groupNorm(2, plain)(row())), [-1, 1, -1, 1], 1e-9)],
  },
  {
    name: "instance norm (convolution)",
    parts: { norm: (place) => (place === 0 ? nn.instanceNorm() : null) },
    checks: () => [
      check("", "(1, 2, 3, 4) over the places", list(nn.instanceNorm(plain)(column().reshape([1, 4, 1]))), FOUR, 1e-6),
    ],
  },
  {
    name: "RMS norm",
    parts: { norm: () => nn.rmsNorm() },
    checks: () => {
      const rms = Math.sqrt(7.5);
      return [
        check(
          "",
          "(1, 2, 3, 4)/√7.5",
          list(nn.rmsNorm(plain)(row())),
          [1, 2, 3, 4].map((v) => v / rms),
          1e-9,
        ),
      ];
    },
  },
  {
    name: "local response norm",
    parts: { norm: () => nn.localResponseNorm() },
    checks: () => [
      check(
        "S-190",
        "a lone 1",
        [
          nn
            .localResponseNorm()(ones([1, 1, 1, 1]))
            .item(),
        ],
        [0.594581],
        1e-6,
      ),
    ],
  },
];

const scaled = (name: string, scaler: Scaler, checks: Ingredient["checks"]): Ingredient => ({
  name,
  parts: { first: (train) => nn.lambda(scaler.fit(train).transform) },
  checks,
});
const STEPS = f64([2, 4, 6, 8]);

/** What the images are scaled to before the network sees them; statistics from the training images. */
export const inputs: readonly Ingredient[] = [
  { name: "as stored, 0 to 255", parts: { first: () => nn.lambda((x) => x.mul(255)) }, fails: true, checks: () => [] },
  scaled("min–max to [0, 1]", minMaxScaler(), () => [
    check("S-178", "(2, 4, 6, 8)", list(minMaxScaler().fitTransform(STEPS)), [0, 1 / 3, 2 / 3, 1]),
  ]),
  scaled("min–max to [−1, 1]", minMaxScaler({ range: [-1, 1] }), () => [
    check("S-178", "(2, 4, 6, 8)", list(minMaxScaler({ range: [-1, 1] }).fitTransform(STEPS)), [-1, -1 / 3, 1 / 3, 1]),
  ]),
  scaled("standardised", standardScaler(), () => [
    check("S-179", "(2, 4, 6, 8)", list(standardScaler().fitTransform(STEPS)), FOUR, 1e-6),
    check(
      "S-180",
      "5 by the statistics of (2, 4, 6, 8), and 9",
      list(
        standardScaler()
          .fit(STEPS)
          .transform(f64([5, 9])),
      ),
      [0, 4 / Math.sqrt(5)],
    ),
  ]),
];
