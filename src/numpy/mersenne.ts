/** The Mersenne Twister MT19937 (Matsumoto & Nishimura 1998) with the draws of NumPy's RandomState: one seed, the same numbers. */
export class Mersenne {
  private readonly words: Uint32Array = new Uint32Array(624);
  private at = 624;
  /** The second of a pair of normal numbers. */
  private spare: number | null = null;

  constructor(seed: number) {
    const { words } = this;
    words[0] = seed;
    for (let i = 1; i < 624; i++) words[i] = Math.imul(1812433253, words[i - 1] ^ (words[i - 1] >>> 30)) + i;
  }

  private refill(): void {
    const { words } = this;
    for (let i = 0; i < 624; i++) {
      const y = (words[i] & 0x80000000) | (words[(i + 1) % 624] & 0x7fffffff);
      words[i] = words[(i + 397) % 624] ^ (y >>> 1) ^ ((y & 1) === 1 ? 0x9908b0df : 0);
    }
    this.at = 0;
  }

  /** 32 bits. */
  word(): number {
    if (this.at === 624) this.refill();
    let y = this.words[this.at++];
    y ^= y >>> 11;
    y ^= (y << 7) & 0x9d2c5680;
    y ^= (y << 15) & 0xefc60000;
    return (y ^ (y >>> 18)) >>> 0;
  }

  /** 0 ≤ x < 1 with 53 bits. */
  uniform(): number {
    const [high, low] = [this.word() >>> 5, this.word() >>> 6];
    return (high * 67108864 + low) / 9007199254740992;
  }

  /** Standard normal, by Marsaglia's polar method. */
  normal(): number {
    if (this.spare !== null) {
      const kept = this.spare;
      this.spare = null;
      return kept;
    }
    for (;;) {
      const [x, y] = [2 * this.uniform() - 1, 2 * this.uniform() - 1];
      const r2 = x * x + y * y;
      if (r2 >= 1 || r2 === 0) continue;
      const f = Math.sqrt((-2 * Math.log(r2)) / r2);
      this.spare = f * x;
      return f * y;
    }
  }

  /** A whole number in 0..most, by masks and rejection; most < 2³². */
  below(most: number): number {
    if (most === 0) return 0;
    const mask = 0xffffffff >>> Math.clz32(most);
    for (;;) {
      const value = (this.word() & mask) >>> 0;
      if (value <= most) return value;
    }
  }
}
