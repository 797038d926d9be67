import type { DType } from "../base/index.ts";
import { ShapeError, TraceError } from "../base/index.ts";
import { withContext } from "../base/context.ts";
import { record, type Tensor, zeros } from "../tensor/index.ts";
import type { Layer } from "./layer.ts";

/** A shape with unknown sizes: `null` is the batch, or any axis that may differ from call to call. */
export type OpenShape = readonly (number | null)[];

/** `[batch, 28, 28, 1]`, as open shapes are written in messages and tables. */
export const showOpen = (shape: OpenShape): string =>
  `[${shape.map((d, i) => d ?? (i === 0 ? "batch" : "?")).join(", ")}]`;

/** One call of a layer on symbolic inputs. */
export interface Call {
  readonly layer: Layer;
  readonly inputs: readonly Symbolic[];
  readonly outputs: readonly Symbolic[];
}

/**
 * What `input()` gives and layers return for it: a shape and where it comes from, no numbers. `model(inputs, outputs)` closes
 * a graph of them (Keras: KerasTensor).
 */
export class Symbolic {
  readonly shape: OpenShape;
  readonly dtype: DType;
  /** The call this is a result of; null for an input. */
  call: Call | null;
  readonly name: string;

  constructor(shape: OpenShape, dtype: DType, name = "", call: Call | null = null) {
    this.shape = shape;
    this.dtype = dtype;
    this.name = name;
    this.call = call;
  }

  get rank(): number {
    return this.shape.length;
  }

  /** Symbolic tensors have no numbers: the usual slip is to read one. */
  dataSync(): never {
    throw new TraceError(
      `A symbolic tensor ${showOpen(this.shape)} has no data: close the graph with model(inputs, outputs) and call the model.`,
    );
  }
}

/**
 * The entry of a functional model: `shape` is that of one sample; the batch axis comes in front (Keras: Input).
 *
 * @example
 * const x = input([28, 28, 1]);
 * const net = model(x, dense(10)(flatten()(x)));
 */
export function input(shape: OpenShape, options: { dtype?: DType; name?: string } = {}): Symbolic {
  if (shape.some((d) => d !== null && !(Number.isInteger(d) && d > 0))) {
    throw new ShapeError(
      `[input] ${showOpen([null, ...shape])}: every size of a sample must be a whole number > 0, or null for any size.`,
    );
  }
  return new Symbolic([null, ...shape], options.dtype ?? "float32", options.name ?? "");
}

/** Sizes that stand for `null`, of the batch and of other axes, while shapes are inferred: results that differ between the two were open. */
const PROBES = [
  [2, 96],
  [3, 128],
] as const;

/** The open shapes and dtypes that `f` gives for inputs of open shapes: `f` is recorded twice, nothing is computed. */
export function inferShapes(
  inputs: readonly { readonly shape: OpenShape; readonly dtype: DType }[],
  f: (xs: Tensor[]) => readonly Tensor[],
): { shape: OpenShape; dtype: DType }[] {
  const open = inputs.some((s) => s.shape.includes(null));
  const [first, last = first] = PROBES.slice(0, open ? 2 : 1).map(([batch, other]) =>
    withContext(
      { training: false },
      () =>
        record(
          () =>
            f(
              inputs.map(({ shape, dtype }) =>
                zeros(
                  shape.map((d, axis) => d ?? (axis === 0 ? batch : other)),
                  { dtype },
                ),
              ),
            ).map(({ shape, dtype }) => ({ shape, dtype })),
          true,
        ).result,
    ),
  );
  return first.map(({ shape, dtype }, i) => ({
    shape: shape.map((d, axis) => (last[i].shape[axis] === d ? d : null)),
    dtype,
  }));
}
