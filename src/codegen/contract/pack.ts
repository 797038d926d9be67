// Packers: copy a block of B into panels [panel][k][columns of a tile] (zero padded), rows of A into [k][rows].
import type { Arg, Asm, Val, VecType } from "../asm/index.ts";
import type { NAxis } from "./spec.ts";

/** One loop over k inside of a block: length (a value when chunks differ) and byte strides in A and B. */
export interface KLoop {
  readonly size: Arg;
  readonly a: number;
  readonly b: number;
}

/** Byte-strided loops of the k axes inside of a block. */
export function kLoops(axes: readonly NAxis[], firstSize: Arg, es: number): KLoop[] {
  return axes.map((x, i) => ({ size: i === 0 ? firstSize : x.size, a: x.a * es, b: x.b * es }));
}

export interface PackB {
  readonly vtype: VecType;
  readonly es: number;
  /** Lanes of `vtype`. */
  readonly lanes: number;
  /** First element of the block (k = 0, column 0 of the region). */
  readonly src: Val;
  readonly dst: Val;
  /** Panels of `nv` vectors; their number may be a value. The last vector holds `last` columns when panels are one. */
  readonly panels: Arg;
  readonly nv: number;
  readonly last: number;
  /** Bytes between columns, between panels of the destination. */
  readonly column: number;
  readonly panelStride: number;
  readonly k: readonly KLoop[];
}

/** Packs one region of one block. */
export function emitPackB(asm: Asm, p: PackB): void {
  const { es, lanes, nv } = p;
  const width = nv * lanes * es;
  const out = asm.var("ptr", p.dst); // destination of (panel 0, current k)
  const inner = p.k[p.k.length - 1];
  const columns = (nv - 1) * lanes + p.last;
  const eachPanel = (src: Val, dst: Val, body: (s: Val, d: Val) => void): void => {
    const s = asm.var("ptr", src);
    const d = asm.var("ptr", dst);
    asm.loop(0, p.panels, 1, () => {
      body(asm.get(s), asm.get(d));
      asm.set(s, asm.ptrAdd(asm.get(s), nv * lanes * p.column));
      asm.set(d, asm.ptrAdd(asm.get(d), p.panelStride));
    });
  };
  const partial = (j: number): number => (j === nv - 1 ? p.last : lanes);
  // `count` consecutive k from `src`, all panels.
  const copyRows =
    (count: number) =>
    (src: Val): void => {
      eachPanel(src, asm.get(out), (s, d) => {
        for (let i = 0; i < count; i++) {
          const row = i === 0 ? s : asm.ptrAdd(s, i * inner.b);
          for (let j = 0; j < nv; j++) {
            asm.store(d, i * width + j * lanes * es, asm.loadPartial(p.vtype, partial(j), row, j * lanes * es));
          }
        }
      });
    };
  const transposeRows = (src: Val): void => {
    eachPanel(src, asm.get(out), (s, d) => {
      for (let j = 0; j < nv; j++) {
        const rows = Array.from({ length: lanes }, (_, i) =>
          i < partial(j) ? asm.load(p.vtype, at(asm, s, (j * lanes + i) * p.column)) : asm.konst(p.vtype, 0),
        );
        asm.transpose(rows).forEach((v, i) => asm.store(d, i * width + j * lanes * es, v));
      }
    });
  };
  const scalar = es === 8 ? "f64" : "f32";
  const gather = (src: Val): void => {
    eachPanel(src, asm.get(out), (s, d) => {
      for (let c = 0; c < nv * lanes; c++) {
        asm.store(d, c * es, c < columns ? asm.load(scalar, at(asm, s, c * p.column)) : asm.konst(scalar, 0));
      }
    });
  };
  const unitN = p.column === es || columns === 1;
  const step = unitN ? 4 : inner?.b === es ? lanes : 1;
  const many = unitN ? copyRows(4) : transposeRows;
  const one = unitN ? copyRows(1) : gather;
  const walk = (level: number, src: Val): void => {
    const l = p.k[level];
    if (!l) {
      one(src);
      asm.set(out, asm.ptrAdd(asm.get(out), width));
      return;
    }
    const s = asm.var("ptr", src);
    if (level < p.k.length - 1) {
      asm.loop(0, l.size, 1, () => {
        walk(level + 1, asm.get(s));
        asm.set(s, asm.ptrAdd(asm.get(s), l.b));
      });
      return;
    }
    const advance = (n: number): void => {
      asm.set(s, asm.ptrAdd(asm.get(s), n * l.b));
      asm.set(out, asm.ptrAdd(asm.get(out), n * width));
    };
    let from: Arg = 0;
    if (step > 1) {
      from = typeof l.size === "number" ? l.size - (l.size % step) : asm.bin("and", l.size, -step);
      asm.loop(0, from, step, () => {
        many(asm.get(s));
        advance(step);
      });
    }
    asm.loop(from, l.size, 1, () => {
      one(asm.get(s));
      advance(1);
    });
  };
  walk(0, p.src);
}

/** Packs `rows` rows of A that lie next to each other (m stride one) as [k][rows]. */
export function emitPackA(
  asm: Asm,
  vtype: VecType,
  es: number,
  rows: number,
  src: Val,
  dst: Val,
  k: readonly KLoop[],
): void {
  const lanes = asm.lanesOf(vtype);
  const out = asm.var("ptr", dst);
  const walk = (level: number, from: Val): void => {
    const l = k[level];
    if (!l) {
      const d = asm.get(out);
      for (let r = 0; r < rows; r += lanes) {
        const n = Math.min(lanes, rows - r);
        asm.storePartial(n, d, r * es, asm.loadPartial(vtype, n, from, r * es));
      }
      asm.set(out, asm.ptrAdd(d, rows * es));
      return;
    }
    const s = asm.var("ptr", from);
    asm.loop(0, l.size, 1, () => {
      walk(level + 1, asm.get(s));
      asm.set(s, asm.ptrAdd(asm.get(s), l.a));
    });
  };
  walk(0, src);
}

/** Address with a constant part of either sign. */
function at(asm: Asm, p: Val, bytes: number): Val {
  return bytes === 0 ? p : asm.ptrAdd(p, bytes);
}
