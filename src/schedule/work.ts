import { bytesOf, sizeOf } from "../base/index.ts";
import { PRIMITIVES } from "../ir/index.ts";
import { loopsIn, sourcesOf } from "./exs.ts";
import type { Affine, Axis, ContractKernel, Ex, Kernel, LoopKernel } from "./kernel.ts";

export interface Work {
  readonly flops: number;
  readonly bytes: number;
}

/** Floating-point operations (a transcendental counts as one) and bytes touched once, of one run of a kernel. */
export function workOf(kernel: Kernel): Work {
  if (kernel.kind === "loop") return loopWork(kernel);
  if (kernel.kind === "contract") return contractWork(kernel);
  const { body, length } = kernel;
  return {
    flops: length * body.steps.reduce((n, s) => n + s.flops, 0),
    bytes: length * body.steps.reduce((n, s) => n + s.bytes, 0),
  };
}

const isCounted = (e: Ex): boolean => e.k === "op" && PRIMITIVES[e.op].cost > 0;

function contractWork(kernel: ContractKernel): Work {
  const { batch, m, n, k } = kernel;
  const size = (axes: readonly Axis[]): number => sizeOf(axes.map((a) => a.size));
  const out = size(batch) * size(m) * size(n);
  const read = (axes: readonly Axis[], side: "a" | "b"): number =>
    distinct(axes.map((x) => ({ size: x.size, stride: x[side] })));
  const elements = read([...batch, ...m, ...k], "a") + read([...batch, ...n, ...k], "b") + kernel.stores.length * out;
  return {
    flops: out * (2 * size(k) + kernel.exs.filter(isCounted).length),
    bytes: elements * bytesOf(kernel.dtype),
  };
}

function loopWork(kernel: LoopKernel): Work {
  const { loops, outer, phases, exs, args } = kernel;
  const turns = (depends: ReadonlySet<number>): number => sizeOf([...depends].map((l) => loops[l]));
  const depends = dependencies(kernel);
  let flops = kernel.routine?.flops ?? 0;
  exs.forEach((e, i) => isCounted(e) && (flops += turns(depends[i])));
  for (const p of phases) flops += p.reductions.length * turns(new Set([...outer, ...p.loops]));
  let bytes = 0;
  // Rows of scratch memory, arguments after the last, are in cache.
  const touch = ({ arg, index, dtype }: { arg: number; index: Affine; dtype: Ex["dtype"] }): void => {
    if (arg >= args.length) return;
    const axes = loops.map((size, l) => ({ size, stride: index.t[l] ?? 0 }));
    bytes += distinct(axes) * bytesOf(dtype);
  };
  for (const e of exs) if (e.k === "load") touch(e);
  for (const p of phases) p.stores.forEach(touch);
  return { flops, bytes };
}

/** The loops in which each expression changes: it is computed once for each of their turns. */
function dependencies({ outer, phases, exs }: LoopKernel): Set<number>[] {
  const out: Set<number>[] = [];
  exs.forEach((e) => {
    const own = new Set([...sourcesOf(e).flatMap((x) => [...out[x]]), ...loopsIn(e)]);
    if (e.k === "acc")
      for (const l of phases[e.phase].ordered ? [...outer, ...phases[e.phase].loops] : outer) own.add(l);
    out.push(own);
  });
  return out;
}

/**
 * How many different places Σ stride · index has: axes that run over the same ones (windows and the image below them) are
 * joined.
 */
function distinct(axes: readonly { readonly size: number; readonly stride: number }[]): number {
  const runs: { count: number; stride: number }[] = [];
  if (axes.some((x) => x.size === 0)) return 0;
  const moving = axes.filter((x) => x.stride !== 0 && x.size > 1);
  for (const { size, stride } of moving.toSorted((x, y) => Math.abs(x.stride) - Math.abs(y.stride))) {
    const step = Math.abs(stride);
    const same = runs.find((r) => step % r.stride === 0 && step < r.stride * r.count);
    if (same === undefined) runs.push({ count: size, stride: step });
    else same.count += (size - 1) * (step / same.stride);
  }
  return sizeOf(runs.map((r) => r.count));
}
