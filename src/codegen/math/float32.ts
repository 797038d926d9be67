// float32 functions on vectors: minimax polynomials (Remez, relative error), reduced arguments, no branches but in sin and cos.
// Constants have the digits of the float32 that they become; those of pow are doubles.
import type { Asm, Val } from "../asm/index.ts";

const LOG2E = 1.4426950408889634;
const LN2_HI = 0.693359375; // few bits: n * LN2_HI is exact, with or without FMA
const LN2_LO = -0.00021219444;
const ROUND = 12582912; // 1.5 * 2^23: adding it rounds to an integer held in the low bits
const BIAS = 127; // of exponents

/** c0 + c1 x + c2 x^2 + … by Horner. */
function poly(asm: Asm, x: Val, c: readonly number[]): Val {
  let v = asm.fma(x, c[c.length - 1], c[c.length - 2]);
  for (let i = c.length - 3; i >= 0; i--) v = asm.fma(v, x, c[i]);
  return v;
}

/** x = n ln2 + r, |r| <= ln2/2: r, n + `bias` in the low bits of an integer vector; `sign` -1: the same for -x, with -r. */
function reduceExp(asm: Asm, x: Val, bias = 0, sign = 1): { r: Val; bits: Val } {
  const magic = ROUND + bias;
  const t = sign > 0 ? asm.fma(x, LOG2E, magic) : asm.fnma(x, LOG2E, magic);
  const n = asm.sub(t, magic);
  const less = (from: Val, part: number): Val => (sign > 0 ? asm.fnma(n, part, from) : asm.fma(n, part, from));
  const r = less(less(x, LN2_HI), LN2_LO);
  return { r, bits: asm.bitcast("vi32", t) };
}

const EXP = [0.49999993, 0.166665204, 0.04166839, 0.008368745, 0.001381454];
const EXPM1 = [0.49999998, 0.16666543, 0.0416672, 0.0083665471, 0.0013882513];
const ONE_BITS = 0x3f800000;

const clamp = (asm: Asm, x: Val, lo: number, hi: number): Val => asm.bin("pmax", asm.bin("pmin", x, hi), lo);

/** e^r - 1 for |r| <= ln2/2 in Estrin's order; `sign` -1: 1 - e^-r. */
function expTail(asm: Asm, r: Val, sign = 1): Val {
  const c = EXP.map((x, i) => (i % 2 ? sign * x : x));
  const r2 = asm.mul(r, r);
  const high = asm.fma(r2, c[4], asm.fma(r, c[3], c[2]));
  const all = asm.fma(r2, high, asm.fma(r, c[1], c[0]));
  return sign > 0 ? asm.fma(r2, all, r) : asm.fnma(r2, all, r);
}

/** The float whose exponent field is the low byte of each lane. */
const powerOf2 = (asm: Asm, bits: Val): Val => asm.bitcast("vf32", asm.bin("shl", bits, 23));

const zeroWhere = (asm: Asm, mask: Val, x: Val): Val => asm.bin("andnot", x, asm.bitcast("vf32", mask));

/** e^x: 1 ulp; overflow to inf, gradual underflow. */
export function exp(asm: Asm, x: Val): Val {
  // Masked-out scores are far below: denormal numbers on their way would take a hundred cycles each.
  const gone = asm.cmp("lt", x, -104);
  const { r, bits } = reduceExp(asm, zeroWhere(asm, gone, asm.bin("pmin", x, 89)), 2 * BIAS);
  const m = expTail(asm, r);
  // 2^n in two factors, so that n may leave the range of exponents
  const half = asm.bin("shrU", bits, 1);
  const s = powerOf2(asm, half);
  return zeroWhere(asm, gone, asm.mul(asm.fma(m, s, s), powerOf2(asm, asm.sub(bits, half))));
}

/** e^x for x <= 0: 1 ulp; results below the normal range are 0. */
export function expBelow(asm: Asm, x: Val): Val {
  const { r, bits } = reduceExp(asm, x, BIAS);
  const s = powerOf2(asm, bits);
  return zeroWhere(asm, asm.cmp("lt", x, -87.33654), asm.fma(expTail(asm, r), s, s));
}

/** e^x for x in [-87, 88] (the caller's promise). */
function expSmall(asm: Asm, x: Val): Val {
  const { r, bits } = reduceExp(asm, x, BIAS);
  const s = powerOf2(asm, bits);
  return asm.fma(expTail(asm, r), s, s);
}

/** e^x - 1, for x in [-40, 88.8]: 2^(n-1) q + (2^(n-1) - 1/2), doubled. */
function expm1Core(asm: Asm, x: Val): Val {
  const { r, bits } = reduceExp(asm, x, BIAS - 1);
  const q = asm.fma(asm.mul(r, r), poly(asm, r, EXPM1), r);
  const s = powerOf2(asm, bits);
  const half = asm.fma(s, q, asm.sub(s, 0.5));
  return asm.add(half, half);
}

/** |x| < limit keeps x itself (signed zero, denormals). */
const keepTiny = (asm: Asm, x: Val, y: Val, limit: number): Val =>
  asm.select(asm.cmp("lt", asm.un("abs", x), limit), x, y);

export function expm1(asm: Asm, x: Val): Val {
  return keepTiny(asm, x, expm1Core(asm, clamp(asm, x, -40, 89)), 1e-7);
}

const LOG = [0.3333333, -0.2500082, 0.20001227, -0.16623357, 0.14201757, -0.13160181, 0.1276158, -0.07634503];
const SQRT_HALF = 0x3f3504f3;

/** x = 2^e m with m in [sqrt(1/2), sqrt 2) for normal x > 0. */
function splitExponent(asm: Asm, x: Val): { e: Val; m: Val; shifted: Val } {
  const i = asm.sub(asm.bitcast("vi32", x), SQRT_HALF);
  const shifted = asm.bin("and", i, 0xff800000 | 0); // e << 23
  const m = asm.bitcast("vf32", asm.sub(asm.bitcast("vi32", x), shifted));
  return { e: asm.convert("vf32", asm.bin("shrS", i, 23)), m, shifted };
}

/** log(1 + f) + e ln2 for f in [sqrt(1/2) - 1, sqrt(2) - 1]. */
function logCore(asm: Asm, f: Val, e: Val): Val {
  const f2 = asm.mul(f, f);
  const tail = asm.fma(asm.mul(f2, f), poly(asm, f, LOG), asm.mul(e, LN2_LO));
  const y = asm.fnma(f2, 0.5, tail);
  return asm.fma(e, LN2_HI, asm.add(f, y));
}

/** inf and NaN as they are, `zero` where x (shifted to log's argument) is 0, NaN below. */
function logEdges(asm: Asm, x: Val, y: Val): Val {
  const bad = asm.select(asm.cmp("eq", x, 0), asm.konst("vf32", -Infinity), asm.konst("vf32", NaN));
  return asm.select(
    asm.cmp("gt", x, 0),
    asm.select(asm.cmp("lt", x, Infinity), y, x),
    asm.select(asm.cmp("eq", x, x), bad, x),
  );
}

/** Natural logarithm: denormals too. */
export function log(asm: Asm, x: Val): Val {
  const low = asm.cmp("lt", x, 1.1754944e-38);
  const { e, m } = splitExponent(asm, asm.select(low, asm.mul(x, 8388608), x));
  const e2 = asm.sub(e, asm.bin("and", asm.bitcast("vf32", low), asm.konst("vf32", 23)));
  return logEdges(asm, x, logCore(asm, asm.sub(m, 1), e2));
}

export function log1p(asm: Asm, x: Val): Val {
  const u = asm.add(x, 1);
  const { e, m, shifted } = splitExponent(asm, u);
  // what the sum 1 + x lost, seen at the scale of m
  const lost = asm.select(asm.cmp("lt", x, 1), asm.sub(x, asm.sub(u, 1)), asm.sub(1, asm.sub(u, x)));
  const scale = asm.bitcast("vf32", asm.bin("max", asm.sub(ONE_BITS, shifted), 0));
  const f = asm.fma(lost, scale, asm.sub(m, 1));
  return keepTiny(asm, x, logEdges(asm, u, logCore(asm, f, e)), 1e-7);
}

const TANH = [-0.333333, 0.13331924, -0.05378383, 0.0207959724, -0.005895159];

/** |x| < 0.6: x + x^3 P(x^2); else 1 - 2 / (e^2x + 1). */
export function tanh(asm: Asm, x: Val): Val {
  const a = asm.bin("pmin", asm.un("abs", x), 9.1);
  const s = asm.mul(a, a);
  const near = asm.fma(asm.mul(s, poly(asm, s, TANH)), a, a);
  const e = expSmall(asm, asm.add(a, a));
  const far = asm.sub(1, asm.div(2, asm.add(e, 1)));
  return asm.bin("copysign", asm.select(asm.cmp("lt", a, 0.6), near, far), x);
}

/** 1 / (1 + e^-x); 0 where e^-x is past 2^127. */
export function sigmoid(asm: Asm, x: Val): Val {
  const { r, bits } = reduceExp(asm, asm.bin("pmin", x, 87), BIAS, -1);
  const s = powerOf2(asm, bits);
  const y = asm.div(1, asm.fnma(expTail(asm, r, -1), s, asm.add(s, 1)));
  return zeroWhere(asm, asm.cmp("lt", x, -88.3), y);
}

const ERF_SMALL = [0.12837915, -0.3761248, 0.112816825, -0.02676172, 0.0049859407, -0.0005953742];
const ERF_LARGE = [0.12851995, 0.6356994, 0.10528685, -0.022906027, 0.00321997413, -0.00021459484];

/** Small |x|: x + x P(x^2); else 1 - e^-(t + t Q(t)). */
export function erf(asm: Asm, x: Val): Val {
  const s = asm.mul(x, x);
  const near = asm.fma(poly(asm, s, ERF_SMALL), x, x);
  const t = asm.bin("pmin", asm.un("abs", x), 4);
  const q = asm.fma(poly(asm, t, ERF_LARGE), t, t);
  const far = asm.bin("copysign", asm.sub(1, expSmall(asm, asm.un("neg", q))), x);
  return asm.select(asm.cmp("lt", t, 0.93), near, asm.select(asm.cmp("eq", x, x), far, x));
}

const SIN = [-0.16666655, 0.008332156, -0.00019514632];
const COS = [0.041666646, -0.001388731, 2.4432413e-5];
/** Beyond this the reduction by pi/2 loses digits, and the host's function takes over, lane by lane. */
const TRIG_LIMIT = 20000;

function trig(asm: Asm, x: Val, turn: number, name: "sin" | "cos"): Val {
  const fast = (): Val => {
    const t = asm.fma(x, 0.63661977, ROUND);
    const n = asm.sub(t, ROUND);
    // pi/2 in parts; without FMA the leading parts are short, so that their products are exact
    const parts = asm.target.fma
      ? [1.5707964, -4.371139e-8, -1.7151245e-15]
      : [1.5703125, 1014 / 2 ** 21, 674 / 2 ** 31, 534 / 2 ** 43, 6.223372e-14];
    let r = x;
    for (const p of parts) r = asm.fnma(n, p, r);
    const s = asm.mul(r, r);
    const sin = asm.fma(asm.mul(s, r), poly(asm, s, SIN), r);
    const cos = asm.fma(asm.mul(s, s), poly(asm, s, COS), asm.fnma(s, 0.5, 1));
    const q = turn ? asm.add(asm.bitcast("vi32", t), turn) : asm.bitcast("vi32", t);
    const odd = asm.cmp("ne", asm.bin("and", q, 1), 0);
    const sign = asm.bin("shl", asm.bin("and", q, 2), 30);
    return asm.bin("xor", asm.select(odd, cos, sin), asm.bitcast("vf32", sign));
  };
  const out = asm.var("vf32", fast());
  const wide = asm.cmp("gt", asm.un("abs", x), TRIG_LIMIT);
  asm.if(asm.bitmask(wide), () => {
    const host = asm.extern(name, ["f64"], "f64");
    const slow = asm.perLane("vf32", [x], (v) => asm.convert("f32", asm.call(host, asm.convert("f64", v))));
    asm.set(out, asm.select(wide, slow, asm.get(out)));
  });
  return asm.get(out);
}

export function sin(asm: Asm, x: Val): Val {
  return keepTiny(asm, x, trig(asm, x, 0, "sin"), 1e-4);
}
export function cos(asm: Asm, x: Val): Val {
  return trig(asm, x, 1, "cos");
}

const ATANH = [0.3333333281114108, 0.20000170451110985, 0.14268459724287055, 0.11794994366426859];
const EXP2 = [
  0.6931472064021977, 0.2402265134986126, 0.055503274588831746, 0.00961800338269271, 0.0013400403148684,
  0.00015476447601284833,
];

/** x^y by way of doubles: 2^(y log2 |x|); signs and special cases as in C. */
export function pow(asm: Asm, x: Val, y: Val): Val {
  const f64 = (c: number): Val => asm.konst("vf64", c);
  const ax = asm.un("abs", x);
  const low = asm.cmp("lt", ax, 1.1754944e-38);
  const { e, m } = splitExponent(asm, asm.select(low, asm.mul(ax, 8388608), ax));
  const e2 = asm.sub(e, asm.bin("and", asm.bitcast("vf32", low), asm.konst("vf32", 23)));
  const zero = asm.cmp("eq", x, 0);
  const inf = asm.cmp("eq", ax, Infinity);
  const halves = [false, true].map((high) => {
    const md = asm.promote(m, high);
    const f = asm.sub(md, 1);
    const s = asm.div(f, asm.add(f, 2));
    const z = asm.mul(s, s);
    const series = asm.fma(asm.mul(s, z), poly(asm, z, ATANH), s);
    let l = asm.fma(series, f64(2 * LOG2E), asm.promote(e2, high));
    l = asm.select(asm.widenMask(zero, high), f64(-1e300), asm.select(asm.widenMask(inf, high), f64(1e300), l));
    const yd = asm.bin("pmax", asm.bin("pmin", asm.promote(y, high), 1e300), -1e300);
    const t = asm.bin("pmax", asm.bin("pmin", asm.mul(yd, l), 130), -160);
    const n = asm.un("nearest", t);
    const r = asm.sub(t, n);
    return { p: asm.fma(r, poly(asm, r, EXP2), 1), n };
  });
  const p = asm.demote(halves[0].p, halves[1].p);
  const n = asm.bin("shl", asm.i32FromF64(halves[0].n, halves[1].n), 23);
  const half = asm.bin("and", asm.bin("shrS", n, 1), 0xff800000 | 0);
  const s1 = asm.bitcast("vf32", asm.add(half, ONE_BITS));
  const s2 = asm.bitcast("vf32", asm.add(asm.sub(n, half), ONE_BITS));
  let v = asm.mul(asm.mul(p, s1), s2);

  const whole = asm.cmp("eq", asm.un("trunc", y), y);
  const h = asm.mul(y, 0.5);
  const odd = asm.bin("and", whole, asm.cmp("ne", asm.un("trunc", h), h));
  const sign = asm.bin("and", asm.bitcast("vi32", x), asm.bin("and", odd, asm.konst("vi32", 0x80000000 | 0)));
  v = asm.bin("xor", v, asm.bitcast("vf32", sign));
  const negative = asm.bin("and", asm.cmp("lt", x, 0), asm.cmp("gt", x, -Infinity));
  v = asm.select(asm.bin("andnot", negative, whole), asm.konst("vf32", NaN), v);
  v = asm.select(asm.cmp("eq", x, x), v, x);
  v = asm.select(asm.cmp("eq", y, y), v, y);
  return asm.select(asm.bin("or", asm.cmp("eq", y, 0), asm.cmp("eq", x, 1)), asm.konst("vf32", 1), v);
}
