// The twin of flags.node.ts: browsers decide for themselves.

export function allowRelaxed(): void {}

export const optimised = <T>(compile: () => T): T => compile();
