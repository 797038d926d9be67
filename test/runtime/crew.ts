// What the tests of threads share: plans that are divided however small they are, and workers that are there.
import { engine } from "../../src/engine.ts";
import { ones, setThreads } from "../../src/index.ts";

/** Lets every kernel of plans made from now on count as long: all blocks are handed out, with a barrier wherever one may be. */
export function divideAll(): void {
  engine.device.crew.always = true;
  Object.assign(engine.device.crew.speeds, { contract: 1e-9, loop: 1e-9, bytes: 1e-9 });
}

/** Sets the number of threads, and runs something until as many take part. */
export async function gather(threads: number): Promise<void> {
  setThreads(threads);
  const x = ones([1 << 20]);
  for (const end = performance.now() + 20_000; engine.device.crew.serving < threads;) {
    if (performance.now() > end) throw new Error(`only ${engine.device.crew.serving} of ${threads} threads came`);
    x.add(1).dispose();
    await new Promise((done) => setTimeout(done, 5));
  }
}
