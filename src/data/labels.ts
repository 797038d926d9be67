import { type TypedArray, ValueError } from "../base/index.ts";
import type { HostArray } from "../io/index.ts";

/**
 * Throws unless every label is a whole number in 0..classes-1: what a sparse loss needs. Gathering with such a label
 * would read another row without a word, so it is checked before training.
 *
 * @throws ValueError naming the first bad label, where it stands, and the likely repair.
 * @example checkLabels(new Int32Array([0, 9, 3]), 10);
 */
export function checkLabels(labels: TypedArray, classes: number, what = "labels"): void {
  if (!Number.isInteger(classes) || classes < 1) {
    throw new ValueError(`[${what}] the number of classes must be a whole number ≥ 1, got ${classes}.`);
  }
  for (let i = 0; i < labels.length; i++) {
    const label = labels[i];
    if (label >= 0 && label < classes && Number.isInteger(label)) continue;
    throw new ValueError(
      `[${what}] label ${label} at index ${i} is out of range: with ${classes} classes every label must be a whole ` +
        `number in 0..${classes - 1}.${repair(labels, label, classes)}`,
    );
  }
}

/** The slip behind a bad label: counted from 1, fractions, or -1 as "none". */
function repair(labels: TypedArray, label: number, classes: number): string {
  if (label === classes && labels.every((l) => l >= 1 && l <= classes)) return " Do they count from 1? Subtract 1.";
  if (!Number.isInteger(label)) return ' Are these targets of a regression? Use the loss "meanSquaredError".';
  if (label < 0) return " Remove unlabelled samples, or give them sample weight 0 and any valid label.";
  return ` Does the last layer need ${label + 1} units or more?`;
}

/**
 * Class numbers [n] as rows of 0 and 1 [n, classes], float32: for the dense "categoricalCrossentropy".
 *
 * @throws ValueError for a label outside 0..classes-1.
 * @example oneHotLabels({ data: new Int32Array([2]), shape: [1], dtype: "int32" }, 3).data; // 0 0 1
 */
export function oneHotLabels(labels: HostArray, classes: number): HostArray {
  checkLabels(labels.data, classes, "oneHotLabels");
  const data = new Float32Array(labels.data.length * classes);
  labels.data.forEach((label, i) => void (data[i * classes + label] = 1));
  return { data, shape: [...labels.shape, classes], dtype: "float32" };
}

/** What stands for a class outside. */
export type ClassName = string | number | boolean;

/** Class names to numbers and back; see `labelEncoder`. */
export interface LabelEncoder {
  /** Distinct values, sorted; the class number is the position. */
  readonly classes: readonly ClassName[];
  /** Learns the names; they are numbered in sorted order. */
  fit(values: ArrayLike<ClassName>): this;
  /** Class numbers int32 [n]. */
  transform(values: ArrayLike<ClassName>): HostArray;
  /** The values behind class numbers. */
  inverseTransform(labels: ArrayLike<number>): ClassName[];
}

/**
 * Names to class numbers 0, 1, … and back.
 *
 * @throws ValueError for a value that `fit` did not see, or a class number that there is not.
 * @example labelEncoder().fit(["dog", "cat", "dog"]).transform(["cat", "dog"]).data; // 0, 1
 */
export function labelEncoder(): LabelEncoder {
  let classes: ClassName[] = [];
  const encoder: LabelEncoder = {
    get classes() {
      return classes;
    },
    fit(values) {
      classes = [...new Set(Array.from(values))].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
      return encoder;
    },
    transform(values) {
      const numbers = new Map(classes.map((c, i) => [c, i]));
      const data = Int32Array.from(Array.from(values), (v, i) => {
        const label = numbers.get(v);
        if (label !== undefined) return label;
        throw new ValueError(
          `[labelEncoder] ${JSON.stringify(v)} at index ${i} is not one of the classes that fit saw: ${shown(classes)}.`,
        );
      });
      return { data, shape: [data.length], dtype: "int32" };
    },
    inverseTransform(labels) {
      checkLabels(Int32Array.from(labels), Math.max(1, classes.length), "labelEncoder");
      return Array.from(labels, (l) => classes[l]);
    },
  };
  return encoder;
}

const shown = (classes: readonly ClassName[]): string =>
  classes.slice(0, 10).map(String).join(", ") + (classes.length > 10 ? ", …" : "");
