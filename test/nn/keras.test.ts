/** Every layer and its gradients against Keras (test/fixtures/keras_layers.json, made by make_keras.py), in both precisions. */
import { describe, expect, test } from "vitest";
import { valueAndGrad } from "../../src/autodiff/index.ts";
import type { DType } from "../../src/base/index.ts";
import * as nn from "../../src/nn/index.ts";
import { mul, sum, type Tensor } from "../../src/tensor/index.ts";
import { difference } from "../support/compare.ts";
import { load, type Numbers, readFixture } from "../support/fixtures.ts";

interface KerasCase {
  readonly name: string;
  readonly class: string;
  readonly config: nn.Config;
  readonly training: boolean;
  readonly inputs: readonly Numbers[];
  readonly weights: readonly Numbers[];
  readonly y: Numbers;
  readonly dy: Numbers;
  readonly dinputs: readonly (Numbers | null)[];
  readonly dweights: readonly (Numbers | null)[];
  /** The variables after a call that changes them. */
  readonly after?: readonly Numbers[];
}

const CASES = readFixture<KerasCase>("keras_layers");

/** Within 1e-5 (float32) or 1e-10 (float64) of what is wanted, relative to it or to the largest. */
function same(got: Tensor, want: Numbers, dtype: DType, what: string): void {
  expect(got.shape, what).toEqual(want.shape);
  const off = dtype === "float64" ? 1e-10 : 1e-5;
  const why = difference(got.dataSync(), Float64Array.from(want.data), got.dtype, {
    relative: off,
    ofLargest: off,
    absolute: off / 100,
  });
  if (why !== null) expect.fail(`${what}: ${why}`);
}

function check(c: KerasCase, dtype: DType): void {
  const layer = nn.layerFromConfig({ class: c.class, name: c.class, config: c.config });
  const whole = c.dinputs[0] === null;
  const xs = c.inputs.map((x) => load(x, whole ? "int32" : dtype));
  const call = (...at: Tensor[]): Tensor => layer(at.length === 1 ? at[0] : at, { training: c.training });
  // A table of an embedding is float32 whatever its indices are.
  if (whole && dtype === "float64") return;
  call(...xs);
  expect(layer.variables.map((v) => v.shape)).toEqual(c.weights.map((w) => w.shape));
  const put = (): void => layer.variables.forEach((v, i) => v.assign(load(c.weights[i], dtype)));
  put();
  same(call(...xs), c.y, dtype, "y");
  c.after?.forEach((v, i) => same(layer.variables[i], v, dtype, `weight ${i} after the call`));
  const dy = load(c.dy, dtype);
  if (!whole) {
    put();
    const [, grads] = valueAndGrad((...at: Tensor[]) => sum(mul(call(...at), dy)), { argnums: xs.map((_, i) => i) })(
      ...xs,
    );
    grads.forEach((g, i) => same(g, c.dinputs[i] as Numbers, dtype, `gradient of input ${i}`));
  }
  const trained = c.dweights.filter((w) => w !== null);
  if (trained.length === 0) return;
  put();
  const [, grads] = valueAndGrad(layer, () => sum(mul(call(...xs), dy)));
  expect(grads.length).toBe(trained.length);
  grads.forEach((g, i) => same(g, trained[i], dtype, `gradient of weight ${i}`));
}

describe("as in Keras", () => {
  test.each(CASES)("$name", (c) => {
    check(c, "float64");
    check(c, "float32");
  });
  test("all kinds of layers are here but those that draw random numbers", () => {
    const seen = new Set(CASES.map((c) => c.class));
    const random = ["dropout", "spatialDropout", "alphaDropout", "gaussian"];
    const left = Object.keys(nn.layerTable).filter((k) => !seen.has(k) && !random.some((r) => k.startsWith(r)));
    expect(left).toEqual(["activityRegularization", "globalAvgPool", "globalMaxPool"]);
  });
});
