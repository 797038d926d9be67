/** Learning-rate schedules around momentum, each with the values of its row. */
import { tensor } from "chainrule";
import * as optim from "chainrule/optim";
import { learningRateScheduler } from "chainrule/train";
import type { Ingredient } from "./net.ts";
import { check, stepsOn } from "./paths.ts";

const RATE = 0.06;
const values = (schedule: optim.Schedule, at: readonly number[]): number[] =>
  at.map((step) => {
    const rate = schedule(tensor(step, { dtype: "float32" }));
    return typeof rate === "number" ? rate : rate.item();
  });

const scheduled = (
  name: string,
  make: (steps: number) => optim.Schedule,
  checks: Ingredient["checks"],
): Ingredient => ({ name, optimizer: (steps) => optim.momentum(make(steps)), checks });

export const schedules: readonly Ingredient[] = [
  {
    name: "constant",
    optimizer: () => optim.momentum(RATE),
    checks: () => [
      check("S-108", "every step the same on g = 1", stepsOn(optim.sgd(RATE), [1, 1, 1]), [-RATE, -RATE, -RATE]),
    ],
  },
  scheduled(
    "inverse time",
    (steps) => optim.inverseTimeDecay(RATE, steps / 4, 1),
    () => [
      check(
        "S-141",
        "α₀ .2, rate 1",
        values(optim.inverseTimeDecay(0.2, 1, 1), [1, 2, 3, 4]),
        [0.1, 0.2 / 3, 0.05, 0.04],
        1e-7,
      ),
    ],
  ),
  scheduled(
    "exponential",
    (steps) => optim.exponentialDecay(RATE, steps / 10, 0.8),
    () => [check("S-142", ".95 to the 10th", values(optim.exponentialDecay(1, 1, 0.95), [10]), [0.598737], 1e-6)],
  ),
  scheduled(
    "square root",
    (steps) => optim.squareRootDecay(RATE, steps / 10),
    () => [
      check("S-143", "epochs 1 to 4", values(optim.squareRootDecay(1), [0, 1, 2, 3]), [1, 0.7071, 0.5774, 0.5], 5e-5),
    ],
  ),
  scheduled(
    "staircase",
    (steps) =>
      optim.piecewiseConstant([Math.floor(steps / 2), Math.floor((3 * steps) / 4)], [RATE, RATE / 5, RATE / 25]),
    () => [
      check(
        "S-144",
        "milestones 10, 20, factor .1",
        values(optim.piecewiseConstant([10, 20], [0.1, 0.01, 0.001]), [10, 11, 21]),
        [0.1, 0.01, 0.001],
        1e-8,
      ),
    ],
  ),
  {
    name: "by hand: a tenth from the third pass",
    optimizer: () => optim.momentum(RATE),
    callbacks: () => [learningRateScheduler((epoch, rate) => (epoch === 2 ? rate / 10 : rate))],
    checks: () => {
      const optimizer = optim.sgd(0.1);
      const before = stepsOn(optimizer, [1]);
      optimizer.learningRate = 0.01;
      return [check("S-145", "the next step is a tenth", stepsOn(optimizer, [1]), [before[0] / 10])];
    },
  },
  scheduled(
    "polynomial, power 2",
    (steps) => optim.polynomialDecay(RATE, steps, { power: 2 }),
    () => [
      check("", "(1 − ¼)², (1 − ½)²", values(optim.polynomialDecay(1, 8, { power: 2 }), [2, 4]), [0.5625, 0.25], 1e-7),
    ],
  ),
  scheduled(
    "cosine with warm-up",
    (steps) => optim.cosineDecay(RATE, steps, { warmup: Math.ceil(steps / 10) }),
    () => [check("", "halfway half, at the end 0", values(optim.cosineDecay(1, 10), [5, 10]), [0.5, 0], 1e-7)],
  ),
  scheduled(
    "cosine with restarts",
    (steps) => optim.cosineDecayRestarts(RATE, Math.ceil(steps / 3)),
    () => [
      check("", "full again after 10 and 30", values(optim.cosineDecayRestarts(1, 10), [5, 10, 30]), [0.5, 1, 1], 1e-6),
    ],
  ),
  scheduled(
    "one cycle",
    (steps) => optim.oneCycle(2 * RATE, steps),
    () => [check("", "begins at a 25th, top at 30 %", values(optim.oneCycle(1, 10), [0, 2]), [0.04, 1], 1e-6)],
  ),
];
