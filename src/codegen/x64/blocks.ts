// Transposing the blocks of 128 bits of vectors that hold two or four.
import type { Asm, Val } from "../asm/index.ts";

/** As many vectors as each holds blocks. */
export function transposeBlocks(asm: Asm, [a, b, c, d]: readonly Val[]): Val[] {
  const even = (x: Val, y: Val): Val => asm.lanewise("evenBlocks", x, y);
  const odd = (x: Val, y: Val): Val => asm.lanewise("oddBlocks", x, y);
  const first = [even(a, b), odd(a, b)];
  if (c === undefined) return first;
  const second = [even(c, d), odd(c, d)];
  return [even, odd].flatMap((of) => first.map((x, i) => of(x, second[i])));
}
