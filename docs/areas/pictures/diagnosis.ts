/** Error by capacity, gradients by layer, and what two monitors say of a network. */
import { linalg, random, stack, tensor, type Tensor } from "chainrule";
import { biasVariance, gradientNorms } from "chainrule/diagnose";
import { type Activation, batchNorm, dense, type InitializerName, type LayerLike, meanSquaredError, relu, sequential, sigmoid, tanh } from "chainrule/nn";
import { lineChart } from "chainrule/viz";
import { functions, grid, type Pictures, range, svg } from "./lib.ts";

const xs = tensor(range(-1, 1, 15), { dtype: "float64" });
const dev = tensor(range(-0.97, 0.97, 200), { dtype: "float64" });
const truth = (x: Tensor): Tensor => x.mul(4).sin();
const powers = (x: Tensor, degree: number): Tensor => stack(Array.from({ length: degree + 1 }, (_, k) => x.pow(k)), 1);
const fit = (y: Tensor, degree: number) => linalg.lstsq(powers(xs, degree), y).x;
const noisy = (): Tensor => truth(xs).add(random.normal([15], { dtype: "float64" }).mul(0.3));
const mse = (a: Tensor, b: Tensor): number => a.sub(b).square().mean().item();

/** Mean squared errors by degree, over thirty sets of fifteen noisy points, with their parts. */
function capacity() {
  random.seed(4);
  const degrees = range(0, 11, 12);
  const sets = Array.from({ length: 30 }, noisy);
  const rows = degrees.map((d) => {
    const weights = sets.map((y) => fit(y, d));
    const parts = biasVariance(weights.map((w) => powers(dev, d).matmul(w).dataSync()), truth(dev).dataSync());
    const train = sets.reduce((sum, y, i) => sum + mse(powers(xs, d).matmul(weights[i]), y), 0) / sets.length;
    return { train, dev: parts.error + 0.09, ...parts };
  });
  return { degrees, rows };
}

function norms(activation: Activation, kernelInitializer: InitializerName, norm = false): number[] {
  random.seed(3);
  const layer = (): LayerLike[] => [dense(64, { kernelInitializer }), ...(norm ? [batchNorm()] : []), activation];
  const net = sequential([...Array.from({ length: 10 }, layer).flat(), dense(1)], { inputShape: [64] });
  const [x, y] = [random.normal([128, 64]), random.normal([128, 1])];
  const { rows } = gradientNorms(net, () => meanSquaredError(net(x, { training: true }), y));
  return rows.filter((r) => r.name.endsWith("kernel") && r.shape[1] === 64).map((r) => r.gradientNorm);
}

export async function draw(): Promise<Pictures> {
  const { degrees, rows } = capacity();
  const size = { width: 280, height: 200 };
  const cut = (f: (r: (typeof rows)[number]) => number) => rows.map((r) => Math.min(f(r), 3));
  random.seed(9);
  const y = noisy();
  const curves = Object.fromEntries(
    [1, 4, 11].map((d) => {
      const w = fit(y, d);
      return [`degree ${d}`, (x: number): number => Math.max(-2, Math.min(2, powers(tensor([x], { dtype: "float64" }), d).matmul(w).item()))];
    }),
  );
  return {
    diagnosis: await svg(
      grid([
        functions({ ...curves, truth: (x) => Math.sin(4 * x) }, [-1, 1], { ...size, x: "x", y: "y", title: "fits to 15 noisy points" }),
        lineChart(
          { "training error": cut((r) => r.train), "dev error": cut((r) => r.dev), "bias²": cut((r) => r.bias2), variance: cut((r) => r.variance) },
          { ...size, xs: degrees, x: "degree", y: "mean square", title: "means of 30 such sets" },
        ),
      ]),
    ),
    "diagnosis-gradients": await svg(
      lineChart(
        {
          "sigmoid, Glorot": norms(sigmoid, "glorotUniform"),
          "tanh, Glorot": norms(tanh, "glorotUniform"),
          "relu, Glorot": norms(relu, "glorotUniform"),
          "relu, He": norms(relu, "heNormal"),
          "sigmoid, batch norm": norms(sigmoid, "glorotUniform", true),
        },
        { x: "layer", y: "norm of the kernel's gradient", logY: true, width: 560, height: 220, title: "ten layers of 64: what reaches the first" },
      ),
    ),
  };
}
