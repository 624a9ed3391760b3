// What arithmetic does to a scalar's tnum and bounds: one 64-bit and one 32-bit range function per operation.
// Invariant: the result contains every concrete result (check-alu.test.ts); `src` is never the register that is written.
// How tight each range is decides what a program may do, so it follows Linux 6.18 (scalar_min_max_* and scalar32_min_max_*).

import { BPF_ADD, BPF_AND, BPF_ARSH, BPF_LSH, BPF_MUL, BPF_NEG, BPF_OR, BPF_RSH, BPF_SUB, BPF_XOR } from '../spec/opcodes.ts';
import { S32_MAX, S32_MIN, S64_MAX, S64_MIN, U32_MAX, U64_MAX } from '../util/u64.ts';
import { markReg32Unbounded, markReg64Unbounded, setVarOff, updateReg32Bounds, updateRegBounds } from './bounds.ts';
import { markReg32Known, markRegKnown } from './mark-reg.ts';
import { RegState } from './reg-state.ts';
import { tnumAdd, tnumAnd, tnumArshift, tnumLshift, tnumMul, tnumNeg, tnumOr, tnumRshift, tnumSub, tnumXor } from './tnum.ts';

const LOW32 = 0xffff_ffffn;

/** A range operation: narrows or widens `dst` to what `dst op src` can be. */
export type RangeOp = (dst: RegState, src: RegState) => void;

const isConst = (reg: RegState): boolean => reg.varMask === 0n;
const isSubregConst = (reg: RegState): boolean => (reg.varMask & LOW32) === 0n;

// Addition and subtraction.

/** 32-bit bounds of a sum. */
export function add32(dst: RegState, src: RegState): void {
  setSigned32(dst, dst.s32MinValue + src.s32MinValue, dst.s32MaxValue + src.s32MaxValue);
  const min = dst.u32MinValue + src.u32MinValue;
  const max = dst.u32MaxValue + src.u32MaxValue;
  setUnsigned32(dst, min, max, min <= U32_MAX && max > U32_MAX);
}

/** 64-bit bounds of a sum. */
export function add64(dst: RegState, src: RegState): void {
  setSigned64(dst, dst.sminValue + src.sminValue, dst.smaxValue + src.smaxValue);
  const min = dst.uminValue + src.uminValue;
  const max = dst.umaxValue + src.umaxValue;
  setUnsigned64(dst, min, max, min <= U64_MAX && max > U64_MAX);
}

function sub32(dst: RegState, src: RegState): void {
  setSigned32(dst, dst.s32MinValue - src.s32MaxValue, dst.s32MaxValue - src.s32MinValue);
  const min = dst.u32MinValue - src.u32MaxValue;
  const max = dst.u32MaxValue - src.u32MinValue;
  setUnsigned32(dst, min, max, min < 0 && max >= 0);
}

function sub64(dst: RegState, src: RegState): void {
  setSigned64(dst, dst.sminValue - src.smaxValue, dst.smaxValue - src.sminValue);
  const min = dst.uminValue - src.umaxValue;
  const max = dst.umaxValue - src.uminValue;
  setUnsigned64(dst, min, max, min < 0n && max >= 0n);
}

/** The exact range [min, max], or everything when an end doesn't fit. */
function setSigned32(dst: RegState, min: number, max: number): void {
  const fits = min >= S32_MIN && min <= S32_MAX && max >= S32_MIN && max <= S32_MAX;
  dst.s32MinValue = fits ? min : S32_MIN;
  dst.s32MaxValue = fits ? max : S32_MAX;
}

function setSigned64(dst: RegState, min: bigint, max: bigint): void {
  const fits = min >= S64_MIN && min <= S64_MAX && max >= S64_MIN && max <= S64_MAX;
  dst.sminValue = fits ? min : S64_MIN;
  dst.smaxValue = fits ? max : S64_MAX;
}

/** Wraps both ends; `split` says that only one of them wrapped, so that nothing is known. Stores wrap by themselves. */
function setUnsigned32(dst: RegState, min: number, max: number, split: boolean): void {
  dst.u32MinValue = split ? 0 : min;
  dst.u32MaxValue = split ? U32_MAX : max;
}

function setUnsigned64(dst: RegState, min: bigint, max: bigint, split: boolean): void {
  dst.uminValue = split ? 0n : BigInt.asUintN(64, min);
  dst.umaxValue = split ? U64_MAX : BigInt.asUintN(64, max);
}

function addOp(dst: RegState, src: RegState): void {
  add32(dst, src);
  add64(dst, src);
  tnumAdd(dst.varValue, dst.varMask, src.varValue, src.varMask);
  setVarOff(dst);
}

function subOp(dst: RegState, src: RegState): void {
  sub32(dst, src);
  sub64(dst, src);
  tnumSub(dst.varValue, dst.varMask, src.varValue, src.varMask);
  setVarOff(dst);
}

const negated = new RegState();

/** 0 - dst; `src` is not looked at. Particulars and id are cleared. */
function negOp(dst: RegState): void {
  negated.copyFrom(dst);
  markRegKnown(dst, 0n);
  sub32(dst, negated);
  sub64(dst, negated);
  tnumNeg(negated.varValue, negated.varMask);
  setVarOff(dst);
}

// Multiplication.

function mul32(dst: RegState, src: RegState): void {
  // Products of two 32-bit numbers need 64 bits: bigint.
  const umax = BigInt(dst.u32MaxValue) * BigInt(src.u32MaxValue);
  const fits = umax <= LOW32;
  dst.u32MinValue = fits ? dst.u32MinValue * src.u32MinValue : 0;
  dst.u32MaxValue = fits ? Number(umax) : U32_MAX;
  const a = dst.s32MinValue;
  const b = dst.s32MaxValue;
  const c = src.s32MinValue;
  const d = src.s32MaxValue;
  // Exact below 2^53, and compared with 2^31 only.
  setSigned32(dst, Math.min(a * c, a * d, b * c, b * d), Math.max(a * c, a * d, b * c, b * d));
}

function mul64(dst: RegState, src: RegState): void {
  const umax = dst.umaxValue * src.umaxValue;
  const fits = umax <= U64_MAX;
  dst.uminValue = fits ? dst.uminValue * src.uminValue : 0n;
  dst.umaxValue = fits ? umax : U64_MAX;
  let min = dst.sminValue * src.sminValue;
  let max = min;
  for (const product of [dst.sminValue * src.smaxValue, dst.smaxValue * src.sminValue, dst.smaxValue * src.smaxValue]) {
    if (product < min) min = product;
    if (product > max) max = product;
  }
  setSigned64(dst, min, max);
}

function mulOp(dst: RegState, src: RegState): void {
  tnumMul(dst.varValue, dst.varMask, src.varValue, src.varMask);
  setVarOff(dst);
  mul32(dst, src);
  mul64(dst, src);
}

// Bitwise operations: the tnum is exact about bits, the bounds follow it.

/** Signed bounds from unsigned ones where these don't cross the sign. */
function signedFromUnsigned32(dst: RegState): void {
  const min = dst.u32MinValue | 0;
  const max = dst.u32MaxValue | 0;
  dst.s32MinValue = min <= max ? min : S32_MIN;
  dst.s32MaxValue = min <= max ? max : S32_MAX;
}

function signedFromUnsigned64(dst: RegState): void {
  const min = BigInt.asIntN(64, dst.uminValue);
  const max = BigInt.asIntN(64, dst.umaxValue);
  dst.sminValue = min <= max ? min : S64_MIN;
  dst.smaxValue = min <= max ? max : S64_MAX;
}

/**
 * The frame of and, or, xor: `dst` already has the result's tnum. `bounds32` and `bounds64` set unsigned bounds; a constant result is simply known.
 * Whether both operands were constant is asked of the result's tnum and of `src`, as the kernel does.
 */
function bitwise(dst: RegState, src: RegState, bounds32: RangeOp, bounds64: RangeOp): void {
  if (isSubregConst(src) && isSubregConst(dst)) {
    markReg32Known(dst, Number(dst.varValue & LOW32));
  } else {
    bounds32(dst, src);
    signedFromUnsigned32(dst);
  }
  if (isConst(src) && isConst(dst)) return markRegKnown(dst, dst.varValue);
  bounds64(dst, src);
  signedFromUnsigned64(dst);
  updateRegBounds(dst);
}

function andOp(dst: RegState, src: RegState): void {
  tnumAnd(dst.varValue, dst.varMask, src.varValue, src.varMask);
  setVarOff(dst);
  bitwise(dst, src, andBounds32, andBounds64);
}

const andBounds32: RangeOp = (dst, src) => {
  dst.u32MinValue = Number(dst.varValue & LOW32);
  if (src.u32MaxValue < dst.u32MaxValue) dst.u32MaxValue = src.u32MaxValue;
};
const andBounds64: RangeOp = (dst, src) => {
  dst.uminValue = dst.varValue;
  if (src.umaxValue < dst.umaxValue) dst.umaxValue = src.umaxValue;
};

function orOp(dst: RegState, src: RegState): void {
  tnumOr(dst.varValue, dst.varMask, src.varValue, src.varMask);
  setVarOff(dst);
  bitwise(dst, src, orBounds32, orBounds64);
}

const orBounds32: RangeOp = (dst, src) => {
  if (src.u32MinValue > dst.u32MinValue) dst.u32MinValue = src.u32MinValue;
  dst.u32MaxValue = Number((dst.varValue | dst.varMask) & LOW32);
};
const orBounds64: RangeOp = (dst, src) => {
  if (src.uminValue > dst.uminValue) dst.uminValue = src.uminValue;
  dst.umaxValue = dst.varValue | dst.varMask;
};

function xorOp(dst: RegState, src: RegState): void {
  tnumXor(dst.varValue, dst.varMask, src.varValue, src.varMask);
  setVarOff(dst);
  bitwise(dst, src, xorBounds32, xorBounds64);
}

const xorBounds32: RangeOp = (dst) => {
  dst.u32MinValue = Number(dst.varValue & LOW32);
  dst.u32MaxValue = Number((dst.varValue | dst.varMask) & LOW32);
};
const xorBounds64: RangeOp = (dst) => {
  dst.uminValue = dst.varValue;
  dst.umaxValue = dst.varValue | dst.varMask;
};

// Shifts by a constant that is less than the width: the caller has made sure.

function lsh32Bounds(dst: RegState, shift: number): void {
  dst.s32MinValue = S32_MIN;
  dst.s32MaxValue = S32_MAX;
  if (shift > 31 || dst.u32MaxValue > 2 ** (31 - shift)) {
    dst.u32MinValue = 0;
    dst.u32MaxValue = U32_MAX;
  } else {
    dst.u32MinValue = dst.u32MinValue * 2 ** shift;
    dst.u32MaxValue = dst.u32MaxValue * 2 ** shift;
  }
}

function lsh32(dst: RegState, src: RegState): void {
  const shift = src.u32MinValue;
  lsh32Bounds(dst, shift);
  tnumLshift(dst.varValue & LOW32, dst.varMask & LOW32, BigInt(shift));
  setVarOff(dst);
  dst.varValue &= LOW32;
  dst.varMask &= LOW32;
  markReg64Unbounded(dst);
  updateReg32Bounds(dst);
}

function lsh64(dst: RegState, src: RegState): void {
  const shift = src.uminValue;
  // `<< 32 s>> 32` is how compilers sign-extend: keep the low half's signed bounds.
  dst.smaxValue = shift === 32n ? BigInt(dst.s32MaxValue) << 32n : S64_MAX;
  dst.sminValue = shift === 32n ? BigInt(dst.s32MinValue) << 32n : S64_MIN;
  if (dst.umaxValue > 1n << (63n - shift)) {
    dst.uminValue = 0n;
    dst.umaxValue = U64_MAX;
  } else {
    dst.uminValue <<= shift;
    dst.umaxValue <<= shift;
  }
  lsh32Bounds(dst, Number(shift));
  tnumLshift(dst.varValue, dst.varMask, shift);
  setVarOff(dst);
  updateRegBounds(dst);
}

function rsh32(dst: RegState, src: RegState): void {
  const shift = src.u32MinValue;
  dst.s32MinValue = S32_MIN;
  dst.s32MaxValue = S32_MAX;
  tnumRshift(dst.varValue & LOW32, dst.varMask & LOW32, BigInt(shift));
  setVarOff(dst);
  dst.u32MinValue = dst.u32MinValue >>> shift;
  dst.u32MaxValue = dst.u32MaxValue >>> shift;
  markReg64Unbounded(dst);
  updateReg32Bounds(dst);
}

function rsh64(dst: RegState, src: RegState): void {
  const shift = src.uminValue;
  dst.sminValue = S64_MIN;
  dst.smaxValue = S64_MAX;
  tnumRshift(dst.varValue, dst.varMask, shift);
  setVarOff(dst);
  dst.uminValue >>= shift;
  dst.umaxValue >>= shift;
  markReg32Unbounded(dst);
  updateRegBounds(dst);
}

function arsh32(dst: RegState, src: RegState): void {
  const shift = src.u32MinValue;
  dst.s32MinValue = dst.s32MinValue >> shift;
  dst.s32MaxValue = dst.s32MaxValue >> shift;
  tnumArshift(dst.varValue, dst.varMask, BigInt(shift), 32);
  setVarOff(dst);
  dst.u32MinValue = 0;
  dst.u32MaxValue = U32_MAX;
  markReg64Unbounded(dst);
  updateReg32Bounds(dst);
}

function arsh64(dst: RegState, src: RegState): void {
  const shift = src.uminValue;
  dst.sminValue >>= shift;
  dst.smaxValue >>= shift;
  tnumArshift(dst.varValue, dst.varMask, shift, 64);
  setVarOff(dst);
  dst.uminValue = 0n;
  dst.umaxValue = U64_MAX;
  markReg32Unbounded(dst);
  updateRegBounds(dst);
}

const OPS64: ReadonlyMap<number, RangeOp> = new Map<number, RangeOp>([
  [BPF_ADD, addOp], [BPF_SUB, subOp], [BPF_NEG, negOp], [BPF_MUL, mulOp], [BPF_AND, andOp], [BPF_OR, orOp], [BPF_XOR, xorOp],
  [BPF_LSH, lsh64], [BPF_RSH, rsh64], [BPF_ARSH, arsh64],
]);
const OPS32: ReadonlyMap<number, RangeOp> = new Map<number, RangeOp>([...OPS64, [BPF_LSH, lsh32], [BPF_RSH, rsh32], [BPF_ARSH, arsh32]]);

/**
 * The range operation of a BPF_* operation, or undefined where the verifier keeps no ranges: division, modulo, byte swaps, and shifts by anything
 * but a constant below the width.
 */
export function rangeOp(op: number, alu32: boolean, src: RegState): RangeOp | undefined {
  if ((op === BPF_LSH || op === BPF_RSH || op === BPF_ARSH) && !isShiftKnown(alu32, src)) return undefined;
  return (alu32 ? OPS32 : OPS64).get(op);
}

function isShiftKnown(alu32: boolean, src: RegState): boolean {
  if (!alu32) return isConst(src) && src.sminValue === src.smaxValue && src.uminValue === src.umaxValue && src.umaxValue < 64n;
  return isSubregConst(src) && src.s32MinValue === src.s32MaxValue && src.u32MinValue === src.u32MaxValue && src.umaxValue < 32n;
}
