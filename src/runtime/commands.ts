// From a plan to the commands of the walk: which kernels may run together, where a barrier stands, what one thread does alone.
import { ChainruleError } from "../base/index.ts";
import { COMMAND, OP, PATCH } from "../base/records.ts";
import type { Kernel, Place, Plan, ScanKernel, Step } from "../schedule/index.ts";

/** A kernel ready to call. */
export interface KernelCode {
  /** What the walk calls: place in the table of functions, or address. */
  readonly fn: number;
  readonly blocks: number;
  /** Least blocks that are worth a call. */
  readonly grain: number;
  /** Working memory that each thread gives it as its last argument; 0: none. */
  readonly scratchBytes: number;
  /** What a thread must have received to call it; Infinity: the main thread alone can. */
  readonly needs: number;
}

/** Rough speeds of one thread, per microsecond: they decide what is worth dividing, never what comes out. */
export interface Speeds {
  /** Operations of contractions, operations of loops, bytes. */
  readonly contract: number;
  readonly loop: number;
  readonly bytes: number;
}

/** Kernels shorter than this are done by one thread: less than what a barrier and a cold cache cost. */
const SMALL_US = 2.5;
/** Pieces shorter than this are not worth taking. */
const PIECE_US = 5;
/** Pieces of a thread's range: what a late thread can be helped with. */
const PIECES = 8;
/** Plans with less work to divide than this stay on one thread. */
const WORTH_US = 30;
/** Counters of one plan above this are not worth their memory. */
const MOST_KERNELS = 1 << 20;

/** Up to a page: see heap. */
const rounded = (bytes: number): number => Math.ceil(bytes / 4096) * 4096;

/** Where an address comes from: a caller's array, a place in the room, or a patch of a loop's turn. */
type Source =
  | { readonly from: "input" | "output"; readonly index: number }
  | { readonly from: "room"; readonly offset: number; readonly bytes: number }
  | { readonly from: "loop"; readonly loop: Loop; readonly patch: Patch; readonly key: string };

/** Entries of the table from which the address of a turn is made; see PATCH. */
interface Patch {
  readonly kind: number;
  readonly a: number;
  readonly b: number;
  readonly c: number;
}

interface Loop {
  readonly patches: { readonly patch: Patch; readonly to: number }[];
  readonly counter: number;
}

/** A plan, or the body of a scan: where its inputs, outputs and arena are. */
interface Frame {
  readonly plan: Plan;
  readonly inputs: readonly Source[];
  readonly outputs: readonly Source[];
  readonly arena: number;
  /** First byte of the room that is free beside the arena. */
  readonly beyond: number;
}

/** Something to be run: a kernel, or a scan. */
interface Item {
  readonly step: Step;
  readonly args: readonly Source[];
  readonly writes: readonly Source[];
  readonly us: number;
  /** Done by one thread. */
  readonly small: boolean;
  readonly name: number;
}

/** Kernels that may run at the same time, and a chain of small ones that one thread runs meanwhile. */
interface Group {
  readonly wide: Item[];
  readonly chain: Item[];
}

/** One command: see OP. `loop` and `code` are filled in when it is written to memory. */
export interface Command {
  readonly op: number;
  a: number;
  b: number;
  c: number;
  d: number;
  e: number;
  readonly patches?: Loop["patches"];
}

/** The commands of a plan for a number of threads, with all that has to be bound before it runs. */
export class Commands {
  readonly list: Command[] = [];
  readonly threads: number;
  /** Entries of one argument table. */
  entries = 0;
  /** Entries that hold the address of each input, each output, of a place in the room, of the thread's scratch memory. */
  readonly inputs: number[][];
  readonly outputs: number[][];
  readonly room: { readonly entry: number; readonly offset: number }[] = [];
  readonly scratch: number[] = [];
  /** Bytes of the room without scratch memory, and of one thread's scratch memory. */
  roomBytes: number;
  scratchBytes = 0;
  /** Kernels and chains, and barriers of a run, turns counted. */
  slots = 0;
  barriers = 0;
  /** Modules that a thread must have; see PLAN.needs. */
  needs = 0;
  /** What the name numbers of kernels stand for. */
  readonly names: Step[] = [];
  private readonly codes: ReadonlyMap<Step, KernelCode>;
  private readonly speeds: Speeds;
  private readonly pointer: number;

  constructor(
    plan: Plan,
    codes: ReadonlyMap<Step, KernelCode>,
    options: { threads: number; speeds: Speeds; ptrBytes: number },
  ) {
    this.codes = codes;
    this.speeds = options.speeds;
    this.pointer = options.ptrBytes;
    this.inputs = plan.inputs.map(() => []);
    this.outputs = plan.outputs.map(() => []);
    this.roomBytes = rounded(plan.arenaBytes);
    const frame: Frame = {
      plan,
      inputs: plan.inputs.map((_, index): Source => ({ from: "input", index })),
      outputs: plan.outputs.map((_, index): Source => ({ from: "output", index })),
      arena: 0,
      beyond: this.roomBytes,
    };
    for (const code of codes.values()) {
      this.needs = Math.max(this.needs, code.needs);
      this.scratchBytes = Math.max(this.scratchBytes, rounded(code.scratchBytes));
    }
    const items = this.itemsOf(frame);
    const divisible = items.reduce((sum, x) => sum + this.divisible(x.step), 0);
    const runs = countKernels(plan);
    const wide = divisible >= WORTH_US && this.needs < Infinity && runs * options.threads <= MOST_KERNELS;
    this.threads = wide ? options.threads : 1;
    if (this.threads === 1) this.plain(items, frame);
    else this.grouped(items, frame, 1);
    this.list.push(command(OP.end));
  }

  // ---- what there is to run ----

  private itemsOf(frame: Frame): Item[] {
    return frame.plan.steps.map((step) => {
      const args = step.args.map((p) => sourceOf(p, frame));
      const code = this.codes.get(step);
      if (code === undefined && step.kernel.kind !== "scan")
        throw new ChainruleError(`[runtime] no code for the kernel "${step.name}".`);
      const us = this.microseconds(step);
      return {
        step,
        args,
        writes: writtenBy(step.kernel).map((a) => args[a]),
        us,
        small: step.kernel.kind === "scan" ? this.divisible(step) === 0 : us < SMALL_US,
        name: this.names.push(step) - 1,
      };
    });
  }

  private microseconds(step: Step): number {
    const { kernel, flops, bytes } = step;
    if (kernel.kind === "scan")
      return kernel.length * kernel.body.steps.reduce((sum, s) => sum + this.microseconds(s), 0);
    return Math.max(
      flops / (kernel.kind === "contract" ? this.speeds.contract : this.speeds.loop),
      bytes / this.speeds.bytes,
    );
  }

  /** Microseconds of work that several threads can share. */
  private divisible(step: Step): number {
    const { kernel } = step;
    if (kernel.kind === "scan") return kernel.length * kernel.body.steps.reduce((sum, s) => sum + this.divisible(s), 0);
    const us = this.microseconds(step);
    return us < SMALL_US || (this.codes.get(step)?.blocks ?? 0) < 2 ? 0 : us;
  }

  // ---- one thread ----

  private plain(items: readonly Item[], frame: Frame): void {
    for (const x of items) {
      if (x.step.kernel.kind === "scan") this.scan(x, x.step.kernel, frame, (body, inside) => this.plain(body, inside));
      else this.kernel(x, 1);
    }
  }

  // ---- several threads ----

  /** `turns`: how often this is run. */
  private grouped(items: readonly Item[], frame: Frame, turns: number): void {
    let group: Group = { wide: [], chain: [] };
    const flush = (): void => {
      if (group.wide.length + group.chain.length > 0) this.group(group, frame, turns);
      group = { wide: [], chain: [] };
    };
    for (const x of items) {
      const { kernel } = x.step;
      if (kernel.kind === "scan" && !x.small) {
        flush();
        this.scan(x, kernel, frame, (body, inside) => this.grouped(body, inside, turns * kernel.length));
        continue;
      }
      if (group.wide.some((y) => conflict(x, y)) || (!x.small && group.chain.some((y) => conflict(x, y)))) flush();
      (x.small ? group.chain : group.wide).push(x);
    }
    flush();
  }

  private group({ wide, chain }: Group, frame: Frame, turns: number): void {
    let blocks = 0;
    if (chain.length > 0) {
      const serial = command(OP.serial);
      this.list.push(serial);
      const [before, length] = [this.slots, this.list.length];
      this.plain(chain, frame);
      serial.a = this.slots - before;
      serial.b = (this.list.length - length) * COMMAND.bytes;
      // Loops around nothing: who takes them would never be done.
      if (serial.a === 0) this.list.length = length - 1;
      else {
        this.slots += turns * (serial.a + 1) - serial.a;
        blocks = 1;
      }
    }
    for (const x of wide) {
      const code = this.codes.get(x.step) as KernelCode;
      const most = Math.ceil(code.blocks / (this.threads * PIECES));
      const least = Math.ceil((code.blocks * PIECE_US) / x.us);
      this.kernel(x, Math.max(1, Math.min(Math.max(most, least, code.grain), Math.ceil(code.blocks / this.threads))));
      this.slots += turns - 1;
      blocks += code.blocks;
    }
    // Kernels of no blocks: nobody would open it.
    if (blocks === 0) return;
    this.list.push({ ...command(OP.barrier), a: blocks });
    this.barriers += turns;
  }

  // ---- commands ----

  private kernel(x: Item, piece: number): void {
    const code = this.codes.get(x.step) as KernelCode;
    // The first is the kernel's own: see emitKernel.
    const table = ++this.entries;
    for (const source of x.args) this.entry(source);
    if (code.scratchBytes > 0) this.scratch.push(this.entries++);
    const { name } = x;
    this.list.push({ op: OP.kernel, a: code.fn, b: code.blocks, c: piece, d: table * this.pointer, e: name });
    this.slots++;
  }

  /** A new entry of the table that will hold the address. */
  private entry(source: Source): number {
    const entry = this.entries++;
    if (source.from === "room") this.room.push({ entry, offset: source.offset });
    else if (source.from === "loop") source.loop.patches.push({ patch: source.patch, to: entry });
    else (source.from === "input" ? this.inputs : this.outputs)[source.index].push(entry);
    return entry;
  }

  /** A loop over the body's commands. Arguments: carries, xs, constants, final carries, ys. */
  private scan(x: Item, k: ScanKernel, frame: Frame, inside: (items: Item[], body: Frame) => void): void {
    const bytes = this.pointer;
    const given = k.carries + k.xs + k.consts;
    if (k.length === 0) {
      k.carryBytes.forEach((size, c) => {
        const [from, to] = [x.args[c], x.args[given + c]].map((s) => this.entry(s) * bytes);
        this.list.push({ ...command(OP.copy), a: size, b: from, c: to, e: x.name });
        this.slots++;
      });
      return;
    }
    const loop: Loop = { patches: [], counter: this.entries++ };
    // Carries alternate between two places.
    let at = frame.beyond;
    const sides = [0, 1].map(() =>
      k.carryBytes.map((size): Source => {
        at += rounded(size);
        return { from: "room", offset: at - rounded(size), bytes: size };
      }),
    );
    const turned = (kind: number, key: string, a: number, b: number, c: number): Source => ({
      from: "loop",
      loop,
      key: `${loop.counter}.${key}`,
      patch: { kind, a, b, c },
    });
    const either = (kind: number, key: string, edge: Source, even: Source, odd: Source): Source => {
      const [a, b, c] = [edge, even, odd].map((s) => this.entry(s) * bytes);
      return turned(kind, key, a, b, c);
    };
    const slice = (key: string, source: Source, stride: number): Source =>
      turned(PATCH.slice, key, this.entry(source) * bytes, stride, 0);
    const stacked = (y: number): Source => slice(`y ${y}`, x.args[given + k.carries + y], k.ysBytes[y]);
    /** Where a carry is before a turn, and where it goes. */
    const from = (c: number): Source => {
      const { before } = k.stacks[c];
      return before >= 0 ? stacked(before) : either(PATCH.first, `in ${c}`, x.args[c], sides[0][c], sides[1][c]);
    };
    const to = (c: number): Source => {
      const { before, after } = k.stacks[c];
      const last = x.args[given + c];
      if (after >= 0) return stacked(after);
      if (before < 0) return either(PATCH.last, `out ${c}`, last, sides[1][c], sides[0][c]);
      const [end, stack] = [last, x.args[given + k.carries + before]].map((s) => this.entry(s) * bytes);
      return turned(PATCH.next, `out ${c}`, end, stack, k.ysBytes[before]);
    };
    const own = [...k.ysBytes.keys()].filter((y) => k.stacks.every((s) => s.before !== y && s.after !== y));
    const body: Frame = {
      plan: k.body,
      inputs: [
        ...k.carryBytes.map((_, c) => from(c)),
        ...k.xsBytes.map((size, i) => slice(`x ${i}`, x.args[k.carries + i], size)),
        ...x.args.slice(k.carries + k.xs, given),
      ],
      outputs: [...k.carryBytes.map((_, c) => to(c)), ...own.map(stacked)],
      arena: at,
      beyond: at + rounded(k.body.arenaBytes),
    };
    this.roomBytes = Math.max(this.roomBytes, body.beyond);
    const before = this.slots;
    const head = this.list.push({
      op: OP.loop,
      a: k.length,
      b: k.reverse ? 1 : 0,
      c: 0,
      d: 0,
      e: loop.counter * bytes,
      patches: loop.patches,
    });
    inside(this.itemsOf(body), body);
    this.list.push({ ...command(OP.next), a: (this.list.length - head + 1) * COMMAND.bytes });
    // Within a chain the kernels are counted turn by turn here; in groups they are counted there.
    if (x.small || this.threads === 1) this.slots += (this.slots - before) * (k.length - 1);
  }
}

const command = (op: number): Command => ({ op, a: 0, b: 0, c: 0, d: 0, e: 0 });

/** Kernels of one run, turns counted. */
const countKernels = (plan: Plan): number =>
  plan.steps.reduce((n, s) => n + (s.kernel.kind === "scan" ? s.kernel.length * countKernels(s.kernel.body) : 1), 0);

const sourceOf = (p: Place, frame: Frame): Source =>
  p.at === "arena"
    ? { from: "room", offset: frame.arena + p.offset, bytes: p.bytes }
    : (p.at === "input" ? frame.inputs : frame.outputs)[p.index];

/** Arguments that a kernel writes. */
function writtenBy(k: Kernel): number[] {
  if (k.kind === "scan") return [...k.carryBytes, ...k.ysBytes].map((_, i) => k.carries + k.xs + k.consts + i);
  const stores = k.kind === "contract" ? k.stores : k.phases.flatMap((p) => p.stores);
  return [...new Set(stores.map((s) => s.arg))].filter((a) => a < k.args.length);
}

/** True when one writes what the other reads or writes. */
const conflict = (x: Item, y: Item): boolean =>
  x.writes.some((s) => y.args.some((t) => overlap(s, t))) || y.writes.some((s) => x.args.some((t) => overlap(s, t)));

function overlap(s: Source, t: Source): boolean {
  if (s.from === "room") return t.from === "room" && s.offset < t.offset + t.bytes && t.offset < s.offset + s.bytes;
  if (s.from === "loop") return t.from === "loop" && s.key === t.key;
  return s.from === t.from && s.index === t.index;
}

/** A plan's steps, each loop over time followed by those of its body. */
export const allSteps = (plan: Plan): Step[] =>
  plan.steps.flatMap((s) => (s.kernel.kind === "scan" ? [s, ...allSteps(s.kernel.body)] : [s]));

/** A kernel's name and sizes. */
export function textOf({ name, kernel }: Step): string {
  if (kernel.kind === "scan") return `${name} ×${kernel.length}`;
  if (kernel.kind === "loop") return `${name} [${kernel.loops.join(",")}]`;
  const sizes = [kernel.batch, kernel.m, kernel.n, kernel.k].map((axes) => axes.map((a) => a.size).join(","));
  return `${name} [${sizes.join(" ")}]`;
}
