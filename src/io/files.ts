/** Files by path: Node's own, or a clear refusal in a browser, where bytes come from fetch or a file input. */
const twin = (): Promise<typeof import("./files.node.ts")> => {
  const inNode = typeof process !== "undefined" && process.versions?.node !== undefined;
  return inNode ? import("./files.node.ts") : import("./files.browser.ts");
};

/**
 * The bytes of a file.
 *
 * @throws FormatError when it cannot be read, with the reason.
 * @example
 * await writeFileSafely("two.bin", Uint8Array.of(1, 2));
 * await readFileBytes("two.bin"); // → [1, 2]
 */
export async function readFileBytes(path: string): Promise<Uint8Array> {
  return (await twin()).readFileBytes(path);
}

/**
 * Writes a file so that at every moment either the old or the new one is whole: temporary name in the same folder, fsync,
 * rename. Makes the folder when it is missing.
 *
 * @throws ChainruleError when it cannot be written (a full disk, no permission): the old file is then unchanged.
 * @example await writeFileSafely("runs/two.bin", Uint8Array.of(1, 2));
 */
export async function writeFileSafely(path: string, bytes: Uint8Array): Promise<void> {
  return (await twin()).writeFileSafely(path, bytes);
}

/**
 * Adds bytes to the end of a file; makes it, and its folder, when they are missing.
 *
 * @throws ChainruleError when it cannot be written.
 * @example await appendToFile("log.txt", new TextEncoder().encode("one line\n"));
 */
export async function appendToFile(path: string, bytes: Uint8Array): Promise<void> {
  return (await twin()).appendToFile(path, bytes);
}

/**
 * Whether there is a file of this path; never in a browser.
 *
 * @example await fileExists("nowhere.txt"); // → false
 */
export async function fileExists(path: string): Promise<boolean> {
  return (await twin()).fileExists(path);
}

/**
 * Takes a file away, if there is one.
 *
 * @example await removeFile("nowhere.txt");
 */
export async function removeFile(path: string): Promise<void> {
  return (await twin()).removeFile(path);
}

/** What a folder holds, each list sorted by name. */
export interface Listing {
  readonly files: readonly string[];
  readonly folders: readonly string[];
}

/**
 * Names of the files and folders in a folder.
 *
 * @throws FormatError when it cannot be read, with the reason.
 * @example
 * await writeFileSafely("pictures/a.txt", Uint8Array.of(1));
 * (await listFolder("pictures")).files; // → ["a.txt"]
 */
export async function listFolder(path: string): Promise<Listing> {
  return (await twin()).listFolder(path);
}
