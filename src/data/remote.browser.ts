import { checkSum, download, type FoundFiles, gunzip, isPacked, type RemoteOptions, type RemoteSet } from "./remote.ts";

/** The files from the network; the browser's HTTP cache keeps them. */
export async function findFiles(set: RemoteSet, options: RemoteOptions): Promise<FoundFiles> {
  const base = options.baseUrl ?? set.baseUrl;
  const bytes = await Promise.all(
    set.files.map(async (file) => {
      const pieces: Uint8Array[] = [];
      const take = (piece: Uint8Array): void => void pieces.push(piece);
      await download(set, { url: base + file.path, name: file.name }, { from: 0, take }, options.onProgress);
      const whole = new Uint8Array(await new Blob(pieces as Uint8Array<ArrayBuffer>[]).arrayBuffer());
      const out = isPacked(file) ? await gunzip(whole, `[${set.set}] ${base}${file.path}`) : whole;
      await checkSum(set.set, file, out, base);
      return out;
    }),
  );
  return { where: base, bytes };
}
