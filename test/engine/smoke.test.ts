import { test } from "vitest";
import { engine } from "../../src/engine.ts";
import { build as b, type Node } from "../../src/ir/index.ts";
import { interpret } from "../../src/codegen/interp/index.ts";
import { sizeOf } from "../../src/base/index.ts";

function check(inputs: Node[], outputs: Node[]): void {
  const rnd = (n: Node, k: number) =>
    Float32Array.from({ length: sizeOf(n.shape) }, (_, i) => Math.sin(i * 1.7 + k * 3.1) + 0.1);
  const data = inputs.map(rnd);
  const want = interpret(outputs, new Map(inputs.map((n, i) => [n, data[i]])), { precision: "native" });
  const program = engine.compile({ inputs, outputs, updates: [] });
  const got = program.run(data.map((d, i) => engine.fromHost(d, inputs[i].shape, inputs[i].dtype)));
  got.forEach((g, i) => {
    const a = g.read();
    for (let j = 0; j < a.length; j++)
      if (!(Math.abs(a[j] - want[i][j]) <= 1e-4 * (1 + Math.abs(want[i][j]))))
        throw new Error(`out ${i}[${j}] got ${a[j]} want ${want[i][j]}\n${program.explain()}`);
  });
}
const leaf = (...shape: number[]) => b.leaf(shape, "float32");
test("add", () => {
  const x = leaf(5, 7),
    y = leaf(5, 7);
  check([x, y], [b.binary("add", x, b.binary("mul", y, y))]);
});
test("broadcast, permute, reduce", () => {
  const x = leaf(6, 10, 8),
    y = leaf(8);
  const s = b.binary("add", x, b.broadcast(y, [6, 10, 8]));
  check(
    [x, y],
    [b.permute(s, [2, 0, 1]), b.reduce("sum", s, [2]), b.reduce("max", s, [0, 1]), b.reduce("sum", s, [0, 1, 2])],
  );
});
test("pad, slice, flip, concat", () => {
  const x = leaf(6, 10);
  const p = b.pad(
    x,
    [
      [1, 2],
      [3, 0],
    ],
    7,
  );
  check([x], [p, b.slice(p, [0, 1], [9, 12], [2, 3]), b.flip(p, [0, 1]), b.concat([x, b.flip(x, [1])], 1)]);
});
test("dot epilogue", () => {
  const x = leaf(17, 30),
    w = leaf(30, 22),
    c = leaf(22);
  const d = b.dot(x, w, { lhsBatch: [], rhsBatch: [], lhsContract: [1], rhsContract: [0] });
  const z = b.binary("add", d, b.broadcast(c, [17, 22]));
  check([x, w, c], [b.binary("maximum", z, b.full([17, 22], 0))]);
});
test("conv", () => {
  const x = leaf(2, 9, 9, 1, 3),
    w = leaf(3, 3, 1, 3, 10);
  const d = b.conv(x, w, {
    strides: [1, 1],
    padding: [
      [1, 1],
      [1, 1],
    ],
    lhsDilation: [1, 1],
    rhsDilation: [1, 1],
  });
  check([x, w], [d]);
});
test("pool", () => {
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
  check(
    [x],
    [
      y,
      b.windowPickGrad(x, y, at),
      b.windowReduce("windowSum", x, {
        ...at,
        window: [3, 3],
        padding: [
          [1, 1],
          [0, 1],
        ],
      }),
    ],
  );
});
