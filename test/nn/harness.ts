import { expect } from "vitest";
import { foldKey, keyOfSeed, type DType } from "../../src/base/index.ts";
import { setSeed } from "../../src/base/context.ts";
import { valueAndGrad } from "../../src/autodiff/index.ts";
import {
  dense,
  flatten,
  input,
  type Layer,
  layerFromConfig,
  type LayerConfig,
  meanSquaredError,
  model,
  type Symbolic,
} from "../../src/nn/index.ts";
import { sgd } from "../../src/optim/index.ts";
import { mul, sum, Tensor, tensor } from "../../src/tensor/index.ts";
import { sampleNormal } from "../../src/nn/sampling.ts";

/** One kind of layer, as the harness tries it. */
export interface LayerCase {
  readonly name: string;
  readonly make: () => Layer;
  /** Shapes of the inputs, batch included; one for most layers. */
  readonly inputs: readonly (readonly number[])[];
  /** Shape of the output. */
  readonly output: readonly number[];
  /** Inputs are whole numbers below this. */
  readonly below?: number;
  /** Training gives other numbers than evaluation. */
  readonly modes?: boolean;
  /** Numbers of variables: [shape, ...]. */
  readonly variables?: readonly (readonly number[])[];
}

/** Normal numbers of a seed, or whole numbers below `below`. */
export function numbers(seed: number, shape: readonly number[], dtype: DType = "float32", below?: number): Tensor {
  const data = sampleNormal(foldKey(keyOfSeed(99), seed), shape, "float64", 0, 1);
  if (below !== undefined)
    return tensor(
      Int32Array.from(data, (v) => Math.floor(Math.abs(v) * 1000) % below),
      { shape },
    );
  return tensor(data, { shape, dtype });
}

/** The elements. */
export const list = (x: Tensor): number[] => [...x.dataSync()];

/** Throws unless all elements are within `off` of `want`. */
export function near(got: Tensor | readonly number[], want: readonly number[], off = 1e-6): void {
  const g = got instanceof Tensor ? list(got) : got;
  expect(g.length).toBe(want.length);
  g.forEach((v, i) => expect(Math.abs(v - want[i]), `${i}: ${v} against ${want[i]}`).toBeLessThanOrEqual(off));
}

const inputsOf = (c: LayerCase, dtype: DType): Tensor[] =>
  c.inputs.map((shape, i) => numbers(i, shape, dtype, c.below));
const callOn = (layer: Layer, xs: readonly Tensor[], training = false): Tensor =>
  layer(xs.length === 1 ? xs[0] : xs, { training });

/** All that holds for every layer, in one call. */
export function checkLayer(c: LayerCase): void {
  checkShapes(c);
  checkModes(c);
  checkRoundTrip(c);
  checkGradient(c);
  checkStep(c);
}

/** The promised shapes: called, inferred with an open batch, and on symbolic inputs. */
function checkShapes(c: LayerCase): void {
  const layer = c.make();
  expect(layer.built).toBe(false);
  const open = c.inputs.map(([, ...rest]) => [null, ...rest]);
  const dtype: DType = c.below === undefined ? "float32" : "int32";
  expect(layer.outputShape(open, dtype)).toEqual([null, ...c.output.slice(1)]);
  expect(layer.built).toBe(true);
  expect(callOn(layer, inputsOf(c, "float32")).shape).toEqual(c.output);
  expect(layer.variables.map((v) => v.shape)).toEqual(c.variables ?? []);
  const symbols = c.inputs.map(([, ...rest]) => input(rest, { dtype }));
  const out: Symbolic = layer(symbols.length === 1 ? symbols[0] : symbols);
  expect(out.shape).toEqual([null, ...c.output.slice(1)]);
}

/** Evaluation repeats itself to the bit and leaves the variables alone. */
function checkModes(c: LayerCase): void {
  const layer = c.make();
  const xs = inputsOf(c, "float32");
  const first = callOn(layer, xs).dataSync();
  const before = layer.variables.map((v) => v.dataSync());
  expect(callOn(layer, xs).dataSync()).toEqual(first);
  expect(layer.variables.map((v) => v.dataSync())).toEqual(before);
  const training = callOn(layer, xs, true).dataSync();
  if (c.modes === true) expect(training).not.toEqual(first);
  else expect(training).toEqual(first);
}

/** JSON and weights make the same layer again. */
function checkRoundTrip(c: LayerCase): void {
  const layer = c.make();
  const xs = inputsOf(c, "float32");
  const y = callOn(layer, xs).dataSync();
  const json = JSON.stringify({ class: layer.class, name: "again", config: layer.config() });
  const again = layerFromConfig(JSON.parse(json) as LayerConfig);
  expect(again.name).toBe("again");
  expect(again.config()).toEqual(layer.config());
  callOn(again, xs);
  again.variables.forEach((v, i) => v.assign(layer.variables[i]));
  expect(callOn(again, xs).dataSync()).toEqual(y);
}

/** Reverse mode against centred differences in float64, by inputs and by variables, along a random direction of the output. */
function checkGradient(c: LayerCase): void {
  const layer = c.make();
  const xs = inputsOf(c, "float64");
  callOn(layer, xs);
  const direction = numbers(50, c.output, layer.variables[0]?.dtype ?? xs[0].dtype);
  const of = (...at: Tensor[]): Tensor => sum(mul(callOn(layer, at), direction));
  if (c.below === undefined) {
    const [, grads] = valueAndGrad(of, { argnums: xs.map((_, i) => i) })(...xs);
    xs.forEach((x, i) => {
      compare(x, grads[i], (moved) => of(...xs.map((t, k) => (k === i ? moved : t))).item(), `input ${i}`);
    });
  }
  const variables = layer.trainableVariables.filter((v) => v.dtype === "float64");
  if (variables.length === 0) return;
  const [, grads] = valueAndGrad(layer, () => of(...xs));
  variables.forEach((v, i) => {
    const value = tensor(v.dataSync(), { shape: v.shape });
    compare(
      value,
      grads[i],
      (moved) => {
        v.assign(moved);
        const loss = of(...xs).item();
        v.assign(value);
        return loss;
      },
      v.name,
    );
  });
}

/** A few components of a gradient against (f(x + h) − f(x − h)) / 2h. */
function compare(x: Tensor, gradient: Tensor, f: (moved: Tensor) => number, name: string): void {
  const g = gradient.dataSync();
  const h = 1e-5;
  const stride = Math.max(1, Math.floor(x.size / 7));
  for (let i = 0; i < x.size; i += stride) {
    const at = (d: number): number => {
      const data = x.dataSync();
      data[i] += d;
      return f(tensor(data, { shape: x.shape }));
    };
    const want = (at(h) - at(-h)) / (2 * h);
    expect(Math.abs(g[i] - want), `${name}[${i}]: ${g[i]} against ${want}`).toBeLessThan(
      1e-6 * Math.max(1, Math.abs(want)),
    );
  }
}

/** Some steps of a small network around the layer lower its loss. */
function checkStep(c: LayerCase): void {
  setSeed(3);
  const xs = inputsOf(c, "float32");
  const symbols = c.inputs.map(([, ...rest]) => input(rest, { dtype: c.below === undefined ? "float32" : "int32" }));
  const layer = c.make();
  const out: Symbolic = layer(symbols.length === 1 ? symbols[0] : symbols);
  const net = model(symbols, dense(1)(flatten()(out)));
  const target = numbers(70, [c.inputs[0][0], 1]);
  const loss = (): Tensor => meanSquaredError(net(xs.length === 1 ? xs[0] : xs), target);
  const before = loss().item();
  const optimizer = sgd(0.01);
  for (let i = 0; i < 3; i++) {
    const [, grads] = valueAndGrad(net, loss);
    optimizer.update(net, grads);
  }
  expect(loss().item()).toBeLessThan(before);
}
