import type { StartWorker } from "./prefetch.ts";

/** A module worker, so that it can import. */
export const startWorker: StartWorker = (script, onMessage, onError) => {
  const head =
    "const listen = (f) => { onmessage = (e) => f(e.data); };\nconst answer = (m, t) => postMessage(m, t);\n";
  const url = URL.createObjectURL(new Blob([head + script], { type: "text/javascript" }));
  const worker = new Worker(url, { type: "module" });
  worker.addEventListener("message", (e) => onMessage(e.data));
  worker.addEventListener("error", (e) => onError(e.message ?? "the worker's script was refused"));
  return { post: (message) => worker.postMessage(message, []), stop: () => worker.terminate() };
};
