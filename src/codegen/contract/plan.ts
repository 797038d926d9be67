// Decisions for one contraction: what is packed, the register tile, the cache blocks, the layout of the scratch memory.
import type { ContractSpec, NAxis, Norm } from "./spec.ts";
import { normalise, product } from "./spec.ts";

/** Sizes that the blocking aims at: bytes of the first- and second-level data caches it may fill, and loop lengths. */
const BLOCKING: Readonly<
  Record<"directBytes" | "packedBytes" | "kSteps" | "kStepsWhole" | "packRows" | "blocks" | "blockWork", number>
> = {
  /** B (direct) that may stay in the first-level cache. */
  directBytes: 32 * 1024,
  /** Packed block of B: second-level cache, less what A, C and the rest need. */
  packedBytes: 512 * 1024,
  /** Steps of k in one packed block; shorter sums are not split. */
  kSteps: 512,
  kStepsWhole: 640,
  /** Rows of a block that repay packing B for it. */
  packRows: 128,
  /** Blocks wanted for spreading over threads, and the multiply-adds that make one worth while. */
  blocks: 32,
  blockWork: 1 << 18,
};

/** Columns handled by one register tile. */
export interface Region {
  readonly col: number;
  readonly panels: number;
  /** Vectors per row of the tile. */
  readonly nv: number;
  /** Valid lanes of the last vector. */
  readonly last: number;
}

export interface ContractPlan {
  readonly norm: Norm;
  readonly es: number;
  /** Lanes of the element type. */
  readonly lanes: number;
  /** Rows of a tile at most; tiles of `rows` and of `rows - 1`, the first `bigTiles` of them big. */
  readonly rows: number;
  readonly tiles: number;
  readonly bigTiles: number;
  readonly main: Region | undefined;
  readonly tail: Region | undefined;
  /** One row, and both operands contiguous along the one k axis: lanes run along k, sums are folded at the end. */
  readonly dot: boolean;
  readonly packA: boolean;
  readonly packB: "no" | "call" | "block";
  readonly table: boolean;
  /** k axes: [0, split) are walked by blocks, `split` in chunks, the rest inside of the tile. */
  readonly split: number;
  readonly chunk: number;
  readonly chunks: number;
  readonly kBlocks: number;
  /** Steps of a full block. */
  readonly kSteps: number;
  /** Blocks: batch x mBlocks x nBlocks. `units` are outer m indices, or tiles where there is but one m axis. */
  readonly batches: number;
  readonly unitIsTile: boolean;
  readonly units: number;
  readonly unitsPerBlock: number;
  readonly mBlocks: number;
  readonly panelsPerBlock: number;
  readonly nBlocks: number;
  readonly blocks: number;
  /** Byte offsets in the scratch memory, and its size. */
  readonly at: {
    readonly table: number;
    readonly a: number;
    readonly b: number;
    readonly partial: number;
    readonly size: number;
  };
  /** Scratch memory that an epilogue of any length can do without. */
  readonly needsScratch: boolean;
  /** Bytes of partial sums of one tile: per main panel, and for the whole row of panels. */
  readonly partialPanel: number;
  readonly partialTile: number;
}

const ceil = (a: number, b: number): number => Math.ceil(a / b);
const align = (x: number): number => (x + 63) & ~63;

/** Vectors per row for a number of columns and rows: as many accumulators as 15 registers allow, at least 8 if possible. */
function shape(columns: number, rows: number, lanes: number): { nv: number; rows: number } {
  const vecs = ceil(columns, lanes);
  if (rows === 1) return { nv: Math.min(vecs, 8), rows: 1 };
  if (rows === 2) return { nv: Math.min(vecs, 4), rows: 2 };
  if (vecs === 1) return { nv: 1, rows: 12 };
  if (vecs === 3 || rows === 3) return { nv: Math.min(vecs, 3), rows: 3 };
  return { nv: 2, rows: 6 };
}

/** True when the axes walk memory in one stride. */
function linear(axes: readonly NAxis[], of: "a" | "b"): boolean {
  return axes.every((x, i) => i + 1 === axes.length || x[of] === axes[i + 1][of] * axes[i + 1].size);
}

export function planContract(spec: ContractSpec, f32Lanes: number): ContractPlan {
  const norm = normalise(spec);
  const es = spec.dtype === "float64" ? 8 : 4;
  const lanes = (f32Lanes * 4) / es;
  const { m, n, k } = norm;
  const M = m.size * product(norm.mOuter);
  const K = product(k);

  const dot = M === 1 && n.b !== 1 && n.size > 1 && k.length === 1 && k[0].a === 1 && k[0].b === 1 && K >= lanes;
  const fit = dot ? { nv: Math.min(8 / lanes, ceil(n.size, lanes)), rows: 1 } : shape(n.size, m.size, lanes);
  const w = fit.nv * lanes;
  const full = Math.floor(n.size / w);
  const rest = n.size - full * w;
  const main = full ? { col: 0, panels: full, nv: fit.nv, last: lanes } : undefined;
  const tailVecs = ceil(rest, lanes);
  const tail = rest ? { col: full * w, panels: 1, nv: tailVecs, last: rest - (tailVecs - 1) * lanes } : undefined;
  const tiles = Math.max(1, ceil(m.size, fit.rows));
  const rows = ceil(m.size, tiles);
  const bigTiles = m.size - tiles * (rows - 1);

  // B straight from memory: contiguous columns, and either small, or reused too little, or streamed by a long sum.
  const kn: NAxis | undefined = k[k.length - 1];
  const unitN = n.b === 1 || n.size === 1;
  const long = K > 1024 && n.size <= 64;
  const few = M < (Math.abs(kn?.b ?? 0) * es >= 4096 ? 16 : 48);
  let direct = unitN && (K * n.size * es <= BLOCKING.directBytes || few || (long && linear(k, "b")));
  const packA = !!kn && m.a === 1 && Math.abs(kn.a) * es >= 256 && n.size >= 128 && m.size >= 4;
  if (direct && !linear(k, "b")) direct = false;
  if (dot) direct = true;

  // Blocks of k: the last axis whose whole inside fits is cut into equal chunks.
  const limit =
    direct && !(K * n.size * es <= BLOCKING.directBytes)
      ? Math.max(64, Math.floor(BLOCKING.directBytes / (n.size * es)))
      : BLOCKING.kSteps;
  let split = 0;
  let inner = K;
  const whole = K <= (direct ? limit : BLOCKING.kStepsWhole) || (M < 6 && direct);
  if (!whole) while (split < k.length - 1 && inner / k[split].size >= limit) inner /= k[split++].size;
  const axis = k[split] ?? { size: 1 };
  inner = Math.max(1, inner / Math.max(1, axis.size));
  const chunk = whole ? axis.size : ceil(axis.size, ceil(axis.size, Math.max(1, Math.floor(limit / inner))));
  const chunks = Math.max(1, ceil(axis.size, Math.max(1, chunk)));
  const kSteps = K === 0 ? 0 : inner * chunk;
  const kBlocks = K === 0 ? 1 : chunks * product(k.slice(0, split));
  // The tile has one loop over k always (nested ones make V8 spill): what is not linear in A goes through a table.
  const table = !packA && !linear(k.slice(split), "a");

  // Blocks of n: packed B of a block stays in the second-level cache.
  const mainPanels = main?.panels ?? 0;
  const panelBytes = Math.max(1, kSteps) * w * es;
  const panelsFit = direct
    ? Math.max(1, ceil(BLOCKING.blockWork, Math.max(1, M * w * K)))
    : Math.max(1, Math.floor(BLOCKING.packedBytes / panelBytes));
  const nBlocks = Math.max(1, ceil(mainPanels, Math.max(1, panelsFit)));
  const panelsPerBlock = ceil(mainPanels, nBlocks);
  const packB = direct ? "no" : kBlocks === 1 && nBlocks === 1 && norm.batch.every((x) => x.b === 0) ? "call" : "block";

  // Blocks of m.
  const outer = product(norm.mOuter);
  const unitIsTile = outer === 1;
  const units = unitIsTile ? tiles : outer;
  const unitRows = unitIsTile ? rows : m.size;
  const batches = product(norm.batch);
  const unitWork = Math.max(1, unitRows * n.size * K);
  let wanted = Math.max(ceil(BLOCKING.blockWork, unitWork), Math.ceil((units * batches * nBlocks) / BLOCKING.blocks));
  if (packB === "block") wanted = Math.max(wanted, ceil(BLOCKING.packRows, unitRows));
  const mBlocks = Math.max(1, ceil(units, Math.min(units, wanted)));
  const unitsPerBlock = ceil(units, mBlocks);
  const blocks = norm.empty ? 0 : batches * ceil(units, unitsPerBlock) * nBlocks;

  const partialPanel = rows * (main?.nv ?? 0) * lanes * es;
  const partialTile = panelsPerBlock * partialPanel + rows * (tail?.nv ?? 0) * lanes * es;
  const tileCount = unitsPerBlock * (unitIsTile ? 1 : tiles);
  const tableAt = 0;
  const aAt = align(table ? kSteps * 4 : 0);
  const bAt = aAt + align(packA ? rows * kSteps * es : 0);
  const partialAt = bAt + align(packB === "no" ? 0 : (panelsPerBlock * w + tailVecs * lanes) * kSteps * es);
  // Without blocks of k one slot serves long epilogues, which read the sums of a tile from memory.
  const slot = rows * Math.max(main?.nv ?? 0, tail?.nv ?? 0) * lanes * es;
  const size = partialAt + align(kBlocks > 1 ? tileCount * partialTile : slot);
  return {
    norm,
    es,
    lanes,
    rows,
    tiles,
    bigTiles,
    main,
    tail,
    dot,
    packA,
    packB,
    table,
    split,
    chunk,
    chunks,
    kBlocks,
    kSteps,
    batches,
    unitIsTile,
    units,
    unitsPerBlock,
    mBlocks: ceil(units, unitsPerBlock),
    panelsPerBlock,
    nBlocks,
    blocks,
    at: { table: tableAt, a: aAt, b: bAt, partial: partialAt, size },
    needsScratch: kBlocks > 1 || partialAt > 0,
    partialPanel,
    partialTile,
  };
}
