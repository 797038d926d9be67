/** A functional network with a shortcut and two heads, as a graph. */
import { plotModel } from "chainrule/explain";
import { add, batchNorm, conv2d, dense, globalAvgPool, input, model, relu } from "chainrule/nn";
import type { Pictures } from "./lib.ts";

export async function draw(): Promise<Pictures> {
  const x = input([28, 28, 1], { name: "picture" });
  const stem = relu(conv2d(16, 3, { padding: "same", strides: 2, name: "stem" })(x));
  const block = batchNorm()(conv2d(16, 3, { padding: "same", name: "block" })(stem));
  const trunk = globalAvgPool()(relu(add()([stem, block])));
  const net = model(x, [dense(10, { name: "digit" })(trunk), dense(1, { name: "parity" })(trunk)], { name: "two-heads" });
  return { api: await plotModel(net) };
}
