/** The graph of one logistic unit with values and gradients, and the error of numerical gradients by the size of the step. */
import { grad, tensor, type Tensor, valueAndGrad, variable } from "chainrule";
import { graphSvg, lineChart } from "chainrule/viz";
import { type Pictures, range, svg } from "./lib.ts";

export async function draw(): Promise<Pictures> {
  // z = w₁x₁ + w₂x₂ + b → σ → cross-entropy, at w = 0, b = 0, x = (1, 2), y = 1: every number from the engine.
  const [w1, w2, b] = [variable(0), variable(0), variable(0)];
  const sum = (): Tensor => w1.mul(1).add(w2.mul(2)).add(b);
  const loss = (a: Tensor): Tensor => a.log().neg();
  const [l, [dw1, dw2, db]] = valueAndGrad([w1, w2, b], () => loss(sum().sigmoid()));
  const z = sum();
  const a = z.sigmoid();
  const dz = grad((z: Tensor) => loss(z.sigmoid()))(z);
  const da = grad(loss)(a);
  const text = (value: Tensor, slope: Tensor | number): string[] => [
    `value ${+value.item().toFixed(4)}`,
    `gradient ${typeof slope === "number" ? slope : +slope.item().toFixed(4)}`,
  ];
  const node = (id: string, lines: string[]) => ({ id, lines });
  const graph = await graphSvg(
    [
      node("w1", ["w₁", ...text(w1, dw1)]),
      node("w2", ["w₂", ...text(w2, dw2)]),
      node("b", ["b", ...text(b, db)]),
      node("z", ["z = 1·w₁ + 2·w₂ + b", ...text(z, dz)]),
      node("a", ["a = σ(z)", ...text(a, da)]),
      node("L", ["L = −ln a", ...text(l, 1)]),
    ],
    [["w1", "z"], ["w2", "z"], ["b", "z"], ["z", "a"], ["a", "L"]],
  );

  // θ³ sin θ at 1, in both precisions.
  const f = (x: Tensor): Tensor => x.pow(3).mul(x.sin());
  const value = (x: number, dtype: "float32" | "float64"): number => f(tensor(x, { dtype })).item();
  const exact = 3 * Math.sin(1) + Math.cos(1);
  const steps = range(-12, -0.5, 47).map((e) => 10 ** e);
  const error = (estimate: (h: number) => number) => steps.map((h) => Math.max(Math.abs(estimate(h) - exact), 1e-12));
  return {
    "autodiff-graph": graph,
    "autodiff-difference": await svg(
      lineChart(
        {
          "centred, float64": error((h) => (value(1 + h, "float64") - value(1 - h, "float64")) / (2 * h)),
          "one-sided, float64": error((h) => (value(1 + h, "float64") - value(1, "float64")) / h),
          "centred, float32": error((h) => (value(1 + h, "float32") - value(1 - h, "float32")) / (2 * h)),
        },
        { xs: steps, logX: true, logY: true, points: false, x: "ε", y: "error of the derivative", width: 560, height: 230, title: "numerical gradients of θ³ sin θ at 1" },
      ),
    ),
  };
}
