/**
 * The examples by their command: they reach their goals and draw their pictures. A test names its system where the whole example
 * reaches all of the row's figures; the others run on fewer samples, with lower goals. Rows whose data no package has are run where
 * a variable names a folder with it: CHAINRULE_TEST_CATS (train_catvnoncat.h5 and test_catvnoncat.h5), CHAINRULE_TEST_CIFAR10 (what
 * cifar10({ folder }) takes; SYS-06 wants Fashion-MNIST installed, too).
 */
import { execFile } from "node:child_process";
import { existsSync, rmSync, statSync } from "node:fs";
import path from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";

const ROOT = path.resolve(import.meta.dirname, "../..");

/** What an example prints; it throws when a goal is not reached. */
async function example(name: string, args: readonly string[], pictures: readonly string[]): Promise<string> {
  const files = pictures.map((p) => path.join(ROOT, "runs", name, p));
  for (const file of files) rmSync(file, { force: true });
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [path.join(ROOT, "scripts/example.mjs"), name, ...args],
    { cwd: ROOT, maxBuffer: 1e8 },
  );
  for (const file of files) {
    expect(existsSync(file), file).toBe(true);
    expect(statSync(file).size, file).toBeGreaterThan(300);
  }
  expect(stdout).not.toContain("NOT REACHED");
  return stdout;
}
const reached = (text: string): number => text.split("\n").filter((line) => line.endsWith("reached")).length;

test("perceptrons: multi-layer perceptrons: a flower, a gradient check, MNIST", { timeout: 180_000 }, async () => {
  const text = await example("perceptrons", ["--epochs", "5", "--train", "12000"], ["planar.png", "mnist.svg"]);
  expect(reached(text)).toBe(3);
  expect(text).toContain("109,386");
});

test("SYS-03 softmax and SVM linear classifiers", { timeout: 180_000 }, async () => {
  const args = ["--epochs", "4", "--train", "6000"];
  expect(reached(await example("linear-classifiers", args, ["softmax.png", "hinge.png", "loss.svg"]))).toBe(3);
});

/** A folder that a variable names, and what the title of a test says where none does. */
function folderIn(variable: string): { folder: string | undefined; or: string } {
  const folder = process.env[variable];
  return { folder, or: folder === undefined ? ` (skipped: ${variable} names no folder)` : "" };
}

const cats = folderIn("CHAINRULE_TEST_CATS");
test.skipIf(cats.folder === undefined)(
  `SYS-02 multi-layer perceptrons: a flower, a gradient check, MNIST, cats${cats.or}`,
  { timeout: 1_200_000 },
  async () => {
    expect(reached(await example("perceptrons", ["--cats", String(cats.folder)], ["planar.png", "mnist.svg"]))).toBe(4);
  },
);

test("SYS-04 k-NN with cross-validated K", { timeout: 180_000 }, async () => {
  const text = await example("neighbours", [], ["accuracy.svg", "misread.png"]);
  expect(reached(text)).toBe(2);
  expect(text).toMatch(/samples kept +31.4 MB/);
  expect(text).toMatch(/1000 digits read in +\d+\.\d\d s/);
});

test("SYS-05 linear regression: descents within 1 % of the closed form", { timeout: 180_000 }, async () => {
  expect(reached(await example("housing", [], ["predicted.svg", "coefficients.svg", "loss.svg"]))).toBe(6);
});

test("convolution: LeNet-5 on MNIST, parameter table exact", { timeout: 180_000 }, async () => {
  const args = ["--data", "mnist", "--epochs", "3", "--train", "8000"];
  const text = await example("convolution", args, ["mnist.svg", "mnist-misread.png"]);
  expect(reached(text)).toBe(2);
  for (const count of ["156", "2,416", "48,120", "10,164", "850", "61,706"]) expect(text).toContain(count);
});

const cifar = folderIn("CHAINRULE_TEST_CIFAR10");
test.skipIf(cifar.folder === undefined)(
  `SYS-06 LeNet-5 on MNIST and Fashion-MNIST, a small network on CIFAR-10${cifar.or}`,
  { timeout: 3_600_000 },
  async () => {
    expect(reached(await example("convolution", ["--data", "mnist,fashion"], ["mnist.svg", "fashion.svg"]))).toBe(4);
    const args = ["--data", "cifar10", "--folder", String(cifar.folder)];
    expect(reached(await example("convolution", args, ["cifar10.svg", "cifar10-misread.png"]))).toBe(2);
  },
);

test.skipIf(cifar.folder === undefined)(
  `S-170 pictures of CIFAR-10 cut out at random and mirrored: better on others than without${cifar.or}`,
  { timeout: 3_600_000 },
  async () => {
    const args = ["--data", "cifar10", "--folder", String(cifar.folder), "--train", "2000", "--compare", "3"];
    expect(reached(await example("convolution", args, []))).toBe(2);
  },
);

test("SYS-28 ensemble and bagging", { timeout: 180_000 }, async () => {
  const args = ["--models", "3", "--epochs", "3", "--train", "3000"];
  expect(reached(await example("ensemble", args, ["growth.svg"]))).toBe(4);
});

test(
  "SYS-31 Keras: the notes' snippet, a table, one-hot classes, two heads on MNIST",
  { timeout: 180_000 },
  async () => {
    const text = await example("keras", ["--epochs", "2"], ["table.svg", "digits.svg", "two-heads.svg"]);
    expect(reached(text)).toBe(6);
    for (const count of ["61", "27,243"]) expect(text).toMatch(new RegExp(`^Total +${count} `, "m"));
  },
);

test(
  "SYS-26 hyperparameter search: 30 random trials in parallel, then around the best; the test read once",
  { timeout: 400_000 },
  async () => {
    const text = await example("hyperparameters", ["--fresh", "--images", "1500"], ["coarse.svg", "fine.svg"]);
    expect(reached(text)).toBe(5);
    expect(text).toContain("30/30");
    expect(text).toContain("15/15");
  },
);

test(
  "SYS-27 ingredients: one network with every optimizer, initialiser, regulariser and normaliser, and their formulas",
  { timeout: 500_000 },
  async () => {
    const groups = "descents,adaptives,adams,initializers,penalties,disturbances,augmentations,normalizers,inputs";
    const text = await example(
      "ingredients",
      ["--train", "1500", "--test", "2000", "--only", groups],
      ["descents", "adams", "initializers", "penalties", "normalizers"].flatMap((n) => [
        `${n}.svg`,
        `${n}-accuracy.svg`,
      ]),
    );
    expect(reached(text)).toBe(4);
    for (const id of ["S-113", "S-130", "S-086", "S-148", "S-157", "S-181"])
      expect(text).toMatch(new RegExp(`^${id} `, "m"));
  },
);

test(
  "SYS-29 diagnosis: a planted bug by its component, three runs judged, saturation and gradient norms",
  { timeout: 400_000 },
  async () => {
    expect(reached(await example("diagnosis", [], ["300-images.svg"]))).toBe(6);
  },
);

test(
  "SYS-30 explanation: the peak of the activation map on the object; saliency, occlusion and maps as pictures",
  { timeout: 400_000 },
  async () => {
    const args = ["--epochs", "3", "--train", "6000", "--test", "500"];
    expect(reached(await example("explanation", args, ["maps.png", "filters.png", "model.svg"]))).toBe(2);
  },
);
