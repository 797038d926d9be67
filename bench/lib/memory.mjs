// The three loops of bench/memory.mjs, and what is read off their samples.
import { fileURLToPath } from "node:url";

/** Each runs `count` rounds and calls `sample(done)` now and then, always from inside the loop. */
export const loops = {
  eager: {
    title: "1,000,000 small operations, outside of any compiled function",
    unit: "operations",
    count: 1_000_000,
    every: 2000,
    async run(count, sample) {
      const { add, mul, tensor } = await import("chainrule");
      let x = tensor([1, 2, 3, 4]);
      for (let i = 0; i < count; i += 2) {
        x = add(mul(x, 0.999), 0.001);
        sample(i);
      }
    },
  },
  compiled: {
    title: "10,000 steps of a compiled training step",
    unit: "steps",
    count: 10_000,
    every: 20,
    async run(count, sample) {
      const { compiled, random, tensor, valueAndGrad } = await import("chainrule");
      const { dense, relu, sequential, sparseCategoricalCrossentropy } = await import("chainrule/nn");
      const { adam } = await import("chainrule/optim");
      const model = sequential([dense(32), relu, dense(10)], { inputShape: [20] });
      const optimizer = adam(1e-3);
      const step = compiled((x, y) => {
        const [loss, grads] = valueAndGrad(model, () =>
          sparseCategoricalCrossentropy(y, model(x), { fromLogits: true }),
        );
        optimizer.update(model, grads);
        return loss;
      });
      for (let i = 0; i < count; i++) {
        // fresh batches, as in training; the loss is read every step
        const x = random.normal([16, 20]);
        const y = tensor(Int32Array.from({ length: 16 }, (_, k) => (i + k) % 10));
        step(x, y).item();
        sample(i);
      }
    },
  },
  predict: {
    title: "2,000 predictions with another batch size each time",
    unit: "predictions",
    count: 2000,
    every: 4,
    async run(count, sample) {
      const { zeros } = await import("chainrule");
      const { dense, relu, sequential } = await import("chainrule/nn");
      const model = sequential([dense(64), relu, dense(10)], { inputShape: [32] });
      for (let i = 0; i < count; i++) {
        const size = 1 + ((i * 389) % 1000); // 389 and 1000 have no common factor: a thousand sizes before one returns
        await model.predict(zeros([size, 32]));
        sample(i);
      }
    },
  },
};

/** Growth from the end of the warm-up, the first fifth, to the end: of the straight line through the samples. */
export function growthOf(samples) {
  const total = samples.at(-1).done;
  const kept = samples.filter((s) => s.done >= 0.2 * total);
  const mean = (f) => kept.reduce((sum, s) => sum + f(s), 0) / kept.length;
  const [x, y] = [mean((s) => s.done), mean((s) => s.bytes)];
  const slope = mean((s) => (s.done - x) * (s.bytes - y)) / mean((s) => (s.done - x) ** 2);
  const at = (done) => y + slope * (done - x);
  return at(total) / at(0.2 * total) - 1;
}

/** Ten lines: how far, megabytes, a bar. */
export function series(samples, unit) {
  const most = Math.max(...samples.map((s) => s.bytes));
  const picked = Array.from({ length: 11 }, (_, i) => samples[Math.round((i * (samples.length - 1)) / 10)]);
  return picked
    .map(({ done, bytes }) => {
      const bar = "█".repeat(Math.round((40 * bytes) / most));
      return `  ${done.toLocaleString("en").padStart(9)} ${unit}  ${(bytes / 2 ** 20).toFixed(1).padStart(7)} MB  ${bar}`;
    })
    .join("\n");
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [name, short] = process.argv.slice(2);
  const loop = loops[name];
  const scale = short === "true" ? 10 : 1;
  const samples = [];
  await loop.run(loop.count / scale, (done) => {
    if (done % (loop.every / scale) === 0) samples.push({ done, bytes: process.memoryUsage.rss() });
  });
  process.send(samples, () => process.disconnect());
}
