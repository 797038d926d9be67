/**
 * What one process has compiled, kept for the next: plain data under a text that says all it depends on. A file each, in one
 * folder of the user's cache, written when the process pauses or ends; the folder is held below a size.
 *
 * Reached from engine.node.ts only; asks for Node's modules when it is used.
 */
import { cacheHome } from "../base/folders.ts";

/** What takes less time to make is not kept, in milliseconds. */
const WORTH = 4;
/** Milliseconds from the first thing to keep until it is written, should the process pause. */
const PAUSE = 1000;
/** What waits to be written, and the folder, in bytes; files of the folder. */
const MOST_WAITING = 64 << 20;
const MOST_BYTES = 128 << 20;
const MOST_FILES = 512;
/** A file that is read counts as new again after so many milliseconds. */
const DAY = 86_400_000;
/** Bytes of the check before the data. */
const HEAD = 8;

/** 64 bits of bytes: finds files and damage, and is no defence against malice. */
function digest(bytes: Uint8Array): Uint32Array {
  const { buffer, byteOffset, byteLength } = aligned(bytes);
  const words = new Int32Array(buffer, byteOffset, byteLength >> 2);
  let a = 0x811c9dc5 ^ byteLength;
  let b = 0x9e3779b9;
  for (let i = 0; i < words.length; i++) {
    a = Math.imul(a ^ words[i], 0x01000193);
    a ^= a >>> 15;
    b = Math.imul(b + words[i], 0x85ebca6b);
    b = (b << 13) | (b >>> 19);
  }
  for (let i = words.length << 2; i < byteLength; i++) a = Math.imul(a ^ bytes[i], 0x01000193);
  return Uint32Array.of(a ^ (b >>> 16), b ^ a);
}

/** The bytes at a multiple of four. */
const aligned = (bytes: Uint8Array): Uint8Array => (bytes.byteOffset % 4 === 0 ? bytes : Uint8Array.from(bytes));

const sameBytes = (a: Uint8Array, b: Uint8Array): boolean => a.every((x, i) => x === b[i]);

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

  /** `setting`: the folder to use, "off" for none, undefined for the user's cache. */
  constructor(scope: string, setting: string | undefined) {
    const path = process.getBuiltinModule("node:path");
    this.scope = scope;
    this.folder = path.join(setting ?? path.join(cacheHome(), "chainrule"), "compiled");
    if (setting === "off") this.trouble = "CHAINRULE_CACHE=off";
    else if (scope === "") this.trouble = "this is no build for Node";
    else this.check();
  }

  /** What was kept under a text, else what `make` gives, which is kept if that took long and `keeps` says so. */
  get<T>(text: string, make: () => T, keeps: (made: T) => boolean = () => true): T {
    if (this.trouble !== "") return make();
    const key = `${this.scope}\n${text}`;
    const name = nameOf(key);
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
    const fs = process.getBuiltinModule("node:fs");
    const path = process.getBuiltinModule("node:path");
    const all = [...this.waiting];
    this.waiting.clear();
    this.waitingBytes = 0;
    if (all.length === 0) return;
    try {
      fs.mkdirSync(this.folder, { recursive: true, mode: 0o700 });
      this.check();
      if (this.trouble !== "") return;
      for (const [name, bytes] of all) {
        const part = path.join(this.folder, `${name}.${process.pid}-${Math.random().toString(36).slice(2)}.part`);
        fs.writeFileSync(part, bytes, { mode: 0o600 });
        fs.renameSync(part, path.join(this.folder, name));
      }
      this.prune();
    } catch (error) {
      this.trouble = `${this.folder} cannot be written: ${(error as Error).message}`;
    }
  }

  /** Machine code is run as it is: the folder must be ours alone to write. */
  private check(): void {
    try {
      const stat = process.getBuiltinModule("node:fs").statSync(this.folder, { throwIfNoEntry: false });
      const user = process.getuid?.();
      if (stat === undefined || user === undefined) return;
      if (stat.uid !== user || (stat.mode & 0o022) !== 0) this.trouble = `others may write to ${this.folder}`;
    } catch (error) {
      this.trouble = `${this.folder} cannot be read: ${(error as Error).message}`;
    }
  }

  private read(name: string, key: string): unknown {
    const fs = process.getBuiltinModule("node:fs");
    const file = process.getBuiltinModule("node:path").join(this.folder, name);
    try {
      const stat = fs.statSync(file, { throwIfNoEntry: false });
      if (stat === undefined) return undefined;
      const bytes = fs.readFileSync(file);
      const data = bytes.subarray(HEAD);
      const check = new Uint8Array(digest(data).buffer);
      if (!sameBytes(check, bytes.subarray(0, HEAD))) return undefined;
      const found = process.getBuiltinModule("node:v8").deserialize(data) as { key: string; value: unknown };
      if (found.key !== key) return undefined;
      const now = Date.now();
      if (now - stat.mtimeMs > DAY) fs.utimesSync(file, now / 1e3, now / 1e3);
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
    const bytes = new Uint8Array(HEAD + data.length);
    bytes.set(new Uint8Array(digest(data).buffer));
    bytes.set(data, HEAD);
    this.waiting.set(name, bytes);
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

const nameOf = (key: string): string =>
  [...digest(new TextEncoder().encode(key))].map((word) => word.toString(16).padStart(8, "0")).join("");
