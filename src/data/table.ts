import { FormatError, ValueError } from "../base/index.ts";
import type { CsvColumn, CsvTable } from "../io/index.ts";
import type { TableDataset } from "./bundled.ts";
import { datasetOf } from "./dataset.ts";
import { labelEncoder } from "./labels.ts";

/** Options of `datasetOfTable`. */
export interface TableOptions {
  /** Column of the labels: names or true/false become class numbers, numbers stay values. Default: none, x only. */
  readonly target?: string;
  /** Columns of x, in order; default: all but the target. */
  readonly features?: readonly string[];
  /** Take the target's numbers as class numbers; default false. */
  readonly classes?: boolean;
  /** Records with a missing value: an error (default), left out, or NaN in x for `imputer`. */
  readonly missing?: "error" | "drop" | "keep";
}

/**
 * A table as samples: x float32 [n, features]. Numbers are one feature, true and false 1 and 0, and a column of names becomes one
 * feature a name (`"city=Rome"`), 1 where it is that.
 *
 * @throws ValueError for columns that there are not, or missing values.
 * @example
 * const text = "length,width,species\n5.1,3.5,setosa\n7,3.2,versicolor\n,3,setosa";
 * const { data, classNames } = datasetOfTable(parseCsv(text), { target: "species", missing: "drop" });
 * classNames; // → ["setosa", "versicolor"]
 */
export function datasetOfTable(table: CsvTable, options: TableOptions = {}): TableDataset {
  const { target, features = table.names.filter((n) => n !== target), missing = "error" } = options;
  const columnOf = (name: string): CsvColumn => {
    const column = table.columns[name];
    if (column !== undefined) return column;
    throw new ValueError(`[table] there is no column "${name}": the table has ${table.names.join(", ")}.`);
  };
  const used = [...features, ...(target === undefined ? [] : [target])];
  const rows: number[] = [];
  for (let i = 0; i < table.length; i++) {
    const gap = used.find((name) => isMissing(columnOf(name), i));
    if (gap === undefined || (missing === "keep" && gap !== target)) rows.push(i);
    else if (missing !== "drop") {
      throw new ValueError(
        `[table] record ${i} has no "${gap}": pass { missing: "drop" } to leave such records out` +
          (gap === target ? "." : `, or { missing: "keep" } and fill them with imputer().`),
      );
    }
  }
  if (rows.length === 0) throw new ValueError("[table] no record is left.");
  const parts = features.map((name) => featuresOf(name, columnOf(name), rows));
  const columns = parts.flat();
  const x = new Float32Array(rows.length * columns.length);
  columns.forEach(({ values }, c) => values.forEach((v, i) => void (x[i * columns.length + c] = v)));
  const labels = target === undefined ? null : labelsOf(columnOf(target), rows, options.classes === true);
  const data = datasetOf({
    x: { data: x, shape: [rows.length, columns.length], dtype: "float32" },
    y: labels === null ? null : { data: labels.data, shape: [rows.length], dtype: labels.dtype },
    classes: labels !== null && labels.names.length > 0 ? labels.names.length : null,
  });
  return { data, featureNames: columns.map((c) => c.name), classNames: labels?.names ?? [] };
}

const isMissing = (c: CsvColumn, i: number): boolean =>
  c.type === "number" ? Number.isNaN(c.data[i]) : c.data[i] === null;

interface Feature {
  readonly name: string;
  readonly values: readonly number[];
}

function featuresOf(name: string, column: CsvColumn, rows: readonly number[]): Feature[] {
  if (column.type === "number") return [{ name, values: rows.map((i) => column.data[i]) }];
  if (column.type === "boolean") {
    const { data } = column;
    return [{ name, values: rows.map((i) => (data[i] === null ? NaN : data[i] ? 1 : 0)) }];
  }
  const { data } = column;
  const names = [...new Set(rows.map((i) => data[i]).filter((v) => v !== null))].sort();
  if (names.length > 256) {
    throw new FormatError(
      `[table] column "${name}" holds ${names.length} different names: too many for one feature each. Leave it out of { features }.`,
    );
  }
  return names.map((n) => ({ name: `${name}=${n}`, values: rows.map((i) => (data[i] === n ? 1 : 0)) }));
}

function labelsOf(
  column: CsvColumn,
  rows: readonly number[],
  classes: boolean,
): { data: Int32Array | Float32Array; dtype: "int32" | "float32"; names: string[] } {
  if (column.type === "number" && !classes)
    return { data: Float32Array.from(rows, (i) => column.data[i]), dtype: "float32", names: [] };
  const values = rows.map((i) => column.data[i] as string | boolean | number);
  const encoder = labelEncoder().fit(values);
  return {
    data: encoder.transform(values).data as Int32Array,
    dtype: "int32",
    names: encoder.classes.map(String),
  };
}
