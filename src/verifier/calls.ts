// Calls of the program's own functions: a static one is walked in a frame of its own, a global one is trusted here and verified separately,
// a callback is queued as a path that comes back to the call.
// Source: behaviour of check_func_call, push_callback_call and prepare_func_exit, Linux 6.18.

import type { Insn } from '../insn/insn.ts';
import { E2BIG, EACCES, EINVAL } from '../spec/errno.ts';
import { ASYNC_CALLBACKS } from '../spec/helper-facts.ts';
import { MAX_CALL_FRAMES } from '../spec/limits.ts';
import { BPF_REG_0, BPF_REG_1, BPF_REG_5, BPF_REG_FP } from '../spec/opcodes.ts';
import { PTR_TO_STACK, SCALAR_VALUE } from '../spec/verifier-types.ts';
import { markChainPrecision } from './backtrack.ts';
import type { SubprogInfo, VerifierEnv } from './env.ts';
import { BPF_MAIN_FUNC, type FuncState } from './func-state.ts';
import { checkFuncArgs } from './func-args.ts';
import { printVerifierState } from './log-state.ts';
import { markRegKnownZero, markRegNotInit, markRegUnknown } from './mark-reg.ts';
import { pushStack } from './push-stack.ts';
import { forEachReg, markRegInvalid } from './refs.ts';
import { clearCallerSavedRegs } from './reg-arg.ts';
import { isPktPointerAny } from './reg-facts.ts';
import type { RegState } from './reg-state.ts';
import { rejectInvalidScalar } from './retval.ts';
import type { VerifierState } from './verifier-state.ts';
import { findPrevEntry, widenImpreciseScalars } from './widen.ts';

/** Sets the registers of a callee from its caller's; rejects what can't be called. */
export type SetCalleeState = (env: VerifierEnv, caller: FuncState, callee: FuncState) => void;

/** A fresh frame: nothing readable but the frame pointer. */
export function initFuncState(env: VerifierEnv, frame: FuncState, callsite: number, frameno: number, subprogno: number): void {
  frame.reset(callsite, frameno, subprogno);
  for (const reg of frame.regs) markRegNotInit(env, reg);
  const fp = frame.regs[BPF_REG_FP] as RegState;
  markRegKnownZero(fp);
  fp.type = PTR_TO_STACK;
  fp.frameno = frameno;
  env.markStateScratched();
}

const setCalleeState: SetCalleeState = (_env, caller, callee) => {
  for (let regno = BPF_REG_1; regno <= BPF_REG_5; regno++) (callee.regs[regno] as RegState).copyFrom(caller.regs[regno] as RegState);
};

function setupFuncEntry(env: VerifierEnv, subprogno: number, setState: SetCalleeState, state: VerifierState): void {
  if (state.curframe + 1 >= MAX_CALL_FRAMES) env.reject(E2BIG, `the call stack of ${state.curframe + 2} frames is too deep`);
  const callee = env.pool.take();
  initFuncState(env, callee, env.insnIdx, state.curframe + 1, subprogno);
  setState(env, state.frame, callee);
  state.frames[state.curframe + 1] = callee;
  state.curframe++;
}

/** Checks a bpf-to-bpf call; returns the instruction to go on with. */
export function checkFuncCall(env: VerifierEnv, insn: Insn): number {
  const subprogno = env.findSubprog(env.insnIdx + insn.imm + 1);
  if (subprogno < 0) env.bug('target of a call is no function');
  const subprog = env.subprogs[subprogno] as SubprogInfo;
  const caller = env.frame;
  const errno = checkFuncArgs(env, subprogno);
  if (subprog.isGlobal) return callGlobal(env, subprogno, errno);
  setupFuncEntry(env, subprogno, setCalleeState, env.state);
  clearCallerSavedRegs(env, caller);
  env.liveStack.resetCallchain();
  if (env.log.printsInsns) {
    env.log.verbose('caller:\n');
    printVerifierState(env, env.state, caller.frameno, true);
    env.log.verbose('callee:\n');
    printVerifierState(env, env.state, env.state.curframe, true);
  }
  return subprog.start;
}

function callGlobal(env: VerifierEnv, subprogno: number, errno: number): number {
  const subprog = env.subprogs[subprogno] as SubprogInfo;
  const { state } = env;
  if (state.activeLocks > 0) env.reject(EINVAL, 'global function calls are not allowed while holding a lock,\nuse static function instead');
  const atomic = state.activeRcuLock || state.activePreemptLocks > 0 || state.activeIrqId !== 0 || !state.inSleepable;
  if (subprog.mightSleep && atomic) {
    env.reject(EINVAL, 'global functions that may sleep are not allowed in non-sleepable context,\n' +
      'i.e., in a RCU/IRQ/preempt-disabled section, or in\na non-sleepable BPF program context');
  }
  if (errno !== 0) env.reject(errno, `Caller passes invalid args into func#${subprogno} ('${subprog.name}')`);
  env.log.verbose(`Func#${subprogno} ('${subprog.name}') is global and assumed valid.\n`);
  if (subprog.changesPktData) clearAllPktPointers(env);
  subprog.called = true;
  clearCallerSavedRegs(env, env.frame);
  markRegUnknown(env, env.regs[BPF_REG_0] as RegState);
  return env.insnIdx + 1;
}

function clearAllPktPointers(env: VerifierEnv): void {
  forEachReg(env.state, (reg) => {
    if (isPktPointerAny(reg)) markRegInvalid(env, reg);
  });
}

/** Queues the callback of a helper call; `setState` gives it its arguments. */
export function pushCallbackCall(env: VerifierEnv, insn: Insn, subprogno: number, setState: SetCalleeState): void {
  const subprog = env.subprogs[subprogno] as SubprogInfo;
  const caller = env.frame;
  checkFuncArgs(env, subprogno);
  subprog.isCallback = true;
  if (ASYNC_CALLBACKS.has(insn.imm)) return pushAsyncCallback(env, subprogno, caller, setState);
  const callback = pushStack(env, subprog.start, env.insnIdx, false);
  setupFuncEntry(env, subprogno, setState, callback);
  callback.callbackUnrollDepth++;
  (callback.frames[callback.curframe - 1] as FuncState).callbackDepth++;
  caller.callbackDepth = 0;
}

/** A callback that runs later, on a stack and in a context of its own. */
function pushAsyncCallback(env: VerifierEnv, subprogno: number, caller: FuncState, setState: SetCalleeState): void {
  const subprog = env.subprogs[subprogno] as SubprogInfo;
  subprog.isAsyncCallback = true;
  const state = pushStack(env, subprog.start, env.insnIdx, false);
  if (state.parent !== undefined) state.parent.branches--;
  env.pool.releaseState(state);
  state.parent = undefined;
  state.branches = 1;
  state.refs = [];
  state.jmpHistory = [];
  state.curframe = 0;
  state.dfsDepth = 0;
  state.insnIdx = 0;
  state.firstInsnIdx = 0;
  state.lastInsnIdx = 0;
  state.callbackUnrollDepth = 0;
  state.mayGotoDepth = 0;
  state.activeLocks = 0;
  state.activeLockId = 0;
  state.activeLockPtr = 0;
  state.equalState = undefined;
  const frame = env.pool.take();
  initFuncState(env, frame, BPF_MAIN_FUNC, 0, subprogno);
  state.frames = [frame];
  frame.asyncEntryCount = caller.asyncEntryCount + 1;
  setState(env, caller, frame);
}

/** Whether a returned scalar lies in [min, max]. */
export const retvalRangeWithin = (reg: RegState, min: number, max: number): boolean => BigInt(min) <= reg.sminValue && reg.smaxValue <= BigInt(max);

function checkCallbackReturn(env: VerifierEnv, callee: FuncState, r0: RegState): void {
  if (r0.type !== SCALAR_VALUE) env.reject(EACCES, 'R0 not a scalar value');
  markChainPrecision(env, BPF_REG_0);
  if (!retvalRangeWithin(r0, callee.callbackRetMin, callee.callbackRetMax)) {
    rejectInvalidScalar(env, r0, callee.callbackRetMin, callee.callbackRetMax, 'At callback return', 'R0');
  }
}

/** BPF_EXIT of a called function: back in the caller; returns the instruction to go on with. */
export function prepareFuncExit(env: VerifierEnv): number {
  const { state } = env;
  const callee = env.frame;
  const r0 = callee.regs[BPF_REG_0] as RegState;
  if (r0.type === PTR_TO_STACK) env.reject(EINVAL, 'cannot return stack pointer to the caller');
  const caller = state.frames[state.curframe - 1] as FuncState;
  if (callee.inCallbackFn) checkCallbackReturn(env, callee, r0);
  else (caller.regs[BPF_REG_0] as RegState).copyFrom(r0);
  const next = callee.inCallbackFn ? callee.callsite : callee.callsite + 1;
  if (env.log.printsInsns) {
    env.log.verbose('returning from callee:\n');
    printVerifierState(env, state, callee.frameno, true);
    env.log.verbose(`to caller at ${next}:\n`);
    printVerifierState(env, state, caller.frameno, true);
  }
  state.frames.pop();
  state.curframe--;
  const previous = callee.inCallbackFn ? findPrevEntry(env, state, next) : undefined;
  env.pool.release(callee);
  if (previous !== undefined) widenImpreciseScalars(env, previous, state);
  return next;
}
