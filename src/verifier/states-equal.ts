// Does an older state, already found safe, cover the current one? Then the rest of the path need not be walked again.
// Invariant: comparing changes nothing but the scratch map of ids; ids match when a one-to-one renaming exists.
// Source: behaviour of states_equal, regsafe, stacksafe and refsafe, Linux 6.18.

import { BPF_ADD_CONST, MAX_BPF_REG } from '../spec/limits.ts';
import {
  baseType, NOT_INIT, PTR_TO_ARENA, PTR_TO_BUF, PTR_TO_MAP_KEY, PTR_TO_MAP_VALUE, PTR_TO_MEM, PTR_TO_PACKET, PTR_TO_PACKET_META, PTR_TO_STACK,
  PTR_TO_TP_BUFFER, SCALAR_VALUE,
} from '../spec/verifier-types.ts';
import type { InsnAux, VerifierEnv } from './env.ts';
import type { FuncState } from './func-state.ts';
import { IdMap } from './id-map.ts';
import { markRegUnknownImprecise } from './mark-reg.ts';
import { RegState } from './reg-state.ts';
import { isSpilledSlot, SLOT_BYTES, STACK_INVALID, STACK_MISC, STACK_SPILL, STACK_ZERO, type StackState } from './stack-state.ts';
import { tnumIn } from './tnum.ts';
import { frameInsnIdx, REF_TYPE_PTR, type ReferenceState, type VerifierState } from './verifier-state.ts';

/** Dead and imprecise things don't count. */
export const NOT_EXACT = 0;
/** Everything counts: for finding endless loops. */
export const EXACT = 1;
/** All ranges count, precise or not: for states whose marks are not final. */
export const RANGE_WITHIN = 2;

const unboundReg = new RegState();
markRegUnknownImprecise(unboundReg);

/** Whether the path from `cur` on needs no walking because `old` covers it. */
export function statesEqual(env: VerifierEnv, old: VerifierState, cur: VerifierState, exact: number): boolean {
  if (old.curframe !== cur.curframe) return false;
  const ids = env.idMap;
  ids.reset(env.lastId);
  if (old.speculative && !cur.speculative) return false;
  if (old.inSleepable !== cur.inSleepable) return false;
  if (!refsafe(old, cur, ids)) return false;
  for (let frameno = 0; frameno <= old.curframe; frameno++) {
    const oldFrame = old.frames[frameno] as FuncState;
    const curFrame = cur.frames[frameno] as FuncState;
    if (oldFrame.callsite !== curFrame.callsite) return false;
    if (!framesEqual(env, oldFrame, curFrame, frameInsnIdx(old, frameno), exact)) return false;
  }
  return true;
}

function framesEqual(env: VerifierEnv, old: FuncState, cur: FuncState, insnIdx: number, exact: number): boolean {
  if (old.callbackDepth > cur.callbackDepth) return false;
  const live = (env.aux[insnIdx] as InsnAux).liveRegsBefore;
  for (let regno = 0; regno < MAX_BPF_REG; regno++) {
    if ((live & (1 << regno)) !== 0 && !regsafe(env, old.regs[regno] as RegState, cur.regs[regno] as RegState, exact)) return false;
  }
  return stacksafe(env, old.stack, cur.stack, exact);
}

const regsExact = (env: VerifierEnv, old: RegState, cur: RegState): boolean =>
  old.sameButIds(cur) && env.idMap.check(old.id, cur.id) && env.idMap.check(old.refObjId, cur.refObjId);

/** The current range lies within the old one. */
const rangeWithin = (old: RegState, cur: RegState): boolean =>
  old.uminValue <= cur.uminValue && old.umaxValue >= cur.umaxValue && old.sminValue <= cur.sminValue && old.smaxValue >= cur.smaxValue &&
  old.u32MinValue <= cur.u32MinValue && old.u32MaxValue >= cur.u32MaxValue && old.s32MinValue <= cur.s32MinValue && old.s32MaxValue >= cur.s32MaxValue;

const valuesWithin = (old: RegState, cur: RegState): boolean =>
  rangeWithin(old, cur) && tnumIn(old.varValue, old.varMask, cur.varValue, cur.varMask);

/** Whether what was safe with `old` in a register is safe with `cur`. */
export function regsafe(env: VerifierEnv, old: RegState, cur: RegState, exact: number): boolean {
  if (exact === EXACT) return regsExact(env, old, cur);
  const { type } = old;
  if (type === NOT_INIT && (exact === NOT_EXACT || cur.type === NOT_INIT)) return true;
  if (type !== cur.type) return false;
  switch (baseType(type)) {
    case SCALAR_VALUE: return scalarSafe(env, old, cur, exact);
    case PTR_TO_MAP_KEY: case PTR_TO_MAP_VALUE: case PTR_TO_MEM: case PTR_TO_BUF: case PTR_TO_TP_BUFFER:
      return old.sameKind(cur) && valuesWithin(old, cur) && env.idMap.check(old.id, cur.id) && env.idMap.check(old.refObjId, cur.refObjId);
    case PTR_TO_PACKET_META: case PTR_TO_PACKET:
      // A negative range says that the pointer is at or beyond the packet's end.
      if (old.extra < 0 || cur.extra < 0 ? old.extra !== cur.extra : old.extra > cur.extra) return false;
      return old.off === cur.off && env.idMap.check(old.id, cur.id) && valuesWithin(old, cur);
    case PTR_TO_STACK: return regsExact(env, old, cur) && old.frameno === cur.frameno;
    case PTR_TO_ARENA: return true;
    default: return regsExact(env, old, cur);
  }
}

function scalarSafe(env: VerifierEnv, old: RegState, cur: RegState, exact: number): boolean {
  if (env.exploreAluLimits) return old.sameButIds(cur) && env.idMap.checkScalar(old.id, cur.id);
  if (!old.precise && exact === NOT_EXACT) return true;
  const oldSum = old.id & BPF_ADD_CONST;
  if (old.id !== 0 && oldSum !== (cur.id & BPF_ADD_CONST)) return false;
  if (oldSum !== 0 && old.off !== cur.off) return false;
  return valuesWithin(old, cur) && env.idMap.checkScalar(old.id, cur.id);
}

/** A slot that reads as one 64-bit scalar: a whole spilled one, or bytes that nobody knows. */
function scalarRegForStack(env: VerifierEnv, stack: StackState, spi: number): RegState | undefined {
  const from = spi * SLOT_BYTES;
  if (stack.slotTypes[from] === STACK_SPILL && isSpilledSlot(stack, spi) && stack.spilled(spi).type === SCALAR_VALUE) return stack.spilled(spi);
  for (let i = from; i < from + SLOT_BYTES; i++) {
    const type = stack.slotTypes[i];
    if (type !== STACK_MISC && !(type === STACK_INVALID && env.allowUninitStack)) return undefined;
  }
  return unboundReg;
}

function stacksafe(env: VerifierEnv, old: StackState, cur: StackState, exact: number): boolean {
  for (let spi = 0; spi < old.slots; spi++) if (!slotSafe(env, old, cur, spi, exact)) return false;
  return true;
}

function slotSafe(env: VerifierEnv, old: StackState, cur: StackState, spi: number, exact: number): boolean {
  for (let i = spi * SLOT_BYTES; i < (spi + 1) * SLOT_BYTES; i++) {
    const type = old.slotTypes[i] as number;
    const have = i < cur.allocatedBytes;
    const curType = have ? (cur.slotTypes[i] as number) : STACK_INVALID;
    if (exact !== NOT_EXACT && (!have || type !== curType)) return false;
    if (type === STACK_INVALID || (env.allowUninitStack && type === STACK_MISC)) continue;
    if (!have) return false;
    const oldReg = scalarRegForStack(env, old, spi);
    const curReg = oldReg === undefined ? undefined : scalarRegForStack(env, cur, spi);
    // The whole slot is compared at once.
    if (oldReg !== undefined && curReg !== undefined) return regsafe(env, oldReg, curReg, exact);
    if (type === STACK_MISC && curType === STACK_ZERO) continue;
    if (type !== curType) return false;
    if ((i & 7) !== 7) continue;
    if (type === STACK_SPILL && !regsafe(env, old.spilled(spi), cur.spilled(spi), exact)) return false;
    if (type !== STACK_SPILL && type !== STACK_MISC && type !== STACK_ZERO) return false;
  }
  return true;
}

function refsafe(old: VerifierState, cur: VerifierState, ids: IdMap): boolean {
  if (old.refs.length !== cur.refs.length || old.activeLocks !== cur.activeLocks) return false;
  if (old.activePreemptLocks !== cur.activePreemptLocks || old.activeRcuLock !== cur.activeRcuLock) return false;
  if (!ids.check(old.activeIrqId, cur.activeIrqId)) return false;
  if (!ids.check(old.activeLockId, cur.activeLockId) || old.activeLockPtr !== cur.activeLockPtr) return false;
  return old.refs.every((ref, i) => {
    const other = cur.refs[i] as ReferenceState;
    return ids.check(ref.id, other.id) && ref.type === other.type && (ref.type === REF_TYPE_PTR || ref.lockPtr === other.lockPtr);
  });
}

/** A quick look whether the current frame's registers are the same, before states are compared exactly. */
export function statesMaybeLooping(old: VerifierState, cur: VerifierState): boolean {
  if (old.curframe !== cur.curframe) return false;
  return old.frame.regs.every((reg, regno) => {
    const other = cur.frame.regs[regno] as RegState;
    return reg.id === other.id && reg.refObjId === other.refObjId && reg.sameButIds(other);
  });
}

/** True when both states were reached through the same calls. */
export function sameCallsites(a: VerifierState, b: VerifierState): boolean {
  return a.curframe === b.curframe && a.frames.every((frame, i) => frame.callsite === (b.frames[i] as FuncState).callsite);
}
