// W2: MLP 784-256-128-10 with relu, batch 128, mean cross-entropy, Adam 1e-3.
import { dense, integers, oneHot, uniform, weights } from "../lib/random.mjs";

const batch = 128;
const sizes = [784, 256, 128, 10];
const images = () => uniform("x", [batch, sizes[0]], 0, 1);
const labels = () => integers("y", [batch], 10);
/** [w0, b0, w1, b1, w2, b2] */
const parameters = () =>
  [0, 1, 2].flatMap((k) => [dense(`w${k}`, sizes[k], sizes[k + 1]), weights(`b${k}`, [sizes[k + 1]], sizes[k])]);
const figure = (step) => ({ metric: "step", step, work: batch, unit: "samples/s" });

export async function* chainrule({ array, fill, trainer }) {
  const { crossEntropy, dense, relu, sequential } = await import("chainrule/nn");
  const { adam } = await import("chainrule/optim");
  const model = sequential([dense(256), relu, dense(128), relu, dense(10)], { inputShape: [784] });
  fill(model, parameters());
  yield figure(
    trainer({
      model,
      optimizer: adam(1e-3),
      data: [images(), labels()].map(array),
      loss: (x, y) => crossEntropy(model(x), y),
    }),
  );
}

export function* jax({ adam, affine, crossEntropy, nn, trainer }) {
  yield figure(
    trainer({
      optimizer: adam(1e-3),
      parameters: parameters(),
      data: { x: images(), y: oneHot(labels(), 10) },
      loss([w0, b0, w1, b1, w2, b2], { x, y }) {
        const h = nn.relu(affine(nn.relu(affine(x, w0, b0)), w1, b1));
        return crossEntropy(affine(h, w2, b2), y);
      },
    }),
  );
}

export function* tfjs({ adam, affine, array, crossEntropy, tf, trainer, variable }) {
  const p = parameters().map(variable);
  const [w0, b0, w1, b1, w2, b2] = p;
  const [x, y] = [images(), oneHot(labels(), 10)].map(array);
  yield figure(
    trainer({
      optimizer: adam(1e-3),
      parameters: p,
      loss: () => crossEntropy(affine(tf.relu(affine(tf.relu(affine(x, w0, b0)), w1, b1)), w2, b2), y),
    }),
  );
}
