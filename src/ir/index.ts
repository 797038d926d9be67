/**
 * ir: the one graph that everything is traced into: about forty primitives, immutable interned nodes, a builder with
 * the shape and dtype rules, rewrite rules, a verifier and a printer.
 *
 * It is not: tensors (no values, no broadcasting, no promotion), not derivatives, and nothing of how a graph is run.
 */
export * from "./node.ts";
export * from "./primitives.ts";
export * as build from "./builders.ts";
export type { CustomRule } from "./build.ts";
export * from "./family.ts";
export { printGraph } from "./print.ts";
export { topoOrder, rebuild } from "./rewrite.ts";
export { graphKey } from "./key.ts";
