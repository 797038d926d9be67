/** Graphs on which the engine once went wrong: each found by the fuzz or the harness, shrunk. */
import { expect, test } from "vitest";
import "../../src/engine.ts";
import type { TypedArray } from "../../src/base/index.ts";
import { scanRule } from "../../src/autodiff/scan.ts";
import { build as b, type Node, printGraph, topoOrder } from "../../src/ir/index.ts";
import { executor } from "../../src/tensor/executor.ts";
import { difference } from "../support/compare.ts";
import { oracle, traced } from "../support/execute.ts";
import { anyValue, randomArray, rngOf } from "../support/random.ts";

interface Case {
  readonly outputs: readonly Node[];
  /** Leaf → its new value. */
  readonly updates?: readonly (readonly [Node, Node])[];
}

const f32 = (...shape: number[]): Node => b.leaf(shape, "float32");
const ids = (...shape: number[]): Node => b.leaf(shape, "int32");
const full = (x: Node, v: number): Node => b.full(x.shape, v, x.dtype);
const sum = (x: Node, ...axes: number[]): Node => b.reduce("sum", x, axes);
const mul = (x: Node, y: Node): Node => b.binary("mul", x, y);
const add = (x: Node, y: Node): Node => b.binary("add", x, y);

const CASES: Readonly<Record<string, () => Case>> = {
  "scatterAdd of one row longer than a block": () => ({
    outputs: [b.scatterAdd(f32(1, 8448), ids(1), f32(1, 8448), 0)],
  }),
  "argmin beside another root stores an index": () => {
    const [x, y, z] = [f32(1, 1), f32(1, 1), f32(1, 1)];
    return { outputs: [b.where(b.compare("lt", x, y), x, z), b.argReduce("argmin", y, 0)] };
  },
  "a reduction over one flipped axis": () => ({ outputs: [b.reduce("min", b.flip(f32(1000), [0]), [0])] }),
  "a flip beside other roots": () => {
    const [x, y] = [f32(33), f32(4, 33)];
    const total = b.expand(b.reshape(sum(y, 0, 1), [1, 1]), [4, 33]);
    const prod = b.reduce("prod", b.unary("tanh", x), [0]);
    const dot = b.dot(x, y, { lhsBatch: [], rhsBatch: [], lhsContract: [0], rhsContract: [1] });
    return { outputs: [dot, total, prod, b.flip(y, [0, 1]), b.binary("mod", prod, b.scalar(1.5))] };
  },
  "a flip that is padded, reduced and pooled": () => {
    const x = b.flip(f32(8, 8, 4), [0, 2]);
    const log = b.reshape(b.unary("log", add(b.unary("abs", x), full(x, 0.25))), [1, 8, 8, 4]);
    const window = { window: [2], strides: [1], padding: [[1, 1]] as const, dilation: [1] };
    return {
      outputs: [
        b.pad(x, [
          [1, 1],
          [0, 2],
          [0, 1],
        ]),
        b.expand(b.reshape(b.reduce("prod", b.unary("tanh", log), [0, 1, 2]), [1, 1, 1, 4]), [1, 8, 8, 4]),
        b.windowReduce("windowMax", x, window),
      ],
    };
  },
  "a running sum along an axis of size 1": () => ({
    outputs: [b.cumsum(b.reshape(f32(7, 8, 1), [7, 8, 1, 1]), 2), b.cumsum(f32(1, 3, 5), 0)],
  }),
  "scatterAdd along an axis of size 1": () => {
    const base = b.reshape(b.expand(b.reshape(f32(3, 5), [3, 5, 1]), [3, 5, 5]), [1, 3, 5, 5]);
    return { outputs: [b.scatterAdd(base, ids(3), f32(3, 3, 5, 5), 0)] };
  },
  "a layer norm over an axis of size 1": () => {
    const x = add(f32(1), f32(1));
    const back = (r: Node): Node => b.reshape(r, [1]);
    const centred = b.binary("sub", x, back(sum(x, 0)));
    return {
      outputs: [x, b.binary("div", centred, b.unary("sqrt", add(back(sum(mul(centred, centred), 0)), full(x, 0.1))))],
    };
  },
  "argmin beside windowPick": () => {
    const x = f32(3, 5);
    const window = { window: [3], strides: [2], padding: [[0, 0]] as const, dilation: [1] };
    return { outputs: [b.argReduce("argmin", x, 0), b.windowPick(b.reshape(x, [1, 3, 5]), f32(1, 3, 5), window)] };
  },
  "a gather of what the same kernel would compute": () => {
    const total = b.reshape(sum(f32(1), 0), [1]);
    const x = b.unary("neg", f32(3, 5));
    return { outputs: [b.gather(total, ids(), 0), x, b.gather(x, ids(3), 0)] };
  },
  "a permutation of what the same kernel would compute": () => {
    const x = f32(2, 16);
    const m = b.binary("mod", x, full(x, 1.5));
    const p = b.permute(add(m, m), [1, 0]);
    const y = b.unary("neg", add(f32(17), f32(17)));
    return { outputs: [p, add(p, f32(16, 2)), y, b.permute(b.expand(b.reshape(y, [17, 1]), [17, 5]), [1, 0])] };
  },
  "a power beside another root": () => {
    const [x, y] = [f32(7, 1, 1, 1), f32(7, 1, 1, 1)];
    const w = b.where(b.compare("lt", x, x), x, x);
    return { outputs: [w, b.binary("pow", add(b.unary("abs", w), full(x, 0.25)), b.unary("tanh", y))] };
  },
  "a result that is also an update": () => {
    const x = f32(2, 2, 17);
    const y = b.unary("neg", x);
    return { outputs: [y], updates: [[x, y]] };
  },
  "two variables that change places, small and large": () => {
    const [x, y, p, q] = [f32(3), f32(3), f32(2000), f32(2000)];
    return {
      outputs: [x, y, add(x, y), p],
      updates: [
        [x, y],
        [y, x],
        [p, q],
        [q, p],
      ],
    };
  },
  "a variable that takes a permutation and a shift of itself": () => {
    const [x, y] = [f32(33, 33), f32(700)];
    const shifted = b.concat([b.slice(y, [1], [700]), b.slice(y, [0], [1])], 0);
    return {
      outputs: [sum(x, 0)],
      updates: [
        [x, b.permute(x, [1, 0])],
        [y, shifted],
      ],
    };
  },
  "a variable that is updated while others still read it": () => {
    const [w, x] = [f32(40, 40), f32(8, 40)];
    const y = b.dot(x, w, { lhsBatch: [], rhsBatch: [], lhsContract: [1], rhsContract: [0] });
    const g = b.dot(x, y, { lhsBatch: [], rhsBatch: [], lhsContract: [0], rhsContract: [0] });
    const z = b.dot(y, w, { lhsBatch: [], rhsBatch: [], lhsContract: [1], rhsContract: [1] });
    return { outputs: [y, z], updates: [[w, b.binary("sub", w, mul(g, full(g, 0.01)))]] };
  },
  "results that are leaves, constants and one another": () => {
    const x = f32(300);
    const y = add(x, x);
    return { outputs: [x, y, y, b.full([300], 3), b.scalar(2), b.reshape(y, [3, 100]), b.alias(x)] };
  },
  "barriers between scatters": () => {
    const one = b.scatterAdd(f32(1, 2), ids(3), f32(3, 2), 0);
    const two = b.scatterAdd(one, ids(3), b.expand(f32(1, 2), [3, 2]), 0);
    return { outputs: [b.barrier(two, [b.barrier(b.reshape(f32(1, 7, 1), [1, 1, 7, 1]), [one])])] };
  },
  "a scan over expanded operands": () => {
    const params = [f32(1, 3), f32(1, 3), f32(3, 3)];
    const [h, x, w] = params;
    const next = b.unary(
      "tanh",
      add(b.dot(h, w, { lhsBatch: [], rhsBatch: [], lhsContract: [1], rhsContract: [0] }), x),
    );
    const body = { uid: h.id, params, outs: [next, mul(next, h)], carries: 1, xs: 1 };
    const xs = b.expand(b.reshape(f32(1, 1), [1, 1, 1]), [1, 1, 3]);
    const tuple = b.scan({ body, length: 1, reverse: false }, [f32(1, 3), xs, b.expand(f32(3, 1), [3, 3])], scanRule);
    return { outputs: [b.get(tuple, 0), b.get(tuple, 1)] };
  },
  "log1p of the largest numbers": () => ({
    outputs: [b.unary("log1p", add(b.unary("abs", f32(5)), b.full([5], 3e38)))],
  }),
};

test.each(Object.entries(CASES))("%s", (_, make) => {
  traced(() => {
    const { outputs, updates = [] } = make();
    const inputs = topoOrder([...outputs, ...updates.map((u) => u[1])]).filter((n) => n.op === "leaf");
    const data = new Map<Node, TypedArray>(
      inputs.map((n, i) => [
        n,
        randomArray(rngOf(i + 1), n.shape, n.dtype, n.dtype === "int32" ? (r) => r.int(-1, 5) : anyValue),
      ]),
    );
    const all = [...outputs, ...updates.map((u) => u[1])];
    const want = oracle(all, data);
    const program = executor().compile({
      inputs,
      outputs,
      updates: updates.map(([leaf, value]) => ({ input: inputs.indexOf(leaf), value })),
    });
    // Twice: what the first run leaves behind must not matter.
    for (let run = 0; run < 2; run++) {
      const values = inputs.map((n) => executor().fromHost(data.get(n) as TypedArray, n.shape, n.dtype));
      const got = [...program.run(values), ...updates.map(([leaf]) => values[inputs.indexOf(leaf)])].map((v) =>
        v.read(),
      );
      got.forEach((g, i) => {
        const why = difference(g, want[i], all[i].dtype, { relative: 1e-5, ofLargest: 1e-5 });
        if (why !== null) expect.fail(`run ${run} output ${i}: ${why}\n${printGraph(all)}`);
      });
    }
  });
});
