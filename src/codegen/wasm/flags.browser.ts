// The twin of flags.node.ts: browsers decide for themselves, and a page carries no forms for the sake of x64.
import type { Target } from "../asm/index.ts";

export function allowRelaxed(): void {}

export const optimised = <T>(compile: () => T): T => compile();

export const forms: Partial<Target> = {};
