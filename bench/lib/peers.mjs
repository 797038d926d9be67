// Who is measured and how each is started: programs, devices, threads, and the settings under which a peer is at its best.
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import os from "node:os";
import { fileURLToPath } from "node:url";
import { versionOf } from "./install.mjs";

const windows = process.platform === "win32";
/** The virtual environment that bench/python.mjs makes. */
export const environment = fileURLToPath(new URL("../.cache/python", import.meta.url));
const ofVenv = fileURLToPath(
  new URL(`../.cache/python/${windows ? "Scripts/python.exe" : "bin/python"}`, import.meta.url),
);

/**
 * Ours first. `kind`: ours, js (frameworks of JavaScript, which ratios to "the best JavaScript peer" look at) or native;
 * `python` starts it with that interpreter, else node does; `threaded`: it can use more than one; `optional`: only when
 * asked for with --peers.
 */
export const peers = {
  chainrule: { title: "chainrule", kind: "ours", threaded: true },
  "tfjs-cpu": { title: "tfjs cpu", kind: "js", package: "@tensorflow/tfjs" },
  "tfjs-wasm": { title: "tfjs wasm", kind: "js", package: "@tensorflow/tfjs-backend-wasm" },
  jax: { title: "jax-js", kind: "js", package: "@jax-js/jax", threaded: true },
  "jax-fma": {
    title: "jax-js, relaxed SIMD",
    kind: "js",
    package: "@jax-js/jax",
    flags: ["--experimental-wasm-relaxed-simd"],
    threaded: true,
    optional: true,
  },
  ort: { title: "onnxruntime-node", kind: "native", package: "onnxruntime-node", threaded: true },
  numpy: { title: "NumPy", kind: "native", python: ofVenv, package: "numpy", threaded: true },
  torch: { title: "PyTorch", kind: "native", python: ofVenv, package: "torch", threaded: true },
  "torch-debian": {
    title: "PyTorch of Debian",
    kind: "native",
    python: "/usr/bin/python3",
    package: "torch",
    threaded: true,
    settings: { OMP_WAIT_POLICY: "PASSIVE" }, // its OpenMP's and its BLAS's threads take the cores from each other else
  },
  "jax-python": { title: "JAX", kind: "native", python: ofVenv, package: "jax", threaded: true },
};

/** The file in peers/ or python/ that a peer's programs are written with. */
export const toolkitOf = (peer) => peer.replace(/-.*/, "");

/** The machine's threads that "all" means. */
export const cores = os.availableParallelism();

/**
 * Native libraries guess a masked or new processor wrong, and glibc gives the pages of large arrays back after each step:
 * with these OpenBLAS and PyTorch run up to twice as fast.
 */
function tuned() {
  const flags = existsSync("/proc/cpuinfo") ? readFileSync("/proc/cpuinfo", "utf8") : "";
  return {
    ...(/\bavx512f\b/.test(flags) ? { OPENBLAS_CORETYPE: "SkylakeX", ATEN_CPU_CAPABILITY: "avx512" } : {}),
    MALLOC_MMAP_MAX_: "0",
    MALLOC_TRIM_THRESHOLD_: String(2 ** 34),
    MALLOC_TOP_PAD_: String(2 ** 26),
    MALLOC_ARENA_MAX: "1",
    PYTHONDONTWRITEBYTECODE: "1",
  };
}

/** Environment variables under which a variant { peer, device, threads } runs. */
export function settingsOf({ peer, device, threads }) {
  const { kind, settings } = peers[peer];
  const count = String(threads);
  // Nothing that an earlier process compiled, unless that is what is measured.
  if (kind === "ours") return { CHAINRULE_DEVICE: device, CHAINRULE_THREADS: count, CHAINRULE_CACHE: "off" };
  const common = { BENCH_THREADS: count, ...(kind === "native" ? tuned() : {}), ...settings };
  return { ...common, OMP_NUM_THREADS: count, MKL_NUM_THREADS: count, OPENBLAS_NUM_THREADS: count };
}

/** What a run measures of a peer: one of each device and number of threads that it has. */
export function variantsOf(peer, { devices, threads }) {
  const { kind, threaded } = peers[peer];
  const counts = threaded ? threads : [1];
  if (kind !== "ours") return counts.map((count) => ({ peer, threads: count }));
  return devices.flatMap((device) => counts.map((count) => ({ peer, device, threads: count })));
}

export const idOf = ({ peer, device, threads }) => [peer, device, threads].filter((x) => x !== undefined).join(" ");

/** "chainrule x64, 2 threads" */
export function titleOf({ peer, device, threads }) {
  const name = device === undefined ? peers[peer].title : `${peers[peer].title} ${device}`;
  return peers[peer].threaded ? `${name}, ${threads} thread${threads > 1 ? "s" : ""}` : name;
}

const versions = new Map();

/** The version of a peer's package, or undefined where it is not installed. */
export function installedVersion(peer) {
  if (versions.has(peer)) return versions.get(peer);
  const { python, package: name } = peers[peer];
  const find = () => {
    if (python === undefined) return versionOf(name);
    // found, not imported: that alone takes a second
    const program = `import importlib.metadata as m, importlib.util as u; print(u.find_spec(${JSON.stringify(name)}) and m.version(${JSON.stringify(name)}))`;
    const { status, stdout } = spawnSync(python, ["-c", program], { encoding: "utf8" });
    const version = status === 0 ? stdout.trim() : "None";
    return version === "None" ? undefined : version;
  };
  versions.set(peer, find());
  return versions.get(peer);
}
