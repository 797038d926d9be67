// The ruler: what one thread of this machine can do at most in 128-bit WebAssembly, as GFLOP/s. A hand-encoded loop of
// independent fused multiply-adds that touches no memory, so that it depends on no code generator of ours.
import { fileURLToPath } from "node:url";
import { setFlagsFromString } from "node:v8";

const chains = 12; // latency 4 × 2 units = 8 chains needed; 12 + 2 operands fit 16 registers
const loops = 1_000_000;

const leb = (n) => (n < 128 ? [n] : [(n & 127) | 128, ...leb(n >>> 7)]);
const section = (id, bytes) => [id, ...leb(bytes.length), ...bytes];

/** f(count: i32): `count` rounds of acc[k] = acc[k] * x + y. Locals: 0 count, 1..chains acc, then x, y. */
export function moduleBytes(fused) {
  const get = (i) => [0x20, i];
  const set = (i) => [0x21, i];
  const [x, y] = [chains + 1, chains + 2];
  const splat = (bits) => [0x43, ...bits, 0xfd, 0x13];
  const step = (acc) =>
    fused
      ? [...get(acc), ...get(x), ...get(y), 0xfd, 0x85, 0x02, ...set(acc)]
      : [...get(acc), ...get(x), 0xfd, 0xe6, 0x01, ...get(y), 0xfd, 0xe4, 0x01, ...set(acc)];
  const every = (f) => Array.from({ length: chains }, (_, k) => f(k + 1)).flat();
  const body = [
    ...[1, chains + 2, 0x7b], // chains + 2 locals of v128
    ...splat([0x77, 0xbe, 0x7f, 0x3f]), // x = 0.999
    ...set(x),
    ...splat([0x6f, 0x12, 0x83, 0x3a]), // y = 0.001
    ...set(y),
    ...[0x03, 0x40], // loop
    ...every(step),
    ...[...get(0), 0x41, 1, 0x6b, 0x22, 0, 0x0d, 0], // while (--count)
    0x0b,
    ...get(1),
    ...Array.from({ length: chains - 1 }, (_, k) => [...get(k + 2), 0xfd, 0xe4, 0x01]).flat(), // keep every chain alive
    ...[0xfd, 0x1f, 0],
    0x0b,
  ];
  return new Uint8Array([
    ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, [1, 0x60, 1, 0x7f, 1, 0x7d]), // (i32) -> f32
    ...section(3, [1, 0]),
    ...section(7, [1, 1, 0x66, 0, 0]), // export "f"
    ...section(10, [1, ...leb(body.length), ...body]),
  ]);
}

/** Best of many short runs: { gflops, fused }. Run in a process of its own with --no-liftoff. */
export async function measurePeak(milliseconds) {
  const valid = () => WebAssembly.validate(moduleBytes(true));
  if (!valid()) setFlagsFromString("--experimental-wasm-relaxed-simd"); // Node 20 has it behind a flag
  const fused = valid();
  const { instance } = await WebAssembly.instantiate(moduleBytes(fused));
  const rates = [];
  const end = performance.now() + milliseconds;
  while (performance.now() < end) {
    const start = performance.now();
    instance.exports.f(loops);
    rates.push((loops * chains * 8) / (performance.now() - start) / 1e6);
  }
  rates.sort((a, b) => b - a);
  return { gflops: rates[0], median: rates[rates.length >> 1], fused };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const result = await measurePeak(Number(process.argv[2] ?? 1000));
  if (process.send) process.send(result, () => process.disconnect());
  else console.log(result);
}
