// The list of workloads. To add one: a file in workloads/ with a generator per toolkit, and a line here.

const tooSlow = { "tfjs-cpu": "one step takes more than 150 s" };
const others = ["chainrule", "tfjs-cpu", "tfjs-wasm", "jax", "jax-fma", "torch", "torch-debian", "jax-python"];

/**
 * What is measured: file, title, losses of PyTorch 2 (which all must meet to 1e-3), peers that can do it where not all can,
 * and peers that are not started, with the reason. `cold`: the workloads whose first step is awaited from the start of the
 * process.
 */
export const workloads = {
  W1: { file: "w1-matmul", title: "matrix product N×N", by: [...others, "ort", "numpy"] },
  conv: {
    file: "conv",
    title: "3×3 convolutions of ResNet-20 (batch 32) and VGG-16 (batch 1), each pass alone",
    by: others.filter((name) => name !== "jax-python"),
  },
  W2: { file: "w2-mlp", title: "MLP 784-256-128-10, batch 128, Adam", losses: [2.29325, 2.20379] },
  W3: { file: "w3-lenet", title: "LeNet-5, batch 64, Adam", losses: [2.28552, 2.25819] },
  W4: { file: "w4-resnet20", title: "ResNet-20, batch 32, momentum", losses: [2.45904, 1.8726], absent: tooSlow },
  W5: { file: "w5-vision", title: "VGG-16 and ResNet-50 forward, one picture of 224²", by: [...others, "ort"] },
  W6: { file: "w6-lstm", title: "LSTM on characters, hidden 256, 64 steps, batch 32, Adam", losses: [4.15956, 4.1553] },
  W7: { file: "w7-gpt", title: "GPT 4×128, 4 heads, 8×128 tokens, AdamW", losses: [4.33757, 4.09478] },
  W8: {
    file: "w8-skipgram",
    title: "skip-gram 10k×100, 5 negatives, batch 1024, SGD",
    losses: [4.1567, 4.15664],
    absent: tooSlow,
  },
  W9: { file: "w9-elementwise", title: "memory-bound operations", by: [...others, "ort", "numpy"] },
  W10: {
    title: "process start to the first finished step; what is installed and what a browser loads",
    cold: ["W2", "W3", "W4"],
  },
};

/** W11 is no program of its own: how long each model's first call is above its median. */
export const compileTitle = "compile time of each model: the first call minus the median";
export const isModel = ({ workload, metric }) => metric === "step" || workload === "W5";

export const does = (peer, workload) => (workloads[workload].by ?? others).includes(peer);

/** Our own parts of the figures: which mix of reading and writing a memory-bound operation is. */
export const mixes = { add: "add", gelu: "copy", softmax: "copy", "layer norm": "copy", sum: "read" };

/** The figures of a workload in a peer of JavaScript, one after the other. */
export async function programs(workload, toolkit, peer = toolkit) {
  const module = await import(`../workloads/${workloads[workload].file}.mjs`);
  const kit = await import(`../peers/${toolkit}.mjs`);
  await kit.start?.(peer);
  if (module[toolkit] === undefined) throw new Error(`no program for ${workload} in ${toolkit}`);
  return module[toolkit](kit);
}
