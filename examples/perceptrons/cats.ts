/** Cat or not: 12288-20-7-5-1 on the pictures of the course notes, or on pictures of one's own in two classes. */
import { existsSync } from "node:fs";
import path from "node:path";
import { compiled, random, type Tensor, tensor, valueAndGrad } from "chainrule";
import { type Dataset, datasetOf, imageFolder, trainTestSplit } from "chainrule/data";
import { decodeHdf5, readFileBytes } from "chainrule/io";
import { binaryCrossentropy, dense, flatten, lecunNormal, type Model, relu, sequential } from "chainrule/nn";
import { sgd } from "chainrule/optim";
import type { Goal } from "../lib/goals.ts";

interface Pictures {
  readonly title: string;
  readonly train: Dataset;
  readonly test: Dataset;
}

/** The course's two files where they are, else a folder of pictures by class, a fifth of them held out. */
async function readPictures(folder: string): Promise<Pictures> {
  const fileOf = (part: string): string => path.join(folder, `${part}_catvnoncat.h5`);
  const parts = ["train", "test"];
  if (!parts.every((part) => existsSync(fileOf(part)))) {
    const { data, classNames } = await imageFolder(folder, { size: [64, 64] });
    if (classNames.length !== 2) throw new Error(`--cats needs two sub-folders, got ${classNames.join(", ")}`);
    const split = trainTestSplit(data, { testSize: 0.2, stratify: true, seed: 1 });
    return { title: classNames.join(" or "), train: split.train, test: split.test };
  }
  const [train, test] = await Promise.all(
    parts.map(async (part) => {
      const { arrays } = await decodeHdf5(await readFileBytes(fileOf(part)), fileOf(part));
      const [x, y] = [arrays[`${part}_set_x`], arrays[`${part}_set_y`]];
      return datasetOf({ x, y: { ...y, shape: [x.shape[0]] }, classes: 2, scale: 1 / 255 });
    }),
  );
  return { title: "cat or not", train, test };
}

/** A set as one batch on the device: x [n, 64, 64, 3], y [n, 1]. */
function wholeOf(data: Dataset): [x: Tensor, y: Tensor] {
  const { x, y } = data.all();
  if (y === null) throw new Error("the pictures have no labels");
  return [tensor(x.data, { shape: x.shape }), tensor(y.data).cast("float32").reshape([data.length, 1])];
}

/** Share of the pictures on the right side of 0. */
function rightOf(model: Model, x: Tensor, y: Tensor): number {
  const [scores, labels] = [model(x).dataSync(), Array.from(y.dataSync())];
  return labels.filter((label, i) => scores[i] > 0 === label > 0).length / labels.length;
}

/** The course's run: 2,500 steps down the gradient of all pictures, at 0.0075, from weights of variance 1/inputs. */
export async function learnCats(folder: string, seed: number): Promise<Goal> {
  const { title, train, test } = await readPictures(folder);
  const [steps, weights] = [2500, { kernelInitializer: lecunNormal() }];
  random.seed(seed);
  const model = sequential(
    [flatten(), dense(20, weights), relu, dense(7, weights), relu, dense(5, weights), relu, dense(1, weights)],
    { inputShape: [64, 64, 3], name: "12288-20-7-5-1" },
  );
  console.log(`\n${title}: ${train.length} pictures to learn from, ${test.length} to test on\n${model.summary()}`);
  const [x, y] = wholeOf(train);
  const optimizer = sgd(0.0075);
  const loss = binaryCrossentropy({ fromLogits: true });
  const step = compiled((pictures: Tensor, labels: Tensor) => {
    const [value, grads] = valueAndGrad(model, () => loss(model(pictures), labels));
    optimizer.update(model, grads);
    return value;
  });
  for (let i = 1; i <= steps; i++) {
    const cost = step(x, y);
    if (i % 500 !== 0) continue;
    console.log(`step ${i}: cost ${cost.item().toFixed(4)}, right ${(100 * rightOf(model, x, y)).toFixed(1)} %`);
  }
  const found = rightOf(model, ...wholeOf(test));
  return { what: `${title}, ${test.length} pictures not seen, seed ${seed}`, value: found, is: "≥", goal: 0.76 };
}
