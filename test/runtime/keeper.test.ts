/** What was compiled is kept for the next process: whole, for the same code only, never in a place that others may write to. */
import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { device } from "../../src/index.ts";
import { Keeper } from "../../src/runtime/keeper.ts";

let home: string;
beforeEach(() => (home = mkdtempSync(path.join(tmpdir(), "chainrule-kept-"))));
afterEach(() => rmSync(home, { recursive: true, force: true }));

/** Takes long enough to be worth keeping. */
function slowly<T>(value: T): T {
  for (const end = performance.now() + 6; performance.now() < end;);
  return value;
}

/** Another process would see the same. */
const again = (scope = "build 1"): Keeper => new Keeper(scope, home);
const never = (): never => {
  throw new Error("made anew");
};
const files = (): string[] => readdirSync(path.join(home, "compiled")).map((name) => path.join(home, "compiled", name));

describe("what was made once", () => {
  const shared = [1, 2];
  const made = {
    a: shared,
    b: shared,
    c: [-0, Number.NaN, Infinity],
    bytes: Uint8Array.of(1, 2, 255),
    none: undefined,
  };

  test("is there for the next process, bit for bit", () => {
    const first = again();
    expect(first.get("key", () => slowly(made))).toBe(made);
    expect(() => first.get("key", never), "written at the end only").toThrow("made anew");
    first.flush();
    const found = again().get<typeof made>("key", never);
    expect(found).toEqual(made);
    expect(found.a).toBe(found.b);
    expect(Object.is(found.c[0], -0)).toBe(true);
    expect(first.describe()).toMatch(/compiled: 1 files, 0\.0 MB; 0 of them used by this process$/);
  });

  test("is not found under another key, nor by another build", () => {
    const first = again();
    first.get("key", () => slowly(made));
    first.flush();
    expect(() => again().get("key 2", never)).toThrow("made anew");
    expect(() => again("build 2").get("key", never)).toThrow("made anew");
  });

  test("is made anew where the file is damaged or cut off", () => {
    const first = again();
    first.get("key", () => slowly(made));
    first.flush();
    const [file] = files();
    const good = readFileSync(file);
    for (let i = 0; i < good.length; i += 13) {
      const bad = Buffer.from(good);
      bad[i] ^= 1 << (i % 8);
      writeFileSync(file, bad);
      expect(() => again().get("key", never), `bit flipped in byte ${i}`).toThrow("made anew");
    }
    for (const length of [0, 5, 8, good.length - 1]) {
      writeFileSync(file, good.subarray(0, length));
      expect(() => again().get("key", never), `${length} bytes`).toThrow("made anew");
    }
  });

  test("is written at a pause, also where setTimeout is a page's", async () => {
    vi.stubGlobal("setTimeout", () => 1);
    try {
      again().get("key", () => slowly(made));
    } finally {
      vi.unstubAllGlobals();
    }
    await vi.waitFor(() => expect(again().get("key", never)).toEqual(made), 5000);
  });

  test("is not kept when it was quick, holds a function, or is not to be", () => {
    const first = again();
    // By a clock that stands: a process that loses its core for some milliseconds is not quick.
    const clock = vi.spyOn(performance, "now").mockReturnValue(0);
    first.get("quick", () => made);
    clock.mockRestore();
    first.get("function", () => slowly({ f: () => 1 }));
    first.get(
      "refused",
      () => slowly(made),
      () => false,
    );
    first.flush();
    expect(() => files()).toThrow("ENOENT");
  });
});

describe("the folder", () => {
  test("is the user's alone, and files appear in it whole", () => {
    const first = again();
    first.get("key", () => slowly(1));
    first.flush();
    const mode = (file: string): number => statSync(file).mode & 0o777;
    if (process.platform !== "win32")
      expect([path.join(home, "compiled"), ...files()].map(mode)).toEqual([0o700, 0o600]);
    expect(files().every((f) => /[0-9a-f]{16}$/.test(f))).toBe(true);
  });

  test.skipIf(process.platform === "win32")("is not used when others may write to it", () => {
    mkdirSync(path.join(home, "compiled"));
    chmodSync(path.join(home, "compiled"), 0o777);
    const keeper = again();
    keeper.get("key", () => slowly(1));
    keeper.flush();
    expect(files()).toEqual([]);
    expect(keeper.describe()).toBe(`nothing is kept: others may write to ${path.join(home, "compiled")}`);
  });

  test("that cannot be made costs nothing but itself", () => {
    writeFileSync(path.join(home, "compiled"), "a file");
    const keeper = again();
    expect(keeper.get("key", () => slowly(1))).toBe(1);
    keeper.flush();
    expect(keeper.describe()).toContain("cannot be written");
    expect(keeper.get("key", () => slowly(2))).toBe(2);
  });

  test("is held below a number of files: the oldest go", () => {
    const old = path.join(home, "compiled", "old");
    mkdirSync(path.join(home, "compiled"), { mode: 0o700 });
    for (let i = 0; i < 600; i++) writeFileSync(`${old}${i}`, "x");
    const keeper = again();
    keeper.get("key", () => slowly("new"));
    keeper.flush();
    expect(files().length).toBe(256);
    expect(again().get("key", never)).toBe("new");
  });

  test("off and no build say so", () => {
    expect(new Keeper("build", "off").describe()).toBe("nothing is kept: CHAINRULE_CACHE=off");
    expect(again("").describe()).toBe("nothing is kept: this is no build for Node");
    expect(new Keeper("build", "off").get("key", () => 3)).toBe(3);
  });
});

describe.runIf(device().name.startsWith("x64"))("processes", { timeout: 60_000 }, () => {
  const url = (name: string): string =>
    JSON.stringify(pathToFileURL(path.join(import.meta.dirname, "../../dist/node", name)).href);
  const program = `
    const { compiled, explain, keptPrograms, linalg, profile, random, scan, setSeed, tensor, valueAndGrad, zeros } = await import(${url("index.js")});
    const { batchNorm, conv2d, crossEntropy, dense, flatten, relu, sequential } = await import(${url("nn.js")});
    const { adam } = await import(${url("optim.js")});
    const model = sequential([conv2d(8, 3), batchNorm(), relu, flatten(), dense(32), relu, dense(4)], { inputShape: [12, 12, 3] });
    const optimizer = adam(1e-2);
    const x = tensor(Float32Array.from({ length: 16 * 432 }, (_, i) => Math.sin(i)), { shape: [16, 12, 12, 3] });
    const y = tensor(Int32Array.from({ length: 16 }, (_, i) => i % 4));
    const step = compiled((x, y) => {
      const [loss, grads] = valueAndGrad(model, () => crossEntropy(model(x, { training: true }), y));
      optimizer.update(model, grads);
      return loss;
    });
    const losses = Array.from({ length: 5 }, () => step(x, y).item());
    const sums = compiled((x) => scan((c, x) => [c.mul(0.9).add(x).tanh(), c], zeros([432]), x)[1].sum())(x.reshape([16, 432]));
    const a = tensor([[4, 1], [1, 3]], { dtype: "float64" });
    const rest = [sums.item(), linalg.cholesky(a).sum().item(), linalg.inv(a).sum().item(), x.cast("float64").exp().sum().item()];
    console.log(JSON.stringify([losses, rest, step.explain(x, y)]));
    console.log(process.env.CHAINRULE_CACHE === "off" ? "" : keptPrograms());`;
  const run = (cache: string, env: Record<string, string> = {}): string[] => {
    const { stdout, stderr } = spawnSync(process.execPath, ["--input-type=module", "-e", program], {
      env: { ...process.env, CHAINRULE_CACHE: cache, ...env },
      encoding: "utf8",
    });
    expect(stderr).toBe("");
    return stdout.split("\n");
  };

  test("a later process runs what an earlier one compiled: the same bits, the same plan", () => {
    const [alone] = run("off");
    const [first, empty] = run(home);
    const [second, kept] = run(home);
    const [one] = run(home, { CHAINRULE_THREADS: "1" });
    expect(empty).toMatch(/ 0 files, 0\.0 MB; 0 of them used/);
    // How many took long enough to be kept is the machine's affair.
    expect(Number(/; (\d+) of them used/.exec(kept)?.[1])).toBeGreaterThan(0);
    expect(first).toBe(alone);
    expect(second).toBe(alone);
    expect(one).toBe(alone);
  });

  test("processes that write at once do not disturb each other", () => {
    const script = `import { spawn } from "node:child_process";
      const all = Array.from({ length: 4 }, () => new Promise((done) => {
        const child = spawn(process.execPath, ["--input-type=module", "-e", process.env.PROGRAM], { stdio: ["ignore", "pipe", "inherit"] });
        let text = "";
        child.stdout.on("data", (x) => (text += x));
        child.on("close", () => done(text.split("\\n")[0]));
      }));
      console.log(new Set(await Promise.all(all)).size);`;
    const { stdout } = spawnSync(process.execPath, ["--input-type=module", "-e", script], {
      env: { ...process.env, CHAINRULE_CACHE: home, PROGRAM: program },
      encoding: "utf8",
    });
    expect(stdout.trim()).toBe("1");
    expect(files().every((f) => /[0-9a-f]{16}$/.test(f))).toBe(true);
    expect(run(home)[0]).toBe(run("off")[0]);
  });
});
