/** Small paths of optimizers in float64, for the checks of their rows. */
import { compiled, grad, type Tensor, tensor, variable } from "chainrule";
import { atLookAhead, type Optimizer } from "chainrule/optim";
import type { Check } from "./net.ts";

export const f64 = (x: readonly number[]): Tensor => tensor([...x], { dtype: "float64" });
export const list = (t: Tensor): number[] => [...t.dataSync()];

/** Where w stands after each step on the given gradients. */
export function onGradients(
  optimizer: Optimizer,
  gradients: readonly (readonly number[])[],
  start: readonly number[] = [0],
): number[][] {
  const w = variable(f64(start));
  return gradients.map((g) => {
    optimizer.update([w], [f64(g)]);
    return list(w);
  });
}

/** The steps taken on these gradients of one number. */
export const stepsOn = (optimizer: Optimizer, gradients: readonly number[]): number[] =>
  onGradients(
    optimizer,
    gradients.map((g) => [g]),
  ).map(([w], i, all) => w - (all[i - 1]?.[0] ?? 0));

/** How far first steps go, in units of the rate. */
export const firstSteps = (make: (rate: number) => Optimizer, ...gradients: readonly number[]): number[] =>
  gradients.map((g) => -stepsOn(make(1e-3), [g])[0] / 1e-3);

/** The path of w down ½ Σ d·w² from ones; with `ahead`, the points to which momentum carries, where gradients are taken. */
export function downhill(optimizer: Optimizer, d: readonly number[], steps: number, ahead?: number): number[] {
  const w = variable(f64(d.map(() => 1)));
  const slopes = (): Tensor[] => grad([w], () => w.square().mul(f64(d)).sum().mul(0.5));
  optimizer.build([w]);
  const step = compiled((): Tensor => {
    if (ahead === undefined) {
      optimizer.update([w], slopes());
      return w.mul(1);
    }
    const [point, g] = atLookAhead(optimizer, [w], ahead, () => [w.mul(1), slopes()] as const);
    optimizer.update([w], g);
    return point;
  });
  return Array.from({ length: steps }, () => list(step())).flat();
}

export const check = (
  row: string,
  what: string,
  found: readonly number[],
  wanted: readonly number[],
  within = 1e-9,
): Check => ({ row, what, found, wanted, within });
