// W3: LeNet-5 on 28×28, batch 64, mean cross-entropy, Adam 1e-3: conv 6 5×5 same, relu, max pool 2, conv 16 5×5, relu,
// max pool 2, dense 120, 84, 10.
import { dense, images, integers, kernel, oneHot, permute, weights } from "../lib/random.mjs";

const batch = 64;
const x = (nchw) => images("x", [batch, 28, 28, 1], nchw, 0, 1);
const labels = () => integers("y", [batch], 10);
/** The first dense weight reads features in C, H, W order as drawn; NHWC peers flatten to H, W, C. */
function firstDense(nchw) {
  const drawn = dense("w0", 400, 120);
  if (nchw) return drawn;
  const { data } = permute({ data: drawn.data, shape: [16, 5, 5, 120] }, [1, 2, 0, 3]);
  return { data, shape: [400, 120] };
}
/** [c1, c1b, c2, c2b, w0, b0, w1, b1, w2, b2] */
const parameters = (nchw) => [
  kernel("c1", 1, 6, 5, nchw),
  weights("c1b", [6], 25),
  kernel("c2", 6, 16, 5, nchw),
  weights("c2b", [16], 150),
  firstDense(nchw),
  weights("b0", [120], 400),
  dense("w1", 120, 84),
  weights("b1", [84], 120),
  dense("w2", 84, 10),
  weights("b2", [10], 84),
];
const figure = (step) => ({ metric: "step", step, work: batch, unit: "samples/s" });

export async function* chainrule({ array, fill, trainer }) {
  const { conv2d, crossEntropy, dense, flatten, maxPool2d, relu, sequential } = await import("chainrule/nn");
  const { adam } = await import("chainrule/optim");
  const model = sequential(
    [
      ...[conv2d(6, 5, { padding: "same" }), relu, maxPool2d(2), conv2d(16, 5), relu, maxPool2d(2)],
      ...[flatten(), dense(120), relu, dense(84), relu, dense(10)],
    ],
    { inputShape: [28, 28, 1] },
  );
  fill(model, parameters());
  yield figure(
    trainer({
      model,
      optimizer: adam(1e-3),
      data: [x(), labels()].map(array),
      loss: (x, y) => crossEntropy(model(x), y),
    }),
  );
}

export function* jax({ adam, affine, conv2d, crossEntropy, nn, np, trainer }) {
  // faster in this peer than its own reduceWindow
  const pool = (h) => {
    const [n, c, height, width] = h.shape;
    return np.max(h.reshape([n, c, height / 2, 2, width / 2, 2]), [3, 5]);
  };
  const bias = (h, b) => h.add(b.reshape([1, h.shape[1], 1, 1]));
  yield figure(
    trainer({
      optimizer: adam(1e-3),
      parameters: parameters(true),
      data: { x: x(true), y: oneHot(labels(), 10) },
      loss([c1, c1b, c2, c2b, w0, b0, w1, b1, w2, b2], { x, y }) {
        let h = pool(nn.relu(bias(conv2d(x, c1, 1, 2), c1b)));
        h = pool(nn.relu(bias(conv2d(h, c2), c2b))).reshape([batch, 400]);
        h = nn.relu(affine(nn.relu(affine(h, w0, b0)), w1, b1));
        return crossEntropy(affine(h, w2, b2), y);
      },
    }),
  );
}

export function* tfjs({ adam, affine, array, crossEntropy, tf, trainer, variable }) {
  const p = parameters().map(variable);
  const [c1, c1b, c2, c2b, w0, b0, w1, b1, w2, b2] = p;
  const [input, target] = [x(), oneHot(labels(), 10)].map(array);
  const block = (h, w, b, padding) => tf.maxPool(tf.relu(tf.add(tf.conv2d(h, w, 1, padding), b)), 2, 2, "valid");
  yield figure(
    trainer({
      optimizer: adam(1e-3),
      parameters: p,
      loss() {
        let h = block(block(input, c1, c1b, "same"), c2, c2b, "valid").reshape([batch, 400]);
        h = tf.relu(affine(tf.relu(affine(h, w0, b0)), w1, b1));
        return crossEntropy(affine(h, w2, b2), target);
      },
    }),
  );
}
