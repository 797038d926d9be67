/** A value that lives from step `from` to step `to`, both included. */
export interface Span<K> {
  readonly key: K;
  readonly from: number;
  readonly to: number;
  readonly bytes: number;
}

const ALIGN = 64;
/** Larger values start at a page: see runtime/heap. */
const BIG = 4096;
const alignOf = (bytes: number): number => (bytes >= BIG ? BIG : ALIGN);
const up = (x: number, align: number): number => Math.ceil(x / align) * align;

/** Offsets such that values alive at the same time do not overlap: largest first, each as low as it fits. */
export function placeInArena<K>(spans: readonly Span<K>[]): {
  offsets: Map<K, number>;
  arenaBytes: number;
  totalBytes: number;
} {
  const offsets = new Map<K, number>();
  const placed: { span: Span<K>; offset: number; end: number }[] = [];
  let arenaBytes = 0;
  let totalBytes = 0;
  for (const span of [...spans].sort((a, b) => b.bytes - a.bytes || a.from - b.from)) {
    const size = up(Math.max(span.bytes, 1), ALIGN);
    const align = alignOf(span.bytes);
    totalBytes += size;
    let offset = 0;
    // `placed` stays sorted by offset: walk up through those that are alive together.
    for (const p of placed) {
      if (p.span.to < span.from || p.span.from > span.to) continue;
      if (p.offset - offset >= size) break;
      offset = Math.max(offset, up(p.end, align));
    }
    offsets.set(span.key, offset);
    const entry = { span, offset, end: offset + size };
    const at = placed.findIndex((p) => p.offset > offset);
    if (at < 0) placed.push(entry);
    else placed.splice(at, 0, entry);
    arenaBytes = Math.max(arenaBytes, offset + size);
  }
  return { offsets, arenaBytes, totalBytes };
}
