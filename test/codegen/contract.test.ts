import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Asm } from "../../src/codegen/asm/index.ts";
import {
  contractBlocks,
  contractScratchBytes,
  emitContract,
  planContract,
  storePlain,
} from "../../src/codegen/contract/index.ts";
import type { Axis, ContractSpec, StoreCtx } from "../../src/codegen/contract/index.ts";
import type { Target } from "../../src/codegen/asm/index.ts";
import { compileWasm, probeWasm, wasmTarget } from "../../src/codegen/wasm/index.ts";
import { evaluateAsm, evaluatorTarget } from "../support/evaluate-asm.ts";
import { loadX64, native, x64Targets } from "../support/native.ts";

const wasm = wasmTarget(probeWasm());
/** What the checks of this moment are for: set by `on`. */
let target: Target = wasm;
const small = (t: Target): Target => ({ ...t, l1Bytes: 6 << 10, l2Bytes: 64 << 10 });
const targets: [string, Target][] = [
  ["wasm", wasm],
  ["8 lanes", small(evaluatorTarget(8))],
  ["16 lanes", small(evaluatorTarget(16))],
  ...x64Targets.map((t): [string, Target] => [t.name, small(t)]),
];
function on(t: Target, body: () => void): void {
  target = t;
  body();
  target = wasm;
}
type Floats = Float32Array | Float64Array;

/** All index tuples with their offsets in a, b, c. */
function walk(axes: readonly Axis[]): { a: number; b: number; c: number }[] {
  let out = [{ a: 0, b: 0, c: 0 }];
  for (const x of axes) {
    out = out.flatMap((o) =>
      Array.from({ length: x.size }, (_, i) => ({ a: o.a + i * x.a, b: o.b + i * x.b, c: o.c + i * x.c })),
    );
  }
  return out;
}

/** Least and greatest offset of an operand, to size its buffer. */
function extent(spec: ContractSpec, of: "a" | "b" | "c"): [number, number] {
  let lo = 0;
  let hi = 0;
  for (const x of [...spec.batch, ...spec.m, ...spec.n, ...spec.k]) {
    const d = (x.size - 1) * x[of];
    if (d < 0) lo += d;
    else hi += d;
  }
  return [lo, Math.max(hi, 0)];
}

function check(raw: ContractSpec, ranges?: (blocks: number) => number[], viaStore = false): void {
  const float = raw.dtype === "float32" ? Float32Array : Float64Array;
  const es = float.BYTES_PER_ELEMENT;
  const [ea, eb, ec] = (["a", "b", "c"] as const).map((o) => extent(raw, o));
  const spec = { ...raw, aOffset: -ea[0], bOffset: -eb[0], cOffset: -ec[0] };
  const na = ea[1] - ea[0] + 1;
  const nb = eb[1] - eb[0] + 1;
  const nc = ec[1] - ec[0] + 1;
  const scratchBytes = contractScratchBytes(spec, target);
  const guard = 64;
  const a0 = 128;
  const b0 = a0 + na * es + guard;
  const c0 = b0 + nb * es + guard;
  const s0 = (c0 + nc * es + guard + 63) & ~63;
  const bytes = s0 + scratchBytes + guard;
  const memory = new WebAssembly.Memory({ initial: Math.ceil(bytes / 65536) });
  const table = new Int32Array(memory.buffer, 0, 8);
  const machine = target.name.startsWith("x64");
  const base = machine ? native!.addressOf(memory.buffer) : 0;
  [a0, b0, c0, s0].forEach((p, i) => {
    table[(i * target.ptrBytes) / 4] = p + base;
    if (machine) table[2 * i + 1] = Math.floor((p + base) / 2 ** 32);
  });
  const at = (offset: number, n: number): Floats => new float(memory.buffer.slice(offset, offset + n * es));
  const put = (offset: number, v: Floats): void => new Uint8Array(memory.buffer).set(new Uint8Array(v.buffer), offset);
  const fill = (n: number, k: number): Float64Array =>
    Float64Array.from({ length: n }, (_, i) => ((i * 7 + k) % 13) - 6);
  const a = float.from(fill(na, 1));
  const b = float.from(fill(nb, 5));
  put(a0, a);
  put(b0, b);
  put(c0, new float(nc).fill(-777));
  put(c0 + nc * es, new float(2).fill(-778));
  if (scratchBytes) put(s0 + scratchBytes, new float(2).fill(-779));

  const asm = new Asm(target);
  asm.fn("go", ["ptr", "i32", "i32"], undefined, (args, lo, hi) => {
    const [pa, pb, pc, ps] = [0, 1, 2, 3].map((i) => asm.load("ptr", args, i * asm.ptrBytes));
    // Stores through the indices of the spec's own axes.
    const byIndex = (t: StoreCtx): void => {
      const groups = [
        [spec.batch, t.batch],
        [spec.m, t.m],
        [spec.n, t.n],
      ] as const;
      for (let l = 0; l < t.count; l++) {
        let off = asm.i32(spec.cOffset);
        for (const [axes, idx] of groups) {
          axes.forEach((x, i) => {
            const lane = (axes === spec.n && i === t.lane) || (axes === spec.m && i - spec.m.length === t.lane) ? l : 0;
            off = asm.add(off, asm.mul(asm.add(idx[i], lane), x.c));
          });
        }
        asm.store(asm.ptrAdd(pc, asm.mul(off, es)), 0, asm.extract(t.acc, l));
      }
    };
    emitContract(
      asm,
      spec,
      { a: pa, b: pb, scratch: ps, lo, hi },
      viaStore ? (list) => list.forEach(byIndex) : storePlain(asm, pc, es),
    );
  });
  const { go } = machine ? loadX64(asm) : target === wasm ? compileWasm(asm, { memory }) : evaluateAsm(asm, { memory });
  const blocks = contractBlocks(spec, target);
  const cuts = ranges ? ranges(blocks) : [0, blocks];
  for (let i = 0; i + 1 < cuts.length; i++) go(base, cuts[i], cuts[i + 1]);

  const want = new Float64Array(nc).fill(-777);
  const ks = walk(spec.k);
  const ns = walk(spec.n);
  for (const t of walk(spec.batch))
    for (const m of walk(spec.m))
      for (const n of ns) {
        let s = 0;
        for (const k of ks) s += a[t.a + m.a + k.a + spec.aOffset] * b[t.b + n.b + k.b + spec.bOffset];
        want[t.c + m.c + n.c + spec.cOffset] = s;
      }
  const got = at(c0, nc + 2);
  for (let i = 0; i < nc; i++) {
    if (got[i] !== want[i]) throw new Error(`at ${i}: ${got[i]}, wanted ${want[i]}; ${JSON.stringify(spec)}`);
  }
  expect([...got.slice(nc)]).toEqual([-778, -778]);
  if (scratchBytes) expect([...at(s0 + scratchBytes, 2)]).toEqual([-779, -779]);
}

const x = (size: number, a: number, b: number, c: number): Axis => ({ size, a, b, c });

function matmulSpec(
  M: number,
  N: number,
  K: number,
  ta = false,
  tb = false,
  batch = 1,
  dtype: ContractSpec["dtype"] = "float32",
): ContractSpec {
  return {
    dtype,
    batch: [x(batch, M * K, K * N, M * N)],
    m: [x(M, ta ? 1 : K, 0, N)],
    n: [x(N, 0, tb ? K : 1, 1)],
    k: [x(K, ta ? M : 1, tb ? 1 : N, 0)],
  };
}

/** Padded image [B, H, W, C], kernel [k, k, C, O]. */
function convSpecs(B: number, H: number, W: number, C: number, O: number, k: number, s = 1, d = 1) {
  const oh = Math.floor((H - d * (k - 1) - 1) / s) + 1;
  const ow = Math.floor((W - d * (k - 1) - 1) / s) + 1;
  const forward: ContractSpec = {
    dtype: "float32",
    batch: [],
    m: [x(B, H * W * C, 0, oh * ow * O), x(oh, s * W * C, 0, ow * O), x(ow, s * C, 0, O)],
    n: [x(O, 0, 1, 1)],
    k: [x(k, d * W * C, k * C * O, 0), x(k, d * C, C * O, 0), x(C, 1, O, 0)],
  };
  const weights: ContractSpec = {
    dtype: "float32",
    batch: [],
    m: [x(k, d * W * C, 0, k * C * O), x(k, d * C, 0, C * O), x(C, 1, 0, O)],
    n: [x(O, 0, 1, 1)],
    k: [x(B, H * W * C, oh * ow * O, 0), x(oh, s * W * C, ow * O, 0), x(ow, s * C, O, 0)],
  };
  // dX over dY padded by k-1 (stride 1): [B, H + k - 1, W + k - 1, O] with flipped kernel
  const PH = H + k - 1;
  const PW = W + k - 1;
  const input: ContractSpec = {
    dtype: "float32",
    batch: [],
    m: [x(B, PH * PW * O, 0, H * W * C), x(H, PW * O, 0, W * C), x(W, O, 0, C)],
    n: [x(C, 0, O, 1)],
    k: [x(k, PW * O, -k * C * O, 0), x(k, O, -C * O, 0), x(O, 1, 1, 0)],
  };
  return { forward, weights, input };
}

/** Shapes that reach every path, small enough for the evaluator. */
describe.each(targets.slice(1))("contraction with %s", (_, t) => {
  it.each([
    [false, false],
    [true, false],
    [false, true],
    [true, true],
  ])("multiplies matrices, A^T %s, B^T %s", (ta, tb) => {
    on(t, () => {
      for (const M of [1, 2, 5, 9, 14, 16, 29, 33])
        for (const N of [1, 3, 10, 16, 20, 33, 49]) check(matmulSpec(M, N, 1 + ((M * 5 + N * 3) % 37), ta, tb));
      check(matmulSpec(30, 130, 100, ta, tb));
    });
  });
  it("multiplies doubles, batches, vectors", () => {
    on(t, () => {
      for (const M of [1, 3, 13]) for (const N of [1, 4, 9]) check(matmulSpec(M, N, 11, N > 3, M > 2, 2, "float64"));
      for (const tb of [false, true]) check(matmulSpec(1, 70, 300, false, tb, 2), undefined, true);
      check(matmulSpec(1, 1, 5000, false, true));
      check(matmulSpec(1, 3, 9000, false, true, 1, "float64"));
      check(matmulSpec(30, 1, 40, false, false, 2), undefined, true);
      check(matmulSpec(1, 1100, 40));
    });
  });
  it("packs A, B, and keeps B over the blocks that share it", () => {
    on(t, () => {
      for (const [ta, tb] of [
        [false, false],
        [true, false],
        [false, true],
      ])
        check(matmulSpec(30, 130, 768, ta, tb), (n) => Array.from({ length: n + 1 }, (_q, i) => i), ta);
    });
  });
  it("lays rows of A side by side that begin at the same place of their pages", () => {
    on(t, () => {
      // With blocks of k on these targets, and a rest of a vector; then B by a packer of its own.
      for (const [K, tb] of [
        [133, false],
        [69, true],
      ] as const) {
        const plain = matmulSpec(65, 512, K, false, tb);
        const spec = { ...plain, m: [{ ...plain.m[0], a: 1024 }] };
        expect(planContract(spec, t).packA?.squares).toBe(true);
        check(spec, (blocks) => [0, blocks >> 1, blocks], tb);
      }
    });
  });
  it("convolves, and gives both gradients", () => {
    on(t, () => {
      for (const s of [
        [1, 9, 7, 3, 8, 3, 1, 1],
        [2, 12, 12, 1, 6, 5, 1, 1],
        [1, 11, 11, 4, 18, 3, 2, 1],
        [2, 7, 7, 16, 9, 3, 1, 1],
        [1, 8, 8, 5, 40, 1, 1, 1],
      ] as [number, number, number, number, number, number, number, number][]) {
        const { forward, weights, input } = convSpecs(...s);
        check(forward, undefined, true);
        check(weights);
        if (s[6] === 1) check(input, undefined, true);
      }
    });
  });
  it("sums long gradients by blocks", () => {
    on(t, () => check(convSpecs(6, 18, 18, 3, 16, 3).weights, undefined, true));
  });
  it("takes two steps of k at a time for few columns", () => {
    on(t, () => {
      for (const n of [2, 3, 4]) check(matmulSpec(70, n, 130, false, n === 3));
      const { input } = convSpecs(3, 8, 8, 4, 16, 3);
      expect(planContract(input, t).pairs).toBeGreaterThan(0);
      check(input);
      check(input, (blocks) => Array.from({ length: blocks + 1 }, (_q, j) => j), true);
      check(matmulSpec(64, 4, 1538), undefined, true);
    });
  });
  it("stores rows that lie together in A apart in the result", () => {
    const { weights } = convSpecs(2, 18, 18, 5, 20, 3);
    const [ky, kx, i] = weights.m;
    const apart = {
      ...weights,
      m: [
        { ...ky, c: 60 },
        { ...kx, c: 20 },
        { ...i, c: 180 },
      ],
    };
    expect(planContract(apart, t).norm).toMatchObject({ scattered: true, m: { size: 15 } });
    on(t, () => {
      check(apart);
      check(apart, (n) => Array.from({ length: n + 1 }, (_q, j) => j), true);
    });
  });
});

describe("contraction", () => {
  const sizes = [1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 13, 16, 17, 25];
  it.each([
    [false, false],
    [true, false],
    [false, true],
    [true, true],
  ])("multiplies small matrices, A^T %s, B^T %s", (ta, tb) => {
    for (const M of sizes) for (const N of sizes) check(matmulSpec(M, N, 1 + ((M * 5 + N * 3) % 19), ta, tb));
  });
  it("multiplies matrices of doubles", () => {
    for (const M of [1, 2, 3, 6, 7, 13])
      for (const N of [1, 2, 3, 4, 5, 9]) check(matmulSpec(M, N, 11, N % 2 === 1, M % 2 === 1, 2, "float64"));
  });
  it.each([
    [130, 300, 700],
    [64, 257, 1100],
    [1, 300, 700],
    [3, 70, 2000],
    [200, 10, 2100],
    [40, 129, 70],
  ])("blocks large matrices %i x %i x %i", (M, N, K) => {
    for (const [ta, tb] of [
      [false, false],
      [true, false],
      [false, true],
    ])
      check(matmulSpec(M, N, K, ta, tb));
  });
  it("multiplies matrices and vectors", () => {
    for (const via of [false, true]) {
      for (const K of [1, 3, 4, 7, 32, 129]) {
        for (const N of [1, 2, 5, 8, 9, 30]) {
          for (const [ta, tb] of [
            [false, false],
            [true, false],
            [false, true],
            [true, true],
          ]) {
            check(matmulSpec(1, N, K, ta, tb, 2), undefined, via);
            check(matmulSpec(N, 1, K, ta, tb, 2), undefined, via);
          }
          check(matmulSpec(N, 1, K, false, false, 3, "float64"), undefined, via);
          check(matmulSpec(1, N, K, false, true, 3, "float64"), undefined, via);
        }
      }
      check(matmulSpec(1, 700, 900, false, true), (n) => Array.from({ length: n + 1 }, (_, i) => i), via);
      check(matmulSpec(700, 1, 900), (n) => Array.from({ length: n + 1 }, (_, i) => i), via);
    }
  });
  it("leaves the output alone for empty axes, writes zeros for an empty sum", () => {
    for (const [M, N, K] of [
      [0, 5, 3],
      [4, 0, 3],
      [4, 5, 0],
      [0, 0, 0],
      [1, 1, 0],
    ])
      check(matmulSpec(M, N, K));
    check(matmulSpec(4, 5, 6, false, false, 0));
  });
  it("convolves, and gives both gradients", () => {
    const shapes: [number, number, number, number, number, number, number, number][] = [
      [2, 10, 10, 16, 16, 3, 1, 1],
      [1, 9, 7, 3, 8, 3, 1, 1],
      [2, 12, 12, 1, 6, 5, 1, 1],
      [2, 11, 11, 4, 10, 3, 2, 1],
      [1, 12, 12, 6, 16, 5, 1, 1],
      [2, 9, 9, 2, 3, 2, 1, 2],
      [1, 8, 8, 5, 64, 1, 1, 1],
      [3, 7, 5, 33, 9, 3, 2, 2],
    ];
    for (const s of shapes) {
      const { forward, weights, input } = convSpecs(...s);
      check(forward);
      check(weights);
      check(forward, undefined, true);
      if (s[6] === 1 && s[7] === 1) check(input, undefined, true);
    }
  });
  it("puts axes in an order of its own", () => {
    const { weights } = convSpecs(4, 10, 10, 16, 16, 3);
    const [ky, kx, i] = weights.m;
    const [b, y, xx] = weights.k;
    const turned = { ...weights, m: [i, ky, kx], k: [y, xx, b] };
    expect(planContract(turned, target)).toMatchObject({ packB: "no", tiles: 8, table: true });
    check(turned, undefined, true);
  });
  it("sums long convolution gradients by blocks", () => {
    const { weights } = convSpecs(8, 34, 34, 4, 16, 3);
    expect(planContract(weights, target).kBlocks).toBeGreaterThan(1);
    check(weights);
    check(convSpecs(32, 6, 6, 12, 20, 3).weights, undefined, true);
  });
  it("gives the same bits however the blocks are split", () => {
    for (const s of [
      matmulSpec(130, 600, 700),
      matmulSpec(20, 30, 40, false, true, 9),
      convSpecs(2, 18, 18, 8, 24, 3).forward,
    ]) {
      check(s, (n) => Array.from({ length: n + 1 }, (_, i) => i));
      check(s, (n) => [0, Math.floor(n / 3), Math.floor(n / 2), n]);
    }
  });
  it("takes any strides", () => {
    const axis = fc.record({ size: fc.integer({ min: 1, max: 7 }), order: fc.nat(), flip: fc.boolean() });
    const list = fc.array(axis, { maxLength: 3 });
    fc.assert(
      fc.property(list, list, list, list, fc.boolean(), fc.boolean(), fc.boolean(), (bt, m, n, k, f64, slide, via) => {
        type Ax = { size: number; order: number; flip: boolean };
        const strides = (axes: Ax[]): Map<Ax, number> => {
          const out = new Map<Ax, number>();
          let s = 1;
          for (const y of [...axes].sort((p, q) => p.order - q.order)) {
            out.set(y, y.flip ? -s : s);
            s *= y.size;
          }
          return out;
        };
        const sa = strides([...bt, ...m, ...k]);
        const sb = strides([...bt, ...n, ...k].reverse());
        const sc = strides([...bt, ...m, ...n]);
        const axes = (g: Ax[]): Axis[] =>
          g.map((y) =>
            x(y.size, slide && sa.has(y) ? 1 + (y.order % 3) : (sa.get(y) ?? 0), sb.get(y) ?? 0, sc.get(y) ?? 0),
          );
        check(
          { dtype: f64 ? "float64" : "float32", batch: axes(bt), m: axes(m), n: axes(n), k: axes(k) },
          undefined,
          via,
        );
      }),
      { numRuns: 400 },
    );
  });
});
