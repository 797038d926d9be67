// Workers of Node. Its modules are asked for when they are needed: a browser that loads this file takes the other twin.
import * as browser from "./threads.browser.ts";
import type { Started } from "./worker.ts";

/** Node's process; not there in a browser. */
const node = (): NodeJS.Process | undefined => (globalThis as { process?: NodeJS.Process }).process;

/** How many threads are worth using, and why. */
export function coreCount(): { count: number; why: string } {
  const os = node()?.getBuiltinModule?.("node:os");
  if (os === undefined) return browser.coreCount();
  const logical = os.availableParallelism();
  const each = threadsOfCore();
  const count = Math.max(1, Math.floor(logical / each));
  return { count, why: each > 1 ? `${logical} threads of the processor, ${each} a core` : `${count} cores` };
}

/** Threads of the processor that share one core, where the system tells. */
function threadsOfCore(): number {
  try {
    const list = node()
      ?.getBuiltinModule("node:fs")
      .readFileSync("/sys/devices/system/cpu/cpu0/topology/thread_siblings_list", "utf8");
    const ranges = (list ?? "0").trim().split(",");
    return ranges.reduce((n, range) => {
      const [from, to = from] = range.split("-").map(Number);
      return n + to - from + 1;
    }, 0);
  } catch {
    return 1;
  }
}

/** Starts a worker with a script of its own; null where the host has none. It never keeps the process alive. */
export function startWorker(script: string, onEnd: (reason: string) => void): Started | null {
  const threads = node()?.getBuiltinModule?.("node:worker_threads");
  if (threads === undefined) return browser.startWorker(script, onEnd);
  const worker = new threads.Worker(
    `const listen = (f) => require("node:worker_threads").parentPort.on("message", f);\n${script}`,
    // Nothing of the process's own: flags, environment and standard streams are not for it.
    { eval: true, execArgv: [], env: {}, stdin: false, stdout: false, stderr: false, name: "chainrule" },
  );
  worker.unref();
  worker.on("error", (error) => onEnd(String(error)));
  worker.on("exit", (code) => onEnd(`it ended with code ${code}`));
  return { post: (message) => worker.postMessage(message, []), stop: () => void worker.terminate() };
}
