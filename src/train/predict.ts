import { hostArray, ShapeError, showShape, sizeOf, type TypedArray, ValueError } from "../base/index.ts";
import type { HostArray, ModelBase } from "../nn/model.ts";
import { compiled, tensor, type Tensor } from "../tensor/index.ts";
import { type ArrayLikeInput, hostOf } from "./inputs.ts";
import type { PassOptions } from "./model.ts";

/** The smallest power of two that is not below n. */
const bucket = (n: number): number => 2 ** Math.ceil(Math.log2(n));

/**
 * `predict` of a model. A short batch is filled up with zeros to the next power of two, so that samples in any number meet
 * only a few compiled functions; the filling is cut off again.
 */
export function makePredictor(model: ModelBase): (x: ArrayLikeInput, options: PassOptions) => Tensor {
  const run = compiled((x: Tensor) => model(x, { training: false }));
  return (samples, { batchSize = 32, onEvent }) => {
    const x = hostOf(samples, "x");
    if (!Number.isInteger(batchSize) || batchSize < 1)
      throw new ValueError(`[predict] batchSize must be a whole number ≥ 1, got ${batchSize}.`);
    if (x.shape.length === 0) throw new ShapeError("[predict] x is a scalar: give it a batch axis in front.");
    checkSample(model, x);
    const n = x.shape[0];
    const row = sizeOf(x.shape.slice(1));
    let out: { data: TypedArray; shape: readonly number[]; at: number } | null = null;
    for (let from = 0; from < Math.max(1, n); from += batchSize) {
      const size = Math.min(batchSize, n - from);
      const full = Math.min(batchSize, bucket(Math.max(1, size)));
      const part = hostArray(x.dtype, full * row);
      part.set(x.data.subarray(from * row, (from + size) * row));
      const given = tensor(part, { shape: [full, ...x.shape.slice(1)], dtype: x.dtype });
      const y = run(given);
      given.dispose();
      if (Array.isArray(y))
        throw new ValueError(`[predict] model "${model.name}" has several outputs: call it, model(x).`);
      if (y.shape[0] !== full) {
        throw new ShapeError(
          `[predict] the model gives ${showShape(y.shape)} for ${full} samples: its first axis must be the batch; call it, model(x).`,
        );
      }
      const width = sizeOf(y.shape.slice(1));
      out ??= { data: hostArray(y.dtype, n * width), shape: [n, ...y.shape.slice(1)], at: 0 };
      out.data.set(y.dataSync().subarray(0, size * width), out.at);
      out.at += size * width;
      y.dispose();
      onEvent?.({ type: "passBatchEnd", seen: from + size, samples: n, metrics: {} });
      if (n === 0) break;
    }
    const { data, shape } = out as NonNullable<typeof out>;
    return tensor(data, { shape });
  };
}

/** The usual slip is one sample without its batch axis. Other new shapes are tried before the batch is filled up. */
function checkSample(model: ModelBase, x: HostArray): void {
  const want = model.inputShapes?.[0];
  if (want === undefined || (x.shape.length === want.length && x.shape.every((d, i) => i === 0 || d === want[i])))
    return;
  if (x.shape.length !== want.length - 1) {
    model.outputShape(x.shape, x.dtype);
    return;
  }
  throw new ShapeError(
    `[predict] model "${model.name}" takes batches of ${want.length} axes, got ${showShape(x.shape)}: for one sample reshape to ${showShape([1, ...x.shape])}.`,
  );
}
