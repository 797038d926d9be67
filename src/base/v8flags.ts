// V8's flags, where the host is Node. Elsewhere nothing happens: browsers decide for themselves.
// Reached through `process.getBuiltinModule` (Node >= 20.16), so that bundles for browsers carry no trace of `node:v8`.

interface NodeProcess {
  readonly versions?: { readonly v8?: string };
  getBuiltinModule?(name: string): { setFlagsFromString(flags: string): void } | undefined;
}

function v8(): { setFlagsFromString(flags: string): void } | undefined {
  const p = (globalThis as { process?: NodeProcess }).process;
  return p?.versions?.v8 === undefined ? undefined : p.getBuiltinModule?.("node:v8");
}

/** Sets flags for good; false when this host has no such door. */
export function setV8Flags(...flags: readonly string[]): boolean {
  const m = v8();
  for (const f of flags) m?.setFlagsFromString(f);
  return m !== undefined;
}

/** Runs `body` with flags set, and restores them after. */
export function withV8Flags<T>(on: readonly string[], off: readonly string[], body: () => T): T {
  const m = v8();
  if (!m) return body();
  for (const f of on) m.setFlagsFromString(f);
  try {
    return body();
  } finally {
    for (const f of off) m.setFlagsFromString(f);
  }
}
