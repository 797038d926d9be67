import { expect, test } from "vitest";
import { adam } from "../../src/optim/index.ts";
import { type BatchEnd, clock, progress, type TrainEvent } from "../../src/train/index.ts";
import { mlp, stripes } from "./nets.ts";

const batch = (b: number, over: Partial<BatchEnd> = {}): BatchEnd => ({
  type: "batchEnd",
  epoch: 0,
  epochs: 3,
  batch: b,
  batches: 469,
  step: b + 1,
  size: 128,
  seen: (b + 1) * 128,
  samples: 60_000,
  loss: 0.4,
  metrics: { loss: 0.31415926, accuracy: 0.91234 },
  samplesPerSecond: 12_345.6,
  elapsed: 1,
  eta: 62,
  ...over,
});

function written(events: readonly TrainEvent[], isTTY: boolean, verbose: 1 | 2 = 1, step = 100): string[] {
  const out: string[] = [];
  let now = 0;
  const show = progress({
    target: { isTTY, columns: 90, write: (t) => void out.push(t) },
    unit: "images/s",
    verbose,
    now: () => (now += step),
  });
  for (const e of events) show(e);
  return out;
}

const begin: TrainEvent = { type: "epochBegin", epoch: 0, epochs: 3, batches: 469 };
const end: TrainEvent = {
  type: "epochEnd",
  epoch: 0,
  epochs: 3,
  logs: { loss: 0.2, accuracy: 0.95, val_loss: 2e-5 },
  seconds: 75,
  samplesPerSecond: 800,
};

test("a terminal gets a bar with rate, loss, metrics and time left, within its width", () => {
  const [bar, last] = written([begin, batch(233), end], true);
  expect(bar).toBe("\repoch 1/3 ▕██████████▏       ".slice(0, 12) + bar.slice(12));
  expect(bar).toContain("49%");
  expect(bar).toContain("12,346 images/s  loss 0.3142  accuracy 91.23%  1:02 left");
  expect(bar.replace("\r", "").replace("\x1b[K", "").length).toBeLessThan(90);
  expect(bar).toMatch(/▕█+[ ▏▎▍▌▋▊▉]?·+▏/);
  expect(last).toBe("\r\x1b[Kepoch 1/3  1:15  800 images/s  loss 0.2000  accuracy 95.00%  val_loss 2.00e-5\n");
});

test("elsewhere whole lines, one every few seconds", () => {
  const lines = written([begin, batch(0), batch(1), batch(2), end], false, 1, 2600);
  expect(lines[0]).toBe("epoch 1/3  2/469  12,346 images/s  loss 0.3142  accuracy 91.23%  1:02 left\n");
  expect(lines.every((l) => l.endsWith("\n") && !l.includes("\r"))).toBe(true);
  expect(written([begin, batch(0), batch(1), end], true, 2)).toHaveLength(1);
});

test("fit writes progress unless it is silent; times read well", async () => {
  const net = mlp();
  net.compile({ optimizer: adam(), loss: "sparseCategoricalCrossentropy" });
  const lines: string[] = [];
  const write = process.stdout.write.bind(process.stdout);
  process.stdout.write = (text: string) => lines.push(text) > 0;
  try {
    await net.fit(stripes(40), { epochs: 2, verbose: 2 });
    await net.fit(stripes(40), { epochs: 2, verbose: 0 });
  } finally {
    process.stdout.write = write;
  }
  expect(lines.filter((l) => l.includes("epoch"))).toHaveLength(2);
  expect([0.4, 59, 61, 3725, Number.NaN].map(clock)).toEqual(["0s", "59s", "1:01", "1:02:05", "?"]);
});
