// Summaries as tables: aligned text for the terminal, Markdown for the documentation.
import { workloads } from "./workloads.mjs";

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

/** Rows of strings, the head first. */
export function mainTable(summary) {
  const head = ["", "unit", ...summary.peers.map((p) => p.title), "vs best peer", "of peak", ""];
  const rows = summary.figures.map((figure) => {
    const unit = unitOf(figure);
    return [
      `${figure.workload} ${figure.metric}`,
      unit === undefined ? "ms" : `ms (${unit})`,
      ...summary.peers.map((p) => cellText(figure.cells[p.name], unit !== undefined)),
      times(figure.ratio),
      percent(figure.ofPeak),
      figure.flags.length > 0 ? "DIFFERS" : "",
    ];
  });
  // the last columns only where they say something
  const useful = head.map((_, i) => i < head.length - 3 || rows.some((row) => row[i] !== ""));
  return [head, ...rows].map((row) => row.filter((_, i) => useful[i]));
}

/** W11: first call minus median, for the whole training steps. */
export function compileTable(summary) {
  const steps = summary.figures.filter((figure) => figure.metric === "step");
  if (steps.length === 0) return [];
  const text = (cell) => (cell?.compile === undefined ? "–" : short(cell.compile));
  const head = ["W11 compile", "unit", ...summary.peers.map((p) => p.title)];
  return [
    head,
    ...steps.map((f) => [`${f.workload} ${f.metric}`, "ms", ...summary.peers.map((p) => text(f.cells[p.name]))]),
  ];
}

/** Losses at step 1 and 4. */
export function lossTable(summary) {
  const steps = summary.figures.filter((figure) => figure.metric === "step");
  if (steps.length === 0) return [];
  const one = (x) => (x == null ? "–" : String(Number(x.toPrecision(6))));
  const text = (losses) => (losses === undefined ? "–" : losses.map(one).join(" / "));
  const head = ["loss at step 1 / 4", "PyTorch", ...summary.peers.map((p) => p.title)];
  return [
    head,
    ...steps.map((f) => [
      f.workload,
      text(workloads[f.workload].losses),
      ...summary.peers.map((p) => text(f.cells[p.name]?.losses)),
    ]),
  ];
}

/** Why a cell says "fails": one line a workload and peer, or a figure of it. */
export function failures(summary) {
  const line = ({ workload, metric, peer, error }) =>
    `${workload}${metric === "" ? "" : ` ${metric}`}, ${peer}: ${error.split("\n", 1)[0]}`;
  return [...new Set(summary.run.rows.filter((row) => row.error !== undefined).map(line))];
}

export const legend =
  "Median of the rounds' medians; rates in parentheses. ¹ one round only (too slow to repeat, or one asked for); " +
  "~ other processes were busy; vs best peer: its time over ours, below 1 we are slower; of peak: of the measured 128-bit peak.";

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
  const { run, peak, figures } = summary;
  const parts = [
    `${run.machine.processor}, Node ${run.node}, one thread, ${run.options.rounds} round(s)` +
      (run.options.clock === "processor" ? ", processor time" : "") +
      (peak === undefined ? "" : `; 128-bit peak ${short(peak)} GFLOP/s`),
    align(mainTable(summary)),
    legend,
    ...[compileTable(summary), lossTable(summary)].filter((rows) => rows.length > 0).map(align),
  ];
  const flags = figures.flatMap((f) => f.flags.map((text) => `${f.workload} ${f.metric}: ${text}`));
  if (flags.length > 0) parts.push(`The peers do not agree:\n${flags.map((text) => `  ${text}`).join("\n")}`);
  const broken = failures(summary);
  if (broken.length > 0) parts.push(`Failures:\n${broken.map((text) => `  ${text}`).join("\n")}`);
  return parts.join("\n\n");
}
