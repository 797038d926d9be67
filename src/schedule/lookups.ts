// Products of looked-up rows: a table of few rows is multiplied before it is read; gradients are added up by row, then multiplied.
import { sizeOf } from "../base/index.ts";
import { build as b, isOp, type Node } from "../ir/index.ts";
import { constantOf, type Rule } from "../ir/rewrite.ts";

/** Look-ups a row of the table, and products an element added up, that repay it; elements that stay in a cache. */
const LOOKUPS = 4;
const PRODUCTS = 32;
const MOST_ELEMENTS = 1 << 20;

/**
 * table[i] · w = (table · w)[i]; the sum of (z · w) by row is (the sum of z by row) · w; table[i]ᵀ · z = tableᵀ · (the sum of z by
 * row), where rows that nobody looked up are zero, whatever stands in them.
 */
export const lookups: Rule = (n) => {
  const product = isOp(n, "scatterAdd") ? n.srcs[2] : n;
  if (!isOp(product, "dot")) return null;
  const { lhsBatch, lhsContract, rhsContract } = product.attrs;
  const [x, w] = product.srcs;
  const read = n === product ? x : n;
  if (!isOp(read, "gather") && !(isOp(n, "scatterAdd") && constantOf(n.srcs[0]) === 0)) return null;
  const [table, index] = read.srcs;
  const rows = table.shape[0];
  const rank = index.shape.length;
  const inRows = lhsContract.every((axis) => axis >= rank);
  const free = [...w.shape.keys()].filter((axis) => !rhsContract.includes(axis));
  if (
    (read as Node<"gather">).attrs.axis > 0 ||
    lhsBatch.length > 0 ||
    rows * LOOKUPS > sizeOf(index.shape) ||
    sizeOf(table.shape) < rows * PRODUCTS ||
    rows * sizeOf(n !== product ? x.shape.slice(rank) : free.map((axis) => w.shape[axis])) > MOST_ELEMENTS
  )
    return null;
  const byRow = (values: Node): Node =>
    b.scatterAdd(b.full([rows, ...values.shape.slice(rank)], 0, values.dtype), index, values, 0);
  const times = (t: Node): Node =>
    b.dot(t, w, { ...product.attrs, lhsContract: lhsContract.map((axis) => axis - rank + 1) });
  if (n !== product) return inRows ? times(byRow(x)) : null;
  if (inRows) return b.gather(times(table), index, 0);
  if (lhsContract.join() !== [...index.shape.keys()].join()) return null;
  const count = b.reshape(byRow(b.full(index.shape, 1, x.dtype)), [rows, ...table.shape.slice(1).map(() => 1)]);
  const zero = b.full(table.shape, 0, x.dtype);
  const asked = b.where(b.compare("ne", b.expand(count, table.shape), zero), table, zero);
  const sums = byRow(b.permute(w, [...rhsContract, ...free]));
  return b.dot(asked, sums, { lhsBatch: [], rhsBatch: [], lhsContract: [0], rhsContract: [0] });
};
