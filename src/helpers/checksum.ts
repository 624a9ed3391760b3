// One's-complement sums, as headers' checksums are made of. A `wsum` is an unfolded 32-bit sum, a `sum16` a folded 16-bit word, both read little-endian
// from network bytes (the sum doesn't care, as RFC 1071 section 2 shows).
// Invariant: all results are unsigned. Source: RFC 1071, RFC 1624; include/net/checksum.h for which of the two zeros comes out.

import type { KernelMemory } from '../vm/memory.ts';

const wrap32 = (sum: number): number => (sum > 0xffff_ffff ? sum - 0xffff_ffff : sum);

/** Sum of two wsums, with the carry brought round. */
export const csumAdd = (a: number, b: number): number => wrap32(a + b);

/** One's complement of 32 bits. */
export const not32 = (sum: number): number => ~sum >>> 0;

/** a less b: a plus b's complement. */
export const csumSub = (a: number, b: number): number => csumAdd(a, not32(b));

/** A wsum brought down to 16 bits, not complemented. */
export function fold16(sum: number): number {
  const once = (sum & 0xffff) + (sum >>> 16);
  return (once & 0xffff) + (once >>> 16);
}

/** The checksum word of a wsum. */
export const csumFold = (sum: number): number => ~fold16(sum) & 0xffff;

/**
 * Sum of bytes on top of `sum`, taken as little-endian 32-bit words, the last one filled up with zeros. Words of 32 bits and not 16: a
 * sum that is complemented later must be the same number modulo 2^32 - 1 as the kernel's, not only modulo 2^16 - 1.
 */
export function csumPartial(memory: KernelMemory, start: number, length: number, sum: number): number {
  const { view } = memory;
  const whole = length & ~3;
  let total = sum;
  for (let at = 0; at < whole; at += 4) total += view.getUint32(start + at, true);
  for (let at = whole; at < length; at++) total += view.getUint8(start + at) * 2 ** (8 * (at - whole));
  while (total > 0xffff_ffff) total = (total % 0x1_0000_0000) + Math.floor(total / 0x1_0000_0000);
  return total;
}

/** A sum16 after its data changed by `diff` (a wsum of new minus old). */
export const replaceByDiff = (check: number, diff: number): number => csumFold(csumAdd(diff, ~check >>> 0));

/** A sum16 after a 32-bit word of its data changed. */
export const replace4 = (check: number, from: number, to: number): number => csumFold(csumAdd(csumSub(~check >>> 0, from), to));

const add16 = (a: number, b: number): number => (a + b > 0xffff ? a + b - 0xffff : a + b);

/** A sum16 after a 16-bit word of its data changed. */
export const replace2 = (check: number, from: number, to: number): number =>
  ~add16(add16(~check & 0xffff, ~from & 0xffff), to) & 0xffff;
