/**
 * How Node loads the scripts of dist/node: with bytecode that is there already, because to parse and compile them takes longer
 * than all else that a start does before its first step. One file for all scripts and one Node: beside them, made with the
 * build (scripts/lib/bytecode.mjs), or, where that is missing or of another Node, in the folder of kept.ts, written a second
 * after the start or when the process ends, and again by a process that compiled something new and more of our functions in
 * doing so. V8 refuses what was made by another version of it or under other flags.
 *
 * scripts/lib/bundle.mjs makes dist/node/load.js of this file; nothing else reaches it.
 */
import type { Script } from "node:vm";
import { folderTrouble, keptFolder, keptName, readKept, writeKept } from "./kept.ts";

/** Milliseconds until bytecode is written. V8 drops that of functions which have not run for long. */
const PAUSE = 1000;
/** A renewal that brings less is not worth a file: the old one may hold what V8 has dropped here. */
const GAIN = 1.02;
/** Before and after the text of a script, which is on lines of its own. */
const [BEFORE, AFTER] = ["(function (module) {\n", "\n})"];
/** The file beside the scripts' folder. */
const BUILT = "bytecode";

type Exports = Readonly<Record<string, unknown>>;

export interface Load {
  /** What a script exports; it runs once. */
  (name: string): Exports;
  later(name: string): Promise<Exports>;
  /** What a script says for `import`: a package, or the URL of a module. */
  import(specifier: string): Promise<unknown>;
  /** Something was compiled and is kept: so may be the bytecode of what compiled it. */
  renew(): void;
  /** Writes the file of the build: of what was loaded and has run. */
  build(): void;
  /** Where the scripts are, as `import.meta.url` would say it. */
  readonly url: string;
}

/** Head of the file: the key, and where each script's bytecode is. */
interface Head {
  readonly key: string;
  readonly scripts: Readonly<Record<string, readonly [at: number, bytes: number]>>;
}

const eight = (n: number): number => Math.ceil(n / 8) * 8;
const total = (all: ReadonlyMap<string, Uint8Array>): number =>
  [...all.values()].reduce((sum, code) => sum + code.length, 0);

/** u32: bytes of the head; the head as JSON; each script's bytecode at a multiple of eight. */
function join(key: string, all: ReadonlyMap<string, Uint8Array>): Uint8Array {
  const headFrom = (from: number): string => {
    let at = from;
    const scripts: Record<string, [number, number]> = {};
    for (const [name, { length }] of all) {
      scripts[name] = [at, length];
      at = eight(at + length);
    }
    return JSON.stringify({ key, scripts } satisfies Head);
  };
  const { Buffer } = process.getBuiltinModule("node:buffer");
  // The places change the head's length: room for the longest.
  const from = eight(4 + Buffer.byteLength(headFrom(2 ** 30)));
  const text = Buffer.from(headFrom(from));
  const bytes = new Uint8Array(from + [...all.values()].reduce((at, { length }) => at + eight(length), 0));
  new DataView(bytes.buffer).setUint32(0, text.length, true);
  bytes.set(text, 4);
  let at = from;
  for (const code of all.values()) {
    bytes.set(code, at);
    at = eight(at + code.length);
  }
  return bytes;
}

/** The bytecode in a file of this key, by script; none where there is no such file, or it is damaged. */
function open(file: string, key: string): Map<string, Uint8Array> {
  const found = new Map<string, Uint8Array>();
  try {
    const data = readKept(file)?.data;
    if (data === undefined) return found;
    const { Buffer } = process.getBuiltinModule("node:buffer");
    const length = new DataView(data.buffer, data.byteOffset).getUint32(0, true);
    const head = JSON.parse(Buffer.from(data.buffer, data.byteOffset + 4, length).toString()) as Head;
    if (head.key !== key) return found;
    for (const [name, [at, bytes]] of Object.entries(head.scripts)) found.set(name, data.subarray(at, at + bytes));
  } catch {
    // Taken away meanwhile, or no file of ours.
  }
  return found;
}

/** Loads the scripts of a folder of this build; `setting`: where bytecode is kept, as CHAINRULE_CACHE says it. */
export function openScripts(
  folder: URL,
  build: string,
  setting: string | undefined = process.env.CHAINRULE_CACHE || undefined,
): Load {
  const { Script } = process.getBuiltinModule("node:vm");
  const path = process.getBuiltinModule("node:path");
  const root = process.getBuiltinModule("node:url").fileURLToPath(folder);
  const done = new Map<string, Exports>();
  const scripts = new Map<string, Script>();

  const key = ["bytecode", build, root, process.version, process.arch, process.versions.v8].join("\n");
  let found = open(path.join(root, "..", BUILT), key);
  /** Where the user's bytecode is kept, once that of the build will not do: for programs with the same flags. */
  let kept: string | undefined;
  const flags = [...process.execArgv.filter((flag) => flag.startsWith("--")), process.env.NODE_OPTIONS ?? ""];
  const flagged = [key, ...flags].join("\n");
  const name = keptName(flagged);
  const keep = (): void => {
    if (setting === "off") return;
    kept = keptFolder(setting);
    if (folderTrouble(kept) === "") found = open(path.join(kept, name), flagged);
  };
  if (found.size === 0) keep();
  let stale = false;

  /** The bytecode of all scripts that were loaded, with that of those which were not. */
  const all = (): Map<string, Uint8Array> => {
    const now = new Map(found);
    for (const [script, s] of scripts) now.set(script, s.createCachedData());
    return now;
  };
  const renew = (): void => {
    if (kept === undefined) return;
    const now = all();
    if (!stale && total(now) < total(found) * GAIN) return;
    stale = false;
    process.off("exit", ended);
    found = now;
    try {
      process.getBuiltinModule("node:fs").mkdirSync(kept, { recursive: true, mode: 0o700 });
      if (folderTrouble(kept) === "") writeKept(kept, name, join(flagged, now));
    } catch {
      // No room, no right: the next process starts as this one did.
    }
  };
  const ended = (): void => {
    if (stale) renew();
  };
  /** A script had no bytecode. */
  const lacking = (): void => {
    if (stale || kept === undefined) return;
    stale = true;
    process.getBuiltinModule("node:timers").setTimeout(ended, PAUSE).unref();
    process.once("exit", ended);
  };

  function scriptOf(script: string, filename: string): Script {
    const text = BEFORE + process.getBuiltinModule("node:fs").readFileSync(filename, "latin1") + AFTER;
    const make = (): Script => {
      const cachedData = found.get(script);
      return new Script(text, { filename, lineOffset: -1, ...(cachedData && { cachedData }) });
    };
    let made = make();
    if (made.cachedDataRejected && kept === undefined) {
      // The build's is for other flags.
      found = new Map();
      keep();
      made = make();
    }
    scripts.set(script, made);
    if (made.cachedDataRejected !== false) lacking();
    return made;
  }

  const load = (script: string): Exports => {
    const known = done.get(script);
    if (known !== undefined) return known;
    const filename = path.join(root, `${script}.cjs`);
    const module = {} as { exports: (load: Load) => Exports };
    // Lines of the sources are asked for: what loads the scripts must know of their maps.
    if (process.sourceMapsEnabled)
      module.exports = process.getBuiltinModule("node:module").createRequire(folder)(filename) as typeof module.exports;
    else (scriptOf(script, filename).runInThisContext() as (m: typeof module) => void)(module);
    const exports = module.exports(self);
    done.set(script, exports);
    return exports;
  };
  const self: Load = Object.assign(load, {
    later: async (script: string) => load(script),
    import: async (specifier: string) => import(specifier) as Promise<unknown>,
    renew,
    build: () => writeKept(path.join(root, ".."), BUILT, join(key, all()), 0o644),
    url: new URL("x.cjs", folder).href,
  });
  return self;
}
