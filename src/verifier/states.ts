// Pruning: at instructions where paths meet, a path ends when an older state covers it; otherwise the state may be remembered for later paths.
// Source: behaviour of is_state_visited and clean_live_states, Linux 6.18.

import { EINVAL } from '../spec/errno.ts';
import { BPF_COMPLEXITY_LIMIT_STATES } from '../spec/limits.ts';
import { BPF_REG_FP } from '../spec/opcodes.ts';
import { markAllScalarsImprecise } from './backtrack.ts';
import { isMayGoto } from './cfg.ts';
import type { Insn } from '../insn/insn.ts';
import type { InsnAux, VerifierEnv } from './env.ts';
import { RememberedState } from './explored.ts';
import type { FuncState } from './func-state.ts';
import { pushJmpHistory } from './jmp-history.ts';
import { verboseLinfo } from './linfo.ts';
import { printVerifierState } from './log-state.ts';
import { markRegNotInit } from './mark-reg.ts';
import { propagatePrecision } from './propagate.ts';
import { maybeFreeState } from './push-stack.ts';
import type { RegState } from './reg-state.ts';
import { addSccBackedge, incompleteReadMarks, maybeEnterScc, updatePeakStates } from './scc-visits.ts';
import { SLOT_BYTES, STACK_INVALID } from './stack-state.ts';
import { EXACT, NOT_EXACT, RANGE_WITHIN, sameCallsites, statesEqual, statesMaybeLooping } from './states-equal.ts';
import { frameInsnIdx, type VerifierState } from './verifier-state.ts';

const MAX_JMP_HISTORY = 40;
/** What the search at one instruction needs to know. */
interface Search {
  readonly insnIdx: number;
  readonly aux: InsnAux;
  readonly force: boolean;
  add: boolean;
  /** The state that matches (or was compared last when all its paths were walked) has marks that are not final. */
  inLoop: boolean;
}

/** Whether the current path may end at `insnIdx` because an older state covers it; if not, the state may be remembered. */
export function isStateVisited(env: VerifierEnv, insnIdx: number): boolean {
  const aux = env.aux[insnIdx] as InsnAux;
  const force = env.testStateFreq || aux.forceCheckpoint || env.state.jmpHistory.length > MAX_JMP_HISTORY;
  const ripe = env.jmpsProcessed - env.prevJmpsProcessed >= 2 && env.insnProcessed - env.prevInsnProcessed >= 8;
  const search: Search = { insnIdx, aux, force, add: force || ripe, inLoop: false };
  const bucket = env.explored.bucket(insnIdx, env.frame.callsite);
  cleanLiveStates(env, bucket, insnIdx);
  let count = 0;
  for (let i = bucket.length - 1; i >= 0; i--) {
    const record = bucket[i] as RememberedState;
    count++;
    if (record.state.insnIdx !== insnIdx) continue;
    if (covers(env, record.state, search)) {
      hit(env, record, search.inLoop, insnIdx);
      return true;
    }
    if (miss(env, record, search)) bucket.splice(i, 1);
  }
  if (count > env.maxStatesPerInsn) env.maxStatesPerInsn = count;
  if (!env.bpfCapable && count > BPF_COMPLEXITY_LIMIT_STATES) return false;
  if (search.add) remember(env, bucket, insnIdx);
  return false;
}

function covers(env: VerifierEnv, old: VerifierState, search: Search): boolean {
  if (old.branches > 0) return openCovers(env, old, search);
  search.inLoop = incompleteReadMarks(env, old);
  return statesEqual(env, old, env.state, search.inLoop ? RANGE_WITHIN : NOT_EXACT);
}

/** The old state is on the current path: meeting it again is a loop. */
function openCovers(env: VerifierEnv, old: VerifierState, search: Search): boolean {
  const cur = env.state;
  const { frame } = old;
  const otherEntry = frame.inAsyncCallbackFn && frame.asyncEntryCount !== cur.frame.asyncEntryCount;
  if (!otherEntry) {
    if (isMayGoto(env.insns[search.insnIdx] as Insn) && old.mayGotoDepth !== cur.mayGotoDepth && statesEqual(env, old, cur, RANGE_WITHIN)) {
      search.inLoop = true;
      return true;
    }
    if (search.aux.callsCallback) {
      // The kernel counts no backedge here: it takes over what the state compared before this one left behind.
      if (statesEqual(env, old, cur, RANGE_WITHIN)) return true;
    } else {
      checkInfiniteLoop(env, old, search.insnIdx);
    }
  }
  const soon = env.jmpsProcessed - env.prevJmpsProcessed < 20 && env.insnProcessed - env.prevInsnProcessed < 100;
  if (!search.force && soon) search.add = false;
  return false;
}

function checkInfiniteLoop(env: VerifierEnv, old: VerifierState, insnIdx: number): void {
  const cur = env.state;
  if (!statesMaybeLooping(old, cur) || !statesEqual(env, old, cur, EXACT)) return;
  if (old.mayGotoDepth !== cur.mayGotoDepth || old.callbackUnrollDepth !== cur.callbackUnrollDepth) return;
  verboseLinfo(env, insnIdx, '; ');
  env.log.verbose(`infinite loop detected at insn ${insnIdx}\n`);
  env.log.verbose('cur state:');
  printVerifierState(env, cur, cur.curframe, true);
  env.log.verbose('old state:');
  printVerifierState(env, old, cur.curframe, true);
  env.reject(EINVAL);
}

function hit(env: VerifierEnv, record: RememberedState, inLoop: boolean, insnIdx: number): void {
  record.hitCount++;
  if ((env.aux[env.insnIdx] as InsnAux).jmpPoint) pushJmpHistory(env, 0, 0n);
  propagatePrecision(env, record.state, env.state);
  if (!inLoop) return;
  const backedge = env.pool.clone(env.state);
  backedge.equalState = record.state;
  backedge.insnIdx = insnIdx;
  addSccBackedge(env, record.state, backedge);
}

/** Counts a miss; true when the state has missed so often that it is dropped. */
function miss(env: VerifierEnv, record: RememberedState, search: Search): boolean {
  if (search.add) record.missCount++;
  const patience = search.aux.forceCheckpoint && record.state.branches > 0 ? 64 : 3;
  if (record.missCount <= record.hitCount * patience + patience) return false;
  record.inFreeList = true;
  env.explored.freeListCount++;
  env.explored.count--;
  maybeFreeState(env, record);
  return true;
}

function remember(env: VerifierEnv, bucket: RememberedState[], insnIdx: number): void {
  const cur = env.state;
  env.totalStates++;
  env.explored.count++;
  updatePeakStates(env);
  env.prevJmpsProcessed = env.jmpsProcessed;
  env.prevInsnProcessed = env.insnProcessed;
  if (env.bpfCapable) markAllScalarsImprecise(cur);
  const state = env.pool.clone(cur);
  state.insnIdx = insnIdx;
  maybeEnterScc(env, state);
  const record = new RememberedState(state);
  env.explored.records.set(state, record);
  bucket.push(record);
  cur.parent = state;
  cur.firstInsnIdx = insnIdx;
  cur.dfsDepth = state.dfsDepth + 1;
  cur.jmpHistory = [];
}

/** Forgets what is dead in remembered states that are completely walked, so that more states match them. */
function cleanLiveStates(env: VerifierEnv, bucket: readonly RememberedState[], insnIdx: number): void {
  for (let i = bucket.length - 1; i >= 0; i--) {
    const { state } = bucket[i] as RememberedState;
    if (state.branches > 0 || state.insnIdx !== insnIdx || state.cleaned) continue;
    if (!sameCallsites(state, env.state) || incompleteReadMarks(env, state)) continue;
    cleanState(env, state);
  }
}

function cleanState(env: VerifierEnv, state: VerifierState): void {
  env.liveStack.prepareQuery(state);
  state.cleaned = true;
  for (let frameno = 0; frameno <= state.curframe; frameno++) {
    const frame = state.frames[frameno] as FuncState;
    const live = (env.aux[frameInsnIdx(state, frameno)] as InsnAux).liveRegsBefore;
    for (let regno = 0; regno < BPF_REG_FP; regno++) if ((live & (1 << regno)) === 0) markRegNotInit(env, frame.regs[regno] as RegState);
    for (let spi = 0; spi < frame.stack.slots; spi++) {
      if (env.liveStack.isAlive(frameno, spi)) continue;
      markRegNotInit(env, frame.stack.spilled(spi));
      frame.stack.slotTypes.fill(STACK_INVALID, spi * SLOT_BYTES, (spi + 1) * SLOT_BYTES);
    }
  }
}
