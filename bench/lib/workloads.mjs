// The list of workloads and peers. To add one: a file in workloads/ with a generator per peer, and a line here.

const tooSlow = { "tfjs-cpu": "one step takes more than 150 s" };

/** What is measured: file, title, losses of an outside run (PyTorch 2), and peers that are not started, with the reason. */
export const workloads = {
  W1: { file: "w1-matmul", title: "matrix product N×N" },
  conv: { file: "conv", title: "3×3 convolutions of ResNet-20, batch 32, each pass alone" },
  W2: { file: "w2-mlp", title: "MLP 784-256-128-10, batch 128, Adam", losses: [2.29325, 2.20379] },
  W3: { file: "w3-lenet", title: "LeNet-5, batch 64, Adam", losses: [2.28552, 2.25819] },
  W4: { file: "w4-resnet20", title: "ResNet-20, batch 32, momentum", losses: [2.45904, 1.8726], absent: tooSlow },
  W5: { file: "w5-vision", title: "VGG-16 and ResNet-50 forward, one picture of 224²" },
  W6: { file: "w6-lstm", title: "LSTM on characters, hidden 256, 64 steps, batch 32, Adam", losses: [4.15956, 4.1553] },
  W7: { file: "w7-gpt", title: "GPT 4×128, 4 heads, 8×128 tokens, AdamW", losses: [4.33757, 4.09478] },
  W8: {
    file: "w8-skipgram",
    title: "skip-gram 10k×100, 5 negatives, batch 1024, SGD",
    losses: [4.1567, 4.15664],
    absent: tooSlow,
  },
  W9: { file: "w9-elementwise", title: "memory-bound operations" },
  W10: { file: "w2-mlp", title: "process start to the first finished W2 step", cold: true },
};

/** Ours first. `flags`: of the node process; `optional`: only when asked for with --peers. */
export const peers = {
  chainrule: { title: "chainrule" },
  "tfjs-cpu": { title: "tfjs cpu", package: "@tensorflow/tfjs", toolkit: "tfjs" },
  "tfjs-wasm": { title: "tfjs wasm", package: "@tensorflow/tfjs-backend-wasm", toolkit: "tfjs" },
  jax: { title: "jax-js", package: "@jax-js/jax", toolkit: "jax" },
  ort: { title: "onnxruntime-node", package: "onnxruntime-node" },
  "jax-fma": {
    title: "jax-js, relaxed SIMD",
    package: "@jax-js/jax",
    toolkit: "jax",
    flags: ["--experimental-wasm-relaxed-simd"],
    optional: true,
  },
};

/** The figures of a workload in a peer, one after the other. */
export async function programs(workload, peer) {
  const module = await import(`../workloads/${workloads[workload].file}.mjs`);
  const toolkit = peers[peer].toolkit ?? peer;
  const kit = await import(`../peers/${toolkit}.mjs`);
  await kit.start?.(peer);
  return module[toolkit](kit);
}
