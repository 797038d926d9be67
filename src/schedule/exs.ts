import type { Affine, Ex, Phase, Store } from "./kernel.ts";

/** How many phases have to be over before an expression is known. */
export function depths(exs: readonly Ex[]): (ex: number) => number {
  const memo = new Map<number, number>();
  const depth = (i: number): number => {
    if (i < 0) return 0;
    let d = memo.get(i);
    if (d !== undefined) return d;
    const ex = exs[i];
    d = ex.k === "acc" ? ex.phase + 1 : sourcesOf(ex).reduce((m, s) => Math.max(m, depth(s)), 0);
    memo.set(i, d);
    return d;
  };
  return depth;
}

export function sourcesOf(ex: Ex): readonly number[] {
  if (ex.k === "op") return ex.srcs;
  if (ex.k === "guard") return [ex.then];
  if (ex.k === "load") return ex.dyn.map((d) => d.ex);
  return ex.k === "random" ? ex.key : [];
}

/** The expression made from others: each source `i` is `f(i)`. */
export function withSources(e: Ex, f: (i: number) => number): Ex {
  if (e.k === "op") return { ...e, srcs: e.srcs.map(f) };
  if (e.k === "guard") return { ...e, then: f(e.then) };
  if (e.k === "load") return { ...e, dyn: e.dyn.map((d) => ({ ...d, ex: f(d.ex) })) };
  return e.k === "random" ? { ...e, key: [f(e.key[0]), f(e.key[1])] } : e;
}

/** The store of other values, at other places. */
export const storeWith = (s: Store, f: (i: number) => number): Store => ({
  ...s,
  dyn: s.dyn.map((d) => ({ ...d, ex: f(d.ex) })),
  value: f(s.value),
});

/** The indices that an expression itself reads. */
export const indicesOf = (e: Ex): readonly Affine[] =>
  "index" in e ? [e.index] : e.k === "guard" ? e.conds.map((c) => c.index) : [];

/** The expression at other indices. */
export function withIndices(e: Ex, f: (a: Affine) => Affine): Ex {
  if ("index" in e) return { ...e, index: f(e.index) };
  return e.k === "guard" ? { ...e, conds: e.conds.map((c) => ({ ...c, index: f(c.index) })) } : e;
}

/** The loops that an expression itself reads. */
export const loopsIn = (e: Ex): number[] => [
  ...new Set(indicesOf(e).flatMap((a) => a.t.flatMap((f, l) => (f === 0 ? [] : [l])))),
];

/** True when an expression reads one of these loops other than through a finished reduction. */
export const dependsOn = (exs: readonly Ex[], root: number, loops: readonly number[]): boolean =>
  [...reachable(exs, [root])].some((i) => loopsIn(exs[i]).some((l) => loops.includes(l)));

/** What a phase reads. */
export const wantedBy = (p: Phase): number[] => [
  ...p.reductions.flatMap((r) => (r.payload >= 0 ? [r.value, r.payload] : [r.value])),
  ...p.stores.flatMap((s) => [s.value, ...s.dyn.map((d) => d.ex)]),
];

/** `roots` and all that they are made from. */
export function reachable(exs: readonly Ex[], roots: readonly number[]): Set<number> {
  const seen = new Set<number>();
  const walk = (i: number): void => {
    if (seen.has(i)) return;
    seen.add(i);
    sourcesOf(exs[i]).forEach(walk);
  };
  roots.forEach(walk);
  return seen;
}
