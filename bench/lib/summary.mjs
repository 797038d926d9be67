// From the rows of a run to one line a figure: medians over the rounds, ratios, and whether the peers agree.
import { idOf, peers } from "./peers.mjs";
import { isModel, mixes, workloads } from "./workloads.mjs";

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
  const min = Math.min(...good.map((row) => row.min ?? row.ms));
  return {
    ms,
    min,
    rounds: used.length,
    noisy: quiet.length === 0,
    ...(good[0].first === undefined ? {} : { compile: Math.max(0, middle(used.map((row) => row.first - row.ms))) }),
    ...(good[0].work ? { rate: good[0].work / (ms / 1e3), best: good[0].work / (min / 1e3), unit: good[0].unit } : {}),
    ...(good[0].losses ? { losses: good[0].losses } : {}),
    ...(good[0].check === undefined ? {} : { check: good[0].check }),
  };
}

/** What is wrong with the numbers that were computed, as sentences. */
function disagreements(cells, variants, expected) {
  const found = [];
  const named = variants.filter(({ id }) => cells[id] !== undefined && cells[id].error === undefined);
  const compare = (label, value, wanted, relative) => {
    for (const { id } of named) {
      const x = value(cells[id]);
      if (x != null && wanted != null && !near(x, wanted, relative))
        found.push(`${label} of ${id} is ${x}, expected ${wanted}`);
    }
  };
  const reference = (value, outside) => outside ?? named.map(({ id }) => value(cells[id])).find((x) => x != null);
  const ofStep = (i) => (cell) => cell.losses?.[i];
  compare("loss at step 1", ofStep(0), reference(ofStep(0), expected?.[0]), false);
  compare("loss at step 4", ofStep(1), reference(ofStep(1), expected?.[1]), false);
  // the peers are the reference for a check sum
  const sum = (cell) => cell.check;
  const outside = named.find(({ id, kind }) => kind !== "ours" && cells[id].check != null)?.id;
  compare("mean absolute result", sum, reference(sum, outside === undefined ? undefined : cells[outside].check), true);
  return found;
}

/** The ruler of a device, by threads: the most of all rounds, since it is what the machine can do undisturbed. */
function ceilingsOf(run) {
  const key = ({ device, threads }) => `${device} ${threads}`;
  const out = {};
  for (const name of new Set(run.ceilings.map(key))) {
    const rows = run.ceilings.filter((row) => key(row) === name);
    const rate = (what) => Math.max(...rows.map((row) => row[what]));
    out[name] = Object.fromEntries(["gflops", "read", "copy", "add"].map((what) => [what, rate(what)]));
  }
  return out;
}

/**
 * Our rate over what the machine can do at most, on the same device and as many threads. Like for like: a ceiling is the
 * fastest of many runs, so it is set against the fastest call. The others on a shared machine would else count once.
 */
function share({ workload, metric }, { device, threads }, cell, ceilings) {
  const ceiling = ceilings[`${device} ${threads}`];
  if (ceiling === undefined || cell?.best === undefined) return undefined;
  if (cell.unit === "GFLOP/s") return cell.best / ceiling.gflops;
  return workload === "W9" && mixes[metric] !== undefined ? cell.best / ceiling[mixes[metric]] : undefined;
}

/** Against whom ours is set: the fastest of each of these groups. */
export const rivalries = {
  torch: { title: "PyTorch", of: ({ peer }) => peer.startsWith("torch") },
  js: { title: "best JS peer", of: ({ kind }) => kind === "js" },
  native: { title: "best other native peer", of: ({ kind, peer }) => kind === "native" && !peer.startsWith("torch") },
};

/**
 * { run, variants, ceilings, figures: [{ workload, metric, cells, ours, share, rivals: { torch: { id, ratio }, … }, flags }] }:
 * `cells` by variant; `ours` is the variant that a user gets: our fastest device with all threads; a ratio is the rival's
 * time over ours (above 1 we are faster).
 */
export function summarise(run) {
  const variants = run.variants.map((v) => ({ ...v, id: idOf(v), kind: peers[v.peer].kind }));
  const ceilings = ceilingsOf(run);
  const own = variants.filter(({ kind }) => kind === "ours");
  const most = Math.max(...own.map(({ threads }) => threads));
  const device = own.some((v) => v.device === "x64") ? "x64" : "wasm";
  const standard = own.find((v) => v.device === device && v.threads === most);
  const keys = [...new Set(run.rows.filter((row) => row.metric !== "").map((row) => `${row.workload}|${row.metric}`))];
  const order = Object.keys(workloads);
  keys.sort((a, b) => order.indexOf(a.split("|")[0]) - order.indexOf(b.split("|")[0]));
  const figures = keys.map((key) => {
    const [workload, metric] = key.split("|");
    const cells = {};
    for (const { id } of variants) {
      const rows = run.rows.filter((row) => row.workload === workload && idOf(row) === id);
      const fitting = rows.filter((row) => row.metric === metric || row.metric === "");
      if (fitting.length > 0) cells[id] = cellOf(fitting, run.options.clock);
    }
    const ours = standard === undefined ? undefined : cells[standard.id];
    const rivals = {};
    for (const [name, { of }] of Object.entries(rivalries)) {
      const [best] = variants
        .filter((v) => v.kind !== "ours" && of(v) && cells[v.id]?.ms !== undefined)
        .toSorted((a, b) => cells[a.id].ms - cells[b.id].ms);
      if (best !== undefined)
        rivals[name] = { ...best, ratio: ours?.ms === undefined ? undefined : cells[best.id].ms / ours.ms };
    }
    const flags = disagreements(cells, variants, workloads[workload].losses);
    return {
      ...{ workload, metric, cells, ours, rivals, flags },
      share: standard === undefined ? undefined : share({ workload, metric }, standard, ours, ceilings),
    };
  });
  return { run, variants, standard, ceilings, figures, models: figures.filter(isModel) };
}
