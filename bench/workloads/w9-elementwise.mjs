// W9: add, tanh-gelu and sum of 10⁷ elements; softmax and layer norm of 4096×1024. The rate counts inputs and outputs once.
import { meanAbs } from "../lib/measure.mjs";
import { uniform } from "../lib/random.mjs";

const long = 1e7;
const [rows, columns] = [4096, 1024];
const gigabytes = {
  add: 12 * long,
  gelu: 8 * long,
  softmax: 8 * rows * columns,
  "layer norm": 8 * rows * columns,
  sum: 4 * long,
};
const figure = (metric, rest) => ({ metric, work: gigabytes[metric] / 1e9, unit: "GB/s", warm: 2, least: 2, ...rest });
const operands = () => [uniform("a", [long]), uniform("b", [long]), uniform("a", [rows, columns])];

export async function* chainrule({ array }) {
  const cr = await import("chainrule");
  const [a, b, m] = operands().map(array);
  const layerNorm = (m) => {
    const centred = cr.sub(m, cr.mean(m, -1, { keepdims: true }));
    const variance = cr.mean(cr.square(centred), -1, { keepdims: true });
    return cr.mul(centred, cr.rsqrt(cr.add(variance, 1e-5)));
  };
  const operations = {
    add: [(a, b) => cr.add(a, b), a, b],
    gelu: [(a) => cr.gelu(a, { approximate: true }), a],
    softmax: [(m) => cr.softmax(m), m],
    "layer norm": [layerNorm, m],
    sum: [(a) => cr.sum(a), a],
  };
  // the peers free their results by hand; ours need not be, which is a figure of its own
  yield figure("add, not freed", { step: () => void cr.add(a, b), work: gigabytes.add / 1e9 });
  for (const [metric, [f, ...args]] of Object.entries(operations)) {
    const run = cr.compiled(f);
    yield figure(metric, {
      step: () => run(...args).dispose(),
      check: () => meanAbs(run(...args).dataSync()),
    });
  }
}

export function* jax({ array, jit, nn, np }) {
  const [a, b, m] = operands().map(array);
  const layerNorm = (m) => {
    const centred = m.ref.sub(np.mean(m, -1, { keepdims: true }));
    const variance = np.mean(np.square(centred.ref), -1, { keepdims: true });
    return centred.div(np.sqrt(variance.add(1e-5)));
  };
  const operations = {
    add: [jit((a, b) => a.add(b)), a, b],
    gelu: [jit((a) => nn.gelu(a, { approximate: true })), a],
    softmax: [jit((m) => nn.softmax(m, -1)), m],
    "layer norm": [jit(layerNorm), m],
    sum: [jit((a) => np.sum(a)), a],
  };
  for (const [metric, [run, ...args]] of Object.entries(operations)) {
    yield figure(metric, {
      async step() {
        const out = run(...args.map((x) => x.ref));
        await out.blockUntilReady();
        out.dispose();
      },
      check: async () => meanAbs(await run(...args.map((x) => x.ref)).data()),
    });
  }
}

// Its kernels run when called: the result need not be copied out to know that it is there.
export function* tfjs({ array, tf }) {
  const [a, b, m] = operands().map(array);
  const operations = {
    add: () => tf.add(a, b),
    gelu() {
      const inner = tf.mul(tf.add(a, tf.mul(tf.mul(tf.square(a), a), 0.044715)), Math.sqrt(2 / Math.PI));
      return tf.mul(tf.mul(a, 0.5), tf.add(tf.tanh(inner), 1));
    },
    softmax: () => tf.softmax(m),
    "layer norm"() {
      const centred = tf.sub(m, tf.mean(m, -1, true));
      return tf.mul(centred, tf.rsqrt(tf.add(tf.mean(tf.square(centred), -1, true), 1e-5)));
    },
    sum: () => tf.sum(a),
  };
  for (const [metric, run] of Object.entries(operations)) {
    yield figure(metric, {
      step: () => tf.tidy(() => void run()),
      check: async () => meanAbs(await tf.tidy(run).data()),
    });
  }
}

// The binding's own copies of inputs and outputs are part of a call.
export async function* ort({ graph, input, session }) {
  const [a, b, m] = operands().map(input);
  const ones = { data: new Float32Array(columns).fill(1), shape: [columns] };
  const operations = {
    add: [(g) => g.node("Add", ["x0", "x1"]), a, b],
    gelu: [(g) => g.node("Gelu", ["x0"], { approximate: "tanh" }), a],
    softmax: [(g) => g.node("Softmax", ["x0"]), m],
    "layer norm": [(g) => g.node("LayerNormalization", ["x0", g.constant(ones)]), m],
    sum: [(g) => g.node("ReduceSum", ["x0"]), a],
  };
  for (const [metric, [build, ...inputs]] of Object.entries(operations)) {
    const g = graph(inputs);
    const run = await session(g.model(build(g)), inputs);
    yield figure(metric, { step: async () => void (await run()), check: async () => meanAbs((await run()).data) });
  }
}
