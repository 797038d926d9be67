// A writer of ONNX models: as much of the format as the inference peer needs, straight into memory, with no exporter.
import { Buffer } from "node:buffer";

const float = 1; // TensorProto.DataType
const [ofFloat, ofInt, ofString, ofInts] = [1, 2, 3, 7]; // AttributeProto.AttributeType

/** Protocol buffers: a message is a list of fields; each of these gives one field's pieces. */
function varint(value) {
  const out = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  while (rest > 127n) {
    out.push(Number(rest & 127n) | 128);
    rest >>= 7n;
  }
  return Buffer.from([...out, Number(rest)]);
}
const whole = (field, value) => [varint(field << 3), varint(value)];
const real = (field, value) => {
  const out = Buffer.alloc(4);
  out.writeFloatLE(value);
  return [varint((field << 3) | 5), out];
};
function nested(field, pieces) {
  const size = pieces.reduce((sum, piece) => sum + piece.length, 0);
  return [varint((field << 3) | 2), varint(size), ...pieces];
}
const text = (field, value) => nested(field, [Buffer.from(value)]);

function attribute(name, value) {
  const head = text(1, name);
  if (Array.isArray(value)) return [...head, ...value.flatMap((x) => whole(8, x)), ...whole(20, ofInts)];
  if (typeof value === "string") return [...head, ...text(4, value), ...whole(20, ofString)];
  if (Number.isInteger(value)) return [...head, ...whole(3, value), ...whole(20, ofInt)];
  return [...head, ...real(2, value), ...whole(20, ofFloat)];
}

/** Name and type of an input or output; without a shape it is left to be inferred. */
function valueInfo(name, shape) {
  const dims = shape?.flatMap((n) => nested(1, whole(1, n)));
  const tensor = [...whole(1, float), ...(dims === undefined ? [] : nested(2, dims))];
  return [...text(1, name), ...nested(2, nested(1, tensor))];
}

/** A graph over float32 inputs x0, x1, … of the given shapes. */
export function graph(inputs) {
  const pieces = [];
  let values = 0;
  return {
    constant({ data, shape }) {
      const name = `c${values++}`;
      const raw = nested(9, [Buffer.from(data.buffer, data.byteOffset, data.byteLength)]);
      pieces.push(...nested(5, [...shape.flatMap((n) => whole(1, n)), ...whole(2, float), ...text(8, name), ...raw]));
      return name;
    },
    node(type, from, attributes = {}) {
      const name = `v${values++}`;
      const settings = Object.entries(attributes).flatMap(([key, value]) => nested(5, attribute(key, value)));
      pieces.push(...nested(1, [...from.flatMap((x) => text(1, x)), ...text(2, name), ...text(4, type), ...settings]));
      return name;
    },
    /** The bytes of the model whose result is `output`. */
    model(output) {
      const ends = [
        ...text(2, "bench"),
        ...inputs.flatMap(({ shape }, i) => nested(11, valueInfo(`x${i}`, shape))),
        ...nested(12, valueInfo(output)),
      ];
      const opset = nested(8, [...text(1, ""), ...whole(2, 20)]);
      return Buffer.concat([...whole(1, 9), ...opset, ...nested(7, [...pieces, ...ends])]);
    },
  };
}
