import { randomBytes } from "node:crypto";
import { appendFile, mkdir, open, readdir, readFile, rename, rm } from "node:fs/promises";
import { dirname, join, basename } from "node:path";
import { existsSync } from "node:fs";
import { ChainruleError, FormatError } from "../base/index.ts";
import type { Listing } from "./files.ts";

/** The bytes of a file. */
export async function readFileBytes(path: string): Promise<Uint8Array> {
  try {
    return new Uint8Array(await readFile(path));
  } catch (error) {
    throw new FormatError(`[load] cannot read "${path}": ${reasonOf(error)}.`, { cause: error });
  }
}

/** Adds bytes to the end of a file, which is made when it is missing. */
export async function appendToFile(path: string, bytes: Uint8Array): Promise<void> {
  try {
    await mkdir(dirname(path), { recursive: true });
    await appendFile(path, bytes);
  } catch (error) {
    throw new ChainruleError(`[save] cannot write to "${path}": ${reasonOf(error)}.`, { cause: error });
  }
}

/** Whether there is a file. */
export const fileExists = (path: string): Promise<boolean> => Promise.resolve(existsSync(path));

/** Takes a file away; nothing happens when there is none. */
export async function removeFile(path: string): Promise<void> {
  await rm(path, { force: true });
}

/** Names in a folder, sorted; hidden ones are left out. */
export async function listFolder(path: string): Promise<Listing> {
  try {
    const entries = (await readdir(path, { withFileTypes: true })).filter((e) => !e.name.startsWith("."));
    const names = (folders: boolean): string[] =>
      entries
        .filter((e) => e.isDirectory() === folders)
        .map((e) => e.name)
        .sort();
    return { files: names(false), folders: names(true) };
  } catch (error) {
    throw new FormatError(`[load] cannot read the folder "${path}": ${reasonOf(error)}.`, { cause: error });
  }
}

/** What a write needs of a file system; replaced in tests to fill the disk. */
export interface WriteSystem {
  readonly open: (path: string) => Promise<{
    writeFile(bytes: Uint8Array): Promise<void>;
    sync(): Promise<void>;
    close(): Promise<void>;
  }>;
  readonly rename: (from: string, to: string) => Promise<void>;
}

const system: WriteSystem = { open: (path) => open(path, "wx"), rename };

/** Writes to a temporary name in the same folder, fsync, rename; then fsync of the folder. */
export async function writeFileSafely(path: string, bytes: Uint8Array, fs: WriteSystem = system): Promise<void> {
  const folder = dirname(path);
  const part = join(folder, `.${basename(path)}.${randomBytes(6).toString("hex")}.part`);
  try {
    await mkdir(folder, { recursive: true });
    const file = await fs.open(part);
    try {
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    await fs.rename(part, path);
  } catch (error) {
    await rm(part, { force: true }).catch(() => undefined);
    const kept = existsSync(path) ? "What was there is unchanged." : "No file was left behind.";
    const size = bytes.length < 1e6 ? `${Math.ceil(bytes.length / 1e3)} kB` : `${(bytes.length / 1e6).toFixed(1)} MB`;
    throw new ChainruleError(`[save] cannot write "${path}" (${size}): ${reasonOf(error)}. ${kept}`, {
      cause: error,
    });
  }
  await syncFolder(folder);
}

/** The rename survives a power failure only when the folder is on disk too; not every system can sync one. */
async function syncFolder(folder: string): Promise<void> {
  try {
    const handle = await open(folder, "r");
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  } catch {
    // Windows and some network folders cannot; the file itself is safe.
  }
}

/** The usual system errors in words. */
function reasonOf(error: unknown): string {
  const code = (error as NodeJS.ErrnoException).code ?? "";
  const words: Readonly<Record<string, string>> = {
    ENOENT: "there is no such file or folder",
    EISDIR: "it is a folder",
    ENOTDIR: "a part of the path is a file, not a folder",
    EACCES: "permission denied",
    EPERM: "permission denied",
    EROFS: "the file system is read-only",
    ENOSPC: "the disk is full; free some space and save again",
    EDQUOT: "the disk quota is used up; free some space and save again",
  };
  return code in words ? `${words[code]} (${code})` : error instanceof Error ? error.message : String(error);
}
