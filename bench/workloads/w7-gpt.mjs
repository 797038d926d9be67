// W7: GPT, 4 pre-norm blocks of width 128 with 4 heads, 8 sequences of 128 tokens over 64 symbols, tanh-gelu, mean
// cross-entropy, AdamW 3e-4 with decay 0.1 on every parameter.
import { causalMask, constant, dense, integers, oneHot, weights } from "../lib/random.mjs";

const [blocks, width, heads, context, batch, symbols] = [4, 128, 4, 128, 8, 64];
const tokens = () => integers("x", [batch * context], symbols);
const targets = () => integers("y", [batch * context], symbols);
const figure = (step) => ({ metric: "step", step, work: batch * context, unit: "tokens/s", least: 2 });
const [rate, decay] = [3e-4, 0.1];

const norm = () => [constant([width], 1), constant([width], 0)];
const linear = (name, inputs, outputs) => [dense(name, inputs, outputs), weights(`${name}b`, [outputs], inputs)];
/** Each block: gamma, beta, qkv, bias, projection, bias, gamma, beta, up, bias, down, bias. */
const blockParameters = (i) => [
  ...norm(),
  ...linear(`l${i}qkv`, width, 3 * width),
  ...linear(`l${i}pr`, width, width),
  ...norm(),
  ...linear(`l${i}f1`, width, 4 * width),
  ...linear(`l${i}f2`, 4 * width, width),
];
/** Token table, position table, the blocks, and at the end gamma, beta and the head. */
const parameters = () => [
  weights("te", [symbols, width], width),
  weights("pe", [context, width], width),
  ...Array.from({ length: blocks }, (_, i) => blockParameters(i)).flat(),
  ...norm(),
  dense("head", width, symbols),
];
const blockOf = (p, i) => p.slice(2 + 12 * i, 14 + 12 * i);

export async function* chainrule({ array, netOf, parameter, trainer }) {
  const { add, gelu, matmul, mean, mul, reshape, rsqrt, softmax, split, square, sub, swapaxes, take, transpose } =
    await import("chainrule");
  const { crossEntropy } = await import("chainrule/nn");
  const { adamw } = await import("chainrule/optim");
  const p = parameters().map(parameter);
  const affine = (x, w, b) => add(matmul(x, w), b);
  const layerNorm = (h, gamma, beta) => {
    const centred = sub(h, mean(h, -1, { keepdims: true }));
    const variance = mean(square(centred), -1, { keepdims: true });
    return add(mul(mul(centred, rsqrt(add(variance, 1e-5))), gamma), beta);
  };
  const perHead = (t) => transpose(reshape(t, [batch, context, heads, width / heads]), [0, 2, 1, 3]);
  const attention = (h, mask) => {
    const [q, k, v] = split(h, 3, 1).map(perHead);
    const scores = add(mul(matmul(q, swapaxes(k, -1, -2)), (width / heads) ** -0.5), mask);
    return reshape(transpose(matmul(softmax(scores), v), [0, 2, 1, 3]), [batch * context, width]);
  };
  yield figure(
    trainer({
      model: netOf(p),
      optimizer: adamw({ learningRate: rate, weightDecay: decay }),
      data: [tokens(), targets(), causalMask(context)].map(array),
      loss(x, y, mask) {
        let h = add(reshape(take(p[0], x), [batch, context, width]), p[1]);
        h = reshape(h, [batch * context, width]);
        for (let i = 0; i < blocks; i++) {
          const [g1, b1, qkv, qkvb, pr, prb, g2, b2, f1, f1b, f2, f2b] = blockOf(p, i);
          h = add(h, affine(attention(affine(layerNorm(h, g1, b1), qkv, qkvb), mask), pr, prb));
          h = add(h, affine(gelu(affine(layerNorm(h, g2, b2), f1, f1b), { approximate: true }), f2, f2b));
        }
        const [gamma, beta, head] = p.slice(-3);
        return crossEntropy(matmul(layerNorm(h, gamma, beta), head), y);
      },
    }),
  );
}

export function* jax({ adam, affine, crossEntropy, nn, np, trainer }) {
  const layerNorm = (h, gamma, beta) => {
    const centred = h.ref.sub(np.mean(h, -1, { keepdims: true }));
    const variance = np.mean(np.square(centred.ref), -1, { keepdims: true });
    return centred
      .div(np.sqrt(variance.add(1e-5)))
      .mul(gamma)
      .add(beta);
  };
  const split = (t) => np.transpose(t.reshape([batch, context, heads, width / heads]), [0, 2, 1, 3]);
  const attention = (h, mask) => {
    const [q, k, v] = np.split(h, 3, 1).map(split);
    const scores = np
      .matmul(q, np.swapaxes(k, -1, -2))
      .mul((width / heads) ** -0.5)
      .add(mask);
    return np.transpose(np.matmul(nn.softmax(scores, -1), v), [0, 2, 1, 3]).reshape([batch * context, width]);
  };
  yield figure(
    trainer({
      optimizer: adam(rate, decay),
      parameters: parameters(),
      // rows are looked up by a matrix product: a jit with the gradient of a gather throws in this peer
      data: { x: oneHot(tokens(), symbols), y: oneHot(targets(), symbols), mask: causalMask(context) },
      loss(p, { x, y, mask }) {
        let h = np
          .matmul(x, p[0])
          .reshape([batch, context, width])
          .add(p[1])
          .reshape([batch * context, width]);
        for (let i = 0; i < blocks; i++) {
          const [g1, b1, qkv, qkvb, pr, prb, g2, b2, f1, f1b, f2, f2b] = blockOf(p, i);
          const attended = attention(affine(layerNorm(h.ref, g1, b1), qkv, qkvb), mask.ref);
          h = h.add(affine(attended, pr, prb));
          const hidden = nn.gelu(affine(layerNorm(h.ref, g2, b2), f1, f1b), { approximate: true });
          h = h.add(affine(hidden, f2, f2b));
        }
        mask.dispose();
        const [gamma, beta, head] = p.slice(-3);
        return crossEntropy(np.matmul(layerNorm(h, gamma, beta), head), y);
      },
    }),
  );
}

export function* tfjs({ adam, affine, array, crossEntropy, decayingTrainer, lookup, tf, variable }) {
  const p = parameters().map(variable);
  const [target, mask] = [oneHot(targets(), symbols), causalMask(context)].map(array);
  const embed = lookup(p[0], tokens());
  const layerNorm = (h, gamma, beta) => {
    const centred = tf.sub(h, tf.mean(h, -1, true));
    const variance = tf.mean(tf.square(centred), -1, true);
    return tf.add(tf.mul(tf.mul(centred, tf.rsqrt(tf.add(variance, 1e-5))), gamma), beta);
  };
  const gelu = (z) => {
    const inner = tf.mul(tf.add(z, tf.mul(tf.mul(tf.square(z), z), 0.044715)), Math.sqrt(2 / Math.PI));
    return tf.mul(tf.mul(z, 0.5), tf.add(tf.tanh(inner), 1));
  };
  const split = (t) => tf.transpose(t.reshape([batch, context, heads, width / heads]), [0, 2, 1, 3]);
  const attention = (h) => {
    const [q, k, v] = tf.split(h, 3, 1).map(split);
    const scores = tf.add(tf.mul(tf.matMul(q, k, false, true), (width / heads) ** -0.5), mask);
    return tf.transpose(tf.matMul(tf.softmax(scores), v), [0, 2, 1, 3]).reshape([batch * context, width]);
  };
  yield figure(
    decayingTrainer({
      optimizer: adam(rate),
      factor: 1 - rate * decay,
      parameters: p,
      loss() {
        let h = tf.add(embed().reshape([batch, context, width]), p[1]).reshape([batch * context, width]);
        for (let i = 0; i < blocks; i++) {
          const [g1, b1, qkv, qkvb, pr, prb, g2, b2, f1, f1b, f2, f2b] = blockOf(p, i);
          h = tf.add(h, affine(attention(affine(layerNorm(h, g1, b1), qkv, qkvb)), pr, prb));
          h = tf.add(h, affine(gelu(affine(layerNorm(h, g2, b2), f1, f1b)), f2, f2b));
        }
        const [gamma, beta, head] = p.slice(-3);
        return crossEntropy(tf.matMul(layerNorm(h, gamma, beta), head), target);
      },
    }),
  );
}
