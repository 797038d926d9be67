// GFLOP/s of contraction kernels, one thread, and the share of the FMA peak that is measured in turns with each. Needs a
// build (node scripts/setup.mjs): node test/codegen/contract.perf.mjs [filter] [ms per case] [wasm | avx2 | avx512]
const lib = process.env.CHAINRULE_DIST ?? new URL("../../dist/", import.meta.url).href;
const load = (file) => import(`${lib}${file}`);
const { Asm } = await load("codegen/asm/index.js");
const { compileWasm, probeWasm, wasmTarget } = await load("codegen/wasm/index.js");
const { compileX64, readCpu, x64Target } = await load("codegen/x64/index.js");
const { contractBlocks, contractScratchBytes, emitContract, planContract, storePlain } =
  await load("codegen/contract/index.js");
const { openNative } = await load("runtime/native.node.js");

const filter = new RegExp(process.argv[2] ?? "");
const budget = Number(process.argv[3] ?? 300);
const { native, why } = openNative();
const cpu = native && readCpu(native);
const kind = process.argv[4] ?? (cpu?.avx512 ? "avx512" : cpu?.avx2 ? "avx2" : "wasm");
if (kind !== "wasm" && !native) throw new Error(why);

/** Where kernels run: { target, bytes (a view of memory), base (its address), compile(asm) -> functions in order }. */
function wasmDevice() {
  const memory = new WebAssembly.Memory({ initial: 16384 });
  const compile = (asm) => {
    const all = compileWasm(asm, { memory });
    return asm.fns.map((f) => all[f.name]);
  };
  return { target: wasmTarget(probeWasm()), buffer: memory.buffer, base: 0, compile };
}
function x64Device(avx512) {
  const size = 1 << 30;
  const base = native.allocate(size);
  const compile = (asm) => {
    const { bytes, offsets } = compileX64(asm, { windows: native.windows });
    const at = native.loadCode(bytes);
    return offsets.map((o) => native.fn(at + o, ["ptr", "i32", "i32"], "void"));
  };
  return { target: x64Target(avx512, cpu), buffer: native.view(base, size), base, compile };
}
const { target, buffer, base, compile } = kind === "wasm" ? wasmDevice() : x64Device(kind === "avx512");
new Float32Array(buffer).forEach((_, i, all) => (all[i] = ((i * 7919) % 255) / 255 - 0.5));

/** Milliseconds of processor time: other processes do not count. */
function spent(call) {
  const start = process.cpuUsage();
  call();
  const { user, system } = process.cpuUsage(start);
  return (user + system) / 1e3;
}

function peakOf() {
  const asm = new Asm(target);
  const width = 4 * asm.lanes;
  asm.fn("peak", ["ptr", "i32", "i32"], undefined, (p, n) => {
    const acc = Array.from({ length: 12 }, () => asm.var("vf32", 0));
    const [x, y] = [asm.load("vf32", p, 0), asm.load("vf32", p, width)];
    asm.loop(0, n, 1, () => acc.forEach((a) => asm.set(a, asm.fma(x, y, asm.get(a)))));
    acc.forEach((a, r) => asm.store(p, (r + 2) * width, asm.get(a)));
  });
  const [peak] = compile(asm);
  const turns = 100_000;
  return () => (turns * 24 * asm.lanes) / spent(() => peak(base + 1024, turns, 0)) / 1e6;
}
const peak = peakOf();
const median = (list) => list.toSorted((p, q) => p - q)[list.length >> 1] ?? 0;

/** Median rate, and median share of the peak measured just before. */
function measure(call, flop) {
  const rates = [];
  const shares = [];
  call();
  const start = performance.now();
  let reps = 1;
  while (performance.now() - start < budget || rates.length < 3) {
    const top = peak();
    const ms = spent(() => {
      for (let i = 0; i < reps; i++) call();
    });
    if (ms < 1 && rates.length === 0) {
      reps *= 2;
      continue;
    }
    rates.push((reps * flop) / ms / 1e6);
    shares.push(rates.at(-1) / top);
  }
  return { rate: median(rates), share: median(shares) };
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
for (const n of [64, 128, 256, 512, 1024, 2048]) {
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
for (const [H, C, O] of [
  [224, 3, 64],
  [224, 64, 64],
  [112, 128, 128],
  [56, 256, 256],
  [28, 512, 512],
  [14, 512, 512],
]) {
  for (const [name, spec] of Object.entries(conv(1, H, H, C, O, 3))) cases.push([`vgg ${H} ${C}>${O} ${name}`, spec]);
}
cases.push(
  ["lstm 32x64x1024", mm(32, 1024, 64)],
  ["lstm 32x256x1024", mm(32, 1024, 256)],
  ["lstm 32x1024x256 NT", mm(32, 256, 1024, false, true)],
  ["lstm 256x2048x1024 TN", mm(256, 1024, 2048, true)],
  ["memory 1x4096x4096", mm(1, 4096, 4096)],
  ["memory 1x4096x4096 NT", mm(1, 4096, 4096, false, true)],
  ["memory 1x25088x4096", mm(1, 4096, 25088)],
);
const heads = (b, M, N, K, tb) => ({ ...mm(M, N, K, false, tb), batch: [x(b, M * K, K * N, M * N)] });
cases.push(
  ["attention 32x128x32x128 NT", heads(32, 128, 128, 32, true)],
  ["attention 32x128x128x32", heads(32, 128, 32, 128, false)],
);

console.log(
  `${process.version} ${target.name}, peak ${Math.max(...Array.from({ length: 50 }, peak)).toFixed(1)} GFLOP/s`,
);
const places = [1, 400, 800, 960].map((mb) => base + mb * 2 ** 20);
const words = target.ptrBytes === 8 ? new BigUint64Array(buffer, 0, 4) : new Uint32Array(buffer, 0, 4);
words.set(target.ptrBytes === 8 ? places.map(BigInt) : places);
for (const [name, spec] of cases.filter(([n]) => filter.test(n))) {
  const asm = new Asm(target);
  const start = performance.now();
  asm.fn("go", ["ptr", "i32", "i32"], undefined, (args, lo, hi) => {
    const [a, b, c, scratch] = [0, 1, 2, 3].map((i) => asm.load("ptr", args, i * asm.ptrBytes));
    emitContract(asm, spec, { a, b, scratch, lo, hi }, storePlain(asm, c, 4));
  });
  const [go] = compile(asm);
  const took = performance.now() - start;
  const flop = 2 * [...spec.batch, ...spec.m, ...spec.n, ...spec.k].reduce((p, s) => p * s.size, 1);
  const blocks = contractBlocks(spec, target);
  const { rate, share } = measure(() => go(base, 0, blocks), flop);
  const p = planContract(spec, target);
  const a = p.packA ? "packed" : p.table ? "table" : "direct";
  console.log(
    `${name.padEnd(34)} ${rate.toFixed(1).padStart(6)} ${(100 * share).toFixed(0).padStart(4)} %  ${took.toFixed(1)} ms ` +
      ` tile ${p.rows}x${p.main?.nv ?? 0}+${p.tail?.nv ?? 0}${p.pairs ? " pairs" : ""} A ${a} B ${p.packB} k ${p.kBlocks}x${p.kSteps}` +
      ` blocks ${blocks} = ${p.batches}*${p.nBlocks}*${p.mBlocks} scratch ${contractScratchBytes(spec, target) >> 10}K`,
  );
}
process.exit();
