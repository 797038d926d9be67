// Runs plans on the evaluator of assembler functions at any number of lanes, or natively: every block by a call of its own, in an order
// of no meaning. Buffers have guards around them.
import { bytesOf, type DType, sizeOf, type TypedArray } from "../../src/base/index.ts";
import { Asm, type Target } from "../../src/codegen/asm/index.ts";
import { contractBlocks } from "../../src/codegen/contract/index.ts";
import { emitKernel, sizesOf } from "../../src/codegen/kernels.ts";
import { hostOps, loopBlocks } from "../../src/codegen/loops/index.ts";
import { hostMath } from "../../src/codegen/math/index.ts";
import { type ContractKernel, type LoopKernel, makePlan, type Place, type Plan } from "../../src/schedule/index.ts";
import type { Graph } from "../../src/tensor/executor.ts";
import { evaluateAsm } from "./evaluate-asm.ts";
import { loadX64, native } from "./native.ts";

const GUARD = 64;
const PATTERN = 0xa5;

const ARRAYS = {
  float32: Float32Array,
  float64: Float64Array,
  int32: Int32Array,
  uint32: Uint32Array,
  uint8: Uint8Array,
  bool: Uint8Array,
};

/** Inputs after the run (updates write over them) and outputs. */
export interface PlanRun {
  readonly inputs: readonly TypedArray[];
  readonly outputs: readonly TypedArray[];
}

/** One run of a graph's plan, on the evaluator or (targets of x64) natively; null for plans with loops over time. */
export function runPlan(graph: Graph, inputs: readonly TypedArray[], target: Target): PlanRun | null {
  const plan = makePlan(graph);
  if (plan.steps.some((s) => s.kernel.kind === "scan")) return null;
  const room = new Room(plan, target);
  inputs.forEach((data, i) =>
    room.bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), room.in[i]),
  );
  for (const [i] of plan.steps.entries()) room.step(plan, i);
  room.checkGuards();
  const read = (t: { shape: readonly number[]; dtype: DType }, at: number): TypedArray =>
    new ARRAYS[t.dtype](room.bytes.slice(at, at + sizeOf(t.shape) * bytesOf(t.dtype)).buffer);
  return {
    inputs: plan.inputs.map((t, i) => read(t, room.in[i])),
    outputs: plan.outputs.map((t, i) => read(t, room.out[i])),
  };
}

class Room {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly in: readonly number[];
  readonly out: readonly number[];
  private readonly arena: number;
  private readonly scratch: number;
  private readonly table: number;
  private readonly target: Target;
  /** Address of the first byte. */
  private readonly base: number;
  private readonly guards: number[] = [];
  private end = 0;

  constructor(plan: Plan, target: Target) {
    this.target = target;
    const place = (bytes: number): number => {
      this.guards.push(this.end);
      const at = this.end + GUARD;
      this.end = Math.ceil((at + bytes) / GUARD) * GUARD;
      return at;
    };
    const all = (list: Plan["inputs"]): number[] => list.map((t) => place(sizeOf(t.shape) * bytesOf(t.dtype)));
    this.in = all(plan.inputs);
    this.out = all(plan.outputs);
    this.arena = place(plan.arenaBytes);
    const scratch = plan.steps.map(({ kernel: k }) => (k.kind === "scan" ? 0 : sizesOf(k, target).scratchBytes));
    this.scratch = place(Math.max(0, ...scratch));
    this.table = place(8 * 64);
    place(0);
    const size = this.end + GUARD;
    const machine = target.name.startsWith("x64") ? native : undefined;
    this.base = machine ? machine.allocate(size) : 0;
    this.bytes = new Uint8Array(machine ? machine.view(this.base, size) : new ArrayBuffer(size));
    for (const g of this.guards) this.bytes.fill(PATTERN, g, g + GUARD);
  }

  step(plan: Plan, i: number): void {
    const { kernel, args } = plan.steps[i];
    const k = kernel as LoopKernel | ContractKernel;
    const asm = new Asm(this.target);
    emitKernel(asm, "run", k);
    const { run } =
      this.base > 0 ? loadX64(asm) : evaluateAsm(asm, { memory: this.bytes, host: { ...hostMath, ...hostOps } });
    // Before the addresses, the word that a kernel keeps from call to call.
    const addresses = [...args.map((a) => this.address(a)), this.scratch].map((a) => BigInt(this.base + a));
    new BigInt64Array(this.bytes.buffer, this.table, addresses.length + 1).set([-1n, ...addresses]);
    const table = this.base + this.table + 8;
    const blocks = k.kind === "loop" ? loopBlocks(k, this.target.lanes) : contractBlocks(k, this.target);
    // From the last, five together, then the others.
    for (let b = blocks - 1; b >= 0; b--) if (b % 8 === 1) run(table, b, Math.min(blocks, b + 5));
    for (let b = blocks - 1; b >= 0; b--) if (b % 8 === 0 || b % 8 > 5) run(table, b, b + 1);
  }

  private address(p: Place): number {
    return p.at === "arena" ? this.arena + p.offset : (p.at === "input" ? this.in : this.out)[p.index];
  }

  checkGuards(): void {
    for (const g of this.guards) {
      for (let i = g; i < g + GUARD; i++) if (this.bytes[i] !== PATTERN) throw new Error(`a kernel wrote at ${i}`);
    }
  }
}
