// Loops whose paths are not all walked: marks of their states are not final, so what pruned inside is propagated again when the loop is left.
// Source: behaviour of maybe_enter_scc, maybe_exit_scc, add_scc_backedge and propagate_backedges, Linux 6.18.

import { markAllScalarsPrecise } from './backtrack.ts';
import type { InsnAux, VerifierEnv } from './env.ts';
import { SccVisit } from './explored.ts';
import { propagatePrecision } from './propagate.ts';
import { frameInsnIdx, type VerifierState } from './verifier-state.ts';

const MAX_BACKEDGE_ITERS = 64;

/** The frame that is in a loop, outermost first; -1 when none is. */
function loopFrame(env: VerifierEnv, state: VerifierState): number {
  for (let frameno = 0; frameno <= state.curframe; frameno++) if ((env.aux[frameInsnIdx(state, frameno)] as InsnAux).scc !== 0) return frameno;
  return -1;
}

function lookup(env: VerifierEnv, state: VerifierState, frameno: number): SccVisit | undefined {
  const { scc } = env.aux[frameInsnIdx(state, frameno)] as InsnAux;
  const visits = env.explored.visits[scc];
  return visits?.find((visit) => visit.callsites.length === frameno && visit.callsites.every((callsite, i) => callsite === frameInsnIdx(state, i)));
}

/** A state is remembered: if it is in a loop that is not being walked, it is where the loop was entered. */
export function maybeEnterScc(env: VerifierEnv, state: VerifierState): void {
  const frameno = loopFrame(env, state);
  if (frameno < 0) return;
  let visit = lookup(env, state, frameno);
  if (visit === undefined) {
    const { scc } = env.aux[frameInsnIdx(state, frameno)] as InsnAux;
    visit = new SccVisit(Array.from({ length: frameno }, (_, i) => frameInsnIdx(state, i)), scc);
    (env.explored.visits[scc] ??= []).push(visit);
  }
  if (visit.entryState !== undefined) return;
  visit.entryState = state;
  if (env.log.isVerbose) env.log.verbose(`SCC enter ${visit.text}\n`);
}

/** All paths from a state are walked: if the loop was entered there, its marks are completed now. */
export function maybeExitScc(env: VerifierEnv, state: VerifierState): void {
  const frameno = loopFrame(env, state);
  if (frameno < 0) return;
  const visit = lookup(env, state, frameno);
  if (visit === undefined) {
    if (!state.speculative) env.bug('scc exit: no visit info for call chain');
    return;
  }
  if (visit.entryState !== state) return;
  if (env.log.isVerbose) env.log.verbose(`SCC exit ${visit.text}\n`);
  visit.entryState = undefined;
  env.explored.backedgeCount -= visit.counted;
  visit.counted = 0;
  updatePeakStates(env);
  propagateBackedges(env, visit);
}

/** A path in a loop came back to `state`, which is still being walked; `backedge` is a copy of where the path was. */
export function addSccBackedge(env: VerifierEnv, state: VerifierState, backedge: VerifierState): void {
  const frameno = loopFrame(env, state);
  const visit = frameno < 0 ? undefined : lookup(env, state, frameno);
  if (visit === undefined) return env.bug('add backedge: no SCC in verification path');
  if (env.log.isVerbose) env.log.verbose(`SCC backedge ${visit.text}\n`);
  visit.backedges.unshift(backedge);
  visit.counted++;
  env.explored.backedgeCount++;
  updatePeakStates(env);
}

/** Whether a state's marks may still grow because its loop is not completely walked. */
export function incompleteReadMarks(env: VerifierEnv, state: VerifierState): boolean {
  const frameno = loopFrame(env, state);
  if (frameno < 0) return false;
  const visit = lookup(env, state, frameno);
  return visit !== undefined && visit.backedges.length > 0;
}

/** Keeps the high-water mark of remembered states. */
export function updatePeakStates(env: VerifierEnv): void {
  if (env.explored.total > env.peakStates) env.peakStates = env.explored.total;
}

function propagateBackedges(env: VerifierEnv, visit: SccVisit): void {
  for (let round = 1, changed = true; changed; round++) {
    if (round > MAX_BACKEDGE_ITERS) {
      if (env.log.isVerbose) env.log.verbose('propagate_backedges: too many iterations\n');
      for (const state of visit.backedges) markAllScalarsPrecise(env, state);
      break;
    }
    changed = false;
    for (const state of visit.backedges) {
      if (propagatePrecision(env, state.equalState as VerifierState, state)) changed = true;
    }
  }
  for (const state of visit.backedges) env.pool.releaseState(state);
  visit.backedges = [];
}
