// The same program as chainrule.mjs, by the core alone and its WebAssembly backend: the least that this peer needs.
import "@tensorflow/tfjs-backend-wasm";
import * as tf from "@tensorflow/tfjs-core";

await tf.setBackend("wasm");
const [w0, w1] = [
  [784, 128],
  [128, 10],
].map((shape) => tf.variable(tf.randomUniform(shape, -0.05, 0.05)));
const [b0, b1] = [128, 10].map((n) => tf.variable(tf.zeros([n])));
const optimizer = tf.train.sgd(0.1);
globalThis.train = (x, y) =>
  optimizer.minimize(() => {
    const h = tf.relu(tf.add(tf.matMul(tf.tensor2d(x, [128, 784]), w0), b0));
    const target = tf.oneHot(tf.tensor1d(y, "int32"), 10);
    return tf.losses.softmaxCrossEntropy(target, tf.add(tf.matMul(h, w1), b1));
  }, true);
