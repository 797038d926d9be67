import type { BatchEnd, EpochEnd, Logs, PassEvent, TrainEvent } from "./events.ts";

/** Where progress is written; default: this process's standard output, or `console.log` where there is none. */
export interface ProgressTarget {
  /** Writes text as it is. */
  write(text: string): void;
  /** A terminal: one line is redrawn. Otherwise whole lines are written, a few in an epoch. */
  readonly isTTY: boolean;
  readonly columns?: number;
}

/** Options of `progress` and `passProgress`. */
export interface ProgressOptions {
  readonly target?: ProgressTarget;
  /** What is counted: "images/s". Default "samples/s". */
  readonly unit?: string;
  /** 1: a bar, or a line every few seconds; 2: one line an epoch. Default 1. */
  readonly verbose?: 1 | 2;
  /** Milliseconds; injected by tests. */
  readonly now?: () => number;
}

interface NodeLike {
  readonly stdout?: { write(text: string): unknown; readonly isTTY?: boolean; readonly columns?: number };
}

function standardOutput(): ProgressTarget {
  const out = (globalThis as { process?: NodeLike }).process?.stdout;
  if (out === undefined) return { isTTY: false, write: (text) => console.log(text.trimEnd()) };
  return {
    isTTY: out.isTTY === true,
    get columns(): number {
      return out.columns ?? 80;
    },
    write: (text) => {
      out.write(text);
    },
  };
}

/** `0.0123`, `12.35`, `1.2e-7`: four figures. */
function figure(x: number): string {
  if (!Number.isFinite(x)) return String(x);
  const a = Math.abs(x);
  return a !== 0 && (a < 1e-3 || a >= 1e5) ? x.toExponential(2) : x.toFixed(a >= 10 ? 2 : 4);
}

const logsText = (logs: Logs): string =>
  Object.entries(logs)
    .map(([k, v]) => `${k} ${/acc/i.test(k) ? `${(100 * v).toFixed(2)}%` : figure(v)}`)
    .join("  ");

/**
 * `8s`, `2:05`, `1:02:03`.
 *
 * @example [8, 125, 3723].map(clock); // → ["8s", "2:05", "1:02:03"]
 */
export function clock(seconds: number): string {
  if (!Number.isFinite(seconds)) return "?";
  const s = Math.round(seconds);
  if (s < 60) return `${s}s`;
  const two = (n: number): string => String(n).padStart(2, "0");
  return s < 3600
    ? `${Math.floor(s / 60)}:${two(s % 60)}`
    : `${Math.floor(s / 3600)}:${two(Math.floor(s / 60) % 60)}:${two(s % 60)}`;
}

const rateText = (rate: number, unit: string): string =>
  `${rate >= 1000 ? Math.round(rate).toLocaleString("en-US") : rate.toFixed(rate < 10 ? 2 : 0)} ${unit}`;

/** A bar of `width` cells, to an eighth of a cell. */
function bar(share: number, width: number): string {
  const eighths = Math.round(Math.min(1, Math.max(0, share)) * width * 8);
  const part = eighths % 8;
  const text = "█".repeat(Math.floor(eighths / 8)) + (part > 0 ? " ▏▎▍▌▋▊▉"[part] : "");
  return text.padEnd(width, "·");
}

const epochText = (e: { epoch: number; epochs: number }): string => `epoch ${e.epoch + 1}/${e.epochs}`;

/**
 * Shows a training run: a consumer of its event stream. On a terminal a bar with rate, loss, metrics and time left;
 * elsewhere whole lines.
 *
 * @example
 * await model.fit(data, { verbose: 0, onEvent: progress({ unit: "images/s" }) });
 */
export function progress(options: ProgressOptions = {}): (event: TrainEvent) => void {
  const target = options.target ?? standardOutput();
  const { unit = "samples/s", verbose = 1, now = (): number => performance.now() } = options;
  let shown = Number.NEGATIVE_INFINITY;
  const onBatch = (e: BatchEnd): void => {
    const last = e.batch + 1 === e.batches;
    if (verbose === 2 || last || now() - shown < (target.isTTY ? 80 : 5000)) return;
    shown = now();
    const tail = `${rateText(e.samplesPerSecond, unit)}  ${logsText(e.metrics)}  ${clock(e.eta)} left`;
    if (!target.isTTY) {
      target.write(`${epochText(e)}  ${e.batch + 1}/${e.batches}  ${tail}\n`);
      return;
    }
    const head = `${epochText(e)} `;
    const room = (target.columns ?? 80) - head.length - tail.length - 10;
    const share = e.seen / e.samples;
    const percent = `${String(Math.floor(100 * share)).padStart(3)}%`;
    const text = `${head}${room >= 6 ? `▕${bar(share, Math.min(30, room))}▏` : ""}${percent}  ${tail}`;
    target.write(`\r${text.slice(0, (target.columns ?? 80) - 1)}\x1b[K`);
  };
  const onEpoch = (e: EpochEnd): void => {
    const text = `${epochText(e)}  ${clock(e.seconds)}  ${rateText(e.samplesPerSecond, unit)}  ${logsText(e.logs)}`;
    target.write(`${target.isTTY ? "\r\x1b[K" : ""}${text}\n`);
    shown = Number.NEGATIVE_INFINITY;
  };
  return (e) => {
    if (e.type === "epochBegin") shown = target.isTTY ? Number.NEGATIVE_INFINITY : now();
    else if (e.type === "batchEnd") onBatch(e);
    else if (e.type === "epochEnd") onEpoch(e);
    else if (e.type === "trainEnd" && e.reason !== "done" && target.isTTY) target.write("\n");
  };
}

/**
 * Shows how far `evaluate` or `predict` is, in the manner of `progress`.
 *
 * @example
 * await model.evaluate(test, { onEvent: passProgress({ unit: "images/s" }) });
 */
export function passProgress(options: Omit<ProgressOptions, "verbose"> = {}): (event: PassEvent) => void {
  const target = options.target ?? standardOutput();
  const { unit = "samples/s", now = (): number => performance.now() } = options;
  const begun = now();
  let shown = begun;
  return ({ seen, samples, metrics }) => {
    const last = seen === samples;
    if (!last && now() - shown < (target.isTTY ? 80 : 5000)) return;
    shown = now();
    const rate = (1000 * seen) / Math.max(shown - begun, 1e-6);
    const tail = `${rateText(rate, unit)}  ${logsText(metrics)}`.trimEnd();
    if (target.isTTY)
      target.write(`\r▕${bar(seen / samples, 20)}▏ ${seen}/${samples}  ${tail}\x1b[K${last ? "\n" : ""}`);
    else target.write(`${seen}/${samples}  ${tail}\n`);
  };
}
