import { describe, expect, test } from "vitest";
import "../../src/engine.ts";
import { type DType, hostArray, isFloat, showShape, sizeOf, type TypedArray } from "../../src/base/index.ts";
import { build as b, type Node, PRIMITIVES, printGraph } from "../../src/ir/index.ts";
import { difference, EPS, type Tolerance } from "../support/compare.ts";
import { execute, type Leaves, oracle, traced } from "../support/execute.ts";
import { rngOf } from "../support/random.ts";
import { prepare, type Prepared } from "./prepare.ts";
import { type OpRow, VIEWS } from "./row.ts";
import { TABLE } from "./table.ts";

const units = (row: OpRow, dtype: DType): Tolerance => {
  const { relative, ofLargest = 0, absolute = 0 } = row.tolerance ?? { relative: 2 };
  const eps = dtype === "float64" ? EPS.float64 : EPS.float32;
  // The float64 oracle itself is a few units off in float64.
  const scale = dtype === "float64" ? 4 * eps : eps;
  return { relative: relative * scale, ofLargest: ofLargest * scale, absolute: absolute * scale };
};

/** As float32 sees it: what overflows is infinite. */
const rounded = (want: TypedArray, dtype: DType): TypedArray => (dtype === "float32" ? Float32Array.from(want) : want);

function check(row: OpRow, outputs: readonly Node[], leaves: Leaves, label: string): void {
  const got = execute(outputs, leaves);
  const want = oracle(outputs, leaves);
  outputs.forEach((o, i) => {
    const exact = rounded(want[i], o.dtype);
    const why = difference(got[i], exact, o.dtype, units(row, o.dtype));
    if (why !== null) expect.fail(`${label} output ${i}: ${why}\n${printGraph(outputs)}`);
  });
}

/** Users of the result that a scheduler would fuse with it: a permutation, arithmetic, a sum. */
function consumers(y: Node): Node[] {
  const out = [y];
  if (y.shape.length > 1)
    out.push(
      b.permute(
        y,
        y.shape.map((_, i) => y.shape.length - 1 - i),
      ),
    );
  if (isFloat(y.dtype)) out.push(b.unary("abs", b.binary("mul", y, b.full(y.shape, 0.5, y.dtype))));
  if (y.dtype === "int32") out.push(b.binary("add", y, b.full(y.shape, 3, y.dtype)));
  if (y.dtype === "bool") out.push(b.unary("not", y));
  return out;
}

test("the table has a row for every primitive that a user's graph can hold", () => {
  const rows = new Set<string>(TABLE.map((r) => r.name));
  const missing = Object.keys(PRIMITIVES).filter((p) => !rows.has(p) && !["leaf", "get", "custom"].includes(p));
  expect(missing).toEqual([]);
});

describe.each(TABLE.map((row, i) => [`${row.name} (row ${i})`, row] as const))("%s", (_, row) => {
  test.each(row.dtypes)("%s agrees with the oracle", (dtype) => {
    row.cases.forEach((c, k) => {
      const label = `${row.name} ${dtype} ${c.shapes.map(showShape).join(" ")}`;
      traced(() => {
        const p = prepare(row, c, dtype, "plain", rngOf(k + 1)) as Prepared;
        check(row, [p.out], p.leaves, label);
      });
    });
  });

  test.each(Object.keys(VIEWS).filter((v) => v !== "plain"))("operands %s", (view) => {
    const dtypes = row.dtypes.filter((d) => d !== "uint32" && d !== "float64");
    row.cases.forEach((c, k) => {
      if (c.shapes.reduce((n, s) => n + sizeOf(s), 0) > 3000) return;
      const dtype = dtypes.length === 0 ? row.dtypes[0] : dtypes[k % dtypes.length];
      traced(() => {
        const p = prepare(row, c, dtype, view, rngOf(100 + k));
        if (p !== null)
          check(row, consumers(p.out), p.leaves, `${row.name} ${dtype} ${c.shapes.map(showShape).join(" ")} ${view}`);
      });
    });
  });

  test("large", () => {
    traced(() => {
      const p = prepare(row, row.large, row.dtypes[0], "plain", rngOf(7)) as Prepared;
      check(row, [p.out], p.leaves, `${row.name} large`);
    });
  });

  if (row.special !== undefined && row.special.length > 0) {
    test.each(row.dtypes)("%s special values", (dtype) => {
      const values = (row.special as readonly number[]).filter(
        (v) => isFloat(dtype) || (Number.isInteger(v) && Math.abs(v) < 2 ** 32),
      );
      const count = row.cases[0].shapes.length;
      const n = values.length ** count;
      const leaves = new Map<Node, TypedArray>();
      const operands = Array.from({ length: count }, (_, i) => {
        const data = hostArray(dtype, n);
        for (let j = 0; j < n; j++) {
          const v = values[Math.floor(j / values.length ** i) % values.length];
          data[j] = dtype === "bool" ? Number(v !== 0) : v;
        }
        const leaf = b.leaf([n], dtype);
        leaves.set(leaf, data);
        return leaf;
      });
      check(row, [row.cases[0].make(...operands)], leaves, `${row.name} ${dtype}`);
    });
  }
});
