import type { Started } from "./worker.ts";

/** How many threads are worth using, and why. */
export function coreCount(): { count: number; why: string } {
  const logical = globalThis.navigator?.hardwareConcurrency ?? 1;
  // Browsers do not tell physical cores; most processors have two threads a core.
  return {
    count: Math.max(1, Math.ceil(logical / 2)),
    why: `${logical} threads of the processor, taken for half as many cores`,
  };
}

/** Starts a worker with a script of its own; null where the host has none. */
export function startWorker(script: string, onEnd: (reason: string) => void): Started | null {
  if (typeof Worker !== "function") return null;
  const url = URL.createObjectURL(new Blob([`const listen = (f) => { onmessage = (e) => f(e.data); };\n${script}`]));
  const worker = new Worker(url);
  worker.addEventListener("error", (e) => onEnd(e.message ?? "the worker's script was refused"));
  return { post: (message) => worker.postMessage(message, []), stop: () => worker.terminate() };
}
