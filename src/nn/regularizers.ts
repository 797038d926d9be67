import { ValueError } from "../base/index.ts";
import { abs, add, mul, square, sum, type Tensor } from "../tensor/index.ts";
import type { Config } from "./layer.ts";
import { didYouMean } from "./names.ts";

/** A penalty on the size of a variable, added to the loss. `config` is its JSON form. */
export interface Regularizer {
  (w: Tensor): Tensor;
  readonly config: RegularizerConfig;
}

/** The JSON form of a regularizer. */
export type RegularizerConfig = Config & { readonly name: string };

/** What layer options take: `"l1"`, `"l2"` (λ = 0.01, as Keras), `l2(1e-4)`, or the JSON form of `l1l2`. */
export type RegularizerLike = Regularizer | "l1" | "l2" | { readonly l1: number; readonly l2: number };

/**
 * λ₁Σ|w| + λ₂Σw², the elastic net (Keras: L1L2; S-148 to S-154, S-099). The notes' other scalings of the squares, λ/2m and α/2,
 * are other values of λ₂.
 *
 * @example dense(8, { kernelRegularizer: l1l2({ l1: 1e-5, l2: 1e-4 }) });
 */
export function l1l2(options: { readonly l1?: number; readonly l2?: number }): Regularizer {
  const config = { name: "l1l2", l1: options.l1 ?? 0, l2: options.l2 ?? 0 };
  if (!(config.l1 >= 0 && config.l2 >= 0)) {
    throw new ValueError(`[regularizer] factors must be ≥ 0, got l1 ${config.l1} and l2 ${config.l2}.`);
  }
  const penalty = (w: Tensor): Tensor => {
    const [one, two] = [(): Tensor => mul(sum(abs(w)), config.l1), (): Tensor => mul(sum(square(w)), config.l2)];
    return config.l1 === 0 ? two() : config.l2 === 0 ? one() : add(one(), two());
  };
  return Object.assign(penalty, { config });
}

/**
 * λΣ|w|; slope 0 at 0 (Keras: L1; S-151).
 *
 * @example dense(8, { kernelRegularizer: l1(1e-4) });
 */
export const l1 = (factor = 0.01): Regularizer => l1l2({ l1: factor });
/**
 * λΣw² (Keras: L2; S-148, S-150). For plain SGD the same as weight decay by 2λ (S-149).
 *
 * @example dense(8, { kernelRegularizer: l2(1e-4) });
 */
export const l2 = (factor = 0.01): Regularizer => l1l2({ l2: factor });

/** The regularizer of an option; null for none. */
export function regularizerOf(like: RegularizerLike | null | undefined): Regularizer | null {
  if (like === null || like === undefined) return null;
  if (typeof like === "function") return like;
  if (like === "l1") return l1();
  if (like === "l2") return l2();
  if (typeof like === "object") return l1l2(like);
  throw new ValueError(`unknown regularizer "${String(like)}": ${didYouMean(like, ["l1", "l2"])}`);
}

/** The JSON of those that are given. */
export const partsJson = (all: Readonly<Record<string, { readonly config: Config } | null>>): Config =>
  Object.fromEntries(Object.entries(all).flatMap(([key, r]) => (r === null ? [] : [[key, r.config]])));
