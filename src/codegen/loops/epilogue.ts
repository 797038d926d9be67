import type { ContractKernel } from "../../schedule/index.ts";
import type { Asm, Val } from "../asm/index.ts";
import { Evaluator } from "./evaluate.ts";
import { spread } from "./ops.ts";

/** A finished vector (or element) of a contraction and where it belongs. */
export interface Tile {
  readonly acc: Val;
  /** Turn of every loop, in the order batch, m, n; n's last is the first lane's. */
  readonly at: readonly (Val | number)[];
  /** Elements of the vector that count; 0: `acc` is a scalar. */
  readonly count: number;
  /** The loop along which lanes run. */
  readonly lane: number;
}

/** Writes the stores of a contraction's epilogue for one tile; float64 goes lane by lane. */
export function emitEpilogue(asm: Asm, k: ContractKernel, args: readonly Val[], tile: Tile): void {
  const wide = k.dtype === "float64" || k.exs.some((e) => e.dtype === "float64");
  if (!wide || tile.count === 0) return emitTile(asm, k, args, tile);
  for (let i = 0; i < tile.count; i++) {
    const step = (c: Val | number): Val | number => (typeof c === "number" ? c + i : asm.add(c, i));
    const at = tile.at.map((c, l) => (l === tile.lane ? step(c) : c));
    emitTile(asm, k, args, { ...tile, acc: asm.extract(tile.acc, i), at, count: 0 });
  }
}

function emitTile(asm: Asm, k: ContractKernel, args: readonly Val[], tile: Tile): void {
  const lanes = { offset: 0, count: tile.count };
  const ev: Evaluator = new Evaluator(asm, k.exs, args, () => tile.acc);
  const scalar = tile.count === 0;
  const open = (loop: number): void => {
    if (loop < tile.at.length) {
      const counter = tile.at[loop];
      const known = typeof counter === "number" && loop !== tile.lane;
      ev.inLoop({ loop, counter, from: known ? counter : -1, to: known ? counter + 1 : -1 }, () => open(loop + 1));
      return;
    }
    if (!scalar) ev.vec = tile.lane;
    // All values before the first store: one of them may go over what another reads.
    const values = k.stores.map((s) => (scalar ? ev.scalar(s.value) : spread(asm, s.dtype, ev.value(s.value, lanes))));
    k.stores.forEach((s, i) => ev.store(s, values[i], scalar ? null : lanes));
  };
  open(0);
}
