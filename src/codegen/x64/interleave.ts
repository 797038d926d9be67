// Independent chains of instructions side by side: a processor looks ahead some hundred instructions, not several chains.
import type { Val } from "../asm/index.ts";
import { jam } from "./jam.ts";

/** What may stand elsewhere, as long as its operands come first. */
const FREE =
  /^(add|sub|mul|div|fma|fnma|p?min|p?max|and|or|xor|andnot|not|neg|abs|scale|fraction|sqrt|shl|shr[SU]|select|splat|bitcast|load|get|eq|ne|[lg][te]|.*From.*|floor|ceil|trunc|nearest)$/;

/** What the bodies write to `code`, one instruction of each in turn; loops of theirs as one; one body after the other where order matters. */
export function interleave(code: Val[], bodies: readonly (() => void)[]): void {
  const from = code.length;
  const ends = bodies.map((body) => {
    body();
    return code.length;
  });
  if (bodies.length < 2) return;
  const parts = ends.map((end, i) => code.slice(i === 0 ? from : ends[i - 1], end));
  const all = code.splice(from);
  if (all.some((v) => !FREE.test(v.op))) {
    if (!jam(code, parts)) code.push(...all);
    return;
  }
  const left = new Set(all);
  const waits = (x: Val | undefined): boolean => x !== undefined && left.has(x);
  const next = parts.map(() => 0);
  while (left.size > 0) {
    parts.forEach((part, i) => {
      const v = part[next[i]];
      if (v === undefined || waits(v.a) || waits(v.b) || waits(v.c)) return;
      next[i]++;
      left.delete(v);
      (v as { id: number }).id = code.push(v) - 1;
    });
  }
}
