import { bytesOf, sizeOf } from "../base/index.ts";
import { PRIMITIVES } from "../ir/index.ts";
import type { Affine, Kernel } from "./kernel.ts";

/** Floating-point operations (a transcendental counts as one) and bytes touched once, of one run of a kernel. */
export function workOf(kernel: Kernel): { flops: number; bytes: number } {
  if (kernel.kind === "scan") {
    const once = kernel.body.steps.reduce((s, x) => ({ flops: s.flops + x.flops, bytes: s.bytes + x.bytes }), {
      flops: 0,
      bytes: 0,
    });
    return { flops: once.flops * kernel.length, bytes: once.bytes * kernel.length };
  }
  const ops = kernel.exs.filter((e) => e.k === "op" && PRIMITIVES[e.op].cost > 0).length;
  if (kernel.kind === "contract") {
    const size = (axes: readonly { size: number }[]): number => sizeOf(axes.map((a) => a.size));
    const [batch, m, n, k] = [size(kernel.batch), size(kernel.m), size(kernel.n), size(kernel.k)];
    const out = batch * m * n;
    const width = bytesOf(kernel.dtype);
    return { flops: out * (2 * k + ops), bytes: width * batch * (m * k + k * n) + kernel.stores.length * out * width };
  }
  const span = (index: Affine, loops: readonly number[]): number =>
    loops.reduce((n, size, l) => (index.t[l] ? n * size : n), 1);
  let bytes = 0;
  for (const e of kernel.exs) if (e.k === "load") bytes += span(e.index, kernel.loops) * bytesOf(e.dtype);
  for (const p of kernel.phases) for (const s of p.stores) bytes += span(s.index, kernel.loops) * bytesOf(s.dtype);
  const reductions = kernel.phases.reduce((n, p) => n + p.reductions.length, 0);
  return { flops: sizeOf(kernel.loops) * (ops + reductions), bytes };
}
