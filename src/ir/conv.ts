/**
 * conv: shapes, derivative, lowering and loops of convolutions. It is closed under differentiation: both gradients are
 * convolutions again, with strides and dilations in exchanged roles.
 */
import { ShapeError, showShape, sizeOf } from "../base/index.ts";
import * as b from "./build.ts";
import { floatPair } from "./checks.ts";
import type { Access, Family, Row } from "./family.ts";
import { readInside } from "./inside.ts";
import { intern, isOp, type Node } from "./node.ts";
import type { ConvAttrs, Pads } from "./primitives.ts";
import { dilate, noPads, ones, padSpatial, windowSize } from "./spatial.ts";

/** x [B, ...S, G, I], w [...K, G, I, O] → [B, ...S', G, O]. */
export function conv(x: Node, w: Node, attrs: ConvAttrs): Node {
  floatPair("conv", x, w);
  const nd = x.shape.length - 3;
  if (nd < 1 || w.shape.length !== nd + 3) {
    throw new ShapeError(
      `[conv] x ${showShape(x.shape)} is [batch, ...spatial, groups, in] and w ${showShape(w.shape)} is [...kernel, groups, in, out].`,
    );
  }
  if (x.shape[nd + 1] !== w.shape[nd] || x.shape[nd + 2] !== w.shape[nd + 1]) {
    throw new ShapeError(
      `[conv] x ${showShape(x.shape)} has ${x.shape[nd + 1]} groups of ${x.shape[nd + 2]} channels, ` +
        `w ${showShape(w.shape)} expects ${w.shape[nd]} groups of ${w.shape[nd + 1]}.`,
    );
  }
  const { strides, padding, lhsDilation, rhsDilation } = attrs;
  const out = [x.shape[0]];
  for (let i = 0; i < nd; i++) {
    const n = x.shape[i + 1];
    const dilated = n === 0 ? 0 : (n - 1) * lhsDilation[i] + 1;
    const size = windowSize(dilated, w.shape[i], strides[i], padding[i], rhsDilation[i]);
    if (size < 0) {
      throw new ShapeError(
        `[conv] kernel ${showShape(w.shape.slice(0, nd))} does not fit input ${showShape(x.shape.slice(1, nd + 1))} ` +
          `on spatial axis ${i}: pad the input ("same") or use a smaller kernel.`,
      );
    }
    out.push(size);
  }
  out.push(x.shape[nd + 1], w.shape[nd + 2]);
  return intern("conv", [x, w], { strides, padding, lhsDilation, rhsDilation, rule }, out, x.dtype);
}

/** A conv of result `shape` whose padding may be negative: the parts of x that it would skip are cut off first. */
function convAny(x: Node, w: Node, at: ConvAttrs, shape: readonly number[]): Node {
  if (at.padding.every(([lo, hi]) => lo >= 0 && hi >= 0)) return conv(x, w, at);
  const start = x.shape.map(() => 0);
  const stop = [...x.shape];
  const padding = at.padding.map(([lo, hi], i): Pads => {
    // One element of x is lhsDilation places wide; a cut of c places drops ceil(c / dilation) of them and pads back the rest.
    const d = at.lhsDilation[i];
    const cutLo = Math.ceil(Math.max(0, -lo) / d);
    const cutHi = Math.ceil(Math.max(0, -hi) / d);
    start[i + 1] = cutLo;
    stop[i + 1] -= cutHi;
    return [lo + cutLo * d, hi + cutHi * d];
  });
  // Nothing of x is seen: the window walks over zeros alone.
  if (start.some((from, i) => from >= stop[i])) return b.full(shape, 0, x.dtype);
  return conv(b.slice(x, start, stop), w, { ...at, padding });
}

/**
 * x [B, ...S, G, I], w [...K, G, I, O], ct [B, ...S', G, O].
 * dx: ct, dilated by the strides, meets the flipped kernel with in and out exchanged.
 * dw: x with channels for batch meets ct as a kernel of the output's size, dilated by the strides.
 */
const vjp: Row<"conv"> = (n, ct, needs) => {
  const [x, w] = n.srcs;
  const { strides, padding, lhsDilation, rhsDilation } = n.attrs;
  const nd = x.shape.length - 3;
  const spatial = Array.from({ length: nd }, (_, i) => i + 1);
  const dilated = (size: number, d: number): number => (size === 0 ? 0 : (size - 1) * d + 1);
  const dx = (): Node => {
    // [...K, G, I, O] → flipped [...K, G, O, I]
    const turned = b.permute(
      b.flip(
        w,
        spatial.map((i) => i - 1),
      ),
      [...spatial.map((i) => i - 1), nd, nd + 2, nd + 1],
    );
    const pads = spatial.map((s, i): Pads => {
      const taps = dilated(w.shape[i], rhsDilation[i]);
      const lo = taps - 1 - padding[i][0];
      // The result covers x's dilated extent exactly.
      return [lo, dilated(x.shape[s], lhsDilation[i]) + taps - 1 - lo - dilated(ct.shape[s], strides[i])];
    });
    return convAny(ct, turned, { strides: lhsDilation, padding: pads, lhsDilation: strides, rhsDilation }, x.shape);
  };
  const dw = (): Node => {
    // x [B, ...S, G, I] → [I, ...S, G, B]; ct [B, ...S', G, O] → [...S', G, B, O]; result [I, ...K, G, O] → [...K, G, I, O]
    const lhs = b.permute(x, [nd + 2, ...spatial, nd + 1, 0]);
    const rhs = b.permute(ct, [...spatial, nd + 1, 0, nd + 2]);
    const pads = spatial.map((s, i): Pads => {
      const lo = padding[i][0];
      const extent = dilated(w.shape[i], rhsDilation[i]) + dilated(ct.shape[s], strides[i]) - 1;
      return [lo, extent - lo - dilated(x.shape[s], lhsDilation[i])];
    });
    const shape = [w.shape[nd + 1], ...w.shape.slice(0, nd + 1), w.shape[nd + 2]];
    const out = convAny(lhs, rhs, { strides: rhsDilation, padding: pads, lhsDilation, rhsDilation: strides }, shape);
    return b.permute(out, [...spatial, nd + 1, 0, nd + 2]);
  };
  return [needs[0] ? dx() : null, needs[1] ? dw() : null];
};

/** A convolution over a plainly padded image; an empty sum is zero. */
function lower(n: Node<"conv">): Node | null {
  const [x, w] = n.srcs;
  const { strides, padding, lhsDilation, rhsDilation } = n.attrs;
  const nd = strides.length;
  if (sizeOf(w.shape) === 0 && sizeOf(n.shape) > 0) return b.full(n.shape, 0, n.dtype);
  if (padding.every(([l, h]) => l === 0 && h === 0) && lhsDilation.every((d) => d === 1)) return null;
  if (lhsDilation.some((d) => d > 1) && strides.every((s) => s === 1) && rhsDilation.every((d) => d === 1))
    return phases(n);
  const wide = dilate(x, 1, lhsDilation);
  const image = inSlices(wide, padding) ?? padSpatial(wide, padding, 0);
  return conv(image, w, { strides, padding: noPads(nd), lhsDilation: ones(nd), rhsDilation });
}

/** Channels of a slice: a line of the cache; and channels from which on slices repay a copy of their own. */
const SLICE = 16;
const MANY_CHANNELS = 256;

/**
 * The padded image of a gradient by the kernel, [I, ...S, G, B] seen in [B, ...S, G, I]: rows of its sum are channels, and steps are
 * pixels, which lie far apart where channels are many. They are written in slices, [I/16, B, ...S, G, 16]; null: not worth it.
 */
function inSlices(x: Node, padding: readonly Pads[]): Node | null {
  const last = x.shape.length - 1;
  if (!isOp(x, "permute") || x.attrs.perm[0] !== last) return null;
  const [y] = x.srcs;
  const channels = y.shape[last];
  if (channels < MANY_CHANNELS || channels % SLICE !== 0) return null;
  const { perm } = x.attrs;
  // Slices first, then the axes in the order of memory.
  const cut = b.permute(b.reshape(y, [...y.shape.slice(0, last), channels / SLICE, SLICE]), [
    last,
    ...y.shape.slice(0, last).keys(),
    last + 1,
  ]);
  const pads = cut.shape.map((_, a): Pads => padding[perm.indexOf(a - 1) - 1] ?? [0, 0]);
  if (pads.some((p) => p.some((size) => size < 0))) return null;
  const image = b.permute(b.pad(cut, pads), [0, last + 1, ...perm.slice(1).map((a) => a + 1)]);
  return b.reshape(image, [channels, ...image.shape.slice(2)]);
}

/**
 * A convolution over an image with zeros between its pixels (the gradient of a stride), without the zeros: output y of
 * remainder r = y mod d meets only the taps k with r + k - lo divisible by d, so each remainder is a small convolution. They
 * share one padded image, lie one after the other, and are woven by the way in which the result is read.
 */
function phases(n: Node<"conv">): Node {
  const [x, w] = n.srcs;
  const { padding, lhsDilation } = n.attrs;
  const nd = lhsDilation.length;
  const sizes = lhsDilation.map((d, i) => Math.ceil(n.shape[i + 1] / d));
  const shape = [n.shape[0], ...sizes, ...n.shape.slice(nd + 1)];
  /** Of remainder r along an axis: the first tap, how many, and the padding that its image needs. */
  const along = lhsDilation.map((d, i) =>
    Array.from({ length: d }, (_, r) => {
      const lo = padding[i][0];
      const first = (((lo - r) % d) + d) % d;
      const taps = Math.ceil((w.shape[i] - first) / d);
      const before = (lo - r - first) / d;
      return { first, taps, before, after: sizes[i] + taps - 1 - before - x.shape[i + 1] };
    }),
  );
  const pads = along.map((list): Pads => {
    const some = list.filter((r) => r.taps > 0);
    return [Math.max(...some.map((r) => r.before)), Math.max(...some.map((r) => r.after))];
  });
  const image = padSpatial(x, pads, 0);
  const part = (rs: readonly (typeof along)[number][number][]): Node => {
    if (rs.some((r) => r.taps <= 0)) return b.full(shape, 0, n.dtype);
    const own = <T>(t: Node, first: number, of: (i: number) => T, rest: T): T[] =>
      t.shape.map((_, a) => (a >= first && a < first + nd ? of(a - first) : rest));
    const kernel = b.slice(
      w,
      own(w, 0, (i) => rs[i].first, 0),
      w.shape,
      own(w, 0, (i) => lhsDilation[i], 1),
    );
    const start = own(image, 1, (i) => pads[i][0] - rs[i].before, 0);
    const cut = own(image, 1, (i) => pads[i][1] - rs[i].after, 0);
    const seen = b.slice(
      image,
      start,
      image.shape.map((s, a) => s - cut[a]),
    );
    return conv(seen, kernel, {
      strides: ones(nd),
      padding: noPads(nd),
      lhsDilation: ones(nd),
      rhsDilation: ones(nd),
    });
  };
  const each = along.reduce<(typeof along)[number][]>(
    (all, list) => all.flatMap((rs) => list.map((r) => [...rs, r])),
    [[]],
  );
  const stack = b.concat(
    each.map((rs) => b.reshape(part(rs), [1, ...shape])),
    0,
  );
  // [...d, B, ...sizes, G, O] → [B, sizes, d, …, G, O]
  const woven = lhsDilation.flatMap((_, i) => [nd + 1 + i, i]);
  const apart = b.permute(b.reshape(stack, [...lhsDilation, ...shape]), [nd, ...woven, 2 * nd + 1, 2 * nd + 2]);
  const flat = b.reshape(
    apart,
    shape.map((s, a) => s * (lhsDilation[a - 1] ?? 1)),
  );
  return b.slice(
    flat,
    flat.shape.map(() => 0),
    n.shape,
  );
}

/** Over the taps and the channels of a group. */
const reads: Family<"conv">["reads"] = (n) => {
  const w = n.srcs[1].shape;
  const { strides, rhsDilation } = n.attrs;
  const nd = strides.length;
  const [group, out, tap] = [nd + 1, nd + 2, nd + 3];
  const taps = strides.map((_, i): Access[number] => [[1, tap + i]]);
  const windows = strides.map((s, i): Access[number] => [
    [s, i + 1],
    [rhsDilation[i], tap + i],
  ]);
  const channel: Access[number] = [[1, tap + nd]];
  return {
    inner: [...w.slice(0, nd), w[nd + 1]],
    how: "product",
    at: [
      [[[1, 0]], ...windows, [[1, group]], channel],
      [...taps, [[1, group]], channel, [[1, out]]],
    ],
  };
};

const rule: Family<"conv"> = { vjp, lower, reads, pass: readInside };
