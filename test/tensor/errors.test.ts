/** Messages of the tensor room that test/mistakes does not hold: what, operands, both shapes, the rule, the repair. */
import { expect, test } from "vitest";
import * as c from "../../src/index.ts";

const m = (...shape: number[]): c.Tensor => c.ones(shape);
const any = (x: unknown): never => x as never;

test.each<[string, () => unknown, string | RegExp]>([
  [
    "null operand",
    () => c.add(m(2), any(null)),
    "[add] takes tensors, numbers, nested arrays or typed arrays, got null.",
  ],
  [
    "string operand",
    () => c.add(m(2), any("3")),
    '[add] takes tensors, numbers, nested arrays or typed arrays, got string "3".',
  ],
  [
    "undefined operand",
    () => c.exp(any(undefined)),
    "[exp] takes tensors, numbers, nested arrays or typed arrays, got undefined.",
  ],
  ["object operand", () => c.exp(any({ a: 1 })), /\[exp\] takes tensors.*got Object/],
  [
    "string data",
    () => c.tensor(any("1,2")),
    '[tensor] takes numbers, nested arrays or typed arrays, got string "1,2".',
  ],
  [
    "value among rows",
    () => c.tensor(any([[1], 2])),
    /ragged nested arrays: depth 1 has rows of 1 and the single value 2/,
  ],
  [
    "unknown dtype",
    () => m(2).cast(any("float")),
    '[cast] there is no dtype "float": use one of bool, uint8, int32, uint32, float32, float64.',
  ],
  [
    "mask of numbers",
    () => c.where(m(2), 1, 0),
    "[where] the mask must be bool, got float32 [2]: compare first, as in where(m.greater(0), a, b).",
  ],
  [
    "a matrix that wants a transpose",
    () => m(2, 3).matmul(m(4, 3)),
    /cannot multiply \[2, 3\] by \[4, 3\].*Did you mean y\.T/,
  ],
  [
    "a left matrix that wants a transpose",
    () => m(3, 2).matmul(m(3, 4)),
    /cannot multiply \[3, 2\] by \[3, 4\].*Did you mean x\.T\?/,
  ],
  [
    "batch axes",
    () => m(2, 3, 4).matmul(m(3, 4, 5)),
    "[matmul] the batch axes of [2, 3, 4] and [3, 4, 5] do not broadcast: 2 against 3.",
  ],
  [
    "dot",
    () => m(2, 3).dot(m(2)),
    "[dot] cannot multiply [2, 3] by [2]: the last axis of the first (3) must equal the length of the second (2).",
  ],
  [
    "tensordot",
    () => c.tensordot(m(2, 3), m(2, 3), 1),
    /\[tensordot\] axes \[1\] of \[2, 3\] and \[0\] of \[2, 3\] differ/,
  ],
  [
    "tensordot of too many axes",
    () => c.tensordot(m(2), m(2), 2),
    "[tensordot] 2 axes cannot be contracted of [2] and [2].",
  ],
  [
    "einsum rank",
    () => c.einsum("ijk,k->ij", m(2, 3), m(3)),
    '[einsum] "ijk,k->ij": operand 0 is "ijk" (3 axes), but has shape [2, 3].',
  ],
  ["einsum output twice", () => c.einsum("ij->ii", m(2, 2)), '[einsum] "ij->ii": the output index "i" is named twice.'],
  ["einsum letters", () => c.einsum("i1", m(2, 2)), /a term holds letters and at most one "\.\.\."/],
  [
    "einsum diagonal",
    () => c.einsum("ii", m(2, 3)),
    /\[einsum\] "ii": index "i" is 2 in operand 0 \[2, 3\] and 3 in operand 0 \[2, 3\]/,
  ],
  ["einsum without specification", () => c.einsum(any(m(2)), m(2)), /the first argument is the specification/],
  ["squeeze", () => m(2, 3).squeeze(1), "[squeeze] axis 1 of [2, 3] has size 3: only axes of size 1 can go."],
  [
    "concat of another rank",
    () => c.concat([m(2), m(2, 2)]),
    /\[concat\] along axis 0.*tensor 0 is \[2\], tensor 1 is \[2, 2\]\. Did you mean stack\(\)/,
  ],
  ["split sizes", () => m(5).split([2, 2]), "[split] sizes [2, 2] do not add up to 5, axis 0 of [5]."],
  [
    "broadcastTo",
    () => m(2, 3).broadcastTo([3, 3]),
    /\[broadcastTo\] \[2, 3\] does not expand to \[3, 3\]: only axes of size 1 repeat/,
  ],
  [
    "pad entries",
    () => m(2, 3).pad([[1, 1]]),
    "[pad] needs one entry an axis (2), got [[1,1]]: for example [[1,1],[1,1]].",
  ],
  [
    "reflect too wide",
    () => m(2).pad([[2, 0]], { mode: "reflect" }),
    '[pad] mode "reflect" cannot add [2, 0] to axis 0 of [2].',
  ],
  ["slice index", () => m(2, 3).at(2), "[slice] index 2 is outside axis 0 of [2, 3]: use -2..1."],
  ["too many ranges", () => m(2).at(0, 0), /\[slice\] 2 ranges for \[2\], which has 1 axes/],
  ["step 0", () => m(2).slice([0, 2, 0]), "[slice] axis 0: the step must not be 0."],
  [
    "slice text",
    () => m(2).slice("a:b"),
    '[slice] "a:b" is no range: write "start:stop:step", an index, "..." or "newaxis".',
  ],
  [
    "known index out of range",
    () => c.gather(m(3, 2), [0, 3]),
    "[gather] index 3 is outside an axis of size 3: use -3..2.",
  ],
  ["fractional index", () => c.gather(m(3), [0.5]), "[gather] indices must be whole numbers, got 0.5."],
  ["bool index", () => c.gather(m(3), c.tensor([true])), /indices must be int32, got bool/],
  [
    "takeAlongAxis",
    () => m(2, 3).takeAlongAxis([0]),
    "[takeAlongAxis] indices [1] must have the rank of x [2, 3] and agree with it on every axis but 1.",
  ],
  [
    "gatherND",
    () => c.gatherND(m(2, 3), [[0, 0, 0]]),
    /\[gatherND\] the last axis of indices \[1, 3\] must hold 1\.\.2 indices into x \[2, 3\]/,
  ],
  [
    "scatterAdd",
    () => m(3, 2).scatterAdd([0, 1], m(2, 3)),
    "[scatterAdd] updates [2, 3] must be [2, 2]: x [3, 2] with axis 0 replaced by indices [2].",
  ],
  ["oneHot depth", () => c.oneHot([1], 0), "[oneHot] depth must be a whole number ≥ 1, got 0."],
  ["max of nothing", () => c.zeros([0, 2]).max(0), /\[max\] of an empty axis of \[0, 2\] has no value/],
  ["trace of a vector", () => c.trace(m(3)), /\[trace\] takes a matrix, got a tensor of rank 1/],
  ["norm order", () => m(3).norm(null, { ord: 0 }), "[norm] ord must be a number > 0 or Infinity, got 0."],
  ["arange step", () => c.arange(0, 1, 0), "[arange] step must be a finite number other than 0, got 0."],
  [
    "channels-first images",
    () => c.conv(m(1, 3, 28, 28), m(3, 3, 3, 8)),
    /has 28 channels, w \[3, 3, 3, 8\] expects 3\. Is x channels-first\?/,
  ],
  [
    "kernel larger than the image",
    () => c.conv(m(1, 2, 2, 1), m(5, 5, 1, 1)),
    /\[conv\] kernel \[5, 5\] does not fit input \[2, 2\].*"same"/,
  ],
  [
    "kernel one place larger than the image",
    () => c.conv(m(1, 4, 4, 1), m(5, 3, 1, 1)),
    /\[conv\] kernel \[5, 3\] does not fit input \[4, 4\] on spatial axis 0: pad the input \("same"\) or use a smaller kernel/,
  ],
  [
    "dilated kernel larger than the padded image",
    () => c.depthwiseConv(m(1, 4, 4, 2), m(3, 3, 2, 1), { dilation: 4, padding: 2 }),
    /\[depthwiseConv\] kernel \[3, 3\] does not fit input \[4, 4\] on spatial axis 0/,
  ],
  [
    "transposed groups",
    () => c.convTranspose(m(1, 4, 4, 3), m(3, 3, 2, 3), { groups: 2 }),
    /\[convTranspose\] groups 2 must divide the 3 channels of x \[1, 4, 4, 3\]/,
  ],
  [
    "scattering into an empty axis",
    () => c.zeros([0, 3]).scatterAdd(c.tensor(new Int32Array([0])), m(1, 3)),
    /\[scatterAdd\] axis 0 of \[0, 3\] is empty/,
  ],
  [
    "groups",
    () => c.conv(m(1, 4, 4, 3), m(3, 3, 3, 4), { groups: 2 }),
    /groups 2 must divide both the 3 channels of x \[1, 4, 4, 3\] and the 4/,
  ],
  [
    "strides",
    () => c.conv(m(1, 4, 4, 1), m(3, 3, 1, 1), { strides: 0 }),
    /\[conv\] strides must be a whole number ≥ 1, or 2 of them/,
  ],
  [
    "padding",
    () => c.conv(m(1, 4, 4, 1), m(3, 3, 1, 1), { padding: any("full") }),
    /\[conv\] padding must be "same", "valid", a whole number ≥ 0/,
  ],
  [
    "transposed channels",
    () => c.convTranspose(m(1, 4, 4, 2), m(3, 3, 2, 5)),
    /\[convTranspose\] x \[1, 4, 4, 2\] has 2 channels, so w must be \[k, k, out, 2\], got \[3, 3, 2, 5\]/,
  ],
  [
    "depthwise channels",
    () => c.depthwiseConv(m(1, 4, 4, 2), m(3, 3, 3, 1)),
    /so w must be \[k, k, 2, multiplier\], got \[3, 3, 3, 1\]/,
  ],
  [
    "pooling without a batch",
    () => c.maxPool(m(28, 28), 2),
    /\[maxPool\] expects \[batch, \.\.\.1 to 3 spatial axes, channels\], got \[28, 28\]/,
  ],
  [
    "window larger than the image",
    () => c.maxPool(m(1, 2, 2, 1), 3),
    /\[maxPool\] window \[3, 3\] does not fit input \[1, 2, 2, 1\] on spatial axis 0: use a smaller window/,
  ],
  ["probability", () => c.random.bernoulli(1.5, [2]), "[random.bernoulli] p must be in 0..1, got 1.5."],
  [
    "uniform limits",
    () => c.random.uniform([2], { low: 1, high: 0 }),
    "[random.uniform] low 1 must not exceed high 0.",
  ],
  [
    "uniform whole numbers",
    () => c.random.uniform([2], { dtype: "int32" }),
    /dtype must be float32 or float64, got int32: use randint/,
  ],
  [
    "randint limits",
    () => c.random.randint([2], 3, 3),
    "[random.randint] needs whole numbers low < high, got 3 and 3.",
  ],
  ["seed", () => c.random.seed(0.5), "[random.seed] the seed must be a whole number, got 0.5."],
  [
    "recorded permutation",
    () => c.compiled(() => c.random.permutation(5000))(),
    /inside compiled\(\) at most 4096 elements, got 5000: draw it outside/,
  ],
])("%s", (_, f, message) => {
  let error: unknown;
  try {
    f();
  } catch (e) {
    error = e;
  }
  expect(error).toBeInstanceOf(c.ChainruleError);
  if (typeof message === "string") expect((error as Error).message).toBe(message);
  else expect((error as Error).message).toMatch(message);
});
