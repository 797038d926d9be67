// An objective in a module of its own: (log10 lr + 2)² + (units − 40)²/1000, best at lr 0.01 and 40 units.
import { appendFileSync, readFileSync } from "node:fs";

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

export default async function objective({ lr, units }, { trial, seed, report }) {
  if (process.env.TUNE_LOG) appendFileSync(process.env.TUNE_LOG, `${trial} ${process.pid} ${seed}\n`);
  if (process.env.TUNE_SLEEP) await pause(Number(process.env.TUNE_SLEEP));
  // The first trial ends once another has begun; the others do not end.
  if (process.env.TUNE_STUCK && trial > 0) await pause(600_000);
  while (process.env.TUNE_STUCK && readFileSync(process.env.TUNE_LOG, "utf8").split("\n").length < 3) await pause(20);
  if (process.env.TUNE_FAIL === String(trial)) throw new Error("the objective is broken");
  if (process.env.TUNE_EXIT === String(trial)) process.exit(3);
  const value = (Math.log10(lr) + 2) ** 2 + (units - 40) ** 2 / 1000;
  for (let step = 0; step < 3; step++) await report(step, value + 3 - step);
  return value;
}
