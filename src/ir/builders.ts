/** Everything that makes a node. */
export * from "./build.ts";
export * from "./conv.ts";
export * from "./window.ts";
