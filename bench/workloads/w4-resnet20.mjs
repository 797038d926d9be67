// W4: ResNet-20 on 32×32×3, batch 32, mean cross-entropy, SGD 0.01 with momentum 0.9. Batch norm (eps 1e-5) with running
// statistics (a tenth of the batch's each step); where the shape changes, the shortcut is a 1×1 convolution and batch norm.
import { constant, dense, images, integers, kernel, oneHot, weights } from "../lib/random.mjs";

const batch = 32;
const x = (nchw) => images("x", [batch, 32, 32, 3], nchw);
const labels = () => integers("y", [batch], 10);
const figure = (step) => ({ metric: "step", step, work: batch, unit: "samples/s" });

/** Nine residual blocks: name, channels in and out, stride. */
const blocks = [16, 32, 64].flatMap((outputs, stage) =>
  [0, 1, 2].map((k) => ({
    name: `s${stage}b${k}`,
    inputs: k > 0 || stage === 0 ? outputs : outputs / 2,
    outputs,
    stride: k === 0 && stage > 0 ? 2 : 1,
  })),
);

/**
 * The network over a peer's own parts: `norm(channels)` gives a function, `keep(init)` a parameter (or a handle to one)
 * and `conv(h, handle, stride, padding)`, `relu`, `add`, `head` compute.
 */
function resnet({ keep, norm, conv, relu, add, head }, nchw) {
  const unit = (name, inputs, outputs, size, stride) => {
    const w = keep(kernel(name, inputs, outputs, size, nchw));
    const normalise = norm(outputs);
    return (h) => normalise(conv(h, w, stride, size === 3 ? 1 : 0));
  };
  const stem = unit("stem", 3, 16, 3, 1);
  const body = blocks.map(({ name, inputs, outputs, stride }) => {
    const first = unit(`${name}c1`, inputs, outputs, 3, stride);
    const second = unit(`${name}c2`, outputs, outputs, 3, 1);
    const shortcut = stride > 1 ? unit(`${name}sc`, inputs, outputs, 1, stride) : (h) => h;
    return (h) => relu(add(second(relu(first(h.ref ?? h))), shortcut(h)));
  });
  const w = keep(dense("fc", 64, 10));
  const b = keep(weights("fcb", [10], 64));
  return (h) =>
    head(
      body.reduce((h, block) => block(h), relu(stem(h))),
      w,
      b,
    );
}

export async function* chainrule({ array, netOf, parameter, trainer }) {
  const { add, conv, matmul, mean, relu } = await import("chainrule");
  const { batchNorm, crossEntropy } = await import("chainrule/nn");
  const { sgd } = await import("chainrule/optim");
  const variables = [];
  const keep = (init) => variables[variables.push(parameter(init)) - 1];
  const norm = (channels) => {
    const layer = batchNorm({ momentum: 0.9, epsilon: 1e-5 });
    layer.build([null, null, null, channels]);
    variables.push(...layer.variables);
    return (h) => layer(h, { training: true });
  };
  const net = resnet({
    keep,
    norm,
    conv: (h, w, strides, padding) => conv(h, w, { strides, padding }),
    relu,
    add,
    head: (h, w, b) => add(matmul(mean(h, [1, 2]), w), b),
  });
  yield figure(
    trainer({
      model: netOf(variables),
      optimizer: sgd({ learningRate: 0.01, momentum: 0.9 }),
      data: [x(), labels()].map(array),
      loss: (x, y) => crossEntropy(net(x), y),
    }),
  );
}

export function* jax({ affine, conv2d, crossEntropy, nn, np, sgd, trainer }) {
  const parameters = [];
  const statistics = [];
  let p; // of the loss being traced
  let old;
  let renewed;
  const keep = (init) => parameters.push(init) - 1;
  const norm = (channels) => {
    const gamma = keep(constant([channels], 1));
    const beta = keep(constant([channels], 0));
    const slot = statistics.push(constant([channels], 0), constant([channels], 1)) - 2;
    const wide = (v) => v.reshape([1, channels, 1, 1]);
    return (h) => {
      const n = h.shape.reduce((a, b) => a * b, 1) / channels;
      const mean = np.mean(h.ref, [0, 2, 3], { keepdims: true });
      const centred = h.sub(mean.ref);
      const variance = np.mean(np.square(centred.ref), [0, 2, 3], { keepdims: true });
      renewed[slot] = old[slot].mul(0.9).add(mean.reshape([channels]).mul(0.1));
      renewed[slot + 1] = old[slot + 1].mul(0.9).add(variance.ref.reshape([channels]).mul((0.1 * n) / (n - 1)));
      return centred.mul(wide(p[gamma]).div(np.sqrt(variance.add(1e-5)))).add(wide(p[beta]));
    };
  };
  const net = resnet(
    {
      keep,
      norm,
      conv: (h, w, stride, padding) => conv2d(h, p[w], stride, padding),
      relu: nn.relu,
      add: (a, b) => a.add(b),
      head: (h, w, b) => affine(np.mean(h, [2, 3]), p[w], p[b]),
    },
    true,
  );
  yield {
    ...figure(
      trainer({
        optimizer: sgd(0.01, 0.9),
        parameters,
        statistics,
        data: { x: x(true), y: oneHot(labels(), 10) },
        loss(q, { x, y }, running) {
          [p, old, renewed] = [q, running, []];
          return [crossEntropy(net(x), y), renewed];
        },
      }),
    ),
    warm: 0,
  };
}

export function* tfjs({ affine, array, crossEntropy, tf, trainer, variable }) {
  const p = [];
  const keep = (init) => p[p.push(variable(init)) - 1];
  const norm = (channels) => {
    const gamma = keep(constant([channels], 1));
    const beta = keep(constant([channels], 0));
    const runningMean = tf.variable(tf.zeros([channels]), false);
    const runningVariance = tf.variable(tf.ones([channels]), false);
    return (h) => {
      const { mean, variance } = tf.moments(h, [0, 1, 2]);
      const n = h.size / channels;
      runningMean.assign(tf.add(tf.mul(runningMean, 0.9), tf.mul(mean, 0.1)));
      runningVariance.assign(tf.add(tf.mul(runningVariance, 0.9), tf.mul(variance, (0.1 * n) / (n - 1))));
      return tf.batchNorm(h, mean, variance, beta, gamma, 1e-5);
    };
  };
  const net = resnet({
    keep,
    norm,
    conv: (h, w, stride, padding) => tf.conv2d(h, w, stride, padding),
    relu: tf.relu,
    add: tf.add,
    head: (h, w, b) => affine(tf.mean(h, [1, 2]), w, b),
  });
  const [input, target] = [x(), oneHot(labels(), 10)].map(array);
  yield {
    ...figure(
      trainer({ optimizer: tf.train.momentum(0.01, 0.9), parameters: p, loss: () => crossEntropy(net(input), target) }),
    ),
    warm: 0,
  };
}
