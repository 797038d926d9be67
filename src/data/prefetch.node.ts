import { Worker } from "node:worker_threads";
import type { StartWorker } from "./prefetch.ts";

export const startWorker: StartWorker = (script, onMessage, onError) => {
  const head =
    'const { parentPort } = require("node:worker_threads");\n' +
    'const listen = (f) => parentPort.on("message", f);\nconst answer = (m, t) => parentPort.postMessage(m, t);\n';
  const worker = new Worker(head + script, { eval: true, name: "chainrule data" });
  // While somebody waits for a batch, the process lives; afterwards it may end.
  let waiting = 0;
  worker.unref();
  worker.on("message", (message) => {
    if (--waiting === 0) worker.unref();
    onMessage(message);
  });
  worker.on("error", (error) => onError(String(error)));
  worker.on("exit", (code) => onError(`it ended with code ${code}`));
  return {
    post: (message) => {
      if (waiting++ === 0) worker.ref();
      worker.postMessage(message, []);
    },
    stop: () => void worker.terminate(),
  };
};
