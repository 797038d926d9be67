// Summaries as tables: aligned text for the terminal, Markdown for the documentation.
import { titleOf } from "./peers.mjs";
import { rivalries } from "./summary.mjs";
import { compileTitle, workloads } from "./workloads.mjs";

/** Three significant digits without an exponent. */
export const short = (x) =>
  x >= 100 ? x.toFixed(0) : x >= 10 ? x.toFixed(1) : x >= 1 ? x.toFixed(2) : String(Number(x.toPrecision(2)));
const times = (x) => (x === undefined ? "" : `${short(x)}×`);
const percent = (x) => (x === undefined ? "" : `${Math.round(100 * x)} %`);
const marks = (cell) => `${cell.noisy ? "~" : ""}${cell.rounds === 1 ? "¹" : ""}`;

/** Time, and rate where the figure is one of throughput. */
function cellText(cell, withRate) {
  if (cell === undefined) return "–";
  if (cell.error !== undefined) return "fails";
  const rate = withRate && cell.rate !== undefined ? ` (${short(cell.rate)})` : "";
  return `${short(cell.ms)}${rate}${marks(cell)}`;
}

const isRate = (unit) => unit === "GFLOP/s" || unit === "GB/s";
const unitOf = (figure) => Object.values(figure.cells).find((cell) => isRate(cell.unit))?.unit;
const nameOf = ({ workload, metric }) => `${workload} ${metric}`;

/** Only the columns that say something. */
function useful([head, ...rows]) {
  const kept = head.map((_, i) => i === 0 || rows.some((row) => row[i] !== "" && row[i] !== "–"));
  return [head, ...rows].map((row) => row.filter((_, i) => kept[i]));
}

/** Ours as a user gets it, beside the fastest of each group of peers. */
export function mainTable({ figures, standard }) {
  const groups = Object.entries(rivalries);
  const head = ["", "unit", standard === undefined ? "chainrule" : titleOf(standard), "of ceiling"];
  head.push(...groups.flatMap(([, { title }]) => [title, "its time / ours"]), "");
  const rows = figures.map((figure) => {
    const unit = unitOf(figure);
    const against = groups.flatMap(([group]) => {
      const rival = figure.rivals[group];
      if (rival === undefined) return ["–", ""];
      const text = `${cellText(figure.cells[rival.id], false)} ${titleOf(rival)}`;
      return [text, times(rival.ratio)];
    });
    return [
      nameOf(figure),
      unit === undefined ? "ms" : `ms (${unit})`,
      ...[cellText(figure.ours, unit !== undefined), percent(figure.share), ...against],
      figure.flags.length > 0 ? "DIFFERS" : "",
    ];
  });
  return useful([head, ...rows]);
}

/** All variants of a kind; for ours with what two threads and machine code gain. */
export function kindTable({ figures, variants }, kind) {
  const chosen = variants.filter((v) => v.kind === kind);
  const gains = kind === "ours" ? gainsOf(chosen) : [];
  const rows = figures
    .filter((figure) => chosen.some(({ id }) => figure.cells[id] !== undefined))
    .map((figure) => {
      const unit = unitOf(figure);
      const quotient = ([over, under]) => figure.cells[over]?.ms / figure.cells[under]?.ms;
      return [
        nameOf(figure),
        unit === undefined ? "ms" : `ms (${unit})`,
        ...chosen.map(({ id }) => cellText(figure.cells[id], unit !== undefined)),
        ...gains.map(({ pair }) => (quotient(pair) > 0 ? times(quotient(pair)) : "")),
      ];
    });
  if (rows.length === 0) return [];
  return useful([["", "unit", ...chosen.map(titleOf), ...gains.map(({ title }) => title)], ...rows]);
}

/** Pairs of our variants whose quotient tells something. */
function gainsOf(variants) {
  const most = Math.max(...variants.map(({ threads }) => threads));
  const find = (device, threads) => variants.find((v) => v.device === device && v.threads === threads)?.id;
  const gains = ["wasm", "x64"].map((device) => ({
    title: `${device}: gain of ${most} threads`,
    pair: [find(device, 1), find(device, most)],
  }));
  gains.push({ title: "gain of x64", pair: [find("wasm", most), find("x64", most)] });
  return gains.filter(({ pair: [a, b] }) => a !== undefined && b !== undefined && a !== b);
}

/** W11: first call minus median. */
export function compileTable({ models, variants }) {
  if (models.length === 0) return [];
  const text = (cell) => (cell?.compile === undefined ? "–" : short(cell.compile));
  const head = ["W11 compile", "unit", ...variants.map(titleOf)];
  return useful([head, ...models.map((f) => [nameOf(f), "ms", ...variants.map(({ id }) => text(f.cells[id]))])]);
}

/** Losses at step 1 and 4, by variant: one row a workload would be too wide. */
export function lossTable({ models, variants }) {
  const trained = models.filter((f) => f.metric === "step");
  if (trained.length === 0) return [];
  const one = (x) => (x == null ? "–" : String(Number(x.toPrecision(6))));
  const text = (losses) => (losses === undefined ? "–" : losses.map(one).join(" / "));
  const head = ["loss at step 1 / 4", ...trained.map((f) => f.workload)];
  return [
    head,
    ["reference", ...trained.map((f) => text(workloads[f.workload].losses))],
    ...variants
      .map((v) => [titleOf(v), ...trained.map((f) => text(f.cells[v.id]?.losses))])
      .filter((row) => row.slice(1).some((cell) => cell !== "–")),
  ];
}

/** What the machine can do, by device and threads. */
export function ceilingTable({ ceilings }) {
  const rows = Object.entries(ceilings);
  if (rows.length === 0) return [];
  const head = ["device, threads", "multiply-adds, GFLOP/s", "read, GB/s", "copy, GB/s", "add, GB/s"];
  return [head, ...rows.map(([name, c]) => [name, ...[c.gflops, c.read, c.copy, c.add].map(short)])];
}

/** Installed packages and browser bundles. */
export function sizeTables({ run }) {
  const megabytes = (bytes) => short(bytes / 1e6);
  const kilobytes = (bytes) => short(bytes / 1e3);
  const { install = [], bundle = [] } = run.sizes ?? {};
  const tables = [];
  if (install.length > 0) {
    const head = ["W10 installed", "MB", "packages"];
    tables.push([head, ...install.map((x) => [x.name, megabytes(x.bytes), String(x.packages)])]);
  }
  if (bundle.length > 0) {
    const head = ["W10 bundle of an MLP's training", "kB", "kB gzip"];
    tables.push([head, ...bundle.map((x) => [x.name, kilobytes(x.bytes), kilobytes(x.gzip)])]);
  }
  return tables;
}

/** Why a cell says "fails": one line a workload and peer, or a figure of it. */
export function failures({ run }) {
  const line = ({ workload, metric, peer, error }) =>
    `${workload}${metric === "" ? "" : ` ${metric}`}, ${peer}: ${error.split("\n", 1)[0]}`;
  return [...new Set(run.rows.filter((row) => row.error !== undefined).map(line))];
}

export const legend =
  "Median of the rounds' medians; rates in parentheses. ¹ one round only (too slow to repeat, or one asked for); " +
  "~ other processes were busy; “its time / ours”: below 1 we are slower; “of ceiling”: our fastest " +
  "call, of what this machine was measured to do at most on the same device and threads in the same run (the fastest runs, in the " +
  "table further down).";

function align(rows) {
  const widths = rows[0].map((_, i) => Math.max(...rows.map((row) => row[i].length)));
  return rows
    .map((row) =>
      row
        .map((cell, i) => (i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i])))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

export const markdown = (rows) =>
  [rows[0], rows[0].map((_, i) => (i === 0 ? "---" : "---:")), ...rows.slice(1)]
    .map((row) => `| ${row.join(" | ")} |`)
    .join("\n");

/** The terminal's report. */
export function renderText(summary) {
  const { run, figures } = summary;
  const kinds = ["ours", "js", "native"].map((kind) => kindTable(summary, kind));
  const extra = [ceilingTable(summary), ...sizeTables(summary), compileTable(summary), lossTable(summary)];
  const parts = [
    `${run.machine.processor}, Node ${run.node}, ${run.options.rounds} round(s)` +
      (run.options.clock === "processor" ? ", processor time" : ""),
    align(mainTable(summary)),
    legend,
    ...[...kinds, ...extra].filter((rows) => rows.length > 0).map(align),
    `W11 is ${compileTitle}.`,
  ];
  const flags = figures.flatMap((f) => f.flags.map((text) => `${f.workload} ${f.metric}: ${text}`));
  if (flags.length > 0) parts.push(`The peers do not agree:\n${flags.map((text) => `  ${text}`).join("\n")}`);
  const broken = failures(summary);
  if (broken.length > 0) parts.push(`Failures:\n${broken.map((text) => `  ${text}`).join("\n")}`);
  if (run.missing.length > 0) parts.push(`Not measured:\n${run.missing.map((text) => `  ${text}`).join("\n")}`);
  return parts.join("\n\n");
}
