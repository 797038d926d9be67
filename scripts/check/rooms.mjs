// The rooms of src/ and who may import whom, each rule with its reason (docs/design.md §2).

/** @typedef {{ from: string, fromFile: string, to: string, toFile: string, typeOnly: boolean }} Edge file paths are below src/ */

/** Rooms in the order in which data flows. `engine` is src/engine.ts, `index` is src/index.ts. */
const engineRooms = [
  "base",
  "ir",
  "tensor",
  "autodiff",
  "schedule",
  "codegen",
  "arrays",
  "linalg",
  "runtime",
  "engine",
];
const leafRooms = ["io", "viz"];
const modelRooms = [
  "numpy",
  "compat",
  "nn",
  "optim",
  "metrics",
  "data",
  "train",
  "classic",
  "vision",
  "sequence",
  "zoo",
  "explain",
  "diagnose",
];
const lastRooms = ["adversarial", "tune", "distributed", "cli"];
export const order = [...engineRooms, ...leafRooms, "profile", "index", ...modelRooms, ...lastRooms];

const above = (/** @type {string} */ a, /** @type {string} */ b) => order.indexOf(a) > order.indexOf(b);

/** What a room above the engine may see of the engine's rooms. */
const publicFiles = new Set([
  "index.ts",
  "engine.ts",
  "tensor/index.ts",
  "autodiff/index.ts",
  "arrays/index.ts",
  "linalg/index.ts",
]);

const compilerRooms = ["schedule", "codegen"];

/**
 * The rules between two rooms, in order of precision: the first that an import breaks is the one reported.
 * @type {Array<{ breaks: (edge: Edge) => boolean, reason: string }>}
 */
export const rules = [
  {
    breaks: ({ from }) => from === "base",
    reason: "base imports nothing of ours: every room stands on it, so anything it saw would be seen by all",
  },
  {
    breaks: ({ from, to }) => from === "tensor" && [...compilerRooms, "runtime", "engine"].includes(to),
    reason:
      "tensor never sees schedule, codegen or runtime: the executor is injected by engine.ts, so that a handle can be " +
      "traced, tested and bundled without a compiler",
  },
  {
    breaks: ({ from, to }) => compilerRooms.includes(from) && to === "runtime",
    reason: "schedule and codegen never see runtime: they turn a graph into plain data that any device can run later",
  },
  {
    breaks: ({ from, to, typeOnly }) =>
      compilerRooms.includes(from) &&
      !["base", "ir"].includes(to) &&
      !(from === "codegen" && to === "schedule" && typeOnly),
    reason:
      "schedule and codegen see ir and base only (codegen also the types of schedule's plain data): a graph goes in, a " +
      "plan comes out, whoever made the graph",
  },
  {
    breaks: ({ from, to, typeOnly }) =>
      from === "runtime" && to !== "base" && !(compilerRooms.includes(to) && typeOnly),
    reason:
      "runtime sees base and, with `import type`, the plain plan and kernel types: a device runs plans and knows no graph",
  },
  {
    breaks: ({ from, to }) => from === "autodiff" && !["base", "ir", "tensor"].includes(to),
    reason: "autodiff sees base, ir and tensor: a gradient is another graph, and how graphs run is not its business",
  },
  {
    breaks: ({ from, to }) => from === "io" && to !== "base",
    reason:
      "io maps bytes to plain trees of named arrays: it sees base only, so that a file can be read without a framework",
  },
  {
    breaks: ({ from, to }) => from === "viz" && to !== "base",
    reason: "viz imports no framework code: data in, SVG or text out, so that any program can draw with it",
  },
  {
    breaks: ({ from, to, toFile }) =>
      above(from, "index") && engineRooms.includes(to) && to !== "base" && !publicFiles.has(toFile),
    reason:
      "nn and everything after it use public operations only (index.ts, engine.ts, the index.ts of tensor, autodiff, " +
      "arrays and linalg, base): what a layer needs and cannot say with them, users cannot say either",
  },
  {
    breaks: ({ from, to, fromFile, toFile }) =>
      above(to, from) && !(fromFile === "nn/index.ts" && toFile === "train/model.ts"),
    // One face looks up: chainrule/nn hands out networks that can be trained (docs/design.md §2).
    reason: `imports go downward only, in the order of the flow: ${order.filter((room) => room !== "index").join(" < ")}`,
  },
];

/** Rooms that are Node programs as a whole: every file of theirs may use Node's modules. */
export const nodeRooms = new Set(["cli"]);
