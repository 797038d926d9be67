import { isFloat, sizeOf } from "../base/index.ts";
import { build as b, isOp, type Node, type Pads, rebuild } from "../ir/index.ts";
import { algebra, dropMarks, type Rule } from "../ir/rewrite.ts";

/** Graphs in the form that kernels are made from: no marks, no padding or dilation inside contractions and windows. */
export function lower(roots: readonly Node[]): Node[] {
  return rebuild(roots, [dropMarks, algebra, contraction, windows, reversed, joined]);
}

/** d-1 zeros between the elements of axes `from`…: written with movement alone. */
function dilate(x: Node, from: number, dilation: readonly number[]): Node {
  let out = x;
  dilation.forEach((d, i) => {
    const axis = from + i;
    const n = out.shape[axis];
    if (d === 1 || n === 0) return;
    const split = [...out.shape.slice(0, axis), n, 1, ...out.shape.slice(axis + 1)];
    const zeros = b.pad(
      b.reshape(out, split),
      split.map((_, a): Pads => [0, a === axis + 1 ? d - 1 : 0]),
    );
    const flat = b.reshape(
      zeros,
      out.shape.map((s, a) => (a === axis ? n * d : s)),
    );
    const stop = flat.shape.map((s, a) => (a === axis ? s - (d - 1) : s));
    out = b.slice(
      flat,
      flat.shape.map(() => 0),
      stop,
    );
  });
  return out;
}

/** Padding in the order of memory: a permutation stays a way of looking at it, and both users of an image share it. */
function padUnder(x: Node, padding: readonly Pads[], value: number): Node {
  if (!isOp(x, "permute")) return b.pad(x, padding, value);
  const { perm } = x.attrs;
  const under = perm.map((_, i): Pads => padding[perm.indexOf(i)]);
  return b.permute(padUnder(x.srcs[0], under, value), perm);
}

/** Padding of the spatial axes 1…; negative sizes cut. */
function padSpatial(x: Node, padding: readonly Pads[], value: number): Node {
  const at = (i: number): Pads => padding[i - 1] ?? [0, 0];
  // A cut beyond the image leaves padding only.
  if (x.shape.some((d, i) => Math.max(0, -at(i)[0]) + Math.max(0, -at(i)[1]) > d)) {
    return b.full(
      x.shape.map((d, i) => Math.max(0, d + at(i)[0] + at(i)[1])),
      value,
      x.dtype,
    );
  }
  const cut = b.slice(
    x,
    x.shape.map((_, i) => Math.max(0, -at(i)[0])),
    x.shape.map((d, i) => d - Math.max(0, -at(i)[1])),
  );
  return padUnder(
    cut,
    x.shape.map((_, i): Pads => [Math.max(0, at(i)[0]), Math.max(0, at(i)[1])]),
    value,
  );
}

const ones = (n: number): number[] => new Array<number>(n).fill(1);
const noPads = (n: number): Pads[] => Array.from({ length: n }, (): Pads => [0, 0]);

/** Convolutions over plainly padded images; empty contractions are zero. */
const contraction: Rule = (n) => {
  if (isOp(n, "dot") && n.attrs.lhsContract.some((a) => n.srcs[0].shape[a] === 0)) return b.full(n.shape, 0, n.dtype);
  if (isOp(n, "dot") && n.attrs.lhsContract.length === 0) return outer(n);
  if (!isOp(n, "conv")) return null;
  const [x, w] = n.srcs;
  const nd = n.attrs.strides.length;
  if (sizeOf(w.shape) === 0 && sizeOf(n.shape) > 0) return b.full(n.shape, 0, n.dtype);
  const { strides, padding, lhsDilation, rhsDilation } = n.attrs;
  if (padding.every(([l, h]) => l === 0 && h === 0) && lhsDilation.every((d) => d === 1)) return null;
  if (lhsDilation.some((d) => d > 1) && strides.every((s) => s === 1) && rhsDilation.every((d) => d === 1))
    return phases(n);
  const image = padSpatial(dilate(x, 1, lhsDilation), padding, 0);
  return b.conv(image, w, { strides, padding: noPads(nd), lhsDilation: ones(nd), rhsDilation });
};

/**
 * A convolution over an image with zeros between its pixels (the gradient of a stride), without the zeros: output y of
 * remainder r = y mod d meets only the taps k with r + k - lo divisible by d, so each remainder is a small convolution.
 */
function phases(n: Node<"conv">): Node {
  const [x, w] = n.srcs;
  const { padding, lhsDilation } = n.attrs;
  const nd = lhsDilation.length;
  const sizes = lhsDilation.map((d, i) => Math.ceil(n.shape[i + 1] / d));
  const tail = n.shape.slice(nd + 1);
  /** The outputs of one remainder an axis, [B, ...sizes, G, O]; some are the last ones only by rounding up. */
  const part = (r: readonly number[]): Node => {
    const start: number[] = [];
    const pads: Pads[] = [];
    for (let i = 0; i < nd; i++) {
      const d = lhsDilation[i];
      const lo = padding[i][0];
      const k0 = (((lo - r[i]) % d) + d) % d;
      const taps = Math.ceil((w.shape[i] - k0) / d);
      if (taps <= 0) return b.full([n.shape[0], ...sizes, ...tail], 0, n.dtype);
      const before = (lo - r[i] - k0) / d;
      start.push(k0);
      pads.push([before, sizes[i] + taps - 1 - before - x.shape[i + 1]]);
    }
    const step = w.shape.map((_, i) => (i < nd ? lhsDilation[i] : 1));
    const kernel = b.slice(
      w,
      w.shape.map((_, i) => start[i] ?? 0),
      w.shape,
      step,
    );
    const image = padSpatial(x, pads, 0);
    return b.conv(image, kernel, {
      strides: ones(nd),
      padding: noPads(nd),
      lhsDilation: ones(nd),
      rhsDilation: ones(nd),
    });
  };
  /** Remainders of axis `i` side by side, for fixed remainders of the axes before. */
  const weave = (r: readonly number[], i: number): Node => {
    if (i === nd) return part(r);
    const list = Array.from({ length: lhsDilation[i] }, (_, q) => weave([...r, q], i + 1));
    const wide = list.map((t) => b.reshape(t, [...t.shape.slice(0, i + 2), 1, ...t.shape.slice(i + 2)]));
    const joined = b.concat(wide, i + 2);
    const shape = list[0].shape.map((s, a) => (a === i + 1 ? s * lhsDilation[i] : s));
    const flat = b.reshape(joined, shape);
    return b.slice(
      flat,
      flat.shape.map(() => 0),
      flat.shape.map((s, a) => (a === i + 1 ? n.shape[a] : s)),
    );
  };
  return weave([], 0);
}

/** A product of everything with everything: nothing is summed. */
function outer(n: Node<"dot">): Node {
  const [x, w] = n.srcs;
  const { lhsBatch, rhsBatch } = n.attrs;
  const first = (t: Node, batch: readonly number[]): number[] => [
    ...batch,
    ...t.shape.map((_, i) => i).filter((i) => !batch.includes(i)),
  ];
  const a = b.permute(x, first(x, lhsBatch));
  const c = b.permute(w, first(w, rhsBatch));
  const batch = a.shape.slice(0, lhsBatch.length);
  const aFree = a.shape.slice(batch.length);
  const cFree = c.shape.slice(batch.length);
  const wide = (t: Node, shape: readonly number[]): Node => b.expand(b.reshape(t, shape), n.shape);
  return b.binary(
    "mul",
    wide(a, [...batch, ...aFree, ...ones(cFree.length)]),
    wide(c, [...batch, ...ones(aFree.length), ...cFree]),
  );
}

const lowest = (dtype: string): number => (dtype.startsWith("float") ? -Infinity : -(2 ** 31));

const windows: Rule = (n) => {
  const op = n.op;
  if (
    op !== "windowSum" &&
    op !== "windowMax" &&
    op !== "windowPick" &&
    op !== "windowPickGrad" &&
    op !== "windowSumGrad"
  )
    return null;
  const at = (n as Node<"windowSum">).attrs;
  const nd = at.window.length;
  const plain = { ...at, padding: noPads(nd) };
  if (op === "windowSumGrad") return spread(n as Node<"windowSumGrad">);
  if (at.padding.every(([l, h]) => l === 0 && h === 0)) return null;
  const [x, g] = n.srcs;
  switch (op) {
    case "windowSum":
      return b.windowReduce(op, padSpatial(x, at.padding, 0), plain);
    case "windowMax":
      return b.windowReduce(op, padSpatial(x, at.padding, lowest(x.dtype)), plain);
    case "windowPick":
      return b.windowPick(padSpatial(x, at.padding, lowest(x.dtype)), padSpatial(g, at.padding, 0), plain);
    default: {
      const wide = b.windowPickGrad(padSpatial(x, at.padding, lowest(x.dtype)), g, plain);
      return padSpatial(
        wide,
        at.padding.map(([l, h]): Pads => [-l, -h]),
        0,
      );
    }
  }
};

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
  return cut(b.windowReduce("windowSum", image, { window, strides: ones(nd), padding: noPads(nd), dilation }));
}

/** Parts that are padded with zeros and added up to the whole (the gradient of a split) are put side by side. */
const joined: Rule = (n) => {
  if (n.op !== "add") return null;
  const parts: { x: Node; axis: number; from: number; to: number }[] = [];
  const collect = (m: Node): boolean => {
    if (m.op === "add" && parts.length < 64) return m.srcs.every(collect);
    if (!isOp(m, "pad") || m.attrs.value !== 0) return false;
    const axes = m.attrs.padding.flatMap(([lo, hi], a) => (lo > 0 || hi > 0 ? [a] : []));
    if (axes.length !== 1) return false;
    const [lo] = m.attrs.padding[axes[0]];
    return parts.push({ x: m.srcs[0], axis: axes[0], from: lo, to: lo + m.srcs[0].shape[axes[0]] }) > 0;
  };
  if (!collect(n)) return null;
  parts.sort((a, b2) => a.from - b2.from);
  const { axis } = parts[0];
  const tiles = parts.every((p, i) => p.axis === axis && p.from === (i === 0 ? 0 : parts[i - 1].to));
  return tiles && parts[parts.length - 1].to === n.shape[axis]
    ? b.concat(
        parts.map((p) => p.x),
        axis,
      )
    : null;
};

/** Running sums go forward, argmin is the argmax of the opposite. */
const reversed: Rule = (n) => {
  if (isOp(n, "cumsum") && n.attrs.reverse) {
    const { axis } = n.attrs;
    return b.flip(b.cumsum(b.flip(n.srcs[0], [axis]), axis), [axis]);
  }
  // Nothing can be added to nothing.
  if (isOp(n, "scatterAdd") && sizeOf(n.shape) === 0) return n.srcs[0];
  if (isOp(n, "argmin")) {
    const [x] = n.srcs;
    // Bits turned over reverse the order of whole numbers, the least one included.
    return b.argReduce("argmax", b.unary(isFloat(x.dtype) ? "neg" : "not", x), n.attrs.axis);
  }
  return null;
};
