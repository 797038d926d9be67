// Child processes for the scripts: inherit the terminal or capture, and a Ctrl-C that arrives exactly once.
import { spawn } from "node:child_process";
import { constants } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";

/** The repository root. */
export const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "../..");

/**
 * The JavaScript entry of a tool in node_modules, so that any Node can run it and no shell stands in between.
 * @param {string} file path under node_modules
 */
export const tool = (file) => path.join(root, "node_modules", file);

/**
 * Runs a program with the terminal inherited; resolves to its exit code (128 + n when signal n ended it).
 * A terminal's Ctrl-C reaches the whole process group, so SIGINT is passed on only when there is no terminal;
 * SIGTERM and SIGHUP reach only this process and are always passed on.
 * @param {string} command
 * @param {string[]} args
 * @param {{ cwd?: string, env?: Record<string, string | undefined> }} [options]
 * @returns {Promise<number>}
 */
export function run(command, args, { cwd = root, env = {} } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, stdio: "inherit", env: { ...process.env, ...env } });
    /** @type {Array<[NodeJS.Signals, () => void]>} */
    const handlers = [
      ["SIGINT", () => void (process.stdin.isTTY || process.stdout.isTTY || child.kill("SIGINT"))],
      ["SIGTERM", () => void child.kill("SIGTERM")],
      ["SIGHUP", () => void child.kill("SIGHUP")],
    ];
    for (const [signal, handler] of handlers) process.on(signal, handler);
    const release = () => {
      for (const [signal, handler] of handlers) process.off(signal, handler);
    };
    child.on("error", (error) => {
      release();
      reject(error);
    });
    child.on("exit", (code, signal) => {
      release();
      resolve(signal ? 128 + constants.signals[signal] : (code ?? 1));
    });
  });
}

/**
 * Runs a program and collects what it prints.
 * @param {string} command
 * @param {string[]} args
 * @param {{ cwd?: string, env?: Record<string, string | undefined> }} [options]
 * @returns {Promise<{ code: number, stdout: string, text: string }>} text is stdout and stderr as they came
 */
export function capture(command, args, { cwd = root, env = {} } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, stdio: ["ignore", "pipe", "pipe"], env: { ...process.env, ...env } });
    let stdout = "";
    let text = "";
    child.stdout.on("data", (chunk) => {
      stdout += chunk;
      text += chunk;
    });
    child.stderr.on("data", (chunk) => (text += chunk));
    child.on("error", reject);
    child.on("close", (code, signal) => {
      resolve({ code: signal ? 128 + constants.signals[signal] : (code ?? 1), stdout, text });
    });
  });
}
