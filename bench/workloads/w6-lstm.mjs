// W6: character LSTM, 64 symbols, embedding 64, hidden 256, 32 sequences of 64 steps, one bias, mean cross-entropy, Adam 1e-3.
// The input's half of the gates is one product for all steps in every peer; the gates stand in the order i, f, g, o.
import { dense, integers, oneHot, permute, weights } from "../lib/random.mjs";

const [symbols, embedding, hidden, time, batch] = [64, 64, 256, 64, 32];
const gates = 4 * hidden;
const tokens = () => integers("x", [time * batch], symbols);
const targets = () => integers("y", [time * batch], symbols);
const turned = (name, inputs) => permute(weights(name, [gates, inputs], hidden), [1, 0]);
/** [table, input gates, hidden gates, bias, output weight, output bias] */
const parameters = () => [
  weights("emb", [symbols, embedding], embedding),
  turned("wih", embedding),
  turned("whh", hidden),
  weights("bih", [gates], hidden),
  dense("ow", hidden, symbols),
  weights("ob", [symbols], hidden),
];
const figure = (step) => ({ metric: "step", step, work: time * batch, unit: "tokens/s", least: 2 });

export async function* chainrule({ array, netOf, parameter, trainer }) {
  const { add, matmul, mul, reshape, scan, sigmoid, split, take, tanh, zeros } = await import("chainrule");
  const { crossEntropy } = await import("chainrule/nn");
  const { adam } = await import("chainrule/optim");
  const p = parameters().map(parameter);
  const [table, wx, wh, bias, w, b] = p;
  const cell = ([h, c], x) => {
    const [i, f, g, o] = split(add(x, matmul(h, wh)), 4, 1);
    const next = add(mul(sigmoid(f), c), mul(sigmoid(i), tanh(g)));
    const out = mul(sigmoid(o), tanh(next));
    return [[out, next], out];
  };
  yield figure(
    trainer({
      model: netOf(p),
      optimizer: adam(1e-3),
      data: [tokens(), targets()].map(array),
      loss(x, y) {
        const inputs = reshape(add(matmul(take(table, x), wx), bias), [time, batch, gates]);
        const rest = zeros([batch, hidden]);
        const [, all] = scan(cell, [rest, rest], inputs);
        return crossEntropy(add(matmul(reshape(all, [time * batch, hidden]), w), b), y);
      },
    }),
  );
}

// Its scan is not differentiable in a jit: the loop is written out. Rows are looked up by a matrix product, as in W7.
export function* jax({ adam, affine, crossEntropy, nn, np, trainer }) {
  yield figure(
    trainer({
      optimizer: adam(1e-3),
      parameters: parameters(),
      data: { x: oneHot(tokens(), symbols), y: oneHot(targets(), symbols) },
      loss([table, wx, wh, bias, w, b], { x, y }) {
        const inputs = np.split(affine(np.matmul(x, table), wx, bias).reshape([time, batch, gates]), time, 0);
        let [h, c] = [undefined, undefined];
        const all = [];
        for (const slice of inputs) {
          let sum = slice.reshape([batch, gates]);
          if (h !== undefined) sum = sum.add(np.matmul(h, wh.ref));
          const [i, f, g, o] = np.split(sum, 4, 1);
          const fresh = nn.sigmoid(i).mul(np.tanh(g));
          if (c === undefined) f.dispose();
          c = c === undefined ? fresh : nn.sigmoid(f).mul(c).add(fresh);
          h = nn.sigmoid(o).mul(np.tanh(c.ref));
          all.push(h.ref);
        }
        for (const x of [h, c, wh]) x.dispose();
        return crossEntropy(affine(np.concatenate(all, 0), w, b), y);
      },
    }),
  );
}

export function* tfjs({ adam, affine, array, crossEntropy, lookup, tf, trainer, variable }) {
  const p = parameters().map(variable);
  const [table, wx, wh, bias, w, b] = p;
  const target = array(oneHot(targets(), symbols));
  const embed = lookup(table, tokens());
  const rest = tf.zeros([batch, hidden]);
  yield figure(
    trainer({
      optimizer: adam(1e-3),
      parameters: p,
      loss() {
        const inputs = tf.unstack(affine(embed(), wx, bias).reshape([time, batch, gates]), 0);
        let [h, c] = [rest, rest];
        const all = inputs.map((x) => {
          const [i, f, g, o] = tf.split(tf.add(x, tf.matMul(h, wh)), 4, 1);
          c = tf.add(tf.mul(tf.sigmoid(f), c), tf.mul(tf.sigmoid(i), tf.tanh(g)));
          h = tf.mul(tf.sigmoid(o), tf.tanh(c));
          return h;
        });
        return crossEntropy(affine(tf.concat(all, 0), w, b), target);
      },
    }),
  );
}
