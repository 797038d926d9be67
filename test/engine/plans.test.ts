// Graphs that plans once got wrong, or that take a path of their own through schedule and runtime.
import { test } from "vitest";
import { scanRule } from "../../src/autodiff/scan.ts";
import { build as b } from "../../src/ir/index.ts";
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
