/**
 * Derivatives of every row against finite differences in float64: along a random direction, weighted by a random
 * cotangent, so that one number checks every element. Second derivatives the same way, from the first.
 */
import { describe, expect, test } from "vitest";
import "../../src/engine.ts";
import { reverse } from "../../src/autodiff/reverse.ts";
import { isFloat, showShape, sizeOf, type TypedArray } from "../../src/base/index.ts";
import { build as b, type Node, printGraph } from "../../src/ir/index.ts";
import { difference, EPS } from "../support/compare.ts";
import { execute, oracle, traced } from "../support/execute.ts";
import { randomArray, type Rng, rngOf } from "../support/random.ts";
import { prepare, type Prepared } from "./prepare.ts";
import type { OpRow } from "./row.ts";
import { TABLE } from "./table.ts";

const STEP = 1e-6;

type Data = Map<Node, TypedArray>;

/** The leaves moved by `h` along `direction`. */
function moved(data: Data, direction: Data, h: number): Data {
  return new Map(
    [...data].map(([n, x]) => [n, direction.has(n) ? x.map((v, i) => v + h * (direction.get(n) as TypedArray)[i]) : x]),
  );
}

/** Σ x·y over all elements, as a node. */
const inner = (x: Node, y: Node): Node =>
  b.reduce(
    "sum",
    b.binary("mul", x, y),
    x.shape.map((_, i) => i),
  );

/** d(scalar)/d(leaves) along the direction, as a node. */
function along(scalar: Node, wrt: readonly Node[], cts: readonly Node[]): Node {
  const back = reverse([scalar], [b.scalar(1, scalar.dtype)], wrt);
  const terms = back.flatMap((g, i) => (g === null ? [] : [b.cast(inner(g, cts[i]), scalar.dtype)]));
  return terms.reduce((sum, t) => b.binary("add", sum, t), b.scalar(0, scalar.dtype));
}

/** The analytic directional derivative of a scalar against its central difference. */
function checkAlong(scalar: Node, derivative: Node, data: Data, direction: Data, label: string): void {
  const value = (h: number): number => oracle([scalar], moved(data, direction, h))[0][0];
  const want = (value(STEP) - value(-STEP)) / (2 * STEP);
  const [[got]] = oracle([derivative], data);
  const size = 1 + Math.abs(want) + Math.abs(value(0));
  if (!(Math.abs(got - want) <= 2e-6 * size)) {
    expect.fail(`${label}: derivative ${got}, finite difference ${want}\n${printGraph([derivative])}`);
  }
}

const seeds = (rng: Rng, nodes: readonly Node[]): Data =>
  new Map(nodes.map((n) => [n, randomArray(rng, n.shape, n.dtype)]));

/** A leaf of random values like each of `nodes`. */
function leavesLike(rng: Rng, nodes: readonly Node[], data: Data): Node[] {
  return nodes.map((n) => {
    const leaf = b.leaf(n.shape, n.dtype);
    data.set(leaf, randomArray(rng, n.shape, n.dtype));
    return leaf;
  });
}

function checkRow(row: OpRow): void {
  for (const [k, c] of row.cases.entries()) {
    if (c.shapes.reduce((n, s) => n + sizeOf(s), 0) > 12_000) continue;
    traced(() => {
      const rng = rngOf(1000 + k);
      const p = prepare(row, c, "float64", "plain", rng) as Prepared;
      const label = `${row.name} ${c.shapes.map(showShape).join(" ")}`;
      const wrt = p.operands.filter((_, i) => row.grad?.includes(i));
      const data: Data = new Map(p.leaves);
      const [weight] = leavesLike(rng, [p.out], data);
      const scalar = inner(p.out, weight);
      const v = leavesLike(rng, wrt, data);
      const first = along(scalar, wrt, v);
      checkAlong(scalar, first, data, new Map(wrt.map((n, i) => [n, data.get(v[i]) as TypedArray])), label);
      const w = leavesLike(rng, wrt, data);
      const second = along(first, wrt, w);
      checkAlong(first, second, data, new Map(wrt.map((n, i) => [n, data.get(w[i]) as TypedArray])), `${label} second`);
    });
  }
}

/** The graph of the gradient, which fuses differently from any forward one, by the engine in float32. */
function checkEngine(row: OpRow): void {
  for (const [k, c] of row.cases.entries()) {
    if (c.shapes.reduce((n, s) => n + sizeOf(s), 0) > 12_000) continue;
    traced(() => {
      const p = prepare(row, c, "float32", "plain", rngOf(2000 + k)) as Prepared;
      const wrt = p.operands.filter((_, i) => row.grad?.includes(i));
      const ct = b.leaf(p.out.shape, p.out.dtype);
      const grads = reverse([p.out], [ct], wrt).filter((g): g is Node => g !== null && g !== ct);
      const outputs = [p.out, ...grads];
      const leaves = new Map([...p.leaves, ...seeds(rngOf(3000 + k), [ct])]);
      const got = execute(outputs, leaves);
      oracle(outputs, leaves).forEach((want, i) => {
        const tolerance = { relative: 256 * EPS.float32, ofLargest: 64 * EPS.float32, absolute: 1e-30 };
        const why = difference(got[i], Float32Array.from(want), "float32", tolerance);
        if (why !== null)
          expect.fail(`${row.name} ${c.shapes.map(showShape).join(" ")} output ${i}: ${why}\n${printGraph(outputs)}`);
      });
    });
  }
}

const rows = TABLE.flatMap((row, i) =>
  row.grad !== undefined && row.grad.length > 0 && row.dtypes.includes("float64")
    ? [[`${row.name} (row ${i})`, row] as const]
    : [],
);

describe.each(rows)("%s", (_, row) => {
  test("first and second derivatives", () => checkRow(row));
  test("the engine runs the gradient", () => checkEngine(row));
});

test("what has no derivative says so by null", () => {
  for (const row of TABLE.filter(
    (r) => (r.grad ?? []).length === 0 && r.dtypes.includes("float64") && r.name !== "const" && r.name !== "iota",
  )) {
    traced(() => {
      const { out, operands } = prepare(row, row.cases[0], "float64", "plain", rngOf(1)) as Prepared;
      if (!isFloat(out.dtype)) return;
      const [g] = reverse([out], [b.leaf(out.shape, out.dtype)], [operands[0]]);
      if (g !== null && row.name !== "mod")
        expect(
          oracle([g], new Map([[operands[0], Float64Array.of(1)]]))[0].every((v) => v === 0),
          row.name,
        ).toBe(true);
    });
  }
});
