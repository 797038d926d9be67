/** Files of a data set: from a folder, a package, the cache or the network, each checked against its SHA-256. */
import { ChainruleError, FormatError, ValueError } from "../base/index.ts";

/** How far a download is, in bytes. */
export interface DownloadProgress {
  readonly file: string;
  readonly loaded: number;
  /** 0 when the server does not tell. */
  readonly total: number;
}

/** Options of data sets that are shipped in a package or downloaded. */
export interface RemoteOptions {
  /** A folder with the files, as they are or as `<name>.gz` (Node). Default: an installed package, the cache, a download. */
  readonly folder?: string;
  /** Where downloads are kept (Node). Default: `chainrule/<set>` in the user's cache folder. */
  readonly cache?: string;
  /** Where the files are fetched from when they are nowhere else. */
  readonly baseUrl?: string;
  /** Called while downloading: bytes. */
  readonly onProgress?: (progress: DownloadProgress) => void;
}

export interface RemoteFile {
  /** As the set knows it, unpacked. */
  readonly name: string;
  /** Below the base address; one that ends in .gz is unpacked, unless the name does, too. */
  readonly path: string;
  /** Of the file `name`. */
  readonly sha256: string;
}

/** A data set of somebody's, as files. */
export interface RemoteSet {
  /** "mnist": names the cache folder and begins messages. */
  readonly set: string;
  readonly baseUrl: string;
  readonly files: readonly RemoteFile[];
  /** A package of npm that holds the files, and the folder in it. */
  readonly npm?: { readonly name: string; readonly folder: string };
  /** A folder where a system's package puts the files. */
  readonly system?: string;
  /** What to do without a network, for messages. */
  readonly without: string;
}

/** Bytes of the files of a set, in order; `where` goes into messages. */
export interface FoundFiles {
  readonly where: string;
  readonly bytes: readonly Uint8Array[];
}

/**
 * The files of a set: the given folder, else an installed package, else the cache, filled by a download if need be. A download that
 * broke off is resumed (Node).
 *
 * @throws ChainruleError when a file cannot be had; FormatError when it is not what the checksum says.
 */
export async function findFiles(set: RemoteSet, options: RemoteOptions = {}): Promise<FoundFiles> {
  const inNode = typeof process !== "undefined" && process.versions?.node !== undefined;
  if (!inNode && options.folder !== undefined)
    throw new ValueError(`[${set.set}] { folder } needs Node: in a browser pass { baseUrl }.`);
  const twin = await (inNode ? import("./remote.node.ts") : import("./remote.browser.ts"));
  return twin.findFiles(set, options);
}

/** Throws unless the bytes are those of the file. */
export async function checkSum(set: string, file: RemoteFile, bytes: Uint8Array, where: string): Promise<void> {
  const sum = await sha256(bytes);
  if (sum === file.sha256) return;
  throw new FormatError(
    `[${set}] "${file.name}" in ${where} is damaged: its SHA-256 is ${sum.slice(0, 16)}…, that of the original is ` +
      `${file.sha256.slice(0, 16)}…. Delete the file, and it is fetched again.`,
  );
}

/** Lower-case hexadecimal SHA-256, by the platform's own code in a background thread. */
async function sha256(bytes: Uint8Array): Promise<string> {
  const digest = await globalThis.crypto.subtle.digest("SHA-256", bytes as Uint8Array<ArrayBuffer>);
  return Array.from(new Uint8Array(digest), (b) => b.toString(16).padStart(2, "0")).join("");
}

/** Whether what lies at `path` must be unpacked to give the file. */
export const isPacked = (file: RemoteFile): boolean => file.path.endsWith(".gz") && !file.name.endsWith(".gz");

/** Unpacked gzip. */
export async function gunzip(bytes: Uint8Array, what: string): Promise<Uint8Array> {
  const packed = new Blob([bytes as Uint8Array<ArrayBuffer>]).stream();
  try {
    return new Uint8Array(await new Response(packed.pipeThrough(new DecompressionStream("gzip"))).arrayBuffer());
  } catch (error) {
    throw new FormatError(`${what} cannot be unpacked: it is not whole gzip data. Delete it and try again.`, {
      cause: error,
    });
  }
}

export interface Part {
  /** Bytes that are there already: ask for what follows them. */
  readonly from: number;
  /** Takes each piece; `start` is where the first one belongs: 0 when the server began anew. */
  readonly take: (piece: Uint8Array, start: number) => Promise<void> | void;
}

/**
 * Fetches an address piece by piece, from `part.from` on when the server can.
 *
 * @throws ChainruleError without network, for an answer that is an error, and when the stream breaks off: what came is kept.
 */
export async function download(
  set: RemoteSet,
  { url, name }: { readonly url: string; readonly name: string },
  part: Part,
  onProgress?: RemoteOptions["onProgress"],
): Promise<void> {
  let response: Response;
  try {
    response = await fetch(url, part.from > 0 ? { headers: { range: `bytes=${part.from}-` } } : {});
  } catch (error) {
    throw new ChainruleError(
      `[${set.set}] could not download ${url}: ${reasonOf(error)}. Without network, ${set.without}`,
      { cause: error },
    );
  }
  if (!response.ok || response.body === null)
    throw new ChainruleError(`[${set.set}] ${url} answered ${response.status} ${response.statusText}.`);
  const start = response.status === 206 ? part.from : 0;
  const length = Number(response.headers.get("content-length") ?? 0);
  const total = length === 0 ? 0 : start + length;
  let loaded = start;
  const broke = (error?: unknown): ChainruleError =>
    new ChainruleError(`[${set.set}] the download of ${url} broke off after ${loaded} bytes: try again.`, {
      cause: error,
    });
  const reader = response.body.getReader();
  for (;;) {
    const piece = await reader.read().catch((error: unknown) => {
      throw broke(error);
    });
    if (piece.done) break;
    await part.take(piece.value, start);
    loaded += piece.value.length;
    onProgress?.({ file: name, loaded, total });
  }
  // A server that packs what it sends tells the packed length.
  if (loaded < total && response.headers.get("content-encoding") === null) throw broke();
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? error.cause.message : error.message;
}
