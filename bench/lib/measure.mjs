// Inside the measured process: the first call apart (compilation is in it), warm-up dropped, then calls until the budget
// is spent. Both clocks are read: the wall's, and the processor time of this process, which does not count the turns of
// others on a shared machine. `foreign` says how many cores they used meanwhile: above about 0.35 only the second is of use.
import { readFileSync } from "node:fs";

const now = () => performance.now();
const middle = (numbers) => numbers.toSorted((a, b) => a - b)[numbers.length >> 1];
const processorMs = () => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e3;
};

/** Seconds of processor time: of the machine (Linux only, else NaN) and of this process. */
function processorTime() {
  const own = process.cpuUsage();
  let all = Number.NaN;
  try {
    const ticks = readFileSync("/proc/stat", "utf8").split("\n", 1)[0].trim().split(/\s+/).slice(1, 9).map(Number);
    all = (ticks.reduce((a, b) => a + b, 0) - ticks[3] - ticks[4]) / 100;
  } catch {
    // no such file on this system: the figure stays unknown
  }
  return { all, own: (own.user + own.system) / 1e6 };
}

/**
 * Measures one figure. `step()` runs to completion and may return (a promise of) the loss; `check()` gives one number
 * that all peers must agree on where there is no loss; `calls` is how many operations one step performs.
 */
export async function measure({ metric, step, check, work, unit, calls = 1, warm = 3, least = 3, most = 400 }, budget) {
  const losses = [];
  const once = async () => {
    const [start, busy] = [now(), processorMs()];
    const loss = await step();
    const time = { wall: now() - start, processor: processorMs() - busy };
    if (typeof loss === "number" && losses.length < 4) losses.push(loss);
    return time;
  };
  const first = await once();
  const begin = now();
  const spent = () => now() - begin;
  const warming = first.wall > budget ? Math.min(warm, 1) : warm;
  for (let i = 0; i < warming && spent() < budget; i++) await once();

  const times = [];
  const busy = processorTime();
  const start = now();
  const elapsed = () => now() - start;
  while (
    times.length === 0 ||
    (times.length < least && elapsed() < 3 * budget) ||
    (elapsed() < budget && times.length < most)
  ) {
    times.push(await once());
  }
  const after = processorTime();
  const foreign = (after.all - busy.all - (after.own - busy.own)) / (elapsed() / 1e3);
  // a slow peer may not have come to its fourth loss yet
  const of = (clock) => times.map((t) => t[clock]);
  while (losses.length > 0 && losses.length < 4 && middle(of("wall")) < budget) await once();
  const figures = (clock) => ({
    ms: middle(of(clock)) / calls,
    min: Math.min(...of(clock)) / calls,
    first: first[clock] / calls,
  });
  return {
    metric,
    wall: figures("wall"),
    processor: figures("processor"),
    iterations: times.length,
    ...(work ? { work, unit } : {}),
    ...(losses.length > 0 ? { losses: [losses[0], losses[3] ?? null] } : {}),
    ...(check ? { check: await check() } : {}),
    foreign: Number.isFinite(foreign) ? Math.max(0, foreign) : null,
  };
}

/** Mean of absolute values: the number that peers compare. */
export function meanAbs(data) {
  let sum = 0;
  for (const x of data) sum += Math.abs(x);
  return sum / data.length;
}
