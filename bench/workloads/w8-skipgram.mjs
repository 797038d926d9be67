// W8: skip-gram with negative sampling: two tables of 10,000 words × 100, 1024 pairs with 5 negatives, SGD 0.025. The
// loss is -log sigmoid(±u·v), + for the true context word, - for the negatives; summed over the six, averaged over pairs.
import { integers, weights } from "../lib/random.mjs";

const [words, width, negatives, batch] = [10000, 100, 5, 1024];
const each = negatives + 1;
const rate = 0.025;
const centres = () => integers("c", [batch], words);
/** Per pair its context word, then its negatives: [batch · 6]. */
function contexts() {
  const truth = integers("o", [batch], words).data;
  const wrong = integers("n", [batch, negatives], words).data;
  const data = new Int32Array(batch * each).map((_, i) => {
    const [row, column] = [Math.floor(i / each), i % each];
    return column === 0 ? truth[row] : wrong[row * negatives + column - 1];
  });
  return { data, shape: [batch * each] };
}
const signs = () => ({ data: new Float32Array(each).fill(-1).fill(1, 0, 1), shape: [1, each] });
const parameters = () => [weights("ein", [words, width], width), weights("eout", [words, width], width)];
const figure = (step) => ({ metric: "step", step, work: batch, unit: "pairs/s" });

export async function* chainrule({ array, netOf, parameter, trainer }) {
  const { logSigmoid, matmul, mean, mul, neg, reshape, sum, take } = await import("chainrule");
  const { sgd } = await import("chainrule/optim");
  const [inner, outer] = parameters().map(parameter);
  yield figure(
    trainer({
      model: netOf([inner, outer]),
      optimizer: sgd(rate),
      data: [centres(), contexts(), signs()].map(array),
      loss(c, o, sign) {
        const v = reshape(take(inner, c), [batch, width, 1]);
        const u = reshape(take(outer, o), [batch, each, width]);
        const scores = mul(reshape(matmul(u, v), [batch, each]), sign);
        return neg(mean(sum(logSigmoid(scores), 1)));
      },
    }),
  );
}

export function* jax({ nn, np, sgd, trainer }) {
  yield figure(
    trainer({
      optimizer: sgd(rate),
      parameters: parameters(),
      data: { c: centres(), o: contexts(), sign: signs() },
      // version 0.1.25 cannot jit the gradient of a gather ("routine primitive scatter input is not imm")
      compile: (f) => f,
      loss([inner, outer], { c, o, sign }) {
        const v = np.take(inner, c, 0).reshape([batch, width, 1]);
        const u = np.take(outer, o, 0).reshape([batch, each, width]);
        const scores = np.matmul(u, v).reshape([batch, each]).mul(sign);
        return np.negative(np.mean(np.sum(nn.logSigmoid(scores), 1)));
      },
    }),
  );
}

export function* tfjs({ array, tf, trainer, variable }) {
  const p = parameters().map(variable);
  const [c, o] = [centres(), contexts()].map(({ data }) => tf.tensor1d(data, "int32"));
  const sign = array(signs());
  yield figure(
    trainer({
      optimizer: tf.train.sgd(rate),
      parameters: p,
      loss() {
        const v = tf.gather(p[0], c).reshape([batch, width, 1]);
        const u = tf.gather(p[1], o).reshape([batch, each, width]);
        const scores = tf.mul(tf.matMul(u, v).reshape([batch, each]), sign);
        return tf.mean(tf.sum(tf.softplus(tf.neg(scores)), 1)); // tf.logSigmoid has a wrong gradient in 4.22
      },
    }),
  );
}
