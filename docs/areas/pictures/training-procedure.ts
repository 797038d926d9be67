/** Learning curves, random beside grid search, and transfer beside training from scratch. */
import { random } from "chainrule";
import { type Dataset, mnist } from "chainrule/data";
import { conv2d, dense, flatten, maxPool2d, relu, sequential } from "chainrule/nn";
import { adam } from "chainrule/optim";
import { precompute } from "chainrule/train";
import { gridOf, logUniform, sampleSpace } from "chainrule/tune";
import { learningCurves, lineChart, scatterChart } from "chainrule/viz";
import { grid, type Pictures, svg } from "./lib.ts";

const metrics = ["accuracy"] as const;
const loss = "sparseCategoricalCrossentropy";

async function curves() {
  random.seed(2);
  const { train, test } = await mnist();
  const model = sequential([flatten(), dense(64), relu, dense(10)]);
  model.compile({ optimizer: adam(1e-3), loss, metrics });
  const { history } = await model.fit(train.take(2000), { epochs: 20, batchSize: 32, validationData: test.take(2000), verbose: 0 });
  return history;
}

/** Accuracy by epoch on 5 to 9 after training on 200 of them, with layers that learned 0 to 4, or none. */
async function transfer() {
  const { train, test } = await mnist();
  const of = (data: Dataset, low: number): Dataset =>
    data
      .filter(({ y }) => y!.data[0] >= low && y!.data[0] < low + 5)
      .map(({ x, y }) => ({ x, y: { ...y!, data: y!.data.map((v) => v - low) as Int32Array } }))
      .cache();
  const [base, few, held] = [of(train.take(20_000), 0), of(train, 5).take(200), of(test, 5)];
  const layers = () => [conv2d(8, 5), relu, maxPool2d(2), conv2d(16, 3), relu, maxPool2d(2), flatten()];
  random.seed(6);
  const body = sequential(layers(), { inputShape: [28, 28, 1] });
  const top = () => [dense(64), relu, dense(5)];
  const first = sequential([body, ...top()]);
  first.compile({ optimizer: adam(2e-3), loss });
  await first.fit(base, { epochs: 2, batchSize: 64, verbose: 0 });
  const learned = body.weights();
  const options = { epochs: 15, batchSize: 20, verbose: 0 } as const;
  const results: Record<string, readonly number[]> = {};

  body.trainable = false;
  random.seed(7);
  const head = sequential(top(), { inputShape: [400] });
  head.compile({ optimizer: adam(2e-3), loss, metrics });
  results["frozen, new head"] = (await head.fit(await precompute(body, few), { ...options, validationData: await precompute(body, held) })).history.val_accuracy;

  for (const [name, rate, weights] of [["fine-tuned", 1e-3, learned], ["from scratch", 2e-3, null]] as const) {
    random.seed(7);
    const fresh = sequential(layers(), { inputShape: [28, 28, 1] });
    if (weights !== null) fresh.setWeights(Object.fromEntries(Object.keys(fresh.namedVariables()).map((n, i) => [n, Object.values(weights)[i]])));
    const net = sequential([fresh, ...top()]);
    net.compile({ optimizer: adam(rate), loss, metrics });
    results[name] = (await net.fit(few, { ...options, validationData: held })).history.val_accuracy;
  }
  return results;
}

export async function draw(): Promise<Pictures> {
  const space = { rate: logUniform(1e-4, 1), decay: logUniform(1e-4, 1) };
  const points = (params: readonly { rate: number; decay: number }[]) =>
    params.map(({ rate, decay }) => ({ x: Math.log10(rate), y: Math.log10(decay) }));
  const options = { x: "log₁₀ learning rate", y: "log₁₀ other parameter", width: 280, height: 200 };
  return {
    "training-procedure": await svg(learningCurves(await curves(), { width: 270, height: 180 })),
    "training-procedure-search": await svg(
      grid([
        scatterChart(points(gridOf(space, 5)), { ...options, title: "a grid of 25: five values an axis" }),
        scatterChart(points(Array.from({ length: 25 }, (_, i) => sampleSpace(space, 1, i))), { ...options, title: "25 random: twenty-five values" }),
      ]),
    ),
    "training-procedure-transfer": await svg(
      lineChart(await transfer(), { x: "epoch", y: "right of 4,861 others", width: 560, height: 200, title: "200 digits of 5 to 9, after convolutions that learned 0 to 4" }),
    ),
  };
}
