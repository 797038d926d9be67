// node bench/python.mjs [--debian]: sets the Python peers up: NumPy, PyTorch and JAX in a virtual environment in bench/.cache
// (PyTorch's package brings 5 GB with it), and with --debian the distribution's own PyTorch and OpenBLAS by apt-get, for
// which it must run as root. The bench runs without them and says what is missing.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { environment, installedVersion, peers } from "./lib/peers.mjs";

const venv = peers.numpy.python;

/** Runs a program with the terminal inherited; ends this process when it fails. */
function must(command, args) {
  console.log(`> ${command} ${args.join(" ")}`);
  const { status, error } = spawnSync(command, args, { stdio: "inherit" });
  if (status === 0) return;
  console.error(`${command} ${error ? `could not be started: ${error.message}` : `ended with ${status}`}`);
  process.exit(1);
}

if (process.argv.includes("--debian")) {
  must("apt-get", ["install", "-y", "-qq", "python3-torch", "python3-numpy", "libopenblas0-pthread"]);
}
if (!existsSync(venv)) must(process.env.PYTHON ?? "python3", ["-m", "venv", environment]);
must(venv, ["-m", "pip", "install", "--disable-pip-version-check", "numpy", "torch", "jax"]);
for (const [name, { python, title }] of Object.entries(peers)) {
  if (python !== undefined) console.log(`${title}: ${installedVersion(name) ?? "not installed"}`);
}
