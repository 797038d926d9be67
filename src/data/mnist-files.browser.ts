import { ValueError } from "../base/index.ts";
import { download } from "./download.ts";
import type { FoundFiles, MnistOptions } from "./mnist.ts";

/** The files from the network; the browser's HTTP cache keeps them. */
export async function findMnist(
  options: MnistOptions & { baseUrl: string },
  names: readonly string[],
): Promise<FoundFiles> {
  if (options.folder !== undefined)
    throw new ValueError("[mnist] { folder } needs Node: in a browser pass { baseUrl }.");
  const bytes = await Promise.all(names.map((name) => download(options.baseUrl, name, options.onProgress)));
  return { where: options.baseUrl, bytes };
}
