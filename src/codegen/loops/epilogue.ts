import type { ContractKernel, Store } from "../../schedule/index.ts";
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

/** Writes the stores of a contraction's tiles; what is the same for all of them it computes at once, where it is made. */
export class Epilogue {
  private readonly asm: Asm;
  private readonly k: ContractKernel;
  private readonly shared: Evaluator;
  /** Goes lane by lane. */
  private readonly wide: boolean;

  constructor(asm: Asm, k: ContractKernel, args: readonly Val[]) {
    this.asm = asm;
    this.k = k;
    this.wide = k.dtype === "float64" || k.exs.some((e) => e.dtype === "float64");
    this.shared = new Evaluator(asm, k.exs, args, () => asm.i32(0), [{ stores: k.stores }]);
    this.shared.hoist(
      k.stores.map((s) => s.value),
      (e) => e.k !== "tile",
      [],
    );
  }

  /** The stores for some tiles, whose values are computed side by side. */
  emit(tiles: readonly Tile[]): void {
    if (!this.wide) return this.tiles(tiles);
    for (const tile of tiles) {
      if (tile.count === 0) this.tiles([tile]);
      for (let i = 0; i < tile.count; i++) {
        const step = (c: Val | number): Val | number => (typeof c === "number" ? c + i : this.asm.add(c, i));
        const at = tile.at.map((c, l) => (l === tile.lane ? step(c) : c));
        this.tiles([{ ...tile, acc: this.asm.extract(tile.acc, i), at, count: 0 }]);
      }
    }
  }

  private tiles(tiles: readonly Tile[]): void {
    const { asm, k } = this;
    const works = tiles.map((tile) => {
      const ev = this.shared.within(
        tile.at.map((counter, loop) => {
          const known = typeof counter === "number" && loop !== tile.lane;
          return { loop, counter, from: known ? counter : -1, to: known ? counter + 1 : -1 };
        }),
      );
      ev.special = () => tile.acc;
      if (tile.count > 0) ev.vec = tile.lane;
      const lanes = { offset: 0, count: tile.count };
      const value = (s: Store): Val =>
        tile.count === 0 ? ev.scalar(s.value) : spread(asm, s.dtype, ev.value(s.value, lanes));
      return { ev, lanes: tile.count === 0 ? null : lanes, values: (): Val[] => k.stores.map(value) };
    });
    if (works.length > 1) asm.interleave(works.map((w) => w.values));
    for (const { ev, lanes, values } of works) {
      // All values before the first store: one of them may go over what another reads.
      const all = values();
      k.stores.forEach((s, i) => ev.store(s, all[i], lanes));
    }
  }
}
