// One kernel with the same data on several machines: the results must be equal bit for bit.
import { bytesOf, type DType, type TypedArray } from "../../src/base/index.ts";
import { Asm } from "../../src/codegen/asm/index.ts";
import { emitKernel, sizesOf } from "../../src/codegen/kernels.ts";
import type { Affine, Axis, ContractKernel, Dynamic, Kernel, LoopKernel, Plan } from "../../src/schedule/index.ts";
import type { Backend } from "./backends.ts";
import { rngOf } from "./random.ts";

const LINE = 64;

/** The kernels of a plan and of the loops over time in it, with their names. */
export const kernelsOf = (plan: Plan): { name: string; kernel: LoopKernel | ContractKernel }[] =>
  plan.steps.flatMap(({ kernel, name }) => (kernel.kind === "scan" ? kernelsOf(kernel.body) : [{ name, kernel }]));

/** Elements that each argument has at least. */
function extents(k: LoopKernel | ContractKernel): number[] {
  const sizes = k.kind === "loop" ? k.loops : [...k.batch, ...k.m, ...k.n].map((x) => x.size);
  const out = k.args.map(() => 1);
  const reach = (arg: number, index: Affine, dyn: readonly Dynamic[]): void => {
    if (arg >= out.length) return;
    const last = index.t.reduce((n, f, l) => n + Math.max(0, f) * Math.max(0, sizes[l] - 1), index.c);
    out[arg] = Math.max(out[arg], 1 + dyn.reduce((n, d) => n + (d.size - 1) * d.stride, last));
  };
  for (const e of k.exs) if (e.k === "load") reach(e.arg, e.index, e.dyn);
  for (const s of k.kind === "loop" ? k.phases.flatMap((p) => p.stores) : k.stores) reach(s.arg, s.index, s.dyn);
  if (k.kind === "contract") {
    const far = (axes: readonly Axis[], of: "a" | "b"): number =>
      axes.reduce((n, x) => n + Math.max(0, x[of]) * Math.max(0, x.size - 1), 1);
    out[0] = Math.max(out[0], k.aOffset + far([...k.batch, ...k.m, ...k.k], "a"));
    out[1] = Math.max(out[1], k.bOffset + far([...k.batch, ...k.n, ...k.k], "b"));
  }
  return out;
}

const cycle = Float64Array.from(
  { length: 65537 },
  (
    (rng) => () =>
      rng.next()
  )(rngOf(1)),
);

/** Numbers of all signs and sizes; small whole numbers, which may be indices. */
function fill(buffer: ArrayBuffer, at: number, n: number, dtype: DType, seed: number): void {
  const draw = (i: number): number => cycle[(i + 977 * seed) % cycle.length];
  const set = (a: TypedArray, value: (x: number) => number): void => {
    for (let i = 0; i < n; i++) a[i] = value(draw(i));
  };
  if (dtype === "float32") set(new Float32Array(buffer, at, n), (x) => 4 * x - 2);
  else if (dtype === "float64") set(new Float64Array(buffer, at, n), (x) => 4 * x - 2);
  else if (dtype === "bool") set(new Uint8Array(buffer, at, n), (x) => (x < 0.5 ? 1 : 0));
  else if (dtype === "uint8") set(new Uint8Array(buffer, at, n), (x) => 256 * x);
  else set(new Int32Array(buffer, at, n), (x) => 100 * x);
}

/** The arguments of `k` after a run on each machine. */
function run(k: LoopKernel | ContractKernel, machine: Backend): Uint8Array[] {
  let end = LINE;
  const place = (bytes: number): number => {
    const at = end;
    end = (Math.ceil((at + bytes) / LINE) + 1) * LINE;
    return at;
  };
  const { blocks, scratchBytes } = sizesOf(k, machine.target);
  const args = extents(k).map((n, i) => ({ at: place(n * bytesOf(k.args[i])), bytes: n * bytesOf(k.args[i]) }));
  const scratch = place(scratchBytes);
  const table = place(8 * (args.length + 2));
  const asm = new Asm(machine.target);
  emitKernel(asm, "run", k);
  const loaded = machine.load(asm, end + LINE);
  const { f, base, buffer } = loaded;
  args.forEach((a, i) => fill(buffer, a.at, a.bytes / bytesOf(k.args[i]), k.args[i], i + 1));
  // Before the addresses, the word that a kernel keeps from call to call.
  const addresses = [-1, ...args.map((a) => base + a.at), base + scratch];
  if (asm.ptrBytes === 8) new BigInt64Array(buffer, table, addresses.length).set(addresses.map(BigInt));
  else new Int32Array(buffer, table, addresses.length).set(addresses);
  f.run(base + table + asm.ptrBytes, 0, blocks);
  const results = args.map((a) => new Uint8Array(buffer, a.at, a.bytes).slice());
  machine.unload?.(loaded);
  return results;
}

/** Where the results of a kernel differ between the first machine and another, or null. Any NaN is like any other. */
export function bitsApart(kernel: Kernel, machines: readonly Backend[]): string | null {
  if (kernel.kind === "scan") throw new Error("a loop over time: its kernels, one by one");
  const [first, ...others] = machines;
  const want = run(kernel, first);
  for (const machine of others) {
    for (const [i, got] of run(kernel, machine).entries()) {
      if (Buffer.compare(got, want[i]) === 0) continue;
      const dtype = kernel.args[i];
      const view = (b: Uint8Array): Float32Array | Float64Array | Int32Array | Uint8Array =>
        dtype === "float32"
          ? new Float32Array(b.buffer)
          : dtype === "float64"
            ? new Float64Array(b.buffer)
            : bytesOf(dtype) === 1
              ? b
              : new Int32Array(b.buffer);
      const [x, y] = [view(want[i]), view(got)];
      const apart: number[] = [];
      x.forEach((v, j) => !Object.is(v, y[j]) && apart.push(j));
      if (apart.length === 0) continue;
      const [j] = apart;
      return `argument ${i}: ${apart.length} of ${x.length} elements, first at ${j}: ${x[j]} on ${first.name}, ${y[j]} on ${machine.name}`;
    }
  }
  return null;
}
