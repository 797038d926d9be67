// A growing byte buffer with the integer encodings of WebAssembly.

export class Bytes {
  private buf: Uint8Array = new Uint8Array(1024);
  private view: DataView = new DataView(this.buf.buffer);
  length = 0;

  private room(n: number): void {
    if (this.length + n <= this.buf.length) return;
    const next = new Uint8Array(Math.max(this.buf.length * 2, this.length + n));
    next.set(this.buf.subarray(0, this.length));
    this.buf = next;
    this.view = new DataView(next.buffer);
  }
  u8(x: number): this {
    if (this.length === this.buf.length) this.room(1);
    this.buf[this.length++] = x;
    return this;
  }
  /** Unsigned LEB128 of a 32-bit number. */
  uleb(x: number): this {
    if (x >= 0 && x < 0x80) return this.u8(x);
    this.room(5);
    let v = x >>> 0;
    while (v > 0x7f) {
      this.buf[this.length++] = (v & 0x7f) | 0x80;
      v >>>= 7;
    }
    this.buf[this.length++] = v;
    return this;
  }
  /** Signed LEB128 of a 32-bit number. */
  sleb(x: number): this {
    this.room(5);
    let v = x | 0;
    for (;;) {
      const b = v & 0x7f;
      v >>= 7;
      if ((v === 0 && (b & 0x40) === 0) || (v === -1 && (b & 0x40) !== 0)) {
        this.buf[this.length++] = b;
        return this;
      }
      this.buf[this.length++] = b | 0x80;
    }
  }
  f32(x: number): this {
    this.room(4);
    this.view.setFloat32(this.length, x, true);
    this.length += 4;
    return this;
  }
  f64(x: number): this {
    this.room(8);
    this.view.setFloat64(this.length, x, true);
    this.length += 8;
    return this;
  }
  i32(x: number): this {
    this.room(4);
    this.view.setInt32(this.length, x, true);
    this.length += 4;
    return this;
  }
  raw(x: Uint8Array | readonly number[]): this {
    this.room(x.length);
    this.buf.set(x, this.length);
    this.length += x.length;
    return this;
  }
  str(s: string): this {
    const b = new TextEncoder().encode(s);
    return this.uleb(b.length).raw(b);
  }
  /** A section or function body: its length, then its bytes. */
  sized(x: Bytes): this {
    return this.uleb(x.length).raw(x.done());
  }
  done(): Uint8Array {
    return this.buf.subarray(0, this.length);
  }
}
