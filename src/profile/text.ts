// A report as text: where a step's time goes, the hottest kernels, the programs, the ceilings, and what to do next.
import { formatTable } from "../viz/index.ts";
import type { Ceilings } from "./ceilings.ts";
import { type KernelProfile, memoryCeiling, type ProfileReport } from "./report.ts";

/** Size of a profile's table. */
export interface ReportOptions {
  /** Rows of the table of kernels; default 20. */
  readonly top?: number;
  /** Columns that a line may take; default 120. */
  readonly columns?: number;
}

const LONGEST_NAME = 28;
const MOST_PROGRAMS = 5;
/** Below this part of what all threads should compute together, somebody else computes, too. */
const CROWDED = 0.75;

export function formatReport(r: ProfileReport, { top = 20, columns = 120 }: ReportOptions = {}): string {
  const parts = [headline(r), whereTable(r), kernelTable(r, top, columns), programTable(r), ...closing(r)];
  return parts.filter((p) => p !== "").join("\n\n");
}

// ---- figures ----

/** 1234567 → "1.23 M". */
function scaled(x: number, unit: string): string {
  const step = [..."kMGT"].findLastIndex((_, i) => x >= 1000 ** (i + 1));
  const value = x / 1000 ** (step + 1);
  return `${step < 0 ? String(Math.round(x)) : value.toPrecision(3)} ${"kMGT"[step] ?? ""}${unit}`;
}

/** Milliseconds, with as many decimals as figures up to `most` have use for. */
const milliseconds = (ms: number, most = ms): string => ms.toFixed(most >= 1000 ? 0 : most >= 100 ? 1 : 3);
const percent = (x: number): string => `${(100 * x).toFixed(1)}%`;
/** Of a ceiling; nothing for work of that kind that there is not. */
const part = (x: number | null): string => (x === null || x === 0 ? "" : percent(x));
const rate = (x: number): string => (x === 0 ? "" : x >= 99.95 ? x.toFixed(0) : x >= 0.05 ? x.toFixed(1) : "0.0");
const least = (list: readonly number[]): number => list.reduce((a, b) => Math.min(a, b), Infinity);
/** Calls a step; not always whole, since steps may differ. */
const count = (x: number): string => (Number.isInteger(x) ? String(x) : x.toFixed(1));
const plural = (n: number, what: string): string => `${count(n)} ${what}${n === 1 ? "" : "s"}`;

const short = (text: string, width: number): string =>
  text.length <= width ? text : `${text.slice(0, Math.max(1, width - 1))}…`;

// ---- parts ----

function headline(r: ProfileReport): string {
  const { ms, all } = r.step;
  const what = r.stepwise
    ? `${milliseconds(ms)} ms a step (mean of the faster half of ${all.length}; ${milliseconds(least(all))} to ${milliseconds(-least(all.map((x) => -x)))})`
    : `${milliseconds(ms)} ms in all`;
  return `${what} · ${r.device}, ${plural(r.threads, "thread")}`;
}

function whereTable(r: ProfileReport): string {
  const { step } = r;
  const runs = r.programs.reduce((n, p) => n + p.runs, 0);
  const calls = r.kernels.reduce((n, k) => n + k.calls, 0);
  const busy = r.kernels.reduce((n, k) => n + k.threads * k.ms, 0) / (r.threads * step.kernels);
  const work = `${plural(calls, "call")}; ${scaled(step.flops, "flop")}, ${scaled(step.bytes, "B")}`;
  const rows: [string, number, string][] = [
    ["kernels", step.kernels, r.threads === 1 ? work : `${work}; threads are busy for ${percent(busy)} of it`],
    ["between kernels", step.between, `${plural(runs, "run")} of programs: handing over, waiting at barriers`],
    ["compiling", step.compiling, "programs that were new"],
    ["outside", step.outside, "JavaScript, and what it waits for"],
  ];
  const shown = rows.filter(([, ms]) => ms > 0);
  const cells = shown.map(([name, ms, text]) => [name, milliseconds(ms, step.ms), percent(ms / step.ms), text]);
  return formatTable([["time", "ms", "share", "consists of"], ...cells], {
    header: true,
    align: ["left", "right", "right", "left"],
  });
}

interface Column {
  readonly title: string;
  readonly cell: (k: KernelProfile) => string;
}

function kernelTable(r: ProfileReport, top: number, columns: number): string {
  if (r.kernels.length === 0) return "No kernel ran.";
  const measured: Column[] = [
    { title: "GFLOP/s", cell: (k) => rate(k.gflops) },
    { title: "% peak", cell: (k) => part(k.ofPeak) },
    { title: "GB/s", cell: (k) => rate(k.gbps) },
    { title: "% mem", cell: (k) => part(k.ofMemory) },
    { title: "bound", cell: (k) => k.bound ?? "" },
  ];
  const hottest = r.kernels[0].ms;
  const list: Column[] = [
    { title: "ms", cell: (k) => milliseconds(k.ms, hottest) },
    { title: "share", cell: (k) => percent(k.share) },
    { title: "calls", cell: (k) => count(k.calls) },
    ...(r.threads > 1 ? [{ title: "threads", cell: (k: KernelProfile) => k.threads.toFixed(1) }] : []),
    ...measured.filter(({ title }) => r.ceilings !== null || !/%|bound/.test(title)),
  ];
  const named = (k: KernelProfile): string => `${short(k.name, LONGEST_NAME)}  ${k.loops}`;
  const shown = r.kernels.slice(0, top);
  const rest = r.kernels.slice(top);
  const cells = shown.map((k) => list.map((c) => c.cell(k)));
  if (rest.length > 0) {
    const sum = (f: (k: KernelProfile) => number): number => rest.reduce((n, k) => n + f(k), 0);
    const last = [
      milliseconds(
        sum((k) => k.ms),
        hottest,
      ),
      percent(sum((k) => k.share)),
      count(sum((k) => k.calls)),
    ];
    cells.push([...last, ...Array<string>(list.length - last.length).fill("")]);
  }
  const align = list.map(({ title }) => (title === "bound" ? "left" : "right"));
  const heads = list.map((c) => c.title);
  const figures = heads.reduce((n, head, c) => n + 2 + Math.max(head.length, ...cells.map((row) => row[c].length)), 0);
  const names = [...shown.map(named), ...(rest.length > 0 ? [plural(rest.length, "more kernel")] : [])];
  const rows = cells.map((row, i) => [...row, short(names[i], Math.max(LONGEST_NAME, columns - figures))]);
  return formatTable([[...heads, "kernel"], ...rows], { header: true, align: [...align, "left"] });
}

function programTable(r: ProfileReport): string {
  const used = r.programs.filter((p) => p.runs > 0).toSorted((a, b) => b.ms - a.ms);
  const cells = used
    .slice(0, MOST_PROGRAMS)
    .map((p) => [
      p.number,
      milliseconds(p.ms, used[0].ms),
      count(p.runs),
      p.kernels,
      p.compileMs === null ? "before" : `${milliseconds(p.compileMs)} ms`,
      p.arenaBytes === 0 ? "–" : `${scaled(p.arenaBytes, "B")} (${scaled(p.totalBytes, "B")} without reuse)`,
    ]);
  if (cells.length === 0) return "";
  if (used.length > cells.length) cells.push([`${used.length - cells.length} more`]);
  const head = ["program", "ms", "runs", "kernels", "compiled in", "arena"];
  return formatTable([head, ...cells], { header: true, align: ["right", "right", "right", "right", "right", "left"] });
}

function closing(r: ProfileReport): string[] {
  const { ceilings, step, kernels } = r;
  const lines: string[] = [];
  if (ceilings !== null) {
    const { one, all } = ceilings;
    lines.push(`Ceilings measured here: ${[...new Set([one, all])].map(ceilingText).join("; ")}.`);
    if (all.gflops < CROWDED * all.threads * one.gflops)
      lines.push(
        `${all.threads} threads compute only ${(all.gflops / one.gflops).toFixed(1)} times as much as one: others use these cores.`,
      );
    const floor = kernels.reduce((sum, k) => sum + (k.floorMs ?? 0), 0);
    if (step.kernels > 0)
      lines.push(
        `At their ceilings the kernels would take ${milliseconds(floor)} ms, ${percent(floor / step.kernels)} of what they take.`,
      );
  }
  return [[...lines, advice(r)].join("\n")];
}

const ceilingText = (c: Ceilings): string =>
  `${rate(c.gflops)} GFLOP/s, ${rate(memoryCeiling(c))} GB/s on ${plural(c.threads, "thread")} ` +
  `(read ${rate(c.read)}, copy ${rate(c.copy)}, add ${rate(c.add)})`;

/** One line that says what to do with it. */
function advice(r: ProfileReport): string {
  const { step, kernels } = r;
  const runs = r.programs.reduce((n, p) => n + p.runs, 0);
  const away = (step.outside + step.between) / step.ms;
  if (r.stepwise && runs > 3 && away > 0.3)
    return `Next: a step runs ${count(runs)} programs one after the other; as one program, inside compiled(), most of the ${percent(away)} outside of kernels goes.`;
  if (step.outside > 0.5 * step.ms)
    return "Next: most of the time is outside of programs. node --cpu-prof shows JavaScript by function.";
  const gain = (k: KernelProfile): number => k.ms - (k.floorMs ?? 0);
  const [most] = kernels.toSorted((a, b) => gain(b) - gain(a));
  if (most === undefined) return "";
  const where =
    "Every call on a time line: writeTrace(file) or --trace file, for chrome://tracing and Perfetto. Plans: explain().";
  return r.ceilings === null
    ? where
    : `Next: ${most.name} ${most.loops} has most to gain, ${milliseconds(gain(most))} ms.\n${where}`;
}
