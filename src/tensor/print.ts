import { type DType, isFloat, showShape, sizeOf, type TypedArray } from "../base/index.ts";
import type { NestedArray } from "./convert.ts";

/** Elements above which a printout is abbreviated, and how many are shown at either end, as in NumPy. */
const THRESHOLD = 1000;
const EDGE = 3;
const WIDTH = 100;

/** Row-major elements as nested arrays. */
export function nest(data: TypedArray, shape: readonly number[], dtype: DType): NestedArray | number | boolean {
  let at = 0;
  const walk = (axis: number): NestedArray | number | boolean => {
    if (axis === shape.length) return dtype === "bool" ? data[at++] !== 0 : data[at++];
    return Array.from({ length: shape[axis] }, () => walk(axis + 1));
  };
  return walk(0);
}

/** How the numbers of one printout are written: all alike, as NumPy does. */
function formatter(values: readonly number[], dtype: DType): (v: number) => string {
  if (dtype === "bool") return (v) => (v === 0 ? "false" : "true");
  if (!isFloat(dtype)) return (v) => String(v);
  const finite = values.filter((v) => Number.isFinite(v) && v !== 0).map(Math.abs);
  const top = finite.reduce((a, b) => Math.max(a, b), 0);
  const low = finite.reduce((a, b) => Math.min(a, b), Infinity);
  const digits = dtype === "float32" ? 8 : 16;
  const odd = (v: number): string => (Number.isNaN(v) ? "nan" : v > 0 ? "inf" : "-inf");
  if (finite.length > 0 && (top >= 1e8 || low < 1e-4 || top / low > 1e6)) {
    return (v) => (Number.isFinite(v) ? v.toExponential(4) : odd(v));
  }
  // As many decimals as the longest shortest form needs, four for display at most.
  const short = (v: number): string => String(Number(v.toPrecision(digits)));
  const decimals = Math.min(
    4,
    Math.max(0, ...values.filter(Number.isFinite).map((v) => short(v).split(".")[1]?.length ?? 0)),
  );
  return (v) => (Number.isFinite(v) ? v.toFixed(decimals) + (decimals === 0 ? "." : "") : odd(v));
}

/** Indices shown of an axis; -1 stands for the dots. */
const shown = (size: number, cut: boolean): number[] =>
  cut && size > 2 * EDGE
    ? [...Array.from({ length: EDGE }, (_, i) => i), -1, ...Array.from({ length: EDGE }, (_, i) => size - EDGE + i)]
    : Array.from({ length: size }, (_, i) => i);

function body(data: TypedArray, shape: readonly number[], dtype: DType, indent: string): string {
  const cut = data.length > THRESHOLD;
  const values: number[] = [];
  const collect = (axis: number, base: number): void => {
    if (axis === shape.length) {
      values.push(data[base]);
      return;
    }
    const stride = sizeOf(shape.slice(axis + 1));
    for (const i of shown(shape[axis], cut)) if (i >= 0) collect(axis + 1, base + i * stride);
  };
  collect(0, 0);
  const format = formatter(values, dtype);
  const width = Math.max(0, ...values.map((v) => format(v).length));
  const walk = (axis: number, base: number, lead: string): string => {
    if (axis === shape.length) return format(data[base]).padStart(shape.length === 0 ? 0 : width);
    const stride = sizeOf(shape.slice(axis + 1));
    const inner = `${lead} `;
    const parts = shown(shape[axis], cut).map((i) => (i < 0 ? "..." : walk(axis + 1, base + i * stride, inner)));
    if (axis < shape.length - 1) return `[${parts.join(`,${"\n".repeat(shape.length - 1 - axis)}${inner}`)}]`;
    return `[${wrapRow(parts, inner)}]`;
  };
  return walk(0, 0, indent);
}

/** Elements joined by commas, broken into lines of at most WIDTH. */
function wrapRow(parts: readonly string[], lead: string): string {
  const lines: string[] = [];
  let line = "";
  for (const [i, part] of parts.entries()) {
    const piece = part + (i < parts.length - 1 ? "," : "");
    if (line !== "" && lead.length + line.length + 1 + piece.length > WIDTH) {
      lines.push(line);
      line = piece;
    } else line += (line === "" ? "" : " ") + piece;
  }
  return [...lines, line].join(`\n${lead}`);
}

/** `tensor([[1., 2.], …], shape=[2, 2], dtype=float32)`; without data, what is known. */
export function formatTensor(dtype: DType, shape: readonly number[], data: TypedArray | null | "disposed"): string {
  const tail = `shape=${showShape(shape)}, dtype=${dtype}`;
  if (data === null) return `tensor(<symbolic>, ${tail})`;
  if (data === "disposed") return `tensor(<disposed>, ${tail})`;
  const head = "tensor(";
  return `${head}${body(data, shape, dtype, " ".repeat(head.length))}, ${tail})`;
}
