import { ChainruleError } from "../base/index.ts";
import type { Listing } from "./files.ts";

/** A browser has no paths. */
export function readFileBytes(path: string): Promise<Uint8Array> {
  return Promise.reject(
    new ChainruleError(
      `[load] cannot open "${path}": a browser has no file paths. Get the bytes with fetch() or a file input, and give them ` +
        `to decodeModelFile() or decodeSafetensors().`,
    ),
  );
}

/** A browser has no paths. */
export function writeFileSafely(path: string, _bytes: Uint8Array): Promise<void> {
  return Promise.reject(
    new ChainruleError(
      `[save] cannot write "${path}": a browser has no file paths. Make bytes with encodeModelFile() or ` +
        `encodeSafetensors(), and offer them as a Blob.`,
    ),
  );
}

/** A browser has no paths. */
export function appendToFile(path: string, bytes: Uint8Array): Promise<void> {
  return writeFileSafely(path, bytes);
}

/** There are no files. */
export const fileExists = (_path: string): Promise<boolean> => Promise.resolve(false);

/** A browser has no paths. */
export const removeFile = (_path: string): Promise<void> => Promise.resolve();

/** A browser has no folders. */
export function listFolder(path: string): Promise<Listing> {
  return Promise.reject(
    new ChainruleError(`[load] cannot list "${path}": a browser has no folders. Let the user choose files instead.`),
  );
}
