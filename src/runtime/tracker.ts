import { callerLine, showShape } from "../base/index.ts";

/** What the report shows of a value. */
interface Tracked {
  readonly shape: readonly number[];
  readonly dtype: string;
  readonly bytes: number;
}

interface Made {
  readonly value: WeakRef<Tracked>;
  readonly line: string;
}

/** Records which line made each value: what the leak report is written from. */
export class Tracker {
  private readonly made: WeakMap<Tracked, Made> = new WeakMap();
  private readonly list: Set<Made> = new Set();

  note(value: Tracked): void {
    const made = { value: new WeakRef(value), line: callerLine() };
    this.made.set(value, made);
    this.list.add(made);
  }

  forget(value: Tracked): void {
    const made = this.made.get(value);
    if (made !== undefined) this.list.delete(made);
  }

  /** Values that are still alive, by the line that made them, most bytes first. */
  report(): string {
    const lines = new Map<string, { count: number; bytes: number; types: Set<string> }>();
    for (const made of this.list) {
      const value = made.value.deref();
      if (value === undefined) {
        this.list.delete(made);
        continue;
      }
      const entry = lines.get(made.line) ?? { count: 0, bytes: 0, types: new Set() };
      entry.count++;
      entry.bytes += value.bytes;
      entry.types.add(`${value.dtype} ${showShape(value.shape)}`);
      lines.set(made.line, entry);
    }
    const sorted = [...lines].sort((a, b) => b[1].bytes - a[1].bytes);
    if (sorted.length === 0) return "No tensor made since trackMemory() is alive.";
    const total = sorted.reduce((n, [, e]) => n + e.bytes, 0);
    const rows = sorted.map(
      ([line, e]) =>
        `${show(e.bytes).padStart(10)}  ${String(e.count).padStart(6)}×  ${[...e.types].slice(0, 3).join(", ")}  ${line}`,
    );
    return [`${show(total)} in tensors made since trackMemory() and not collected yet:`, ...rows].join("\n");
  }
}

const show = (bytes: number): string =>
  bytes >= 2 ** 20
    ? `${(bytes / 2 ** 20).toFixed(1)} MiB`
    : bytes >= 1024
      ? `${(bytes / 1024).toFixed(1)} KiB`
      : `${bytes} B`;
