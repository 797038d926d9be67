/** Learning-rate schedules over a run, and a staircase's effect on the loss. */
import { random, tensor } from "chainrule";
import { dense, sequential } from "chainrule/nn";
import {
  cosineDecay, cosineDecayRestarts, exponentialDecay, inverseTimeDecay, type LearningRate, oneCycle, piecewiseConstant, polynomialDecay,
  type Schedule, sgd, squareRootDecay, warmUp,
} from "chainrule/optim";
import { lineChart } from "chainrule/viz";
import { grid, type Pictures, range, svg } from "./lib.ts";

const STEPS = 100;

/** The rate of each update, counted from 0, asked of the schedule itself. */
const rates = (schedule: Schedule): number[] =>
  range(0, STEPS - 1, STEPS).map((step) => {
    const rate = schedule(tensor(step));
    return typeof rate === "number" ? rate : rate.item();
  });

/** The loss after each epoch of a noisy line fit. */
async function losses(learningRate: LearningRate): Promise<number[]> {
  random.seed(4);
  const x = random.normal([512, 16]);
  const y = x.matmul(random.normal([16, 1])).add(random.normal([512, 1]).mul(0.3));
  const model = sequential([dense(1)], { inputShape: [16] });
  model.compile({ optimizer: sgd(learningRate), loss: "mse" });
  const { history } = await model.fit([x, y], { epochs: 30, batchSize: 8, verbose: 0 });
  return history.loss.slice(5);
}

export async function draw(): Promise<Pictures> {
  const options = { xs: range(1, STEPS, STEPS), points: false, x: "update", y: "learning rate", width: 280, height: 180 };
  const curves = (all: Readonly<Record<string, Schedule>>) =>
    Object.fromEntries(Object.entries(all).map(([name, s]) => [name, rates(s)]));
  const stairs = piecewiseConstant([15 * 64, 23 * 64], [0.05, 0.005, 0.0005]);
  return {
    schedule: await svg(
      grid([
        lineChart(
          curves({
            inverseTimeDecay: inverseTimeDecay(1, 20, 1),
            exponentialDecay: exponentialDecay(1, 20, 0.5),
            squareRootDecay: squareRootDecay(1, 20),
          }),
          { ...options, title: "decays" },
        ),
        lineChart(
          curves({
            piecewiseConstant: piecewiseConstant([40, 75], [1, 0.3, 0.1]),
            "staircase: true": exponentialDecay(1, 20, 0.5, { staircase: true }),
          }),
          { ...options, title: "staircases" },
        ),
        lineChart(
          curves({
            cosineDecay: cosineDecay(1, STEPS, { warmup: 10 }),
            polynomialDecay: polynomialDecay(1, STEPS, { power: 2 }),
            warmUp: warmUp(20, 0.5),
          }),
          { ...options, title: "with an end" },
        ),
        lineChart(
          curves({ cosineDecayRestarts: cosineDecayRestarts(1, 30, { mMul: 0.7 }), oneCycle: oneCycle(1, STEPS) }),
          { ...options, title: "cycles" },
        ),
      ]),
      2,
    ),
    "schedule-loss": await svg(
      lineChart(
        { "constant 0.05": await losses(0.05), "0.05, 0.005, 0.0005": await losses(stairs) },
        { xs: range(6, 30, 25), x: "epoch", y: "training loss", title: "a staircase in the rate: the loss drops at the step", width: 560, height: 180, points: false },
      ),
    ),
  };
}
