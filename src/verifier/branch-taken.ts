// Is a conditional jump decided by what is known of its operands?
// Invariant: 1 (taken) and 0 (not taken) are said only when every pair of concrete values agrees (branch.test.ts); -1 is "either".
// Source: behaviour of is_branch_taken and its parts, Linux 6.18.

import { BPF_JEQ, BPF_JGE, BPF_JGT, BPF_JLE, BPF_JLT, BPF_JNE, BPF_JSET, BPF_JSGE, BPF_JSGT, BPF_JSLE, BPF_JSLT } from '../spec/opcodes.ts';
import { PTR_TO_PACKET_END } from '../spec/verifier-types.ts';
import { isNotNull, isPktPointerAny, isPointer, isRegConst, regConstValue } from './reg-facts.ts';
import type { RegState } from './reg-state.ts';
import { tnumOverlap } from './tnum.ts';

/** 1 the jump is taken, 0 it isn't, -1 it may be either. */
export type Taken = 1 | 0 | -1;

const LOW32 = 0xffff_ffffn;

/** A packet pointer's `extra` (range) when a comparison has shown it to be at or beyond the packet's end. */
export const AT_PKT_END = -1;
export const BEYOND_PKT_END = -2;

const FLIPPED: ReadonlyMap<number, number> = new Map([[BPF_JEQ, BPF_JEQ], [BPF_JNE, BPF_JNE], [BPF_JSET, BPF_JSET], [BPF_JGE, BPF_JLE], [BPF_JGT, BPF_JLT],
  [BPF_JLE, BPF_JGE], [BPF_JLT, BPF_JGT], [BPF_JSGE, BPF_JSLE], [BPF_JSGT, BPF_JSLT], [BPF_JSLE, BPF_JSGE], [BPF_JSLT, BPF_JSGT]]);

/** The operation that makes `b op' a` of `a op b`. */
export const flipOp = (op: number): number => FLIPPED.get(op) ?? 0;

/** Whether `if (a op b)` is decided, in 64 bits or (with `is32`) in the low 32. */
export function isBranchTaken(a: RegState, b: RegState, op: number, is32: boolean): Taken {
  if (isPktPointerAny(a) && isPktPointerAny(b) && !is32) return isPktBranchTaken(a, b, op);
  if (isPointer(a) || isPointer(b)) return isPointerBranchTaken(a, b, op, is32);
  return isScalarBranchTaken(a, b, op, is32);
}

function isPktBranchTaken(a: RegState, b: RegState, op: number): Taken {
  let pkt = a;
  if (b.type !== PTR_TO_PACKET_END) {
    if (a.type !== PTR_TO_PACKET_END) return -1;
    pkt = b;
    op = flipOp(op);
  }
  if (pkt.extra >= 0) return -1;
  if (op === BPF_JLE || op === BPF_JGT) return pkt.extra === BEYOND_PKT_END ? (op === BPF_JGT ? 1 : 0) : -1;
  if (op === BPF_JLT || op === BPF_JGE) return op === BPF_JGE ? 1 : 0;
  return -1;
}

/** A pointer that can't be NULL against the constant 0. */
function isPointerBranchTaken(a: RegState, b: RegState, op: number, is32: boolean): Taken {
  let pointer = a;
  let scalar = b;
  if (!isRegConst(scalar, is32)) {
    pointer = b;
    scalar = a;
    op = flipOp(op);
  }
  if (!isRegConst(scalar, is32) || !isNotNull(pointer) || regConstValue(scalar, is32) !== 0n) return -1;
  if (op === BPF_JEQ) return 0;
  return op === BPF_JNE ? 1 : -1;
}

function isScalarBranchTaken(a: RegState, b: RegState, op: number, is32: boolean): Taken {
  switch (op) {
    case BPF_JEQ: return isEqual(a, b, is32);
    case BPF_JNE: return negate(isEqual(a, b, is32));
    case BPF_JSET: return isAnyBitSet(a, b, is32);
    case BPF_JGT: return isAbove(a, b, is32);
    case BPF_JLT: return isAbove(b, a, is32);
    case BPF_JLE: return negate(isAbove(a, b, is32));
    case BPF_JGE: return negate(isAbove(b, a, is32));
    case BPF_JSGT: return isAboveSigned(a, b, is32);
    case BPF_JSLT: return isAboveSigned(b, a, is32);
    case BPF_JSLE: return negate(isAboveSigned(a, b, is32));
    case BPF_JSGE: return negate(isAboveSigned(b, a, is32));
    default: return -1;
  }
}

const negate = (taken: Taken): Taken => (taken === -1 ? -1 : taken === 1 ? 0 : 1);

/** a > b, unsigned. */
function isAbove(a: RegState, b: RegState, is32: boolean): Taken {
  if (is32) return a.u32MinValue > b.u32MaxValue ? 1 : a.u32MaxValue <= b.u32MinValue ? 0 : -1;
  return a.uminValue > b.umaxValue ? 1 : a.umaxValue <= b.uminValue ? 0 : -1;
}

function isAboveSigned(a: RegState, b: RegState, is32: boolean): Taken {
  if (is32) return a.s32MinValue > b.s32MaxValue ? 1 : a.s32MaxValue <= b.s32MinValue ? 0 : -1;
  return a.sminValue > b.smaxValue ? 1 : a.smaxValue <= b.sminValue ? 0 : -1;
}

const rangesDisjoint32 = (a: RegState, b: RegState): boolean =>
  a.u32MinValue > b.u32MaxValue || a.u32MaxValue < b.u32MinValue || a.s32MinValue > b.s32MaxValue || a.s32MaxValue < b.s32MinValue;
const rangesDisjoint64 = (a: RegState, b: RegState): boolean =>
  a.uminValue > b.umaxValue || a.umaxValue < b.uminValue || a.sminValue > b.smaxValue || a.smaxValue < b.sminValue;

function isEqual(a: RegState, b: RegState, is32: boolean): Taken {
  const mask = is32 ? LOW32 : -1n;
  const aUnknown = a.varMask & mask;
  const bUnknown = b.varMask & mask;
  const aValue = a.varValue & mask;
  const bValue = b.varValue & mask;
  if (aUnknown === 0n && bUnknown === 0n) return aValue === bValue ? 1 : 0;
  if (!tnumOverlap(aValue, aUnknown, bValue, bUnknown)) return 0;
  if (!is32 && rangesDisjoint64(a, b)) return 0;
  return rangesDisjoint32(a, b) ? 0 : -1;
}

/** a & b, where one of the two is constant. */
function isAnyBitSet(a: RegState, b: RegState, is32: boolean): Taken {
  let bits = b;
  let tested = a;
  if (!isRegConst(bits, is32)) {
    bits = a;
    tested = b;
  }
  if (!isRegConst(bits, is32)) return -1;
  const mask = regConstValue(bits, is32);
  if ((tested.varValue & mask) !== 0n) return 1;
  return ((tested.varMask | tested.varValue) & mask) === 0n ? 0 : -1;
}
