/** Nested arrays and plain objects with leaves of type T, as in JAX. `null` and `undefined` are empty trees. */
export type Tree<T> = T | null | undefined | readonly Tree<T>[] | { readonly [key: string]: Tree<T> };

/** Where the leaves of a tree stood: rebuilds a tree from new leaves, and compares as text. */
export interface TreeDef {
  readonly key: string;
  readonly paths: readonly string[];
  unflatten<U>(leaves: readonly U[]): Tree<U>;
}

const isBranch = (x: unknown): x is Record<string, unknown> =>
  typeof x === "object" && x !== null && Object.getPrototypeOf(x) === Object.prototype;

/** The leaves of a tree in order (object keys in insertion order), and its definition. */
export function flattenTree<T>(tree: Tree<T>, isLeaf: (x: unknown) => x is T): { leaves: T[]; def: TreeDef } {
  const leaves: T[] = [];
  const paths: string[] = [];
  type Build = (next: () => unknown) => unknown;
  const walk = (t: unknown, path: string): [string, Build] => {
    if (isLeaf(t)) {
      leaves.push(t);
      paths.push(path);
      return ["*", (next): unknown => next()];
    }
    if (Array.isArray(t)) {
      const parts = t.map((x, i) => walk(x, path === "" ? `${i}` : `${path}.${i}`));
      return [`[${parts.map((p) => p[0]).join(",")}]`, (next): unknown => parts.map((p) => p[1](next))];
    }
    if (isBranch(t)) {
      const parts = Object.keys(t).map((k) => [k, walk(t[k], path === "" ? k : `${path}.${k}`)] as const);
      const text = parts.map(([k, p]) => `${JSON.stringify(k)}:${p[0]}`).join(",");
      return [`{${text}}`, (next): unknown => Object.fromEntries(parts.map(([k, p]) => [k, p[1](next)]))];
    }
    // Anything else is carried as it is: part of the structure.
    return [typeof t === "object" || typeof t === "function" ? "?" : (JSON.stringify(t) ?? "-"), (): unknown => t];
  };
  const [key, build] = walk(tree, "");
  return {
    leaves,
    def: {
      key,
      paths,
      unflatten<U>(values: readonly U[]): Tree<U> {
        let i = 0;
        return build(() => values[i++]) as Tree<U>;
      },
    },
  };
}

/** The same tree with every leaf replaced. */
export function mapTree<T, U>(tree: Tree<T>, isLeaf: (x: unknown) => x is T, f: (leaf: T, path: string) => U): Tree<U> {
  const { leaves, def } = flattenTree(tree, isLeaf);
  return def.unflatten(leaves.map((l, i) => f(l, def.paths[i])));
}
