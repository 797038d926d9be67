// The API reference: one Markdown page for each public name of each entry of package.json.
import { readFileSync } from "node:fs";
import path from "node:path";

const root = path.resolve(import.meta.dirname, "..");
const { exports } = JSON.parse(readFileSync(path.join(root, "package.json"), "utf8"));
const entryPoints = Object.values(exports)
  .filter((entry) => typeof entry === "object")
  .map((entry) => path.join(root, entry.default.replace("./dist/", "src/").replace(/\.js$/, ".ts")));

// Options of TypeDoc and of typedoc-plugin-markdown.
export default {
  plugin: ["typedoc-plugin-markdown", "typedoc-vitepress-theme"],
  entryPoints,
  tsconfig: path.join(root, "tsconfig.json"),
  // The gate `types` has checked them, with the compiler that they are written for.
  skipErrorChecking: true,
  out: ".cache/content/api",
  docsRoot: ".cache/content",
  readme: "none",
  name: "API",
  disableSources: true,
  excludeInternal: true,
  excludePrivate: true,
  validation: { notDocumented: true, notExported: false, invalidLink: true },
  requiredToBeDocumented: ["Module", "Function", "Class", "Variable", "Method"],
  treatWarningsAsErrors: true,
  logLevel: "Warn",
  hidePageHeader: true,
  pageTitleTemplates: { module: "{name}", member: ({ rawName }) => rawName.replace(/<.*/, "") },
  useCodeBlocks: true,
  expandParameters: true,
  sanitizeComments: true,
  groupOrder: ["Functions", "Variables", "Classes", "*"],
  indexFormat: "table",
  parametersFormat: "table",
  interfacePropertiesFormat: "table",
  classPropertiesFormat: "table",
  typeAliasPropertiesFormat: "table",
  propertyMembersFormat: "table",
  typeDeclarationFormat: "table",
  enumMembersFormat: "table",
};
