import { randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, open, readdir, readFile, rename, rm, stat } from "node:fs/promises";
import { createRequire } from "node:module";
import path from "node:path";
import { cacheHome } from "../base/folders.ts";
import { FormatError } from "../base/index.ts";
import { writeFileSafely } from "../io/index.ts";
import {
  checkSum,
  download,
  type FoundFiles,
  gunzip,
  isPacked,
  type RemoteFile,
  type RemoteOptions,
  type RemoteSet,
} from "./remote.ts";

/** The files: the given folder, else an installed package, else the cache, filled by a download if need be. */
export async function findFiles(set: RemoteSet, options: RemoteOptions): Promise<FoundFiles> {
  if (options.folder !== undefined) return read(set, options.folder);
  for (const folder of [packageFolder(set), set.system]) {
    if (folder && set.files.every((f) => placeOf(folder, f) !== null)) return read(set, folder);
  }
  const cache = options.cache ?? path.join(cacheHome(), "chainrule", set.set);
  await fillCache(set, cache, options);
  return read(set, cache);
}

/** Downloads what the cache lacks; a file appears in it only when it is whole and its checksum right. */
async function fillCache(set: RemoteSet, cache: string, options: RemoteOptions): Promise<void> {
  await mkdir(cache, { recursive: true });
  for (const file of set.files) {
    const target = path.join(cache, file.name);
    if (existsSync(target)) continue;
    const url = (options.baseUrl ?? set.baseUrl) + file.path;
    const part = await claimPart(target);
    await fetchPart(set, { url, name: file.name }, part, target, options.onProgress);
    try {
      const bytes = new Uint8Array(await readFile(part));
      const out = isPacked(file) ? await gunzip(bytes, `[${set.set}] ${url}`) : bytes;
      await checkSum(set.set, file, out, url);
      await writeFileSafely(target, out);
    } finally {
      await rm(part, { force: true });
    }
  }
}

/** Seconds without a change after which the part of another process counts as left behind. */
const LEFT_BEHIND = 60;

/** A name for the download in progress: with what an earlier one left behind, if anything, in it. */
async function claimPart(target: string): Promise<string> {
  const folder = path.dirname(target);
  const mine = `${target}.${randomUUID()}.part`;
  const name = path.basename(target);
  for (const other of await readdir(folder)) {
    if (!other.startsWith(`${name}.`) || !other.endsWith(".part")) continue;
    const file = path.join(folder, other);
    const idle = (Date.now() - (await stat(file).catch(() => ({ mtimeMs: Date.now() }))).mtimeMs) / 1000;
    if (other !== `${name}.part` && idle < LEFT_BEHIND) continue;
    // Only one of several processes can rename it.
    if (
      await rename(file, mine).then(
        () => true,
        () => false,
      )
    )
      return mine;
  }
  return mine;
}

/** Fetches what the part lacks; when that fails, the part waits under the name from which anyone goes on. */
async function fetchPart(
  set: RemoteSet,
  from: { readonly url: string; readonly name: string },
  part: string,
  target: string,
  onProgress: RemoteOptions["onProgress"],
): Promise<void> {
  const handle = await open(part, "a");
  try {
    const { size } = await handle.stat();
    let started = false;
    const take = async (piece: Uint8Array, start: number): Promise<void> => {
      if (!started && start === 0) await handle.truncate(0);
      started = true;
      await handle.writeFile(piece);
    };
    await download(set, from, { from: size, take }, onProgress);
  } catch (error) {
    await rename(part, `${target}.part`).catch(() => undefined);
    throw error;
  } finally {
    await handle.close();
  }
}

async function read(set: RemoteSet, folder: string): Promise<FoundFiles> {
  const found = await Promise.allSettled(set.files.map((file) => readOne(set, folder, file)));
  // The first in order, whichever failed first.
  const bytes = found.map((f) => {
    if (f.status === "rejected") throw f.reason;
    return f.value;
  });
  return { where: folder, bytes };
}

async function readOne(set: RemoteSet, folder: string, file: RemoteFile): Promise<Uint8Array> {
  const place = placeOf(folder, file) ?? path.join(folder, file.name);
  let bytes: Uint8Array;
  try {
    bytes = new Uint8Array(await readFile(place));
  } catch (error) {
    throw new FormatError(
      `[${set.set}] cannot read ${place}: ${(error as NodeJS.ErrnoException).code ?? String(error)}. The folder must hold ` +
        `${set.files.map((f) => f.name).join(", ")}.`,
      { cause: error },
    );
  }
  const out = place.endsWith(".gz") && isPacked(file) ? await gunzip(bytes, `[${set.set}] ${place}`) : bytes;
  await checkSum(set.set, file, out, folder);
  return out;
}

/** Where a folder has the file: as it is or packed; null when it has neither. */
const placeOf = (folder: string, file: RemoteFile): string | null =>
  [file.name, path.basename(file.path)].map((name) => path.join(folder, name)).find((p) => existsSync(p)) ?? null;

/** The data folder of the set's package, from the program's folder or from ours; null when it is not installed. */
function packageFolder({ npm }: RemoteSet): string | null {
  if (npm === undefined) return null;
  for (const from of [path.join(process.cwd(), "package.json"), import.meta.url]) {
    try {
      return path.join(path.dirname(createRequire(from).resolve(`${npm.name}/package.json`)), npm.folder);
    } catch {
      // Not installed there: the next place.
    }
  }
  return null;
}
