// 64-bit arithmetic on bigint: wrapping and sign conversions that BPF semantics need.
// Invariant: a `u64` is 0n … 2^64-1, an `s64` is -2^63 … 2^63-1.

export const U64_MAX = 0xffff_ffff_ffff_ffffn;
export const S64_MIN = -0x8000_0000_0000_0000n;
export const S64_MAX = 0x7fff_ffff_ffff_ffffn;
export const U32_MAX = 0xffff_ffff;
export const S32_MIN = -0x8000_0000;
export const S32_MAX = 0x7fff_ffff;

/** Wraps to 64 bits, unsigned. */
export const u64 = (value: bigint): bigint => BigInt.asUintN(64, value);
/** Wraps to 64 bits, signed. */
export const s64 = (value: bigint): bigint => BigInt.asIntN(64, value);
/** The low 32 bits, unsigned, as a number. */
export const lo32 = (value: bigint): number => Number(BigInt.asUintN(32, value));
/** The high 32 bits, unsigned, as a number. */
export const hi32 = (value: bigint): number => Number(BigInt.asUintN(32, value >> 32n));
/** A 64-bit value from two unsigned 32-bit halves. */
export const fromHalves = (lo: number, hi: number): bigint => (BigInt(hi >>> 0) << 32n) | BigInt(lo >>> 0);
