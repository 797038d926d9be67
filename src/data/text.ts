import { ValueError } from "../base/index.ts";
import type { HostArray } from "../io/index.ts";

/** Options of `vocabulary`. */
export interface VocabularyOptions {
  /** What an id stands for: words and punctuation marks in lower case (default), or characters as they are. */
  readonly unit?: "word" | "character";
  /** At most so many ids, the two special ones included; the most frequent units are kept. Default: all. */
  readonly size?: number;
}

/** Text to numbers and back; see `vocabulary`. */
export interface Vocabulary {
  /** Units by id; 0 is "<pad>", 1 is "<unk>". */
  readonly units: readonly string[];
  /** Ids int32 [T], or [length]: cut off, or filled with 0 at the end. */
  encode(text: string, length?: number): HostArray;
  /** The text of ids: words joined by spaces. */
  decode(ids: ArrayLike<number>): string;
}

/**
 * The units of some texts and their ids, the most frequent first (equals in order of their code points).
 *
 * @throws ValueError for a size without room.
 * @example vocabulary(["to be or not to be"]).encode("to be there").data; // 3, 2, 1
 */
export function vocabulary(texts: readonly string[], options: VocabularyOptions = {}): Vocabulary {
  const { unit = "word", size = Infinity } = options;
  if (size < 3) throw new ValueError(`[vocabulary] size must be 3 or more, got ${size}: two ids are special.`);
  const split = (text: string): string[] =>
    unit === "character" ? [...text] : (text.toLowerCase().match(/[\p{L}\p{N}]+|[^\s\p{L}\p{N}]/gu) ?? []);
  const counts = new Map<string, number>();
  for (const text of texts) for (const u of split(text)) counts.set(u, (counts.get(u) ?? 0) + 1);
  const sorted = [...counts].sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1)).map(([u]) => u);
  const units = ["<pad>", "<unk>", ...sorted].slice(0, size);
  const ids = new Map(units.map((u, i) => [u, i]));
  return {
    units,
    encode(text, length) {
      const found = split(text).map((u) => ids.get(u) ?? 1);
      const data = new Int32Array(length ?? found.length);
      data.set(found.slice(0, data.length));
      return { data, shape: [data.length], dtype: "int32" };
    },
    decode: (sequence) =>
      Array.from(sequence)
        .filter((id) => id !== 0)
        .map((id) => units[id] ?? "<unk>")
        .join(unit === "word" ? " " : ""),
  };
}
