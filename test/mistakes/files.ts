import type { Chapter } from "./row.ts";

export const files: Chapter = {
  title: "Files",
  mistakes: [
    {
      mistake: "A model file that is not there",
      code: `await loadModel("modle.safetensors");`,
      message: '[load] cannot read "modle.safetensors": there is no such file or folder (ENOENT).',
    },
    {
      mistake: "A truncated model file",
      code: `await saveModel(classifier(), "model.safetensors");
await truncate("model.safetensors", 570);
await loadModel("model.safetensors");`,
      message:
        '[safetensors] "model.safetensors" is truncated: its tensors need 36 bytes, the file has 26 after the header.',
    },
    {
      mistake: "A model file with one flipped bit",
      code: `await saveModel(classifier(), "model.safetensors");
await flipBit("model.safetensors", -1);
await loadModel("model.safetensors");`,
      message:
        '[model] "model.safetensors" is damaged: its checksum is c3ecfb12, it was saved with b4ebcb84. Use a copy or train again.',
    },
    {
      mistake: "An image given as a model",
      code: `await writeFile("model.safetensors", "\\x89PNG\\r\\n\\x1a\\n and so on");
await loadModel("model.safetensors");`,
      message:
        '[safetensors] "model.safetensors" says its header has 1876326794660973000 bytes, more than the limit of 100000000: this is not a safetensors file.',
    },
    {
      mistake: "A weights file of another framework given as a model",
      code: `await writeFile("model.safetensors", encodeSafetensors({ w: host([2, 2]) }));
await loadModel("model.safetensors");`,
      message:
        '[model] "model.safetensors" holds tensors but no architecture: it was not saved by Chainrule. Read it with decodeSafetensors(), and give its arrays to model.setWeights().',
    },
    {
      mistake: "A checkpoint given as a model",
      code: `await writeFile("model.safetensors", encodeCheckpoint({ arrays: {}, position: null, meta: null }));
await loadModel("model.safetensors");`,
      message: '[model] "model.safetensors" holds "checkpoint", not a model.',
    },
    {
      mistake: "A model file of a later version",
      code: `await writeFile("model.safetensors", encodeSafetensors({}, { chainrule: '{"format":2,"kind":"model"}' }));
await loadModel("model.safetensors");`,
      message: '[model] "model.safetensors" has format version 2; this program reads up to 1. Update chainrule.',
    },
    {
      mistake: "A file with a layer that this version does not know",
      code: `const config = { class: "sequential", name: "net", inputShape: [2], inputDtype: "float32", layers: [{ class: "mamba", name: "m", config: {} }] };
await writeFile("model.safetensors", encodeModelFile({ config, weights: {} }));
await loadModel("model.safetensors");`,
      message:
        '[load] "model.safetensors": [modelFromConfig] unknown layer class "mamba" ("m"): for a layer of your own pass what defineLayer gave, { layers: [mamba] }, or a maker, { layers: { mamba: (config) => ... } }. The classes that are known are the keys of layerTable.',
    },
    {
      mistake: "Saving to a full disk",
      code: `await onFullDisk(() => saveModel(classifier(), "model.safetensors"));`,
      message:
        '[save] cannot write "model.safetensors" (1 kB): the disk is full; free some space and save again (ENOSPC). No file was left behind.',
    },
    {
      mistake: "Saving over a folder",
      code: `await mkdir("model.safetensors");
await saveModel(classifier(), "model.safetensors");`,
      message: '[save] cannot write "model.safetensors" (1 kB): it is a folder (EISDIR). What was there is unchanged.',
    },
    {
      mistake: "Saving a model that was never built",
      code: `await saveModel(nn.sequential([nn.dense(3)]), "model.safetensors");`,
      message:
        '[save] model "sequential" has no weights yet: it is not built. Call build([null, ...]) or fit first, or give inputShape.',
    },
    {
      mistake: "MNIST images and labels mixed up",
      code: `const labelFile = encodeIdx({ data: new Uint8Array(3), shape: [3], dtype: "uint8" });
parseIdx(labelFile, "train-images-idx3-ubyte", { shape: [-1, 28, 28] });`,
      message:
        '[idx] "train-images-idx3-ubyte" holds 3 (magic number 0x00000801), but n × 28 × 28 was expected. Is this the label file?',
    },
    {
      mistake: "A truncated MNIST file",
      code: `const images = encodeIdx({ data: new Uint8Array(2 * 784), shape: [2, 28, 28], dtype: "uint8" });
parseIdx(images.subarray(0, 1000), "train-images-idx3-ubyte");`,
      message:
        '[idx] "train-images-idx3-ubyte" is truncated: magic number 0x00000803 with sizes 2 × 28 × 28 needs 1584 bytes, the file has 1000.',
    },
    {
      mistake: "A MNIST file that is still compressed",
      code: `parseIdx(new Uint8Array([0x1f, 0x8b, 8, 0, 0, 0]), "train-images-idx3-ubyte.gz");`,
      message: '[idx] "train-images-idx3-ubyte.gz" is compressed with gzip: unpack it first (it begins with 0x1f8b).',
    },
    {
      mistake: "Something else named like a MNIST file",
      code: `parseIdx(new TextEncoder().encode("<html>404</html>"), "train-images-idx3-ubyte");`,
      message:
        '[idx] "train-images-idx3-ubyte" is not an IDX file: its magic number is 0x3c68746d; 0x00000803 (images) or 0x00000801 (labels) was expected.',
    },
    {
      mistake: "A folder without the MNIST files",
      code: `await mnist({ folder: "data" });`,
      message:
        "[mnist] cannot read data/train-images-idx3-ubyte: ENOENT. The folder must hold train-images-idx3-ubyte, train-labels-idx1-ubyte, t10k-images-idx3-ubyte, t10k-labels-idx1-ubyte.",
    },
    {
      mistake: "A JPEG renamed to PNG",
      code: `await decodePng(new Uint8Array([0xff, 0xd8, 0xff, 0xe0]), "seven.png");`,
      message: '[png] "seven.png" is not a PNG: it begins with the signature of a JPEG. Convert it to PNG first.',
    },
    {
      mistake: "A NumPy array that is stored column by column",
      code: `await readNpy("{'descr': '<f4', 'fortran_order': True, 'shape': (2, 2), }");`,
      message:
        '[npy] "weights.npy" is stored column by column (fortran_order): save numpy.ascontiguousarray(a) instead.',
    },
  ],
};
