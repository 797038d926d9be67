/** Catalogue rows on MNIST: one trunk with two heads, in the open form, and what its layers see. */
import { expect, test } from "vitest";
import { setSeed } from "../../src/base/context.ts";
import { grad, valueAndGrad } from "../../src/autodiff/index.ts";
import { mnist } from "../../src/data/index.ts";
import { filterPictures } from "../../src/explain/index.ts";
import { add, compiled, ones, slice, sum, type Tensor, tensor } from "../../src/tensor/index.ts";
import * as nn from "../../src/nn/index.ts";
import { adam } from "../../src/optim/index.ts";

const parityOf = (digits: ArrayLike<number>): Int32Array => Int32Array.from(digits, (d) => d % 2);

test(
  "S-174, S-248 two heads on one trunk: digit ≥ 97 %, parity ≥ 98 %; later layers see more of the picture",
  { timeout: 200_000 },
  async () => {
    const { train, test: held } = await mnist();
    setSeed(0);
    const x = nn.input([28, 28, 1]);
    const first = nn.conv2d(8, 5, { strides: 2, padding: "same", activation: "relu", name: "first" });
    const second = nn.conv2d(16, 5, { strides: 2, padding: "same", activation: "relu", name: "second" });
    const trunk = nn.dense(64, { activation: "relu" })(nn.flatten()(second(first(x))));
    const net = nn.model(x, [nn.dense(10, { name: "digit" })(trunk), nn.dense(2, { name: "parity" })(trunk)]);
    // The trunk is counted once: 208 + 3216 + 50240, and the heads' 650 + 130.
    expect(nn.countParameters(net.variables)).toBe(54_444);
    const optimizer = adam(2e-3);
    const step = compiled((image: Tensor, digit: Tensor, parity: Tensor) => {
      const [loss, grads] = valueAndGrad(net, () => {
        const [a, b] = net(image, { training: true });
        return add(nn.crossEntropy(a, digit), nn.crossEntropy(b, parity));
      });
      optimizer.update(net, grads);
      return loss;
    });
    for (let epoch = 0; epoch < 2; epoch++) {
      for (const { x: image, y } of train.batches(128, { shuffle: true, epoch })) {
        const digits = (y as NonNullable<typeof y>).data;
        step(tensor(image.data, { shape: image.shape }), Int32Array.from(digits), parityOf(digits));
      }
    }
    const right = [0, 0];
    let count = 0;
    const judge = compiled((image: Tensor, digit: Tensor, parity: Tensor) => {
      const [a, b] = net(image);
      return [sum(a.argmax(-1).equal(digit).cast("float32")), sum(b.argmax(-1).equal(parity).cast("float32"))];
    });
    for (const { x: image, y } of held.batches(1000)) {
      const digits = (y as NonNullable<typeof y>).data;
      const sums = judge(tensor(image.data, { shape: image.shape }), Int32Array.from(digits), parityOf(digits));
      sums.forEach((s, i) => (right[i] += s.item()));
      count += digits.length;
    }
    expect(right[0] / count).toBeGreaterThanOrEqual(0.97);
    expect(right[1] / count).toBeGreaterThanOrEqual(0.98);

    // S-248: eight pictures of 5×5 strokes and edges; a place of the second layer looks at 13×13 pixels through them.
    const pictures = filterPictures(first);
    expect(pictures.length).toBe(8);
    const seen = (f: (image: Tensor) => Tensor): number => {
      const g = grad((image: Tensor) => sum(slice(f(image), null, 3, 3)))(ones([1, 28, 28, 1]).mul(0.5));
      const rows = g.abs().max([0, 2, 3]).greater(0);
      return [...rows.dataSync()].filter((v) => v === 1).length;
    };
    // Without the activations, since a dead unit sees nothing.
    const bare = (layer: nn.Layer, filters: number): nn.Layer => {
      const twin = nn.conv2d(filters, 5, { strides: 2, padding: "same" });
      twin.build([null, 28, 28, layer.variables[0].shape[2]]);
      twin.variables.forEach((v, i) => v.assign(layer.variables[i]));
      return twin;
    };
    const [one, two] = [bare(first, 8), bare(second, 16)];
    expect(seen((image) => one(image))).toBe(5);
    expect(seen((image) => two(one(image)))).toBe(13);
  },
);
