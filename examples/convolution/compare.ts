/** S-170: what moved and mirrored pictures are worth: the same networks trained with and without them. */
import { random } from "chainrule";
import type { Dataset, MapBatchFunction } from "chainrule/data";
import type { Model } from "chainrule/nn";
import { adam, cosineDecay } from "chainrule/optim";
import { formatTable } from "chainrule/viz";
import type { Goal } from "../lib/goals.ts";

interface Comparison {
  readonly net: () => Model;
  readonly train: Dataset;
  readonly test: Dataset;
  readonly moved: MapBatchFunction;
  readonly epochs: number;
  readonly seeds: number;
}

/** Trains a pair a seed: both begin with the same weights and see the pictures in the same order. */
export async function compareAugmentation({
  net,
  train,
  test,
  moved,
  epochs,
  seeds,
}: Comparison): Promise<readonly Goal[]> {
  const learn = async (data: Dataset, seed: number): Promise<number> => {
    random.seed(seed);
    const model = net();
    const learningRate = cosineDecay(2e-3, epochs * data.steps(64));
    model.compile({
      optimizer: adam(learningRate),
      loss: "sparseCategoricalCrossentropy",
      metrics: ["accuracy"],
    });
    await model.fit(data, { epochs, batchSize: 64, seed, verbose: 0 });
    return (await model.evaluate(test, { batchSize: 500 }))["accuracy"];
  };
  console.log(
    `\n${train.length} pictures, ${epochs} epochs, ${test.length} to test on; as they are, or moved and mirrored`,
  );
  const pairs: (readonly [plain: number, augmented: number])[] = [];
  for (let seed = 1; seed <= seeds; seed++) {
    const pair = [await learn(train, seed), await learn(train.mapBatches(moved), seed)] as const;
    pairs.push(pair);
    console.log(`seed ${seed}: ${pair.map((a) => `${(100 * a).toFixed(1)} %`).join(" and ")}`);
  }
  const meanOf = (values: readonly number[]): number => values.reduce((a, v) => a + v, 0) / values.length;
  const arms = [0, 1].map((arm) => pairs.map((pair) => pair[arm]));
  const rows = ["as they are", "moved and mirrored"].map((name, arm) => [
    name,
    ...arms[arm].map((a) => `${(100 * a).toFixed(1)} %`),
    `${(100 * meanOf(arms[arm])).toFixed(1)} %`,
  ]);
  const header = ["", ...pairs.map((_, i) => `seed ${i + 1}`), "mean"];
  console.log(`\n${formatTable([header, ...rows], { header: true })}`);
  const gains = pairs.map(([plain, augmented]) => 100 * (augmented - plain));
  return [
    { what: "S-170: points gained by moving and mirroring, mean", value: meanOf(gains), is: "≥", goal: 1, digits: 1 },
    { what: "S-170: points gained, worst seed", value: Math.min(...gains), is: "≥", goal: 0, digits: 1 },
  ];
}
