// GFLOP/s of contraction kernels, one thread, and the share of the measured 128-bit FMA peak. Needs a build: npm run build.
// node test/codegen/contract.perf.mjs [filter] [ms per case]
import { pathToFileURL } from "node:url";

const lib = process.env.CHAINRULE_CODEGEN ?? new URL("../../dist/codegen/", import.meta.url).href;
const load = (room) => import(lib.endsWith(".mjs") ? pathToFileURL(lib).href : `${lib}${room}/index.js`);
const { Asm } = await load("asm");
const { compileWasm, probeWasm, wasmTarget } = await load("wasm");
const { contractBlocks, contractScratchBytes, emitContract, planContract } = await load("contract");

const filter = new RegExp(process.argv[2] ?? "");
const budget = Number(process.argv[3] ?? 300);
const memory = new WebAssembly.Memory({ initial: 2048 });
const target = wasmTarget(probeWasm());
new Float32Array(memory.buffer).forEach((_, i, all) => (all[i] = ((i * 7919) % 255) / 255 - 0.5));

function measure(call, flop) {
  let best = 0;
  const rates = [];
  call();
  const start = performance.now();
  let reps = 1;
  while (performance.now() - start < budget) {
    const t = performance.now();
    for (let i = 0; i < reps; i++) call();
    const dt = performance.now() - t;
    if (dt < 2) {
      reps *= 2;
      continue;
    }
    rates.push((reps * flop) / dt / 1e6);
  }
  rates.sort((a, b) => a - b);
  best = rates[rates.length - 1] ?? 0;
  return { median: rates[rates.length >> 1] ?? 0, best };
}

function peak() {
  const asm = new Asm(target);
  asm.fn("peak", ["ptr", "i32"], undefined, (p, n) => {
    const acc = Array.from({ length: 12 }, (_, r) => asm.var("vf32", asm.load("vf32", p, r * 16)));
    const [x, y] = [asm.load("vf32", p, 256), asm.load("vf32", p, 272)];
    asm.loop(0, n, 1, () => acc.forEach((a) => asm.set(a, asm.fma(x, y, asm.get(a)))));
    acc.forEach((a, r) => asm.store(p, r * 16, asm.get(a)));
  });
  const f = compileWasm(asm, { memory });
  return measure(() => f.peak(1024, 1e6), 1e6 * 12 * 8).best;
}

const x = (size, a, b, c) => ({ size, a, b, c });
const mm = (M, N, K, ta = false, tb = false) => ({
  dtype: "float32",
  batch: [],
  m: [x(M, ta ? 1 : K, 0, N)],
  n: [x(N, 0, tb ? K : 1, 1)],
  k: [x(K, ta ? M : 1, tb ? 1 : N, 0)],
});
function conv(B, H, W, C, O, k) {
  const [PH, PW, oh, ow] = [H + k - 1, W + k - 1, H, W];
  return {
    fwd: {
      dtype: "float32",
      batch: [],
      m: [x(B, PH * PW * C, 0, oh * ow * O), x(oh, PW * C, 0, ow * O), x(ow, C, 0, O)],
      n: [x(O, 0, 1, 1)],
      k: [x(k, PW * C, k * C * O, 0), x(k, C, C * O, 0), x(C, 1, O, 0)],
    },
    dW: {
      dtype: "float32",
      batch: [],
      m: [x(k, PW * C, 0, k * C * O), x(k, C, 0, C * O), x(C, 1, 0, O)],
      n: [x(O, 0, 1, 1)],
      k: [x(B, PH * PW * C, oh * ow * O, 0), x(oh, PW * C, ow * O, 0), x(ow, C, O, 0)],
    },
    dX: {
      dtype: "float32",
      batch: [],
      m: [x(B, PH * PW * O, 0, H * W * C), x(H, PW * O, 0, W * C), x(W, O, 0, C)],
      n: [x(C, 0, O, 1)],
      k: [x(k, PW * O, -k * C * O, 0), x(k, O, -C * O, 0), x(O, 1, 1, 0)],
      bOffset: (k * k - 1) * C * O,
    },
  };
}

const cases = [];
for (const n of [64, 128, 256, 512, 1024]) {
  cases.push(
    [`matmul ${n} NN`, mm(n, n, n)],
    [`matmul ${n} NT`, mm(n, n, n, false, true)],
    [`matmul ${n} TN`, mm(n, n, n, true)],
  );
}
for (const [M, N, K] of [
  [128, 256, 784],
  [128, 128, 256],
  [128, 10, 256],
  [1, 256, 784],
  [1, 10, 128],
  [1024, 512, 128],
  [1024, 128, 512],
]) {
  cases.push(
    [`dense ${M}x${K}x${N}`, mm(M, N, K)],
    [`dense ${M}x${K}x${N} dX`, mm(M, K, N, false, true)],
    [`dense ${M}x${K}x${N} dW`, mm(K, N, M, true)],
  );
}
for (const [B, H, C, O, k] of [
  [32, 32, 3, 16, 3],
  [32, 32, 16, 16, 3],
  [32, 16, 32, 32, 3],
  [32, 8, 64, 64, 3],
  [64, 28, 1, 6, 5],
  [64, 10, 6, 16, 5],
]) {
  for (const [name, spec] of Object.entries(conv(B, H, H, C, O, k)))
    cases.push([`conv${k} B${B} ${H}x${H}x${C}>${O} ${name}`, spec]);
}
const heads = (b, M, N, K, tb) => ({ ...mm(M, N, K, false, tb), batch: [x(b, M * K, K * N, M * N)] });
cases.push(
  ["attention 32x128x32x128 NT", heads(32, 128, 128, 32, true)],
  ["attention 32x128x128x32", heads(32, 128, 32, 128, false)],
);

const top = peak();
console.log(`${process.version}  peak of 128-bit FMA ${top.toFixed(1)} GFLOP/s`);
for (const [name, spec] of cases.filter(([n]) => filter.test(n))) {
  const asm = new Asm(target);
  asm.fn("go", ["ptr", "i32", "i32"], undefined, (args, lo, hi) => {
    const [a, b, c, scratch] = [0, 4, 8, 12].map((o) => asm.load("ptr", args, o));
    emitContract(asm, spec, { a, b, c, scratch, lo, hi });
  });
  const t = performance.now();
  const { go } = compileWasm(asm, { memory });
  const compile = performance.now() - t;
  const flop = 2 * [...spec.batch, ...spec.m, ...spec.n, ...spec.k].reduce((p, s) => p * s.size, 1);
  new Int32Array(memory.buffer, 0, 4).set([1 << 20, 34 << 20, 68 << 20, 112 << 20]);
  const blocks = contractBlocks(spec, target);
  const r = measure(() => go(0, 0, blocks), flop);
  const p = planContract(spec, target);
  console.log(
    `${name.padEnd(34)} ${r.median.toFixed(1).padStart(6)} best ${r.best.toFixed(1).padStart(6)}  ${((100 * r.median) / top).toFixed(0).padStart(3)} %` +
      `  ${compile.toFixed(1)} ms  tile ${p.rows}x${p.main?.nv ?? 0}+${p.tail?.nv ?? 0} A ${p.packA ? "packed" : p.table ? "table" : "direct"} B ${p.packB}` +
      ` k ${p.kBlocks}x${p.kSteps} blocks ${blocks} scratch ${contractScratchBytes(spec, target) >> 10}K`,
  );
}
