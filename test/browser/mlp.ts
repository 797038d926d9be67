/**
 * The smallest whole program: a network that learns two spirals. It is what the size gate bundles and what the browser test
 * runs; it imports as a user would, and sets no path.
 */
import { random, tensor } from "chainrule";
import { dense, relu, sequential } from "chainrule/nn";
import { adam } from "chainrule/optim";

const SAMPLES = 256;
const x = new Float32Array(2 * SAMPLES);
const y = new Int32Array(SAMPLES);
for (let i = 0; i < SAMPLES; i++) {
  const [turn, arm] = [(3 * i) / SAMPLES, i % 2];
  x[2 * i] = turn * Math.cos(2 * turn + Math.PI * arm);
  x[2 * i + 1] = turn * Math.sin(2 * turn + Math.PI * arm);
  y[i] = arm;
}

random.seed(1);
const model = sequential([dense(32), relu, dense(32), relu, dense(2)]);
model.compile({ optimizer: adam(0.01), loss: "sparseCategoricalCrossentropy", metrics: ["accuracy"] });
const { history } = await model.fit({ x: tensor(x, { shape: [SAMPLES, 2] }), y }, { epochs: 40, verbose: 0 });

document.body.dataset["accuracy"] = String(history["accuracy"]?.at(-1));
document.body.dataset["losses"] = JSON.stringify(history["loss"]);
