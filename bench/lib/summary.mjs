// From the rows of a run to one line a figure: medians over the rounds, ratios, and whether the peers agree.
import { peers, workloads } from "./workloads.mjs";

const middle = (numbers) => {
  const sorted = numbers.toSorted((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
};

/** Losses agree to 1e-3; a check sum (a mean of absolute values) to 1e-3 of itself. */
const near = (a, b, relative) => Math.abs(a - b) <= 1e-3 * (relative ? Math.max(Math.abs(a), Math.abs(b)) : 1);

/** A round in which others used much of the machine counts only when there is no calmer one. */
const calm = (row) => row.foreign == null || row.foreign <= 0.35;

function cellOf(rows, clock) {
  const good = rows.filter((row) => row.error === undefined).map((row) => ({ ...row, ...row[clock] }));
  if (good.length === 0) return { error: rows[0].error };
  // others' turns do not count in processor time
  const quiet = clock === "processor" ? good : good.filter(calm);
  const used = quiet.length > 0 ? quiet : good;
  const ms = middle(used.map((row) => row.ms));
  return {
    ms,
    min: Math.min(...good.map((row) => row.min ?? row.ms)),
    rounds: used.length,
    noisy: quiet.length === 0,
    ...(good[0].first === undefined ? {} : { compile: Math.max(0, middle(used.map((row) => row.first - row.ms))) }),
    ...(good[0].work ? { rate: good[0].work / (ms / 1e3), unit: good[0].unit } : {}),
    ...(good[0].losses ? { losses: good[0].losses } : {}),
    ...(good[0].check === undefined ? {} : { check: good[0].check }),
  };
}

/** What is wrong with the numbers that were computed, as sentences. */
function disagreements(cells, expected) {
  const found = [];
  const named = Object.entries(cells).filter(([, cell]) => cell.error === undefined);
  const compare = (label, value, wanted, relative) => {
    for (const [name, cell] of named) {
      const x = value(cell);
      if (x != null && wanted != null && !near(x, wanted, relative))
        found.push(`${label} of ${name} is ${x}, expected ${wanted}`);
    }
  };
  const reference = (value, outside) => outside ?? named.map(([, cell]) => value(cell)).find((x) => x != null);
  const ofStep = (i) => (cell) => cell.losses?.[i];
  compare("loss at step 1", ofStep(0), reference(ofStep(0), expected?.[0]), false);
  compare("loss at step 4", ofStep(1), reference(ofStep(1), expected?.[1]), false);
  // the peers are the reference for a check sum
  const sum = (cell) => cell.check;
  const outside = named.find(([name, cell]) => name !== "chainrule" && cell.check != null)?.[1].check;
  compare("mean absolute result", sum, reference(sum, outside), true);
  return found;
}

/**
 * { run, peers, peak, figures: [{ workload, metric, cells, best, ratio, ofPeak, flags }] }: `best` is the fastest peer
 * that is not us, `ratio` its time over ours (above 1 we are faster).
 */
export function summarise(run) {
  const names = Object.keys(run.versions);
  const peak = run.peak.length > 0 ? middle(run.peak.map((p) => p.gflops)) : undefined;
  const keys = [...new Set(run.rows.filter((row) => row.metric !== "").map((row) => `${row.workload}|${row.metric}`))];
  const order = Object.keys(workloads);
  keys.sort((a, b) => order.indexOf(a.split("|")[0]) - order.indexOf(b.split("|")[0]));
  const figures = keys.map((key) => {
    const [workload, metric] = key.split("|");
    const cells = {};
    for (const peer of names) {
      const own = run.rows.filter((row) => row.workload === workload && row.peer === peer);
      const rows = own.filter((row) => row.metric === metric || row.metric === "");
      if (rows.length > 0) cells[peer] = cellOf(rows, run.options.clock);
    }
    const rivals = names.filter((name) => name !== "chainrule" && cells[name]?.ms !== undefined);
    const best = rivals.toSorted((a, b) => cells[a].ms - cells[b].ms)[0];
    const ours = cells.chainrule;
    const ratio = best !== undefined && ours?.ms !== undefined ? cells[best].ms / ours.ms : undefined;
    const ofPeak = ours?.unit === "GFLOP/s" && peak !== undefined ? ours.rate / peak : undefined;
    return { workload, metric, cells, best, ratio, ofPeak, flags: disagreements(cells, workloads[workload].losses) };
  });
  return { run, peers: names.map((name) => ({ name, title: peers[name].title })), peak, figures };
}
