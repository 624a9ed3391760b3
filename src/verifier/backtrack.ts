// Precision: when a scalar's exact value turns out to matter, walks the path backwards and marks everything it was computed from.
// Invariant: marks are set in remembered (parent) states only; in the current state they don't matter.
// Source: behaviour of mark_chain_precision and mark_all_scalars_precise, Linux 6.18.

import { BPF_REG_FP } from '../spec/opcodes.ts';
import { SCALAR_VALUE } from '../spec/verifier-types.ts';
import { backtrackInsn } from './backtrack-insn.ts';
import type { VerifierEnv } from './env.ts';
import type { FuncState } from './func-state.ts';
import { jmpHistoryEntryAt } from './jmp-history.ts';
import { printVerifierState } from './log-state.ts';
import type { RegState } from './reg-state.ts';
import { isSpilledSlot } from './stack-state.ts';
import type { VerifierState } from './verifier-state.ts';

const ARG_REGS = 0x3e;

/** Whether something could not be traced: every scalar of the path is then precise. */
const NOT_TRACEABLE = Symbol('not traceable');
type Traced = boolean | typeof NOT_TRACEABLE;

/** Register `regno` of the current frame, a scalar, is used in a way that depends on its exact value. Does nothing without CAP_BPF. */
export function markChainPrecision(env: VerifierEnv, regno: number): void {
  if (!env.bpfCapable) return;
  if ((env.regs[regno] as RegState).type !== SCALAR_VALUE) env.verifierBug('backtracking misuse');
  env.bt.frame = env.state.curframe;
  env.bt.setReg(regno);
  markChainPrecisionBatch(env, env.state);
}

/** Traces what `env.bt` holds, from the end of `start`'s path. Returns whether any state gained a mark. */
export function markChainPrecisionBatch(env: VerifierEnv, start: VerifierState): boolean {
  if (!env.bpfCapable) return false;
  const { bt } = env;
  bt.frame = start.curframe;
  if (bt.isEmpty) return false;
  const walk = { changed: false };
  const traced = walkStates(env, start, walk);
  if (traced === NOT_TRACEABLE || !bt.isEmpty) {
    markAllScalarsPrecise(env, start);
    bt.reset();
  }
  return walk.changed;
}

function walkStates(env: VerifierEnv, start: VerifierState, walk: { changed: boolean }): Traced {
  const { bt } = env;
  let state: VerifierState | undefined = start;
  let lastIdx = start.insnIdx;
  let firstIdx = start.firstInsnIdx;
  let subseqIdx = -1;
  let skipFirst = true;
  while (state !== undefined) {
    if (env.log.isVerbose) env.log.verbose(`mark_precise: frame${bt.frame}: last_idx ${lastIdx} first_idx ${firstIdx} subseq_idx ${subseqIdx} \n`);
    if (lastIdx < 0) return markFuncEntry(env, state, walk);
    const traced: Traced = walkInsns(env, state, lastIdx, subseqIdx, skipFirst);
    if (traced !== false) return traced;
    skipFirst = false;
    subseqIdx = firstIdx;
    state = state.parent;
    if (state === undefined) break;
    markState(env, state, walk);
    if (bt.isEmpty) return true;
    lastIdx = state.lastInsnIdx;
    firstIdx = state.firstInsnIdx;
  }
  return true;
}

/** Walks one state's part of the path backwards. True when nothing is left to trace, false at the start of the state. */
function walkInsns(env: VerifierEnv, state: VerifierState, lastIdx: number, subseq: number, skipFirst: boolean): Traced {
  let history = state.jmpHistory.length;
  let subseqIdx = subseq;
  let skip = skipFirst;
  for (let i = lastIdx; ;) {
    if (!skip) {
      const entry = jmpHistoryEntryAt(state, history, i);
      if (!backtrackInsn(env, i, subseqIdx, entry)) return NOT_TRACEABLE;
    }
    skip = false;
    if (env.bt.isEmpty) return true;
    subseqIdx = i;
    if (i === state.firstInsnIdx && (history === 0 || (history === 1 && state.jmpHistory[0]?.idx === i))) return false;
    const entry = jmpHistoryEntryAt(state, history, i);
    if (entry === undefined) {
      i--;
    } else {
      i = entry.prevIdx;
      history--;
    }
    if (i < 0 || i >= env.insns.length) env.verifierBug(`backtracking idx ${i}`);
  }
}

/** The start of a global function that is checked on its own: its arguments may be asked to be precise. */
function markFuncEntry(env: VerifierEnv, state: VerifierState, walk: { changed: boolean }): Traced {
  const { bt } = env;
  const frame = state.frames[0] as FuncState;
  const isGlobal = state.curframe === 0 && frame.subprogno > 0 && frame.callsite < 0;
  if (!isGlobal || bt.hasSlots() || (bt.regMask & ~ARG_REGS) !== 0) {
    env.verifierBug(`backtracking func entry subprog ${frame.subprogno} reg_mask ${bt.regMask.toString(16)} stack_mask ${bt.stackMask().toString(16)}`);
  }
  for (let regno = 1; regno <= 5; regno++) {
    if (!bt.hasReg(regno)) continue;
    bt.clearReg(regno);
    const reg = frame.regs[regno] as RegState;
    if (reg.type !== SCALAR_VALUE) continue;
    reg.precise = true;
    walk.changed = true;
  }
  return true;
}

/** Marks what is traced in a remembered state; what is marked already, or no scalar, needs no further tracing. */
function markState(env: VerifierEnv, state: VerifierState, walk: { changed: boolean }): void {
  const { bt } = env;
  for (let frameno = bt.frame; frameno >= 0; frameno--) {
    const frame = state.frames[frameno];
    // An abnormal return walked back: 6.18.44 counts one frame too many here and writes beyond its own arrays.
    if (frame === undefined) env.verifierBug(`backtracking frame ${frameno} of ${state.frames.length}`);
    for (let regno = 0; regno < 32; regno++) {
      if (!bt.hasReg(regno, frameno)) continue;
      if (markOne(frame.regs[regno] as RegState, walk)) bt.clearReg(regno, frameno);
    }
    for (let spi = 0; spi < 64; spi++) {
      if (!bt.hasSlot(frameno, spi)) continue;
      if (spi >= frame.stack.slots) {
        env.verifierBug(`stack slot ${spi}, total slots ${frame.stack.slots} (i >= func->allocated_stack / BPF_REG_SIZE)`);
      };
      if (!isSpilledSlot(frame.stack, spi) || markOne(frame.stack.spilled(spi), walk)) bt.clearSlot(frameno, spi);
    }
    if (!env.log.isVerbose) continue;
    env.log.verbose(`mark_precise: frame${frameno}: parent state regs=${bt.regText(frameno)} stack=${bt.stackText(frameno)}: `);
    printVerifierState(env, state, frameno, true);
  }
}

/** Marks a scalar; true when there is nothing more to trace for it. */
function markOne(reg: RegState, walk: { changed: boolean }): boolean {
  if (reg.type !== SCALAR_VALUE || reg.precise) return true;
  reg.precise = true;
  walk.changed = true;
  return false;
}

/** Marks every scalar of every state that led to `start` precise. */
export function markAllScalarsPrecise(env: VerifierEnv, start: VerifierState): void {
  if (env.log.isVerbose) env.log.verbose(`mark_precise: frame${start.curframe}: falling back to forcing all scalars precise\n`);
  for (let state = start.parent; state !== undefined; state = state.parent) {
    forEachScalar(state, (reg, frameno, name) => {
      if (reg.precise) return;
      reg.precise = true;
      if (env.log.isVerbose) env.log.verbose(`force_precise: frame${frameno}: forcing ${name()} to be precise\n`);
    });
  }
}

/** Forgets the marks of a state that is about to be remembered: its continuation will set those that it needs. */
export function markAllScalarsImprecise(state: VerifierState): void {
  forEachScalar(state, (reg) => { reg.precise = false; });
}

function forEachScalar(state: VerifierState, visit: (reg: RegState, frameno: number, name: () => string) => void): void {
  for (let frameno = 0; frameno <= state.curframe; frameno++) {
    const frame = state.frames[frameno] as FuncState;
    for (let regno = 0; regno < BPF_REG_FP; regno++) {
      const reg = frame.regs[regno] as RegState;
      if (reg.type === SCALAR_VALUE) visit(reg, frameno, () => `r${regno}`);
    }
    for (let spi = 0; spi < frame.stack.slots; spi++) {
      if (!isSpilledSlot(frame.stack, spi)) continue;
      const reg = frame.stack.spilled(spi);
      if (reg.type === SCALAR_VALUE) visit(reg, frameno, () => `fp${-(spi + 1) * 8}`);
    }
  }
}
