// Graphs that plans once got wrong, or that take a path of their own through schedule and runtime.
import { test } from "vitest";
import { scanRule } from "../../src/autodiff/scan.ts";
import { nextId } from "../../src/base/context.ts";
import { build as b, type Node } from "../../src/ir/index.ts";
import { traced } from "../support/execute.ts";
import { agrees, indices, leaf } from "./agrees.ts";

const matmul = { lhsBatch: [], rhsBatch: [], lhsContract: [1], rhsContract: [0] };
const check = (name: string, body: () => void): void => test(name, () => traced(body));

check("reductions along every axis of one sum", () => {
  const [x, y] = [leaf(6, 10, 8), leaf(8)];
  const s = b.binary("add", x, b.broadcast(y, [6, 10, 8]));
  agrees(
    [x, y],
    [b.permute(s, [2, 0, 1]), b.reduce("sum", s, [2]), b.reduce("max", s, [0, 1]), b.reduce("sum", s, [0, 1, 2])],
  );
});

check("padding seen through slices, flips and concatenation", () => {
  const x = leaf(6, 10);
  const p = b.pad(
    x,
    [
      [1, 2],
      [3, 0],
    ],
    7,
  );
  agrees([x], [p, b.slice(p, [0, 1], [9, 12], [2, 3]), b.flip(p, [0, 1]), b.concat([x, b.flip(x, [1])], 1)]);
});

check("a fused epilogue: bias and a limit", () => {
  const [x, w, c] = [leaf(17, 30), leaf(30, 22), leaf(22)];
  const z = b.binary("add", b.dot(x, w, matmul), b.broadcast(c, [17, 22]));
  agrees([x, w, c], [b.binary("maximum", z, b.full([17, 22], 0))]);
});

check("windows with and without overlap", () => {
  const x = leaf(2, 8, 8, 6);
  const at = {
    window: [2, 2],
    strides: [2, 2],
    padding: [
      [0, 0],
      [0, 0],
    ] as [number, number][],
    dilation: [1, 1],
  };
  const y = b.windowReduce("windowMax", x, at);
  const wide = {
    ...at,
    window: [3, 3],
    padding: [
      [1, 1],
      [0, 1],
    ] as [number, number][],
  };
  agrees([x], [y, b.windowPickGrad(x, y, at), b.windowReduce("windowSum", x, wide)]);
});

check("a running sum along an axis of one", () => {
  const x = leaf(7, 8, 1);
  agrees([x], [b.cumsum(b.reshape(x, [7, 8, 1, 1]), 2)]);
});

check("additions at indices into a copy of an expanded base", () => {
  const [x, i, u] = [leaf(1, 1, 5, 5), indices(3), leaf(3, 3, 5, 5)];
  agrees([x, i, u], [b.scatterAdd(b.expand(x, [3, 3, 5, 5]), i, u, 0)]);
});

check("a value and its mirror image: accesses that step back", () => {
  const x = leaf(8, 8, 4);
  const f = b.flip(x, [0, 2]);
  agrees(
    [x],
    [
      b.pad(
        f,
        [
          [1, 1],
          [0, 2],
          [0, 1],
        ],
        0,
      ),
      b.reduce("sum", f, [0, 1, 2]),
    ],
  );
});

check("a barrier whose companion nobody reads", () => {
  const [x, i, u, y] = [leaf(1, 2), indices(3), leaf(3, 2), leaf(1, 7)];
  const n = b.scatterAdd(x, i, u, 0);
  agrees([x, i, u, y], [b.barrier(b.scatterAdd(n, i, u, 0), [b.barrier(b.reshape(y, [7, 1]), [n])])]);
});

check("variables that trade places, and results that are old values", () => {
  const [x, y] = [leaf(20, 20), leaf(20, 20)];
  const n = b.unary("neg", x);
  agrees(
    [x, y],
    [n, x],
    [
      [1, n],
      [0, b.alias(y)],
    ],
  );
});

check("a value read beside the store that goes over it", () => {
  const [x, y] = [leaf(1, 5), leaf(1, 5)];
  const n = b.unary("neg", x);
  agrees([x, y], [n, b.binary("add", x, y)], [[1, n]]);
});

check("gather from what the same step computes", () => {
  const [x, i] = [leaf(3, 5), indices(4)];
  const n = b.unary("neg", x);
  agrees([x, i], [n, b.gather(n, i, 0), b.permute(b.binary("add", n, n), [1, 0])]);
});

check("rows of a table are updated in place, after all that reads them", () => {
  const [w, v, i, j, rate] = [leaf(20, 6), leaf(20, 6), indices(7), indices(2, 3), leaf()];
  const scaled = (g: Node): Node => b.binary("mul", g, b.expand(b.reshape(rate, [1, 1]), [20, 6]));
  const zero = b.full([20, 6], 0);
  const [rows, pairs] = [b.gather(w, i, 0), b.gather(w, j, 0)];
  const grads = b.binary(
    "add",
    b.scatterAdd(zero, i, b.unary("exp", rows), 0),
    b.scatterAdd(zero, j, b.binary("mul", pairs, pairs), 0),
  );
  // Of `w` also the old value, of `v` one that its own update reads.
  const own = b.scatterAdd(zero, i, b.binary("mul", b.gather(v, i, 0), rows), 0);
  agrees(
    [w, v, i, j, rate],
    [b.reduce("sum", rows, [1]), w],
    [
      [0, b.binary("sub", w, scaled(grads))],
      [1, b.binary("add", scaled(own), v)],
    ],
  );
});

check("products of vectors, a batch of them, and of one turn", () => {
  const [x, y, u, v] = [leaf(5, 3, 40), leaf(5, 40, 1), leaf(5, 3, 1), leaf(5, 1, 40)];
  const batched = { lhsBatch: [0], rhsBatch: [0], lhsContract: [2], rhsContract: [1] };
  const back = { ...batched, lhsContract: [1] };
  agrees([x, y, u, v], [b.dot(x, y, batched), b.dot(u, v, batched), b.dot(u, x, back), b.dot(x, u, back)]);
});

check("a contraction with a constant of one element", () => {
  const x = leaf(8, 1);
  agrees([x], [b.dot(b.reshape(b.scalar(2), [1, 1]), b.reshape(b.slice(x, [0, 0], [1, 1]), [1, 1]), matmul)]);
});

check("a scan of one turn over expanded operands", () => {
  const [h0, x, w] = [leaf(1, 3), leaf(1, 1), leaf(3, 1)];
  const [h, xi, wi] = [leaf(1, 3), leaf(1, 3), leaf(3, 3)];
  const next = b.unary("tanh", b.binary("add", b.dot(h, wi, matmul), xi));
  const body = { uid: 1, params: [h, xi, wi], outs: [next, b.binary("mul", next, h)], carries: 1, xs: 1 };
  const xs = b.expand(b.reshape(x, [1, 1, 1]), [1, 1, 3]);
  const s = b.scan({ body, length: 1, reverse: false }, [h0, xs, b.expand(w, [3, 3])], scanRule);
  agrees([h0, x, w], [b.get(s, 0), b.get(s, 1)]);
});

/** A loop h → f(h, w) over `length` turns, all h kept. */
function looped(h0: Node, w: Node, length: number, f: (h: Node, w: Node) => Node): Node[] {
  const [h, wi] = [leaf(...h0.shape), leaf(...w.shape)];
  const next = f(h, wi);
  const body = { uid: nextId(), params: [h, wi], outs: [next, h], carries: 1, xs: 0 };
  const s = b.scan({ body, length, reverse: false }, [h0, w], scanRule);
  return [b.get(s, 0), b.get(s, 1)];
}

const squash = (x: Node): Node => b.unary("tanh", b.binary("mul", x, b.full(x.shape, 0.1, x.dtype)));
const againstColumns = { ...matmul, rhsContract: [1] };

// What a loop multiplies by is laid out before it: whole panels, a last one that is not full, both orders, several axes.
for (const [rows, size] of [
  [6, 96],
  [11, 100],
  [32, 256],
  [40, 130],
]) {
  check(`a loop of products, ${rows} rows by ${size} columns`, () => {
    const [h, w] = [leaf(rows, size), leaf(size, size)];
    const around = (x: Node, v: Node): Node => squash(b.dot(squash(b.dot(x, v, matmul)), v, againstColumns));
    agrees([h, w], [...looped(h, w, 4, around), ...looped(h, w, 1, around)]);
  });
}

check("loops of products over several axes, by exp(w), by a table of the loop's own", () => {
  const [h, w, table] = [leaf(8, 12, 10), leaf(12, 10, 12, 10), leaf(120, 120)];
  const both = { lhsBatch: [], rhsBatch: [], lhsContract: [2, 1], rhsContract: [1, 0] };
  const flat = (x: Node, v: Node): Node =>
    b.reshape(b.dot(b.reshape(x, [8, 120]), b.unary("exp", b.permute(v, [1, 0])), matmul), [8, 12, 10]);
  agrees(
    [h, w],
    looped(h, w, 3, (x, v) => squash(b.dot(x, v, both))),
  );
  agrees(
    [h, table],
    looped(h, table, 3, (x, v) => squash(flat(x, v))),
  );
  agrees(
    [h, table],
    looped(h, table, 3, (x, v) => squash(b.binary("add", flat(x, v), flat(squash(x), v)))),
  );
});

check("results of a loop that nobody reads are not stored", () => {
  const [h0, h] = [leaf(40), leaf(40)];
  const next = squash(h);
  const body = { uid: nextId(), params: [h], outs: [next, h, next], carries: 1, xs: 0 };
  const s = b.scan({ body, length: 3, reverse: true }, [h0], scanRule);
  agrees([h0], [b.get(s, 2)]);
  agrees([h0], [b.get(s, 0)]);
  agrees([h0], [b.get(s, 1), b.get(s, 0)]);
});

check("parts of one shape side by side, with what they are made from, with reductions, over a value they read", () => {
  const [x, y, z] = [leaf(6, 8), leaf(6, 8), leaf(18, 8)];
  const [p, q] = [squash(x), b.binary("mul", x, y)];
  const side = (axis: number): Node => b.concat([p, b.binary("sub", p, q), b.flip(q, [0])], axis);
  agrees([x, y], [side(0), side(1), p, b.reduce("sum", side(1), [1]), b.binary("add", side(0), side(0))]);
  agrees([x, y], [b.concat([b.reshape(p, [6, 8, 1]), b.reshape(q, [6, 8, 1])], 2)]);
  agrees([x, y, z], [p], [[2, b.binary("add", side(0), z)]]);
  const rolled = b.concat([b.slice(z, [9, 0], [18, 8]), b.slice(z, [0, 0], [9, 8])], 0);
  agrees([z], [], [[0, rolled]]);
});

check("a split's gradient is put side by side", () => {
  const [x, y] = [leaf(4, 3), leaf(4, 5)];
  agrees(
    [x, y],
    [
      b.binary(
        "add",
        b.pad(x, [
          [0, 0],
          [0, 5],
        ]),
        b.pad(y, [
          [0, 0],
          [3, 0],
        ]),
      ),
    ],
  );
});
