/**
 * Files that one process leaves for the next, in one folder of the user's cache that nobody else may write to, since what is
 * in them is run. They are there whole or not at all, and hold everything twice: to compare the copies finds damage, and Node
 * does that a hundred times as fast as a checksum in code that has just been loaded. Asks for Node's modules when it is used.
 */
import { cacheHome } from "../base/folders.ts";

/** Before the data: their length. */
const HEAD = 8;
const PAGE = 4096;

/** The folder under `setting` (CHAINRULE_CACHE), or in the user's cache. */
export function keptFolder(setting: string | undefined): string {
  const path = process.getBuiltinModule("node:path");
  return path.join(setting ?? path.join(cacheHome(), "chainrule"), "compiled");
}

/** Why nothing may be read there or written; empty when it may. */
export function folderTrouble(folder: string): string {
  try {
    const stat = process.getBuiltinModule("node:fs").statSync(folder, { throwIfNoEntry: false });
    const user = process.getuid?.();
    if (stat === undefined || user === undefined) return "";
    return stat.uid !== user || (stat.mode & 0o022) !== 0 ? `others may write to ${folder}` : "";
  } catch (error) {
    return `${folder} cannot be read: ${(error as Error).message}`;
  }
}

/** The name of the file for a key: 64 bits that tell keys apart well enough for a name. The key itself belongs into the file. */
export function keptName(key: string): string {
  let a = 0x811c9dc5 ^ key.length;
  let b = 0x9e3779b9;
  for (let i = 0; i < key.length; i++) {
    const unit = key.charCodeAt(i);
    a = Math.imul(a ^ unit, 0x01000193);
    a ^= a >>> 15;
    b = Math.imul(b + unit, 0x85ebca6b);
    b = (b << 13) | (b >>> 19);
  }
  return [a ^ (b >>> 16), b ^ a].map((word) => (word >>> 0).toString(16).padStart(8, "0")).join("");
}

/** Bytes of a copy with its head: half a page more than whole pages, so that pages which a crash left empty never match. */
const copyBytes = (length: number): number => Math.ceil((HEAD + length - PAGE / 2) / PAGE) * PAGE + PAGE / 2;

/** The data of a file (at a multiple of eight), when it is there and whole; `since`: milliseconds since it was written. */
export function readKept(file: string): { readonly data: Uint8Array; readonly since: number } | undefined {
  const fs = process.getBuiltinModule("node:fs");
  const { Buffer } = process.getBuiltinModule("node:buffer");
  const stat = fs.statSync(file, { throwIfNoEntry: false });
  if (stat === undefined) return undefined;
  // Not Buffer's pool: an array of its own is aligned.
  const bytes = Buffer.from(new ArrayBuffer(stat.size));
  const handle = fs.openSync(file, "r");
  try {
    if (fs.readSync(handle, bytes) !== stat.size || stat.size < PAGE) return undefined;
  } finally {
    fs.closeSync(handle);
  }
  const length = bytes.readUInt32LE(0);
  const half = copyBytes(length);
  if (stat.size !== 2 * half || bytes.compare(bytes, half, 2 * half, 0, half) !== 0) return undefined;
  return { data: new Uint8Array(bytes.buffer, HEAD, length), since: Date.now() - stat.mtimeMs };
}

/** Writes a file under a temporary name, then renames it. */
export function writeKept(folder: string, name: string, data: Uint8Array, mode = 0o600): void {
  const fs = process.getBuiltinModule("node:fs");
  const path = process.getBuiltinModule("node:path");
  const { Buffer } = process.getBuiltinModule("node:buffer");
  const half = copyBytes(data.length);
  const bytes = Buffer.alloc(2 * half);
  for (const at of [0, half]) {
    bytes.writeUInt32LE(data.length, at);
    bytes.set(data, at + HEAD);
  }
  const part = path.join(folder, `${name}.${process.pid}-${Math.random().toString(36).slice(2)}.part`);
  fs.writeFileSync(part, bytes, { mode });
  fs.renameSync(part, path.join(folder, name));
}
