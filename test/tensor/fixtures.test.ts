/** The public functions against NumPy's and PyTorch's results (test/fixtures, made by make_fixtures.py). */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import * as c from "../../src/index.ts";
import type { Tensor } from "../../src/index.ts";

interface Array64 {
  readonly shape: number[];
  readonly data: number[];
}

const read = (name: string): Record<string, never>[] =>
  JSON.parse(readFileSync(new URL(`../fixtures/${name}.json`, import.meta.url), "utf8")) as Record<string, never>[];

const wide = (a: Array64): Tensor => c.tensor(Float64Array.from(a.data), { shape: a.shape });

function close(got: Tensor, want: Array64, digits = 6): void {
  expect(got.shape).toEqual(want.shape);
  const data = got.dataSync();
  want.data.forEach((v, i) =>
    expect(Math.abs(data[i] - v), `element ${i}: ${data[i]} for ${v}`).toBeLessThan(
      10 ** -digits * Math.max(1, Math.abs(v)),
    ),
  );
}

type Named = {
  axis?: number | number[];
  keepdims?: boolean;
  axes?: number[];
  reps?: number[];
  padding?: [number, number][];
  value?: number;
  indices?: number[];
};

const NUMPY: Record<string, (xs: Tensor[], a: Named) => Tensor> = {
  add: ([x, y]) => c.add(x, y),
  subtract: ([x, y]) => c.sub(x, y),
  multiply: ([x, y]) => c.mul(x, y),
  divide: ([x, y]) => c.div(x, y),
  maximum: ([x, y]) => c.maximum(x, y),
  minimum: ([x, y]) => c.minimum(x, y),
  mod: ([x, y]) => c.mod(x, y),
  power: ([x, y]) => c.pow(x, y),
  round: ([x]) => c.round(x),
  matmul: ([x, y]) => c.matmul(x, y),
  sum: ([x], a) => c.sum(x, a.axis, { keepdims: a.keepdims ?? false }),
  mean: ([x], a) => c.mean(x, a.axis, { keepdims: a.keepdims ?? false }),
  prod: ([x], a) => c.prod(x, a.axis, { keepdims: a.keepdims ?? false }),
  max: ([x], a) => c.max(x, a.axis, { keepdims: a.keepdims ?? false }),
  min: ([x], a) => c.min(x, a.axis, { keepdims: a.keepdims ?? false }),
  var: ([x], a) => c.variance(x, a.axis, { keepdims: a.keepdims ?? false }),
  std: ([x], a) => c.std(x, a.axis, { keepdims: a.keepdims ?? false }),
  argmax: ([x], a) => c.argmax(x, a.axis as number),
  argmin: ([x], a) => c.argmin(x, a.axis as number),
  cumsum: ([x], a) => c.cumsum(x, a.axis as number),
  transpose: ([x], a) => c.transpose(x, a.axes),
  tile: ([x], a) => c.tile(x, a.reps as number[]),
  stack: (xs, a) => c.stack(xs, a.axis as number),
  concat: (xs, a) => c.concat(xs, a.axis as number),
  flip: ([x], a) => c.flip(x, a.axis),
  pad: ([x], a) => c.pad(x, a.padding as [number, number][], { value: a.value ?? 0 }),
  take: ([x], a) => c.take(x, a.indices as number[], a.axis as number),
};

describe("numpy.json", () => {
  const rows = read("numpy") as unknown as { f: string; operands: Array64[]; arguments: Named; y: Array64 }[];
  test.each(rows.map((r, i) => [`${i} ${r.f} ${JSON.stringify(r.arguments)}`, r] as const))("%s", (_, r) => {
    close(NUMPY[r.f](r.operands.map(wide), r.arguments), r.y);
  });
});

test("indexing.json", () => {
  for (const r of read("indexing") as unknown as { shape: number[]; index: string; y: Array64 }[]) {
    const x = c.arange(r.shape.reduce((a, b) => a * b, 1)).reshape(r.shape);
    const got = x.slice(...r.index.split(",").map((t) => (t === "None" ? "newaxis" : t)));
    expect(got.shape, r.index).toEqual(r.y.shape);
    expect([...got.dataSync()], r.index).toEqual(r.y.data);
  }
});

describe("einsum.json", () => {
  const rows = read("einsum") as unknown as {
    equation: string;
    operands: Array64[];
    y: Array64;
    dy: Array64;
    grads: Array64[];
  }[];
  test.each(rows.map((r) => [`${r.equation} ${r.operands.map((o) => `[${o.shape.join()}]`).join(" ")}`, r] as const))(
    "%s",
    (_, r) => {
      const xs = r.operands.map(wide);
      close(c.einsum(r.equation, ...xs), r.y);
      const grads = c.grad(
        (...ops: Tensor[]) =>
          c
            .einsum(r.equation, ...ops)
            .mul(wide(r.dy))
            .sum(),
        { argnums: xs.map((_x, i) => i) },
      )(...xs);
      grads.forEach((g, i) => close(g, r.grads[i]));
    },
  );
});

type ConvRow = {
  name: string;
  strides: number[];
  dilation: number[];
  groups: number;
  padding: [number, number][];
  pad: number[];
  outputPadding: number[];
} & Record<"x" | "w" | "b" | "y" | "dy" | "dx" | "dw" | "db", Array64>;

describe("conv.json", () => {
  test.each((read("conv") as unknown as ConvRow[]).map((r) => [r.name, r] as const))("%s", (_, r) => {
    const f = (x: Tensor, w: Tensor, b: Tensor): Tensor => c.conv(x, w, r).add(b);
    close(f(wide(r.x), wide(r.w), wide(r.b)), r.y);
    const grads = c.grad((x: Tensor, w: Tensor, b: Tensor) => f(x, w, b).mul(wide(r.dy)).sum(), { argnums: [0, 1, 2] })(
      wide(r.x),
      wide(r.w),
      wide(r.b),
    );
    close(grads[0], r.dx);
    close(grads[1], r.dw);
    close(grads[2], r.db);
  });
});

describe("conv_transposed.json", () => {
  test.each(
    (read("conv_transposed") as unknown as ConvRow[]).filter((r) => r.groups === 1).map((r) => [r.name, r] as const),
  )("%s", (_, r) => {
    const f = (x: Tensor, w: Tensor): Tensor =>
      c.convTranspose(x, w, {
        strides: r.strides,
        padding: r.pad,
        outputPadding: r.outputPadding,
        dilation: r.dilation,
      });
    close(f(wide(r.x), wide(r.w)), r.y);
    const [dx, dw] = c.grad((x: Tensor, w: Tensor) => f(x, w).mul(wide(r.dy)).sum(), { argnums: [0, 1] })(
      wide(r.x),
      wide(r.w),
    );
    close(dx, r.dx);
    close(dw, r.dw);
  });
});

type PoolRow = {
  name: string;
  kind: "max" | "avg";
  window: number[];
  strides: number[];
  padding: [number, number][];
  countsPadding: boolean;
} & Record<"x" | "y" | "dy" | "dx", Array64>;

describe("pool.json", () => {
  const padded = (r: PoolRow): boolean => r.padding.some(([l, h]) => l + h > 0);
  const rows = (read("pool") as unknown as PoolRow[]).filter((r) => r.kind === "max" || !padded(r) || !r.countsPadding);
  test.each(rows.map((r) => [r.name, r] as const))("%s", (_, r) => {
    const f = (x: Tensor): Tensor => (r.kind === "max" ? c.maxPool : c.avgPool)(x, r.window, r);
    close(f(wide(r.x)), r.y);
    close(c.grad((x: Tensor) => f(x).mul(wide(r.dy)).sum())(wide(r.x)), r.dx);
  });
});
