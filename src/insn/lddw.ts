// The 64-bit immediate load: two slots, one value, and seven meanings of it (`src`).
// Invariant: full = next.imm << 32 | imm, both unsigned.
// Source: RFC 9669 section 5.4.

import { u64 } from '../util/u64.ts';
import { LDDW_CODE } from './fields.ts';
import type { Insn } from './insn.ts';

/** The 64-bit immediate, unsigned; a missing second slot counts as 0. */
export const fullImm = (insn: Insn, next: Insn | undefined): bigint =>
  (BigInt((next?.imm ?? 0) >>> 0) << 32n) | BigInt(insn.imm >>> 0);

/** The two slots of a 64-bit immediate load with the given halves (each wraps to 32 bits). */
export const lddwInsns = (dst: number, src: number, imm: number, nextImm: number): [Insn, Insn] => [
  { code: LDDW_CODE, dst, src, off: 0, imm: imm | 0 },
  { code: 0, dst: 0, src: 0, off: 0, imm: nextImm | 0 },
];

/** The two slots of a load of a plain 64-bit value (wraps to 64 bits). */
export function ldImm64(dst: number, value: bigint): [Insn, Insn] {
  const bits = u64(value);
  return lddwInsns(dst, 0, Number(bits & 0xffff_ffffn), Number(bits >> 32n));
}
