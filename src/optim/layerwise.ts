/** Rules that look at a whole variable: trust ratios, factored squares, orthogonal steps. */
import * as t from "../tensor/index.ts";
import type { Tensor, Variable } from "../tensor/index.ts";
import { type ClipOptions, each, type LearningRate, makeOptimizer, type Optimizer } from "./optimizer.ts";
import { blend, correction, needPositive, needShare, split } from "./options.ts";

const rms = (x: Tensor): Tensor => t.sqrt(t.mean(t.square(x)));
const length = (x: Tensor): Tensor => t.sqrt(t.sum(t.square(x)));

/** Options of `lamb`. */
export interface LambOptions extends ClipOptions {
  /** Default 1e-3. */
  readonly learningRate?: LearningRate;
  /** Default 0.9. */
  readonly beta1?: number;
  /** Default 0.999. */
  readonly beta2?: number;
  /** Default 1e-6, as the paper (Keras: 1e-7). */
  readonly epsilon?: number;
  /** λ: λ·w is added to the step before its length is taken; default 0. */
  readonly weightDecay?: number;
}

/**
 * LAMB (You et al., 2020; Keras: Lamb): Adam's step r = m̂/(√v̂ + ε) + λw of each variable, scaled to ‖w‖: w ← w − α·r·‖w‖/‖r‖.
 *
 * @example model.compile({ optimizer: lamb(1e-3), loss: "mse" });
 */
export function lamb(options?: LearningRate | LambOptions): Optimizer {
  const { rate, rest } = split<LambOptions>(options, 1e-3);
  const { beta1 = 0.9, beta2 = 0.999, epsilon = 1e-6, weightDecay = 0 } = rest;
  needShare("lamb", "beta1", beta1);
  needShare("lamb", "beta2", beta2);
  needPositive("lamb", "weightDecay", weightDecay);
  return makeOptimizer(
    {
      name: "lamb",
      slots: ["m", "v"],
      prepare: ({ count }) => ({ first: correction(beta1, count), square: correction(beta2, count) }),
      apply: each(({ w, g, rate: e, shared, slots: [m, v] }) => {
        const m1 = blend(m, g, beta1);
        const v1 = blend(v, t.mul(g, g), beta2);
        const own = t.div(t.div(m1, shared["first"]), t.add(t.sqrt(t.div(v1, shared["square"])), epsilon));
        const r = weightDecay === 0 ? own : t.add(own, t.mul(w, weightDecay));
        const [ofW, ofR] = [length(w), length(r)];
        const trust = t.where(t.logicalAnd(t.greater(ofW, 0), t.greater(ofR, 0)), t.div(ofW, ofR), 1);
        return { w: t.sub(w, t.mul(r, t.mul(trust, e))), slots: [m1, v1] };
      }),
    },
    rate,
    rest,
  );
}

/** Options of `adafactor`. */
export interface AdafactorOptions extends ClipOptions {
  /** The most that ρ may be; default 1e-3, as Keras (the paper: 1e-2). */
  readonly learningRate?: LearningRate;
  /** γ in β2 = 1 − t^γ; default −0.8. */
  readonly beta2Decay?: number;
  /** Added to g²; default 1e-30. */
  readonly epsilon1?: number;
  /** The least length of a variable that a step is measured by; default 1e-3. */
  readonly epsilon2?: number;
  /** d: a step whose root mean square is above this is scaled down to it; default 1. */
  readonly clipThreshold?: number;
}

/**
 * Adafactor (Shazeer & Stern, 2018; Keras: Adafactor): of g² [..., n, m] only means of rows [..., n] and columns [..., m] are kept;
 * v = rows·columns/mean(rows), w ← w − max(ε2, rms w)·ρ·u/max(1, rms(u)/d) with u = g/√v, ρ = min(α, 1/√t).
 *
 * @example model.compile({ optimizer: adafactor(), loss: "mse" });
 */
export function adafactor(options?: LearningRate | AdafactorOptions): Optimizer {
  const { rate, rest } = split<AdafactorOptions>(options, 1e-3);
  const { beta2Decay = -0.8, epsilon1 = 1e-30, epsilon2 = 1e-3, clipThreshold = 1 } = rest;
  needPositive("adafactor", "clipThreshold", clipThreshold, false);
  return makeOptimizer(
    {
      name: "adafactor",
      slots: (v): Record<string, Tensor> => {
        const like = { dtype: v.dtype };
        if (v.rank < 2) return { v: t.zeros(v.shape, like) };
        return {
          rows: t.zeros(v.shape.slice(0, -1), like),
          columns: t.zeros([...v.shape.slice(0, -2), v.shape[v.rank - 1]], like),
        };
      },
      prepare: ({ rate: e, count }) => ({
        rho: t.minimum(e, t.rsqrt(count)),
        fresh: t.exp(t.mul(t.log(count), beta2Decay)),
      }),
      apply: each(({ w, g, shared, slots }) => {
        const { rho, fresh } = shared;
        const squares = t.add(t.square(g), epsilon1);
        const into = (old: Tensor, x: Tensor): Tensor => t.add(old, t.mul(t.sub(x, old), fresh));
        const next =
          w.rank < 2
            ? [into(slots[0], squares)]
            : [into(slots[0], t.mean(squares, -1)), into(slots[1], t.mean(squares, -2))];
        const [rows, columns] = next;
        const v =
          w.rank < 2
            ? rows
            : t.mul(t.expandDims(t.div(rows, t.mean(rows, -1, { keepdims: true })), -1), t.expandDims(columns, -2));
        const u = t.div(g, t.sqrt(v));
        const size = t.mul(t.maximum(rms(w), epsilon2), rho);
        return { w: t.sub(w, t.mul(u, t.div(size, t.maximum(t.div(rms(u), clipThreshold), 1)))), slots: next };
      }),
    },
    rate,
    rest,
  );
}

/** Options of `muon`. */
export interface MuonOptions extends ClipOptions {
  /** Default 1e-3. */
  readonly learningRate?: LearningRate;
  /** Default 0.95. */
  readonly momentum?: number;
  /** Default true. */
  readonly nesterov?: boolean;
  /** Newton–Schulz iterations; default 5. */
  readonly steps?: number;
  /** Steps are scaled by this times √(larger side), to the size of Adam's (Liu et al., 2025); null: not at all. Default 0.2. */
  readonly rmsRate?: number | null;
  /** λ, decoupled; default 0.004, as Keras. */
  readonly weightDecay?: number;
  /** Matrices left to AdamW, as all that is no matrix: by name, or a function; default /embedding/. The last layer belongs here, too. */
  readonly exclude?: RegExp | ((variable: Variable) => boolean);
  /** Of the AdamW part; defaults 0.9, 0.999, 1e-7. */
  readonly beta1?: number;
  readonly beta2?: number;
  readonly epsilon?: number;
}

/** The nearest half-orthogonal matrix of x [n, m], roughly: x·(a + b·xᵀx + c·(xᵀx)²), some times over. */
function orthogonal(x: Tensor, steps: number): Tensor {
  const tall = x.shape[0] > x.shape[1];
  let y = tall ? t.transpose(x) : x;
  y = t.div(y, t.add(length(y), 1e-7));
  for (let i = 0; i < steps; i++) {
    const square = t.matmul(y, t.transpose(y));
    const inner = t.add(t.mul(square, -4.775), t.mul(t.matmul(square, square), 2.0315));
    y = t.add(t.mul(y, 3.4445), t.matmul(inner, y));
  }
  return tall ? t.transpose(y) : y;
}

/**
 * Muon (Jordan et al., 2024; Keras: Muon): momentum whose step is made orthogonal, for matrices [n, m]; AdamW for the rest.
 *
 * @example
 * const optimizer = muon({ learningRate: 1e-3, exclude: /embedding|head/ });
 */
export function muon(options?: LearningRate | MuonOptions): Optimizer {
  const { rate, rest } = split<MuonOptions>(options, 1e-3);
  const { momentum = 0.95, nesterov = true, steps = 5, rmsRate = 0.2, weightDecay = 0.004 } = rest;
  const { exclude = /embedding/i, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-7 } = rest;
  for (const [name, value] of Object.entries({ momentum, beta1, beta2 })) needShare("muon", name, value);
  needPositive("muon", "weightDecay", weightDecay);
  const isMatrix = (v: Variable): boolean =>
    v.rank === 2 && !(typeof exclude === "function" ? exclude(v) : exclude.test(v.name));
  return makeOptimizer(
    {
      name: "muon",
      slots: (v): Record<string, Tensor> => {
        const zero = (): Tensor => t.zeros(v.shape, { dtype: v.dtype });
        return isMatrix(v) ? { momentum: zero() } : { m: zero(), v: zero() };
      },
      prepare: ({ rate: e, count }) => ({
        step: t.div(t.mul(e, t.sqrt(correction(beta2, count))), correction(beta1, count)),
      }),
      apply: each(({ w, g, rate: e, shared, slots: [m, v] }) => {
        const kept = t.sub(w, t.mul(w, t.mul(e, weightDecay)));
        // Which it is was decided when the slots were made.
        if (v !== undefined) {
          const m1 = blend(m, g, beta1);
          const v1 = blend(v, t.mul(g, g), beta2);
          return {
            w: t.sub(kept, t.div(t.mul(m1, shared["step"]), t.add(t.sqrt(v1), epsilon))),
            slots: [m1, v1],
          };
        }
        const next = t.add(t.mul(m, momentum), g);
        const [rows, columns] = w.shape;
        const scale = rmsRate === null ? 1 : rmsRate * Math.sqrt(Math.max(rows, columns));
        const step = orthogonal(nesterov ? t.add(g, t.mul(next, momentum)) : next, steps);
        return { w: t.sub(kept, t.mul(step, t.mul(e, scale))), slots: [next] };
      }),
    },
    rate,
    rest,
  );
}
