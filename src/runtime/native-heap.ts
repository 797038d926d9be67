// The heap of machine code: absolute addresses, and memory of the system beside that of WebAssembly.
import { BIG, Heap, type Owned, type Range, WASM_BYTES } from "./heap.ts";
import type { NativeBridge } from "./native.browser.ts";

/** Larger ranges leave wasm memory alone from this many bytes on: records need a place in it. */
const CROWDED = 3.5 * 2 ** 30;
const LARGE = 1 << 20;
/** Bytes of the garbage collector's memory that are kept for the next value of a size. */
const SPARE = 128 << 20;
/** Bytes that are taken from the system at least. */
const REGION = 64 << 20;

/** Addresses are relative to the wasm memory, beside it, too. */
export class NativeHeap extends Heap {
  override readonly ptrBytes = 8;
  override readonly base: number;
  private readonly native: NativeBridge;
  private readonly crowded: number;
  private readonly regions: Range[] = [];
  /** Memory of the garbage collector whose value was disposed. */
  private readonly spare: Owned[] = [];

  /** `crowded`: bytes of wasm memory above which large ranges lie beside it. */
  constructor(native: NativeBridge, crowded: number = CROWDED) {
    super({ shared: true });
    this.native = native;
    this.crowded = crowded;
    this.base = native.addressOf(this.memory.buffer);
    // Also what it grows by later.
    native.preferHugePages(this.base, WASM_BYTES);
  }

  override get reserved(): number {
    return this.regions.reduce((n, r) => n + r.bytes, super.reserved);
  }

  override view(at: number, bytes: number): Uint8Array {
    if (at >= 0 && at + bytes <= this.u8.length) return super.view(at, bytes);
    return new Uint8Array(this.native.view(this.base + at, bytes));
  }

  override putPointer(at: number, pointer: number): void {
    super.putPointer(at, pointer);
    this.putNumber(at + 4, Math.floor(pointer / 2 ** 32));
  }

  override release(at: number, owned: Uint8Array | null = null): void {
    if (owned !== null) {
      // Pages that were touched are worth more than new ones.
      this.spare.push({ at, bytes: owned });
      while (this.spare.reduce((n, o) => n + o.bytes.length, 0) > SPARE) this.spare.shift();
      return;
    }
    super.release(at);
    if (this.isOutside(at)) this.dropRegion(at);
  }

  override own(bytes: number): Owned | null {
    const known = this.spare.findIndex((o) => o.bytes.length === bytes);
    if (known >= 0) return this.spare.splice(known, 1)[0];
    let buffer: ArrayBuffer;
    try {
      buffer = new ArrayBuffer(bytes + BIG);
    } catch {
      return null;
    }
    const first = this.native.addressOf(buffer);
    const start = Math.ceil(first / BIG) * BIG;
    this.native.preferHugePages(start, bytes);
    return { at: start - this.base, bytes: new Uint8Array(buffer, start - first, bytes) };
  }

  protected override isOutside(at: number): boolean {
    return at < 0 || at >= WASM_BYTES;
  }

  protected override extend(size: number, bytes: number, record: boolean): void {
    const most = size < LARGE ? WASM_BYTES : this.crowded;
    if (record || this.memory.buffer.byteLength + bytes <= most) return super.extend(size, bytes, record);
    const whole = Math.ceil(Math.max(size, REGION) / BIG) * BIG;
    let at: number;
    try {
      at = this.native.allocate(whole) - this.base;
    } catch (error) {
      throw this.noMemory(whole, "in use", error);
    }
    this.regions.push({ at, bytes: whole });
    this.giveBack(at, whole);
  }

  /** Gives the region around a free address back to the system when nothing of it is in use. */
  private dropRegion(at: number): void {
    const i = this.regions.findIndex((r) => at >= r.at && at < r.at + r.bytes);
    const r = this.regions[i];
    const f = this.free.findIndex((x) => x.at <= r.at && x.at + x.bytes >= r.at + r.bytes);
    if (f < 0) return;
    this.take(f, r.at, r.bytes);
    this.regions.splice(i, 1);
    this.native.free(this.base + r.at, r.bytes);
  }
}
