// The same program as chainrule.mjs, by the layers and the plain JavaScript backend.
import * as tf from "@tensorflow/tfjs";

const model = tf.sequential({
  layers: [
    tf.layers.dense({ inputShape: [784], units: 128, activation: "relu" }),
    tf.layers.dense({ units: 10, activation: "softmax" }),
  ],
});
model.compile({ optimizer: tf.train.sgd(0.1), loss: "sparseCategoricalCrossentropy" });
globalThis.train = (x, y) => model.trainOnBatch(tf.tensor2d(x, [128, 784]), tf.tensor1d(y));
