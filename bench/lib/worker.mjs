// Loaded with BENCH_THREADS above 1: the browsers' Worker over Node's threads, for a peer that knows only the former.
import { resolveObjectURL } from "node:buffer";
import { Worker } from "node:worker_threads";

const frame = `const { parentPort } = require("node:worker_threads");
globalThis.self = globalThis;
self.postMessage = (message) => parentPort.postMessage(message);
parentPort.on("message", (data) => self.onmessage?.({ data }));
`;

class WebWorker {
  #thread;
  constructor(url) {
    this.#thread = resolveObjectURL(String(url))
      .text()
      .then((source) => {
        const thread = new Worker(frame + source, { eval: true });
        thread.on("message", (data) => this.onmessage?.({ data }));
        thread.on("error", (error) => this.onerror?.(error));
        thread.unref();
        return thread;
      });
  }
  async postMessage(message) {
    (await this.#thread).postMessage(message, []);
  }
  async terminate() {
    await (await this.#thread).terminate();
  }
}

const threads = Number(process.env.BENCH_THREADS ?? 1);
if (threads > 1) {
  Object.defineProperty(globalThis, "navigator", { value: { hardwareConcurrency: threads }, configurable: true });
  globalThis.Worker = WebWorker;
}
