/** A ustar archive of some files. */
export function makeTar(files: readonly (readonly [string, Uint8Array])[]): Uint8Array {
  const blocks = files.flatMap(([name, body]) => {
    const head = new Uint8Array(512);
    const put = (at: number, text: string): void => head.set(new TextEncoder().encode(text), at);
    put(0, name);
    put(100, "0000644\0");
    put(124, `${body.length.toString(8).padStart(11, "0")}\0`);
    put(148, "        ");
    put(156, "0");
    put(257, "ustar\u000000");
    const sum = head.reduce((a, b) => a + b, 0);
    put(148, `${sum.toString(8).padStart(6, "0")}\0 `);
    const padded = new Uint8Array(Math.ceil(body.length / 512) * 512);
    padded.set(body);
    return [head, padded];
  });
  return Buffer.concat([...blocks, new Uint8Array(1024)]);
}
