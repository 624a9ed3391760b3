// Branches that wait to be walked: a stack of states, walked depth first.
// Source: behaviour of push_stack, pop_stack and update_branch_counts, Linux 6.18.

import { E2BIG } from '../spec/errno.ts';
import { BPF_COMPLEXITY_LIMIT_JMP_SEQ } from '../spec/limits.ts';
import type { PendingState, VerifierEnv } from './env.ts';
import type { RememberedState } from './explored.ts';
import { incompleteReadMarks, maybeExitScc } from './scc-visits.ts';
import type { VerifierState } from './verifier-state.ts';

/** Queues a copy of the current state to continue at `insnIdx`, and returns it for the caller to adjust. */
export function pushStack(env: VerifierEnv, insnIdx: number, prevInsnIdx: number, speculative: boolean): VerifierState {
  const state = env.pool.clone(env.state);
  state.speculative ||= speculative;
  env.pending.push({ state, insnIdx, prevInsnIdx, logPosition: env.log.position });
  if (env.pending.length > BPF_COMPLEXITY_LIMIT_JMP_SEQ) {
    env.reject(E2BIG, `The sequence of ${env.pending.length} jumps is too complex.`);
  }
  if (state.parent !== undefined) state.parent.branches++;
  return state;
}

/** Continues with the branch queued last; false when there is none. With `popLog`, forgets what was printed since it was queued. */
export function popStack(env: VerifierEnv, popLog: boolean): boolean {
  const pending: PendingState | undefined = env.pending.pop();
  if (pending === undefined) return false;
  env.pool.releaseState(env.state);
  env.state = pending.state;
  if (popLog) env.log.resetTo(pending.logPosition);
  env.insnIdx = pending.insnIdx;
  env.prevInsnIdx = pending.prevInsnIdx;
  return true;
}

/** A state that was dropped from its bucket is gone when nothing below it is being walked any more. */
export function maybeFreeState(env: VerifierEnv, record: RememberedState): void {
  if (!record.inFreeList || record.state.branches !== 0 || incompleteReadMarks(env, record.state)) return;
  env.explored.freeListCount--;
  env.explored.records.delete(record.state);
  env.pool.releaseState(record.state);
}

/** The current path has ended: states whose last branch this was are completely walked. */
export function updateBranchCounts(env: VerifierEnv, ended: VerifierState): void {
  let state: VerifierState | undefined = ended;
  let record: RememberedState | undefined;
  while (state !== undefined) {
    state.branches--;
    if (state.branches > 0) break;
    maybeExitScc(env, state);
    const parent: VerifierState | undefined = state.parent;
    const parentRecord = parent === undefined ? undefined : env.explored.records.get(parent);
    if (record !== undefined) maybeFreeState(env, record);
    state = parent;
    record = parentRecord;
  }
}
