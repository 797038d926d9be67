/**
 * data: samples on the host and the ways they become batches: datasets, splits, scaling, tables, pictures, well-known data sets.
 *
 * It is not: a place for devices. A dataset hands out typed arrays with shapes; the trainer moves them to the device. Nothing here
 * is random but by a seed that the caller gives: the order of samples is a function of seed and epoch.
 *
 * @module chainrule/data
 */
export { Dataset, datasetOf } from "./dataset.ts";
export type { DatasetInit, MapBatchFunction, MapFunction, Sample, SampleBatch } from "./dataset.ts";
export type { Batch, BatchOptions } from "./samples.ts";
export type { HostArray } from "../io/index.ts";
export { concatDatasets, interleave, zip } from "./combine.ts";
export { prefetch, type Prefetched } from "./prefetch.ts";
export type { PrefetchOptions } from "./prefetch.ts";
export { holdOut, kFold, stratifiedKFold, trainTestSplit } from "./splits.ts";
export type { Fold, HoldOut, HoldOutOptions, KFoldOptions, SplitOptions } from "./splits.ts";
export { overSample, underSample } from "./balance.ts";
export type { BalanceOptions } from "./balance.ts";
export { imputer, minMaxScaler, robustScaler, scalerFromConfig, standardScaler } from "./scaling.ts";
export type { Columns, Imputer, Scaler, ScalerConfig, Transform } from "./scaling.ts";
export { augment, compose } from "./augment/augment.ts";
export type { AugmentOptions, Augmentation, Mixing, PipelineOptions } from "./augment/augment.ts";
export {
  affineImages,
  centerCrop,
  elastic,
  flipImages,
  randomAffine,
  randomCrop,
  randomFlip,
  randomRotation,
  randomShear,
  randomTranslation,
  randomZoom,
  rotate90,
  subsample,
} from "./augment/geometry.ts";
export type { AffineOptions, CropOptions, RandomAffineOptions } from "./augment/geometry.ts";
export {
  adjustBrightness,
  adjustContrast,
  adjustHue,
  adjustSaturation,
  colorComponents,
  colorJitter,
  cutout,
  gaussianBlur,
  gaussianNoise,
  grayscale,
  invertImages,
  pcaColor,
  randomBlur,
  randomBrightness,
  randomContrast,
  randomGrayscale,
  randomHue,
  randomSaturation,
} from "./augment/colour.ts";
export type { ColorComponents, CutoutOptions, JitterOptions, RangeOptions } from "./augment/colour.ts";
export { cutmix, mixup } from "./augment/mixing.ts";
export { perspectiveImages, randomErasing, randomPerspective } from "./augment/perspective.ts";
export type { ErasingOptions } from "./augment/perspective.ts";
export { augMix, randAugment } from "./augment/policy.ts";
export type { AugMixOptions, RandAugmentOptions } from "./augment/policy.ts";
export {
  adjustSharpness,
  autoContrast,
  equalize,
  posterize,
  randomAutoContrast,
  randomEqualize,
  randomInvert,
  randomPosterize,
  randomSharpness,
  randomSolarize,
  solarize,
} from "./augment/tone.ts";
export type { Outside } from "./augment/warp.ts";
export { checkLabels, labelEncoder, oneHotLabels } from "./labels.ts";
export type { ClassName, LabelEncoder } from "./labels.ts";
export { datasetOfTable } from "./table.ts";
export type { TableOptions } from "./table.ts";
export { imageFolder, readImage, resizeImage } from "./images.ts";
export type { Channels, ImageFolder, ImageFolderOptions, ImageOptions } from "./images.ts";
export { vocabulary } from "./text.ts";
export type { Vocabulary, VocabularyOptions } from "./text.ts";
export { encodeIdx, parseIdx } from "./idx.ts";
export type { IdxExpectation } from "./idx.ts";
export { FASHION_CLASSES, fashionMnist, mnist } from "./mnist.ts";
export type { Mnist } from "./mnist.ts";
export { CIFAR10_CLASSES, cifar10 } from "./cifar.ts";
export type { Cifar10 } from "./cifar.ts";
export { bostonHousing, breastCancer, californiaHousing, iris, wine } from "./bundled.ts";
export type { TableDataset } from "./bundled.ts";
export type { DownloadProgress, RemoteOptions } from "./remote.ts";
