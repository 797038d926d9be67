import { FormatError } from "../base/index.ts";
import { crc32 } from "./crc32.ts";
import { bytesView, decodeSafetensors, encodeSafetensors } from "./safetensors.ts";
import type { HostArray, Json, NamedArrays } from "./types.ts";

/** The version of the `chainrule` metadata written here. Readers refuse a later one. */
const VERSION = 1;

/** A model on disk: what it is made of, and its weights. */
export interface ModelFile {
  /** The model's own description of its architecture. */
  readonly config: Json;
  readonly weights: NamedArrays;
  /** Free text beside it: what it was trained on, how well it does. */
  readonly notes?: Json;
}

/** A training run on disk: everything that the next step depends on. */
export interface Checkpoint {
  /** Weights, optimizer state: whatever the trainer named. */
  readonly arrays: NamedArrays;
  /** The next batch to run. */
  readonly position: Json;
  /** Seed, random key, sums of the epoch in progress. */
  readonly meta: Json;
  /** The program's own: the options of its run. */
  readonly extra?: Json;
}

/**
 * A model as safetensors bytes: any reader sees the weights; the metadata field `chainrule` holds the rest, and a CRC-32.
 *
 * @example
 * const arrays = { w: { data: Float32Array.of(1, 2), shape: [2], dtype: "float32" } } as const;
 * encodeModelFile({ config: null, weights: arrays, notes: "mine" }).length > 0; // → true
 */
export function encodeModelFile(model: ModelFile): Uint8Array {
  const { config, weights, notes = null } = model;
  return seal("model", { config, notes }, weights);
}

/**
 * @param name of the file, for messages
 * @throws FormatError when the file is damaged, truncated, of a later version or not a model.
 * @example
 * const arrays = { w: { data: Float32Array.of(1, 2), shape: [2], dtype: "float32" } } as const;
 * decodeModelFile(encodeModelFile({ config: null, weights: arrays, notes: "mine" })).notes; // → "mine"
 */
export function decodeModelFile(bytes: Uint8Array, name = "model"): ModelFile {
  const { payload, arrays } = unseal("model", bytes, name);
  return { config: payload.config ?? null, notes: payload.notes ?? null, weights: arrays };
}

/**
 * A training run as safetensors bytes.
 *
 * @example
 * const arrays = { w: { data: Float32Array.of(1, 2), shape: [2], dtype: "float32" } } as const;
 * encodeCheckpoint({ arrays, position: 7, meta: null }).length > 0; // → true
 */
export function encodeCheckpoint(checkpoint: Checkpoint): Uint8Array {
  const { arrays, position, meta, extra = null } = checkpoint;
  return seal("checkpoint", { position, meta, extra }, arrays);
}

/**
 * @param name of the file, for messages
 * @throws FormatError when the file is damaged, truncated, of a later version or not a checkpoint.
 * @example
 * const arrays = { w: { data: Float32Array.of(1, 2), shape: [2], dtype: "float32" } } as const;
 * decodeCheckpoint(encodeCheckpoint({ arrays, position: 7, meta: null })).position; // → 7
 */
export function decodeCheckpoint(bytes: Uint8Array, name = "checkpoint"): Checkpoint {
  const { payload, arrays } = unseal("checkpoint", bytes, name);
  return { position: payload.position ?? null, meta: payload.meta ?? null, extra: payload.extra ?? null, arrays };
}

type Kind = "model" | "checkpoint";
type Payload = Readonly<Record<string, Json>>;

function seal(kind: Kind, payload: Payload, arrays: NamedArrays): Uint8Array {
  const head = { format: VERSION, kind, ...payload };
  const text = JSON.stringify({ ...head, crc32: checksum(head, arrays) });
  return encodeSafetensors(arrays, { chainrule: text });
}

function unseal(kind: Kind, bytes: Uint8Array, name: string): { payload: Payload; arrays: NamedArrays } {
  const { tensors, metadata } = decodeSafetensors(bytes, name);
  const text = metadata.chainrule;
  if (text === undefined) {
    throw new FormatError(
      `[${kind}] "${name}" holds tensors but no architecture: it was not saved by Chainrule. Read it with ` +
        `decodeSafetensors(), and give its arrays to model.setWeights().`,
    );
  }
  const { crc32: stored, ...head } = parseHead(text, name);
  if (typeof head.format !== "number" || head.format > VERSION) {
    throw new FormatError(
      `[${kind}] "${name}" has format version ${JSON.stringify(head.format)}; this program reads up to ${VERSION}. Update chainrule.`,
    );
  }
  if (head.kind !== kind) {
    throw new FormatError(`[${kind}] "${name}" holds ${JSON.stringify(head.kind)}, not a ${kind}.`);
  }
  const found = checksum(head, tensors);
  if (found !== stored) {
    throw new FormatError(
      `[${kind}] "${name}" is damaged: its checksum is ${found}, it was saved with ${typeof stored === "string" ? stored : "none"}. Use a copy or train again.`,
    );
  }
  return { payload: head, arrays: tensors };
}

function parseHead(text: string, name: string): Record<string, Json> {
  try {
    const head: unknown = JSON.parse(text);
    if (typeof head === "object" && head !== null && !Array.isArray(head)) return head as Record<string, Json>;
  } catch {
    // Falls through: the same message.
  }
  throw new FormatError(`[safetensors] "${name}" has damaged "chainrule" metadata: it is not a JSON object.`);
}

/** CRC-32 over the metadata and every array with its name, dtype and shape: nothing in the file can change unnoticed. */
function checksum(head: Json, arrays: NamedArrays): string {
  const utf8 = new TextEncoder();
  let crc = crc32(utf8.encode(JSON.stringify(head)));
  const rows: [string, HostArray][] = Object.entries(arrays);
  for (const [key, a] of rows) {
    crc = crc32(utf8.encode(JSON.stringify([key, a.dtype, a.shape])), crc);
    crc = crc32(bytesView(a.data), crc);
  }
  return crc.toString(16).padStart(8, "0");
}
