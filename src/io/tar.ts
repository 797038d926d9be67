import { FormatError } from "../base/index.ts";

/**
 * The plain files of a tar archive by name (ustar; long names of GNU and pax are read). Contents are views of `bytes`.
 *
 * @throws FormatError when the archive is damaged or truncated.
 * @example
 * // not run: it needs such a file
 * const files = decodeTar(await readFileBytes("cifar-10-binary.tar"));
 * files.get("cifar-10-batches-bin/test_batch.bin");
 */
export function decodeTar(bytes: Uint8Array, name = "tar"): Map<string, Uint8Array> {
  const files = new Map<string, Uint8Array>();
  const text = new TextDecoder();
  const field = (at: number, n: number): string => text.decode(bytes.subarray(at, at + n)).replace(/\0.*$/s, "");
  let long: string | null = null;
  for (let at = 0; at + 512 <= bytes.length;) {
    const head = bytes.subarray(at, at + 512);
    if (head.every((b) => b === 0)) break;
    const size = parseInt(field(at + 124, 12), 8);
    // The sum counts its own eight bytes as spaces.
    const sum = head.reduce((s, b, i) => s + (i >= 148 && i < 156 ? 32 : b), 0);
    if (Number.isNaN(size) || parseInt(field(at + 148, 8), 8) !== sum)
      throw new FormatError(`[tar] "${name}" is damaged at byte ${at}: its header does not add up.`);
    const body = bytes.subarray(at + 512, at + 512 + size);
    if (body.length < size) throw new FormatError(`[tar] "${name}" is truncated: a file of ${size} bytes ends early.`);
    const kind = String.fromCharCode(head[156]);
    if (kind === "L") long = text.decode(body).replace(/\0.*$/s, "");
    else if (kind === "x") long = /\d+ path=([^\n]*)\n/.exec(text.decode(body))?.[1] ?? long;
    else {
      const prefix = field(at + 257, 5) === "ustar" ? field(at + 345, 155) : "";
      const short = field(at, 100);
      if (kind === "0" || kind === "\0") files.set(long ?? (prefix === "" ? short : `${prefix}/${short}`), body);
      long = null;
    }
    at += 512 + Math.ceil(size / 512) * 512;
  }
  return files;
}
