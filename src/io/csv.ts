import { FormatError, ValueError } from "../base/index.ts";

/** What the fields of a column are. */
export type CsvType = "number" | "string" | "boolean";

/** One column, missing values counted: NaN among numbers, null among the rest. */
export type CsvColumn =
  | { readonly type: "number"; readonly data: Float64Array; readonly missing: number }
  | { readonly type: "string"; readonly data: readonly (string | null)[]; readonly missing: number }
  | { readonly type: "boolean"; readonly data: readonly (boolean | null)[]; readonly missing: number };

/** What `parseCsv` gives. */
export interface CsvTable {
  /** Names of the columns, in order. */
  readonly names: readonly string[];
  /** Number of records. */
  readonly length: number;
  readonly columns: Readonly<Record<string, CsvColumn>>;
}

/** Options of `parseCsv`. */
export interface CsvOptions {
  /** Between fields; default: the one of `,` `;` tab `|` that the first record has most of. */
  readonly delimiter?: string;
  /** true (default): the first record names the columns; false: they are called "0", "1", …; or the names themselves. */
  readonly header?: boolean | readonly string[];
  /** Fields that stand for no value (unquoted); default "", "NA", "N/A", "NaN", "nan", "null", "?". */
  readonly missing?: readonly string[];
  /** Types by column name. Default: number when every value is one, boolean when all are true or false, else string. */
  readonly types?: Readonly<Record<string, CsvType>>;
  /** Lines that begin with it are left out; default none. */
  readonly comment?: string;
  /** Of the file, for messages. */
  readonly name?: string;
}

const MISSING = ["", "NA", "N/A", "NaN", "nan", "null", "?"];

interface Field {
  readonly text: string;
  readonly quoted: boolean;
}

interface CsvRecord {
  readonly fields: readonly Field[];
  readonly line: number;
}

/**
 * A table from CSV text (RFC 4180: quotes double inside quotes; lines end with LF or CRLF). Strict: a record with another number of
 * fields, a quote in the middle of a field or one that never closes is an error, not a guess.
 *
 * @throws FormatError naming file and line; ValueError for options that do not fit the table.
 * @example
 * const t = parseCsv("height,name\n1.5,Ada\nNA,Bo\n");
 * t.columns.height; // { type: "number", data: Float64Array [1.5, NaN], missing: 1 }
 */
export function parseCsv(text: string, options: CsvOptions = {}): CsvTable {
  const { header = true, missing = MISSING, types = {}, comment, name = "csv" } = options;
  const source = text.startsWith("\ufeff") ? text.slice(1) : text;
  const delimiter = options.delimiter ?? guessDelimiter(source, comment);
  if (delimiter.length !== 1 || delimiter === '"' || delimiter === "\n")
    throw new ValueError(`[csv] delimiter must be one character other than a quote, got ${JSON.stringify(delimiter)}.`);
  const records = [...recordsOf(source, delimiter, comment, name)];
  const first = records[0];
  if (first === undefined) throw new FormatError(`[csv] "${name}" is empty.`);
  const names = namesOf(header, first);
  const body = header === true ? records.slice(1) : records;
  for (const { fields, line } of body) {
    if (fields.length !== names.length) {
      throw new FormatError(
        `[csv] "${name}" line ${line} has ${fields.length} fields, the ${header === true ? "header" : "table"} has ` +
          `${names.length}. Is a field with ${JSON.stringify(delimiter)} in it not quoted?`,
      );
    }
  }
  for (const column of Object.keys(types)) {
    if (!names.includes(column))
      throw new ValueError(`[csv] types names the column "${column}", the table has ${names.join(", ")}.`);
  }
  const none = new Set(missing);
  const columns: Record<string, CsvColumn> = {};
  names.forEach((column, c) => {
    const values = body.map(({ fields }) => (!fields[c].quoted && none.has(fields[c].text) ? null : fields[c].text));
    const type = types[column] ?? guessType(values);
    columns[column] = typed(values, type, (row, wanted) => {
      throw new FormatError(
        `[csv] "${name}" line ${body[row].line}: ${JSON.stringify(values[row])} in column "${column}" is not ${wanted}. ` +
          `If it stands for no value, name it in { missing }.`,
      );
    });
  });
  return { names, length: body.length, columns };
}

function namesOf(header: boolean | readonly string[], first: CsvRecord): string[] {
  const names =
    header === true
      ? first.fields.map((f) => f.text.trim())
      : header === false
        ? first.fields.map((_, i) => String(i))
        : [...header];
  const twice = names.find((n, i) => names.indexOf(n) !== i);
  if (twice !== undefined)
    throw new FormatError(`[csv] two columns are called "${twice}": pass { header: [names] } to tell them apart.`);
  return names;
}

/** The delimiter that the first record has most of, outside of quotes. */
function guessDelimiter(text: string, comment: string | undefined): string {
  const lines = text.split(/\r?\n/, 50);
  const line = lines.find((l) => l !== "" && !(comment !== undefined && l.startsWith(comment))) ?? "";
  const bare = line.replaceAll(/"[^"]*"/g, "");
  const count = (d: string): number => bare.split(d).length;
  return [",", ";", "\t", "|"].reduce((best, d) => (count(d) > count(best) ? d : best));
}

/** Records one after the other; blank lines are none. */
function* recordsOf(text: string, delimiter: string, comment: string | undefined, name: string): Generator<CsvRecord> {
  let at = 0;
  let line = 1;
  const endOf = (from: number): number => {
    const end = text.indexOf("\n", from);
    return end < 0 ? text.length : end;
  };
  while (at < text.length) {
    const lineEnd = endOf(at);
    if ((comment !== undefined && text.startsWith(comment, at)) || /^\r?$/.test(text.slice(at, lineEnd))) {
      at = lineEnd + 1;
      line++;
      continue;
    }
    const fields: Field[] = [];
    const start = line;
    for (let more = true; more;) {
      let field: Field;
      if (text[at] === '"') {
        let value = "";
        for (at++; ;) {
          const quote = text.indexOf('"', at);
          if (quote < 0) throw new FormatError(`[csv] "${name}" line ${start}: a quote is never closed.`);
          value += text.slice(at, quote);
          at = quote + 1;
          if (text[at] !== '"') break;
          value += '"';
          at++;
        }
        line += value.split("\n").length - 1;
        field = { text: value, quoted: true };
      } else {
        let end = at;
        while (end < text.length && text[end] !== delimiter && text[end] !== "\n") end++;
        const value = text.slice(at, end);
        if (value.includes('"')) {
          throw new FormatError(
            `[csv] "${name}" line ${line}: a quote inside the unquoted field ${JSON.stringify(value.trim())}. Quote the whole field, ` +
              `and double the quotes in it.`,
          );
        }
        at = end;
        field = { text: value.trim(), quoted: false };
      }
      fields.push(field);
      if (text.startsWith("\r\n", at)) at++;
      const next = text[at];
      if (next !== delimiter && next !== "\n" && next !== undefined) {
        throw new FormatError(`[csv] "${name}" line ${line}: ${JSON.stringify(next)} follows a closing quote.`);
      }
      at++;
      more = next === delimiter;
    }
    line++;
    yield { fields, line: start };
  }
}

const isNumber = (s: string): boolean => /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$|^[+-]?inf(inity)?$/i.test(s);
const isTruth = (s: string): boolean => /^(true|false)$/i.test(s);

function guessType(values: readonly (string | null)[]): CsvType {
  const there = values.filter((v) => v !== null);
  if (there.every(isNumber)) return "number";
  return there.every(isTruth) ? "boolean" : "string";
}

const toNumber = (s: string): number => (/inf/i.test(s) ? (s.startsWith("-") ? -Infinity : Infinity) : Number(s));

function typed(
  values: readonly (string | null)[],
  type: CsvType,
  fail: (row: number, wanted: string) => never,
): CsvColumn {
  const missing = values.filter((v) => v === null).length;
  if (type === "string") return { type, data: values, missing };
  const check = (test: (s: string) => boolean, wanted: string): void => {
    const bad = values.findIndex((v) => v !== null && !test(v));
    if (bad >= 0) fail(bad, wanted);
  };
  if (type === "boolean") {
    check(isTruth, "true or false");
    return { type, data: values.map((v) => (v === null ? null : /^t/i.test(v))), missing };
  }
  check(isNumber, "a number");
  return { type, data: Float64Array.from(values, (v) => (v === null ? NaN : toNumber(v))), missing };
}

/**
 * CSV text with a header; missing values are empty fields.
 *
 * @throws ValueError when columns differ in length.
 * @example encodeCsv({ epoch: [0, 1], loss: [0.5, 0.25] }); // "epoch,loss\n0,0.5\n1,0.25\n"
 */
export function encodeCsv(
  columns: Readonly<Record<string, ArrayLike<number | string | boolean | null>>>,
  delimiter = ",",
): string {
  const names = Object.keys(columns);
  const length = names.length === 0 ? 0 : columns[names[0]].length;
  for (const name of names) {
    if (columns[name].length !== length) {
      throw new ValueError(
        `[csv] column "${name}" has ${columns[name].length} values, "${names[0]}" has ${length}: all must have as many.`,
      );
    }
  }
  const quote = (v: number | string | boolean | null): string => {
    if (v === null || Number.isNaN(v)) return "";
    const s = String(v);
    return s === "" || /["\n\r]/.test(s) || s.includes(delimiter) || s !== s.trim()
      ? `"${s.replaceAll('"', '""')}"`
      : s;
  };
  const rows = Array.from({ length }, (_, i) => names.map((n) => quote(columns[n][i])).join(delimiter));
  return `${[names.map(quote).join(delimiter), ...rows].join("\n")}\n`;
}
