import { bytesOf, type DType, hostArray, sizeOf, TraceError, type TypedArray, ValueError } from "../base/index.ts";
import type { Heap } from "./heap.ts";

/** Values of so few bytes stay on the host and are handed to kernels by copy: the collector frees them. */
const SMALL_BYTES = 1024;
/** Values below this leave the device when they were not used for a while. */
const MEDIUM_BYTES = 1 << 20;
/** Runs after which an unused medium value leaves. */
const OLD_RUNS = 256;
/** Bytes of large values that may stay on the device unused. */
const BUDGET_BYTES = 512 << 20;

/**
 * Values on the device, oldest use first. A value that is not used for long moves to a host array, where the garbage
 * collector can free it: nobody has to dispose, and a busy loop stays flat without finalizers.
 */
export class Residents {
  readonly heap: Heap;
  runs = 0;
  private readonly medium: Set<DeviceValue> = new Set();
  private readonly large: Set<DeviceValue> = new Set();
  private largeBytes = 0;

  constructor(heap: Heap) {
    this.heap = heap;
  }

  private listOf(v: DeviceValue): Set<DeviceValue> {
    return v.bytes < MEDIUM_BYTES ? this.medium : this.large;
  }

  /** Marks a value as used now. */
  touch(v: DeviceValue): void {
    v.usedAt = this.runs;
    const list = this.listOf(v);
    if (!list.delete(v) && list === this.large) this.largeBytes += v.bytes;
    list.add(v);
  }

  drop(v: DeviceValue): void {
    const list = this.listOf(v);
    if (list.delete(v) && list === this.large) this.largeBytes -= v.bytes;
  }

  /** After a run: moves old values to the host. */
  sweep(): void {
    this.runs++;
    for (const v of this.medium) {
      if (v.usedAt > this.runs - OLD_RUNS) break;
      v.toHost();
    }
    for (const v of this.large) {
      if (this.largeBytes <= BUDGET_BYTES || v.usedAt >= this.runs - 1) break;
      v.toHost();
    }
  }
}

/** An array on the device or, when small or long unused, on the host. */
export class DeviceValue {
  readonly shape: readonly number[];
  readonly dtype: DType;
  readonly bytes: number;
  usedAt = 0;
  private readonly residents: Residents;
  /** Address on the device, or -1. */
  private slot = -1;
  private host: TypedArray | null = null;
  private hostBytes: Uint8Array | null = null;
  private gone = false;

  constructor(residents: Residents, shape: readonly number[], dtype: DType) {
    this.residents = residents;
    this.shape = shape;
    this.dtype = dtype;
    this.bytes = sizeOf(shape) * bytesOf(dtype);
  }

  get small(): boolean {
    return this.bytes <= SMALL_BYTES;
  }

  private check(): void {
    if (this.gone) {
      throw new TraceError(
        `This tensor (${this.dtype} [${this.shape.join(", ")}]) was disposed: it has no value any more.`,
      );
    }
  }

  /** The bytes of a small value, on the host. */
  view(): Uint8Array {
    this.check();
    if (this.hostBytes === null) {
      this.host = hostArray(this.dtype, sizeOf(this.shape));
      this.hostBytes = new Uint8Array(this.host.buffer);
    }
    return this.hostBytes;
  }

  /** The address of a value that is not small: brought back to the device if it had left. */
  address(): number {
    this.check();
    if (this.slot < 0) {
      this.slot = this.residents.heap.alloc(this.bytes);
      if (this.host !== null) {
        this.residents.heap.u8.set(new Uint8Array(this.host.buffer, this.host.byteOffset, this.bytes), this.slot);
        this.host = null;
        this.hostBytes = null;
      }
    }
    this.residents.touch(this);
    return this.slot;
  }

  toHost(): void {
    if (this.slot < 0) return;
    const copy = this.residents.heap.u8.slice(this.slot, this.slot + this.bytes);
    this.leave();
    this.host = hostArray(this.dtype, sizeOf(this.shape), copy.buffer);
  }

  private leave(): void {
    this.residents.drop(this);
    if (this.slot >= 0) this.residents.heap.release(this.slot);
    this.slot = -1;
  }

  read(): TypedArray {
    this.check();
    if (this.slot >= 0) {
      const copy = this.residents.heap.u8.slice(this.slot, this.slot + this.bytes);
      return hostArray(this.dtype, sizeOf(this.shape), copy.buffer);
    }
    return this.host === null ? hostArray(this.dtype, sizeOf(this.shape)) : this.host.slice();
  }

  write(data: TypedArray): void {
    this.check();
    if (data.length !== sizeOf(this.shape))
      throw new ValueError(`[write] ${sizeOf(this.shape)} elements, got ${data.length}.`);
    if (this.dtype === "bool") return this.write01(data);
    if (this.small) {
      this.view();
      (this.host as TypedArray).set(data);
    } else {
      const at = this.address();
      hostArray(this.dtype, data.length, this.residents.heap.memory.buffer, at).set(data);
    }
  }

  /** Bools are stored as 0 and 1, whatever they came as. */
  private write01(data: TypedArray): void {
    const bytes = this.small
      ? this.view()
      : this.residents.heap.u8.subarray(this.address(), this.address() + this.bytes);
    for (let i = 0; i < data.length; i++) bytes[i] = data[i] === 0 ? 0 : 1;
  }

  dispose(): void {
    if (this.gone) return;
    this.leave();
    this.host = null;
    this.hostBytes = null;
    this.gone = true;
  }
}
