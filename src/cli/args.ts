import { parseArgs } from "node:util";
import { ValueError } from "../base/index.ts";

/** One option of a command. Its default also says its kind. */
export interface Option {
  readonly default: number | string | boolean | null;
  /** Shown in the help for the value: `n`, `folder`. */
  readonly value?: string;
  readonly help: string;
  /** For numbers: the least allowed value. */
  readonly min?: number;
  /** For numbers: the value must be whole. */
  readonly whole?: boolean;
}

export type Options = Readonly<Record<string, Option>>;

/** The values of options as their defaults type them; null stands for "not given", then a number. */
export type Values<O extends Options> = {
  readonly [K in keyof O]: O[K]["default"] extends boolean
    ? boolean
    : O[K]["default"] extends string
      ? string
      : O[K]["default"] extends null
        ? number | null
        : number;
};

/** A wrong command line: shown with a hint at the help, exit code 2. */
export class UsageError extends ValueError {
  override name = "UsageError";
}

/** Options and the remaining words of a command line. */
export function readArgs<O extends Options>(
  command: string,
  argv: readonly string[],
  options: O,
): { values: Values<O>; words: string[] } {
  const known: Record<string, { type: "string" | "boolean"; short?: string }> = {
    help: { type: "boolean", short: "h" },
  };
  for (const [name, o] of Object.entries(options))
    known[name] = { type: typeof o.default === "boolean" ? "boolean" : "string" };
  for (const arg of argv) {
    if (arg === "--") break;
    const name = /^--([^=]+)/.exec(arg)?.[1];
    if (name !== undefined && !(name in known)) {
      const near = closest(name, Object.keys(known));
      throw new UsageError(
        `${command}: there is no option --${name}${near === null ? "" : `; did you mean --${near}?`}`,
      );
    }
  }
  const { values: given, positionals } = parse(command, argv, known);
  const values: Record<string, unknown> = {};
  for (const [name, o] of Object.entries(options)) {
    const text = given[name];
    if (text === undefined) values[name] = o.default;
    else if (typeof o.default === "boolean" || typeof o.default === "string") values[name] = text;
    else values[name] = number(command, name, String(text), o);
  }
  return { values: values as Values<O>, words: positionals };
}

function parse(
  command: string,
  argv: readonly string[],
  options: Record<string, { type: "string" | "boolean"; short?: string }>,
): { values: Record<string, string | boolean | undefined>; positionals: string[] } {
  try {
    return parseArgs({ args: [...argv], options, allowPositionals: true, strict: true });
  } catch (error) {
    const message = error instanceof Error ? error.message.split(". ")[0] : String(error);
    throw new UsageError(`${command}: ${message}`);
  }
}

function number(command: string, name: string, text: string, o: Option): number {
  const value = Number(text);
  const { min = -Infinity, whole = false } = o;
  if (text.trim() === "" || !Number.isFinite(value) || value < min || (whole && !Number.isInteger(value))) {
    const kind = whole ? "a whole number" : "a number";
    throw new UsageError(`${command}: --${name} needs ${kind}${min > -Infinity ? ` ≥ ${min}` : ""}, got "${text}"`);
  }
  return value;
}

/** The known name nearest to a mistyped one, or null when none is near. */
export function closest(name: string, known: readonly string[]): string | null {
  let best: string | null = null;
  let least = Math.max(2, Math.floor(name.length / 3)) + 1;
  for (const k of known) {
    const d = distance(name.toLowerCase(), k.toLowerCase());
    if (d < least) [best, least] = [k, d];
  }
  return best;
}

/** Edit distance: insertions, deletions, replacements. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      next[j] = Math.min(row[j] + 1, next[j - 1] + 1, row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1));
    }
    row = next;
  }
  return row[b.length];
}

/** The lines of a help text that list options with their defaults. */
export function describeOptions(options: Options): string {
  const rows = Object.entries(options).map(([name, o]) => {
    const left = o.value === undefined ? `--${name}` : `--${name} <${o.value}>`;
    const shown = o.default === false || o.default === null ? "" : ` (default ${String(o.default)})`;
    return [left, `${o.help}${shown}`] as const;
  });
  const width = Math.max(...rows.map(([left]) => left.length));
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`).join("\n");
}
