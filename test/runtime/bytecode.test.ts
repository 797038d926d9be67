/** Scripts run with bytecode that is there already: of the same build, place and Node only, undamaged, in a folder that is ours. */
import { spawnSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Load, openScripts } from "../../src/runtime/bytecode.ts";

let home: string;
const cache = (): string => path.join(home, "cache");
const kept = (): string[] => readdirSync(path.join(cache(), "compiled"));

beforeEach(() => {
  home = mkdtempSync(path.join(tmpdir(), "chainrule-scripts-"));
  mkdirSync(path.join(home, "scripts/chunks"), { recursive: true });
});
const opened: Load[] = [];
afterEach(() => {
  // Nothing is to be written later.
  for (const load of opened.splice(0)) load.renew();
  rmSync(home, { recursive: true, force: true });
});

/** A script of a fixed length: V8 does not notice when only a number in it changes, so that one sees which code runs. */
function script(name: string, value: number): void {
  const text = `module.exports = (load) => { function value() { return ${value}; } value(); return { value }; };`;
  writeFileSync(path.join(home, "scripts", `${name}.cjs`), text);
}
function open(build = "build 1", setting: string | undefined = cache()): Load {
  opened.push(openScripts(pathToFileURL(`${path.join(home, "scripts")}/`), build, setting));
  return opened.at(-1) as Load;
}
const valueOf = (load: Load, name = "one"): number => (load(name).value as () => number)();

/** Leaves bytecode that says 1 beside a script that says 2. */
function left(): void {
  script("one", 1);
  const load = open();
  expect(valueOf(load)).toBe(1);
  load.renew();
  script("one", 2);
}

describe("bytecode that an earlier process left", () => {
  test("is what runs", () => {
    left();
    expect(kept()).toHaveLength(1);
    expect(kept()[0]).toMatch(/^[0-9a-f]{16}$/);
    expect(valueOf(open())).toBe(1);
  });

  test("is of one build and one place, and off is off", () => {
    left();
    expect(valueOf(open("build 2"))).toBe(2);
    expect(valueOf(open("build 1", "off"))).toBe(2);
    expect(valueOf(open("build 1", path.join(home, "other")))).toBe(2);
  });

  test("is not used when damaged or cut off", () => {
    left();
    const file = path.join(cache(), "compiled", kept()[0]);
    const good = readFileSync(file);
    for (let i = 0; i < good.length; i += 61) {
      const bad = Buffer.from(good);
      bad[i] ^= 1 << (i % 8);
      writeFileSync(file, bad);
      const load = open();
      expect(valueOf(load), `bit flipped in byte ${i}`).toBe(2);
      load.renew();
    }
    for (const bad of [good.subarray(0, 0), good.subarray(0, good.length / 2), Buffer.alloc(good.length)]) {
      writeFileSync(file, bad);
      expect(valueOf(open()), `${bad.length} bytes`).toBe(2);
    }
  });

  test.skipIf(process.platform === "win32")("is not used where others may write", () => {
    left();
    chmodSync(path.join(cache(), "compiled"), 0o777);
    expect(valueOf(open())).toBe(2);
  });

  test("grows by what a later process loads, and is not written again for nothing", () => {
    left();
    script("two", 3);
    const more = open();
    expect([valueOf(more), valueOf(more, "two")]).toEqual([1, 3]);
    more.renew();
    script("two", 4);
    const all = open();
    expect([valueOf(all), valueOf(all, "two")]).toEqual([1, 3]);
    const file = path.join(cache(), "compiled", kept()[0]);
    writeFileSync(file, "");
    all.renew();
    expect(readFileSync(file, "utf8")).toBe("");
  });

  test("of the build comes first, and then nothing is kept", () => {
    script("one", 1);
    const first = open("build 1", "off");
    expect(valueOf(first)).toBe(1);
    first.build();
    script("one", 2);
    script("two", 3);
    for (const setting of ["off", cache()]) {
      const load = open("build 1", setting);
      expect([valueOf(load), valueOf(load, "two")]).toEqual([1, 3]);
      load.renew();
    }
    expect(existsSync(cache())).toBe(false);
  });
});

describe("a script", () => {
  test("runs once, has others, modules of Node and a place", async () => {
    writeFileSync(path.join(home, "scripts/chunks/a.cjs"), "module.exports = () => ({ made: Math.random() });");
    writeFileSync(
      path.join(home, "scripts/b.cjs"),
      `module.exports = (load) => {
        const { made } = load("chunks/a");
        return { made, url: load.url, later: () => load.later("chunks/a"), path: () => load.import("node:path"), fail() { throw new Error("here"); } };
      };`,
    );
    const load = open("build 1", "off");
    const b = load("b") as Record<string, never> & {
      later(): Promise<unknown>;
      path(): Promise<unknown>;
      fail(): never;
    };
    expect(load("chunks/a").made).toBe(b.made);
    expect(await b.later()).toBe(load("chunks/a"));
    expect(await b.path()).toHaveProperty("join");
    expect(b.url).toBe(pathToFileURL(path.join(home, "scripts/x.cjs")).href);
    expect(() => b.fail()).toThrow("here");
    try {
      b.fail();
    } catch (error) {
      expect((error as Error).stack).toContain(`${path.join(home, "scripts/b.cjs")}:3:`);
    }
    expect(() => load("none")).toThrow("ENOENT");
  });
});

describe("dist/node", { timeout: 60_000 }, () => {
  const dist = path.join(import.meta.dirname, "../../dist/node");
  /** Which scripts a program loads, and whether V8 took the bytecode that was given for each (undefined: none was). */
  const program = `
    const vm = process.getBuiltinModule("node:vm");
    const taken = {};
    vm.Script = class extends vm.Script {
      constructor(text, options) {
        super(text, options);
        taken[options.filename.replace(/.*scripts./, "")] = this.cachedDataRejected === undefined ? "none" : !this.cachedDataRejected;
      }
    };
    const { tensor } = await import(${JSON.stringify(pathToFileURL(path.join(dist, "index.js")).href)});
    await import(${JSON.stringify(pathToFileURL(path.join(dist, "nn.js")).href)});
    console.log(JSON.stringify({ taken, sum: tensor([1, 2, 3]).sum().item() }));`;
  const run = (setting: string, ...flags: string[]): { taken: Record<string, unknown>; sum: number } => {
    const args = [...flags, "--input-type=module", "-e", program];
    const env = { ...process.env, NODE_OPTIONS: "", CHAINRULE_CACHE: setting };
    const { stdout, stderr } = spawnSync(process.execPath, args, { env, encoding: "utf8" });
    expect(stderr).toBe("");
    return JSON.parse(stdout) as { taken: Record<string, unknown>; sum: number };
  };

  test("starts with bytecode: of the build, else of an earlier process with the same flags", () => {
    const flags = ["--max-semi-space-size=32"];
    const first = run(cache(), ...flags);
    expect(new Set(Object.values(first.taken))).toEqual(new Set(["none"]));
    const second = run(cache(), ...flags);
    expect(second.taken).toEqual(Object.fromEntries(Object.keys(first.taken).map((name) => [name, true])));
    expect([first.sum, second.sum]).toEqual([6, 6]);
    const other = run(cache(), ...flags, "--enable-source-maps");
    expect(other).toEqual({ taken: {}, sum: 6 });
  });
});
