import { describe, expect, test } from "vitest";
import { detectAnomaly, grad, type Tensor, tensor, valueAndGrad, variable } from "../../src/index.ts";
import { dense, relu, sequential } from "../../src/nn/index.ts";
import { sgd } from "../../src/optim/index.ts";

describe("detectAnomaly", () => {
  test("names the operation that first made a NaN, its operand and the user's line", () => {
    const f = detectAnomaly((x: Tensor) => x.sub(2).log().mul(3).sum());
    expect(f(tensor([3, 4])).item()).toBeCloseTo(3 * Math.log(2), 6);
    expect(() => f([3, 1])).toThrow(
      /^\[detectAnomaly\] log made a NaN: element \[1\] of float32 \[2\], from -1 \(at .*anomaly\.test\.ts:\d+:\d+\)\.$/,
    );
  });

  test("names the layer", () => {
    const net = sequential([dense(2, { name: "fc" }), relu, (x: Tensor) => x.sub(100).sqrt()], { inputShape: [3] });
    expect(() => detectAnomaly(() => net(tensor([[1, 2, 3]])))()).toThrow(
      /sqrt in layer sequential\/lambda made a NaN/,
    );
  });

  test("looks at gradients: sqrt'(0) · 0", () => {
    const slope = grad((x: Tensor) => x.sqrt().mul(0).sum());
    expect(slope(tensor([0])).item()).toBeNaN();
    expect(() => detectAnomaly(slope)(tensor([0]))).toThrow(
      /\[detectAnomaly\] div made a NaN: element \[0\] of float32 \[1\], from 0 and 0/,
    );
  });

  test("a step without a NaN assigns what compiled would; one with a NaN assigns nothing", () => {
    const make = () => {
      const w = variable(tensor([1, 2]), { name: "w" });
      const optimizer = sgd(0.1);
      return {
        w,
        step: (x: Tensor) => {
          const [loss, grads] = valueAndGrad([w], () => w.mul(x).log().sum());
          optimizer.update([w], grads);
          return loss;
        },
      };
    };
    const [a, b] = [make(), make()];
    const watched = detectAnomaly(b.step);
    expect(watched(tensor([1, 1])).item()).toBe(a.step(tensor([1, 1])).item());
    expect(b.w.dataSync()).toEqual(a.w.dataSync());
    const before = b.w.dataSync();
    expect(() => watched(tensor([-1, 1]))).toThrow("log made a NaN");
    expect(b.w.dataSync()).toEqual(before);
  });

  test("inputs and variables that are bad already; infinities when asked", () => {
    const w = variable(tensor([NaN]), { name: "kernel" });
    expect(() => detectAnomaly(() => w.add(1))()).toThrow('variable "kernel" already holds a NaN');
    expect(() => detectAnomaly((x: Tensor) => x.add(1))([NaN])).toThrow("an input already holds a NaN");
    const f = (x: Tensor): Tensor => x.log();
    expect(detectAnomaly(f)([0]).item()).toBe(-Infinity);
    expect(() => detectAnomaly(f, { infinities: true })([0])).toThrow("log made an infinity");
  });
});
