/** Event files as TensorBoard reads them: TFRecords of the protobuf message tensorflow.Event. */

/** One number under a tag. */
export interface ScalarValue {
  readonly tag: string;
  readonly value: number;
}

/** Counts of values between limits: `counts[i]` of those up to `limits[i]`. */
export interface HistogramValue {
  readonly tag: string;
  readonly min: number;
  readonly max: number;
  readonly count: number;
  readonly sum: number;
  readonly sumOfSquares: number;
  readonly limits: readonly number[];
  readonly counts: readonly number[];
}

/** One event of TensorBoard's files. */
export interface EventRecord {
  /** Seconds since 1970. */
  readonly wallTime: number;
  readonly step?: number;
  /** Of the first event of a file: "brain.Event:2". */
  readonly fileVersion?: string;
  readonly scalars?: readonly ScalarValue[];
  readonly histograms?: readonly HistogramValue[];
}

const CRC_TABLE = /* @__PURE__ */ Int32Array.from({ length: 256 }, (_, n) => {
  let c = n;
  for (let k = 0; k < 8; k++) c = c & 1 ? (c >>> 1) ^ 0x82f63b78 : c >>> 1;
  return c;
});

/**
 * CRC-32C (Castagnoli, reflected polynomial 0x82f63b78). `crc32c` of the text "123456789" is 0xe3069283.
 *
 * @example crc32c(new TextEncoder().encode("123456789")).toString(16); // → "e3069283"
 */
export function crc32c(bytes: Uint8Array): number {
  let c = -1;
  for (const b of bytes) c = CRC_TABLE[(c ^ b) & 255] ^ (c >>> 8);
  return ~c >>> 0;
}

/** A protobuf message being written. */
class Message {
  private readonly bytes: number[] = [];

  private varint(n: number): void {
    let rest = n;
    for (; rest > 127; rest = Math.floor(rest / 128)) this.bytes.push((rest % 128) | 128);
    this.bytes.push(rest);
  }

  /** Field numbers with their wire types: 0 varint, 1 eight bytes, 2 with a length, 5 four bytes. */
  int(field: number, value: number): this {
    this.varint(field * 8);
    this.varint(value);
    return this;
  }

  double(field: number, value: number): this {
    this.varint(field * 8 + 1);
    this.bytes.push(...new Uint8Array(Float64Array.of(value).buffer));
    return this;
  }

  float(field: number, value: number): this {
    this.varint(field * 8 + 5);
    this.bytes.push(...new Uint8Array(Float32Array.of(value).buffer));
    return this;
  }

  block(field: number, value: Uint8Array): this {
    this.varint(field * 8 + 2);
    this.varint(value.length);
    for (const b of value) this.bytes.push(b);
    return this;
  }

  text = (field: number, value: string): this => this.block(field, new TextEncoder().encode(value));
  doubles = (field: number, values: readonly number[]): this =>
    this.block(field, new Uint8Array(Float64Array.from(values).buffer));

  done(): Uint8Array {
    return Uint8Array.from(this.bytes);
  }
}

function histogram(h: HistogramValue): Uint8Array {
  return new Message()
    .double(1, h.min)
    .double(2, h.max)
    .double(3, h.count)
    .double(4, h.sum)
    .double(5, h.sumOfSquares)
    .doubles(6, h.limits)
    .doubles(7, h.counts)
    .done();
}

/**
 * The message tensorflow.Event.
 *
 * @example
 * const record = encodeRecord(encodeEvent({ wallTime: 0, step: 1, scalars: [{ tag: "loss", value: 0.5 }] }));
 */
export function encodeEvent(event: EventRecord): Uint8Array {
  const out = new Message().double(1, event.wallTime);
  if (event.step !== undefined) out.int(2, event.step);
  if (event.fileVersion !== undefined) return out.text(3, event.fileVersion).done();
  const summary = new Message();
  for (const { tag, value } of event.scalars ?? []) summary.block(1, new Message().text(1, tag).float(2, value).done());
  for (const h of event.histograms ?? []) summary.block(1, new Message().text(1, h.tag).block(5, histogram(h)).done());
  return out.block(5, summary.done()).done();
}

/**
 * A TFRecord: length, its checksum, the bytes, their checksum.
 *
 * @example encodeRecord(Uint8Array.of(1, 2, 3)).length; // → 19
 */
export function encodeRecord(data: Uint8Array): Uint8Array {
  const out = new Uint8Array(data.length + 16);
  const view = new DataView(out.buffer);
  const masked = (bytes: Uint8Array): number => {
    const c = crc32c(bytes);
    return (((c >>> 15) | (c << 17)) + 0xa282ead8) >>> 0;
  };
  view.setUint32(0, data.length, true);
  view.setUint32(4, Math.floor(data.length / 2 ** 32), true);
  view.setUint32(8, masked(out.subarray(0, 8)), true);
  out.set(data, 12);
  view.setUint32(12 + data.length, masked(data), true);
  return out;
}
