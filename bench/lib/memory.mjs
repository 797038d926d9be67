// The three loops of bench/memory.mjs, and what is read off their samples.
import { fileURLToPath } from "node:url";

/**
 * Each runs `count` rounds after `warm` that do not count, and calls `sample(done)` from inside the loop. The warm-up is
 * long because V8 sets the size of its heap only after some full collections.
 */
export const loops = {
  eager: {
    title: "small operations, outside of any compiled function",
    unit: "operations",
    warm: 1_000_000,
    count: 1_000_000,
    async run(rounds, sample) {
      const { add, mul, tensor } = await import("chainrule");
      let x = tensor([1, 2, 3, 4]);
      for (let i = 0; i < rounds; i += 2) {
        x = add(mul(x, 0.999), 0.001);
        sample(i);
      }
    },
  },
  compiled: {
    title: "steps of a compiled training step",
    unit: "steps",
    warm: 60_000,
    count: 120_000,
    async run(rounds, sample) {
      const { compiled, random, tensor, valueAndGrad } = await import("chainrule");
      const { crossEntropy, dense, relu, sequential } = await import("chainrule/nn");
      const { adam } = await import("chainrule/optim");
      const model = sequential([dense(32), relu, dense(10)], { inputShape: [20] });
      const optimizer = adam(1e-3);
      const step = compiled((x, y) => {
        const [loss, grads] = valueAndGrad(model, () => crossEntropy(model(x), y));
        optimizer.update(model, grads);
        return loss;
      });
      for (let i = 0; i < rounds; i++) {
        // fresh batches, as in training; the loss is read every step
        const x = random.normal([16, 20]);
        const y = tensor(Int32Array.from({ length: 16 }, (_, k) => (i + k) % 10));
        step(x, y).item();
        sample(i);
      }
    },
  },
  predict: {
    title: "predictions with another batch size each time",
    unit: "predictions",
    warm: 3000,
    count: 3000,
    async run(rounds, sample) {
      const { zeros } = await import("chainrule");
      const { dense, relu, sequential } = await import("chainrule/nn");
      const model = sequential([dense(64), relu, dense(10)], { inputShape: [32] });
      const sizes = rounds >= 6000 ? 1000 : 50;
      for (let i = 0; i < rounds; i++) {
        const size = 1 + ((i * 39) % sizes); // no common factor: all sizes before one returns
        await model.predict(zeros([size, 32]));
        sample(i);
      }
    },
  },
};

/** Growth of resident memory after the warm-up: of the straight line through the samples. */
export function growthOf(samples) {
  const kept = samples.filter((s) => s.done >= 0);
  const mean = (f) => kept.reduce((sum, s) => sum + f(s), 0) / kept.length;
  const [x, y] = [mean((s) => s.done), mean((s) => s.bytes)];
  const slope = mean((s) => (s.done - x) * (s.bytes - y)) / mean((s) => (s.done - x) ** 2);
  const at = (done) => y + slope * (done - x);
  return at(kept.at(-1).done) / at(0) - 1;
}

/** Growth of live memory (collected before each sample): of its lowest points, which the collector's pace cannot raise. */
export function liveGrowthOf(samples) {
  const kept = samples.filter((s) => s.done >= 0);
  const least = (list) => Math.min(...list.map((s) => s.bytes));
  const third = Math.floor(kept.length / 3);
  return least(kept.slice(-third)) / least(kept.slice(0, third)) - 1;
}

/** A dozen lines: how far (below 0: warming up), megabytes, a bar. */
export function series(samples, unit) {
  const most = Math.max(...samples.map((s) => s.bytes));
  const picked = Array.from({ length: 16 }, (_, i) => samples[Math.round((i * (samples.length - 1)) / 15)]);
  return picked
    .map(({ done, bytes }) => {
      const bar = "█".repeat(Math.round((40 * bytes) / most));
      return `  ${done.toLocaleString("en").padStart(9)} ${unit}  ${(bytes / 2 ** 20).toFixed(1).padStart(7)} MB  ${bar}`;
    })
    .join("\n");
}

/** Live memory after a collection; in the short version, which is too short for resident memory to settle. */
function live() {
  globalThis.gc();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [name, short] = process.argv.slice(2);
  const loop = loops[name];
  const [scale, points, bytes] = short === "true" ? [20, 60, live] : [1, 600, () => process.memoryUsage.rss()];
  const [warm, count] = [loop.warm / scale, loop.count / scale];
  const every = 2 * Math.floor((warm + count) / points / 2);
  const samples = [];
  await loop.run(warm + count, (done) => {
    if (done % every === 0) samples.push({ done: done - warm, bytes: bytes() });
  });
  process.send(samples, () => process.disconnect());
}
