// Tristate numbers: what is known of each bit of a 64-bit word, as (value, mask), a set mask bit meaning "unknown".
// Invariant: value & mask is 0, and every operation's result contains each concrete result of members of its operands (tnum.test.ts).
// Operations take words and leave a two-word result in `tn`, so that no instruction allocates an object.
// Source: behaviour of kernel/bpf/tnum.c, Linux 6.18; the algorithms are described in Vishwanathan et al., "Sound, precise, and fast abstract interpretation with tristate numbers", CGO 2022.

import { U64_MAX } from '../util/u64.ts';

/** The result of the last tnum operation: read it before the next one. */
export const tn: { value: bigint; mask: bigint } = { value: 0n, mask: 0n };

const LOW32 = 0xffff_ffffn;
const HIGH32 = 0xffff_ffff_0000_0000n;

function set(value: bigint, mask: bigint): void {
  tn.value = value;
  tn.mask = mask;
}

/** Number of bits needed to write `word` (0–64): the kernel's fls64. */
export function bitLength(word: bigint): number {
  const high = Number(word >> 32n);
  return high === 0 ? 32 - Math.clz32(Number(word & LOW32)) : 64 - Math.clz32(high);
}

/** Exactly `value`. */
export function tnumConst(value: bigint): void {
  set(value, 0n);
}

/** The smallest tnum that contains the unsigned range [min, max]. */
export function tnumRange(min: bigint, max: bigint): void {
  const bits = bitLength(min ^ max);
  if (bits > 63) return set(0n, U64_MAX);
  const delta = (1n << BigInt(bits)) - 1n;
  set(min & ~delta & U64_MAX, delta);
}

/** a << shift, shift 0–63. */
export function tnumLshift(av: bigint, am: bigint, shift: bigint): void {
  set(BigInt.asUintN(64, av << shift), BigInt.asUintN(64, am << shift));
}

/** a >> shift, logical, shift 0–63. */
export function tnumRshift(av: bigint, am: bigint, shift: bigint): void {
  set(av >> shift, am >> shift);
}

/** a >> shift, arithmetic, on the low `bits` (32 or 64); a 32-bit result is zero-extended. */
export function tnumArshift(av: bigint, am: bigint, shift: bigint, bits: 32 | 64): void {
  set(BigInt.asUintN(bits, BigInt.asIntN(bits, av) >> shift), BigInt.asUintN(bits, BigInt.asIntN(bits, am) >> shift));
}

/** a + b: the carries that can differ are the bits in which the sums of minima and of maxima differ. */
export function tnumAdd(av: bigint, am: bigint, bv: bigint, bm: bigint): void {
  const minimum = BigInt.asUintN(64, av + bv);
  const maximum = BigInt.asUintN(64, minimum + am + bm);
  const unknown = (minimum ^ maximum) | am | bm;
  set(minimum & ~unknown, unknown);
}

/** a - b. */
export function tnumSub(av: bigint, am: bigint, bv: bigint, bm: bigint): void {
  const difference = BigInt.asUintN(64, av - bv);
  const highest = BigInt.asUintN(64, difference + am);
  const lowest = BigInt.asUintN(64, difference - bm);
  const unknown = (highest ^ lowest) | am | bm;
  set(difference & ~unknown, unknown);
}

/** -a. */
export function tnumNeg(av: bigint, am: bigint): void {
  tnumSub(0n, 0n, av, am);
}

/** a & b. */
export function tnumAnd(av: bigint, am: bigint, bv: bigint, bm: bigint): void {
  const value = av & bv;
  set(value, (av | am) & (bv | bm) & ~value);
}

/** a | b. */
export function tnumOr(av: bigint, am: bigint, bv: bigint, bm: bigint): void {
  const value = av | bv;
  set(value, (am | bm) & ~value);
}

/** a ^ b. */
export function tnumXor(av: bigint, am: bigint, bv: bigint, bm: bigint): void {
  const unknown = am | bm;
  set((av ^ bv) & ~unknown, unknown);
}

/** The smallest tnum that contains both a and b. */
export function tnumUnion(av: bigint, am: bigint, bv: bigint, bm: bigint): void {
  const unknown = (av ^ bv) | am | bm;
  set(av & bv & ~unknown, unknown);
}

/** Members of both a and b; where they contradict each other in a bit, that bit becomes a known 1. */
export function tnumIntersect(av: bigint, am: bigint, bv: bigint, bm: bigint): void {
  const unknown = am & bm;
  set((av | bv) & ~unknown, unknown);
}

/**
 * a * b by long multiplication over a's bits: a known 1 adds the shifted b, an unknown bit gives the union of adding it and not
 * (the precision of Linux 6.18; before it partial products were added as fully unknown).
 */
export function tnumMul(av: bigint, am: bigint, bv: bigint, bm: bigint): void {
  let sumValue = 0n;
  let sumMask = 0n;
  while ((av | am) !== 0n) {
    if ((av & 1n) !== 0n) {
      tnumAdd(sumValue, sumMask, bv, bm);
      sumValue = tn.value;
      sumMask = tn.mask;
    } else if ((am & 1n) !== 0n) {
      tnumAdd(sumValue, sumMask, bv, bm);
      tnumUnion(sumValue, sumMask, tn.value, tn.mask);
      sumValue = tn.value;
      sumMask = tn.mask;
    }
    av >>= 1n;
    am >>= 1n;
    bv = BigInt.asUintN(64, bv << 1n);
    bm = BigInt.asUintN(64, bm << 1n);
  }
  set(sumValue, sumMask);
}

/** The low `sizeBytes` (1–8) of a, zero-extended. */
export function tnumCast(av: bigint, am: bigint, sizeBytes: number): void {
  set(BigInt.asUintN(sizeBytes * 8, av), BigInt.asUintN(sizeBytes * 8, am));
}

/** The low `sizeBytes` (2, 4 or 8) of a in reverse order, zero-extended. */
export function tnumBswap(av: bigint, am: bigint, sizeBytes: number): void {
  set(reverseBytes(av, sizeBytes), reverseBytes(am, sizeBytes));
}

function reverseBytes(word: bigint, sizeBytes: number): bigint {
  let reversed = 0n;
  for (let i = 0; i < sizeBytes; i++) {
    reversed = (reversed << 8n) | (word & 0xffn);
    word >>= 8n;
  }
  return reversed;
}

/** The high half of `reg` with the low half of `sub`. */
export function tnumWithSubreg(regValue: bigint, regMask: bigint, subValue: bigint, subMask: bigint): void {
  set((regValue & HIGH32) | (subValue & LOW32), (regMask & HIGH32) | (subMask & LOW32));
}

/** True when a and b may have a member in common: no bit is known and different. */
export function tnumOverlap(av: bigint, am: bigint, bv: bigint, bm: bigint): boolean {
  return ((av ^ bv) & ~(am | bm)) === 0n;
}

/** True when every member of b is one of a. */
export function tnumIn(av: bigint, am: bigint, bv: bigint, bm: bigint): boolean {
  return (bm & ~am) === 0n && (bv & ~am) === av;
}

/** The smallest member above `after`; the largest member when there is none. */
export function tnumStep(value: bigint, mask: bigint, after: bigint): bigint {
  const largest = value | mask;
  if (after >= largest) return largest;
  if (after < value) return value;
  const from = after + 1n;
  const nearest = value | (from & mask);
  if (nearest === from) return nearest;
  const below = (1n << BigInt(bitLength(nearest ^ from))) - 1n;
  // Above the highest bit in which they differ `nearest` agrees with `from`: it is larger, with free bits below to clear, or the free bits above count up.
  if (nearest > from) return nearest & ~(below & mask);
  return value | (((nearest | ~mask | below) + 1n) & mask);
}

/** True when every member is a multiple of `size`, a power of two (0 counts as 1). */
export function tnumIsAligned(av: bigint, am: bigint, size: bigint): boolean {
  return size === 0n || ((av | am) & (size - 1n)) === 0n;
}

/** The kernel's `%#llx`: lower-case hexadecimal of the 64-bit word, zero as "0x0". */
export const hex64 = (word: bigint): string => `0x${BigInt.asUintN(64, word).toString(16)}`;

/** As the kernel prints it: `(0x0; 0xff)`, a constant as decimal up to 65535 and hexadecimal above. */
export function tnumString(value: bigint, mask: bigint): string {
  if (mask === 0n) return value <= 0xffffn ? value.toString() : hex64(value);
  return `(${hex64(value)}; ${hex64(mask)})`;
}
