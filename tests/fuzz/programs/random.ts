// A small seeded random source for generators: the same seed gives the same program on every host.
// Source: PCG-like mixing of a 32-bit counter (splitmix32's finaliser).

/** Seeded random numbers; not for anything but tests. */
export class Random {
  #state: number;
  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** Unsigned 32 bits. */
  u32(): number {
    this.#state = (this.#state + 0x9e37_79b9) >>> 0;
    let z = this.#state;
    z = Math.imul(z ^ (z >>> 16), 0x85eb_ca6b);
    z = Math.imul(z ^ (z >>> 13), 0xc2b2_ae35);
    return (z ^ (z >>> 16)) >>> 0;
  }
  /** 0 … limit - 1. */
  below(limit: number): number {
    return this.u32() % limit;
  }
  /** low … high, both included. */
  between(low: number, high: number): number {
    return low + this.below(high - low + 1);
  }
  /** True `percent` times in a hundred. */
  chance(percent: number): boolean {
    return this.below(100) < percent;
  }
  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)] as T;
  }
  /** A signed 32-bit immediate, mostly of the kinds that make edges: small, powers of two, minus one, extremes. */
  imm(): number {
    switch (this.below(8)) {
      case 0: return this.u32() | 0;
      case 1: return this.pick([0x7fff_ffff, -0x8000_0000, -1, 0, 1, 0xffff, 0x8000, 0xff, 0x80]);
      case 2: return (1 << this.below(32)) | 0;
      case 3: return -this.below(300);
      default: return this.below(64);
    }
  }
  bytes(length: number): Uint8Array {
    const bytes = new Uint8Array(length);
    for (let i = 0; i < length; i++) bytes[i] = this.u32();
    return bytes;
  }
}
