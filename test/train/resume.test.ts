/**
 * Twenty runs, each killed (SIGKILL) at a random moment while it trains and writes backups, then started again: the checkpoint is whole
 * at every death, and the final weights are those of the run that nobody killed, bit for bit.
 */
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { expect, test } from "vitest";
import { loadCheckpoint } from "../../src/train/index.ts";
import "../../src/engine.ts";

const dist = path.join(import.meta.dirname, "../../dist/node");
const from = (room: string): string => JSON.stringify(pathToFileURL(path.join(dist, `${room}.js`)).href);

/** Trains 60 steps with dropout and Adam; says each step, then a checksum of the weights. */
const program = (backup: string): string => `
import { random } from ${from("index")};
import { dense, dropout, relu, sequential } from ${from("nn")};
import { adam, withAverages } from ${from("optim")};
import { backupAndRestore, earlyStopping, reduceLROnPlateau } from ${from("train")};
import { createHash } from "node:crypto";
random.seed(3);
const [x, y] = [random.normal([120, 8]), random.normal([120, 2])];
const model = sequential([dense(24), relu, dropout(0.3), dense(2)], { inputShape: [8] });
model.compile({ optimizer: withAverages(adam(1e-2)), loss: "mse" });
await model.fit([x, y], {
  epochs: 5, batchSize: 10, verbose: 0, validationSplit: 0.1,
  callbacks: [
    reduceLROnPlateau({ patience: 1, factor: 0.7 }),
    earlyStopping({ patience: 9, restoreBestWeights: true }),
    backupAndRestore(${JSON.stringify(backup)}, { saveFreq: 1 }),
    { onBatchEnd: ({ step }) => process.stdout.write("step " + step + "\\n") },
  ],
});
const hash = createHash("sha256");
for (const w of Object.values(model.weights())) hash.update(new Uint8Array(w.data.buffer, w.data.byteOffset, w.data.byteLength));
for (const w of Object.values(model.optimizer.state())) hash.update(new Uint8Array(w.data.buffer, w.data.byteOffset, w.data.byteLength));
process.stdout.write("weights " + hash.digest("hex") + "\\n");
`;

interface Ended {
  readonly steps: readonly number[];
  readonly weights: string | undefined;
  readonly text: string;
}

/** Runs the program; kills it some milliseconds after it has said that step. */
function run(backup: string, kill: { step: number; delay: number } | null = null): Promise<Ended> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, ["--input-type=module", "-e", program(backup)], {
      env: { ...process.env, CHAINRULE_THREADS: "1" },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let text = "";
    let aimed = false;
    const take = (chunk: Buffer): void => {
      text += chunk.toString();
      if (kill === null || aimed || !text.includes(`step ${kill.step}\n`)) return;
      aimed = true;
      setTimeout(() => child.kill("SIGKILL"), kill.delay);
    };
    child.stdout.on("data", take);
    child.stderr.on("data", take);
    child.on("close", () => {
      const steps = [...text.matchAll(/^step (\d+)$/gm)].map((m) => Number(m[1]));
      resolve({ steps, weights: /^weights (\w+)$/m.exec(text)?.[1], text });
    });
  });
}

test(
  "20 kills at random steps: never a damaged checkpoint, final weights bit for bit",
  { timeout: 300_000 },
  async () => {
    if (!existsSync(dist)) throw new Error("dist/ is not built: run this test through npm test.");
    const folder = await mkdtemp(path.join(tmpdir(), "resume-"));
    try {
      const whole = await run(path.join(folder, "whole.safetensors"));
      expect(whole.weights ?? whole.text, whole.text).toMatch(/^[0-9a-f]{64}$/);
      const all = whole.steps.length;
      let killed = 0;
      const deaths = new Set<number>();
      for (let trial = 0; killed < 20; trial++) {
        expect(trial, "the program is faster than its killer").toBeLessThan(40);
        const backup = path.join(folder, `${trial}.safetensors`);
        const step = 1 + Math.floor(Math.random() * (all - 8));
        const first = await run(backup, { step, delay: Math.random() * 8 });
        // A run that was done before it was hit proves nothing.
        if (first.weights !== undefined) continue;
        killed++;
        if (existsSync(backup)) {
          const { state } = await loadCheckpoint(backup);
          deaths.add(state.position.step);
          expect(state.position.step).toBeLessThanOrEqual(first.steps.length);
        }
        const second = await run(backup);
        expect(second.weights, `killed after step ${first.steps.length}: ${second.text}`).toBe(whole.weights);
        expect(second.steps[0], "it went on, and did not begin again").toBeGreaterThan(Math.max(0, step - 2));
      }
      expect(deaths.size, "deaths at different steps").toBeGreaterThan(5);
    } finally {
      await rm(folder, { recursive: true });
    }
  },
);
