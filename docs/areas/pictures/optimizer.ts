/** Paths of optimizers over a ravine, and their loss by step. */
import { compiled, type Tensor, valueAndGrad, variable } from "chainrule";
import { adagrad, adam, momentum, nesterov, type Optimizer, rmsprop, sgd } from "chainrule/optim";
import { lineChart } from "chainrule/viz";
import { grid, paths, type Pictures, type Point, range, svg } from "./lib.ts";

/** ½(x² + 25y²). */
const ravine = (w: Tensor): Tensor => w.at(0).square().add(w.at(1).square().mul(25)).mul(0.5);

/** Where an optimizer is before each of some steps. */
function path(optimizer: Optimizer, steps: number, [x, y]: Point): Point[] {
  const w = variable([x, y]);
  const step = compiled(() => {
    const [loss, grads] = valueAndGrad([w], () => ravine(w));
    optimizer.update([w], grads);
    return loss;
  });
  return range(1, steps, steps).map(() => {
    const [a, b] = w.dataSync();
    step();
    return [a, b] as const;
  });
}

const ellipse = (level: number): Point[] =>
  range(0, 2 * Math.PI, 37).map((t) => [Math.sqrt(2 * level) * Math.cos(t), Math.sqrt((2 * level) / 25) * Math.sin(t)]);

export async function draw(): Promise<Pictures> {
  const start: Point = [-10, 1.5];
  const make: Readonly<Record<string, () => Optimizer>> = {
    "sgd(0.07)": () => sgd(0.07),
    "momentum(0.01)": () => momentum(0.01),
    "nesterov(0.01)": () => nesterov(0.01),
    "adagrad(1)": () => adagrad(1),
    "rmsprop(0.3)": () => rmsprop(0.3),
    "adam(0.5)": () => adam(0.5),
  };
  const options = {
    contours: [2, 8, 18, 32, 50].map(ellipse), domain: [[-11, 4], [-2.2, 2.2]] as const, x: "x", y: "y", width: 280, height: 170,
  };
  const some = (...names: string[]) => Object.fromEntries(names.map((name) => [name, path(make[name](), 30, start)]));
  const falls = Object.fromEntries(
    Object.entries(make).map(([name, o]) => [name, path(o(), 100, start).map(([x, y]) => Math.max((x * x + 25 * y * y) / 2, 1e-8))]),
  );
  return {
    optimizer: await svg(
      grid([
        paths(some("sgd(0.07)"), { ...options, title: "gradient descent" }),
        paths(some("momentum(0.01)", "nesterov(0.01)"), { ...options, title: "momentum" }),
        paths(some("adagrad(1)", "rmsprop(0.3)"), { ...options, title: "a rate for each direction" }),
        paths(some("adam(0.5)"), { ...options, title: "both" }),
      ]),
    ),
    "optimizer-loss": await svg(
      lineChart(falls, { x: "step", y: "½(x² + 25y²)", logY: true, points: false, width: 560, height: 200, title: "the same, by step" }),
    ),
  };
}
