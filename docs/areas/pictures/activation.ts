/** Activations and their slopes, the slopes by automatic differentiation. */
import { grad, tensor, type Tensor } from "chainrule";
import { type Activation, elu, gelu, leakyRelu, relu, sigmoid, silu, softplus, tanh } from "chainrule/nn";
import { lineChart } from "chainrule/viz";
import { grid, type Pictures, range, svg } from "./lib.ts";

const xs = range(-5, 5, 100);
const x = tensor(xs);
const values = (f: (x: Tensor) => Tensor): number[] => Array.from(f(x).dataSync());
const slopes = (f: (x: Tensor) => Tensor): number[] => values(grad((x: Tensor) => f(x).sum()));

export async function draw(): Promise<Pictures> {
  const chart = (title: string, of: (f: Activation) => number[], all: Readonly<Record<string, Activation>>) =>
    lineChart(Object.fromEntries(Object.entries(all).map(([name, f]) => [name, of(f)])), {
      xs, title, x: "x", y: "", points: false, width: 280, height: 170,
    });
  const bounded = { sigmoid, tanh };
  const kinked = { relu, "leakyRelu (0.1)": leakyRelu({ slope: 0.1 }), elu };
  const smooth = { softplus, silu, gelu };
  return {
    activation: await svg(
      grid([
        chart("bounded", values, bounded),
        chart("their slopes", slopes, bounded),
        chart("with a kink at 0", values, kinked),
        chart("their slopes", slopes, kinked),
        chart("smooth", values, smooth),
        chart("their slopes", slopes, smooth),
      ]),
    ),
  };
}
