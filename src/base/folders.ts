// Folders of the user. Asks for Node's modules when it is used, so that any program may hold it.

/** The folder of caches: XDG_CACHE_HOME, or what the system calls it. */
export function cacheHome(): string {
  const { env, platform } = process;
  const path = process.getBuiltinModule("node:path");
  if (env.XDG_CACHE_HOME) return env.XDG_CACHE_HOME;
  if (platform === "win32" && env.LOCALAPPDATA) return env.LOCALAPPDATA;
  const home = process.getBuiltinModule("node:os").homedir();
  return platform === "darwin" ? path.join(home, "Library", "Caches") : path.join(home, ".cache");
}
