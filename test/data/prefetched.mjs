// The dataset of the prefetch tests, in the workers and beside them: the built package, as a user would import it.
import { datasetOf } from "../../dist/node/data.js";

/** @param {number} n samples */
export default function make(n) {
  if (n < 0) throw new Error("the argument is below zero");
  const data = datasetOf({
    x: { data: Float32Array.from({ length: 2 * n }, (_, i) => i), shape: [n, 2], dtype: "float32" },
    y: { data: Int32Array.from({ length: n }, (_, i) => i % 2), shape: [n], dtype: "int32" },
    classes: 2,
  });
  return data.mapBatches(({ x, y }, key) => ({
    x: { ...x, data: x.data.map((v, i) => v / 50 + (((key[0] >>> (i % 24)) & 7) - 3) / 10) },
    y,
  }));
}
