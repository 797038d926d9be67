/** NumPy's names and forms: the snippets of the course notes and fixed values, against NumPy's own results. */
import { describe, expect, test } from "vitest";
import { compiled, Tensor } from "../../src/index.ts";
import * as np from "../../src/numpy/index.ts";
import { type Case, casesOf, close, load } from "../arrays/support.ts";

const NOTES = new Map(casesOf("notes").map((k) => [k.name, k]));
const wanted = (name: string): Case => NOTES.get(name) as Case;

/** Each snippet of the notes, by the name of its stored results. */
const SNIPPETS: Record<string, (xs: Tensor[]) => Tensor[]> = {
  // 2:142-160, a loop and its vectorised form.
  "z = np.dot(w, x) + b": ([w, x]) => {
    let z = 0;
    for (let i = 0; i < w.shape[0]; i++) z += w.at(i).item() * x.at(i).item();
    z += 0.5;
    const fast = np.dot(w, x).add(0.5);
    expect(fast.item()).toBeCloseTo(z, 12);
    return [fast];
  },
  // 2:162-182
  "u = np.exp(v)": ([v]) => [np.exp(v)],
  "np.log(v)": ([v]) => [np.log(np.abs(v))],
  "np.abs(v)": ([v]) => [np.abs(v)],
  "np.sqrt(v)": ([v]) => [np.sqrt(np.abs(v))],
  "np.maximum(v, 0)": ([v]) => [np.maximum(v, 0)],
  "1/v and v**2": ([v]) => [np.divide(1, v), np.power(v, 2)],
  // 2:188-240, logistic regression without a loop over examples.
  "one step of logistic regression": ([X, Y, w0]) => {
    const m = X.shape[1];
    const [w, b] = [w0, 0];
    const Z = np.dot(w.T, X).add(b);
    const A = np.divide(1, np.add(1, np.exp(Z.neg())));
    const dZ = A.sub(Y);
    const dw = np.dot(X, dZ.T).mul(1 / m);
    const db = np.sum(dZ).mul(1 / m);
    return [A, dw, db, w.sub(dw.mul(0.1)), np.subtract(b, db.mul(0.1))];
  },
  // 2:238-257
  "cal = A.sum(axis=0)": ([A]) => {
    const cal = np.sum(A, { axis: 0 });
    const percentage = np.divide(np.multiply(100, A), cal.reshape([1, 3]));
    return [cal, percentage];
  },
  broadcasting: ([A, column]) => [np.array([[1], [2], [3], [4]]).add(100), A.add([[100, 200, 300]]), A.add(column)],
  // 2:257-263
  "np.random.rand(5) and (5, 1)": () => {
    np.random.seed(1);
    const a = np.random.rand(5);
    const column = np.random.rand(5, 1);
    return [a, column, np.dot(a, a.T), np.dot(column, column.T)];
  },
  "x.reshape(x.shape[0], -1).T": ([x]) => [x.reshape([x.shape[0], -1]).T],
  // 2:410, 2:531
  "db = np.sum(dZ, axis=1, keepdims=True)": ([dZ]) => [np.sum(dZ, { axis: 1, keepdims: true }).mul(1 / dZ.shape[1])],
  // 2:450-456
  initialization: () => {
    np.random.seed(2);
    return [np.random.rand(2, 2).mul(1 / Math.sqrt(2)), np.zeros([2, 1]), np.random.randn(3, 2).mul(0.01)];
  },
  // 2:587-595, inverted dropout.
  "inverted dropout": ([a3]) => {
    np.random.seed(3);
    const keep = 0.8;
    const d3 = np.random.rand(a3.shape[0], a3.shape[1]).less(keep);
    const dropped = np.multiply(a3, d3);
    return [d3, np.divide(dropped, keep)];
  },
  // 0:70-75
  "np.var, np.mean and batch normalisation": ([z]) => {
    const mu = np.mean(z, { axis: 1, keepdims: true });
    const sigma2 = np.var(z, { axis: 1, keepdims: true });
    return [mu, sigma2, z.sub(mu).div(np.sqrt(sigma2.add(1e-8)))];
  },
  "a.dot(b) = np.dot(a, b)": ([a, b]) => {
    expect(np.arrayEqual(a.dot(b), np.dot(a, b))).toBe(true);
    return [a.dot(b)];
  },
};

describe("SYS-33 the snippets of the notes match stored NumPy outputs", () => {
  test("SYS-33 every stored snippet is run", () => {
    expect(new Set(Object.keys(SNIPPETS))).toEqual(new Set(NOTES.keys()));
  });
  test.each(Object.keys(SNIPPETS))("SYS-33 %s", (name) => {
    const k = wanted(name);
    const got = SNIPPETS[name](k.xs.map((x) => load(x)));
    expect(got.length).toBe(k.outs.length);
    got.forEach((t, i) => {
      expect(["float64", "bool"]).toContain(t.dtype);
      close(t, k.outs[i], 2e-15 * 8, name);
    });
  });
});

const A = [
  [1, 4, 7],
  [2, 5, 8],
  [3, 6, 9],
];
const cat = (x: Tensor): unknown => x.array();

describe("S-427", () => {
  const VALUES: [string, () => unknown, unknown][] = [
    ["array", () => [np.array([1, 2]).dtype, np.array([true]).dtype, np.array(A).shape], ["float64", "bool", [3, 3]]],
    ["dot of vectors", () => np.dot([1, 2, 3], [4, 5, 6]).item(), 32],
    ["dot of matrices", () => cat(np.dot(A, [[1], [0], [1]])), [[8], [10], [12]]],
    [
      "T",
      () => cat(np.array(A).T),
      [
        [1, 2, 3],
        [4, 5, 6],
        [7, 8, 9],
      ],
    ],
    [
      "sum",
      () => [np.sum(A).item(), cat(np.sum(A, 0)), cat(np.sum(A, { axis: 1, keepdims: true }))],
      [45, [6, 15, 24], [[12], [15], [18]]],
    ],
    ["mean", () => [np.mean(A).item(), cat(np.mean(A, { axis: 0 }))], [5, [2, 5, 8]]],
    ["var", () => [np.var([1, 2, 3, 4]).item(), np.var([1, 2, 3, 4], { ddof: 1 }).item()], [1.25, 5 / 3]],
    ["std", () => np.std([1, 3]).item(), 1],
    ["exp", () => cat(np.exp([0, 1])), [1, Math.E]],
    ["log", () => cat(np.log([1, Math.E])), [0, 1]],
    ["abs", () => cat(np.abs([-1, 2])), [1, 2]],
    ["sqrt", () => cat(np.sqrt([4, 9])), [2, 3]],
    ["maximum", () => cat(np.maximum([-1, 5], [0, 2])), [0, 5]],
    ["multiply", () => cat(np.multiply([1, 2], [3, 4])), [3, 8]],
    [
      "reshape",
      () => cat(np.reshape([1, 2, 3, 4], [2, -1])),
      [
        [1, 2],
        [3, 4],
      ],
    ],
    ["zeros", () => [cat(np.zeros([2, 1])), np.zeros(3).dtype], [[[0], [0]], "float64"]],
    ["empty_like", () => np.empty_like(A).shape, [3, 3]],
    ["random.rand", () => (np.random.seed(0), cat(np.random.rand(2))), [0.5488135039273248, 0.7151893663724195]],
    ["random.randn", () => (np.random.seed(0), cat(np.random.randn(2))), [1.764052345967664, 0.4001572083672233]],
    ["shape", () => [np.array(A).shape, np.shape(A), np.ndim(A), np.size(A)], [[3, 3], [3, 3], 2, 9]],
    [
      "ones, eye, arange, linspace",
      () => [cat(np.ones([1, 2])), cat(np.eye(2)), cat(np.arange(3)), cat(np.linspace(0, 1, 3))],
      [
        [[1, 1]],
        [
          [1, 0],
          [0, 1],
        ],
        [0, 1, 2],
        [0, 0.5, 1],
      ],
    ],
    ["where", () => [cat(np.where([1, 0, 2], [1, 2, 3], 0)), np.where([0, 1, 1]).map(cat)], [[1, 0, 3], [[1, 2]]]],
    [
      "argmax, argmin",
      () => [np.argmax([1, 5, 2]).item(), cat(np.argmin(A, 1)), cat(np.argmax(A, { axis: 0 }))],
      [1, [0, 0, 0], [2, 2, 2]],
    ],
    ["concatenate", () => cat(np.concatenate([[[1]], [[2]]], { axis: 1 })), [[1, 2]]],
    [
      "vstack, hstack, stack",
      () => [
        cat(
          np.vstack([
            [1, 2],
            [3, 4],
          ]),
        ),
        cat(np.hstack([[1, 2], [3]])),
        cat(np.stack([[1], [2]], 1)),
      ],
      [
        [
          [1, 2],
          [3, 4],
        ],
        [1, 2, 3],
        [[1, 2]],
      ],
    ],
    ["squeeze, expand_dims", () => [np.squeeze([[[1]]]).shape, np.expand_dims([1, 2], 1).shape], [[], [2, 1]]],
    [
      "meshgrid",
      () => np.meshgrid([1, 2], [3, 4, 5]).map((x) => x.shape),
      [
        [3, 2],
        [3, 2],
      ],
    ],
    ["clip", () => cat(np.clip([-1, 0.5, 2], 0, 1)), [0, 0.5, 1]],
    [
      "allclose, array_equal",
      () => [np.allclose([1], [1 + 1e-9]), np.allclose([1], [1.1]), np.array_equal(A, A), np.array_equal([1], [1, 2])],
      [true, false, true, false],
    ],
    [
      "sort, argsort, unique",
      () => [cat(np.sort([3, 1, 2])), cat(np.argsort([3, 1, 2])), cat(np.unique([2, 1, 2]))],
      [
        [1, 2, 3],
        [1, 2, 0],
        [1, 2],
      ],
    ],
    [
      "cumsum, diff, cumprod",
      () => [cat(np.cumsum(A, 0)), cat(np.cumsum([[1], [2]])), cat(np.diff([1, 4])), cat(np.cumprod([2, 3]))],
      [
        [
          [1, 4, 7],
          [3, 9, 15],
          [6, 15, 24],
        ],
        [1, 3],
        [3],
        [2, 6],
      ],
    ],
    [
      "linalg",
      () => [
        np.linalg.norm([3, 4]).item(),
        np.linalg
          .det([
            [2, 0],
            [0, 3],
          ])
          .item(),
        cat(
          np.linalg.solve(
            [
              [2, 0],
              [0, 4],
            ],
            [2, 4],
          ),
        ),
        np.linalg.svd([[1, 2]]).map((x) => x.shape),
      ],
      [5, 6, [1, 1], [[1, 1], [1], [2, 2]]],
    ],
    [
      "round, floor, sign, mod",
      () => [cat(np.round([1.256, -0.5], 2)), cat(np.floor([1.7])), cat(np.sign([-3])), cat(np.mod([-1], 3))],
      [[1.26, -0.5], [1], [-1], [2]],
    ],
    [
      "tile, repeat, roll, flip, split",
      () => [
        cat(np.tile([1, 2], 2)),
        cat(np.repeat([1, 2], 2)),
        cat(np.roll([1, 2, 3], 1)),
        cat(np.flip([1, 2])),
        np.split([1, 2, 3, 4], [1, 3]).map(cat),
      ],
      [
        [1, 2, 1, 2],
        [1, 1, 2, 2],
        [3, 1, 2],
        [2, 1],
        [[1], [2, 3], [4]],
      ],
    ],
    [
      "inner, outer, kron, einsum, trace",
      () => [
        np.inner([1, 2], [3, 4]).item(),
        cat(np.outer([1, 2], [3])),
        cat(np.kron([1, 2], [1, 1])),
        np.einsum("ii", A).item(),
        np.trace(A).item(),
      ],
      [11, [[3], [6]], [1, 1, 2, 2], 15, 15],
    ],
    [
      "median, percentile, histogram, bincount",
      () => [
        np.median([3, 1, 2]).item(),
        np.percentile([1, 2, 3], 50).item(),
        np.histogram([1, 2, 2], { bins: 2 }).map(cat),
        cat(np.bincount([0, 2, 2])),
      ],
      [
        2,
        2,
        [
          [1, 2],
          [1, 1.5, 2],
        ],
        [1, 0, 2],
      ],
    ],
    [
      "comparisons and logic",
      () => [
        cat(np.greater([1, 2], 1)),
        cat(np.logical_and([1, 0], [1, 1])),
        np.any([0, 1]).item(),
        np.count_nonzero(A).item(),
      ],
      [[false, true], [true, false], 1, 9],
    ],
    ["constants", () => [np.pi, np.inf, Number.isNaN(np.nan)], [Math.PI, Infinity, true]],
  ];

  test.each(VALUES)("S-427 np.%s", (_, f, want) => {
    const near = (got: unknown, to: unknown): void => {
      if (typeof to === "number" && Number.isFinite(to)) expect(got as number).toBeCloseTo(to, 14);
      else if (Array.isArray(to)) {
        expect((got as unknown[]).length).toBe(to.length);
        to.forEach((t, i) => near((got as unknown[])[i], t));
      } else expect(got).toBe(to);
    };
    near(f(), want);
  });

  test("S-427 np.softmax does not exist", () => {
    expect("softmax" in np).toBe(false);
  });
});

describe("random", () => {
  test.each(casesOf("mersenne").map((k) => [k.name, k] as const))("%s draws NumPy's numbers", (name, k) => {
    np.random.seed(k.args.seed);
    const size = k.args.size as readonly number[];
    const calls: Record<string, () => Tensor> = {
      rand: () => np.random.rand(...size),
      randn: () => np.random.randn(...size),
      uniform: () => np.random.uniform(-2, 3, size),
      normal: () => np.random.normal(1, 2, size),
      randint: () => np.random.randint(-5, 100, size),
      permutation: () => np.random.permutation(20),
      choice: () => np.random.choice(50, { size, replace: false }),
    };
    close(calls[name](), k.outs[0], 1e-15, name);
  });

  test("inside compiled every run draws anew", () => {
    const mask = compiled(() => np.random.rand(100).less(0.5).cast("float64"));
    expect(np.arrayEqual(mask(), mask())).toBe(false);
    const some = np.sum(mask()).item();
    expect(some).toBeGreaterThan(20);
    expect(some).toBeLessThan(80);
  });

  test("without a seed it follows Chainrule's own", () => {
    expect(np.random.rand()).toBeInstanceOf(Tensor);
    expect(np.random.rand().shape).toEqual([]);
  });
});

describe("mistakes", () => {
  test.each([
    [() => np.zeros(2, 1 as never), "[zeros] takes the shape as one argument: zeros([2, 1])."],
    [() => np.random.seed(-1), "[random.seed] takes a whole number in 0..4294967295, got -1."],
    [() => np.random.randint(3, 3), "[random.randint] needs whole numbers low < high, got 3 and 3."],
    [() => np.random.choice(3, { size: 5, replace: false }), "[random.choice] cannot draw 5 of 3 without replacement."],
  ])("%s", (f, message) => {
    expect(f).toThrow(message);
  });
});
