/** Processes with threads: they end by themselves at once, leave nothing when they are killed, and may hold many engines. */
import { spawn } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { expect, test } from "vitest";

const entry = path.join(import.meta.dirname, "../../dist/node/index.js");
const url = pathToFileURL(entry).href;

/** Plans that are divided, until a second thread takes part. */
const BUSY = `
const { device, ones } = await import(${JSON.stringify(url)});
const x = ones([512, 512]);
let y = x;
const end = performance.now() + 2000;
do y = x.matmul(x); while (performance.now() < end && rounds-- > 0);
const first = y.dataSync()[0];
`;

interface Ended {
  readonly code: number | null;
  readonly text: string;
}

function run(
  program: string,
  env: Record<string, string> = {},
  onText?: (text: string, kill: () => void) => void,
): Promise<Ended> {
  if (!existsSync(entry)) throw new Error("dist/ is not built: run this test through npm test.");
  return new Promise((resolve) => {
    const child = spawn(process.execPath, ["--input-type=module", "-e", program], {
      env: { ...process.env, CHAINRULE_THREADS: "2", ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let text = "";
    const take = (chunk: Buffer): void => {
      text += chunk.toString();
      onText?.(text, () => child.kill("SIGKILL"));
    };
    child.stdout.on("data", take);
    child.stderr.on("data", take);
    child.on("close", (code) => resolve({ code, text }));
  });
}

test("a program ends by itself as soon as its last line has run", { timeout: 60_000 }, async () => {
  const { code, text } = await run(`let rounds = 100; ${BUSY}
    console.log(first, device().threads);
    const last = Date.now();
    process.on("exit", () => console.log("exit after", Date.now() - last));`);
  expect(text).toMatch(/^512 2\nexit after \d+\n$/);
  expect(code).toBe(0);
  // Nothing that lives on: workers would keep it alive for good.
  expect(Number(/after (\d+)/.exec(text)?.[1])).toBeLessThan(2000);
});

test("a program that fails ends with its error", { timeout: 60_000 }, async () => {
  const { code, text } = await run(`let rounds = 20; ${BUSY} throw new Error("mine");`);
  expect(text).toContain("Error: mine");
  expect(code).toBe(1);
});

test("process.exit in the middle of training ends everything", { timeout: 60_000 }, async () => {
  const { code } = await run(
    `let rounds = 20; ${BUSY} setInterval(() => x.matmul(x), 1); setTimeout(() => process.exit(3), 200);`,
  );
  expect(code).toBe(3);
});

test.runIf(process.platform === "linux")("a killed program leaves no process behind", { timeout: 60_000 }, async () => {
  const mark = `chainrule-test-${process.pid}-${Date.now()}`;
  const { code } = await run(
    `let rounds = 20; ${BUSY} console.log("going"); setInterval(() => x.matmul(x), 1); // ${mark}`,
    {},
    (text, kill) => text.includes("going") && setTimeout(kill, 100),
  );
  expect(code).toBeNull();
  const { readFile } = await import("node:fs/promises");
  const others = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  const lines = await Promise.all(others.map((pid) => readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "")));
  expect(lines.filter((line) => line.includes(mark))).toEqual([]);
});

test("several engines in one process, each with threads of its own", { timeout: 60_000 }, async () => {
  const worker = `import { parentPort } from "node:worker_threads";
    let rounds = 30; ${BUSY} parentPort.postMessage([first, device().threads]);`;
  const { code, text } = await run(`import { Worker } from "node:worker_threads";
    const answers = Array.from({ length: 4 }, () => new Promise((done, fail) =>
      new Worker(${JSON.stringify(worker)}, { eval: true }).on("message", done).on("error", fail)));
    let rounds = 30; ${BUSY}
    console.log(JSON.stringify([first, ...await Promise.all(answers)]));`);
  expect(text.trim()).toBe(JSON.stringify([512, ...Array.from({ length: 4 }, () => [512, 2])]));
  expect(code).toBe(0);
});
