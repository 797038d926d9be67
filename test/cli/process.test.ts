import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";

const program = path.join(import.meta.dirname, "../../dist/node/cli.js");

let folder = "";
beforeEach(async () => void (folder = await mkdtemp(path.join(tmpdir(), "chainrule-"))));
afterEach(() => rm(folder, { recursive: true }));

/** The built command, its output as it comes. */
function launch(
  argv: readonly string[],
  onOutput: (text: string, child: ChildProcess) => void = () => {},
): Promise<{ code: number | null; text: string }> {
  if (!existsSync(program)) throw new Error("dist/ is not built: run this test through npm test.");
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [program, ...argv], { stdio: ["ignore", "pipe", "pipe"] });
    let text = "";
    const take = (chunk: Buffer): void => {
      text += chunk.toString();
      onOutput(text, child);
    };
    child.stdout.on("data", take);
    child.stderr.on("data", take);
    child.on("close", (code) => resolve({ code, text }));
  });
}

test(
  "SIGINT stops the built program cleanly with a checkpoint, and the next run continues",
  { timeout: 120_000 },
  async () => {
    const args = ["start", "--limit", "4000", "--epochs", "50", "--batch-size", "8", "--out", folder];
    let sent = false;
    const first = await launch(args, (text, child) => {
      if (sent || !text.includes("epoch 1/50")) return;
      sent = true;
      child.kill("SIGINT");
    });
    expect(first.text).toContain("stopping after this step");
    expect(first.text).toMatch(/stopped after [\d,]+ steps; saved .*checkpoint\.safetensors/);
    expect(first.code).toBe(130);
    expect(await readdir(folder)).toEqual(["checkpoint.safetensors"]);
    const second = await launch([...args, "--stop-after", "1"]);
    expect(second.text).toContain("continuing bit for bit");
    expect(second.code).toBe(130);
  },
);

test("help and wrong usage by exit code", async () => {
  expect(await launch(["help"])).toMatchObject({
    code: 0,
    text: expect.stringContaining("Usage: chainrule <command>"),
  });
  expect((await launch(["nothing"])).code).toBe(2);
});
