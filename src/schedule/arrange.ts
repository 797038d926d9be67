import type { Affine, Axis, ContractKernel, LoopKernel, Phase, Store } from "./kernel.ts";
import { dependsOn, indicesOf, withIndices } from "./exs.ts";

/** Loops put in order for a machine: ones of size 1 dropped, neighbours that run on merged, the vector loop chosen. */
export function arrange(kernel: LoopKernel): LoopKernel {
  return shareSerial(vectorise(flattenOuter(mergeLoops(kernel))));
}

/** A contraction with loops of one turn dropped, and neighbours merged where operands, result and epilogue all run on. */
export function mergeContraction(kernel: ContractKernel): ContractKernel {
  const axes = [...kernel.batch, ...kernel.m, ...kernel.n];
  let at = 0;
  const lists = [kernel.batch, kernel.m, kernel.n].map((list) => list.map(() => at++));
  const strides = (["a", "b", "c"] as const).map((of): Affine => ({ c: 0, t: axes.map((x) => x[of]) }));
  const indices = [...strides, ...kernel.exs.flatMap(indicesOf), ...kernel.stores.map((s) => s.index)];
  const { keep, sizes } = runOn(
    axes.map((x) => x.size),
    lists,
    indices,
  );
  const index = (a: Affine): Affine => ({ c: a.c, t: keep.map((l) => a.t[l] ?? 0) });
  const [batch, m, n] = lists.map((list) =>
    list.filter((l) => keep.includes(l)).map((l): Axis => ({ ...axes[l], size: sizes[l] })),
  );
  return {
    ...kernel,
    batch,
    m,
    n,
    exs: kernel.exs.map((e) => withIndices(e, index)),
    stores: kernel.stores.map((s) => ({ ...s, index: index(s.index) })),
  };
}

/** The loops `keep` alone, renumbered. */
function renumber(kernel: LoopKernel, keep: readonly number[]): LoopKernel {
  const to = new Map(keep.map((l, i) => [l, i]));
  const list = (loops: readonly number[]): number[] => loops.filter((l) => to.has(l)).map((l) => to.get(l) as number);
  const index = (a: Affine): Affine => ({ c: a.c, t: keep.map((l) => a.t[l] ?? 0) });
  const store = (s: Store): Store => ({ ...s, index: index(s.index) });
  return {
    ...kernel,
    exs: kernel.exs.map((e) => withIndices(e, index)),
    loops: keep.map((l) => kernel.loops[l]),
    outer: list(kernel.outer),
    phases: kernel.phases.map((p) => ({ ...p, stores: p.stores.map(store), loops: list(p.loops) })),
  };
}

/** Loops of one turn go; neighbours merge when every index steps through both as through one loop. */
function mergeLoops(kernel: LoopKernel): LoopKernel {
  const { exs, phases } = kernel;
  const ordered = phases.flatMap((p) => (p.ordered ? p.loops : []));
  const indices = [...exs.flatMap(indicesOf), ...phases.flatMap((p) => p.stores.map((s) => s.index))];
  const { keep, sizes } = runOn(kernel.loops, [kernel.outer, ...phases.map((p) => p.loops)], indices, ordered);
  return renumber({ ...kernel, loops: sizes }, keep);
}

/** Which loops are left of those in the lists, and how many turns they then have; those `apart` do not merge with the next. */
function runOn(
  loops: readonly number[],
  all: readonly (readonly number[])[],
  indices: readonly Affine[],
  apart: readonly number[] = [],
): { keep: number[]; sizes: number[] } {
  const lists = all.map((list) => list.filter((l) => loops[l] !== 1));
  const sizes = [...loops];
  const gone = new Set<number>();
  for (const list of lists) {
    for (let i = 0; i + 1 < list.length; i++) {
      const [p, q] = [list[i], list[i + 1]];
      if (gone.has(p) || apart.includes(p)) continue;
      const together = lists.every((l) => (l.includes(p) ? l[l.indexOf(p) + 1] === q : !l.includes(q)));
      if (!together || indices.some((a) => (a.t[p] ?? 0) !== (a.t[q] ?? 0) * loops[q])) continue;
      gone.add(p);
      sizes[q] *= sizes[p];
    }
  }
  return { keep: [...loops.keys()].filter((l) => loops[l] !== 1 && !gone.has(l)), sizes };
}

/** A kernel without reductions: all its loops are outer, but the last. */
function flattenOuter(kernel: LoopKernel): LoopKernel {
  const [only] = kernel.phases;
  if (kernel.phases.length !== 1 || only.reductions.length > 0 || only.ordered || kernel.outer.length > 0)
    return kernel;
  return { ...kernel, outer: only.loops.slice(0, -1), phases: [{ ...only, loops: only.loops.slice(-1) }] };
}

/** How well the turns of a loop do as lanes: unit steps are good, strides are dear, some things forbid it. */
function score(kernel: LoopKernel, loop: number): number {
  const size = kernel.loops[loop];
  let total = 0;
  const step = (a: Affine): number => a.t[loop] ?? 0;
  const dynamicHere = (ex: number): boolean => dependsOn(kernel.exs, ex, [loop]);
  for (const e of kernel.exs) {
    if (e.k === "load") {
      const f = step(e.index);
      total += f === 1 ? 3 : f === 0 ? 1 : -4;
      if (e.dyn.some((d) => dynamicHere(d.ex))) total -= 12;
    }
    if (e.k === "guard") {
      for (const c of e.conds) {
        if (step(c.index) === 0) continue;
        if (step(c.index) !== 1 || c.index.t.some((f, l) => f !== 0 && l !== loop)) return -Infinity;
        total -= 1;
      }
    }
  }
  for (const p of kernel.phases) {
    if (p.ordered && p.loops.includes(loop)) return -Infinity;
    if (p.loops.includes(loop) && p.reductions.some((r) => r.kind === "pick")) return -Infinity;
    for (const s of p.stores) {
      const f = step(s.index);
      if (s.add && (f === 0 || s.dyn.some((d) => dynamicHere(d.ex)))) return -Infinity;
      if (s.dyn.some((d) => dynamicHere(d.ex))) return -Infinity;
      total += f === 1 ? 4 : f === 0 ? 0 : -4;
    }
  }
  return size >= 4 ? total : total * 0.25 - 1;
}

const WIDE: ReadonlySet<string> = new Set(["float64"]);

/** Chooses the loop whose turns become lanes; float64 stays scalar: it is for checking. */
function vectorise(kernel: LoopKernel): LoopKernel {
  const dtypes = [...kernel.exs.map((e) => e.dtype), ...kernel.phases.flatMap((p) => p.stores.map((s) => s.dtype))];
  if (dtypes.some((d) => WIDE.has(d))) return kernel;
  const reducing = kernel.phases.length > 1 || kernel.phases.some((p) => p.reductions.length > 0 || p.ordered);
  const candidates = kernel.loops.map((_, l) => ({ l, s: score(kernel, l) })).filter((c) => c.s > 0);
  candidates.sort((a, b) => b.s - a.s || b.l - a.l);
  const best = candidates[0];
  if (best === undefined) return kernel;
  const last = (loops: readonly number[], l: number): number[] => [...loops.filter((x) => x !== l), l];
  if (!reducing) {
    const [only] = kernel.phases;
    const all = [...kernel.outer, ...only.loops];
    const order = last(all, best.l);
    return { ...kernel, outer: order.slice(0, -1), phases: [{ ...only, loops: order.slice(-1), vec: best.l }] };
  }
  if (kernel.outer.includes(best.l)) return { ...kernel, outer: last(kernel.outer, best.l), vec: best.l };
  const phases = kernel.phases.map((p): Phase =>
    p.loops.includes(best.l) ? { ...p, loops: last(p.loops, best.l), vec: best.l } : p,
  );
  return { ...kernel, phases };
}

/** A kernel whose stores may meet: cut where they never do, by its first loop or by columns; the order at each place stays. */
function shareSerial(kernel: LoopKernel): LoopKernel {
  if (!kernel.serial) return kernel;
  const [first] = kernel.outer;
  if (first !== undefined && first !== kernel.vec && staysApart(kernel, first)) return { ...kernel, serial: false };
  const [only] = kernel.phases;
  if (kernel.phases.length > 1 || only.vec < 0 || !staysApart(kernel, only.vec)) return kernel;
  const phase: Phase = { ...only, loops: [...kernel.outer, ...only.loops.slice(0, -1)], vec: -1 };
  return { ...kernel, serial: false, outer: [only.vec], phases: [phase], vec: only.vec };
}

/** True when different turns of `loop` never store in the same place. */
function staysApart(kernel: LoopKernel, loop: number): boolean {
  const size = kernel.loops[loop];
  return kernel.phases.every((p) =>
    p.stores.every(({ index, dyn }) => {
      const step = index.t[loop] ?? 0;
      let within = 0;
      const beyond = (stride: number): boolean => stride % (step * size) === 0;
      const fits = index.t.every((t, l) => {
        if (l === loop || beyond(t)) return true;
        within += Math.abs(t) * (kernel.loops[l] - 1);
        return t > 0 && t < step;
      });
      return step > 0 && fits && within < step && dyn.every((d) => beyond(d.stride));
    }),
  );
}
