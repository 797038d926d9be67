// Docstrings: every public name has one, and every public function an example. (`test/docs/examples.test.ts` runs the examples.)
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { parseSync } from "vite";
import { root } from "../lib/run.mjs";

/**
 * A name that an entry of package.json exports: where it is declared, what it is, and the text of its docstring.
 * @typedef {{ entry: string, name: string, kind: string, file: string, line: number, doc: string | null }} PublicName
 */

/** @type {import("../check.mjs").Gate} */
export async function docstrings() {
  const names = publicNames(root);
  const findings = names
    .map(({ file, line, name, kind, doc }) => {
      if (doc === null) return `${file}:${line}: the ${kind} ${name} is public and has no docstring`;
      if (kind === "function" && !/@example\b/.test(doc))
        return `${file}:${line}: the function ${name} is public and has no @example`;
      return "";
    })
    .filter((text) => text !== "");
  const functions = names.filter((n) => n.kind === "function").length;
  return { findings, note: `${names.length} public names, ${functions} of them functions with examples` };
}

/**
 * The public names of a package whose entries point to dist/, each once, in the order of the entries.
 * @param {string} folder
 * @returns {PublicName[]}
 */
export function publicNames(folder) {
  const { exports } = JSON.parse(readFileSync(path.join(folder, "package.json"), "utf8"));
  const modules = new Map();
  const load = (/** @type {string} */ file) => {
    if (!modules.has(file)) modules.set(file, read(folder, file));
    return modules.get(file);
  };
  /** @type {Map<string, PublicName>} by declaration */
  const found = new Map();
  for (const [key, target] of Object.entries(exports)) {
    if (typeof target !== "object") continue;
    const entry = key.replace(/^\./, "chainrule");
    const file = target.default.replace("./dist/", "src/").replace(/\.js$/, ".ts");
    visit(file, entry, "");
  }
  /** @param {string} file @param {string} entry @param {string} prefix */
  function visit(file, entry, prefix) {
    for (const { name, from, original } of namesOf(file, load)) {
      if (original === "*") {
        visit(from, entry, `${prefix}${name}.`);
        continue;
      }
      const at = load(from).declared.get(original);
      if (at === undefined) throw new Error(`${from} has no declaration of ${original}, which ${entry} exports`);
      const id = `${from} ${original}`;
      if (!found.has(id)) found.set(id, { entry, name: `${prefix}${name}`, file: from, ...at });
    }
  }
  return [...found.values()];
}

/**
 * What a module exports: each name, the file that declares it and its name there ("*": the module itself).
 * @param {string} file
 * @param {(file: string) => ReturnType<typeof read>} load
 * @returns {{ name: string, from: string, original: string }[]}
 */
function namesOf(file, load) {
  return load(file).exported.flatMap(({ name, original, from }) => {
    if (name === "*") return namesOf(/** @type {string} */ (from), load);
    if (from === null) return resolve(file, original, name, load);
    if (original === "*") return [{ name, from, original }];
    return resolve(from, original, name, load);
  });
}

/**
 * Follows a name to its declaration.
 * @param {string} file @param {string} original @param {string} name
 * @param {(file: string) => ReturnType<typeof read>} load
 */
function resolve(file, original, name, load) {
  const { declared, imported } = load(file);
  if (declared.has(original)) return [{ name, from: file, original }];
  const through = imported.get(original);
  if (through) return resolve(through.from, through.original, name, load);
  return namesOf(file, load)
    .filter((n) => n.name === original)
    .map((n) => ({ ...n, name }));
}

/** Declarations, imports and exports of a file. @param {string} folder @param {string} file */
function read(folder, file) {
  const text = readFileSync(path.join(folder, file), "utf8");
  const { program, comments } = parseSync(file, text);
  const target = (/** @type {string} */ source) => {
    const found = path.posix.join(path.posix.dirname(file), source);
    return source.startsWith(".") && existsSync(path.join(folder, found)) ? found : null;
  };
  const docs = comments.filter((c) => c.type === "Block" && c.value.startsWith("*"));
  const docBefore = (/** @type {number} */ start) => {
    const doc = docs.findLast((c) => c.end <= start);
    return doc !== undefined && text.slice(doc.end, start).trim() === "" ? doc.value : null;
  };
  /** @type {Map<string, { kind: string, line: number, doc: string | null }>} */
  const declared = new Map();
  /** @type {Map<string, { from: string, original: string }>} */
  const imported = new Map();
  /** @type {{ name: string, original: string, from: string | null }[]} */
  const exported = [];
  for (const statement of program.body) {
    if (statement.type === "ImportDeclaration") {
      const from = target(statement.source.value);
      if (from === null) continue;
      for (const s of statement.specifiers)
        if (s.type === "ImportSpecifier") imported.set(s.local.name, { from, original: nameOf(s.imported) });
      continue;
    }
    if (statement.type === "ExportAllDeclaration") {
      const from = target(statement.source.value);
      const name = statement.exported === null ? "*" : nameOf(statement.exported);
      if (from !== null) exported.push({ name, original: "*", from });
      continue;
    }
    const isExport = statement.type === "ExportNamedDeclaration";
    if (isExport && statement.declaration === null) {
      const from = statement.source === null ? null : target(statement.source.value);
      for (const s of statement.specifiers)
        exported.push({ name: nameOf(s.exported), original: nameOf(s.local), from });
      continue;
    }
    const node = isExport ? statement.declaration : statement;
    for (const { name, kind } of declarations(node)) {
      const line = text.slice(0, statement.start).split("\n").length;
      const doc = docBefore(statement.start);
      const before = declared.get(name);
      // The first of some overloads that has a docstring speaks for all; a type and a function of one name are a function.
      if (before === undefined) declared.set(name, { kind, line, doc });
      else if (before.doc === null) Object.assign(before, { line, doc });
      if (before !== undefined && kind === "function") before.kind = kind;
      if (isExport && before === undefined) exported.push({ name, original: name, from: null });
    }
  }
  return { declared, imported, exported };
}

const nameOf = (/** @type {any} */ id) => id.name ?? id.value;

/** @param {any} node @returns {{ name: string, kind: string }[]} */
function declarations(node) {
  switch (node?.type) {
    case "FunctionDeclaration":
    case "TSDeclareFunction":
      return [{ name: node.id.name, kind: "function" }];
    case "ClassDeclaration":
      return [{ name: node.id.name, kind: "class" }];
    case "TSInterfaceDeclaration":
      return [{ name: node.id.name, kind: "interface" }];
    case "TSTypeAliasDeclaration":
      return [{ name: node.id.name, kind: "type" }];
    case "VariableDeclaration":
      return node.declarations.map((/** @type {any} */ d) => ({
        name: d.id.name,
        kind: isFunction(d) ? "function" : "constant",
      }));
    default:
      return [];
  }
}

/** Whether a constant is a function: by its value, or by a type that is written as one. @param {any} declarator */
function isFunction({ id, init }) {
  const type = id.typeAnnotation?.typeAnnotation?.type;
  return type === "TSFunctionType" || ["ArrowFunctionExpression", "FunctionExpression"].includes(init?.type);
}

/**
 * The examples of a source file: the code of each, and the line that it begins in.
 * @param {string} text
 * @returns {{ line: number, code: string }[]}
 */
export function examplesOf(text) {
  const found = [];
  for (const doc of text.matchAll(/\/\*\*[\s\S]*?\*\//g)) {
    const first = text.slice(0, doc.index).split("\n").length;
    /** @type {{ line: number, code: string[] } | null} */
    let at = null;
    const lines = doc[0].slice(3, -2).split("\n");
    for (const [i, raw] of lines.entries()) {
      const line = raw.replace(/^\s*\* ?/, "").trimEnd();
      const tag = /^\s*@(\w+) ?(.*)$/.exec(line);
      if (tag !== null) {
        at = tag[1] === "example" ? { line: first + i, code: [] } : null;
        if (at !== null) {
          found.push(at);
          if (tag[2].trim() === "") at.line++;
          else at.code.push(tag[2].trim());
        }
      } else at?.code.push(line);
    }
  }
  return found.map(({ line, code }) => ({ line, code: code.join("\n").trimEnd() }));
}
