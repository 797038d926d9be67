import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, existsSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import {
  choice,
  gridOf,
  type Hyperparameters,
  hyperparameters,
  intUniform,
  loadStudy,
  logUniform,
  medianPruner,
  oneMinusLog,
  sampleSpace,
  search,
  searchChart,
  uniform,
  zoomSpace,
} from "../../src/tune/index.ts";
import { renderSvg } from "../../src/viz/index.ts";

const OBJECTIVE = new URL("./objective.mjs", import.meta.url);
const space = { lr: logUniform(1e-4, 1), units: intUniform(8, 64) };
const value = ({ lr, units }: { lr: number; units: number }): number =>
  (Math.log10(lr) + 2) ** 2 + (units - 40) ** 2 / 1000;

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), "chainrule-tune-"));
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true, force: true });
});

const draws = <T>(p: { readonly at: (u: number) => T }, n = 10_000): T[] =>
  Array.from({ length: n }, (_, i) => sampleSpace({ p: { ...logUniform(1, 2), at: p.at } as never }, 3, i).p as T);

describe("spaces", () => {
  test("S-396 a learning rate in [1e-4, 1]: each decade has 25 ± 3 % of 10,000 draws", () => {
    const found = draws(logUniform(1e-4, 1));
    for (const low of [1e-4, 1e-3, 1e-2, 1e-1])
      expect(Math.abs(found.filter((v) => v >= low && v < 10 * low).length / 10_000 - 0.25)).toBeLessThan(0.03);
  });

  test("S-397 momentum in (.9, .999): half of the draws lie in [.99, .999]", () => {
    const found = draws(oneMinusLog(0.9, 0.999));
    expect(found.every((v) => v >= 0.9 && v <= 0.999)).toBe(true);
    expect(Math.abs(found.filter((v) => v >= 0.99).length / 10_000 - 0.5)).toBeLessThan(0.03);
  });

  test("whole numbers are all alike, on a logarithmic scale by ratio; choices too", () => {
    const whole = draws(intUniform(1, 4));
    for (const v of [1, 2, 3, 4])
      expect(Math.abs(whole.filter((w) => w === v).length / 10_000 - 0.25)).toBeLessThan(0.02);
    const log = draws(intUniform(1, 1000, { log: true }));
    expect(Math.abs(log.filter((v) => v <= 31).length / 10_000 - 0.5)).toBeLessThan(0.06);
    expect(new Set(draws(choice(["a", "b", "c"]), 200))).toEqual(new Set(["a", "b", "c"]));
    expect(Math.max(...draws(uniform(0, 0.5)))).toBeLessThan(0.5);
  });

  test("S-394 25 random trials try 25 values an axis, a grid of 25 tries five", () => {
    const trials = Array.from({ length: 25 }, (_, i) => sampleSpace(space, 1, i));
    const smooth = { lr: logUniform(1e-4, 1), momentum: oneMinusLog(0.9, 0.999) };
    const random = Array.from({ length: 25 }, (_, i) => sampleSpace(smooth, 1, i));
    const grid = gridOf(smooth, 5);
    expect(grid).toHaveLength(25);
    for (const axis of ["lr", "momentum"] as const) {
      expect(new Set(random.map((t) => t[axis])).size).toBe(25);
      expect(new Set(grid.map((t) => t[axis])).size).toBe(5);
    }
    // A trial depends on seed and number alone.
    expect(sampleSpace(space, 1, 24)).toEqual(trials[24]);
    expect(sampleSpace(space, 2, 24)).not.toEqual(trials[24]);
  });

  test("errors", () => {
    expect(() => uniform(1, 1)).toThrow("[uniform] needs low < high, got 1 and 1.");
    expect(() => logUniform(0, 1)).toThrow("[logUniform] needs low < high above 0, got 0 and 1.");
    expect(() => oneMinusLog(0.9, 1)).toThrow("below 1, got 0.9 and 1");
    expect(() => intUniform(1.5, 3)).toThrow("whole numbers");
    expect(() => choice([])).toThrow("at least one value");
  });
});

describe("searches", () => {
  const base = { space, seed: 7, trials: 12, verbose: 0 } as const;

  test("S-395 a fine search around the best of a coarse one: half the range at most, and no worse", async () => {
    const coarse = await search({ ...base, trials: 25, objective: value });
    const best = coarse.top(5).map((t) => t.params);
    const fine = zoomSpace(space, best);
    for (const axis of ["lr", "units"] as const) {
      const [low, high] = [0, 1 - 1e-9].map((u) => fine[axis].at(u));
      const width = space[axis].placeOf(high) - space[axis].placeOf(low);
      expect(width).toBeLessThanOrEqual(0.5 + 0.02);
      expect(low).toBeGreaterThanOrEqual(space[axis].at(0) * (1 - 1e-12));
    }
    const [low, high] = [0, 1 - 1e-9].map((u) => Math.log10(fine.lr.at(u)));
    expect(high - low).toBeLessThanOrEqual(2);
    const second = await search({ ...base, trials: 25, space: fine, objective: value });
    expect(second.best!.value).toBeLessThanOrEqual(coarse.best!.value);
  });

  test("S-398 eight trials in two processes give what one after the other gives", async () => {
    vi.stubEnv("TUNE_LOG", path.join(folder, "log"));
    const parallel = await search({ ...base, trials: 8, objective: OBJECTIVE, workers: 2 });
    const serial = await search({ ...base, trials: 8, objective: value });
    expect(parallel.trials.map((t) => [t.number, t.params, t.value])).toEqual(
      serial.trials.map((t) => [t.number, t.params, t.value]),
    );
    expect(parallel.best!.number).toBe(serial.best!.number);
    const lines = readFileSync(path.join(folder, "log"), "utf8")
      .trim()
      .split("\n")
      .map((l) => l.split(" "));
    expect(new Set(lines.map(([trial]) => trial)).size).toBe(8);
    expect(new Set(lines.map(([, pid]) => pid)).size).toBe(2);
    expect(new Set(lines.map(([, , seed]) => seed)).size).toBe(8);
    expect(parallel.complete).toBe(true);
    expect(String(serial)).toMatch(/^trial {2,}value/);
  });

  test("a grid, the largest value, and trials that fail", async () => {
    const grid = await search({
      ...base,
      trials: undefined,
      sampler: { grid: 3 },
      objective: value,
      direction: "maximize",
    });
    expect(grid.trials).toHaveLength(9);
    expect(grid.best!.value).toBe(Math.max(...grid.trials.map((t) => t.value!)));
    vi.stubEnv("TUNE_FAIL", "1");
    vi.stubEnv("TUNE_EXIT", "2");
    const some = await search({ ...base, trials: 4, objective: OBJECTIVE, workers: 1 });
    expect(some.trials.map((t) => t.state)).toEqual(["done", "failed", "failed", "done"]);
    expect(some.trials[1].error).toContain("the objective is broken");
    expect(some.trials[2].error).toContain("the worker of trial 2 ended with 3");
    await expect(
      search({
        ...base,
        trials: 2,
        objective: () => {
          throw new Error("no luck");
        },
      }),
    ).rejects.toThrow("[search] all 2 trials failed; the first: no luck");
  });

  test("the median stops bad trials early", async () => {
    const seen: number[] = [];
    const result = await search({
      space: { quality: uniform(0, 1) },
      trials: 20,
      seed: 1,
      verbose: 0,
      pruner: medianPruner({ startupTrials: 4, warmupSteps: 1 }),
      async objective({ quality }, { report, trial }) {
        for (let step = 0; step < 5; step++) {
          await report(step, quality);
          if (step === 4) seen.push(trial);
        }
        return quality;
      },
    });
    const pruned = result.trials.filter((t) => t.state === "pruned");
    expect(pruned.length).toBeGreaterThan(3);
    // Stopped at the second step, since the first is never judged; never among the first four.
    for (const t of pruned) expect([t.reports.length, t.number >= 4]).toEqual([2, true]);
    expect(seen).toHaveLength(20 - pruned.length);
    expect(result.best!.value).toBe(Math.min(...result.trials.map((t) => (t.params as { quality: number }).quality)));
  });

  test("stopping early keeps what is done", async () => {
    const stop = new AbortController();
    const result = await search({
      ...base,
      objective: value,
      signal: stop.signal,
      onTrial: (t) => t.number === 3 && stop.abort(),
    });
    expect([result.trials.length, result.complete]).toEqual([4, false]);
  });

  test("a chart of the value over each parameter", async () => {
    const result = await search({ ...base, space: { ...space, act: choice(["relu", "tanh"]) }, objective: value });
    const svg = await renderSvg(searchChart(result));
    for (const name of ["lr", "units", "act", "relu", "tanh"]) expect(svg).toContain(name);
  });

  test("errors", async () => {
    await expect(search({ ...base, space: {}, objective: () => 1 })).rejects.toThrow("the space is empty");
    await expect(search({ ...base, trials: 0, objective: value })).rejects.toThrow("trials must be a whole number");
    await expect(search({ ...base, objective: "x" as never })).rejects.toThrow("the URL of a module");
    await expect(
      search({ ...base, objective: value, store: "postgres://nobody:secret@127.0.0.1:1/none" }),
    ).rejects.toThrow(/\[tune\] the store at 127\.0\.0\.1:1 cannot be used: (?!.*secret)/);
  });
});

/** The same for every kind of store. */
function keeps(where: () => string): void {
  test("a finished study is read, not run again; another space is refused", async () => {
    const options = {
      space,
      objective: value,
      trials: 5,
      seed: 7,
      verbose: 0,
      store: where(),
      study: `read ${folder}`,
    } as const;
    const first = await search(options);
    let calls = 0;
    const again = await search({ ...options, objective: (p) => (calls++, value(p)) });
    expect(calls).toBe(0);
    expect(again.trials).toEqual(first.trials);
    const more = await search({ ...options, trials: 8, objective: (p) => (calls++, value(p)) });
    expect([calls, more.trials.length]).toEqual([3, 8]);
    expect((await loadStudy(where(), options.study, space)).best!.number).toBe(more.best!.number);
    await expect(search({ ...options, seed: 8 })).rejects.toThrow("with another space or seed");
    await expect(loadStudy(where(), "nothing", space)).rejects.toThrow('no trial of a study "nothing"');
  });

  test("trials that diverge are kept with what they reported", async () => {
    const options = { space, trials: 3, seed: 7, verbose: 0, store: where(), study: `nan ${folder}` } as const;
    const { trials, best } = await search({
      ...options,
      async objective(_, { report, trial }) {
        const value = [NaN, Infinity, 1][trial];
        await report(0, value);
        return value;
      },
    });
    expect(trials.map((t) => [t.state, t.value, t.reports])).toEqual([
      ["done", NaN, [[0, NaN]]],
      ["done", Infinity, [[0, Infinity]]],
      ["done", 1, [[0, 1]]],
    ]);
    expect(best!.number).toBe(2);
  });

  test("two searches share a study: every trial is run once", async () => {
    vi.stubEnv("TUNE_LOG", path.join(folder, "log"));
    vi.stubEnv("TUNE_SLEEP", "20");
    const options = {
      space,
      objective: OBJECTIVE,
      trials: 12,
      seed: 7,
      verbose: 0,
      workers: 2,
      store: where(),
      study: `two ${folder}`,
    } as const;
    await Promise.all([search(options), search(options)]);
    const { trials } = await loadStudy(where(), options.study, space);
    expect(trials.map((t) => [t.number, t.state, t.value])).toEqual(
      Array.from({ length: 12 }, (_, i) => [i, "done", value(sampleSpace(space, 7, i))]),
    );
    expect(trials[0].reports).toHaveLength(3);
    const run = readFileSync(path.join(folder, "log"), "utf8")
      .trim()
      .split("\n")
      .map((l) => l.split(" ")[0]);
    expect(run.toSorted()).toEqual(trials.map((t) => String(t.number)).toSorted());
  });

  test("a killed search goes on: what was done is not done again, what was begun is", async () => {
    const [store, log, study] = [where(), path.join(folder, "log"), `killed ${folder}`];
    const source = path.resolve(import.meta.dirname, "../../dist/node/tune.js");
    const child = spawn(process.execPath, [path.join(import.meta.dirname, "run-study.mjs"), source, store, study], {
      env: { ...process.env, TUNE_LOG: log, TUNE_SLEEP: "120" },
      stdio: "ignore",
      detached: true,
    });
    // Until some trials are done and others begun.
    for (let i = 0; i < 400 && (!existsSync(log) || readFileSync(log, "utf8").split("\n").length < 6); i++)
      await sleep(25);
    process.kill(-child.pid!, "SIGKILL");
    await new Promise((resolve) => child.on("exit", resolve));
    const left = (await loadStudy(store, study, space)).trials;
    const done = left.filter((t) => t.state === "done").map((t) => t.number);
    expect(done.length).toBeGreaterThan(0);
    expect(left.length).toBeLessThan(12);
    expect(left.some((t) => t.state === "running")).toBe(true);
    vi.stubEnv("TUNE_LOG", path.join(folder, "log2"));
    const result = await search({
      space,
      objective: OBJECTIVE,
      trials: 12,
      seed: 7,
      workers: 2,
      verbose: 0,
      store,
      study,
    });
    const again = readFileSync(path.join(folder, "log2"), "utf8")
      .trim()
      .split("\n")
      .map((l) => Number(l.split(" ")[0]));
    expect(again.filter((t) => done.includes(t))).toEqual([]);
    expect(result.trials.map((t) => [t.state, t.value])).toEqual(
      Array.from({ length: 12 }, (_, i) => ["done", value(sampleSpace(space, 7, i))]),
    );
  }, 60_000);

  test("a search that is stopped gives up what it had begun, for the next one to take at once", async () => {
    vi.stubEnv("TUNE_LOG", path.join(folder, "stopped.log"));
    vi.stubEnv("TUNE_STUCK", "1");
    const stop = new AbortController();
    const options = {
      space,
      objective: OBJECTIVE,
      trials: 4,
      seed: 7,
      verbose: 0,
      workers: 2,
      store: where(),
      study: `stopped ${folder}`,
    } as const;
    const first = await search({ ...options, signal: stop.signal, onTrial: () => stop.abort() });
    expect(first.trials.some((t) => t.state === "running")).toBe(true);
    vi.stubEnv("TUNE_STUCK", "");
    const { complete, trials } = await search(options);
    expect([complete, trials.length]).toEqual([true, 4]);
  });
}

describe("a store in a file", () => {
  keeps(() => path.join(folder, "trials.db"));
});

const server = process.env["CHAINRULE_TEST_POSTGRES"];
describe.skipIf(server === undefined)(
  `a store in PostgreSQL${server === undefined ? " (skipped: CHAINRULE_TEST_POSTGRES names no server)" : ""}`,
  () => {
    keeps(() => server!);
  },
);

describe("hyperparameters", () => {
  test("S-393 all fourteen keys have a value; an unknown key throws", () => {
    const names: (keyof Hyperparameters)[] = [
      "learningRate",
      "momentum",
      "beta1",
      "beta2",
      "epsilon",
      "layers",
      "units",
      "decay",
      "batchSize",
      "iterations",
      "activation",
      "loss",
      "optimizer",
      "epochs",
    ];
    expect(Object.keys(hyperparameters()).toSorted()).toEqual(names.toSorted());
    expect(hyperparameters({ learningRate: 0.01 })).toEqual({ ...hyperparameters(), learningRate: 0.01 });
    expect(() => hyperparameters({ learningrate: 0.1 } as never)).toThrow(
      '[hyperparameters] unknown hyperparameter "learningrate": did you mean "learningRate"?',
    );
    expect(() => hyperparameters({ beta1: 1 })).toThrow("[hyperparameters] beta1 must be in [0, 1), got 1.");
    expect(() => hyperparameters({ units: "many" as never })).toThrow(
      "[hyperparameters] units is a number, got string.",
    );
    expect(hyperparameters({ iterations: 100 }).iterations).toBe(100);
  });
});
