// W5: VGG-16 and ResNet-50 forward, one picture of 224×224×3, batch norm folded into the convolutions, random weights.
import { meanAbs } from "../lib/measure.mjs";
import { dense, images, kernel, permute, uniform, weights } from "../lib/random.mjs";

const picture = (nchw) => images("img", [1, 224, 224, 3], nchw);
const gigaflops = { "VGG-16": 30.96, "ResNet-50": 8.18 };
const figure = (metric, rest) => ({ metric, work: gigaflops[metric], unit: "GFLOP/s", warm: 2, least: 2, ...rest });

/** A 3×3 kernel of larger weights, so that a signal comes through sixteen layers. */
function lively(name, inputs, outputs, nchw) {
  const bound = 1 / Math.sqrt(3 * inputs);
  const oihw = uniform(name, [outputs, inputs, 3, 3], -bound, bound);
  return nchw ? oihw : permute(oihw, [2, 3, 1, 0]);
}

/** Sizes and weights of VGG's dense layers; the first reads features in C, H, W order as drawn, H, W, C elsewhere. */
function denseOf(k, inputs, outputs, nchw) {
  const bound = Math.sqrt(3 / inputs);
  const drawn = uniform(`f${k}`, [outputs, inputs], -bound, bound);
  const bias = weights(`f${k}b`, [outputs], inputs);
  if (nchw || k > 0) return [permute(drawn, [1, 0]), bias];
  const { data } = permute({ data: drawn.data, shape: [outputs, 512, 7, 7] }, [2, 3, 1, 0]);
  return [{ data, shape: [inputs, outputs] }, bias];
}

/**
 * The networks over a peer's own parts: `keep(init)` gives a handle to an array; `conv(h, w, b, stride, size, relu)`,
 * `pool(h, window, padding)` (stride 2), `flat(h)`, `mean(h)` over places, `dense(h, w, b, relu)` and `addRelu` compute.
 */
function vgg16({ keep, conv, pool, flat, dense }, nchw) {
  const layers = [];
  let inputs = 3;
  for (const [outputs, count] of [2, 2, 3, 3, 3].map((n, stage) => [Math.min(64 << stage, 512), n])) {
    for (let i = 0; i < count; i++) {
      const name = `v${layers.filter((layer) => layer.w !== undefined).length}`;
      const [w, b] = [lively(name, inputs, outputs, nchw), weights(`${name}b`, [outputs], 9 * inputs)].map(keep);
      layers.push({ w, b });
      inputs = outputs;
    }
    layers.push({});
  }
  const sizes = [25088, 4096, 4096, 1000];
  const last = [0, 1, 2].map((k) => denseOf(k, sizes[k], sizes[k + 1], nchw).map(keep));
  return (x) => {
    const h = layers.reduce((h, { w, b }) => (w === undefined ? pool(h, 2, 0) : conv(h, w, b, 1, 3, true)), x);
    return last.reduce((h, [w, b], k) => dense(h, w, b, k < 2), flat(h));
  };
}

function resnet50({ keep, conv, pool, mean, dense: affine, addRelu, twice = (h) => [h, h] }, nchw) {
  const unit = (name, inputs, outputs, size, stride, relu) => {
    const w = keep(kernel(name, inputs, outputs, size, nchw));
    const b = keep(weights(`${name}_b`, [outputs], inputs * size * size));
    return (h) => conv(h, w, b, stride, size, relu);
  };
  const stem = unit("stem", 3, 64, 7, 2, true);
  let inputs = 64;
  const blocks = [3, 4, 6, 3].flatMap((count, stage) => {
    const width = 64 << stage;
    return Array.from({ length: count }, (_, k) => {
      const [name, stride] = [`r${stage}x${k}`, k === 0 && stage > 0 ? 2 : 1];
      const parts = [
        unit(`${name}a`, inputs, width, 1, 1, true),
        unit(`${name}b`, width, width, 3, stride, true),
        unit(`${name}c`, width, 4 * width, 1, 1, false),
      ];
      const shortcut = k === 0 ? unit(`${name}s`, inputs, 4 * width, 1, stride, false) : (h) => h;
      inputs = 4 * width;
      return { parts, shortcut };
    });
  });
  const [w, b] = [dense("fc", 2048, 1000), weights("fcb", [1000], 2048)].map(keep);
  const block = (h, { parts, shortcut }) => {
    const [inner, outer] = twice(h);
    return addRelu(
      parts.reduce((r, part) => part(r), inner),
      shortcut(outer),
    );
  };
  return (x) => affine(mean(blocks.reduce(block, pool(stem(x), 3, 1))), w, b, false);
}

const networks = { "VGG-16": vgg16, "ResNet-50": resnet50 };

export async function* chainrule({ array, parameter }) {
  const { add, compiled, conv, matmul, maxPool, mean, relu, reshape } = await import("chainrule");
  const on = (h, wanted) => (wanted ? relu(h) : h);
  const parts = {
    keep: parameter,
    conv: (h, w, b, strides, size, wanted) => on(add(conv(h, w, { strides, padding: size >> 1 }), b), wanted),
    pool: (h, window, padding) => maxPool(h, window, { strides: 2, padding }),
    flat: (h) => reshape(h, [1, -1]),
    mean: (h) => mean(h, [1, 2]),
    dense: (h, w, b, wanted) => on(add(matmul(h, w), b), wanted),
    addRelu: (a, b) => relu(add(a, b)),
  };
  const x = array(picture());
  for (const [metric, build] of Object.entries(networks)) {
    const run = compiled(build(parts));
    yield figure(metric, { step: () => run(x).dispose(), check: () => meanAbs(run(x).dataSync()) });
  }
}

export function* jax({ affine, array, conv2d, jit, lax, nn, np, tree }) {
  const x = array(picture(true));
  // the larger one last: it does not end within minutes
  for (const [metric, build] of Object.entries(networks).toReversed()) {
    const kept = [];
    let p; // of the run being traced
    const on = (h, wanted) => (wanted ? nn.relu(h) : h);
    const net = build(
      {
        keep: (init) => kept.push(array(init)) - 1,
        conv(h, w, b, stride, size, wanted) {
          const out = conv2d(h, p[w], stride, size >> 1);
          return on(out.add(p[b].reshape([1, out.shape[1], 1, 1])), wanted);
        },
        // behind a relu, so that zeros do for padding; even pooling by a reshape is faster in this peer
        pool(h, window, padding) {
          const [n, c, height, width] = h.shape;
          if (padding === 0) return np.max(h.reshape([n, c, height / 2, 2, width / 2, 2]), [3, 5]);
          const sides = [0, 0, padding, padding].map((k) => [k, k]);
          return lax.reduceWindow(np.pad(h, sides), np.max, [window, window], [2, 2]);
        },
        flat: (h) => h.reshape([1, 25088]),
        mean: (h) => np.mean(h, [2, 3]),
        dense: (h, w, b, wanted) => on(affine(h, p[w], p[b]), wanted),
        addRelu: (a, b) => nn.relu(a.add(b)),
        twice: (h) => [h.ref, h],
      },
      true,
    );
    const run = jit((parameters, x) => {
      p = parameters;
      return net(x);
    });
    const once = () => run(tree.ref(kept), x.ref);
    yield figure(metric, {
      warm: 0,
      least: 1,
      async step() {
        const out = once();
        await out.blockUntilReady();
        out.dispose();
      },
      check: async () => meanAbs(await once().data()),
    });
    tree.dispose(kept);
  }
}

export function* tfjs({ array, tf }) {
  const pads = (size) => (size === 0 ? 0 : [0, size, size, 0].map((k) => [k, k]));
  const parts = {
    keep: array,
    conv(x, filter, bias, strides, size, wanted) {
      const side = size >> 1;
      const same = strides === 1;
      const h = same || side === 0 ? x : tf.pad(x, pads(side));
      const activation = wanted ? "relu" : undefined;
      return tf.fused.conv2d({ x: h, filter, bias, strides, pad: same ? "same" : "valid", activation });
    },
    // behind a relu, so that zeros do for padding
    pool: (h, window, padding) => tf.maxPool(padding === 0 ? h : tf.pad(h, pads(padding)), window, 2, "valid"),
    flat: (h) => h.reshape([1, 25088]),
    mean: (h) => tf.mean(h, [1, 2]),
    dense: (a, b, bias, wanted) => tf.fused.matMul({ a, b, bias, activation: wanted ? "relu" : undefined }),
    addRelu: (a, b) => tf.relu(tf.add(a, b)),
  };
  const x = array(picture());
  for (const [metric, build] of Object.entries(networks)) {
    const before = new Set();
    const keep = (init) => {
      const kept = array(init);
      before.add(kept);
      return kept;
    };
    const net = build({ ...parts, keep });
    yield figure(metric, {
      warm: 1,
      least: 1,
      async step() {
        const out = tf.tidy(() => net(x));
        await out.data();
        out.dispose();
      },
      check: async () => meanAbs(await tf.tidy(() => net(x)).data()),
    });
    tf.dispose([...before]);
  }
}

export async function* ort({ graph, input, session }) {
  const x = input(picture(true));
  for (const [metric, build] of Object.entries(networks)) {
    const g = graph([x]);
    const on = (h, wanted) => (wanted ? g.node("Relu", [h]) : h);
    const same = (side) => [side, side, side, side];
    const net = build(
      {
        keep: (init) => g.constant(init),
        conv: (h, w, b, stride, size, wanted) =>
          on(g.node("Conv", [h, w, b], { strides: [stride, stride], pads: same(size >> 1) }), wanted),
        pool: (h, window, padding) =>
          g.node("MaxPool", [h], { kernel_shape: [window, window], strides: [2, 2], pads: same(padding) }),
        flat: (h) => g.node("Flatten", [h]),
        mean: (h) => g.node("Flatten", [g.node("GlobalAveragePool", [h])]),
        dense: (h, w, b, wanted) => on(g.node("Gemm", [h, w, b]), wanted),
        addRelu: (a, b) => g.node("Relu", [g.node("Add", [a, b])]),
      },
      true,
    );
    const run = await session(g.model(net("x0")), [x]);
    yield figure(metric, { step: run, check: async () => meanAbs((await run()).data) });
  }
}
