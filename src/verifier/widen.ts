// Loops whose number of rounds nobody tells (may_goto, callbacks): what changed since the last round and isn't precise becomes unknown,
// so that the rounds converge.
// Source: behaviour of find_prev_entry and widen_imprecise_scalars, Linux 6.18.

import { MAX_BPF_REG } from '../spec/limits.ts';
import { SCALAR_VALUE } from '../spec/verifier-types.ts';
import type { VerifierEnv } from './env.ts';
import type { FuncState } from './func-state.ts';
import { markRegUnknown } from './mark-reg.ts';
import type { RegState } from './reg-state.ts';
import { isSpilledSlot } from './stack-state.ts';
import { sameCallsites } from './states-equal.ts';
import type { VerifierState } from './verifier-state.ts';

/** The newest state remembered at `insnIdx` on the path to `cur`, through the same calls. */
export function findPrevEntry(env: VerifierEnv, cur: VerifierState, insnIdx: number): VerifierState | undefined {
  const bucket = env.explored.bucket(insnIdx, env.frame.callsite);
  for (let i = bucket.length - 1; i >= 0; i--) {
    const state = bucket[i]?.state;
    if (state === undefined || state.insnIdx !== insnIdx || state.branches === 0) continue;
    if (sameCallsites(state, cur) && state.dfsDepth < cur.dfsDepth) return state;
  }
  return undefined;
}

/** Makes scalars of `cur` unknown that differ from `old`'s and are precise in neither. */
export function widenImpreciseScalars(env: VerifierEnv, old: VerifierState, cur: VerifierState): void {
  env.idMap.reset(env.lastId);
  for (let frameno = old.curframe; frameno >= 0; frameno--) {
    const oldFrame = old.frames[frameno] as FuncState;
    const curFrame = cur.frames[frameno] as FuncState;
    for (let regno = 0; regno < MAX_BPF_REG; regno++) maybeWiden(env, oldFrame.regs[regno] as RegState, curFrame.regs[regno] as RegState);
    const slots = Math.min(oldFrame.stack.slots, curFrame.stack.slots);
    for (let spi = 0; spi < slots; spi++) {
      if (!isSpilledSlot(oldFrame.stack, spi) || !isSpilledSlot(curFrame.stack, spi)) continue;
      maybeWiden(env, oldFrame.stack.spilled(spi), curFrame.stack.spilled(spi));
    }
  }
}

function maybeWiden(env: VerifierEnv, old: RegState, cur: RegState): void {
  if (old.type !== SCALAR_VALUE || cur.type !== SCALAR_VALUE || old.precise || cur.precise) return;
  if (old.sameButIds(cur) && env.idMap.check(old.id, cur.id) && env.idMap.check(old.refObjId, cur.refObjId)) return;
  markRegUnknown(env, cur);
}
