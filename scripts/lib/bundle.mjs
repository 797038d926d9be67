/**
 * dist/node/: the compiled files joined into a few, for Node. Loading 170 small modules takes 60 ms of a process start. What is
 * joined are scripts (`scripts/*.cjs`, functions of `load`), because V8's bytecode can be kept of scripts and not of modules; the
 * modules that programs import (`*.js`) name what the scripts export. `load.js` is runtime/bytecode.ts.
 */
import { chmodSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { root } from "./run.mjs";

/**
 * Bundles every public entry and the command line; what they share lands in chunks. Other packages stay imports.
 * @param {string} key of the build: tells what was compiled by this code from what other versions compiled
 */
export async function bundleForNode(key) {
  const { rolldown } = await import("rolldown");
  const { parseAst } = await import("rolldown/parseAst");
  const { exports } = JSON.parse(readFileSync(path.join(root, "package.json"), "utf8"));
  const folder = path.join(root, "dist/node");
  const common = {
    platform: /** @type {const} */ ("node"),
    treeshake: false,
    cwd: root,
    external: /^[^./]/,
  };
  /** @type {Record<string, string>} */
  const input = { cli: path.join(root, "dist/cli/main.js") };
  for (const entry of Object.values(exports)) {
    if (entry.node) input[nameOf(entry.node.replace("./dist/node/", ""))] = path.join(root, entry.default);
  }
  const define = { CHAINRULE_BUILD: JSON.stringify(key), CHAINRULE_RENEW: "load.renew", "import.meta.url": "load.url" };
  const bundle = await rolldown({ ...common, input, transform: { define } });
  const { output } = await bundle.generate({
    format: "esm",
    sourcemap: true,
    chunkFileNames: "chunks/[name].js",
    comments: false,
    // Of one byte a character: quicker to read and to parse.
    minify: { compress: false, mangle: false, codegen: { removeWhitespace: false, asciiOnly: true } },
  });
  await bundle.close();

  rmSync(folder, { recursive: true, force: true });
  /** @type {(file: string, text: string) => void} */
  const write = (file, text) => {
    mkdirSync(path.dirname(path.join(folder, file)), { recursive: true });
    writeFileSync(path.join(folder, file), text);
  };
  for (const chunk of output) {
    if (chunk.type !== "chunk") continue;
    const name = nameOf(chunk.fileName);
    const file = `scripts/${name}.cjs`;
    write(file, `${scriptOf(chunk.code, chunk.fileName, parseAst)}\n//# sourceMappingURL=${path.basename(file)}.map\n`);
    if (chunk.map !== null) write(`${file}.map`, chunk.map.toString());
    if (!chunk.isEntry) continue;
    const loader = name.includes("/") ? "../load.js" : "./load.js";
    const lines = [`import { load } from "${loader}";`, `const found = load("${name}");`];
    // Under other names first: "var" is one of NumPy's.
    lines.push(
      `const { ${chunk.exports.map((x) => `${x}: _${x}`).join(", ")} } = found;`,
      `export { ${chunk.exports.map((x) => `_${x} as ${x}`).join(", ")} };`,
    );
    write(chunk.fileName, `${name === "cli" ? "#!/usr/bin/env node\n" : ""}${lines.join("\n")}\n`);
  }
  chmodSync(path.join(folder, "cli.js"), 0o755);

  const loader = await rolldown({ ...common, input: path.join(root, "dist/runtime/bytecode.js") });
  await loader.write({
    file: path.join(folder, "load.js"),
    format: "esm",
    comments: false,
    footer: `export const load = openScripts(new URL("scripts/", import.meta.url), ${JSON.stringify(key)});`,
  });
  await loader.close();
}

const nameOf = (/** @type {string} */ file) => file.replace(/\.js$/, "");

/**
 * Every `import()` under a node, in order: scripts have none of their own without a warning of Node's.
 * @param {any} node @returns {any[]}
 */
function importsIn(node) {
  if (node === null || typeof node !== "object") return [];
  if (node.type === "ImportExpression") return [node];
  return Object.values(node).flatMap(importsIn);
}

/**
 * A chunk as a script of the same lines: `module.exports = (load) => { … return what it exports; }`.
 * @param {string} code @param {string} file @param {typeof import("rolldown/parseAst").parseAst} parse
 */
function scriptOf(code, file, parse) {
  const here = path.posix.dirname(file);
  const named = (/** @type {string} */ from) => JSON.stringify(nameOf(path.posix.join(here, from)));
  /** @type {string[]} */
  const parts = [];
  let at = 0;
  for (const node of parse(code).body) {
    let text;
    if (node.type === "ImportDeclaration") {
      const from = node.source.value;
      const whole = from.startsWith(".") ? `load(${named(from)})` : `process.getBuiltinModule("${from}")`;
      if (!from.startsWith(".") && !from.startsWith("node:"))
        throw new Error(`[bundle] ${file} imports ${from} at its top`);
      const names = [];
      const lines = [];
      for (const s of node.specifiers) {
        if (s.type === "ImportSpecifier") names.push(`${/** @type {any} */ (s.imported).name}: ${s.local.name}`);
        else lines.push(`const ${s.local.name} = ${whole};`);
      }
      if (names.length > 0) lines.push(`const { ${names.join(", ")} } = ${whole};`);
      text = node.specifiers.length > 0 ? lines.join(" ") : `${whole};`;
    } else if (node.type === "ExportNamedDeclaration" && node.source === null && node.declaration === null) {
      const pairs = node.specifiers.map(
        (s) => `${/** @type {any} */ (s.exported).name}: ${/** @type {any} */ (s.local).name}`,
      );
      text = `return { ${pairs.join(", ")} };`;
    } else if (node.type.startsWith("Export")) {
      throw new Error(`[bundle] ${file} has an export of a kind that was not foreseen`);
    } else {
      for (const found of importsIn(node)) {
        const { source } = found;
        const own = source.type === "Literal" && String(source.value).startsWith(".");
        const [name, argument] = own
          ? ["later", named(String(source.value))]
          : ["import", code.slice(source.start, source.end)];
        parts.push(code.slice(at, found.start), `load.${name}(${argument})`);
        at = found.end;
      }
      continue;
    }
    parts.push(code.slice(at, node.start), text);
    at = node.end;
  }
  parts.push(code.slice(at));
  const body = parts.join("").replace("createRequire(import.meta.url)", "createRequire(load.url)"); // rolldown's own
  return `module.exports = (load) => { ${body
    .replace(/^#!.*/, "")
    .replace(/\n\/\/# sourceMappingURL=.*/, "")
    .trimEnd()}\n};`;
}
