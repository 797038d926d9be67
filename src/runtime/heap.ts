import { ChainruleError } from "../base/index.ts";
import type { NativeBridge } from "./native.browser.ts";

const PAGE = 65536;
const ALIGN = 64;
/** Larger ranges start at a page: rows at the same place of two arrays then never look alike to the store buffer. */
const BIG = 4096;
const MAX_PAGES = 65536;
/** Larger ranges leave wasm memory alone from this many bytes on, where there is other memory: records need a place in it. */
const CROWDED = 3.5 * 2 ** 30;
const LARGE = 1 << 20;
/** Bytes that are taken from the system at least. */
const REGION = 64 << 20;

/** Memory outside of wasm memory, at an address relative to it. */
interface Region {
  readonly at: number;
  readonly bytes: number;
}

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

/**
 * Free ranges of one wasm memory, kept sorted and joined; grows the memory when nothing fits. Machine code can also have
 * memory of the system beside it: addresses are relative to the wasm memory all the same.
 */
export class Heap {
  readonly memory: WebAssembly.Memory;
  u8: Uint8Array;
  i32: Int32Array;
  /** Bytes of an address in records that kernels and the walk read, and what is added to ours for them. */
  readonly ptrBytes: 4 | 8;
  readonly base: number;
  /** Bytes handed out. */
  used = 0;
  private readonly native: NativeBridge | undefined;
  private readonly crowded: number;
  private readonly regions: Region[] = [];
  private readonly free: { at: number; bytes: number }[] = [];
  private readonly sizes: Map<number, number> = new Map();

  constructor(
    options: {
      shared?: boolean;
      initialBytes?: number;
      /** The bridge to machine code, which has absolute addresses. */
      native?: NativeBridge;
      /** Bytes of wasm memory above which large ranges lie beside it. */
      crowded?: number;
    } = {},
  ) {
    const { shared = false, initialBytes = 16 << 20, native, crowded = CROWDED } = options;
    const pages = Math.ceil(initialBytes / PAGE);
    this.memory = newMemory(pages, shared);
    this.native = native;
    this.crowded = crowded;
    this.ptrBytes = native === undefined ? 4 : 8;
    this.base = native?.addressOf(this.memory.buffer) ?? 0;
    // Also what it grows by later.
    native?.preferHugePages(this.base, MAX_PAGES * PAGE);
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
    return this.regions.reduce((n, r) => n + r.bytes, this.memory.buffer.byteLength);
  }

  /** The bytes at an address, until the next allocation. */
  view(at: number, bytes: number): Uint8Array {
    if (at >= 0 && at + bytes <= this.u8.length) return this.u8.subarray(at, at + bytes);
    return new Uint8Array((this.native as NativeBridge).view(this.base + at, bytes));
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
    const i = at >>> 2;
    this.i32[i] = pointer;
    if (this.ptrBytes === 8) this.i32[i + 1] = Math.floor(pointer / 2 ** 32);
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
      const most = size < LARGE ? MAX_PAGES * PAGE : this.crowded;
      if (!record && this.native !== undefined && this.memory.buffer.byteLength + size + align > most)
        this.addRegion(this.native, size);
      else this.grow(size + align);
      return this.alloc(bytes, record);
    }
    const f = this.free[best];
    const at = startIn(f);
    const parts = [
      { at: f.at, bytes: at - f.at },
      { at: at + size, bytes: f.at + f.bytes - at - size },
    ];
    this.free.splice(best, 1, ...parts.filter((p) => p.bytes > 0));
    this.sizes.set(at, size);
    this.used += size;
    return at;
  }

  release(at: number): void {
    const bytes = this.sizes.get(at);
    if (bytes === undefined) throw new ChainruleError(`[heap] release of ${at}, which is not allocated`);
    this.sizes.delete(at);
    this.used -= bytes;
    this.giveBack(at, bytes);
    if (this.isOutside(at)) this.dropRegion(at);
  }

  private isOutside(at: number): boolean {
    return at < 0 || at >= MAX_PAGES * PAGE;
  }

  private addRegion(native: NativeBridge, size: number): void {
    const bytes = Math.ceil(Math.max(size, REGION) / BIG) * BIG;
    let region: Region;
    try {
      region = { at: native.allocate(bytes) - this.base, bytes };
    } catch (error) {
      throw this.noMemory(bytes, "in use", error);
    }
    this.regions.push(region);
    this.giveBack(region.at, bytes);
  }

  /** Gives the region around a free address back to the system when nothing of it is in use. */
  private dropRegion(at: number): void {
    const i = this.regions.findIndex((r) => at >= r.at && at < r.at + r.bytes);
    const r = this.regions[i];
    const f = this.free.findIndex((x) => x.at <= r.at && x.at + x.bytes >= r.at + r.bytes);
    if (f < 0) return;
    const whole = this.free[f];
    const rest = [
      { at: whole.at, bytes: r.at - whole.at },
      { at: r.at + r.bytes, bytes: whole.at + whole.bytes - r.at - r.bytes },
    ];
    this.free.splice(f, 1, ...rest.filter((x) => x.bytes > 0));
    this.regions.splice(i, 1);
    (this.native as NativeBridge).free(this.base + r.at, r.bytes);
  }

  private giveBack(at: number, bytes: number): void {
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

  private noMemory(bytes: number, limit: string, cause: unknown): ChainruleError {
    const mib = (n: number): string => `${(n / 2 ** 20).toFixed(0)} MiB`;
    return new ChainruleError(
      `Out of memory: ${mib(bytes)} more than the ${mib(this.reserved)} ${limit}. Use a smaller batch, or dispose() large ` +
        "tensors that are no longer needed.",
      { cause },
    );
  }

  private grow(bytes: number): void {
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
