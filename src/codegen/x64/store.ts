// Compiled kernels as machine code: pages of the bridge, functions by their addresses.
import type { Asm, Target } from "../asm/index.ts";
import { Asm as Assembler } from "../asm/index.ts";
import type { CodeModule, CodeStore } from "../kernels.ts";
import { emitWalk } from "../walk.ts";
import { compileX64, x64Target } from "./compile.ts";
import type { Cpu } from "./cpuid.ts";
import { HostFunctions, type HostRunner } from "./host.ts";

/** What this needs of the bridge (src/runtime/native.browser.ts). */
export interface CodePages extends HostRunner {
  readonly linux: boolean;
  dropCode(address: number): void;
}

export class X64Code implements CodeStore {
  readonly target: Target;
  /** Addresses of the functions of the walk; see codegen/walk.ts. */
  readonly walk: Readonly<Record<string, number>>;
  private readonly pages: CodePages;
  private readonly host: HostFunctions;

  constructor(pages: CodePages, cpu: Pick<Cpu, "avx512" | "l1" | "l2">) {
    this.target = x64Target(cpu.avx512, cpu);
    this.pages = pages;
    this.host = new HostFunctions(pages);
    const asm = new Assembler(this.target);
    emitWalk(asm);
    const { fns } = this.add(asm);
    this.walk = Object.fromEntries(asm.fns.map((f, i) => [f.name, fns[i]]));
  }

  add(asm: Asm): CodeModule {
    const { pages } = this;
    const { windows, linux } = pages;
    const { bytes, offsets } = compileX64(asm, { host: (name) => this.host.address(name), windows, linux });
    const base = pages.loadCode(bytes);
    return { fns: offsets.map((o) => base + o), needs: 0, drop: () => pages.dropCode(base) };
  }
}
