/** Small tables that come with the package. */
import { FormatError } from "../base/index.ts";
import { decodeTar } from "../io/index.ts";
import { type Dataset, datasetOf } from "./dataset.ts";
import { findFiles, gunzip, type RemoteOptions, type RemoteSet } from "./remote.ts";

/** A table with the names of its columns. */
export interface TableDataset {
  /** x float32 [n, features]; y int32 [n] class numbers, or float32 [n] values. */
  readonly data: Dataset;
  readonly featureNames: readonly string[];
  /** What the class numbers stand for; empty for a regression. */
  readonly classNames: readonly string[];
}

/** Records separated by ";" or line ends, the target last. */
function tableOf(text: string, featureNames: readonly string[], classNames: readonly string[]): TableDataset {
  const records = text.trim().split(/[;\n]/);
  const width = featureNames.length;
  const x = new Float32Array(records.length * width);
  const y = classNames.length > 0 ? new Int32Array(records.length) : new Float32Array(records.length);
  records.forEach((record, i) => {
    const values = record.split(",").map(Number);
    if (values.length !== width + 1 || values.some(Number.isNaN))
      throw new FormatError(`[table] record ${i} has ${values.length} numbers, ${width + 1} are needed.`);
    x.set(values.slice(0, width), i * width);
    y[i] = values[width];
  });
  const n = records.length;
  const data = datasetOf({
    x: { data: x, shape: [n, width], dtype: "float32" },
    y: { data: y, shape: [n], dtype: classNames.length > 0 ? "int32" : "float32" },
    classes: classNames.length > 0 ? classNames.length : null,
  });
  return { data, featureNames, classNames };
}

/**
 * Fisher's 150 irises of three kinds: x [150, 4] in cm. Sorted by class: shuffle or stratify before splitting.
 *
 * @example (await iris()).data.xShape; // [4]
 */
export async function iris(): Promise<TableDataset> {
  const { IRIS } = await import("./tables/iris.ts");
  return tableOf(
    IRIS,
    ["sepalLength", "sepalWidth", "petalLength", "petalWidth"],
    ["setosa", "versicolor", "virginica"],
  );
}

/**
 * 178 wines of three growers by chemical analysis: x [178, 13]. Sorted by class.
 *
 * @example (await wine()).classNames; // three growers
 */
export async function wine(): Promise<TableDataset> {
  const { WINE } = await import("./tables/wine.ts");
  const names =
    "alcohol malicAcid ash alcalinityOfAsh magnesium totalPhenols flavanoids nonflavanoidPhenols proanthocyanins " +
    "colorIntensity hue od280od315 proline";
  return tableOf(WINE, names.split(" "), ["grower 0", "grower 1", "grower 2"]);
}

/**
 * 569 breast tumours, malignant (0) or benign (1), by measures of cell nuclei (mean, error, worst): x [569, 30].
 *
 * @example (await breastCancer()).data.length; // 569
 */
export async function breastCancer(): Promise<TableDataset> {
  const { BREAST_CANCER } = await import("./tables/breast-cancer.ts");
  const measures =
    "Radius Texture Perimeter Area Smoothness Compactness Concavity ConcavePoints Symmetry FractalDimension";
  const names = ["mean", "error", "worst"].flatMap((kind) => measures.split(" ").map((m) => kind + m));
  return tableOf(BREAST_CANCER, names, ["malignant", "benign"]);
}

/**
 * 506 districts of Boston in 1970 and the median price of houses there in $1000: x [506, 13]. The column `b` was computed from the
 * share of black inhabitants: a data set for exercises, not for decisions.
 *
 * @example (await bostonHousing()).featureNames; // crim, zn, …
 */
export async function bostonHousing(): Promise<TableDataset> {
  const { BOSTON } = await import("./tables/boston.ts");
  return tableOf(BOSTON, "crim zn indus chas nox rm age dis rad tax ptratio b lstat".split(" "), []);
}

const CALIFORNIA: RemoteSet = {
  set: "california-housing",
  baseUrl: "https://ndownloader.figshare.com/files/",
  files: [
    {
      name: "cal_housing.tgz",
      path: "5976036",
      sha256: "aaa5c9a6afe2225cc2aed2723682ae403280c4a3695a2ddda4ffb5d8215ea681",
    },
  ],
  without: "pass { folder } with cal_housing.tgz in it, or use bostonHousing().",
};

/**
 * 20,640 districts of California in 1990 and the median price of houses there in $100,000 (R. K. Pace, R. Barry, 1997): x [20640, 8],
 * rooms, bedrooms and occupants a household, as in scikit-learn. Downloaded once, checked every time.
 *
 * @throws ChainruleError when it cannot be had; FormatError when it is damaged.
 * @example
 * // not run: it downloads
 * const { data } = await californiaHousing();
 */
export async function californiaHousing(options: RemoteOptions = {}): Promise<TableDataset> {
  const { bytes } = await findFiles(CALIFORNIA, options);
  return californiaFromTar(await gunzip(bytes[0], "[california-housing] cal_housing.tgz"));
}

/** The table of the unpacked archive. */
export function californiaFromTar(tar: Uint8Array): TableDataset {
  const file = [...decodeTar(tar, "cal_housing")].find(([name]) => name.endsWith("cal_housing.data"))?.[1];
  if (file === undefined) throw new FormatError("[california-housing] the archive has no cal_housing.data.");
  const names = "medianIncome houseAge averageRooms averageBedrooms population averageOccupancy latitude longitude";
  const lines = new TextDecoder().decode(file).trim().split("\n");
  const records = lines.map((line) => {
    const [longitude, latitude, age, rooms, bedrooms, people, households, income, value] = line.split(",").map(Number);
    const each = [rooms, bedrooms].map((v) => v / households);
    return [income, age, ...each, people, people / households, latitude, longitude, value / 1e5].join(",");
  });
  return tableOf(records.join("\n"), names.split(" "), []);
}
