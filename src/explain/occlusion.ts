import { ShapeError, showShape, ValueError } from "../base/index.ts";
import { compiled, sigmoid, softmax, type Tensor, tensor, type TensorLike } from "../tensor/index.ts";
import { classesOf, type Explained, type ExplainOptions, pick, scoresOf } from "./scores.ts";

/** Options of `occlusion`. */
export interface OcclusionOptions extends ExplainOptions {
  /** Side of the square that is hidden, in pixels. */
  readonly size: number;
  /** Pixels from one place of the square to the next. Default: the size. */
  readonly stride?: number;
  /** What hides: one value for all channels. Default 0. */
  readonly fill?: number;
  /** Hidden pictures that go through the network at a time. Default 128. */
  readonly batchSize?: number;
}

/**
 * Occlusion sensitivity: how much the probability of a class falls when a square of the picture is hidden (Zeiler and Fergus,
 * 2014; S-424). Large values mark what the network needs.
 *
 * @param image [height, width, channels] or [1, height, width, channels]
 * @returns [(height − size)/stride + 1, (width − size)/stride + 1], rounded down
 * @throws ShapeError for more than one picture; ValueError for a square larger than it.
 * @example const map = occlusion(net, x.slice([0, 1]), { size: 7, stride: 3 });
 */
export function occlusion(net: Explained, image: TensorLike, options: OcclusionOptions): Tensor {
  const { size, stride = size, fill = 0, batchSize = 128 } = options;
  const given = tensor(image);
  const [height, width, channels] = given.rank === 4 ? given.shape.slice(1) : given.shape;
  if (given.rank < 3 || given.rank > 4 || (given.rank === 4 && given.shape[0] !== 1))
    throw new ShapeError(
      `[occlusion] takes one picture [height, width, channels], got ${showShape(given.shape)}: pick one with slice.`,
    );
  for (const [name, value] of Object.entries({ size, stride, batchSize }))
    if (!Number.isInteger(value) || value < 1)
      throw new ValueError(`[occlusion] ${name} must be a whole number ≥ 1, got ${value}.`);
  if (size > Math.min(height, width))
    throw new ValueError(`[occlusion] a square of ${size} pixels does not fit into ${height} × ${width}.`);
  const x = given.reshape([1, height, width, channels]);
  const classes = classesOf(net, x, options, "occlusion").dataSync();
  const [rows, columns] = [height, width].map((n) => Math.floor((n - size) / stride) + 1);
  // A network with one output says how likely the one class is.
  const chance = compiled((pictures: Tensor, which: Tensor) => {
    const scores = scoresOf(net, pictures, "occlusion");
    return pick(scores.shape[1] === 1 ? sigmoid(scores) : softmax(scores, -1), which);
  });
  const among = (pictures: Float32Array, count: number): Tensor =>
    chance(
      tensor(pictures, { shape: [count, height, width, channels] }),
      tensor(new Array<number>(count).fill(classes[0]), { dtype: "int32" }),
    );
  const plain = Float32Array.from(x.dataSync());
  const whole = among(plain, 1).item();
  const drops = new Float32Array(rows * columns);
  for (let first = 0; first < drops.length; first += batchSize) {
    const count = Math.min(batchSize, drops.length - first);
    const pictures = new Float32Array(count * plain.length);
    for (let i = 0; i < count; i++) {
      pictures.set(plain, i * plain.length);
      const [row, column] = [Math.floor((first + i) / columns) * stride, ((first + i) % columns) * stride];
      for (let y = row; y < row + size; y++) {
        const start = i * plain.length + (y * width + column) * channels;
        pictures.fill(fill, start, start + size * channels);
      }
    }
    drops.set(
      Float32Array.from(among(pictures, count).dataSync(), (p) => whole - p),
      first,
    );
  }
  return tensor(drops, { shape: [rows, columns] });
}
