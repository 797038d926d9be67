import { ChainruleError } from "../base/index.ts";
import type { NativeBridge } from "./native.browser.ts";

const PAGE = 65536;
const ALIGN = 64;
/** Larger ranges start at a page: rows at the same place of two arrays then never look alike to the store buffer. */
const BIG = 4096;
const MAX_PAGES = 65536;

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

/** Free ranges of one wasm memory, kept sorted and joined; grows the memory when nothing fits. */
export class Heap {
  readonly memory: WebAssembly.Memory;
  u8: Uint8Array;
  i32: Int32Array;
  /** Bytes of an address in records that kernels and the walk read, and what is added to ours for them. */
  readonly ptrBytes: 4 | 8;
  readonly base: number;
  /** Bytes handed out. */
  used = 0;
  private readonly free: { at: number; bytes: number }[] = [];
  private readonly sizes: Map<number, number> = new Map();

  constructor(
    options: {
      shared?: boolean;
      initialBytes?: number;
      /** The bridge to machine code, which has absolute addresses. */
      native?: NativeBridge;
    } = {},
  ) {
    const { shared = false, initialBytes = 16 << 20, native } = options;
    const pages = Math.ceil(initialBytes / PAGE);
    this.memory = newMemory(pages, shared);
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

  /** The address of `bytes` fresh bytes, 64-byte aligned (4096 when as large), contents unspecified. */
  alloc(bytes: number): number {
    const size = Math.ceil(Math.max(bytes, 1) / ALIGN) * ALIGN;
    const align = size >= BIG ? BIG : ALIGN;
    const startIn = (f: { at: number }): number => Math.ceil(f.at / align) * align;
    // Best fit keeps large ranges whole.
    let best = -1;
    for (let i = 0; i < this.free.length; i++) {
      const f = this.free[i];
      if (startIn(f) + size <= f.at + f.bytes && (best < 0 || f.bytes < this.free[best].bytes)) best = i;
      if (f.bytes === size && best === i) break;
    }
    if (best < 0) {
      this.grow(size + align);
      return this.alloc(bytes);
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

  private grow(bytes: number): void {
    const old = this.memory.buffer.byteLength;
    // By a quarter at least, so that growing stays rare.
    const pages = Math.ceil(Math.max(bytes, old / 4) / PAGE);
    try {
      this.memory.grow(Math.min(pages, Math.max(Math.ceil(bytes / PAGE), MAX_PAGES - old / PAGE)));
    } catch {
      throw new ChainruleError(
        `Out of memory: ${(bytes / 2 ** 20).toFixed(0)} MiB more than the ${(old / 2 ** 20).toFixed(0)} MiB of WebAssembly memory in use ` +
          "(4 GiB at most). Use a smaller batch, or dispose() large tensors that are no longer needed.",
      );
    }
    this.u8 = new Uint8Array(this.memory.buffer);
    this.i32 = new Int32Array(this.memory.buffer);
    this.giveBack(old, this.memory.buffer.byteLength - old);
  }
}
