import { writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { pathToFileURL } from "node:url";
import * as own from "../index.ts";
import { describeOptions, readArgs, UsageError } from "./args.ts";
import type { Terminal } from "./terminal.ts";

const OPTIONS = {
  steps: {
    default: null,
    value: "n",
    help: "end the script after n steps and show one of them; a step is a run of the program that takes most of the time",
    min: 1,
    whole: true,
  },
  warmup: { default: 3, value: "n", help: "steps before those, which are left out", min: 0, whole: true },
  trace: { default: "", value: "file", help: "write every call on a time line, for chrome://tracing or Perfetto" },
  top: { default: 20, value: "n", help: "kernels that are shown", min: 1, whole: true },
} as const;

/** Columns where nobody's screen is known. */
const WIDE = 140;

export const profileHelp = (): string => `Usage: chainrule profile <script> [options] [-- arguments of the script]

Runs a script that uses Chainrule, and shows at its end where the time went: by kernel, with rates beside what this machine
can do at most, by program, and outside of them.

${describeOptions(OPTIONS)}
`;

/** `chainrule profile`. */
export async function profile(argv: readonly string[], terminal: Terminal): Promise<number> {
  const { values, words } = readArgs("profile", argv, OPTIONS);
  const [script, ...rest] = words;
  if (script === undefined) throw new UsageError("profile: needs a script, for example chainrule profile train.mjs");
  const file = path.resolve(script);
  const { startProfile } = await productOf(file);
  let shown = false;
  const show = (): void => {
    if (shown) return;
    shown = true;
    const report = profiler.stop();
    terminal.write(`\n${report.toString({ top: values.top, columns: terminal.live ? terminal.columns : WIDE })}\n`);
    if (values.trace === "") return;
    writeFileSync(values.trace, report.trace());
    terminal.write(`Time line written to ${values.trace}: open it with chrome://tracing or Perfetto.\n`);
  };
  const leave = (code: number) => (): void => {
    show();
    process.exit(code);
  };
  const profiler = startProfile({ steps: values.steps ?? undefined, warmup: values.warmup, onEnd: leave(0) });
  // However the script ends: by itself, by process.exit, by Ctrl-C, by an error.
  process.once("exit", show);
  terminal.interrupted.addEventListener("abort", leave(130));
  const idle = new Promise((resolve) => void process.once("beforeExit", resolve));
  process.argv = [process.argv[0], file, ...rest];
  try {
    await import(pathToFileURL(file).href);
    await idle;
  } finally {
    show();
    process.off("exit", show);
  }
  return Number(process.exitCode ?? 0);
}

/** The package as the script sees it: installed beside it, or else the one that this command belongs to. */
async function productOf(file: string): Promise<Pick<typeof own, "startProfile">> {
  let entry: string;
  try {
    entry = createRequire(file).resolve("chainrule");
  } catch {
    return own;
  }
  const product = (await import(pathToFileURL(entry).href)) as Partial<typeof own>;
  if (product.startProfile === undefined)
    throw new UsageError(`profile: the chainrule beside ${path.basename(file)} is too old to be profiled; update it`);
  return product as typeof own;
}
