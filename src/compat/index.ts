/**
 * compat: the interfaces of other frameworks over ours, for programs and notes that are written in them. Each is a sub-path of its
 * own (chainrule/compat/tf1), small, and says what it leaves out.
 *
 * It is not: a place for anything new; nothing of ours stands on it.
 */
export * as tf1 from "./tf1/index.ts";
