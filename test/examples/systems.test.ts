/**
 * The examples by their command, on fewer samples: they reach their (lower) goals and draw their pictures. A test names its system
 * where the whole example has reached all of the row's figures; the others lack data here, or a full run.
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

test("neighbours: k-NN with cross-validated K", { timeout: 180_000 }, async () => {
  const text = await example("neighbours", ["--train", "1500", "--test", "500"], ["accuracy.svg", "misread.png"]);
  expect(reached(text)).toBe(2);
  expect(text).toMatch(/samples kept +4.7 MB/);
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

test("SYS-28 ensemble and bagging", { timeout: 180_000 }, async () => {
  const args = ["--models", "3", "--epochs", "3", "--train", "3000"];
  expect(reached(await example("ensemble", args, ["growth.svg"]))).toBe(4);
});
