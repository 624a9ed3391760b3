// Setting a register to a known, unknown or uninitialised state, and changing its width.
// Invariant: after any of these the tnum and bounds are in step; what a function leaves alone (type, id) is named in its sentence.
// Source: behaviour of the mark_reg_* and coerce_* family of Linux 6.18.

import { BPF_ADD_CONST } from '../spec/limits.ts';
import { NOT_INIT, SCALAR_VALUE } from '../spec/verifier-types.ts';
import { S32_MAX, S32_MIN, U32_MAX, U64_MAX } from '../util/u64.ts';
import { markReg32Unbounded, markRegUnbounded, regBoundsSanityCheck, regBoundsSync, setRegValue, setVarOff, type BoundsEnv } from './bounds.ts';
import { bitLength, tn, tnumCast, tnumRange } from './tnum.ts';
import type { RegState } from './reg-state.ts';

const LOW32 = 0xffff_ffffn;

/** Whether scalars start imprecise: with CAP_BPF. Without it every scalar counts as precise. */
export interface PrecisionEnv { readonly bpfCapable: boolean }

function clearParticulars(reg: RegState): void {
  reg.off = 0;
  reg.mapIndex = 0;
  reg.mapUid = 0;
  reg.extra = 0;
  reg.subprogno = 0;
  reg.id = 0;
  reg.refObjId = 0;
}

/** The scalar is linked to no other any more; the constant that set them apart goes too. */
export function clearScalarId(reg: RegState): void {
  reg.id = 0;
  reg.off = 0;
}

/** Gives a scalar that isn't constant an id, so that what is learned about a copy holds for the original too. */
export function assignScalarIdBeforeMov(env: { newId(): number }, reg: RegState): void {
  if (reg.type !== SCALAR_VALUE) return;
  if ((reg.id & BPF_ADD_CONST) !== 0) clearScalarId(reg);
  if (reg.id === 0 && !reg.isConst) reg.id = env.newId();
}

/** The value (or variable offset) is exactly `imm`; offset, id and particulars are cleared; type, frame and precision stay. */
export function markRegKnown(reg: RegState, imm: bigint): void {
  clearParticulars(reg);
  setRegValue(reg, imm);
}

/** `markRegKnown` with 0: the start of every pointer. */
export function markRegKnownZero(reg: RegState): void {
  markRegKnown(reg, 0n);
}

/** The scalar 0. */
export function markRegConstZero(env: PrecisionEnv, reg: RegState): void {
  markRegKnown(reg, 0n);
  reg.type = SCALAR_VALUE;
  reg.precise = !env.bpfCapable;
}

/** The low half is exactly `imm` (u32). */
export function markReg32Known(reg: RegState, imm: number): void {
  reg.varValue = (reg.varValue & ~LOW32) | BigInt(imm >>> 0);
  reg.varMask &= ~LOW32;
  reg.s32MinValue = imm;
  reg.s32MaxValue = imm;
  reg.u32MinValue = imm;
  reg.u32MaxValue = imm;
}

/** Any scalar, imprecise. */
export function markRegUnknownImprecise(reg: RegState): void {
  clearParticulars(reg);
  reg.type = SCALAR_VALUE;
  reg.varValue = 0n;
  reg.varMask = U64_MAX;
  reg.frameno = 0;
  reg.precise = false;
  markRegUnbounded(reg);
}

/** Any scalar; precise from the start without CAP_BPF. */
export function markRegUnknown(env: PrecisionEnv, reg: RegState): void {
  markRegUnknownImprecise(reg);
  reg.precise = !env.bpfCapable;
}

/** Unreadable. */
export function markRegNotInit(env: PrecisionEnv, reg: RegState): void {
  markRegUnknown(env, reg);
  reg.type = NOT_INIT;
}

/** Intersects with the signed 32-bit range [min, max], which also bounds the 64-bit value. */
export function markRegS32Range(env: BoundsEnv, reg: RegState, min: number, max: number): void {
  if (min > reg.s32MinValue) reg.s32MinValue = min;
  if (max < reg.s32MaxValue) reg.s32MaxValue = max;
  if (BigInt(min) > reg.sminValue) reg.sminValue = BigInt(min);
  if (BigInt(max) < reg.smaxValue) reg.smaxValue = BigInt(max);
  regBoundsSync(reg);
  regBoundsSanityCheck(env, reg, 's32_range');
}

/** 64-bit bounds of a zero-extended 32-bit result; the tnum's high half becomes 0. Call `regBoundsSync` afterwards. */
export function zext32To64(reg: RegState): void {
  reg.varValue &= LOW32;
  reg.varMask &= LOW32;
  reg.uminValue = BigInt(reg.u32MinValue);
  reg.umaxValue = BigInt(reg.u32MaxValue);
  if (reg.s32MinValue >= 0 && reg.s32MaxValue >= 0) {
    reg.sminValue = BigInt(reg.s32MinValue);
    reg.smaxValue = BigInt(reg.s32MaxValue);
  } else {
    reg.sminValue = 0n;
    reg.smaxValue = LOW32;
  }
}

/** Truncates to the low `sizeBytes` (1, 2 or 4), zero-extended. */
export function coerceRegToSize(reg: RegState, sizeBytes: number): void {
  const bits = BigInt(sizeBytes * 8);
  const mask = (1n << bits) - 1n;
  tnumCast(reg.varValue, reg.varMask, sizeBytes);
  setVarOff(reg);
  if (reg.uminValue >> bits === reg.umaxValue >> bits) {
    reg.uminValue &= mask;
    reg.umaxValue &= mask;
  } else {
    reg.uminValue = 0n;
    reg.umaxValue = mask;
  }
  reg.sminValue = reg.uminValue;
  reg.smaxValue = reg.umaxValue;
  if (sizeBytes < 4) markReg32Unbounded(reg);
  regBoundsSync(reg);
}

/** Sign-extends the low `sizeBytes` (1, 2 or 4) to 64 bits. */
export function coerceRegToSizeSx(reg: RegState, sizeBytes: number): void {
  const bits = sizeBytes * 8;
  if (reg.varMask === 0n) return setRegValue(reg, BigInt.asIntN(bits, reg.varValue));
  const first = BigInt.asIntN(bits, reg.sminValue);
  const last = BigInt.asIntN(bits, reg.smaxValue);
  const min = first < last ? first : last;
  const max = first < last ? last : first;
  const sameTop = reg.sminValue >> BigInt(bits) === reg.smaxValue >> BigInt(bits);
  if (!sameTop || (min < 0n) !== (max < 0n)) return setSext64Default(reg, bits);
  reg.sminValue = min;
  reg.smaxValue = max;
  reg.uminValue = BigInt.asUintN(64, min);
  reg.umaxValue = BigInt.asUintN(64, max);
  set32Range(reg, Number(min), Number(max));
  tnumRange(reg.uminValue, reg.umaxValue);
  setVarOff(reg);
}

function set32Range(reg: RegState, min: number, max: number): void {
  reg.s32MinValue = min;
  reg.s32MaxValue = max;
  reg.u32MinValue = min;
  reg.u32MaxValue = max;
}

function setSext64Default(reg: RegState, bits: number): void {
  const top = 1n << BigInt(bits - 1);
  reg.sminValue = -top;
  reg.smaxValue = top - 1n;
  reg.s32MinValue = bits === 32 ? S32_MIN : Number(-top);
  reg.s32MaxValue = bits === 32 ? S32_MAX : Number(top - 1n);
  reg.uminValue = 0n;
  reg.umaxValue = U64_MAX;
  reg.u32MinValue = 0;
  reg.u32MaxValue = U32_MAX;
  reg.varValue = 0n;
  reg.varMask = U64_MAX;
}

/** Sign-extends the low `sizeBytes` (1 or 2) to 32 bits; the 64-bit bounds are left for `zext32To64`. */
export function coerceSubregToSizeSx(reg: RegState, sizeBytes: number): void {
  const shift = 32 - sizeBytes * 8;
  const extend = (value: number): number => (value << shift) >> shift;
  if (reg.varMask === 0n) {
    const value = extend(Number(reg.varValue & LOW32));
    // The kernel keeps the sign bits above bit 31 here; zext32To64 drops them.
    reg.varValue = BigInt.asUintN(64, BigInt(value));
    return set32Range(reg, value, value);
  }
  const first = extend(reg.s32MinValue);
  const last = extend(reg.s32MaxValue);
  const min = Math.min(first, last);
  const max = Math.max(first, last);
  const sameTop = reg.s32MinValue >> (sizeBytes * 8) === reg.s32MaxValue >> (sizeBytes * 8);
  if (!sameTop || min < 0 !== max < 0) return setSext32Default(reg, shift);
  set32Range(reg, min, max);
  tnumRange(BigInt.asUintN(64, BigInt(min)), BigInt.asUintN(64, BigInt(max)));
  reg.varValue = tn.value & LOW32;
  reg.varMask = tn.mask & LOW32;
}

function setSext32Default(reg: RegState, shift: number): void {
  reg.s32MinValue = S32_MIN >> shift;
  reg.s32MaxValue = S32_MAX >> shift;
  reg.u32MinValue = 0;
  reg.u32MaxValue = U32_MAX;
  reg.varValue = 0n;
  reg.varMask = LOW32;
}

/** Bits that the scalar may need: the kernel's get_reg_width. */
export const regWidth = (reg: RegState): number => bitLength(reg.umaxValue);
