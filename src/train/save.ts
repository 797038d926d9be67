import { FormatError, ValueError } from "../base/index.ts";
import {
  decodeCheckpoint,
  decodeModelFile,
  encodeCheckpoint,
  encodeModelFile,
  type Json,
  readFileBytes,
  writeFileSafely,
} from "../io/index.ts";
import type { ConfigOptions } from "../nn/config.ts";
import type { ModelConfig } from "../nn/model.ts";
import { type Model, modelFromConfig } from "./model.ts";
import type { TrainingMeta, TrainingState, Position } from "./state.ts";

/** Options of `modelToBytes` and `saveModel`. */
export interface SaveOptions {
  /** Kept in the file: what it was trained on, how well it does. */
  readonly notes?: Json;
}

/** `layers`: makers of layers of one's own, by class. */
export type LoadOptions = ConfigOptions;

/**
 * A model as bytes: weights as safetensors, the architecture and a checksum in its metadata.
 *
 * @throws ValueError when the model is not built: it has no weights yet.
 * @example const bytes: Uint8Array = modelToBytes(model, { notes: { by: "me" } });
 */
export function modelToBytes(model: Model, options: SaveOptions = {}): Uint8Array {
  if (!model.built) {
    throw new ValueError(
      `[save] model "${model.name}" has no weights yet: it is not built. Call build([null, ...]) or fit first, or give inputShape.`,
    );
  }
  return encodeModelFile({ config: model.config(), weights: model.weights(), notes: options.notes ?? null });
}

/**
 * The model in the bytes that `modelToBytes` made, built and with its weights. `name` is that of the file, for messages.
 *
 * @example modelFromBytes(modelToBytes(model)).inputShapes; // → [[null, 28, 28, 1]]
 */
export function modelFromBytes(bytes: Uint8Array, options: LoadOptions = {}, name = "model"): Model {
  const { config, weights } = decodeModelFile(bytes, name);
  try {
    const model = modelFromConfig(config as unknown as ModelConfig, options);
    model.setWeights(weights);
    return model;
  } catch (error) {
    if (!(error instanceof ValueError)) throw error;
    throw new FormatError(`[load] "${name}": ${error.message}`, { cause: error });
  }
}

/**
 * Saves a model: safetensors with the architecture in its metadata. The file is replaced in one step: a crash or a full
 * disk leaves the old one whole.
 *
 * @throws ValueError when the model is not built; ChainruleError when the file cannot be written.
 * @example
 * await saveModel(model, "digits.safetensors");
 * const same = await loadModel("digits.safetensors");
 */
export async function saveModel(model: Model, path: string, options: SaveOptions = {}): Promise<void> {
  await writeFileSafely(path, modelToBytes(model, options));
}

/**
 * Reads a model that `saveModel` wrote. It predicts at once; to train on, compile it.
 *
 * @throws FormatError when the file is missing, damaged, of a later version, or has a layer that is not known.
 * @example
 * await saveModel(model, "digits.safetensors");
 * (await (await loadModel("digits.safetensors")).predict(x)).shape; // → [32, 10]
 */
export async function loadModel(path: string, options: LoadOptions = {}): Promise<Model> {
  return modelFromBytes(await readFileBytes(path), options, path);
}

/**
 * Saves a training run (see `model.trainingState()`): `fit({ resume })` continues it bit for bit. `extra` is kept beside it.
 * The state is copied before the first await: training may go on while the file is written.
 *
 * @throws ValueError for anything but such a state.
 * @example
 * await model.fit(train);
 * await saveCheckpoint(model.trainingState(), "run.safetensors", { by: "me" });
 */
export async function saveCheckpoint(state: TrainingState, path: string, extra: Json = null): Promise<void> {
  const { arrays, position, meta } = state;
  if ((arrays as unknown) === undefined || (position as unknown) === undefined)
    throw new ValueError(
      "[saveCheckpoint] expects the state of a training run: saveCheckpoint(model.trainingState(), path).",
    );
  await writeFileSafely(
    path,
    encodeCheckpoint({ arrays, position: { ...position }, meta: meta as unknown as Json, extra }),
  );
}

/**
 * Reads what `saveCheckpoint` wrote.
 *
 * @example
 * await model.fit(train);
 * await saveCheckpoint(model.trainingState(), "run.safetensors");
 * const { state } = await loadCheckpoint("run.safetensors");
 * await model.fit(train, { epochs: 2, resume: state });
 */
export async function loadCheckpoint(path: string): Promise<{ state: TrainingState; extra: Json }> {
  const { arrays, position, meta, extra = null } = decodeCheckpoint(await readFileBytes(path), path);
  return { state: { arrays, position: position as unknown as Position, meta: meta as unknown as TrainingMeta }, extra };
}
