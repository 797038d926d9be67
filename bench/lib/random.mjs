// Initial weights and data, the same numbers in every peer: a counter-based generator (mulberry32) keyed by the FNV-1a
// hash of a name. Shapes are drawn in PyTorch's order, so that outside losses can be compared, then turned to ours.

/** @typedef {{ data: Float32Array | Int32Array, shape: number[] }} Array_ */

const count = (shape) => shape.reduce((a, b) => a * b, 1);

function keyOf(name) {
  let hash = 0x811c9dc5;
  for (const char of name) hash = Math.imul(hash ^ char.charCodeAt(0), 0x01000193);
  return hash >>> 0;
}

/** Fills `out` with map(u), u uniform in [0, 1). */
function draw(name, out, map) {
  let counter = keyOf(name);
  for (let i = 0; i < out.length; i++) {
    counter = (counter + 0x6d2b79f5) | 0;
    let word = Math.imul(counter ^ (counter >>> 15), counter | 1);
    word ^= word + Math.imul(word ^ (word >>> 7), word | 61);
    out[i] = map(((word ^ (word >>> 14)) >>> 0) / 2 ** 32);
  }
  return out;
}

/** Uniform float32 in [low, high). */
export const uniform = (name, shape, low = -1, high = 1) => ({
  data: draw(name, new Float32Array(count(shape)), (u) => low + (high - low) * u),
  shape,
});

/** Uniform int32 in [0, high). */
export const integers = (name, shape, high) => ({
  data: draw(name, new Int32Array(count(shape)), (u) => Math.floor(u * high)),
  shape,
});

export const constant = (shape, value) => ({ data: new Float32Array(count(shape)).fill(value), shape });

/** The axes of an array in another order. */
export function permute({ data, shape }, axes) {
  const strides = shape.map((_, i) => count(shape.slice(i + 1)));
  const to = axes.map((axis) => shape[axis]);
  const step = axes.map((axis) => strides[axis]);
  const out = new data.constructor(data.length);
  const index = to.map(() => 0);
  for (let i = 0, from = 0; i < out.length; i++) {
    out[i] = data[from];
    for (let d = to.length - 1; d >= 0; d--) {
      from += step[d];
      if (++index[d] < to[d]) break;
      from -= step[d] * to[d];
      index[d] = 0;
    }
  }
  return { data: out, shape: to };
}

const bounded = (name, shape, fanIn) => uniform(name, shape, -1 / Math.sqrt(fanIn), 1 / Math.sqrt(fanIn));

/** A bias or a table. */
export const weights = (name, shape, fanIn) => bounded(name, shape, fanIn);
/** A dense weight, [inputs, outputs]. */
export const dense = (name, inputs, outputs) => permute(bounded(name, [outputs, inputs], inputs), [1, 0]);
/** A convolution kernel, [height, width, inputs, outputs] or, for NCHW peers, [outputs, inputs, height, width]. */
export function kernel(name, inputs, outputs, size, nchw = false) {
  const oihw = bounded(name, [outputs, inputs, size, size], inputs * size * size);
  return nchw ? oihw : permute(oihw, [2, 3, 1, 0]);
}
/** A batch of images drawn as NCHW, given as NHWC unless the peer wants NCHW. */
export function images(name, [n, h, w, c], nchw = false, low = -1, high = 1) {
  const drawn = uniform(name, [n, c, h, w], low, high);
  return nchw ? drawn : permute(drawn, [0, 2, 3, 1]);
}
/** One row per label: 1 at the label, else 0. */
export function oneHot({ data }, classes) {
  const out = constant([data.length, classes], 0);
  data.forEach((label, row) => (out.data[row * classes + label] = 1));
  return out;
}
/** Additive causal mask [n, n]: 0 where a position may look, -1e9 where it may not. */
export function causalMask(n) {
  const out = constant([n, n], 0);
  for (let i = 0; i < n; i++) out.data.fill(-1e9, i * n + i + 1, (i + 1) * n);
  return out;
}
