/** Files by path: Node's own, or a clear refusal in a browser, where bytes come from fetch or a file input. */
const twin = (): Promise<typeof import("./files.node.ts")> => {
  const inNode = typeof process !== "undefined" && process.versions?.node !== undefined;
  return inNode ? import("./files.node.ts") : import("./files.browser.ts");
};

/**
 * The bytes of a file.
 *
 * @throws FormatError when it cannot be read, with the reason.
 */
export async function readFileBytes(path: string): Promise<Uint8Array> {
  return (await twin()).readFileBytes(path);
}

/**
 * Writes a file so that at every moment either the old or the new one is whole: temporary name in the same folder, fsync,
 * rename. Makes the folder when it is missing.
 *
 * @throws ChainruleError when it cannot be written (a full disk, no permission): the old file is then unchanged.
 */
export async function writeFileSafely(path: string, bytes: Uint8Array): Promise<void> {
  return (await twin()).writeFileSafely(path, bytes);
}
