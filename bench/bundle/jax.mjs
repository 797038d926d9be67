// The same program as chainrule.mjs, by hand, since this peer has no layers.
import { init, jit, nn, numpy as np, random, tree, valueAndGrad } from "@jax-js/jax";

await init("wasm");
const keys = random.split(random.key(0), 2);
const drawn = (i, shape) => random.uniform(keys.ref.slice(i), shape).sub(0.5).mul(0.1);
let p = [drawn(0, [784, 128]), np.zeros([128]), drawn(1, [128, 10]), np.zeros([10])];
const loss = ([w0, b0, w1, b1], x, y) => {
  const h = nn.relu(np.matmul(x, w0).add(b0));
  const logits = np.matmul(h, w1).add(b1);
  return np.negative(np.mean(np.sum(nn.logSoftmax(logits, -1).mul(nn.oneHot(y, 10)), -1)));
};
const step = jit((p, x, y) => {
  const [value, grads] = valueAndGrad((q) => loss(q, x, y))(tree.ref(p));
  return [value, p.map((w, i) => w.sub(grads[i].mul(0.1)))];
});
globalThis.train = (x, y) => {
  const [value, next] = step(p, np.array(x, { shape: [128, 784] }), np.array(y, { shape: [128], dtype: np.int32 }));
  p = next;
  return value.data();
};
