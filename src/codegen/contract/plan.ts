// Decisions for one contraction: what is packed, the register tile, the cache blocks, the layout of the scratch memory.
import type { Target } from "../asm/index.ts";
import { mostRows, tileShape } from "./shape.ts";
import type { Axis, ContractSpec, NAxis, Norm } from "./spec.ts";
import { normalise, product } from "./spec.ts";
import { DOT_LANES } from "./tile.ts";

/** Bytes of the caches where the processor does not say. */
const L1 = 48 * 1024;
const L2 = 1024 * 1024;
/** Steps of k in one packed block. */
const K_STEPS = 512;
/** Rows of B, and columns of a block at least, that a product with few rows streams from memory at a time. */
const STREAM_STEPS = 16;
const STREAM_COLUMNS = 1024;
/** Rows that repay packing B in pairs, and steps that repay sorting the lanes afterwards. */
const PAIR_ROWS = 64;
const PAIR_STEPS = 128;
/** Columns at most: half a vector of the longest. */
const PAIR_COLUMNS = 8;
/** Rows of a block that repay packing B for it. */
const PACK_ROWS = 128;
/** Rows of a call that repay calling in machine code, where a thread packs B in its first call alone. */
const KEEP_ROWS = 64;
/** Rows of a block where threads share out the panels. */
const FEW_BLOCK = 448;
/** Rows for which a panel of B longer than the first-level cache pays; half as many where they overlap. */
const MANY_ROWS = 256;
/** Columns from which on blocks of n share the work of two threads. */
const SPLIT_COLUMNS = 256;
/** Blocks wanted for spreading over threads, and the multiply-adds that make one worth while. */
const BLOCKS = 32;
const BLOCK_WORK = 1 << 18;
/** Bytes of a row of A that are packed together: whole lines of the cache. */
const GROUP_BYTES = 192;

/** Columns handled by one register tile. */
export interface Region {
  readonly col: number;
  readonly panels: number;
  /** Vectors per row of the tile. */
  readonly nv: number;
  /** Valid lanes of the last vector. */
  readonly last: number;
}

/** How rows of A are packed: tiles at a time, elements between steps of k and bytes between tiles. */
export interface PackedA {
  readonly group: number;
  readonly step: number;
  readonly bytes: number;
  /** Lines of the rows side by side, not their elements. */
  readonly squares: boolean;
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
  readonly packA: PackedA | undefined;
  /** Never, in every block, or once for all blocks that follow each other and share it. */
  readonly packB: "no" | "block" | "keep";
  /** The first tile that multiplies with a panel packs it, from B in place. */
  readonly packsByTile: boolean;
  readonly table: boolean;
  /** Vectors that hold two steps of k of all columns (see `pairs.ts`), or 0. */
  readonly pairs: number;
  /** Panels outermost, and tiles inside: B is read once. */
  readonly panelsFirst: boolean;
  /** k axes: [0, split) are walked by blocks, `split` in chunks, the rest inside of the tile. */
  readonly split: number;
  readonly chunk: number;
  readonly chunks: number;
  readonly kBlocks: number;
  /** Steps of a full block. */
  readonly kSteps: number;
  /** Blocks: batch x nBlocks x mBlocks. Units are indices of the outer m axes, each in slices of tiles. */
  readonly batches: number;
  readonly units: number;
  readonly slices: number;
  /** Slices begin at multiples of these tiles. */
  readonly unitStep: number;
  readonly tilesPerUnit: number;
  readonly tilesPerBlock: number;
  readonly mBlocks: number;
  readonly panelsPerBlock: number;
  readonly nBlocks: number;
  readonly blocks: number;
  /** Least blocks that are worth a call. */
  readonly grain: number;
  /** Bytes between packed panels of B, between blocks of k. */
  readonly panelBytes: number;
  readonly blockBytes: number;
  /** Byte offsets in the scratch memory, and its size. */
  readonly at: {
    readonly table: number;
    readonly a: number;
    readonly b: number;
    readonly partial: number;
    readonly zeros: number;
    readonly size: number;
  };
  /** Bytes of partial sums of one tile: per main panel, and for the whole row of panels. */
  readonly partialPanel: number;
  readonly partialTile: number;
  /** Bytes of zeros that sums of a first block of k are loaded from: V8 does that better than a branch, and AVX worse. */
  readonly zeroBytes: number;
}

const ceil = (a: number, b: number): number => Math.ceil(a / b);
const align = (x: number): number => (x + 63) & ~63;

/** True when the axes walk memory in one stride. */
function linear(axes: readonly NAxis[], of: "a" | "b"): boolean {
  return axes.every((x, i) => i + 1 === axes.length || x[of] === axes[i + 1][of] * axes[i + 1].size);
}

/** Which m axis the rows of tiles run along: one of the best tiles, of those the one whose rows are closest in A. */
function pickRows(axes: readonly Axis[], columns: number, steps: number, target: Target, lanes: number): number {
  const perRow = axes.map((x) => tileShape(columns, x.size, steps, target, lanes).cycles / x.size);
  const good = Math.min(...perRow) * 1.08;
  let best = -1;
  axes.forEach((x, i) => {
    if (perRow[i] <= good && (best < 0 || Math.abs(x.a) <= Math.abs(axes[best].a))) best = i;
  });
  return Math.max(best, 0);
}

/** Blocks of k: the last axis whose whole inside fits is cut into equal chunks. */
function splitK(k: readonly NAxis[], limit: number, most: number, unit: number) {
  const K = product(k);
  const whole = K <= most;
  let split = 0;
  let inner = K;
  if (!whole) while (split < k.length - 1 && inner / k[split].size >= limit) inner /= k[split++].size;
  const axis = k[split] ?? { size: 1 };
  inner = Math.max(1, inner / Math.max(1, axis.size));
  let chunk = whole ? axis.size : ceil(axis.size, ceil(axis.size, Math.max(1, Math.floor(limit / inner))));
  // Whole vectors, where packing turns steps into lanes.
  if (chunk < axis.size && inner === 1) chunk = Math.min(axis.size, ceil(chunk, unit) * unit);
  const chunks = Math.max(1, ceil(axis.size, Math.max(1, chunk)));
  return {
    split,
    chunk,
    chunks,
    kSteps: K === 0 ? 0 : inner * chunk,
    kBlocks: K === 0 ? 1 : chunks * product(k.slice(0, split)),
  };
}

export function planContract(spec: ContractSpec, target: Target): ContractPlan {
  const es = spec.dtype === "float64" ? 8 : 4;
  const lanes = (target.lanes * 4) / es;
  const K = product(spec.k);
  const machine = target.lanes > 4;
  const norm = normalise(
    spec,
    (axes, columns) => pickRows(axes, columns, K, target, lanes),
    (size) => machine || size < 12,
  );
  const { m, n, k } = norm;
  const outer = product(norm.mOuter);
  const M = m.size * outer;
  const batches = product(norm.batch);
  const [l1, l2] = [target.l1Bytes ?? L1, target.l2Bytes ?? L2];
  const directBytes = (l1 * 2) / 3;

  const dot =
    M === 1 && k.length === 1 && k[0].a === 1 && k[0].b === 1 && (n.b !== 1 || n.size === 1) && K >= DOT_LANES;
  // Two steps of k side by side in the lanes, where the columns are few; not by the lanes, for all targets are to make the same sums.
  const kn: NAxis | undefined = k[k.length - 1];
  const even = kn?.a === 1 && kn.size % 2 === 0 && K >= PAIR_STEPS;
  const paired = !!target.pairs && es === 4 && !dot && n.size > 1 && n.size <= PAIR_COLUMNS && M >= PAIR_ROWS && even;
  const pairs = paired ? ceil(2 * n.size, lanes) : 0;
  const fit = dot
    ? { nv: Math.max(1, Math.min(8 / lanes, ceil(n.size, lanes))), rows: 1 }
    : pairs
      ? { nv: ceil(n.size, lanes), rows: mostRows(pairs, target) }
      : tileShape(n.size, m.size, K, target, lanes);
  const w = fit.nv * lanes;
  const full = pairs ? 0 : Math.floor(n.size / w);
  const rest = n.size - full * w;
  const main = full ? { col: 0, panels: full, nv: fit.nv, last: lanes } : undefined;
  const tailVecs = ceil(rest, lanes);
  const tail = rest ? { col: full * w, panels: 1, nv: tailVecs, last: rest - (tailVecs - 1) * lanes } : undefined;
  const tiles = Math.max(1, ceil(m.size, fit.rows));
  const rows = ceil(m.size, tiles);
  const bigTiles = m.size - tiles * (rows - 1);

  // B straight from memory: contiguous columns, and either small, or reused too little, or streamed by a long sum.
  const unitN = n.b === 1 || n.size === 1;
  const long = K > 1024 && n.size <= 64;
  const few = M < (Math.abs(kn?.b ?? 0) * es >= 4096 ? 16 : 48);
  const small = K * n.size * es <= directBytes;
  // Short rows far apart share few lines of the first-level cache.
  const sparse = !!kn && Math.abs(kn.b) >= 2 * n.size && K * n.size * es >= l1 / 4;
  const direct = dot || (!pairs && unitN && ((small && !sparse) || few || long) && linear(k, "b"));
  // What a step of k of a tile is apart in A: machine code reads even 16 lines at a time well.
  const farRows = !!kn && m.a === 1 && Math.abs(kn.a) * es >= (machine ? 1025 : 256);
  // In machine code those that begin 1 KB apart are no trouble.
  const aliased = !machine && !!kn && kn.a === 1 && k.length === 1 && K > K_STEPS && (Math.abs(m.a) * es) % 1024 === 0;
  const transposes = n.size >= 128 && m.size >= 4 && (farRows || aliased);
  const squares = !transposes && !direct && !pairs && !!target.squares?.fits(norm, es, lanes);
  const packsA = transposes || squares;
  // Every block packs its columns of A, and its tiles B.
  const turned = transposes && outer === 1 && unitN ? target.turned : undefined;

  // Elements of A between its first and its last: the rows of convolutions overlap.
  const span = [m, ...norm.mOuter, ...k].reduce((sum, x) => sum + (x.size - 1) * Math.abs(x.a), 1);
  const overlaps = machine && span < M * K;
  // A packed panel of B stays in the first-level cache. For many rows it may stream from the second, so that sums are added less
  // often, where a line of A holds several steps.
  const many = machine && M >= (overlaps ? MANY_ROWS / 2 : MANY_ROWS) && (m.a !== 1 || outer > 1);
  const panelRoom = many ? l2 / 16 : directBytes;
  const packedSteps = machine ? Math.min(1024, Math.max(64, Math.floor(panelRoom / (w * es)) & -32)) : K_STEPS;
  // Too large for the cache and used once: long pieces of few rows of B, as memory gives them best.
  const streamed = machine && M < 6 && direct && !dot && 2 * n.size >= STREAM_COLUMNS && K * n.size * es > l2 / 2;
  const limit = streamed
    ? STREAM_STEPS
    : dot || pairs || (M < 6 && direct)
      ? K
      : direct
        ? Math.max(64, Math.floor(directBytes / (n.size * es)))
        : packedSteps;
  const most = direct ? (small ? Math.max(K, limit) : limit) : limit * 1.25;
  const { split, chunk, chunks, kSteps, kBlocks } = splitK(k, limit, most, direct && !dot ? 1 : 64);
  // Where nested loops make the compiler spill, the tile has one loop over k: what is not linear in A goes through a table.
  const kInner = k.slice(split);
  const short = (kInner[kInner.length - 1]?.size ?? 1) < 8;
  const table = !packsA && !pairs && !linear(kInner, "a") && (!machine || short);

  // Blocks of n: packed B of a block stays in the second-level cache.
  const mainPanels = main?.panels ?? 0;
  const panelBytes = align(Math.max(1, kSteps) * w * es) + 64;
  const roomB = squares ? 2 * kSteps * SPLIT_COLUMNS * es : l2 / (machine && !many ? 4 : 2);
  const panelsFit = direct
    ? Math.max(1, !few ? mainPanels : ceil(BLOCK_WORK, Math.max(1, M * w * K)))
    : Math.max(1, Math.floor(roomB / Math.max(1, kSteps * w * es)));
  const fewRows = overlaps ? 4 * MANY_ROWS : machine && !squares ? 2 * MANY_ROWS : 2 * PACK_ROWS;
  const wanted = Math.min(BLOCKS, Math.max(1, Math.floor((batches * M * n.size * K) / BLOCK_WORK)));
  let nBlocks = Math.max(1, ceil(mainPanels, panelsFit));
  if (streamed) nBlocks = Math.max(1, Math.min(nBlocks, Math.floor(n.size / STREAM_COLUMNS)));
  if (!direct && batches === 1 && wanted > 1) {
    // Threads share the packing of B: all of it where there are few rows, else half each.
    const large = overlaps ? span * es > l2 : M * K * es > l2 / 2;
    const columns = transposes ? SPLIT_COLUMNS : large ? SPLIT_COLUMNS / 2 : Math.max(w, 32);
    const parts = M <= fewRows ? Math.min(mainPanels, wanted, Math.floor(n.size / columns)) : 1;
    nBlocks = Math.max(nBlocks, parts, n.size >= 2 * SPLIT_COLUMNS ? 2 : 1);
  }
  const shares = turned?.({ M, N: n.size, K, kSteps, batches, wanted, es, l2 });
  if (shares) nBlocks = shares.n;
  const panelsPerBlock = ceil(mainPanels, nBlocks);
  nBlocks = Math.max(1, ceil(mainPanels, panelsPerBlock || 1));

  // Blocks of m; A is packed in whole lines where its rows lie next to each other.
  const group = farRows ? Math.max(1, Math.min(tiles, Math.round(GROUP_BYTES / (rows * es)))) : 1;
  const unitStep = packsA ? group : 1;
  const tileSteps = ceil(tiles, unitStep);
  // Each index of the outer axes is cut into slices of tiles, where those alone are few.
  const slices = Math.min(tileSteps, Math.max(1, ceil(wanted, batches * nBlocks * outer)));
  const units = outer * slices;
  const tilesPerUnit = Math.min(tiles, ceil(tileSteps, slices) * unitStep);
  const perRow = panelsPerBlock * w * es;
  let mBlocks = Math.min(units, ceil(wanted, batches * nBlocks));
  if (nBlocks >= 8 && M <= fewRows) mBlocks = ceil(M, FEW_BLOCK);
  // Whole lines of A, where its rows lie next to each other.
  if (machine && m.a === 1 && outer === 1) mBlocks = Math.min(mBlocks, ceil(M, 64));
  if (shares) mBlocks = Math.min(units, shares.m);
  // Partial sums stay in the cache, too.
  if (kBlocks > 1 && !turned) mBlocks = Math.max(mBlocks, Math.min(units, ceil(M * perRow, l2 / 4)));
  // Packed rows stay in a quarter of it.
  if (squares) mBlocks = Math.min(units, Math.max(ceil(M * kSteps * es, l2 / 4), ceil(BLOCKS / 2, batches * nBlocks)));
  // Few blocks are an even number.
  if ((batches * nBlocks * mBlocks) % 2 === 1 && mBlocks > 1 && mBlocks < Math.min(16, units)) mBlocks++;
  const blockBytes = (panelsPerBlock + (tail ? 1 : 0)) * panelBytes;
  const shared = norm.batch.every((x) => x.b === 0);
  const keepBytes = kBlocks * blockBytes;
  const packsByTile =
    machine && !direct && (!transposes || !!turned) && !pairs && !table && n.b === 1 && linear(kInner, "b");
  const keeps = !turned && (mBlocks > 1 || (shared && batches > 1 && nBlocks === 1)) && keepBytes <= 4 * l2;
  const packB = direct ? "no" : keeps ? "keep" : "block";
  if (packB === "block" && !turned) mBlocks = Math.min(mBlocks, Math.max(1, Math.floor(M / PACK_ROWS)));
  const unitsPerBlock = ceil(units, mBlocks);
  const tileCount = Math.min(unitsPerBlock * tilesPerUnit, tiles * outer);
  const blocks = norm.empty ? 0 : batches * nBlocks * mBlocks;
  const keepRows = machine ? KEEP_ROWS : 2 * KEEP_ROWS;
  const grain = packB === "keep" ? Math.max(1, ceil(mBlocks * keepRows, Math.max(keepRows, M))) : 1;

  const padded = ceil(rows, lanes) * lanes;
  const step = machine && padded <= rows * 1.34 ? padded : rows;
  // Panels of B are taken one after the other for all rows of a unit.
  const packGroup = outer === 1 ? tileCount : tilesPerUnit;
  const packA = packsA
    ? {
        group: machine ? packGroup : group,
        step,
        bytes: align(ceil(kSteps, lanes) * lanes * step * es) + 64,
        squares,
      }
    : undefined;

  const partialPanel = rows * (main?.nv ?? 0) * lanes * es;
  const partialTile = panelsPerBlock * partialPanel + rows * (tail?.nv ?? 0) * lanes * es;
  const aAt = align(table ? kSteps * 4 : 0);
  const bAt = aAt + (packA ? packA.group * packA.bytes : 0);
  const partialAt = bAt + (packB === "no" ? 0 : packB === "keep" ? keepBytes : packsByTile ? panelBytes : blockBytes);
  // Without blocks of k one slot serves long epilogues, which read the sums of a tile from memory.
  const slot = rows * Math.max(main?.nv ?? 0, tail?.nv ?? 0) * lanes * es;
  const zeros = partialAt + align(kBlocks > 1 ? tileCount * partialTile : slot);
  const zeroBytes = kBlocks > 1 && !machine ? slot : 0;
  const size = zeros + align(zeroBytes);
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
    packsByTile,
    table,
    pairs,
    panelsFirst: machine && !dot,
    split,
    chunk,
    chunks,
    kBlocks,
    kSteps,
    batches,
    units,
    slices,
    unitStep,
    tilesPerUnit,
    tilesPerBlock: tileCount,
    mBlocks,
    panelsPerBlock,
    nBlocks,
    blocks,
    grain,
    panelBytes,
    blockBytes,
    at: { table: 0, a: aAt, b: bAt, partial: partialAt, zeros, size },
    partialPanel,
    partialTile,
    zeroBytes,
  };
}
