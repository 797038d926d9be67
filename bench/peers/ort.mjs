// onnxruntime-node: a native library behind a JavaScript interface, inference only. Images are NCHW, kernels OIHW.
import ort from "onnxruntime-node";

export { graph } from "../lib/onnx.mjs";

export const input = (init) => ({ ...init, tensor: new ort.Tensor("float32", init.data, init.shape) });

/** A function that runs a model on inputs and gives its result. */
export async function session(model, inputs) {
  const runner = await ort.InferenceSession.create(model, {
    executionProviders: ["cpu"],
    graphOptimizationLevel: "all",
    intraOpNumThreads: Number(process.env.BENCH_THREADS ?? 1),
    interOpNumThreads: 1,
  });
  const feeds = Object.fromEntries(inputs.map(({ tensor }, i) => [`x${i}`, tensor]));
  const [output] = runner.outputNames;
  return async () => (await runner.run(feeds))[output];
}
