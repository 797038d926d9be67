// Import rules: reads the imports of src/ from the syntax tree and reports each broken rule with its reason.
import { readFileSync } from "node:fs";
import { builtinModules } from "node:module";
import path from "node:path";
import { parseSync } from "vite";
import { root } from "../lib/run.mjs";
import { filesUnder } from "../setup.mjs";
import { nodeRooms, order, rules } from "./rooms.mjs";

/** @typedef {import("vite").ESTree.Program} Program */
/** @typedef {{ line: number, target: string, typeOnly: boolean, dynamic: boolean }} Import */
/** @typedef {{ peerDependencies?: Record<string, string>, browser?: Record<string, string> }} Manifest */

/** @type {import("../check.mjs").Gate} */
export async function imports() {
  const names = filesUnder(root, ["src"]).filter((name) => name.endsWith(".ts"));
  const sources = new Map(
    names.map((name) => [name.slice("src/".length), readFileSync(path.join(root, name), "utf8")]),
  );
  const manifest = JSON.parse(readFileSync(path.join(root, "package.json"), "utf8"));
  return {
    findings: checkImports(sources, manifest),
    note: `${sources.size} files against ${rules.length} room rules`,
  };
}

/** The room of a file below src/: its folder, or the file's own name for src/engine.ts (and its twins) and src/index.ts. */
const roomOf = (/** @type {string} */ file) => file.slice(0, file.search(/[/.]/));

/**
 * Everything that is wrong with the imports and the module state of a set of sources.
 * @param {Map<string, string>} sources path below src/ to text
 * @param {Manifest} manifest the package's own
 * @returns {string[]} "src/file.ts:line: what. reason"
 */
export function checkImports(sources, manifest) {
  /** @type {string[]} */
  const findings = [];
  for (const [file, text] of sources) {
    const say = (/** @type {number} */ line, /** @type {string} */ what) =>
      findings.push(`src/${file}:${line}: ${what}`);
    if (!order.includes(roomOf(file))) {
      say(
        1,
        `${roomOf(file)} is not a room: name it in scripts/check/rooms.mjs at its place in the flow, and in docs/design.md`,
      );
    }
    const { program, errors } = parseSync(file, text);
    if (errors.length > 0) say(1, `cannot be parsed: ${errors[0].message}`);
    for (const item of importsOf(program, text)) {
      const what = item.target.startsWith(".") ? ours(file, item, sources) : theirs(file, item, manifest);
      if (what) say(item.line, what);
    }
    if (file !== "base/context.ts") for (const { line, what } of moduleState(program, text)) say(line, what);
    if (file.endsWith(".node.ts")) twin(file, sources, manifest).forEach((what) => say(1, what));
  }
  return findings;
}

/**
 * An import of one of our own files.
 * @param {string} file @param {Import} item @param {Map<string, string>} sources
 */
function ours(file, { target, typeOnly, dynamic }, sources) {
  const toFile = path.posix.join(path.posix.dirname(file), target);
  if (!sources.has(toFile)) return `imports ${target}, which is not a file of src/ (write the ".ts" ending)`;
  const [from, to] = [roomOf(file), roomOf(toFile)];
  if (toFile.endsWith(".node.ts") && !typeOnly && !dynamic && !isNodeOnly(file) && needsNode(toFile, sources)) {
    return (
      `imports ${target} statically. Node-only files are reached by dynamic import, or ask for Node's modules with ` +
      "process.getBuiltinModule when they are used: a browser without a bundler must be able to load what is imported"
    );
  }
  if (from === to) return undefined;
  const rule = rules.find(({ breaks }) => breaks({ from, fromFile: file, to, toFile, typeOnly }));
  return rule && `${from} imports ${to} (${target}). ${rule.reason}`;
}

/** True when loading the file loads a module of Node's. @param {string} file @param {Map<string, string>} sources */
function needsNode(file, sources) {
  const text = sources.get(file) ?? "";
  return importsOf(parseSync(file, text).program, text).some(
    ({ target, typeOnly, dynamic }) =>
      !typeOnly && !dynamic && (target.startsWith("node:") || builtinModules.includes(target)),
  );
}

/**
 * An import of somebody else's module.
 * @param {string} file @param {Import} item @param {Manifest} manifest
 */
function theirs(file, { target, typeOnly, dynamic }, manifest) {
  if (target.startsWith("node:") || builtinModules.includes(target)) {
    if (isNodeOnly(file) || typeOnly) return undefined;
    return `imports ${target}. Node's modules are used in *.node.ts files only (beside a *.browser.ts twin) and in cli/`;
  }
  const name = target.split("/", target.startsWith("@") ? 2 : 1).join("/");
  if (!(name in (manifest.peerDependencies ?? {}))) {
    return `imports ${target}. The core has no dependency: name it an optional peer in package.json, or do without`;
  }
  if (!typeOnly && !dynamic) return `imports ${target} statically. A peer is optional: reach it by dynamic import`;
  return undefined;
}

const isNodeOnly = (/** @type {string} */ file) => file.endsWith(".node.ts") || nodeRooms.has(roomOf(file));

/**
 * A Node-only file needs a browser twin, and bundlers need to be told of it.
 * @param {string} file @param {Map<string, string>} sources @param {Manifest} manifest
 */
function twin(file, sources, manifest) {
  if (nodeRooms.has(roomOf(file))) return [];
  const other = file.replace(/\.node\.ts$/, ".browser.ts");
  if (!sources.has(other))
    return [`has no twin src/${other}: what Node opens here, a browser must open (or refuse) there`];
  const [key, value] = [file, other].map((name) => `./dist/${name.replace(/\.ts$/, ".js")}`);
  return manifest.browser?.[key] === value ? [] : [`package.json "browser" must hold "${key}": "${value}"`];
}

/**
 * The imports, re-exports, dynamic imports and import types of a module.
 * @param {Program} program @param {string} text
 * @returns {Import[]}
 */
function importsOf(program, text) {
  /** @type {Import[]} */
  const found = [];
  walk(program, (node) => {
    const { type, source } = node;
    const target = source?.value;
    if (typeof target !== "string") return;
    const at = { line: lineOf(text, node.start), target };
    if (type === "ImportDeclaration") found.push({ ...at, typeOnly: node.importKind === "type", dynamic: false });
    else if (type === "ExportNamedDeclaration" || type === "ExportAllDeclaration") {
      found.push({ ...at, typeOnly: node.exportKind === "type", dynamic: false });
    } else if (type === "ImportExpression") found.push({ ...at, typeOnly: false, dynamic: true });
    else if (type === "TSImportType") found.push({ ...at, typeOnly: true, dynamic: false });
  });
  return found;
}

/**
 * Module state that can change: `let`, an empty collection (only useful when something is put in), a static field.
 * @param {Program} program @param {string} text
 */
function moduleState(program, text) {
  const found = [];
  const reason = "No mutable module state outside base/context.ts: two programs in one process must not meet in it";
  for (const statement of program.body) {
    const node = statement.type === "ExportNamedDeclaration" ? statement.declaration : statement;
    if (node?.type === "VariableDeclaration" && !node.declare) {
      for (const { id, init, start } of node.declarations) {
        const mutable = isEmptyCollection(init, id.typeAnnotation?.typeAnnotation);
        const what =
          node.kind !== "const" ? `module-level ${node.kind}` : mutable && "empty collection at module level";
        if (what) found.push({ line: lineOf(text, start), what: `${what}. ${reason}` });
      }
    }
    if (node?.type === "ClassDeclaration") {
      for (const member of node.body.body) {
        if (member.type !== "PropertyDefinition" || !member.static || member.readonly || member.declare) continue;
        found.push({ line: lineOf(text, member.start), what: `static field that is not readonly. ${reason}` });
      }
    }
  }
  return found;
}

/**
 * @param {any} node an initialiser
 * @param {any} type the declared type; one that says read-only makes an empty literal a constant
 * @returns {boolean}
 */
function isEmptyCollection(node, type) {
  const declared = type?.typeName?.name ?? "";
  if (type?.operator === "readonly" || declared.startsWith("Readonly")) return false;
  if (node?.type === "TSAsExpression") return isEmptyCollection(node.expression, node.typeAnnotation);
  if (node?.type === "ArrayExpression") return node.elements.length === 0;
  if (node?.type === "ObjectExpression") return node.properties.length === 0 && declared === "Record";
  return node?.type === "NewExpression" && /^(Weak)?(Map|Set)$/.test(node.callee.name) && node.arguments.length === 0;
}

/**
 * Calls `visit` on every node of a syntax tree.
 * @param {any} node @param {(node: any) => void} visit
 */
function walk(node, visit) {
  if (Array.isArray(node)) for (const item of node) walk(item, visit);
  else if (node && typeof node === "object") {
    if (typeof node.type === "string") visit(node);
    for (const key in node) if (typeof node[key] === "object") walk(node[key], visit);
  }
}

const lineOf = (/** @type {string} */ text, /** @type {number} */ offset) => text.slice(0, offset).split("\n").length;
