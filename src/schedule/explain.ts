import type { ContractKernel, Kernel, LoopKernel, Plan } from "./kernel.ts";

const big = (n: number): string =>
  n >= 1e9
    ? `${(n / 1e9).toFixed(2)}G`
    : n >= 1e6
      ? `${(n / 1e6).toFixed(2)}M`
      : n >= 1e3
        ? `${(n / 1e3).toFixed(1)}k`
        : String(n);

/** The loops of a kernel: `outer[64,28] inner[256]`. */
export function shapeText(kernel: Kernel): string {
  if (kernel.kind === "scan") return `×${kernel.length}`;
  if (kernel.kind === "contract") {
    const part = (name: string, axes: readonly { size: number }[]): string =>
      axes.length ? `${name}[${axes.map((a) => a.size).join(",")}]` : "";
    return [part("b", kernel.batch), part("m", kernel.m), part("n", kernel.n), part("k", kernel.k)]
      .filter(Boolean)
      .join(" ");
  }
  return loopText(kernel);
}

function loopText(k: LoopKernel): string {
  const list = (loops: readonly number[], vec: number): string =>
    loops.map((l) => `${k.loops[l]}${l === vec ? "v" : ""}`).join(",");
  const phases = k.phases.map(
    (p) => `${p.reductions.map((r) => r.kind).join("/") || (p.stores.length ? "map" : "")}[${list(p.loops, p.vec)}]`,
  );
  return `${k.outer.length ? `outer[${list(k.outer, k.vec)}] ` : ""}${phases.join(" ")}`;
}

/** How many arrays a kernel writes; rows of scratch memory do not count. */
function storedBy(k: LoopKernel | ContractKernel): number {
  if (k.kind === "contract") return k.stores.length;
  return k.phases.flatMap((p) => p.stores).filter((s) => s.arg < k.args.length).length;
}

/** One line a kernel: name, loops, flops, bytes; then the arena. Stable from run to run. */
export function explainPlan(plan: Plan, indent = ""): string {
  const lines = plan.steps.map((s, i) => {
    const stores = s.kernel.kind === "scan" ? "" : ` → ${storedBy(s.kernel)}`;
    const head = `${indent}${String(i).padStart(3)}  ${s.kernel.kind.padEnd(8)} ${s.name.padEnd(28)} ${shapeText(s.kernel)}${stores}  ${big(s.flops)}flop ${big(s.bytes)}B`;
    return s.kernel.kind === "scan" ? `${head}\n${explainPlan(s.kernel.body, `${indent}     `)}` : head;
  });
  const flops = plan.steps.reduce((n, s) => n + s.flops, 0);
  lines.push(
    `${indent}${plan.steps.length} kernels, ${big(flops)}flop, arena ${big(plan.arenaBytes)}B (${big(plan.totalBytes)}B before reuse)`,
  );
  return lines.join("\n");
}
