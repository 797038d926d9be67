// jax-js: arrays are owned; a use consumes its operand unless it is taken as `.ref`. Images are NCHW here, kernels OIHW.
import "../lib/worker.mjs"; // first: this peer asks for a Worker when it is loaded
import { init, jit, lax, nn, numpy as np, tree, valueAndGrad, blockUntilReady } from "@jax-js/jax";

export { jit, lax, nn, np, tree, valueAndGrad, blockUntilReady };

export const start = () => init("wasm");

export const array = ({ data, shape }) =>
  np.array(data, { shape, dtype: data instanceof Int32Array ? np.int32 : np.float32 });

export const affine = (x, weight, bias) => np.matmul(x, weight).add(bias);

/** Mean cross-entropy of logits [n, classes] against one-hot rows. */
export const crossEntropy = (logits, target) => np.negative(np.mean(np.sum(nn.logSoftmax(logits, -1).mul(target), -1)));

export const conv2d = (x, kernel, stride = 1, padding = 0) =>
  lax.convGeneralDilated(
    x,
    kernel,
    [stride, stride],
    [
      [padding, padding],
      [padding, padding],
    ],
  );

const scalar = (value) => np.array(new Float32Array([value]), { shape: [] });
const zerosLike = (p) => p.map((x) => np.zeros(x.shape));

/** Adam, or AdamW with `decay`; the optimizer package of this peer is not on the registry. */
export const adam = (rate, decay = 0, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8) => ({
  init: (p) => ({ m: zerosLike(p), v: zerosLike(p), power1: scalar(1), power2: scalar(1) }),
  update(p, grads, state) {
    const power1 = state.power1.mul(beta1);
    const power2 = state.power2.mul(beta2);
    const scale1 = np.reciprocal(np.subtract(1, power1.ref)).mul(rate);
    const scale2 = np.reciprocal(np.subtract(1, power2.ref));
    const m = [];
    const v = [];
    const next = p.map((w, i) => {
      const mean = state.m[i].mul(beta1).add(grads[i].ref.mul(1 - beta1));
      const square = state.v[i].mul(beta2).add(np.square(grads[i]).mul(1 - beta2));
      m.push(mean.ref);
      v.push(square.ref);
      const shrunk = decay > 0 ? w.mul(1 - rate * decay) : w;
      return shrunk.sub(mean.mul(scale1.ref).div(np.sqrt(square.mul(scale2.ref)).add(epsilon)));
    });
    scale1.dispose();
    scale2.dispose();
    return [next, { m, v, power1, power2 }];
  },
});

export const sgd = (rate, momentum = 0) => ({
  init: (p) => (momentum > 0 ? { m: zerosLike(p) } : {}),
  update(p, grads, state) {
    if (momentum === 0) return [p.map((w, i) => w.sub(grads[i].mul(rate))), {}];
    const m = state.m.map((old, i) => old.mul(momentum).add(grads[i]));
    return [p.map((w, i) => w.sub(m[i].ref.mul(rate))), { m }];
  },
});

/**
 * A training step: gradient and update in one jit. `loss(parameters, data)` gives a scalar; with `statistics` it is
 * `loss(parameters, data, statistics)` and gives [scalar, new statistics].
 */
export function trainer({ optimizer, parameters, data, loss, statistics = null, compile = jit }) {
  let p = parameters.map(array);
  let state = optimizer.init(p);
  let extra = statistics?.map(array) ?? [];
  const inputs = Object.fromEntries(Object.entries(data).map(([name, x]) => [name, array(x)]));
  const step = compile((p, state, extra, inputs) => {
    const f = (q) => {
      const out = loss(q, inputs, tree.ref(extra));
      return statistics === null ? [out, []] : out;
    };
    const [[value, nextExtra], grads] = valueAndGrad(f, { hasAux: true })(tree.ref(p));
    tree.dispose(extra);
    return [value, ...optimizer.update(p, grads, state), nextExtra];
  });
  return async () => {
    const out = step(p, state, extra, tree.ref(inputs));
    [, p, state, extra] = out;
    const [value] = await out[0].data();
    await blockUntilReady(p);
    return value;
  };
}
