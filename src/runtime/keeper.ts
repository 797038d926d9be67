/**
 * What one process has compiled, kept for the next: plain data under a text that says all it depends on. A file each, in one
 * folder of the user's cache, written when the process pauses or ends; the folder is held below a size.
 *
 * Reached from engine.node.ts only; asks for Node's modules when it is used.
 */
import { folderTrouble, keptFolder, keptName, readKept, writeKept } from "./kept.ts";

/** What takes less time to make is not kept, in milliseconds. */
const WORTH = 2;
/** Milliseconds from the first thing to keep until it is written, should the process pause. */
const PAUSE = 1000;
/** What waits to be written, and the folder, in bytes; files of the folder. */
const MOST_WAITING = 64 << 20;
const MOST_BYTES = 128 << 20;
const MOST_FILES = 512;
/** A file that is read counts as new again after so many milliseconds. */
const DAY = 86_400_000;

export class Keeper {
  /** Where the files are. */
  readonly folder: string;
  /** Why nothing is kept; empty when things are. */
  trouble = "";
  /** What was found so far. */
  private used = 0;
  /** What all keys have in common: the version of the code and the machine. */
  private readonly scope: string;
  /** Files to be written. */
  private readonly waiting: Map<string, Uint8Array> = new Map();
  private waitingBytes = 0;
  /** Called when files were written. */
  private readonly written: () => void;

  /** `setting`: the folder to use, "off" for none, undefined for the user's cache. */
  constructor(scope: string, setting: string | undefined, written: () => void = () => undefined) {
    this.written = written;
    this.scope = scope;
    this.folder = keptFolder(setting);
    if (setting === "off") this.trouble = "CHAINRULE_CACHE=off";
    else this.trouble = scope === "" ? "this is no build for Node" : folderTrouble(this.folder);
  }

  /** What was kept under a text, else what `make` gives, which is kept if that took long and `keeps` says so. */
  get<T>(text: string, make: () => T, keeps: (made: T) => boolean = () => true): T {
    if (this.trouble !== "") return make();
    const key = `${this.scope}\n${text}`;
    const name = keptName(key);
    const known = this.read(name, key);
    if (known !== undefined) return known as T;
    const start = performance.now();
    const made = make();
    if (performance.now() - start >= WORTH && keeps(made)) this.keep(name, key, made);
    return made;
  }

  /** What the folder holds, or why nothing is kept. */
  describe(): string {
    if (this.trouble !== "") return `nothing is kept: ${this.trouble}`;
    const sizes = this.list().map((f) => f.size);
    const mb = sizes.reduce((a, b) => a + b, 0) / 1e6;
    return `${this.folder}: ${sizes.length} files, ${mb.toFixed(1)} MB; ${this.used} of them used by this process`;
  }

  /** Writes what waits. */
  flush(): void {
    const all = [...this.waiting];
    this.waiting.clear();
    this.waitingBytes = 0;
    if (all.length === 0) return;
    try {
      process.getBuiltinModule("node:fs").mkdirSync(this.folder, { recursive: true, mode: 0o700 });
      this.trouble = folderTrouble(this.folder);
      if (this.trouble !== "") return;
      for (const [name, bytes] of all) writeKept(this.folder, name, bytes);
      this.prune();
      this.written();
    } catch (error) {
      this.trouble = `${this.folder} cannot be written: ${(error as Error).message}`;
    }
  }

  private read(name: string, key: string): unknown {
    const file = process.getBuiltinModule("node:path").join(this.folder, name);
    try {
      const kept = readKept(file);
      if (kept === undefined) return undefined;
      const found = process.getBuiltinModule("node:v8").deserialize(kept.data) as { key: string; value: unknown };
      if (found.key !== key) return undefined;
      const now = Date.now() / 1e3;
      if (kept.since > DAY) process.getBuiltinModule("node:fs").utimesSync(file, now, now);
      this.used++;
      return found.value;
    } catch {
      return undefined; // Taken away meanwhile, or written by another version of V8.
    }
  }

  private keep(name: string, key: string, value: unknown): void {
    let data: Uint8Array;
    try {
      data = process.getBuiltinModule("node:v8").serialize({ key, value });
    } catch {
      return; // It holds a function: not plain data.
    }
    this.waitingBytes += data.length;
    if (this.waitingBytes > MOST_WAITING) return;
    // Node's own: page-like hosts of tests have a setTimeout that gives a number.
    const timers = process.getBuiltinModule("node:timers");
    if (this.waiting.size === 0) timers.setTimeout(() => this.flush(), PAUSE).unref();
    this.waiting.set(name, data);
  }

  private list(): { file: string; size: number; age: number }[] {
    const fs = process.getBuiltinModule("node:fs");
    const path = process.getBuiltinModule("node:path");
    if (!fs.existsSync(this.folder)) return [];
    return fs.readdirSync(this.folder).flatMap((name) => {
      const file = path.join(this.folder, name);
      const stat = fs.statSync(file, { throwIfNoEntry: false });
      return stat === undefined ? [] : [{ file, size: stat.size, age: Date.now() - stat.mtimeMs }];
    });
  }

  /** Takes the oldest away when there are too many. */
  private prune(): void {
    const all = this.list().sort((a, b) => b.age - a.age);
    let files = all.length;
    let bytes = all.reduce((sum, f) => sum + f.size, 0);
    if (files <= MOST_FILES && bytes <= MOST_BYTES) return;
    for (const { file, size } of all) {
      if (files <= MOST_FILES / 2 && bytes <= MOST_BYTES / 2) return;
      process.getBuiltinModule("node:fs").rmSync(file, { force: true });
      files--;
      bytes -= size;
    }
  }
}
