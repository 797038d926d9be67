/** How the spread of activations and of gradients changes with depth, by initial weights. */
import { grad, histogram, random, std, type Tensor } from "chainrule";
import { type Activation, dense, glorotNormal, heNormal, type Initializer, layerOutputs, lecunNormal, normal, relu, sequential, tanh } from "chainrule/nn";
import { lineChart } from "chainrule/viz";
import { grid, type Pictures, range, svg } from "./lib.ts";

const DEPTH = 10;
const UNITS = 300;

function network(activation: Activation, kernelInitializer: Initializer) {
  random.seed(0);
  const net = sequential(Array.from({ length: DEPTH }, () => dense(UNITS, { activation, kernelInitializer })), { inputShape: [UNITS] });
  return { net, x: random.normal([200, UNITS]) };
}

/** The standard deviation of what each layer gives for normal inputs. */
function spread(activation: Activation, initializer: Initializer): number[] {
  const { net, x } = network(activation, initializer);
  return Object.values(layerOutputs(net, x)).slice(0, DEPTH).map((y) => std(y).item());
}

/** The norm of the gradient of the summed result by the values of each layer, as a share of that at the last layer. */
function gradients(initializer: Initializer): number[] {
  const { net, x } = network(relu, initializer);
  const layers = net.layers;
  const values = Object.values(layerOutputs(net, x));
  return values.slice(0, DEPTH).map((y, i) => {
    const rest = (h: Tensor): Tensor => layers.slice(i + 1).reduce((at, layer) => layer(at) , h).sum();
    return grad(rest)(y).norm().item() / Math.sqrt(200 * UNITS);
  });
}

const BINS = 41;

/** Which share of the values of the last layer falls into each of 41 bins over −1 … 1. */
function histogramOf(initializer: Initializer): number[] {
  const { net, x } = network(tanh, initializer);
  const { counts } = histogram(net(x), { bins: BINS, range: [-1, 1] });
  return Array.from(counts.dataSync(), (n) => n / (200 * UNITS));
}

export async function draw(): Promise<Pictures> {
  const options = { x: "layer", logY: true, width: 270, height: 200 };
  const forTanh = { "σ = 0.01": normal({ stddev: 0.01 }), "1/n": lecunNormal(), "2/(n + n')": glorotNormal(), "σ = 1": normal({ stddev: 1 }) };
  const forRelu = { "σ = 0.01": normal({ stddev: 0.01 }), "1/n": lecunNormal(), "2/n": heNormal(), "σ = 0.1": normal({ stddev: 0.1 }) };
  const all = <T>(of: Readonly<Record<string, Initializer>>, f: (i: Initializer) => T): Record<string, T> =>
    Object.fromEntries(Object.entries(of).map(([name, i]) => [name, f(i)]));
  return {
    init: await svg(
      grid([
        lineChart(all(forTanh, (i) => spread(tanh, i)), { ...options, title: "tanh: spread of activations", y: "standard deviation" }),
        lineChart(all(forRelu, (i) => spread(relu, i)), { ...options, title: "relu: spread of activations", y: "standard deviation" }),
        lineChart(all({ "1/n": lecunNormal(), "σ = 1": normal({ stddev: 1 }), "σ = 0.01": normal({ stddev: 0.01 }) }, histogramOf), {
          xs: range(-1, 1, BINS), points: false, title: "tanh: values of layer 10", x: "value", y: "share", width: 270, height: 200,
        }),
        lineChart(all(forRelu, gradients), { ...options, title: "relu: gradient that reaches layer", y: "norm" }),
      ]),
    ),
  };
}
