/** Sums and maxima over sliding windows, and their transposes: shapes, derivatives, lowering and loops. */
import { DTypeError, isFloat, ShapeError, showShape } from "../base/index.ts";
import * as b from "./build.ts";
import { agree } from "./checks.ts";
import type { Access, Family, Reading } from "./family.ts";
import { intern, isOp, type Node } from "./node.ts";
import { type Attrs, type Pads, PRIMITIVES, type WindowAttrs } from "./primitives.ts";
import { constantOf } from "./rewrite.ts";
import { dilate, noPads, ones, padSpatial, windowSize } from "./spatial.ts";

function windowOut(op: string, shape: readonly number[], at: WindowAttrs): number[] {
  const nd = shape.length - 2;
  const out = shape.slice(0, 1);
  for (let i = 0; i < nd; i++) {
    const size = windowSize(shape[i + 1], at.window[i], at.strides[i], at.padding[i], at.dilation[i]);
    if (!(size >= 1)) {
      throw new ShapeError(
        `[${op}] window ${showShape(at.window)} does not fit input ${showShape(shape)} on spatial axis ${i}.`,
      );
    }
    out.push(size);
  }
  return [...out, shape[nd + 1]];
}

const geometry = ({ window, strides, padding, dilation }: WindowAttrs): WindowAttrs => ({
  window,
  strides,
  padding,
  dilation,
});

export function windowReduce(op: "windowSum" | "windowMax", x: Node, at: WindowAttrs): Node {
  if (!isFloat(x.dtype)) throw new DTypeError(`[${op}] takes floats, got ${x.dtype}.`);
  const rule = op === "windowSum" ? sum : max;
  return intern(op, [x], { ...geometry(at), rule } as Attrs[typeof op], windowOut(op, x.shape, at), x.dtype);
}

/** dy [B, ...S', C] → dx [B, ...spatial, C]. */
export function windowSumGrad(dy: Node, at: WindowAttrs & { readonly spatial: readonly number[] }): Node {
  const shape = [dy.shape[0], ...at.spatial, dy.shape.at(-1) as number];
  return intern("windowSumGrad", [dy], { ...geometry(at), spatial: at.spatial, rule: sumGrad }, shape, dy.dtype);
}

/** x, g [B, ...S, C] → [B, ...S', C]. */
export function windowPick(x: Node, g: Node, at: WindowAttrs): Node {
  agree("windowPick", x, g);
  return intern("windowPick", [x, g], { ...geometry(at), rule: pick }, windowOut("windowPick", x.shape, at), x.dtype);
}

/** x [B, ...S, C], dy [B, ...S', C] → dx [B, ...S, C]. */
export const windowPickGrad = (x: Node, dy: Node, at: WindowAttrs): Node =>
  intern("windowPickGrad", [x, dy], { ...geometry(at), rule: pickGrad }, x.shape, x.dtype);

/** The transpose of a window sum: each dy goes to every place of its window. */
function spread(n: Node<"windowSumGrad">): Node {
  const [dy] = n.srcs;
  const { window, strides, padding, dilation, spatial } = n.attrs;
  const nd = window.length;
  const padded = spatial.map((s, i) => s + padding[i][0] + padding[i][1]);
  const cut = (wide: Node): Node =>
    padSpatial(
      wide,
      padding.map(([l, h]): Pads => [-l, -h]),
      0,
    );
  if (window.every((k, i) => k === strides[i] && dilation[i] === 1)) {
    const split = [dy.shape[0]];
    const repeated = [dy.shape[0]];
    for (let i = 0; i < nd; i++) {
      split.push(dy.shape[i + 1], 1);
      repeated.push(dy.shape[i + 1], window[i]);
    }
    split.push(dy.shape[nd + 1]);
    repeated.push(dy.shape[nd + 1]);
    const tiled = [dy.shape[0], ...window.map((k, i) => k * dy.shape[i + 1]), dy.shape[nd + 1]];
    const flat = b.reshape(b.expand(b.reshape(dy, split), repeated), tiled);
    return cut(
      padSpatial(
        flat,
        padded.map((p, i): Pads => [0, p - tiled[i + 1]]),
        0,
      ),
    );
  }
  const sparse = dilate(dy, 1, strides);
  const margins = window.map((k, i): Pads => {
    const reach = (k - 1) * dilation[i];
    return [reach, padded[i] - sparse.shape[i + 1]];
  });
  const image = padSpatial(sparse, margins, 0);
  return cut(windowReduce("windowSum", image, { window, strides: ones(nd), padding: noPads(nd), dilation }));
}

/** What a window picked is masked by the picked value itself (relu before a pool): the mask goes onto the windows. */
function masked(user: Node): Node | null {
  if (user.op !== "where") return null;
  const [mask, grad, zero] = user.srcs;
  if (!isOp(grad, "windowPickGrad") || constantOf(zero) !== 0 || PRIMITIVES[mask.op].kind !== "compare") return null;
  const [y, dy] = grad.srcs;
  if (!mask.srcs.every((s) => s === y || constantOf(s) !== null)) return null;
  const picked = windowReduce("windowMax", y, grad.attrs);
  const sides = mask.srcs.map((s) => (s === y ? picked : b.full(picked.shape, constantOf(s) as number, s.dtype)));
  const kept = b.where(b.compare(mask.op as "lt", sides[0], sides[1]), dy, b.full(dy.shape, 0, dy.dtype));
  return windowPickGrad(y, kept, grad.attrs);
}

/** Each place of a result of this rank has its window; taps are the inner loops. */
const reading = (at: WindowAttrs, how: Reading["how"]): Reading => {
  const last = at.window.length + 1;
  const windows = at.window.map((_, i): Access[number] => [
    [at.strides[i], i + 1],
    [at.dilation[i], last + 1 + i],
  ]);
  return { inner: at.window, how, at: [[[[1, 0]], ...windows, [[1, last]]]] };
};

type Windowed = "windowSum" | "windowMax" | "windowPick" | "windowPickGrad";

/** Without padding: `f` makes the node again over padded sources. */
const unpadded =
  <P extends Windowed>(f: (n: Node<P>, pad: (x: Node, value: number) => Node, plain: WindowAttrs) => Node) =>
  (n: Node<P>): Node | null => {
    const at: WindowAttrs = n.attrs;
    if (at.padding.every(([l, h]) => l === 0 && h === 0)) return null;
    const plain = { ...at, padding: noPads(at.window.length) };
    return f(n, (x, value) => padSpatial(x, at.padding, value), plain);
  };

const lowest = (x: Node): number => (isFloat(x.dtype) ? -Infinity : -(2 ** 31));
const opposite = ([l, h]: Pads): Pads => [-l, -h];

const sum: Family<"windowSum"> = {
  vjp: (n, ct) => [windowSumGrad(ct, { ...n.attrs, spatial: n.srcs[0].shape.slice(1, -1) })],
  lower: unpadded((n, pad, plain) => windowReduce("windowSum", pad(n.srcs[0], 0), plain)),
  reads: (n) => reading(n.attrs, "sum"),
};

const sumGrad: Family<"windowSumGrad"> = {
  vjp: (n, ct) => [windowReduce("windowSum", ct, n.attrs)],
  lower: spread,
};

/** The gradient goes to the first maximum of each window. */
const max: Family<"windowMax"> = {
  vjp: (n, ct) => [windowPickGrad(n.srcs[0], ct, n.attrs)],
  lower: unpadded(({ srcs: [x] }, pad, plain) => windowReduce("windowMax", pad(x, lowest(x)), plain)),
  reads: (n) => reading(n.attrs, "max"),
};

/** Linear in g, piecewise constant in x. */
const pick: Family<"windowPick"> = {
  vjp: (n, ct) => [null, windowPickGrad(n.srcs[0], ct, n.attrs)],
  lower: unpadded(({ srcs: [x, g] }, pad, plain) => windowPick(pad(x, lowest(x)), pad(g, 0), plain)),
  reads: (n) => reading(n.attrs, "pick"),
};

const pickGrad: Family<"windowPickGrad"> = {
  vjp: (n, ct) => [null, windowPick(n.srcs[0], ct, n.attrs)],
  lower: unpadded(({ srcs: [x, dy], attrs }, pad, plain) =>
    padSpatial(windowPickGrad(pad(x, lowest(x)), dy, plain), attrs.padding.map(opposite), 0),
  ),
  under: masked,
  writes: (n) => reading(n.attrs, "pick"),
};
