import { FormatError } from "../base/index.ts";
import { decodeTar, fileExists, listFolder } from "../io/index.ts";
import { type Dataset, datasetOf } from "./dataset.ts";
import { imageFolder } from "./images.ts";
import { findFiles, gunzip, type RemoteOptions, type RemoteSet } from "./remote.ts";

/** What `cifar10` gives. */
export interface Cifar10 {
  /** 50,000 pictures: x float32 [n, 32, 32, 3] in 0..1, y int32 [n] in 0..9. */
  readonly train: Dataset;
  /** 10,000 pictures. */
  readonly test: Dataset;
}

/** What the ten numbers of CIFAR-10 stand for. */
export const CIFAR10_CLASSES: readonly string[] = [
  "airplane",
  "automobile",
  "bird",
  "cat",
  "deer",
  "dog",
  "frog",
  "horse",
  "ship",
  "truck",
];

const CIFAR10: RemoteSet = {
  set: "cifar-10",
  baseUrl: "https://www.cs.toronto.edu/~kriz/",
  files: [
    {
      name: "cifar-10-binary.tar.gz",
      path: "cifar-10-binary.tar.gz",
      sha256: "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
    },
  ],
  without: "pass { folder } with cifar-10-binary.tar.gz in it, or with pictures in train/<class> and test/<class>.",
};

/**
 * CIFAR-10 (A. Krizhevsky, "Learning multiple layers of features from tiny images", 2009), from the authors' binary archive
 * (170 MB): from the given folder, else from the cache, else downloaded once (and resumed when that broke off); its SHA-256 is
 * checked every time.
 *
 * A folder without the archive may hold the pictures as PNG or JPEG files in `train/<class>/` and `test/<class>/`, the form in which
 * others pass the set on. They are given in one fixed mixed order, since files lie by class. How many there are and whether they are
 * the original's pixels (JPEG is not) cannot be checked then; `onProgress` counts them.
 *
 * @throws FormatError when the archive or a picture is damaged; ChainruleError when the set cannot be had.
 * @example
 * // not run: it downloads
 * const { train, test } = await cifar10();
 */
export async function cifar10(options: RemoteOptions = {}): Promise<Cifar10> {
  if (options.folder !== undefined && (await holdsPictures(options.folder)))
    return fromPictures(options.folder, options);
  const { bytes } = await findFiles(CIFAR10, options);
  return cifar10FromTar(await gunzip(bytes[0], "[cifar-10] cifar-10-binary.tar.gz"));
}

/** Whether a folder holds train/ and test/ and no archive. */
async function holdsPictures(folder: string): Promise<boolean> {
  if (!(await fileExists(folder)) || (await fileExists(`${folder}/${CIFAR10.files[0].name}`))) return false;
  const { folders } = await listFolder(folder);
  return ["train", "test"].every((part) => folders.includes(part));
}

/** The two parts from files by class. */
async function fromPictures(folder: string, { onProgress }: RemoteOptions): Promise<Cifar10> {
  const read = async (part: string): Promise<Dataset> => {
    const { data } = await imageFolder(`${folder}/${part}`, {
      classNames: CIFAR10_CLASSES,
      onProgress: ({ done, total }) => onProgress?.({ file: part, loaded: done, total }),
    });
    const [h, w] = data.xShape;
    if (h === SIDE && w === SIDE) return data.shuffled(0);
    throw new FormatError(`[cifar-10] the pictures in "${folder}/${part}" are ${h} × ${w}, those of the set 32 × 32.`);
  };
  return { train: await read("train"), test: await read("test") };
}

const TRAIN = [1, 2, 3, 4, 5].map((i) => `data_batch_${i}.bin`);

/** Train and test set of the unpacked archive. */
export function cifar10FromTar(tar: Uint8Array): Cifar10 {
  const files = new Map(
    [...decodeTar(tar, "cifar-10")].map(([name, bytes]) => [name.split("/").at(-1) ?? name, bytes]),
  );
  const join = (names: readonly string[]): Dataset => {
    const parts = names.map((name) => {
      const bytes = files.get(name);
      if (bytes === undefined) throw new FormatError(`[cifar-10] the archive has no ${name}.`);
      return bytes;
    });
    return decodeCifar10(parts, names);
  };
  return { train: join(TRAIN), test: join(["test_batch.bin"]) };
}

const SIDE = 32;
const PLANE = SIDE * SIDE;
const RECORD = 1 + 3 * PLANE;

/** Records of a label and the red, green and blue plane, as pixels [n, 32, 32, 3]. */
function decodeCifar10(parts: readonly Uint8Array[], names: readonly string[]): Dataset {
  const n = parts.reduce((sum, bytes, i) => {
    if (bytes.length === 0 || bytes.length % RECORD !== 0)
      throw new FormatError(
        `[cifar-10] ${names[i]} has ${bytes.length} bytes, not a multiple of ${RECORD}: it is damaged.`,
      );
    return sum + bytes.length / RECORD;
  }, 0);
  const x = new Uint8Array(n * 3 * PLANE);
  const y = new Int32Array(n);
  let at = 0;
  for (const bytes of parts) {
    for (let from = 0; from < bytes.length; from += RECORD, at++) {
      y[at] = bytes[from];
      const to = at * 3 * PLANE;
      for (let c = 0; c < 3; c++) {
        const plane = from + 1 + c * PLANE;
        for (let p = 0; p < PLANE; p++) x[to + 3 * p + c] = bytes[plane + p];
      }
    }
  }
  return datasetOf({
    x: { data: x, shape: [n, SIDE, SIDE, 3], dtype: "uint8" },
    y: { data: y, shape: [n], dtype: "int32" },
    classes: 10,
    scale: 1 / 255,
  });
}
