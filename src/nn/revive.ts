/**
 * From names in files back to functions: the activations, initializers, constraints and regularizers that options do not know by
 * name, because a program carries them only when it imports them.
 */
import { MORE_ACTIVATIONS } from "./activations-more.ts";
import type { Adjustable } from "./activations.ts";
import { maxNorm, minMaxNorm, nonNeg, unitNorm } from "./constraints.ts";
import { identity, orthogonal } from "./initializers-more.ts";
import type { Config, Json } from "./layer.ts";
import { orthogonalRegularizer } from "./regularizers-more.ts";

type Named = { readonly name: string } & Config;
type Maker = (options: never) => unknown;

const PARTS: Readonly<Record<string, Readonly<Record<string, Maker>>>> = {
  Initializer: { orthogonal, identity },
  Constraint: { maxNorm, minMaxNorm, nonNeg, unitNorm },
  Regularizer: { orthogonal: orthogonalRegularizer },
};

/** The function that `value` names under a key such as "kernelConstraint"; undefined when it is not one of this file. */
function partOf(key: string, value: Json): unknown {
  const { name, ...options } = (typeof value === "string" ? { name: value } : value) as Named;
  if (/activation$/i.test(key)) {
    const found = MORE_ACTIVATIONS[name];
    return found !== undefined && Object.keys(options).length > 0 ? (found as Adjustable<Config>)(options) : found;
  }
  const kind = /[A-Z][a-z]+$/.exec(key)?.[0] ?? "";
  return PARTS[kind]?.[name]?.(options as never);
}

/** The options of a layer with such names replaced by their functions. */
export const revived = (config: Config): Config =>
  Object.fromEntries(
    Object.entries(config).map(([key, value]) => {
      const nameable = typeof value === "string" || (typeof value === "object" && value !== null && "name" in value);
      return [key, ((nameable ? partOf(key, value) : undefined) ?? value) as Json];
    }),
  );
