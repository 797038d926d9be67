// The ruler: what this machine can do at most in 128-bit WebAssembly, by hand-encoded loops that depend on no code generator
// of ours: fused multiply-adds in registers, and reading, copying and adding arrays as long as those of W9.
// node bench/lib/ceilings.mjs [milliseconds] [threads]; run it with --no-liftoff.
import { fileURLToPath } from "node:url";
import { setFlagsFromString } from "node:v8";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";

const chains = 12; // latency 4 × 2 units = 8 chains needed; 12 + 2 operands fit 16 registers
const loops = 1_000_000;
const elements = 1e7;

const leb = (n) => (n < 128 ? [n] : [(n & 127) | 128, ...leb(n >>> 7)]);
const section = (id, bytes) => [id, ...leb(bytes.length), ...bytes];
const get = (i) => [0x20, i];
const set = (i) => [0x21, i];
const simd = (op) => [0xfd, ...leb(op)];
const [load, store, add4, mul4, madd4] = [simd(0), simd(11), simd(0xe4), simd(0xe6), simd(0x105)];
const aligned = (offset) => [4, ...leb(offset)];
const every = (count, f) => Array.from({ length: count }, (_, k) => f(k)).flat();
const loop = (...body) => [0x03, 0x40, ...body.flat(), 0x0b];
const signed = (n) => (n >= -64 && n < 64 ? [n & 127] : [(n & 127) | 128, ...signed(n >> 7)]);
/** local -= by; again while it is not 0. */
const countDown = (local, by) => [...get(local), 0x41, ...signed(-by), 0x6a, 0x22, local, 0x0d, 0];
const advance = (local, by) => [...get(local), 0x41, ...signed(by), 0x6a, ...set(local)];

/** f(count): `count` rounds of acc[k] = acc[k] · x + y. Locals behind the parameter: the accumulators, x, y. */
function multiplyAdds(fused) {
  const [x, y] = [chains + 1, chains + 2];
  const splat = (bits) => [0x43, ...bits, ...simd(0x13)];
  const step = (acc) =>
    fused
      ? [...get(acc), ...get(x), ...get(y), ...madd4, ...set(acc)]
      : [...get(acc), ...get(x), ...mul4, ...get(y), ...add4, ...set(acc)];
  return [
    ...[...splat([0x77, 0xbe, 0x7f, 0x3f]), ...set(x), ...splat([0x6f, 0x12, 0x83, 0x3a]), ...set(y)], // 0.999, 0.001
    ...loop(
      every(chains, (k) => step(k + 1)),
      countDown(0, 1),
    ),
    ...[...get(1), ...every(chains - 1, (k) => [...get(k + 2), ...add4]), ...simd(0x1f), 0], // keep every chain alive
  ];
}

const unrolled = 8;
const stride = 16 * unrolled;
const zero = [0x43, 0, 0, 0, 0];
/** f(bytes, a, b, c) over arrays at those addresses; locals behind them are vectors. */
const kernels = {
  read: [
    ...loop(
      every(unrolled, (k) => [...get(1), ...load, ...aligned(16 * k), ...get(4 + k), ...add4, ...set(4 + k)]),
      advance(1, stride),
      countDown(0, stride),
    ),
    ...[...get(4), ...every(unrolled - 1, (k) => [...get(5 + k), ...add4]), ...simd(0x1f), 0],
  ],
  copy: [
    ...loop(
      every(unrolled, (k) => [...get(3), ...get(1), ...load, ...aligned(16 * k), ...store, ...aligned(16 * k)]),
      [1, 3].flatMap((i) => advance(i, stride)),
      countDown(0, stride),
    ),
    ...zero,
  ],
  add: [
    ...loop(
      every(unrolled, (k) => {
        const at = aligned(16 * k);
        return [...get(3), ...get(1), ...load, ...at, ...get(2), ...load, ...at, ...add4, ...store, ...at];
      }),
      [1, 2, 3].flatMap((i) => advance(i, stride)),
      countDown(0, stride),
    ),
    ...zero,
  ],
};
/** Arrays that one element of each kernel touches. */
const arrays = { read: 1, copy: 2, add: 3 };

function moduleBytes(fused, pages) {
  const body = (locals, code) => {
    const bytes = [1, ...leb(locals), 0x7b, ...code, 0x0b];
    return [...leb(bytes.length), ...bytes];
  };
  const codes = [body(chains + 2, multiplyAdds(fused)), ...Object.values(kernels).map((code) => body(unrolled, code))];
  const names = ["fma", ...Object.keys(kernels)];
  const text = (name) => [name.length, ...[...name].map((c) => c.charCodeAt(0))];
  return new Uint8Array([
    ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, [2, 0x60, 1, 0x7f, 1, 0x7d, 0x60, 4, 0x7f, 0x7f, 0x7f, 0x7f, 1, 0x7d]),
    ...section(3, [names.length, 0, ...names.slice(1).map(() => 1)]),
    ...section(5, [1, 0, ...leb(pages)]),
    ...section(7, [names.length + 1, ...text("memory"), 2, 0, ...names.flatMap((name, i) => [...text(name), 0, i])]),
    ...section(10, [codes.length, ...codes.flat()]),
  ]);
}

/** Best rate of many short runs that begin at `start`: GFLOP/s or GB/s, one of `of` threads' share of the arrays. */
async function measure(name, milliseconds, of, start) {
  const bytes = Math.floor((4 * elements) / of / stride) * stride;
  const fused = fusedAllowed();
  const pages = name === "fma" ? 1 : Math.ceil((3 * bytes) / 65536) + 1;
  const { instance } = await WebAssembly.instantiate(moduleBytes(fused, pages));
  const f = instance.exports[name];
  new Uint8Array(instance.exports.memory.buffer).fill(1); // pages never written are all one page of zeros
  const run = name === "fma" ? () => f(loops) : () => f(bytes, 0, bytes, 2 * bytes);
  const work = name === "fma" ? (loops * chains * 8) / 1e6 : (arrays[name] * bytes) / 1e6;
  run();
  while (Date.now() < start);
  const rates = [];
  for (const end = performance.now() + milliseconds; performance.now() < end;) {
    const begin = performance.now();
    run();
    rates.push(work / (performance.now() - begin));
  }
  rates.sort((a, b) => b - a);
  return rates[Math.floor(rates.length / 10)]; // the best, but not a lucky one
}

function fusedAllowed() {
  if (WebAssembly.validate(moduleBytes(true, 1))) return true;
  setFlagsFromString("--experimental-wasm-relaxed-simd"); // Node 20 has it behind a flag
  return WebAssembly.validate(moduleBytes(true, 1));
}

/** { threads, gflops, read, copy, add, fused }: rates of all threads together. */
export async function measureCeilings(milliseconds, threads) {
  const found = { threads, fused: fusedAllowed() };
  for (const name of ["fma", ...Object.keys(kernels)]) {
    const start = Date.now() + (threads > 1 ? 250 : 0);
    const others = Array.from({ length: threads - 1 }, () => {
      const worker = new Worker(new URL(import.meta.url), { workerData: { name, milliseconds, threads, start } });
      return new Promise((resolve, reject) => worker.on("message", resolve).on("error", reject));
    });
    const own = measure(name, milliseconds, threads, start);
    const rates = await Promise.all([own, ...others]);
    found[name === "fma" ? "gflops" : name] = rates.reduce((a, b) => a + b, 0);
  }
  return found;
}

if (!isMainThread) {
  const { name, milliseconds, threads, start } = workerData;
  parentPort.postMessage(await measure(name, milliseconds, threads, start), []);
} else if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [milliseconds = 500, threads = 1] = process.argv.slice(2).map(Number);
  const result = await measureCeilings(milliseconds, threads);
  if (process.send) process.send(result, () => process.disconnect());
  else console.log(result);
}
