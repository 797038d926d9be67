import {
  bytesOf,
  type DType,
  hostArray,
  showShape,
  sizeOf,
  TraceError,
  type TypedArray,
  ValueError,
} from "../base/index.ts";
import type { Heap } from "./heap.ts";
import type { Tracker } from "./tracker.ts";

/** Values of so few bytes stay on the host and are handed to kernels by copy: the collector frees them. */
const SMALL_BYTES = 1024;
/** Values below this leave the device when they were not used for a while. */
const MEDIUM_BYTES = 1 << 20;
/** Runs after which an unused medium value leaves. */
const OLD_RUNS = 256;
/**
 * Bytes of large values that may stay on the device unused. Beyond them new ones lie in memory of the garbage collector where
 * kernels reach it, and the oldest move to the host elsewhere.
 */
const BUDGET_BYTES = 512 << 20;

/** No address: those are multiples of 64. */
const AWAY = -1;

/** The memory behind a value: a place on the device, or a host array, or nothing yet. */
class Slot {
  readonly bytes: number;
  usedAt = 0;
  /** Address on the device, or AWAY. */
  at: number = AWAY;
  host: Uint8Array<ArrayBuffer> | null = null;
  /** What is at the address, where that is memory of the garbage collector. */
  owned: Uint8Array | null = null;
  /** What waits for the value to be collected: this while it is on the device. It must not keep a host array alive. */
  readonly ticket: { slot: Slot | null } = { slot: null };

  constructor(bytes: number) {
    this.bytes = bytes;
  }
}

/**
 * Memory on the device, oldest use first. What is not used for long moves to a host array, where the garbage collector can
 * free it: nobody has to dispose, and a busy loop stays flat although finalizers get no turn in it.
 */
export class Residents {
  readonly heap: Heap;
  /** Set while somebody looks for leaks; made by who asks, so that other programs go without its code. */
  tracker: Tracker | null = null;
  private runs = 0;
  private readonly medium: Set<Slot> = new Set();
  private readonly large: Set<Slot> = new Set();
  private largeBytes = 0;
  /** A safety net for programs that pause: memory whose value was collected comes back without a copy. */
  private readonly collected: FinalizationRegistry<Slot["ticket"]> = new FinalizationRegistry(({ slot }) => {
    if (slot !== null) this.leave(slot);
  });

  constructor(heap: Heap) {
    this.heap = heap;
  }

  /** Memory for a value, watched over when it is large. */
  slotFor(value: DeviceValue): Slot {
    const slot = new Slot(value.bytes);
    if (slot.bytes >= MEDIUM_BYTES) this.collected.register(value, slot.ticket);
    this.tracker?.note(value);
    return slot;
  }

  private listOf(slot: Slot): Set<Slot> {
    return slot.bytes < MEDIUM_BYTES ? this.medium : this.large;
  }

  /** Brings memory to the device, and marks it as used now. */
  enter(slot: Slot): number {
    if (slot.at === AWAY) this.place(slot);
    // The order of those that leave by age need not be exact.
    else if (slot.bytes < MEDIUM_BYTES && slot.usedAt > this.runs - OLD_RUNS / 4) return slot.at;
    if (slot.owned !== null) return slot.at;
    slot.usedAt = this.runs;
    const list = this.listOf(slot);
    if (!list.delete(slot) && list === this.large) this.largeBytes += slot.bytes;
    list.add(slot);
    return slot.at;
  }

  private place(slot: Slot): void {
    const crowded = slot.bytes >= MEDIUM_BYTES && this.largeBytes + slot.bytes > BUDGET_BYTES;
    const owned = crowded ? this.heap.own(slot.bytes) : null;
    slot.owned = owned?.bytes ?? null;
    slot.at = owned?.at ?? this.heap.alloc(slot.bytes);
    if (owned === null) slot.ticket.slot = slot;
    if (slot.host !== null) this.bytesOf(slot).set(slot.host);
    slot.host = null;
  }

  /** What is in memory on the device. */
  bytesOf(slot: Slot): Uint8Array {
    return slot.owned ?? this.heap.view(slot.at, slot.bytes);
  }

  /** Gives the device memory back; what was in it is gone. */
  leave(slot: Slot): void {
    const list = this.listOf(slot);
    if (list.delete(slot) && list === this.large) this.largeBytes -= slot.bytes;
    if (slot.at !== AWAY) this.heap.release(slot.at, slot.owned);
    slot.owned = null;
    slot.at = AWAY;
    slot.ticket.slot = null;
  }

  private toHost(slot: Slot): void {
    slot.host = this.bytesOf(slot).slice();
    this.leave(slot);
  }

  /** After a run: moves what is old to the host. */
  sweep(): void {
    this.runs++;
    for (const slot of this.medium) {
      if (slot.usedAt > this.runs - OLD_RUNS) break;
      this.toHost(slot);
    }
    for (const slot of this.large) {
      if (this.largeBytes <= BUDGET_BYTES || slot.usedAt >= this.runs - 1) break;
      this.toHost(slot);
    }
  }
}

/** An array on the device or, when small or long unused, on the host. */
export class DeviceValue {
  readonly shape: readonly number[];
  readonly dtype: DType;
  readonly bytes: number;
  private readonly residents: Residents;
  private readonly slot: Slot;
  private gone = false;

  constructor(residents: Residents, shape: readonly number[], dtype: DType) {
    this.residents = residents;
    this.shape = shape;
    this.dtype = dtype;
    this.bytes = sizeOf(shape) * bytesOf(dtype);
    this.slot = residents.slotFor(this);
  }

  get small(): boolean {
    return this.bytes <= SMALL_BYTES;
  }

  private check(): void {
    if (this.gone) {
      throw new TraceError(
        `This tensor (${this.dtype} ${showShape(this.shape)}) was disposed: it has no value any more.`,
      );
    }
  }

  /** The bytes of a small value, on the host. */
  view(): Uint8Array<ArrayBuffer> {
    this.check();
    return (this.slot.host ??= new Uint8Array(this.bytes));
  }

  /** The address of a value that is not small: brought back to the device if it had left. */
  address(): number {
    this.check();
    return this.residents.enter(this.slot);
  }

  /** Where the bytes are now, without moving them. */
  private where(): Uint8Array {
    this.check();
    return this.slot.at === AWAY ? (this.slot.host ?? this.view()) : this.residents.bytesOf(this.slot);
  }

  read(): TypedArray {
    return hostArray(this.dtype, sizeOf(this.shape), this.where().slice().buffer);
  }

  write(data: TypedArray): void {
    this.check();
    if (data.length !== sizeOf(this.shape)) {
      throw new ValueError(`[write] ${sizeOf(this.shape)} elements, got ${data.length}.`);
    }
    if (!this.small) this.address();
    const bytes = this.small ? this.view() : this.where();
    // Bools are stored as 0 and 1, whatever they came as.
    if (this.dtype === "bool") for (let i = 0; i < data.length; i++) bytes[i] = data[i] === 0 ? 0 : 1;
    else hostArray(this.dtype, data.length, bytes.buffer, bytes.byteOffset).set(data);
  }

  dispose(): void {
    if (this.gone) return;
    this.residents.leave(this.slot);
    this.residents.tracker?.forget(this);
    this.slot.host = null;
    this.gone = true;
  }
}
