/**
 * The bytecode of dist/node (src/runtime/bytecode.ts), written by a process of its own: loads all that programs can import and
 * trains networks of the common kinds, so that what a first start runs is compiled. It is for the Node that builds.
 */
import { readdirSync } from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";
import v8 from "node:v8";
import { root } from "./run.mjs";

// V8 drops what has not run for a while, unless it is told not to; its default again before anything is written, since it
// refuses what was made under other flags.
v8.setFlagsFromString("--no-flush-bytecode");
const folder = path.join(root, "dist/node");
/** @type {(file: string) => Promise<any>} */
const open = (file) => import(pathToFileURL(path.join(folder, file)).href);
const { load } = await open("load.js");
const {
  add,
  compiled,
  gelu,
  matmul,
  mul,
  random,
  reshape,
  scan,
  softmax,
  swapaxes,
  take,
  tanh,
  tensor,
  valueAndGrad,
  zeros,
} = await open("index.js");
const {
  batchNorm,
  conv2d,
  crossEntropy,
  dense,
  dropout,
  flatten,
  globalAvgPool,
  layerNorm,
  maxPool2d,
  relu,
  sequential,
} = await open("nn.js");
const { adam, adamw, sgd } = await open("optim.js");
for (const file of readdirSync(folder, { recursive: true, encoding: "utf8" })) {
  if (file.endsWith(".js") && file !== "cli.js") await open(file);
}

const labels = (/** @type {number} */ n) => tensor(Int32Array.from({ length: n }, (_, i) => i % 10));

/** Two steps of `loss` over what has variables. @param {any} model @param {any} optimizer @param {any[]} data @param {(...batch: any[]) => any} loss */
function train(model, optimizer, data, loss) {
  const step = compiled((/** @type {any[]} */ ...batch) => {
    const [value, grads] = valueAndGrad(model, () => loss(...batch));
    optimizer.update(model, grads);
    return value;
  });
  for (let i = 0; i < 2; i++) step(...data).item();
}

/** @type {[shape: number[], optimizer: any, layers: any[]][]} */
const stacks = [
  [[784], adam(1e-3), [dense(64), relu, dropout(0.1), dense(32), relu, dense(10)]],
  [
    [28, 28, 1],
    adam(1e-3),
    [conv2d(6, 5, { padding: "same" }), relu, maxPool2d(2), conv2d(16, 5), relu, flatten(), dense(10)],
  ],
  [
    [32, 32, 3],
    sgd({ learningRate: 0.01, momentum: 0.9 }),
    [
      ...[conv2d(16, 3, { padding: "same" }), batchNorm(), relu],
      ...[
        conv2d(32, 3, { padding: "same", strides: 2 }),
        batchNorm(),
        relu,
        conv2d(32, 1, { strides: 2 }),
        globalAvgPool(),
        dense(10),
      ],
    ],
  ],
];
for (const [shape, optimizer, layers] of stacks) {
  const model = sequential(layers, { inputShape: shape });
  const x = random.normal([32, ...shape]);
  train(model, optimizer, [x, labels(32)], (now, y) => crossEntropy(model(now, { training: true }), y));
  model.compile({ optimizer: adam(1e-3), loss: "sparseCategoricalCrossentropy", metrics: ["accuracy"] });
  await model.fit({ x, y: labels(32) }, { epochs: 1, batchSize: 16, verbose: 0 });
  await model.evaluate({ x, y: labels(32) });
}

{
  // One block with attention: 4 sequences of 16 tokens, width 32, 2 heads.
  const [table, head] = [dense(32), dense(10)];
  const model = sequential([table, head], { inputShape: [32] });
  const [norm, up, down] = [layerNorm(), dense(64), dense(32)];
  const block = sequential([norm, up, down], { inputShape: [32] });
  const heads = (/** @type {any} */ t) => reshape(t, [4, 16, 2, 16]).transpose([0, 2, 1, 3]);
  const both = {
    variables: [...model.variables, ...block.variables],
    trainableVariables: [...model.trainableVariables, ...block.trainableVariables],
  };
  train(both, adamw({ learningRate: 1e-3, weightDecay: 0.1 }), [labels(64), labels(64)], (x, y) => {
    let h = norm(table(take(random.normal([10, 32]), x)));
    const scores = softmax(mul(matmul(heads(h), swapaxes(heads(h), -1, -2)), 0.25));
    h = add(h, reshape(matmul(scores, heads(h)).transpose([0, 2, 1, 3]), [64, 32]));
    return crossEntropy(head(add(h, down(gelu(up(h))))), y);
  });
}

{
  // A recurrent cell: 8 steps of a batch of 4, width 16.
  const cell = dense(16);
  const model = sequential([cell, dense(10)], { inputShape: [16] });
  train(model, adam(1e-3), [random.normal([8, 4, 16]), labels(32)], (x, y) => {
    const [, all] = scan(
      (/** @type {any} */ h, /** @type {any} */ now) => {
        const next = tanh(add(cell(h), now));
        return [next, next];
      },
      zeros([4, 16]),
      x,
    );
    return crossEntropy(model(reshape(all, [32, 16])), y);
  });
}

v8.setFlagsFromString("--flush-bytecode");
load.build();
