// Long sums for few results (gradients by a kernel): parts of the sum are contractions side by side, and are added up at the end.
import { bytesOf, sizeOf } from "../base/index.ts";
import { build as b, type Node } from "../ir/index.ts";
import type { Affine, Axis, ContractKernel, Ex, LoopKernel, Store } from "./kernel.ts";
import { arrange, mergeContraction } from "./arrange.ts";
import { withIndices } from "./exs.ts";
import { workOf } from "./work.ts";

/** Parts at most and at least: fixed, so that results do not depend on the number of threads. */
const MOST = 32;
const LEAST = 4;
/** Steps of a sum that a part should have. */
const STEPS = 256;
/** Elements of the operands for each element of the parts, at least. */
const TRAFFIC = 4;

const size = (axes: readonly Axis[]): number => sizeOf(axes.map((x) => x.size));

/** The axes of the sum with some turns in front of the others: which go over parts, and which stay inside of them. */
function cutSum(axes: readonly Axis[], most: number): { parts: Axis[]; inside: Axis[] } {
  const parts: Axis[] = [];
  const inside: Axis[] = [];
  let left = most;
  // What is farthest apart in A goes first.
  for (const x of axes.toSorted((p, q) => Math.abs(q.a) - Math.abs(p.a))) {
    let times = Math.min(x.size, Math.floor(left));
    while (x.size % times !== 0) times--;
    const rest = x.size / times;
    if (times > 1) parts.push({ size: times, a: x.a * rest, b: x.b * rest, c: 0 });
    if (rest > 1) inside.push({ ...x, size: rest });
    left = rest > 1 ? 1 : left / times;
  }
  return { parts, inside };
}

/** The contraction in parts, and the kernel that adds them up and does the epilogue; null where that does not repay. */
export function inParts(
  kernel: ContractKernel,
  args: readonly Node[],
): { kernel: ContractKernel | LoopKernel; args: readonly Node[] }[] | null {
  const { batch, m, n } = kernel;
  const given = [...batch, ...m, ...n];
  const out = size(given);
  const most = Math.min(MOST, size(kernel.k) / STEPS, workOf(kernel).bytes / (bytesOf(kernel.dtype) * TRAFFIC * out));
  if (!(most >= LEAST)) return null;
  const { parts, inside } = cutSum(kernel.k, most);
  const count = size(parts);
  if (count < LEAST) return null;
  const partial = b.leaf([count, out], kernel.dtype, "parts");
  // Parts lie one after the other, rows and columns of each in the order of the operands: tiles are stored in a line.
  const far = (side: "a" | "b", axes: readonly Axis[]): Axis[] =>
    axes.toSorted((p, q) => Math.abs(q[side]) - Math.abs(p[side]));
  const order = [...batch, ...far("a", m), ...far("b", n)];
  const placed = (axes: readonly Axis[]): Axis[] =>
    axes.map((x) => ({ ...x, c: size(order.slice(order.indexOf(x) + 1)) }));
  const first = parts.map((x, i): Axis => ({ ...x, c: out * size(parts.slice(i + 1)) }));
  const sums: ContractKernel = {
    ...kernel,
    batch: [...first, ...placed(batch)],
    m: placed(m),
    n: placed(n),
    k: inside,
    args: [args[0], args[1], partial].map((x) => x.dtype),
    exs: [{ k: "tile", dtype: kernel.dtype }],
    stores: [],
  };
  const place: Affine = { c: 0, t: [...sums.batch, ...sums.m, ...sums.n].map((x) => x.c) };
  const store: Store = { arg: 2, index: place, dyn: [], value: 0, dtype: kernel.dtype, add: false };
  const shifted = (x: Affine): Affine => ({ c: x.c, t: [0, ...order.map((o) => x.t[given.indexOf(o)] ?? 0)] });
  const exs = kernel.exs.map((e): Ex => {
    if (e.k === "tile") return { k: "acc", phase: 0, slot: 0, dtype: e.dtype };
    const moved = withIndices(e, shifted);
    return moved.k === "load" ? { ...moved, arg: moved.arg - 1 } : moved;
  });
  const index = { c: 0, t: [out, ...placed(order).map((x) => x.c)] };
  const value = exs.push({ k: "load", arg: 0, index, dyn: [], dtype: kernel.dtype }) - 1;
  const whole = { loops: [], reductions: [], ordered: false, vec: -1 };
  const total: LoopKernel = {
    kind: "loop",
    loops: [count, ...order.map((x) => x.size)],
    outer: order.map((_, i) => i + 1),
    phases: [
      { ...whole, loops: [0], reductions: [{ kind: "sum", value, payload: -1, dtype: kernel.dtype }], stores: [] },
      { ...whole, stores: kernel.stores.map((s) => ({ ...s, arg: s.arg - 1, index: shifted(s.index) })) },
    ],
    exs,
    args: [kernel.dtype, ...kernel.args.slice(2)],
    serial: false,
    vec: -1,
    scratch: 0,
  };
  return [
    { kernel: mergeContraction({ ...sums, stores: [store] }), args: [args[0], args[1], partial] },
    { kernel: arrange(total), args: [partial, ...args.slice(2)] },
  ];
}
