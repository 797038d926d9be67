import fs from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";
import * as chainrule from "../../src/index.ts";
import * as data from "../../src/data/index.ts";
import * as io from "../../src/io/index.ts";
import * as nn from "../../src/nn/index.ts";
import * as optim from "../../src/optim/index.ts";
import * as train from "../../src/train/index.ts";

const { tensor } = chainrule;

/** 0, 1, 2 … of a shape, on the host. */
function host(shape: readonly number[]): io.HostArray {
  return {
    data: Float32Array.from({ length: shape.reduce((n, d) => n * d, 1) }, (_, i) => i),
    shape,
    dtype: "float32",
  };
}

/** n samples of a shape. */
const xs = (n: number, shape: readonly number[]): chainrule.Tensor =>
  tensor(host([n, ...shape]).data, { shape: [n, ...shape] });

/** n class numbers. */
const labels = (n: number, classes: number): chainrule.Tensor =>
  tensor(Int32Array.from({ length: n }, (_, i) => i % classes));

/** A compiled classifier of pairs of numbers into three classes. */
function classifier(loss = "sparseCategoricalCrossentropy"): ReturnType<typeof nn.sequential> {
  const model = nn.sequential([nn.dense(3, { name: "scores" })], { inputShape: [2], name: "net" });
  model.compile({ optimizer: optim.adam(), loss: loss as "meanSquaredError" });
  return model;
}

async function flipBit(file: string, at: number): Promise<void> {
  const bytes = await fs.readFile(file);
  bytes[at < 0 ? bytes.length + at : at] ^= 1;
  await fs.writeFile(file, bytes);
}

/** Runs `f` while every file that is written reports that no space is left. */
async function onFullDisk(f: () => Promise<void>): Promise<void> {
  const open = fs.open;
  fs.open = async (...args: Parameters<typeof open>) => {
    const handle = await open(...args);
    handle.writeFile = () =>
      Promise.reject(Object.assign(new Error("ENOSPC: no space left on device, write"), { code: "ENOSPC" }));
    return handle;
  };
  syncBuiltinESMExports();
  try {
    await f();
  } finally {
    fs.open = open;
    syncBuiltinESMExports();
  }
}

/** The array of an .npy file with a header of one's own. */
function readNpy(header: string): io.HostArray {
  const bytes = new Uint8Array(10 + header.length + 16);
  bytes.set([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, header.length, 0]);
  bytes.set(new TextEncoder().encode(header), 10);
  return io.decodeNpy(bytes, "weights.npy");
}

/** What the code of a mistake sees. */
export const scope: Readonly<Record<string, unknown>> = {
  ...data,
  ...io,
  ...optim,
  ...train,
  ...chainrule,
  nn,
  host,
  xs,
  labels,
  classifier,
  flipBit,
  onFullDisk,
  readNpy,
  truncate: fs.truncate,
  writeFile: fs.writeFile,
  mkdir: fs.mkdir,
};
