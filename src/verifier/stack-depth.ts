// The stack that chains of calls need together.
// Source: behaviour of check_max_stack_depth, Linux 6.18 (JIT on x86-64: frames are rounded up to 16 bytes, no private stacks for packet programs).

import { isPseudoCall, isPseudoFunc } from '../insn/fields.ts';
import type { Insn } from '../insn/insn.ts';
import { E2BIG, EACCES } from '../spec/errno.ts';
import { MAX_BPF_STACK_TOTAL, MAX_CALL_FRAMES, MAX_TAIL_CALL_STACK } from '../spec/limits.ts';
import { roundUp } from '../util/bytes.ts';
import type { SubprogInfo, VerifierEnv } from './env.ts';

const FRAME_ALIGN = 16;

/** Rejects call chains that are too deep or need too much stack. */
export function checkMaxStackDepth(env: VerifierEnv): void {
  for (let subprogno = env.subprogs.length - 1; subprogno >= 0; subprogno--) {
    const subprog = env.subprogs[subprogno] as SubprogInfo;
    if (subprogno === 0 || subprog.isAsyncCallback) walkCallees(env, subprogno, 0, []);
  }
}

/** Adds a function's stack to `depth` and goes into its calls; `callers` are the functions on the way here. */
function walkCallees(env: VerifierEnv, subprogno: number, depth: number, callers: readonly number[]): void {
  const subprog = env.subprogs[subprogno] as SubprogInfo;
  if (subprogno > 0 && subprog.hasTailCall && depth >= MAX_TAIL_CALL_STACK) {
    env.reject(EACCES, `tail_calls are not allowed when call stack of previous frames is ${depth} bytes. Too large`);
  }
  const total = depth + roundUp(subprog.stackDepth, FRAME_ALIGN);
  if (total > MAX_BPF_STACK_TOTAL) env.reject(EACCES, `combined stack size of ${callers.length + 1} calls is ${total}. Too large`);
  const chain = [...callers, subprogno];
  for (let i = subprog.start; i < env.subprogEnd(subprogno); i++) {
    const insn = env.insns[i] as Insn;
    if (!isPseudoCall(insn) && !isPseudoFunc(insn)) continue;
    const callee = env.findSubprog(i + insn.imm + 1);
    const target = env.subprogs[callee] as SubprogInfo;
    if (target.isAsyncCallback && !isPseudoCall(insn)) continue;
    if (chain.length >= MAX_CALL_FRAMES) env.reject(E2BIG, `the call stack of ${chain.length} frames is too deep !`);
    if (target.hasTailCall) for (const caller of chain) (env.subprogs[caller] as SubprogInfo).tailCallReachable = true;
    walkCallees(env, callee, total, chain);
  }
}
