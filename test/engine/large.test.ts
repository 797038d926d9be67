// Outputs that no cache holds: their stores go past the caches where the machine can, up to the last lane.
import { expect, it } from "vitest";
import { tensor } from "../../src/index.ts";

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
