/**
 * data: samples on the host and the ways they become batches: datasets, IDX files, MNIST.
 *
 * It is not: a place for tensors or devices. A dataset hands out typed arrays with shapes; the trainer moves them to the
 * device. Nothing here is random but the order of samples, and that is a function of seed and epoch.
 */
export { Dataset, datasetOf } from "./dataset.ts";
export type { DatasetInit, Sample } from "./dataset.ts";
export type { Batch, BatchOptions } from "./samples.ts";
export type { HostArray } from "../io/index.ts";
export { checkLabels, oneHotLabels } from "./labels.ts";
export { encodeIdx, parseIdx } from "./idx.ts";
export type { IdxExpectation } from "./idx.ts";
export { MNIST_FILES, mnist } from "./mnist.ts";
export type { Mnist, MnistOptions } from "./mnist.ts";
