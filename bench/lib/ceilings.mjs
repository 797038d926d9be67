// node ceilings.mjs: what this machine can do at most on the device and with the threads that the environment sets, measured
// by kernels that our assembler makes: multiply-adds in registers; arrays as long as W9's read, copied and added.
import { ceilings, device } from "chainrule";

const rates = Array.from({ length: 5 }, () => ceilings());
const best = (what) => Math.max(...rates.map((row) => row[what]));
const figures = Object.fromEntries(["gflops", "read", "copy", "add"].map((what) => [what, best(what)]));
const { name, threads } = device();
process.send({ device: name.split(" ")[0], name, threads, ...figures }, () => process.exit());
