// TensorFlow.js, on its plain JavaScript or its WebAssembly backend. Images are NHWC, kernels HWIO.
import path from "node:path";
import { createRequire } from "node:module";
import * as tf from "@tensorflow/tfjs";

export { tf };

export let backend = "cpu";

export async function start(peer) {
  backend = peer === "tfjs-wasm" ? "wasm" : "cpu";
  if (backend === "wasm") {
    const { setWasmPaths } = await import("@tensorflow/tfjs-backend-wasm");
    const main = createRequire(import.meta.url).resolve("@tensorflow/tfjs-backend-wasm/package.json");
    setWasmPaths(path.join(path.dirname(main), "dist") + path.sep);
  }
  await tf.setBackend(backend);
  await tf.ready();
}

export const array = ({ data, shape }) => tf.tensor(data, shape);
export const variable = (init) => tf.variable(array(init));
export const affine = (x, weight, bias) => tf.add(tf.matMul(x, weight), bias);
export const crossEntropy = (logits, target) => tf.losses.softmaxCrossEntropy(target, logits);
export const adam = (rate) => tf.train.adam(rate, 0.9, 0.999, 1e-8);

/** The gradient of a row look-up is missing on the wasm backend: there rows are looked up by a matrix product. */
export function lookup(table, { data }) {
  if (backend !== "wasm") {
    const rows = tf.tensor1d(data, "int32");
    return () => tf.gather(table, rows);
  }
  const rows = tf.oneHot(tf.tensor1d(data, "int32"), table.shape[0]).toFloat();
  return () => tf.matMul(rows, table);
}

/** A training step: `loss()` gives a scalar of the variables; the wait is for its value. */
export function trainer({ optimizer, parameters, loss }) {
  return async () => {
    const value = optimizer.minimize(loss, true, parameters);
    const [number] = await value.data();
    value.dispose();
    return number;
  };
}

/** tfjs has no AdamW: the weights are shrunk by hand between gradient and Adam. */
export function decayingTrainer({ optimizer, parameters, loss, factor }) {
  return async () => {
    const { value, grads } = tf.variableGrads(loss, parameters);
    tf.tidy(() => parameters.forEach((p) => p.assign(tf.mul(p, factor))));
    optimizer.applyGradients(grads);
    const [number] = await value.data();
    tf.dispose(grads);
    value.dispose();
    return number;
  };
}
