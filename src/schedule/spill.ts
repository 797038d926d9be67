import { bytesOf } from "../base/index.ts";
import { PRIMITIVES } from "../ir/index.ts";
import { arrange } from "./arrange.ts";
import type { Affine, Ex, LoopKernel, Phase, Store } from "./kernel.ts";
import { dependsOn, reachable, sourcesOf, storeWith, wantedBy, withSources } from "./exs.ts";

/** Additions above which a value is worth a trip to the first-level cache and back. */
const DEAR = 10;
/** Rows above this are computed again rather than kept: they would not stay in the cache. */
const ROW_BYTES = 64 * 1024;

/** The kernel arranged; values that are dear and wanted by several phases of a row are kept in a row of scratch memory. */
export function arrangeRows(kernel: LoopKernel): LoopKernel {
  const kept = keepRows(kernel);
  if (kept !== null) {
    const arranged = arrange(kept);
    // Lanes that are rows of their own would share one scratch row.
    if (arranged.vec < 0) return arranged;
  }
  return arrange(kernel);
}

function keepRows(kernel: LoopKernel): LoopKernel | null {
  const { exs, phases } = kernel;
  const inner = phases[0]?.loops ?? [];
  const wide = phases.filter((p) => p.loops.length > 0);
  if (wide.length < 2 || kernel.serial || wide.some((p) => p.ordered || p.loops.length !== inner.length)) return null;
  const uses = phases.map((p) => reachable(exs, wantedBy(p)));
  const turns = inner.reduce((n, l) => n * kernel.loops[l], 1);
  const rows: { ex: number; first: number; offset: number }[] = [];
  let bytes = 0;
  exs.forEach((e, i) => {
    if (e.k !== "op" || PRIMITIVES[e.op].cost < DEAR || !dependsOn(exs, i, inner)) return;
    const first = phases.findIndex((p, n) => p.loops.length > 0 && uses[n].has(i));
    if (first < 0 || !phases.some((p, n) => n > first && p.loops.length > 0 && uses[n].has(i))) return;
    rows.push({ ex: i, first, offset: bytes });
    bytes += Math.ceil((turns * bytesOf(e.dtype)) / 64) * 64;
  });
  if (rows.length === 0 || bytes > ROW_BYTES) return null;
  const all: Ex[] = [...exs];
  const placeOf = ({ ex, offset }: (typeof rows)[number]): Pick<Store, "arg" | "index" | "dyn" | "dtype"> => {
    const { dtype } = exs[ex];
    return { arg: kernel.args.length, index: rowIndex(kernel, inner, offset / bytesOf(dtype)), dyn: [], dtype };
  };
  const out: Phase[] = phases.map((p, n) => {
    const memo = new Map<number, number>();
    for (const r of rows) if (n > r.first) memo.set(r.ex, all.push({ k: "load", ...placeOf(r) }) - 1);
    const swap = (i: number): number => (i < 0 ? i : substitute(all, i, memo));
    return {
      ...p,
      reductions: p.reductions.map((r) => ({ ...r, value: swap(r.value), payload: swap(r.payload) })),
      stores: [
        ...rows.filter((r) => r.first === n).map((r) => ({ ...placeOf(r), value: r.ex, add: false })),
        ...p.stores.map((s) => storeWith(s, swap)),
      ],
    };
  });
  return { ...kernel, exs: all, phases: out, scratch: bytes };
}

/** Position in a row, by the inner loops alone. */
function rowIndex(kernel: LoopKernel, inner: readonly number[], c: number): Affine {
  const t = kernel.loops.map(() => 0);
  let stride = 1;
  for (let i = inner.length - 1; i >= 0; i--) {
    t[inner[i]] = stride;
    stride *= kernel.loops[inner[i]];
  }
  return { c, t };
}

/** `root` with the expressions of `memo` replaced; unchanged parts are shared. */
function substitute(all: Ex[], root: number, memo: Map<number, number>): number {
  const known = memo.get(root);
  if (known !== undefined) return known;
  const e = all[root];
  const made = withSources(e, (i) => substitute(all, i, memo));
  const old = sourcesOf(e);
  const out = sourcesOf(made).every((s, i) => s === old[i]) ? root : all.push(made) - 1;
  memo.set(root, out);
  return out;
}
