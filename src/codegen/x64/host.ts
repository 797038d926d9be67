// Addresses of the functions that kernels call on doubles (hostMath and hostOps by name): those of C where C has them, ours on
// top of C's where it has not. Convention: that of C, f64 (f64[, f64]).
import { Code } from "./encode.ts";
import * as F from "./forms.ts";

/** What this needs of the bridge (src/runtime/native.browser.ts). */
export interface HostRunner {
  readonly windows: boolean;
  symbol(name: string): number;
  loadCode(code: Uint8Array): number;
}

/** Names that differ from C's. */
const C_NAMES: Readonly<Record<string, string>> = { expBelow: "exp" };

const f64 = (x: number): Uint8Array => new Uint8Array(new Float64Array([x]).buffer);

/** Ours: x is in xmm0, y in xmm1; `call` calls C and keeps one double, which `kept` loads. */
interface Frame {
  readonly c: Code;
  readonly call: (name: string, keep: number) => void;
  readonly kept: (into: number) => void;
}
const OURS: Readonly<Record<string, (frame: Frame) => void>> = {
  /** e = exp(-|x|); (x < 0 ? e : 1) / (1 + e) */
  sigmoid({ c, call, kept }) {
    c.reg(F.vmovapd, 1, -1, 0);
    c.poolMem(F.vmovsd, 2, -1, c.constant(f64(-0)));
    c.reg(F.vorpd, 0, 0, 2);
    call("exp", 1);
    kept(1);
    c.poolMem(F.vmovsd, 2, -1, c.constant(f64(1)));
    c.reg(F.vaddsd, 3, 0, 2);
    c.reg(F.vxorpd, 4, 4, 4);
    c.reg(F.vcmpsd, 1, 1, 4, 0, false, F.CMP.lt);
    c.reg(F.vblendvpd, 0, 2, 0, 1);
    c.reg(F.vdivsd, 0, 0, 3);
  },
  /** r = fmod(x, y), plus y where their signs differ; a zero has the sign of y. */
  floorMod({ c, call, kept }) {
    call("fmod", 1);
    kept(1);
    c.reg(F.vxorpd, 2, 2, 2);
    c.reg(F.vcmpsd, 3, 0, 2, 0, false, F.CMP.lt);
    c.reg(F.vcmpsd, 4, 1, 2, 0, false, F.CMP.lt);
    c.reg(F.vcmpsd, 2, 0, 2, 0, false, F.CMP.eq);
    c.reg(F.vxorpd, 3, 3, 4);
    c.reg(F.vandpd, 3, 3, 1);
    c.reg(F.vaddsd, 3, 0, 3);
    c.poolMem(F.vmovsd, 1, -1, c.constant(f64(-0)));
    c.reg(F.vandpd, 4, 4, 1);
    c.reg(F.vblendvpd, 0, 3, 4, 2);
  },
};

/** Finds functions when they are first asked for. */
export class HostFunctions {
  private readonly native: HostRunner;
  private readonly known: Map<string, number> = new Map();

  constructor(native: HostRunner) {
    this.native = native;
  }

  /** The address of a function; throws when there is none of this name. */
  address(name: string): number {
    let at = this.known.get(name);
    if (at === undefined) {
      const body = Object.hasOwn(OURS, name) ? OURS[name] : undefined;
      at = body ? this.native.loadCode(this.compile(body)) : this.native.symbol(C_NAMES[name] ?? name);
      this.known.set(name, at);
    }
    return at;
  }

  private compile(body: (frame: Frame) => void): Uint8Array {
    const c = new Code();
    const { rax, rsp } = F.GPR;
    // 16 bytes of ours above the 32 that Windows gives to the callee; 8 keep the stack aligned
    const spot = this.native.windows ? 32 : 0;
    const frame = spot + 24;
    c.reg(F.subImm | F.Q, rsp, -1, -1, 0, false, frame);
    body({
      c,
      call: (name, keep) => {
        c.mem(F.vmovsdStore, keep, -1, rsp, -1, 1, spot);
        c.const64(rax, this.native.symbol(name));
        c.callReg(rax);
      },
      kept: (into) => c.mem(F.vmovsd, into, -1, rsp, -1, 1, spot),
    });
    c.reg(F.addImm | F.Q, rsp, -1, -1, 0, false, frame);
    c.ret();
    return c.finish();
  }
}
