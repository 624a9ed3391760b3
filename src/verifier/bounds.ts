// A register's tnum and its eight bounds, kept in step: each deduction moves knowledge between the 64-bit and 32-bit, signed and unsigned views.
// Invariant: a deduction only ever drops values that no concrete register can have (alu-ranges.test.ts, branch.test.ts); types and ids are not its business.
// Which deductions run, in which order and how often decides what a program may do, so they follow Linux 6.18 (reg_bounds_sync and its parts).
// They work on 32-bit halves in the register's store: bigints would cost an allocation each.

import { EFAULT } from '../spec/errno.ts';
import { S32_MAX, S32_MIN, S64_MAX, S64_MIN, U32_MAX, U64_MAX } from '../util/u64.ts';
import { HI, LO, type RegState, W_MASK, W_S32_MAX, W_S32_MIN, W_SMAX, W_SMIN, W_U32_MAX, W_U32_MIN, W_UMAX, W_UMIN, W_VALUE } from './reg-state.ts';
import { hex64, tn, tnumStep } from './tnum.ts';

/** A register's words, signed; unsigned ones are read with `>>> 0`. */
type Words = Int32Array;
const word = (w: Words, at: number): number => w[at] as number;

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

/** The value is exactly `imm` (u64 or s64); type, id and the pointer's particulars stay. */
export function setRegValue(reg: RegState, imm: bigint): void {
  reg.varValue = imm;
  const w = reg.store.s32;
  setConst(w, reg.at, word(w, reg.at + W_VALUE + HI), word(w, reg.at + W_VALUE + LO));
}

function setConst(w: Words, at: number, hi: number, lo: number): void {
  set64(w, at + W_VALUE, hi, lo);
  set64(w, at + W_MASK, 0, 0);
  set64(w, at + W_SMIN, hi, lo);
  set64(w, at + W_SMAX, hi, lo);
  set64(w, at + W_UMIN, hi, lo);
  set64(w, at + W_UMAX, hi, lo);
  w[at + W_S32_MIN] = lo;
  w[at + W_S32_MAX] = lo;
  w[at + W_U32_MIN] = lo;
  w[at + W_U32_MAX] = lo;
}

// 64-bit numbers as two words.

function set64(w: Words, at: number, hi: number, lo: number): void {
  w[at + HI] = hi;
  w[at + LO] = lo;
}

const same64 = (w: Words, a: number, b: number): boolean => w[a] === w[b] && w[a + 1] === w[b + 1];
const lessUnsigned = (aHi: number, aLo: number, bHi: number, bLo: number): boolean => (aHi === bHi ? aLo >>> 0 < bLo >>> 0 : aHi >>> 0 < bHi >>> 0);
const lessSigned = (aHi: number, aLo: number, bHi: number, bLo: number): boolean => (aHi === bHi ? aLo >>> 0 < bLo >>> 0 : aHi < bHi);
const lessUnsignedAt = (w: Words, a: number, b: number): boolean => lessUnsigned(word(w, a + HI), word(w, a + LO), word(w, b + HI), word(w, b + LO));
const lessSignedAt = (w: Words, a: number, b: number): boolean => lessSigned(word(w, a + HI), word(w, a + LO), word(w, b + HI), word(w, b + LO));

function raiseSigned(w: Words, at: number, hi: number, lo: number): void {
  if (lessSigned(word(w, at + HI), word(w, at + LO), hi, lo)) set64(w, at, hi, lo);
}
function lowerSigned(w: Words, at: number, hi: number, lo: number): void {
  if (lessSigned(hi, lo, word(w, at + HI), word(w, at + LO))) set64(w, at, hi, lo);
}
function raiseUnsigned(w: Words, at: number, hi: number, lo: number): void {
  if (lessUnsigned(word(w, at + HI), word(w, at + LO), hi, lo)) set64(w, at, hi, lo);
}
function lowerUnsigned(w: Words, at: number, hi: number, lo: number): void {
  if (lessUnsigned(hi, lo, word(w, at + HI), word(w, at + LO))) set64(w, at, hi, lo);
}

function clampSigned32(w: Words, at: number, min: number, max: number): void {
  if (min > word(w, at + W_S32_MIN)) w[at + W_S32_MIN] = min;
  if (max < word(w, at + W_S32_MAX)) w[at + W_S32_MAX] = max;
}

function clampUnsigned32(w: Words, at: number, min: number, max: number): void {
  if (min >>> 0 > word(w, at + W_U32_MIN) >>> 0) w[at + W_U32_MIN] = min;
  if (max >>> 0 < word(w, at + W_U32_MAX) >>> 0) w[at + W_U32_MAX] = max;
}

// The tnum tightens the bounds.

/** Tightens bounds by the tnum: bits known to be set or clear. */
export function updateRegBounds(reg: RegState): void {
  updateReg32Bounds(reg);
  updateReg64Bounds(reg);
}

/** The 32-bit half of `updateRegBounds`. */
export function updateReg32Bounds(reg: RegState): void {
  const w = reg.store.s32;
  const { at } = reg;
  const value = word(w, at + W_VALUE + LO);
  const mask = word(w, at + W_MASK + LO);
  clampSigned32(w, at, value | (mask & S32_MIN), value | (mask & S32_MAX));
  clampUnsigned32(w, at, value, value | mask);
}

function updateReg64Bounds(reg: RegState): void {
  const w = reg.store.s32;
  const { at } = reg;
  const lo = word(w, at + W_VALUE + LO);
  const hi = word(w, at + W_VALUE + HI);
  const maskLo = word(w, at + W_MASK + LO);
  const maskHi = word(w, at + W_MASK + HI);
  raiseSigned(w, at + W_SMIN, hi | (maskHi & S32_MIN), lo);
  lowerSigned(w, at + W_SMAX, hi | (maskHi & S32_MAX), lo | maskLo);
  raiseUnsigned(w, at + W_UMIN, hi, lo);
  lowerUnsigned(w, at + W_UMAX, hi | maskHi, lo | maskLo);
  adoptOnlyMember(reg, w, at);
}

/** Whether the 64-bit number at `number` is a member of the register's tnum. */
const isMember = (w: Words, at: number, number: number): boolean =>
  (word(w, at + number) & ~word(w, at + W_MASK)) === word(w, at + W_VALUE) &&
  (word(w, at + number + 1) & ~word(w, at + W_MASK + 1)) === word(w, at + W_VALUE + 1);

/** The tnum and the unsigned range may have a single value in common (6.18.y). */
function adoptOnlyMember(reg: RegState, w: Words, at: number): void {
  const startsInside = isMember(w, at, W_UMIN);
  // Both ends are members: then there are two, unless they are the same.
  if (startsInside && isMember(w, at, W_UMAX) && lessUnsignedAt(w, at + W_UMIN, at + W_UMAX)) return;
  const { uminValue, umaxValue, varValue, varMask } = reg;
  const next = tnumStep(varValue, varMask, uminValue);
  if (startsInside) {
    if (next > umaxValue) setRegValue(reg, uminValue);
  } else if (next === (varValue | varMask)) {
    setRegValue(reg, next);
  } else if (next <= umaxValue && tnumStep(varValue, varMask, next) > umaxValue) {
    setRegValue(reg, next);
  }
}

// Bounds tighten each other.

/** A 64-bit range with equal high halves leaves the low halves in order: unsigned always where the range is unsigned. */
function deduceLowHalf(w: Words, at: number, min: number, max: number, isUnsigned: boolean): void {
  if (w[at + min + HI] !== w[at + max + HI]) return;
  const low = word(w, at + min + LO);
  const high = word(w, at + max + LO);
  if (isUnsigned || low >>> 0 <= high >>> 0) clampUnsigned32(w, at, low, high);
  if (low <= high) clampSigned32(w, at, low, high);
}

/** High halves that follow each other leave the low halves in signed order when these go from negative to not. */
function deduceLowHalfAcross(w: Words, at: number, min: number, max: number): void {
  const low = word(w, at + min + LO);
  const high = word(w, at + max + LO);
  if (((word(w, at + min + HI) + 1) | 0) === w[at + max + HI] && low < 0 && high >= 0) clampSigned32(w, at, low, high);
}

/** 64-bit bounds → 32-bit bounds, then signed ↔ unsigned within 32 bits. */
function deduce32(w: Words, at: number): void {
  deduceLowHalf(w, at, W_UMIN, W_UMAX, true);
  deduceLowHalf(w, at, W_SMIN, W_SMAX, false);
  deduceLowHalfAcross(w, at, W_UMIN, W_UMAX);
  deduceLowHalfAcross(w, at, W_SMIN, W_SMAX);
  if (word(w, at + W_U32_MIN) <= word(w, at + W_U32_MAX)) clampSigned32(w, at, word(w, at + W_U32_MIN), word(w, at + W_U32_MAX));
  const smin = word(w, at + W_S32_MIN);
  const smax = word(w, at + W_S32_MAX);
  if (smin >>> 0 <= smax >>> 0) {
    clampUnsigned32(w, at, smin, smax);
  } else if (word(w, at + W_U32_MAX) >>> 0 < smin >>> 0) {
    // The signed range crosses zero, the unsigned one meets only its upper part …
    w[at + W_S32_MIN] = word(w, at + W_U32_MIN);
    if (smax >>> 0 < word(w, at + W_U32_MAX) >>> 0) w[at + W_U32_MAX] = smax;
  } else if (smax >>> 0 < word(w, at + W_U32_MIN) >>> 0) {
    // … or only its negative part.
    w[at + W_S32_MAX] = word(w, at + W_U32_MAX);
    if (smin >>> 0 > word(w, at + W_U32_MIN) >>> 0) w[at + W_U32_MIN] = smin;
  }
}

/** Signed ↔ unsigned within 64 bits, also where the signed range crosses zero but the unsigned one meets only one side of it. */
function deduce64(w: Words, at: number): void {
  const smin = at + W_SMIN;
  const smax = at + W_SMAX;
  const umin = at + W_UMIN;
  const umax = at + W_UMAX;
  if (!lessSignedAt(w, umax, umin)) {
    raiseSigned(w, smin, word(w, umin + HI), word(w, umin + LO));
    lowerSigned(w, smax, word(w, umax + HI), word(w, umax + LO));
  }
  if (!lessUnsignedAt(w, smax, smin)) {
    raiseUnsigned(w, umin, word(w, smin + HI), word(w, smin + LO));
    lowerUnsigned(w, umax, word(w, smax + HI), word(w, smax + LO));
  } else if (lessUnsignedAt(w, umax, smin)) {
    set64(w, smin, word(w, umin + HI), word(w, umin + LO));
    lowerUnsigned(w, umax, word(w, smax + HI), word(w, smax + LO));
  } else if (lessUnsignedAt(w, smax, umin)) {
    set64(w, smax, word(w, umax + HI), word(w, umax + LO));
    raiseUnsigned(w, umin, word(w, smin + HI), word(w, smin + LO));
  }
}

function raiseLow(w: Words, at: number, lo: number): void {
  if (lo >>> 0 > word(w, at) >>> 0) w[at] = lo;
}
function lowerLow(w: Words, at: number, lo: number): void {
  if (lo >>> 0 < word(w, at) >>> 0) w[at] = lo;
}

/** 32-bit bounds → 64-bit bounds: the low half of each 64-bit bound can't lie outside the 32-bit range. */
function deduceMixed(w: Words, at: number): void {
  const min = word(w, at + W_U32_MIN);
  const max = word(w, at + W_U32_MAX);
  raiseLow(w, at + W_UMIN + LO, min);
  lowerLow(w, at + W_UMAX + LO, max);
  raiseLow(w, at + W_SMIN + LO, min);
  lowerLow(w, at + W_SMAX + LO, max);
  const fitsBelow = !lessSigned(word(w, at + W_SMIN + HI), word(w, at + W_SMIN + LO), -1, S32_MIN);
  const fitsAbove = !lessSigned(0, S32_MAX, word(w, at + W_SMAX + HI), word(w, at + W_SMAX + LO));
  if (word(w, at + W_S32_MIN) >= 0 && fitsBelow && fitsAbove) adoptNonNegative32(w, at);
}

/** The value fits in s32 and its low half isn't negative: it is the low half (what a checked sign-extending load leaves). */
function adoptNonNegative32(w: Words, at: number): void {
  const min = word(w, at + W_S32_MIN);
  const max = word(w, at + W_S32_MAX);
  // The largest may be negative where the bounds contradict each other.
  set64(w, at + W_SMIN, 0, min);
  set64(w, at + W_SMAX, max >> 31, max);
  set64(w, at + W_UMIN, 0, min);
  set64(w, at + W_UMAX, max >> 31, max);
  intersectRange(w, at, 0, min, max >> 31, max);
}

/** The tnum loses the members outside of the common prefix of the unsigned range [min, max]. */
function intersectRange(w: Words, at: number, minHi: number, minLo: number, maxHi: number, maxLo: number): void {
  const differsHi = minHi ^ maxHi;
  if (differsHi < 0) return;
  const freeHi = lowOnes(32 - Math.clz32(differsHi));
  const freeLo = differsHi === 0 ? lowOnes(32 - Math.clz32(minLo ^ maxLo)) : -1;
  intersectWord(w, at + HI, minHi, freeHi);
  intersectWord(w, at + LO, minLo, freeLo);
}

/** `bits` (0–32) ones. */
const lowOnes = (bits: number): number => (bits === 32 ? -1 : (1 << bits) - 1);

/** One half of an intersection with the tnum (prefix & ~free, free). */
function intersectWord(w: Words, at: number, prefix: number, free: number): void {
  const mask = word(w, at + W_MASK) & free;
  w[at + W_VALUE] = (word(w, at + W_VALUE) | (prefix & ~free)) & ~mask;
  w[at + W_MASK] = mask;
}

/** Bounds → tnum: leading bits that the bounds agree on. */
function boundOffset(w: Words, at: number): void {
  intersectRange(w, at, word(w, at + W_UMIN + HI), word(w, at + W_UMIN + LO), word(w, at + W_UMAX + HI), word(w, at + W_UMAX + LO));
  const min = word(w, at + W_U32_MIN);
  intersectWord(w, at + LO, min, lowOnes(32 - Math.clz32(min ^ word(w, at + W_U32_MAX))));
}

/** A constant whose nine views already agree: no deduction can change it. */
function isSettledConst(w: Words, at: number): boolean {
  return (word(w, at + W_MASK) | word(w, at + W_MASK + 1)) === 0 && isConstBounds64(w, at) && isConstBounds32(w, at);
}

const isConstBounds64 = (w: Words, at: number): boolean =>
  same64(w, at + W_VALUE, at + W_UMIN) && same64(w, at + W_VALUE, at + W_UMAX) && same64(w, at + W_VALUE, at + W_SMIN) && same64(w, at + W_VALUE, at + W_SMAX);

function isConstBounds32(w: Words, at: number): boolean {
  const half = w[at + W_VALUE + LO];
  return w[at + W_U32_MIN] === half && w[at + W_U32_MAX] === half && w[at + W_S32_MIN] === half && w[at + W_S32_MAX] === half;
}

/** Brings the tnum and all bounds into step: three rounds of deduction between two passes over the tnum. */
export function regBoundsSync(reg: RegState): void {
  const w = reg.store.s32;
  const { at } = reg;
  if (isSettledConst(w, at)) return;
  updateRegBounds(reg);
  for (let round = 0; round < 3; round++) {
    deduce32(w, at);
    deduce64(w, at);
    deduceMixed(w, at);
  }
  boundOffset(w, at);
  updateRegBounds(reg);
}

// Bounds that contradict each other.

function boundsViolation(reg: RegState): string | undefined {
  const w = reg.store.s32;
  const { at } = reg;
  const crossed64 = lessUnsignedAt(w, at + W_UMAX, at + W_UMIN) || lessSignedAt(w, at + W_SMAX, at + W_SMIN);
  if (crossed64 || reg.u32MinValue > reg.u32MaxValue || reg.s32MinValue > reg.s32MaxValue) return 'range bounds violation';
  if (reg.isConst && !isConstBounds64(w, at)) return 'const tnum out of sync with range bounds';
  if (w[at + W_MASK + LO] === 0 && !isConstBounds32(w, at)) return 'const subreg tnum out of sync with range bounds';
  return undefined;
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
