// What a conditional jump teaches about its two operands, on the branch where it is taken and on the one where it isn't.
// Invariant: a concrete pair of values that takes a branch stays inside both refined registers (branch.test.ts).
// Source: behaviour of regs_refine_cond_op and reg_set_min_max, Linux 6.18.

import { BPF_JEQ, BPF_JGE, BPF_JGT, BPF_JLE, BPF_JLT, BPF_JNE, BPF_JSET, BPF_JSGE, BPF_JSGT, BPF_JSLE, BPF_JSLT } from '../spec/opcodes.ts';
import { SCALAR_VALUE } from '../spec/verifier-types.ts';
import { markRegUnbounded, regBoundsSanityCheck, regBoundsSync, setVarOff, type BoundsEnv } from './bounds.ts';
import { flipOp } from './branch-taken.ts';
import { isRegConst, regConstValue } from './reg-facts.ts';
import type { RegState } from './reg-state.ts';
import { tn, tnumAnd, tnumIntersect, tnumOr, tnumWithSubreg } from './tnum.ts';

const LOW32 = 0xffff_ffffn;
/** "No bit of the mask is set": the opposite of BPF_JSET, which has no opcode of its own. */
const JSET_NOT = BPF_JSET | 0x08;

const REVERSED: ReadonlyMap<number, number> = new Map([[BPF_JEQ, BPF_JNE], [BPF_JNE, BPF_JEQ], [BPF_JSET, JSET_NOT], [BPF_JGE, BPF_JLT], [BPF_JGT, BPF_JLE],
  [BPF_JLE, BPF_JGT], [BPF_JLT, BPF_JGE], [BPF_JSGE, BPF_JSLT], [BPF_JSGT, BPF_JSLE], [BPF_JSLE, BPF_JSGT], [BPF_JSLT, BPF_JSGE]]);

const bigMin = (a: bigint, b: bigint): bigint => (a < b ? a : b);
const bigMax = (a: bigint, b: bigint): bigint => (a > b ? a : b);

/** Narrows the operands on both branches of `if (a op b)`, when both are scalars. The "true" registers belong to the branch that jumps. */
export function regSetMinMax(env: BoundsEnv, trueA: RegState, trueB: RegState, falseA: RegState, falseB: RegState, op: number, is32: boolean): void {
  if (falseA.type !== SCALAR_VALUE || falseB.type !== SCALAR_VALUE) return;
  refine(falseA, falseB, REVERSED.get(op) ?? 0, is32);
  refine(trueA, trueB, op, is32);
  regBoundsSanityCheck(env, trueA, 'true_reg1');
  regBoundsSanityCheck(env, trueB, 'true_reg2');
  regBoundsSanityCheck(env, falseA, 'false_reg1');
  regBoundsSanityCheck(env, falseB, 'false_reg2');
}

function refine(a: RegState, b: RegState, op: number, is32: boolean): void {
  refineCond(a, b, op, is32);
  regBoundsSync(a);
  regBoundsSync(b);
}

function refineCond(a: RegState, b: RegState, op: number, is32: boolean): void {
  if (op === BPF_JGE || op === BPF_JGT || op === BPF_JSGE || op === BPF_JSGT) return refineCond(b, a, flipOp(op), is32);
  switch (op) {
    case BPF_JEQ: return is32 ? refineEqual32(a, b) : refineEqual64(a, b);
    case BPF_JNE: return refineWithConst(a, b, is32, is32 ? refineNotEqual32 : refineNotEqual64);
    case BPF_JSET: return refineWithConst(a, b, is32, is32 ? refineBitSet32 : refineBitSet64);
    case JSET_NOT: return refineWithConst(a, b, is32, is32 ? refineBitsClear32 : refineBitsClear64);
    case BPF_JLE: return is32 ? refineBelow32(a, b, 0) : refineBelow64(a, b, 0n);
    case BPF_JLT: return is32 ? refineBelow32(a, b, 1) : refineBelow64(a, b, 1n);
    case BPF_JSLE: return is32 ? refineBelowSigned32(a, b, 0) : refineBelowSigned64(a, b, 0n);
    case BPF_JSLT: return is32 ? refineBelowSigned32(a, b, 1) : refineBelowSigned64(a, b, 1n);
    default:
  }
}

/** Calls `learn` with the operand that isn't constant and the constant; nothing is learned when neither is. */
function refineWithConst(a: RegState, b: RegState, is32: boolean, learn: (reg: RegState, value: bigint) => void): void {
  if (isRegConst(b, is32)) learn(a, regConstValue(b, is32));
  else if (isRegConst(a, is32)) learn(b, regConstValue(a, is32));
}

function refineEqual32(a: RegState, b: RegState): void {
  a.u32MinValue = b.u32MinValue = Math.max(a.u32MinValue, b.u32MinValue);
  a.u32MaxValue = b.u32MaxValue = Math.min(a.u32MaxValue, b.u32MaxValue);
  a.s32MinValue = b.s32MinValue = Math.max(a.s32MinValue, b.s32MinValue);
  a.s32MaxValue = b.s32MaxValue = Math.min(a.s32MaxValue, b.s32MaxValue);
  tnumIntersect(a.varValue & LOW32, a.varMask & LOW32, b.varValue & LOW32, b.varMask & LOW32);
  const { value, mask } = tn;
  setSubreg(a, value, mask);
  setSubreg(b, value, mask);
}

function setSubreg(reg: RegState, value: bigint, mask: bigint): void {
  tnumWithSubreg(reg.varValue, reg.varMask, value, mask);
  setVarOff(reg);
}

function refineEqual64(a: RegState, b: RegState): void {
  a.uminValue = b.uminValue = bigMax(a.uminValue, b.uminValue);
  a.umaxValue = b.umaxValue = bigMin(a.umaxValue, b.umaxValue);
  a.sminValue = b.sminValue = bigMax(a.sminValue, b.sminValue);
  a.smaxValue = b.smaxValue = bigMin(a.smaxValue, b.smaxValue);
  tnumIntersect(a.varValue, a.varMask, b.varValue, b.varMask);
  setVarOff(a);
  setVarOff(b);
}

/** A constant at an end of the range shortens it. Stores wrap, as the kernel's do. */
function refineNotEqual32(reg: RegState, value: bigint): void {
  const unsigned = Number(value);
  const signed = unsigned | 0;
  if (reg.u32MinValue === unsigned) reg.u32MinValue++;
  if (reg.u32MaxValue === unsigned) reg.u32MaxValue--;
  if (reg.s32MinValue === signed) reg.s32MinValue++;
  if (reg.s32MaxValue === signed) reg.s32MaxValue--;
}

function refineNotEqual64(reg: RegState, value: bigint): void {
  const signed = BigInt.asIntN(64, value);
  if (reg.uminValue === value) reg.uminValue++;
  if (reg.umaxValue === value) reg.umaxValue--;
  if (reg.sminValue === signed) reg.sminValue++;
  if (reg.smaxValue === signed) reg.smaxValue--;
}

const isPowerOf2 = (value: bigint): boolean => value !== 0n && (value & (value - 1n)) === 0n;

/** A mask of one bit: that bit is set. */
function refineBitSet32(reg: RegState, value: bigint): void {
  if (!isPowerOf2(value)) return;
  tnumOr(reg.varValue & LOW32, reg.varMask & LOW32, value, 0n);
  setSubreg(reg, tn.value, tn.mask);
}

function refineBitSet64(reg: RegState, value: bigint): void {
  if (!isPowerOf2(value)) return;
  tnumOr(reg.varValue, reg.varMask, value, 0n);
  setVarOff(reg);
}

/** No bit of the mask is set. The bounds are forgotten first: on a dead branch they would contradict the tnum. */
function refineBitsClear32(reg: RegState, value: bigint): void {
  markRegUnbounded(reg);
  tnumAnd(reg.varValue & LOW32, reg.varMask & LOW32, ~value & LOW32, 0n);
  setSubreg(reg, tn.value, tn.mask);
}

function refineBitsClear64(reg: RegState, value: bigint): void {
  markRegUnbounded(reg);
  tnumAnd(reg.varValue, reg.varMask, BigInt.asUintN(64, ~value), 0n);
  setVarOff(reg);
}

/** a ≤ b - gap, unsigned. */
function refineBelow32(a: RegState, b: RegState, gap: 0 | 1): void {
  a.u32MaxValue = Math.min(a.u32MaxValue, (b.u32MaxValue - gap) >>> 0);
  b.u32MinValue = Math.max((a.u32MinValue + gap) >>> 0, b.u32MinValue);
}

function refineBelow64(a: RegState, b: RegState, gap: 0n | 1n): void {
  a.umaxValue = bigMin(a.umaxValue, BigInt.asUintN(64, b.umaxValue - gap));
  b.uminValue = bigMax(BigInt.asUintN(64, a.uminValue + gap), b.uminValue);
}

function refineBelowSigned32(a: RegState, b: RegState, gap: 0 | 1): void {
  a.s32MaxValue = Math.min(a.s32MaxValue, (b.s32MaxValue - gap) | 0);
  b.s32MinValue = Math.max((a.s32MinValue + gap) | 0, b.s32MinValue);
}

function refineBelowSigned64(a: RegState, b: RegState, gap: 0n | 1n): void {
  a.smaxValue = bigMin(a.smaxValue, BigInt.asIntN(64, b.smaxValue - gap));
  b.sminValue = bigMax(BigInt.asIntN(64, a.sminValue + gap), b.sminValue);
}
