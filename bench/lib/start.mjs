// One measurement: a process of its own in node or in python, whose messages are collected; and the wait for a calm machine.
import { fork, spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { peers, settingsOf, toolkitOf } from "./peers.mjs";

const here = (file) => fileURLToPath(new URL(file, import.meta.url));

/** The messages of a child until it ends or `limit` seconds are over. */
export function collect(child, limit) {
  return new Promise((resolve) => {
    const messages = [];
    let [timedOut, noise] = [false, ""];
    const timer = setTimeout(() => {
      timedOut = true;
      child.kill("SIGKILL");
    }, limit * 1e3);
    child.stderr.on("data", (chunk) => (noise = (noise + chunk).slice(-600)));
    child.on("message", (message) => messages.push(message));
    if (child.stdout !== null) {
      createInterface(child.stdout).on("line", (line) => line.startsWith("{") && messages.push(JSON.parse(line)));
    }
    child.on("error", (error) => (noise = error.message));
    child.on("close", (code, signal) => {
      clearTimeout(timer);
      resolve({ messages, timedOut, code: code ?? signal, noise });
    });
  });
}

/** A node program that sends its messages over a channel. */
export const node = (file, args, { flags = [], env = {} } = {}) =>
  fork(here(file), args.map(String), {
    execArgv: flags,
    env: { ...process.env, ...env },
    stdio: ["ignore", "ignore", "pipe", "ipc"],
  });

/**
 * One process of one variant on one workload: rows { workload, peer, device, threads, metric, … } or { …, error }. With
 * `cold` only the first step is awaited. `env`: further variables of the environment.
 */
export async function measureOnce(workload, variant, { budget, limit, cold = false, env: more = {} }) {
  const { python, flags } = peers[variant.peer];
  const toolkit = toolkitOf(variant.peer);
  const env = { ...settingsOf(variant), ...more };
  const start = performance.timeOrigin + performance.now();
  const rest = [workload, budget, ...(cold ? [start] : [])];
  const child =
    python === undefined
      ? node("child.mjs", [toolkit, variant.peer, ...rest], { flags, env })
      : spawn(python, [here("../python/child.py"), toolkit, ...rest].map(String), {
          env: { ...process.env, ...env },
          stdio: ["ignore", "pipe", "pipe"],
        });
  const result = await collect(child, limit);
  const rows = result.messages.filter((m) => m.metric !== undefined);
  const open = result.messages.findLast((m) => m.starting !== undefined)?.starting;
  if (result.timedOut) rows.push({ metric: open ?? "", error: `not done in ${limit} s` });
  else if (rows.length === 0)
    rows.push({ metric: open ?? "", error: `exit ${result.code}: ${lastLine(result.noise)}` });
  return rows.map((row) => ({ workload, ...variant, ...row }));
}

const lastLine = (text) => text.trim().split("\n").at(-1) ?? "";

/** Waits until the machine is nearly idle for half a second, at most `seconds`. */
export async function quiet(seconds) {
  const busy = () => {
    const ticks = readFileSync("/proc/stat", "utf8").split("\n", 1)[0].trim().split(/\s+/).slice(1, 9).map(Number);
    return ticks.reduce((a, b) => a + b, 0) - ticks[3] - ticks[4];
  };
  if (!existsSync("/proc/stat")) return;
  for (const end = Date.now() + seconds * 1e3; Date.now() < end;) {
    const before = busy();
    await sleep(500);
    if (busy() - before < 8) return;
  }
}

/** What our device is under each of these names: { asked, name, why, threads, … }; another name where it cannot be had. */
export const devicesHere = (names) =>
  Promise.all(
    names.map(async (asked) => {
      const child = node("device.mjs", [], { env: settingsOf({ peer: "chainrule", device: asked, threads: 1 }) });
      const { messages, noise } = await collect(child, 30);
      return { asked, ...(messages[0] ?? { name: "none", why: lastLine(noise) }) };
    }),
  );
