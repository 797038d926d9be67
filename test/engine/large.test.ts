// Outputs that no cache holds: their stores go past the caches where the machine can, up to the last lane.
import { expect, it } from "vitest";
import { logSoftmax, softmax, type Tensor, tensor } from "../../src/index.ts";

it.each([4_194_304, 4_300_007])("%i elements, one output and a chain", (n) => {
  const a = Float32Array.from({ length: n }, (_, i) => i % 1000);
  const b = Float32Array.from({ length: n }, (_, i) => (i % 77) - 30);
  const [x, y] = [tensor(a), tensor(b)];
  const sum = x.add(y).dataSync();
  const product = x.add(1).mul(y).dataSync();
  for (let i = 0; i < n; i++) {
    if (sum[i] !== a[i] + b[i]) expect.fail(`sum ${i}: ${sum[i]}`);
    if (product[i] !== (a[i] + 1) * b[i]) expect.fail(`product ${i}: ${product[i]}`);
  }
  expect(sum.length).toBe(n);
});

it.each([
  [2048, 2064],
  [2050, 2051],
])("rows of %i by %i: the same bits as in small", (rows, columns) => {
  const data = Float32Array.from({ length: rows * columns }, (_, i) => Math.sin(i * 1.7) * 9 + (i % 13));
  for (const f of [softmax, logSoftmax] as ((x: Tensor) => Tensor)[]) {
    const all = f(tensor(data, { shape: [rows, columns] })).dataSync();
    for (const row of [0, 1, 1023, rows - 1]) {
      const own = data.slice(row * columns, (row + 1) * columns);
      const few = f(tensor(own, { shape: [1, columns] })).dataSync();
      expect(all.slice(row * columns, (row + 1) * columns)).toEqual(few);
    }
  }
});
