// A register's tnum and its eight bounds, kept in step: each deduction moves knowledge between the 64-bit and 32-bit, signed and unsigned views.
// Invariant: a deduction only ever drops values that no concrete register can have (bounds.test.ts); types and ids are not its business.
// Which deductions run, in which order and how often decides what a program may do, so they follow Linux 6.18 (reg_bounds_sync and its parts).

import { EFAULT } from '../spec/errno.ts';
import { S32_MAX, S32_MIN, S64_MAX, S64_MIN, U32_MAX, U64_MAX } from '../util/u64.ts';
import type { RegState } from './reg-state.ts';
import { hex64, tn, tnumIntersect, tnumRange, tnumStep, tnumWithSubreg } from './tnum.ts';

const LOW32 = 0xffff_ffffn;
const S32_MIN64 = -0x8000_0000n;
const S32_MAX64 = 0x7fff_ffffn;

const low = (word: bigint): number => Number(word & LOW32);
const lowSigned = (word: bigint): number => Number(word & LOW32) | 0;

/** Copies the tnum result into the register. */
export function setVarOff(reg: RegState): void {
  reg.varValue = tn.value;
  reg.varMask = tn.mask;
}

/** Forgets all eight bounds; the tnum stays. */
export function markRegUnbounded(reg: RegState): void {
  markReg64Unbounded(reg);
  markReg32Unbounded(reg);
}

/** Forgets the four 64-bit bounds. */
export function markReg64Unbounded(reg: RegState): void {
  reg.sminValue = S64_MIN;
  reg.smaxValue = S64_MAX;
  reg.uminValue = 0n;
  reg.umaxValue = U64_MAX;
}

/** Forgets the four 32-bit bounds. */
export function markReg32Unbounded(reg: RegState): void {
  reg.s32MinValue = S32_MIN;
  reg.s32MaxValue = S32_MAX;
  reg.u32MinValue = 0;
  reg.u32MaxValue = U32_MAX;
}

/** Tightens bounds by the tnum: bits known to be set or clear. */
export function updateRegBounds(reg: RegState): void {
  updateReg32Bounds(reg);
  updateReg64Bounds(reg);
}

/** The 32-bit half of `updateRegBounds`. */
export function updateReg32Bounds(reg: RegState): void {
  const value = low(reg.varValue);
  const mask = low(reg.varMask);
  const signedMin = value | (mask & S32_MIN);
  const signedMax = value | (mask & S32_MAX);
  const unsignedMax = (value | mask) >>> 0;
  if (signedMin > reg.s32MinValue) reg.s32MinValue = signedMin;
  if (signedMax < reg.s32MaxValue) reg.s32MaxValue = signedMax;
  if (value > reg.u32MinValue) reg.u32MinValue = value;
  if (unsignedMax < reg.u32MaxValue) reg.u32MaxValue = unsignedMax;
}

function updateReg64Bounds(reg: RegState): void {
  const value = reg.varValue;
  const mask = reg.varMask;
  const signedMin = BigInt.asIntN(64, value | (mask & 0x8000_0000_0000_0000n));
  const signedMax = BigInt.asIntN(64, value | (mask & 0x7fff_ffff_ffff_ffffn));
  const unsignedMax = value | mask;
  if (signedMin > reg.sminValue) reg.sminValue = signedMin;
  if (signedMax < reg.smaxValue) reg.smaxValue = signedMax;
  if (value > reg.uminValue) reg.uminValue = value;
  if (unsignedMax < reg.umaxValue) reg.umaxValue = unsignedMax;
  adoptOnlyMember(reg, unsignedMax);
}

/** The tnum and the unsigned range may have a single value in common; `tmax` is the tnum's largest member. */
function adoptOnlyMember(reg: RegState, tmax: bigint): void {
  const umin = reg.uminValue;
  const next = tnumStep(reg.varValue, reg.varMask, umin);
  if ((umin & ~reg.varMask) === reg.varValue) {
    if (next > reg.umaxValue) setRegValue(reg, umin);
  } else if (next === tmax) {
    setRegValue(reg, tmax);
  } else if (next <= reg.umaxValue && tnumStep(reg.varValue, reg.varMask, next) > reg.umaxValue) {
    setRegValue(reg, next);
  }
}

/** The value is exactly `imm` (u64 or s64); type, id and the pointer's particulars stay. */
export function setRegValue(reg: RegState, imm: bigint): void {
  const value = BigInt.asUintN(64, imm);
  const signed = BigInt.asIntN(64, imm);
  const half = low(value);
  reg.varValue = value;
  reg.varMask = 0n;
  reg.sminValue = signed;
  reg.smaxValue = signed;
  reg.uminValue = value;
  reg.umaxValue = value;
  reg.s32MinValue = half;
  reg.s32MaxValue = half;
  reg.u32MinValue = half;
  reg.u32MaxValue = half;
}

function clampSigned32(reg: RegState, min: number, max: number): void {
  if (min > reg.s32MinValue) reg.s32MinValue = min;
  if (max < reg.s32MaxValue) reg.s32MaxValue = max;
}

function clampUnsigned32(reg: RegState, min: number, max: number): void {
  if (min > reg.u32MinValue) reg.u32MinValue = min;
  if (max < reg.u32MaxValue) reg.u32MaxValue = max;
}

/**
 * What a 64-bit range [min, max] says of the low half. Equal high halves leave the low halves in order; high halves that follow each other
 * leave them in signed order when the low half goes from negative to not.
 */
function deduceLowHalf(reg: RegState, min: bigint, max: bigint, unsignedAlways: boolean): void {
  const highMin = Number((min >> 32n) & LOW32);
  const highMax = Number((max >> 32n) & LOW32);
  if (highMin !== highMax) return;
  if (unsignedAlways || low(min) <= low(max)) clampUnsigned32(reg, low(min), low(max));
  if (lowSigned(min) <= lowSigned(max)) clampSigned32(reg, lowSigned(min), lowSigned(max));
}

function deduceLowHalfAcross(reg: RegState, min: bigint, max: bigint): void {
  const highMin = Number((min >> 32n) & LOW32);
  const highMax = Number((max >> 32n) & LOW32);
  if ((highMin + 1) >>> 0 === highMax && lowSigned(min) < 0 && lowSigned(max) >= 0) clampSigned32(reg, lowSigned(min), lowSigned(max));
}

/** 64-bit bounds → 32-bit bounds, then signed ↔ unsigned within 32 bits. */
function deduce32(reg: RegState): void {
  deduceLowHalf(reg, reg.uminValue, reg.umaxValue, true);
  deduceLowHalf(reg, reg.sminValue, reg.smaxValue, false);
  deduceLowHalfAcross(reg, reg.uminValue, reg.umaxValue);
  deduceLowHalfAcross(reg, reg.sminValue, reg.smaxValue);
  if ((reg.u32MinValue | 0) <= (reg.u32MaxValue | 0)) clampSigned32(reg, reg.u32MinValue | 0, reg.u32MaxValue | 0);
  const sminUnsigned = reg.s32MinValue >>> 0;
  const smaxUnsigned = reg.s32MaxValue >>> 0;
  if (sminUnsigned <= smaxUnsigned) {
    clampUnsigned32(reg, sminUnsigned, smaxUnsigned);
  } else if (reg.u32MaxValue < sminUnsigned) {
    // The signed range crosses zero, the unsigned one meets only its upper part …
    reg.s32MinValue = reg.u32MinValue | 0;
    if (smaxUnsigned < reg.u32MaxValue) reg.u32MaxValue = smaxUnsigned;
  } else if (smaxUnsigned < reg.u32MinValue) {
    // … or only its negative part.
    reg.s32MaxValue = reg.u32MaxValue | 0;
    if (sminUnsigned > reg.u32MinValue) reg.u32MinValue = sminUnsigned;
  }
}

/** Signed ↔ unsigned within 64 bits, also where the signed range crosses zero but the unsigned one meets only one side of it (6.17). */
function deduce64(reg: RegState): void {
  const uminSigned = BigInt.asIntN(64, reg.uminValue);
  const umaxSigned = BigInt.asIntN(64, reg.umaxValue);
  if (uminSigned <= umaxSigned) {
    if (uminSigned > reg.sminValue) reg.sminValue = uminSigned;
    if (umaxSigned < reg.smaxValue) reg.smaxValue = umaxSigned;
  }
  const sminUnsigned = BigInt.asUintN(64, reg.sminValue);
  const smaxUnsigned = BigInt.asUintN(64, reg.smaxValue);
  if (sminUnsigned <= smaxUnsigned) {
    if (sminUnsigned > reg.uminValue) reg.uminValue = sminUnsigned;
    if (smaxUnsigned < reg.umaxValue) reg.umaxValue = smaxUnsigned;
  } else if (reg.umaxValue < sminUnsigned) {
    reg.sminValue = BigInt.asIntN(64, reg.uminValue);
    if (smaxUnsigned < reg.umaxValue) reg.umaxValue = smaxUnsigned;
  } else if (smaxUnsigned < reg.uminValue) {
    reg.smaxValue = BigInt.asIntN(64, reg.umaxValue);
    if (sminUnsigned > reg.uminValue) reg.uminValue = sminUnsigned;
  }
}

/** 32-bit bounds → 64-bit bounds: the low half of each 64-bit bound can't lie outside the 32-bit range. */
function deduceMixed(reg: RegState): void {
  const lowMin = BigInt(reg.u32MinValue);
  const lowMax = BigInt(reg.u32MaxValue);
  const umin = ((reg.uminValue >> 32n) << 32n) | lowMin;
  const umax = ((reg.umaxValue >> 32n) << 32n) | lowMax;
  if (umin > reg.uminValue) reg.uminValue = umin;
  if (umax < reg.umaxValue) reg.umaxValue = umax;
  const smin = ((reg.sminValue >> 32n) << 32n) | lowMin;
  const smax = ((reg.smaxValue >> 32n) << 32n) | lowMax;
  if (smin > reg.sminValue) reg.sminValue = smin;
  if (smax < reg.smaxValue) reg.smaxValue = smax;
  if (reg.s32MinValue >= 0 && reg.sminValue >= S32_MIN64 && reg.smaxValue <= S32_MAX64) adoptNonNegative32(reg);
}

/** The value fits in s32 and its low half isn't negative: it is the low half (what a checked sign-extending load leaves). */
function adoptNonNegative32(reg: RegState): void {
  const min = BigInt(reg.s32MinValue);
  const max = BigInt(reg.s32MaxValue);
  reg.sminValue = min;
  reg.smaxValue = max;
  reg.uminValue = min;
  reg.umaxValue = max;
  tnumRange(BigInt.asUintN(64, min), BigInt.asUintN(64, max));
  tnumIntersect(reg.varValue, reg.varMask, tn.value, tn.mask);
  setVarOff(reg);
}

/** Bounds → tnum: leading bits that the bounds agree on. */
function boundOffset(reg: RegState): void {
  tnumRange(reg.uminValue, reg.umaxValue);
  tnumIntersect(reg.varValue, reg.varMask, tn.value, tn.mask);
  const value = tn.value;
  const mask = tn.mask;
  tnumRange(BigInt(reg.u32MinValue), BigInt(reg.u32MaxValue));
  tnumIntersect(value & LOW32, mask & LOW32, tn.value, tn.mask);
  tnumWithSubreg(value, mask, tn.value, tn.mask);
  setVarOff(reg);
}

/** A constant whose nine views already agree: no deduction can change it. */
function isSettledConst(reg: RegState): boolean {
  const value = reg.varValue;
  if (reg.varMask !== 0n || reg.uminValue !== value || reg.umaxValue !== value) return false;
  if (reg.sminValue !== reg.smaxValue || BigInt.asUintN(64, reg.sminValue) !== value) return false;
  const half = low(value);
  return reg.u32MinValue === half && reg.u32MaxValue === half && reg.s32MinValue === (half | 0) && reg.s32MaxValue === (half | 0);
}

/** Brings the tnum and all bounds into step: three rounds of deduction between two passes over the tnum. */
export function regBoundsSync(reg: RegState): void {
  if (isSettledConst(reg)) return;
  updateRegBounds(reg);
  for (let round = 0; round < 3; round++) {
    deduce32(reg);
    deduce64(reg);
    deduceMixed(reg);
  }
  boundOffset(reg);
  updateRegBounds(reg);
}

function boundsViolation(reg: RegState): string | undefined {
  if (reg.uminValue > reg.umaxValue || reg.sminValue > reg.smaxValue || reg.u32MinValue > reg.u32MaxValue || reg.s32MinValue > reg.s32MaxValue) {
    return 'range bounds violation';
  }
  if (reg.varMask === 0n && !isConstBounds64(reg)) return 'const tnum out of sync with range bounds';
  if ((reg.varMask & LOW32) === 0n && !isConstBounds32(reg)) return 'const subreg tnum out of sync with range bounds';
  return undefined;
}

function isConstBounds64(reg: RegState): boolean {
  const value = reg.varValue;
  const signed = BigInt.asIntN(64, value);
  return reg.uminValue === value && reg.umaxValue === value && reg.sminValue === signed && reg.smaxValue === signed;
}

function isConstBounds32(reg: RegState): boolean {
  const half = low(reg.varValue);
  return reg.u32MinValue === half && reg.u32MaxValue === half && reg.s32MinValue === (half | 0) && reg.s32MaxValue === (half | 0);
}

/** What `regBoundsSanityCheck` needs of the environment. */
export interface BoundsEnv { readonly testRegInvariants: boolean; reject(errno: number, message?: string): never; readonly log: { verbose(text: string): void } }

const hex32 = (value: number): string => `0x${(value >>> 0).toString(16)}`;

function violationText(reg: RegState, where: string, what: string): string {
  return `verifier bug: REG INVARIANTS VIOLATION (${where}): ${what} u64=[${hex64(reg.uminValue)}, ${hex64(reg.umaxValue)}] `
    + `s64=[${hex64(reg.sminValue)}, ${hex64(reg.smaxValue)}] u32=[${hex32(reg.u32MinValue)}, ${hex32(reg.u32MaxValue)}] `
    + `s32=[${hex32(reg.s32MinValue)}, ${hex32(reg.s32MaxValue)}] var_off=(${hex64(reg.varValue)}, ${hex64(reg.varMask)})`;
}

/**
 * Contradicting bounds (a dead branch taken for possible) are logged and forgotten; under BPF_F_TEST_REG_INVARIANTS the program is rejected with EFAULT.
 */
export function regBoundsSanityCheck(env: BoundsEnv, reg: RegState, where: string): void {
  const what = boundsViolation(reg);
  if (what === undefined) return;
  const text = violationText(reg, where, what);
  if (env.testRegInvariants) env.reject(EFAULT, text);
  env.log.verbose(`${text}\n`);
  markRegUnbounded(reg);
}
