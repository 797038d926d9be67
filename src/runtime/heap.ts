import { ChainruleError } from "../base/index.ts";

const PAGE = 65536;
const ALIGN = 64;
/** Larger ranges start at a page: rows at the same place of two arrays then never look alike to the store buffer. */
export const BIG = 4096;
const MAX_PAGES = 65536;
/** Bytes of wasm memory at most. */
export const WASM_BYTES: number = MAX_PAGES * PAGE;

/** A memory that several threads may see, where the host has such a thing. */
function newMemory(initial: number, shared: boolean): WebAssembly.Memory {
  if (shared) {
    // Small hosts cannot set the whole range aside.
    for (let maximum = MAX_PAGES; maximum >= initial; maximum /= 2) {
      try {
        return new WebAssembly.Memory({ initial, maximum, shared });
      } catch {
        continue;
      }
    }
  }
  return new WebAssembly.Memory({ initial, maximum: MAX_PAGES });
}

/** Bytes at an address. */
export interface Range {
  at: number;
  bytes: number;
}

/** Memory of the garbage collector: free as soon as nobody holds `bytes`. */
export interface Owned {
  readonly at: number;
  readonly bytes: Uint8Array;
}

/** Free ranges of one wasm memory, kept sorted and joined; grows the memory when nothing fits. */
export class Heap {
  readonly memory: WebAssembly.Memory;
  u8: Uint8Array;
  i32: Int32Array;
  /** Bytes of an address in records that kernels and the walk read, and what is added to ours for them. */
  readonly ptrBytes: 4 | 8 = 4;
  readonly base: number = 0;
  /** Bytes handed out. */
  used = 0;
  protected readonly free: Range[] = [];
  private readonly sizes: Map<number, number> = new Map();

  constructor({ shared = false, initialBytes = 16 << 20 }: { shared?: boolean; initialBytes?: number } = {}) {
    const pages = Math.ceil(initialBytes / PAGE);
    this.memory = newMemory(pages, shared);
    this.u8 = new Uint8Array(this.memory.buffer);
    this.i32 = new Int32Array(this.memory.buffer);
    // Address 0 stays unused.
    this.free.push({ at: ALIGN, bytes: pages * PAGE - ALIGN });
  }

  /** True when other threads can see the memory. */
  get shared(): boolean {
    return typeof SharedArrayBuffer === "function" && this.memory.buffer instanceof SharedArrayBuffer;
  }

  /** Bytes taken from the system. */
  get reserved(): number {
    return this.memory.buffer.byteLength;
  }

  /** The bytes at an address, until the next allocation. */
  view(at: number, bytes: number): Uint8Array {
    return this.u8.subarray(at, at + bytes);
  }

  /** Writes a number into a record. */
  putNumber(at: number, value: number): void {
    this.i32[at >>> 2] = value;
  }

  getNumber(at: number): number {
    return this.i32[at >>> 2];
  }

  /** Writes an address of ours into a record or table. */
  putAddress(at: number, address: number): void {
    this.putPointer(at, address + this.base);
  }

  /** Writes an address as the walk uses it. */
  putPointer(at: number, pointer: number): void {
    this.putNumber(at, pointer);
  }

  /**
   * The address of `bytes` fresh bytes, 64-byte aligned (4096 when as large), contents unspecified. `record`: within wasm
   * memory, for what is written word by word.
   */
  alloc(bytes: number, record = false): number {
    const size = Math.ceil(Math.max(bytes, 1) / ALIGN) * ALIGN;
    const align = size >= BIG ? BIG : ALIGN;
    const startIn = (f: { at: number }): number => Math.ceil(f.at / align) * align;
    // Best fit keeps large ranges whole.
    let best = -1;
    for (let i = 0; i < this.free.length; i++) {
      const f = this.free[i];
      if (record && this.isOutside(f.at)) continue;
      if (startIn(f) + size <= f.at + f.bytes && (best < 0 || f.bytes < this.free[best].bytes)) best = i;
      if (f.bytes === size && best === i) break;
    }
    if (best < 0) {
      this.extend(size, size + align, record);
      return this.alloc(bytes, record);
    }
    const f = this.free[best];
    const at = startIn(f);
    this.take(best, at, size);
    this.sizes.set(at, size);
    this.used += size;
    return at;
  }

  /** `owned`: what `own` gave, which another value may have now. */
  release(at: number, _owned: Uint8Array | null = null): void {
    const bytes = this.sizes.get(at);
    if (bytes === undefined) throw new ChainruleError(`[heap] release of ${at}, which is not allocated`);
    this.sizes.delete(at);
    this.used -= bytes;
    this.giveBack(at, bytes);
  }

  /** Memory of the garbage collector, contents unspecified; null where kernels reach the heap only. */
  own(_bytes: number): Owned | null {
    return null;
  }

  /** True for addresses beside the wasm memory, where no records can be. */
  protected isOutside(_at: number): boolean {
    return false;
  }

  /** Takes a range out of the free one that holds it. */
  protected take(index: number, at: number, bytes: number): void {
    const f = this.free[index];
    const rest = [
      { at: f.at, bytes: at - f.at },
      { at: at + bytes, bytes: f.at + f.bytes - at - bytes },
    ];
    this.free.splice(index, 1, ...rest.filter((r) => r.bytes > 0));
  }

  protected giveBack(at: number, bytes: number): void {
    let lo = 0;
    let hi = this.free.length;
    while (lo < hi) {
      const mid = (lo + hi) >> 1;
      if (this.free[mid].at < at) lo = mid + 1;
      else hi = mid;
    }
    const before = this.free[lo - 1];
    const after = this.free[lo];
    const joinsBefore = before !== undefined && before.at + before.bytes === at;
    const joinsAfter = after !== undefined && at + bytes === after.at;
    if (joinsBefore) {
      before.bytes += bytes;
      if (joinsAfter) {
        before.bytes += after.bytes;
        this.free.splice(lo, 1);
      }
    } else if (joinsAfter) {
      after.at = at;
      after.bytes += bytes;
    } else this.free.splice(lo, 0, { at, bytes });
  }

  protected noMemory(bytes: number, limit: string, cause: unknown): ChainruleError {
    const mib = (n: number): string => `${(n / 2 ** 20).toFixed(0)} MiB`;
    return new ChainruleError(
      `Out of memory: ${mib(bytes)} more than the ${mib(this.reserved)} ${limit}. Use a smaller batch, or dispose() large ` +
        "tensors that are no longer needed.",
      { cause },
    );
  }

  /** Makes room for `size` bytes, which take `bytes` with what goes to waste. */
  protected extend(_size: number, bytes: number, _record: boolean): void {
    const old = this.memory.buffer.byteLength;
    // By a quarter at least, so that growing stays rare.
    const pages = Math.ceil(Math.max(bytes, old / 4) / PAGE);
    try {
      this.memory.grow(Math.min(pages, Math.max(Math.ceil(bytes / PAGE), MAX_PAGES - old / PAGE)));
    } catch (error) {
      const limit =
        "of WebAssembly memory in use (4 GiB at most; machine code, CHAINRULE_DEVICE=x64, is not held to it)";
      throw this.noMemory(bytes, limit, error);
    }
    this.u8 = new Uint8Array(this.memory.buffer);
    this.i32 = new Int32Array(this.memory.buffer);
    this.giveBack(old, this.memory.buffer.byteLength - old);
  }
}
