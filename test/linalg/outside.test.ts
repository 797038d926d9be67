/** Linear algebra against NumPy's results: at once, inside compiled(), and in float32. */
import { describe, expect, test } from "vitest";
import { compiled, linalg, type Tensor } from "../../src/index.ts";
import { casesOf, close, load } from "../arrays/support.ts";

type Args = Record<string, never>;

/** Eigenvalues in order of their real parts, then their imaginary ones. */
function ordered({ re, im }: { re: Tensor; im: Tensor }): Tensor[] {
  const n = re.shape[re.rank - 1];
  const [r, i] = [re.dataSync(), im.dataSync()];
  const round = (x: number): number => Math.round(x * 1e6);
  const order = Array.from({ length: r.length }, (_, k) => k).sort(
    (a, b) => Math.floor(a / n) - Math.floor(b / n) || round(r[a]) - round(r[b]) || round(i[a]) - round(i[b]),
  );
  const of = (data: ArrayLike<number>): Tensor => load({ shape: re.shape, data: order.map((k) => data[k]) });
  return [of(r), of(i)];
}

const CALLS: Record<string, (xs: Tensor[], a: Args) => Tensor | Tensor[]> = {
  solve: ([a, b]) => linalg.solve(a, b),
  inv: ([a]) => linalg.inv(a),
  det: ([a]) => linalg.det(a),
  slogdet: ([a]) => {
    const { sign, logAbsDet } = linalg.slogdet(a);
    return [sign, logAbsDet];
  },
  cholesky: ([a]) => linalg.cholesky(a),
  eigvalsh: ([a]) => linalg.eigvalsh(a),
  qr: ([a], o) => {
    const { q, r } = linalg.qr(a, o);
    return [q, r];
  },
  svdvals: ([a]) => linalg.svdvals(a),
  pinv: ([a]) => linalg.pinv(a),
  matrixRank: ([a]) => linalg.matrixRank(a),
  cond: ([a]) => linalg.cond(a),
  lstsq: ([a, b]) => {
    const { x, residuals, rank, singularValues } = linalg.lstsq(a, b);
    return [x, residuals, rank, singularValues];
  },
  eigvals: ([a]) => ordered(linalg.eigvals(a)),
  norm: ([x], { ord, ...o }) =>
    linalg.norm(x, {
      ...o,
      ...(ord === undefined ? {} : { ord: { inf: Infinity, "-inf": -Infinity }[ord as string] ?? ord }),
    }),
  kron: ([a, b]) => linalg.kron(a, b),
  cross: ([a, b], o) => linalg.cross(a, b, o.axis),
  cov: ([x], o) => linalg.cov(x, o),
  corrcoef: ([x]) => linalg.corrcoef(x),
  matrixPower: ([a], o) => linalg.matrixPower(a, o.n),
  multiDot: (xs) => linalg.multiDot(xs),
  triangularSolve: ([t, b], o) => linalg.triangularSolve(t, b, o),
};

const cases = casesOf("linalg");
/** Not continuous, or as ill-conditioned as their matrices: float64 only. */
const WIDE: ReadonlySet<string> = new Set(["matrixRank", "cond", "eigvals", "slogdet"]);

test("every function has a case", () => {
  expect(new Set(cases.map((k) => k.name))).toEqual(new Set(Object.keys(CALLS)));
});

describe.each(Object.keys(CALLS))("%s as in NumPy", (name) => {
  test.each(cases.filter((k) => k.name === name).map((k, i) => [i, k] as const))("case %i", (_, k) => {
    const list = (out: Tensor | Tensor[]): Tensor[] => (Array.isArray(out) ? out : [out]);
    const xs = k.xs.map((x) => load(x));
    const call = CALLS[name];
    const what = `${name} ${JSON.stringify(k.args)}`;
    list(call(xs, k.args)).forEach((got, i) => close(got, k.outs[i], name === "eigvals" ? 1e-7 : 1e-11, what));
    if (!WIDE.has(name) && k.xs.every((x) => x.data.every((v) => v === 0 || Math.abs(v as number) > 1e-9))) {
      const narrow = xs.map((x) => x.cast("float32"));
      list(call(narrow, k.args)).forEach((got, i) => {
        expect(["float32", "int32"]).toContain(got.dtype);
        close(got, k.outs[i], 1e-5, `${what} float32`);
      });
    }
    if (name === "eigvals") return;
    const program = compiled((...ts: Tensor[]) => list(call(ts, k.args)));
    program(...xs).forEach((got, i) => close(got, k.outs[i], 1e-11, `${what} compiled`));
  });
});
