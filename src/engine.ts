/**
 * The only file that joins the rooms: what runs graphs is put into the context here, at import.
 */
import { hostArray, sizeOf, type TypedArray, ValueError } from "./base/index.ts";
import { context } from "./base/context.ts";
import { interpret } from "./codegen/interp/index.ts";
import { printGraph } from "./ir/index.ts";
import type { DType } from "./base/index.ts";
import type { Executor, Graph, Program, Value } from "./tensor/executor.ts";

/** A host array with its shape. */
class HostValue implements Value {
  readonly shape: readonly number[];
  readonly dtype: DType;
  readonly array: TypedArray;

  constructor(array: TypedArray, shape: readonly number[], dtype: DType) {
    this.array = array;
    this.shape = shape;
    this.dtype = dtype;
  }

  read(): TypedArray {
    return this.array.slice();
  }
  write(data: TypedArray): void {
    if (data.length !== this.array.length) throw new ValueError(`[write] ${this.array.length} elements, got ${data.length}.`);
    this.array.set(data);
  }
  dispose(): void {}
}

function compile(graph: Graph): Program {
  const targets = [...graph.outputs, ...graph.updates.map((u) => u.value)];
  return {
    run(inputs: readonly Value[]): Value[] {
      const arrays = inputs.map((v) => (v as HostValue).array);
      const leaves = new Map(graph.inputs.map((leaf, i) => [leaf, arrays[i]]));
      const results = interpret(targets, leaves, { precision: "native" });
      // A result may share its array with an input or with another result.
      const owned = results.map((r, i) => (arrays.includes(r) || results.indexOf(r) < i ? r.slice() : r));
      graph.updates.forEach((u, i) => inputs[u.input].write(owned[graph.outputs.length + i]));
      return graph.outputs.map((o, i) => new HostValue(owned[i], o.shape, o.dtype));
    },
    explain: () => printGraph(targets),
  };
}

export const engine: Executor = {
  compile,
  fromHost(data: TypedArray, shape: readonly number[], dtype: DType): Value {
    const array = hostArray(dtype, sizeOf(shape));
    array.set(data);
    return new HostValue(array, shape, dtype);
  },
};

context.executor = engine;
