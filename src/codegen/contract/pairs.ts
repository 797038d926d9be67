// Results of few columns: two steps of k side by side in the lanes, [column 0 step 0, column 0 step 1, column 1 step 0 …].
import type { Arg, Asm, Val } from "../asm/index.ts";
import { outerLoops } from "./pack.ts";
import type { KLoop } from "./pack.ts";
import { tileSums } from "./tile.ts";

const ES = 4;

/** Turns of the last loop, two steps each: it has an even number of steps. */
const half = (asm: Asm, l: KLoop): Arg => (typeof l.size === "number" ? l.size >> 1 : asm.bin("shrU", l.size, 1));

interface PairPanel {
  readonly src: Val;
  readonly dst: Val;
  readonly vectors: number;
  readonly columns: number;
  readonly column: number;
  readonly k: readonly KLoop[];
}

/** Packs `columns` of B as some vectors for two steps. */
function emitPackPairs(asm: Asm, p: PairPanel): void {
  const out = asm.var("ptr", p.dst);
  const inner = p.k[p.k.length - 1];
  outerLoops(asm, p.k, "b", p.src, (from) => {
    const s = asm.var("ptr", from);
    asm.loop(0, half(asm, inner), 1, () => {
      const [src, dst] = [asm.get(s), asm.get(out)];
      const lanes = p.vectors * asm.lanes;
      for (let lane = 0; lane < lanes; lane++) {
        const at = (lane >> 1) * p.column + (lane & 1) * inner.b;
        const there = lane < 2 * p.columns;
        asm.store(dst, lane * ES, there ? asm.load("f32", at === 0 ? src : asm.ptrAdd(src, at)) : asm.f32(0));
      }
      asm.set(s, asm.ptrAdd(src, 2 * inner.b));
      asm.set(out, asm.ptrAdd(dst, lanes * ES));
    });
  });
}

interface PairTile {
  readonly rows: number;
  /** Vectors of two steps of all columns. */
  readonly vectors: number;
  /** Address of (row 0, k 0) of A, whose steps lie next to each other; bytes between rows. */
  readonly a: Val;
  readonly rowA: number;
  /** Packed panel. */
  readonly b: Val;
  readonly k: readonly KLoop[];
}

/** The sums of a tile: of each row, vectors of columns. */
function emitPairTile(asm: Asm, t: PairTile): Val[][] {
  const acc = tileSums(asm, "vf32", t.rows, t.vectors);
  const bp = asm.var("ptr", t.b);
  const inner = t.k[t.k.length - 1];
  const size = asm.lanes * ES;
  outerLoops(asm, t.k, "a", t.a, (from) => {
    const ap = asm.var("ptr", from);
    asm.loop(0, half(asm, inner), 1, () => {
      const bs = Array.from({ length: t.vectors }, (_, j) => asm.load("vf32", asm.get(bp), j * size));
      acc.forEach((list, r) => {
        const x = asm.bitcast("vf32", asm.loadSplat("vf64", asm.get(ap), r * t.rowA));
        list.forEach((v, j) => asm.set(v, asm.fma(x, bs[j], asm.get(v))));
      });
      asm.set(ap, asm.ptrAdd(asm.get(ap), 2 * ES));
      asm.set(bp, asm.ptrAdd(asm.get(bp), t.vectors * size));
    });
  });
  return acc.map((list) =>
    sumPairs(
      asm,
      list.map((v) => asm.get(v)),
    ),
  );
}

/** Sums of neighbouring lanes, in order. */
function sumPairs(asm: Asm, vectors: readonly Val[]): Val[] {
  const packed = vectors.map((a) => {
    const sums = asm.add(a, asm.lanewise("swapPairs", a));
    return asm.lanewise("interleaveLow", sums, asm.lanewise("swapHalves", sums));
  });
  return packed.flatMap((x, i) => {
    const y = packed[i + 1] ?? x;
    if (i % 2 === 1) return [];
    if (asm.lanes === 4) return [asm.lanewise("interleaveLow2", x, y)];
    return [asm.lanewise("interleaveLow2", asm.lanewise("evenBlocks", x, y), asm.lanewise("oddBlocks", x, y))];
  });
}

/** Both, as a target brings them along. */
export interface Pairs {
  readonly pack: (asm: Asm, p: PairPanel) => void;
  readonly tile: (asm: Asm, t: PairTile) => Val[][];
}
export const pairs: Pairs = { pack: emitPackPairs, tile: emitPairTile };
