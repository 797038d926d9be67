import { hostArray, type TypedArray } from "../../src/base/index.ts";
import { context } from "../../src/base/context.ts";
import { interpret } from "../../src/codegen/interp/index.ts";
import type { Node } from "../../src/ir/index.ts";
import type { Executor, Value } from "../../src/tensor/index.ts";

const valueOf = (
  data: TypedArray,
  { shape, dtype }: Pick<Node, "shape" | "dtype">,
): Value & { readonly held: TypedArray } => {
  const held = hostArray(dtype, data.length);
  held.set(data);
  return { shape, dtype, held, read: () => held.slice(), write: (d) => held.set(d), dispose: () => {} };
};

/** The interpreter in float64 as an engine: values between programs have their own dtype. */
const oracleEngine: Executor = {
  observer: null,
  fromHost: (data, shape, dtype) => valueOf(data, { shape, dtype }),
  compile: ({ inputs, outputs, updates }) => ({
    explain: () => "the interpreter",
    plan: null,
    run(values) {
      const leaves = new Map(inputs.map((leaf, i) => [leaf, (values[i] as ReturnType<typeof valueOf>).held]));
      const all = interpret([...outputs, ...updates.map((u) => u.value)], leaves, { precision: "float64" });
      updates.forEach((u, i) => values[u.input].write(all[outputs.length + i]));
      return outputs.map((n, i) => valueOf(all[i], n));
    },
  }),
};

/** Runs `f`, which may wait, on the oracle. */
export async function onOracle<T>(f: () => Promise<T>): Promise<T> {
  const before = context.executor;
  context.executor = oracleEngine;
  try {
    return await f();
  } finally {
    context.executor = before;
  }
}
