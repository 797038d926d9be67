/**
 * The walk over a plan's kernels, for any number of threads, written once against the assembler.
 *
 * A plan is a list of commands in memory; every thread walks all of it. A kernel's blocks are divided among the threads in
 * equal ranges; a thread takes half of what is left of its own range, again and again, then of those of others that are
 * late. So nobody is waited for but who holds a piece: a barrier is passed when the blocks of all kernels before it are done,
 * whoever did them. Threads that wait, spin for some time and then sleep until a bell rings.
 *
 * Who walks counts as busy and is waited for at the end of a run; who waits at a barrier does not, and looks afterwards
 * whether the run is still the same. So the leader returns as soon as the work is done, though others still sleep.
 */
import { COMMAND, OP, PATCH, PLAN, POOL, THREAD } from "../base/records.ts";
import type { Arg, Asm, Fn, Val, Var } from "./asm/index.ts";

/** Turns of a loop that looks, before it sleeps: some 20 µs on wasm, 100 µs on x64, where `pause` takes long. */
const LOOKS = { 4: 3000, 8: 2000 } as const;
/** The same between runs: about a millisecond on x64. To be woken takes long, and may put both threads on one core. */
const IDLE_LOOKS = { 4: 3000, 8: 20_000 } as const;
/** Milliseconds of one sleep at a barrier, and between runs; nobody depends on being woken. */
const NAP_MS = 50;
const IDLE_MS = 500;

/**
 * Adds the functions of the walk:
 * - `alone(plan)`: the whole plan on this thread, without counters.
 * - `lead(pool, plan)`: the whole plan together with those who serve. Returns 0, or 1 + the thread that failed.
 * - `serve(pool, thread, mail, naps)`: takes part in runs until there is other mail (returns 1), or until it has slept
 *   `naps` times in a row (0). -1: for ever.
 * - `thread(record)`: `serve` for a native thread, from its own record, until the first letter.
 * - `ticks()`: the clock that timed walks read.
 * - `halt(pool)`: ends the leader's run after a failure, and waits until nobody is busy.
 */
export function emitWalk(asm: Asm): void {
  new Walk(asm).emit();
}

class Walk {
  private readonly asm: Asm;

  constructor(asm: Asm) {
    this.asm = asm;
  }

  emit(): void {
    const { asm } = this;
    const ring = asm.fn("ring", ["ptr"], undefined, (pool) => this.ring(pool));
    const walk = asm.fn("walk", ["ptr", "ptr", "i32", "i32"], undefined, (pool, plan, thread, turn) =>
      this.shared(pool, plan, thread, turn, ring),
    );
    asm.fn("alone", ["ptr"], undefined, (plan) => this.alone(plan));
    const halt = asm.fn("halt", ["ptr"], undefined, (pool) => this.close(pool, ring));
    asm.fn("lead", ["ptr", "ptr"], "i32", (pool, plan) => this.lead(pool, plan, walk, halt, ring));
    const serve = asm.fn("serve", ["ptr", "i32", "i32", "i32"], "i32", (pool, thread, mail, naps) =>
      this.serve(pool, thread, mail, naps, walk),
    );
    asm.fn("ticks", [], "f64", () => asm.clock());
    asm.fn("thread", ["ptr"], "i32", (record) => {
      const pool = asm.load("ptr", record, THREAD.pool);
      return asm.call(serve, pool, asm.load("i32", record, THREAD.number), 0, -1);
    });
  }

  // ---- waiting ----

  /** Wakes all who sleep. What they wait for was written before. */
  private ring(pool: Val): void {
    const { asm } = this;
    asm.if(asm.atomicLoad(pool, POOL.sleepers), () => {
      asm.atomicAdd(pool, POOL.bell, 1);
      asm.notify(pool, POOL.bell);
    });
  }

  /** Returns when `over` holds, or after `naps` sleeps (none: never gives up). The leader of a browser's page only looks. */
  private until(pool: Val, over: () => Val, mayNap: Arg, ms: number, naps?: Val): void {
    const { asm } = this;
    const most = (naps === undefined ? LOOKS : IDLE_LOOKS)[asm.ptrBytes as 4 | 8];
    const looks = asm.var("i32", most);
    const met = asm.var("i32", 0);
    const look = (): void => {
      asm.set(looks, most);
      asm.repeat(() => {
        asm.pause();
        asm.set(met, over());
        asm.set(looks, asm.sub(asm.get(looks), 1));
        return asm.bin("and", asm.cmp("eq", asm.get(met), 0), asm.cmp("gt", asm.get(looks), 0));
      });
    };
    const left = asm.var("i32", naps ?? -1);
    look();
    asm.if(asm.cmp("eq", asm.get(met), 0), () =>
      asm.repeat(() => {
        asm.if(mayNap, () => this.nap(pool, over, met, ms), look);
        asm.set(left, asm.sub(asm.get(left), 1));
        return asm.bin("and", asm.cmp("eq", asm.get(met), 0), asm.cmp("ne", asm.get(left), 0));
      }),
    );
  }

  /** Sleeps once, unless `over` holds. */
  private nap(pool: Val, over: () => Val, met: Var, ms: number): void {
    const { asm } = this;
    const bell = asm.atomicLoad(pool, POOL.bell);
    asm.atomicAdd(pool, POOL.sleepers, 1);
    asm.set(met, over());
    asm.if(asm.cmp("eq", asm.get(met), 0), () => {
      asm.wait(pool, POOL.bell, bell, ms);
      asm.set(met, over());
    });
    asm.atomicAdd(pool, POOL.sleepers, -1);
  }

  private record(pool: Val, thread: Val): Val {
    return this.asm.ptrAdd(pool, this.asm.add(this.asm.mul(thread, POOL.threadBytes), POOL.threads));
  }

  // ---- runs ----

  private lead(pool: Val, plan: Val, walk: Fn, halt: Fn, ring: Fn): Val {
    const { asm } = this;
    const counters = asm.load("ptr", plan, PLAN.taken);
    asm.fill(counters, 0, asm.load("i32", plan, PLAN.counterBytes));
    asm.store(pool, POOL.plan, plan);
    asm.atomicStore(pool, POOL.failed, 0);
    asm.atomicStore(pool, POOL.passed, 0);
    const turn = asm.add(asm.atomicAdd(pool, POOL.turn, 1), 1);
    asm.call(ring, pool);
    asm.call(walk, pool, plan, asm.i32(0), turn);
    asm.call(halt, pool);
    return asm.atomicLoad(pool, POOL.failed);
  }

  /** Closes the run. Who is busy has nothing left to do and is about to see it. */
  private close(pool: Val, ring: Fn): void {
    const { asm } = this;
    asm.if(asm.bin("and", asm.atomicLoad(pool, POOL.turn), 1), () => void asm.atomicAdd(pool, POOL.turn, 1));
    asm.call(ring, pool);
    const awake = asm.load("i32", pool, POOL.awake);
    asm.loop(1, asm.load("i32", pool, POOL.hired), 1, (t) => {
      const record = this.record(pool, t);
      const idle = (): Val => asm.cmp("eq", asm.atomicLoad(record, THREAD.busy), 0);
      const looks = asm.var("i32", 0);
      asm.if(asm.cmp("eq", idle(), 0), () =>
        asm.repeat(() => {
          asm.pause();
          asm.set(looks, asm.add(asm.get(looks), 1));
          // Its turn of the processor may be over: ours is offered.
          asm.if(
            asm.bin("and", asm.cmp("gt", asm.get(looks), LOOKS[asm.ptrBytes as 4 | 8]), asm.cmp("eq", awake, 0)),
            () => asm.wait(record, THREAD.busy, 1, 1),
          );
          return asm.cmp("eq", idle(), 0);
        }),
      );
    });
  }

  private serve(pool: Val, thread: Val, mail: Val, naps: Val, walk: Fn): Val {
    const { asm } = this;
    const record = this.record(pool, thread);
    const last = asm.var("i32", 0);
    const letter = (): Val => asm.cmp("ne", asm.atomicLoad(pool, POOL.mail), mail);
    const again = asm.var("i32", 1);
    asm.repeat(() => {
      const turn = asm.atomicLoad(pool, POOL.turn);
      asm.if(asm.bin("and", asm.bin("and", turn, 1), asm.cmp("ne", turn, asm.get(last))), () => {
        asm.atomicStore(record, THREAD.busy, 1);
        asm.if(asm.cmp("eq", asm.atomicLoad(pool, POOL.turn), turn), () => {
          const plan = asm.load("ptr", pool, POOL.plan);
          const counted = asm.cmp("lt", thread, asm.load("i32", plan, PLAN.threads));
          const ready = asm.cmp("ge", asm.load("i32", record, THREAD.ready), asm.load("i32", plan, PLAN.needs));
          asm.if(asm.bin("and", counted, ready), () => void asm.call(walk, pool, plan, thread, turn));
        });
        asm.atomicStore(record, THREAD.busy, 0);
      });
      asm.set(last, turn);
      const changed = (): Val => asm.bin("or", letter(), asm.cmp("ne", asm.atomicLoad(pool, POOL.turn), turn));
      this.until(pool, changed, 1, IDLE_MS, naps);
      asm.set(again, asm.cmp("ne", asm.atomicLoad(pool, POOL.turn), turn));
      asm.if(letter(), () => asm.set(again, 0));
      return asm.get(again);
    });
    return letter();
  }

  // ---- the walk itself ----

  /** All blocks of all kernels. */
  private alone(plan: Val): void {
    const { asm } = this;
    const table = asm.load("ptr", plan, PLAN.tables);
    const timed = asm.load("i32", plan, PLAN.timed);
    const event = asm.var("ptr", asm.load("ptr", plan, PLAN.times));
    const start = asm.var("f64", 0);
    this.commands(plan, (pc, op) => {
      asm.if(asm.cmp("eq", op, OP.kernel), () => {
        asm.store(plan, PLAN.at, asm.load("i32", pc, COMMAND.e));
        asm.if(timed, () => asm.set(start, asm.clock()));
        const args = asm.ptrAdd(table, asm.load("i32", pc, COMMAND.d));
        this.first(args);
        asm.callPtr(asm.load("ptr", pc, COMMAND.a), args, 0, asm.load("i32", pc, COMMAND.b));
        asm.if(timed, () => this.note(event, start));
        asm.set(event, asm.ptrAdd(asm.get(event), 16));
      });
      asm.if(asm.cmp("eq", op, OP.copy), () => {
        this.copy(pc, table);
        asm.set(event, asm.ptrAdd(asm.get(event), 16));
      });
      return this.turns(pc, op, table);
    });
  }

  private copy(pc: Val, table: Val): void {
    const { asm } = this;
    const [from, to] = [COMMAND.b, COMMAND.c].map((f) => asm.load("ptr", asm.ptrAdd(table, asm.load("i32", pc, f))));
    asm.copy(to, from, asm.load("i32", pc, COMMAND.a));
  }

  /** Walks the commands until the end, or until `out` is set; `body` gives the address of the next one. */
  private commands(plan: Val, body: (pc: Val, op: Val) => Val, out?: Var): void {
    const { asm } = this;
    const at = asm.var("ptr", asm.load("ptr", plan, PLAN.commands));
    const on = asm.var("i32", 0);
    asm.repeat(() => {
      const pc = asm.get(at);
      asm.set(at, body(pc, asm.load("i32", pc, COMMAND.op)));
      const look = (): void => asm.set(on, asm.cmp("ne", asm.load("i32", asm.get(at), COMMAND.op), OP.end));
      asm.set(on, 0);
      // When the run is over, the plan may be gone.
      if (out === undefined) look();
      else asm.if(asm.cmp("eq", asm.get(out), 0), look);
      return asm.get(on);
    });
  }

  /** Carries out the commands of loops; gives the address of the next command. */
  private turns(pc: Val, op: Val, table: Val): Val {
    const { asm } = this;
    const next = asm.var("ptr", asm.ptrAdd(pc, COMMAND.bytes));
    asm.if(asm.cmp("ge", op, OP.loop), () => {
      const back = asm.var("ptr", pc);
      const turn = asm.var("i32", 0);
      asm.if(asm.cmp("eq", op, OP.next), () =>
        asm.set(back, asm.ptrAdd(pc, asm.sub(0, asm.load("i32", pc, COMMAND.a)))),
      );
      const loop = asm.get(back);
      const counter = asm.ptrAdd(table, asm.load("i32", loop, COMMAND.e));
      asm.if(asm.cmp("eq", op, OP.next), () => asm.set(turn, asm.add(asm.load("i32", counter), 1)));
      const turns = asm.load("i32", loop, COMMAND.a);
      asm.if(asm.cmp("lt", asm.get(turn), turns), () => {
        asm.store(counter, 0, asm.get(turn));
        this.patch(loop, table, asm.get(turn), turns);
        asm.set(next, asm.ptrAdd(loop, COMMAND.bytes));
      });
    });
    return asm.get(next);
  }

  /** Addresses of one turn of a loop. */
  private patch(loop: Val, table: Val, turn: Val, turns: Val): void {
    const { asm } = this;
    const last = asm.sub(turns, 1);
    const time = asm.select(asm.load("i32", loop, COMMAND.b), asm.sub(last, turn), turn);
    const at = asm.var("ptr", asm.load("ptr", loop, COMMAND.c));
    const entry = (p: Val, field: Arg): Val => asm.ptrAdd(table, asm.load("i32", asm.ptrAdd(p, field)));
    const address = (p: Val, field: Arg): Val => asm.load("ptr", entry(p, field));
    asm.loop(0, asm.load("i32", loop, COMMAND.d), 1, () => {
      const p = asm.get(at);
      const kind = asm.load("i32", p, PATCH.kind);
      const value = asm.var("ptr", address(p, PATCH.a));
      asm.if(
        asm.cmp("eq", kind, PATCH.slice),
        () => asm.set(value, asm.ptrAdd(asm.get(value), asm.mul(time, asm.load("i32", p, PATCH.b)))),
        () => {
          const edge = asm.select(asm.cmp("eq", kind, PATCH.first), asm.i32(0), last);
          asm.if(asm.cmp("ne", turn, edge), () => {
            asm.if(
              asm.cmp("eq", kind, PATCH.next),
              () => {
                const soon = asm.add(time, asm.select(asm.load("i32", loop, COMMAND.b), asm.i32(-1), asm.i32(1)));
                asm.set(value, asm.ptrAdd(address(p, PATCH.b), asm.mul(soon, asm.load("i32", p, PATCH.c))));
              },
              () => {
                const side = asm.select(asm.bin("and", turn, 1), asm.i32(PATCH.c), asm.i32(PATCH.b));
                asm.set(value, address(p, side));
              },
            );
          });
        },
      );
      asm.store(entry(p, PATCH.to), 0, asm.get(value));
      asm.set(at, asm.ptrAdd(p, PATCH.bytes));
    });
  }

  /** The walk of one thread among several. */
  private shared(pool: Val, plan: Val, thread: Val, turn: Val, ring: Fn): void {
    const { asm } = this;
    const own = (at: number, stride: number): Val =>
      asm.ptrAdd(asm.load("ptr", plan, at), asm.mul(thread, asm.load("i32", plan, stride)));
    const record = this.record(pool, thread);
    const table = own(PLAN.tables, PLAN.tableBytes);
    const w: Share = {
      thread,
      threads: asm.load("i32", plan, PLAN.threads),
      taken: asm.load("ptr", plan, PLAN.taken),
      takenBytes: asm.load("i32", plan, PLAN.takenBytes),
      timed: asm.load("i32", plan, PLAN.timed),
      slot: asm.var("i32", 0),
      event: asm.var("ptr", own(PLAN.times, PLAN.timesBytes)),
      mine: asm.var("i32", 0),
      whole: asm.var("i32", 0),
    };
    const done = asm.load("ptr", plan, PLAN.done);
    const barriers = asm.var("i32", 0);
    const out = asm.var("i32", 0);
    this.commands(
      plan,
      (pc, op) => {
        const next = asm.var("ptr", this.turns(pc, op, table));
        asm.if(asm.cmp("eq", op, OP.kernel), () => {
          asm.store(record, THREAD.at, asm.load("i32", pc, COMMAND.e));
          this.kernel(pc, asm.ptrAdd(table, asm.load("i32", pc, COMMAND.d)), w);
        });
        asm.if(asm.cmp("eq", op, OP.copy), () => {
          this.copy(pc, table);
          this.wholeDone(w);
          this.passed(w);
        });
        asm.if(asm.cmp("eq", op, OP.serial), () => asm.set(next, this.serial(pc, w)));
        asm.if(asm.cmp("eq", op, OP.barrier), () => {
          const word = asm.ptrAdd(done, asm.mul(asm.get(barriers), 4));
          asm.set(barriers, asm.add(asm.get(barriers), 1));
          const seat = { pool, record, thread, turn, ring };
          this.barrier(seat, word, asm.load("i32", pc, COMMAND.a), asm.get(barriers), w.mine, out);
        });
        return asm.get(next);
      },
      out,
    );
  }

  /** Tells a kernel that what follows is its first call of this thread. */
  private first(args: Val): void {
    this.asm.store(this.asm.ptrAdd(args, -this.asm.ptrBytes), 0, this.asm.i32(-1));
  }

  /** Takes pieces of a kernel's blocks until there are none left; or all of them, within a serial. */
  private kernel(pc: Val, args: Val, w: Share): void {
    const { asm } = this;
    const { thread, threads } = w;
    const fn = asm.load("ptr", pc, COMMAND.a);
    const blocks = asm.load("i32", pc, COMMAND.b);
    const piece = asm.load("i32", pc, COMMAND.c);
    const start = asm.var("f64", 0);
    const before = asm.get(w.mine);
    this.first(args);
    asm.if(w.timed, () => asm.set(start, asm.clock()));
    asm.if(
      asm.get(w.whole),
      () => {
        asm.callPtr(fn, args, 0, blocks);
        this.wholeDone(w);
        asm.if(w.timed, () => this.note(w.event, start));
      },
      () => {
        // Its own range first, then those after it.
        asm.loop(0, threads, 1, (i) => {
          const far = asm.add(thread, i);
          const owner = asm.select(asm.cmp("ge", far, threads), asm.sub(far, threads), far);
          const from = asm.bin("divU", asm.mul(owner, blocks), threads);
          const to = asm.bin("divU", asm.mul(asm.add(owner, 1), blocks), threads);
          const word = asm.ptrAdd(asm.ptrAdd(w.taken, asm.mul(owner, w.takenBytes)), asm.get(w.slot));
          const left = (): Val => asm.sub(asm.sub(to, from), asm.atomicLoad(word));
          asm.if(asm.cmp("gt", left(), 0), () =>
            asm.repeat(() => {
              // Half of what is left: few calls, and short ones at the end.
              const size = asm.bin("max", asm.bin("shrS", left(), 1), piece);
              const lo = asm.add(from, asm.atomicAdd(word, 0, size));
              const hi = asm.bin("min", asm.add(lo, size), to);
              asm.if(asm.cmp("lt", lo, to), () => {
                asm.callPtr(fn, args, lo, hi);
                asm.set(w.mine, asm.add(asm.get(w.mine), asm.sub(hi, lo)));
              });
              return asm.cmp("lt", hi, to);
            }),
          );
        });
        asm.if(asm.bin("and", w.timed, asm.cmp("ne", asm.get(w.mine), before)), () => this.note(w.event, start));
      },
    );
    this.passed(w);
  }

  /** One kernel of a serial is done; the last makes the serial done. */
  private wholeDone(w: Share): void {
    const { asm } = this;
    asm.set(w.whole, asm.sub(asm.get(w.whole), 1));
    asm.if(asm.cmp("eq", asm.get(w.whole), 0), () => asm.set(w.mine, asm.add(asm.get(w.mine), 1)));
  }

  /** On to the counter and event of the next kernel. */
  private passed(w: Share): void {
    const { asm } = this;
    asm.set(w.slot, asm.add(asm.get(w.slot), 4));
    asm.set(w.event, asm.ptrAdd(asm.get(w.event), 16));
  }

  private note(event: Var, start: Var): void {
    const { asm } = this;
    asm.store(asm.get(event), 0, asm.get(start));
    asm.store(asm.get(event), 8, asm.clock());
  }

  /** Takes a serial's kernels, or passes over them; gives the address of the next command. */
  private serial(pc: Val, w: Share): Val {
    const { asm } = this;
    const n = asm.load("i32", pc, COMMAND.a);
    const word = asm.ptrAdd(w.taken, asm.get(w.slot));
    const next = asm.var("ptr", asm.ptrAdd(pc, COMMAND.bytes));
    const lost = asm.var("i32", asm.atomicLoad(word));
    asm.if(asm.cmp("eq", asm.get(lost), 0), () => asm.set(lost, asm.atomicAdd(word, 0, 1)));
    asm.set(w.slot, asm.add(asm.get(w.slot), 4));
    asm.if(
      asm.get(lost),
      () => {
        asm.set(w.slot, asm.add(asm.get(w.slot), asm.mul(n, 4)));
        asm.set(w.event, asm.ptrAdd(asm.get(w.event), asm.mul(n, 16)));
        asm.set(next, asm.ptrAdd(asm.get(next), asm.load("i32", pc, COMMAND.b)));
      },
      () => asm.set(w.whole, n),
    );
    return asm.get(next);
  }

  /** Adds what was done here, then waits for the rest. `number`: counts barriers from 1. `out` is set when the run is over. */
  private barrier(at: Seat, done: Val, total: Val, number: Val, mine: Var, out: Var): void {
    const { asm } = this;
    const { pool, record, thread, turn, ring } = at;
    asm.if(asm.get(mine), () => {
      const now = asm.add(asm.atomicAdd(done, 0, asm.get(mine)), asm.get(mine));
      asm.if(asm.cmp("eq", now, total), () => {
        asm.atomicStore(pool, POOL.passed, number);
        asm.call(ring, pool);
      });
      asm.set(mine, 0);
    });
    const closed = (): Val => asm.cmp("lt", asm.atomicLoad(pool, POOL.passed), number);
    asm.if(closed(), () => {
      const over = (): Val =>
        asm.bin("or", asm.cmp("ne", asm.atomicLoad(pool, POOL.turn), turn), asm.atomicLoad(pool, POOL.failed));
      const mayNap = asm.bin("or", thread, asm.cmp("eq", asm.load("i32", pool, POOL.awake), 0));
      asm.atomicStore(record, THREAD.busy, 0);
      this.until(pool, () => asm.bin("or", asm.cmp("eq", closed(), 0), over()), mayNap, NAP_MS);
      asm.atomicStore(record, THREAD.busy, 1);
      asm.set(out, over());
    });
  }
}

/** Where a thread stands in a walk with others. */
interface Share {
  readonly thread: Val;
  readonly threads: Val;
  readonly taken: Val;
  readonly takenBytes: Val;
  readonly timed: Val;
  /** The kernel in order of the walk: bytes to its counter, and its event. */
  readonly slot: Var;
  readonly event: Var;
  /** Blocks done here since the last barrier. */
  readonly mine: Var;
  /** Kernels of a serial that are still to run whole. */
  readonly whole: Var;
}

/** Who waits, and in which run. */
interface Seat {
  readonly pool: Val;
  readonly record: Val;
  readonly thread: Val;
  readonly turn: Val;
  readonly ring: Fn;
}
