// Kernels of their own: code written against the assembler in the place of loops.
import { bytesOf, sizeOf } from "../base/index.ts";
import type { Asm, Val } from "../codegen/index.ts";
import type { Node } from "../ir/index.ts";
import type { LoopKernel, Store } from "../schedule/index.ts";

/** What a routine says of itself. */
export interface RoutineSpec {
  /** Equal for equal code over equal shapes. */
  readonly key: string;
  /** Rows or matrices: one after the other in every source and in the result. */
  readonly parts: number;
  /** Operations of one part. */
  readonly flops: number;
  /** Working memory of a thread, in bytes. */
  readonly scratch: number;
  /** Writes the code of one part: addresses of its share of each source, of the result, and of the working memory. */
  readonly emit: (asm: Asm, srcs: readonly Val[], into: Val, room: Val) => void;
}

/** The kernel of a routine node: its parts are the turns of the outer loop, what it writes is the one store. */
export function routineKernel(n: Node, spec: RoutineSpec): LoopKernel {
  const { parts, scratch, emit } = spec;
  const share = (t: Node): number => sizeOf(t.shape) / Math.max(1, parts);
  const all = [...n.srcs, n];
  const size = share(n);
  const store: Store = {
    arg: n.srcs.length,
    index: { c: 0, t: [size, 1] },
    dyn: [],
    value: 0,
    dtype: n.dtype,
    add: false,
  };
  return {
    kind: "loop",
    loops: [parts, size],
    outer: [0],
    phases: [{ loops: [1], reductions: [], stores: [store], ordered: false, vec: -1 }],
    // Stands for what the code writes.
    exs: [{ k: "const", value: 0, dtype: n.dtype }],
    args: all.map((t) => t.dtype),
    serial: false,
    vec: -1,
    scratch,
    routine: {
      key: `${spec.key} ${n.srcs.map((s) => s.shape.join()).join(" ")}`,
      flops: parts * spec.flops,
      emit: (asm: Asm, at: readonly Val[], lo: Val, hi: Val) =>
        asm.loop(lo, hi, 1, (part) => {
          const places = all.map((t, i) => asm.ptrAdd(at[i], asm.mul(part, share(t) * bytesOf(t.dtype))));
          emit(asm, places.slice(0, -1), places[all.length - 1], at[all.length]);
        }),
    },
  };
}
