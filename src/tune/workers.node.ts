import { type ChildProcess, spawn } from "node:child_process";
import { ChainruleError } from "../base/index.ts";
import type { Job, Runner } from "./runner.ts";

/** What a worker process runs: it loads the objective's module once and answers one job at a time. */
const SCRIPT = `
const [url] = process.argv.slice(1);
const load = import(url).then((m) => {
  if (typeof m.default !== "function") throw new Error("it has no default export that is a function");
  return m.default;
});
let pruned = () => {};
process.on("message", async (message) => {
  if (message.kind === "answer") return pruned(message.stop);
  const { params, trial, seed } = message;
  const report = (step, value) => new Promise((resolve, reject) => {
    pruned = (stop) => (stop ? reject(Object.assign(new Error("pruned"), { pruned: true })) : resolve());
    process.send({ kind: "report", step, value });
  });
  try {
    const value = await (await load)(params, { trial, seed, report });
    process.send({ kind: "done", value });
  } catch (error) {
    process.send(error?.pruned ? { kind: "pruned" } : { kind: "failed", error: String(error?.stack ?? error) });
  }
});
process.on("disconnect", () => process.exit());
`;

type Message =
  | { readonly kind: "report"; readonly step: number; readonly value: number }
  | { readonly kind: "done"; readonly value: number }
  | { readonly kind: "pruned" }
  | { readonly kind: "failed"; readonly error: string };

/** `count` processes that run the default export of a module. They end with this process. */
export function processRunner(url: string, count: number, env: Readonly<Record<string, string>>): Runner {
  const idle: ChildProcess[] = [];
  const all = new Set<ChildProcess>();
  const start = (): ChildProcess => {
    const child = spawn(process.execPath, ["--input-type=module", "--eval", SCRIPT, url], {
      stdio: ["ignore", "inherit", "inherit", "ipc"],
      env: { ...process.env, ...env },
    });
    all.add(child);
    child.on("exit", () => all.delete(child));
    return child;
  };
  const run = async (job: Job): Promise<number> => {
    const child = idle.pop() ?? start();
    const value = await new Promise<number>((resolve, reject) => {
      const lost = (code: number | null, signal: string | null): void =>
        reject(new ChainruleError(`[search] the worker of trial ${job.trial} ended with ${signal ?? code}.`));
      const broken = (error: Error): void => reject(error);
      const settle = (act: () => void): void => {
        child.off("message", hear).off("exit", lost).off("error", broken);
        idle.push(child);
        act();
      };
      const hear = (message: Message): void => {
        if (message.kind === "done") settle(() => resolve(message.value));
        else if (message.kind === "failed") settle(() => reject(new ChainruleError(message.error)));
        else if (message.kind === "pruned") settle(() => reject(job.prunedError()));
        else
          void job.report(message.step, message.value).then(
            () => child.send({ kind: "answer", stop: false }),
            () => child.connected && child.send({ kind: "answer", stop: true }),
          );
      };
      child.on("message", hear).on("exit", lost).on("error", broken);
      child.send({ kind: "job", params: job.params, trial: job.trial, seed: job.seed });
    });
    return value;
  };
  return {
    count,
    run,
    close() {
      for (const child of all) child.kill();
    },
  };
}
