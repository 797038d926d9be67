// Compiled kernels as machine code: pages of the bridge, functions by their addresses.
import type { Asm, Target } from "../asm/index.ts";
import { Asm as Assembler } from "../asm/index.ts";
import { type CodeModule, type CodeStore, emitAll, type Keyed, Kernels } from "../kernels.ts";
import { emitWalk } from "../walk.ts";
import { compileX64, type X64Module, x64Target } from "./compile.ts";
import type { Cpu } from "./cpuid.ts";
import { HostFunctions, type HostRunner } from "./host.ts";

/** What this needs of the bridge (src/runtime/native.browser.ts). */
export interface CodePages extends HostRunner {
  readonly linux: boolean;
  dropCode(address: number): void;
}

/** What this needs of the keeper (src/runtime/keeper.ts): data under a text, or made now and kept. */
export interface CodeKeeper {
  get<T>(text: string, make: () => T, keeps: (made: T) => boolean): T;
}

/** Functions as bytes; `fixed` to this process when they hold addresses of the host's. */
interface Functions extends X64Module {
  readonly names: readonly string[];
  readonly fixed: boolean;
}

export class X64Code implements CodeStore {
  readonly target: Target;
  /** Addresses of the functions of the walk; see codegen/walk.ts. */
  readonly walk: Readonly<Record<string, number>>;
  private readonly pages: CodePages;
  private readonly host: HostFunctions;
  private readonly keeper: CodeKeeper | undefined;

  /** `keeper` keeps for this kind of machine and system only. */
  constructor(pages: CodePages, cpu: Pick<Cpu, "avx512" | "l1" | "l2">, keeper?: CodeKeeper) {
    this.target = x64Target(cpu.avx512, cpu);
    this.pages = pages;
    this.host = new HostFunctions(pages);
    this.keeper = keeper;
    const walk = this.made("walk", emitWalk);
    const { fns } = this.load(walk);
    this.walk = Object.fromEntries(walk.names.map((name, i) => [name, fns[i]]));
  }

  add(asm: Asm): CodeModule {
    return this.load(this.compile(asm));
  }

  /** The functions that `record` writes, which `key` tells from all others: compiled in this process or in an earlier one. */
  kept(key: string, record: (asm: Asm) => void): CodeModule {
    return this.load(this.made(key, record));
  }

  private made(key: string, record: (asm: Asm) => void): Functions {
    const make = (): Functions => {
      const asm = new Assembler(this.target);
      record(asm);
      return this.compile(asm);
    };
    return this.keeper?.get(`code ${key}`, make, (made) => !made.fixed) ?? make();
  }

  private compile(asm: Asm): Functions {
    const { windows, linux } = this.pages;
    let fixed = false;
    const host = (name: string): number => {
      fixed = true;
      return this.host.address(name);
    };
    const module = compileX64(asm, { host, windows, linux });
    return { ...module, names: asm.fns.map((f) => f.name), fixed };
  }

  private load({ bytes, offsets }: Functions): CodeModule {
    const { pages } = this;
    const base = pages.loadCode(bytes);
    return { fns: offsets.map((o) => base + o), needs: 0, drop: () => pages.dropCode(base) };
  }
}

/** Kernels whose code outlives the process. */
export class KeptKernels extends Kernels {
  private readonly code: X64Code;

  constructor(code: X64Code) {
    super(code);
    this.code = code;
  }

  protected override make(list: readonly Keyed[]): CodeModule {
    return this.code.kept(list.map(([key]) => key).join("\n"), (asm) => emitAll(asm, list));
  }
}
