// Reading and writing registers: every operand of every instruction passes here.
// Source: behaviour of check_reg_arg and mark_reg_* in Linux 6.18's verifier.

import { EACCES, EINVAL } from '../spec/errno.ts';
import { MAX_BPF_REG } from '../spec/limits.ts';
import { BPF_REG_FP } from '../spec/opcodes.ts';
import { NOT_INIT, SCALAR_VALUE } from '../spec/verifier-types.ts';
import type { VerifierEnv } from './env.ts';
import type { FuncState } from './func-state.ts';
import { markRegNotInit, markRegUnknown } from './mark-reg.ts';
import type { RegState } from './reg-state.ts';

/** The register is read. */
export const SRC_OP = 0;
/** The register is written and becomes an unknown scalar. */
export const DST_OP = 1;
/** The register is written; the caller sets its state. */
export const DST_OP_NO_MARK = 2;

/** Caller-saved registers r0 … r5. */
export const CALLER_SAVED_REGS = 6;

/** Checks register `regno` of the current frame as an operand; rejects unreadable, read-only and non-existing ones. */
export function checkRegArg(env: VerifierEnv, regno: number, use: number): void {
  if (regno >= MAX_BPF_REG) env.reject(EINVAL, `R${regno} is invalid`);
  env.markRegScratched(regno);
  const reg = env.regs[regno] as RegState;
  if (use === SRC_OP) {
    if (reg.type === NOT_INIT) env.reject(EACCES, `R${regno} !read_ok`);
    return;
  }
  if (regno === BPF_REG_FP) env.reject(EACCES, 'frame pointer is read only');
  if (use === DST_OP) markRegUnknown(env, reg);
}

/** After a call r0 … r5 of `frame` are scratched. */
export function clearCallerSavedRegs(env: VerifierEnv, frame: FuncState): void {
  for (let regno = 0; regno < CALLER_SAVED_REGS; regno++) {
    markRegNotInit(env, frame.regs[regno] as RegState);
    env.markRegScratched(regno);
  }
}

/** Whether using the register as a number would leak an address: never with CAP_PERFMON. */
export const isPointerValue = (env: VerifierEnv, regno: number): boolean =>
  !env.allowPtrLeaks && (env.regs[regno] as RegState).type !== SCALAR_VALUE;

/** Whether the register holds the constant 0. */
export const registerIsNull = (reg: RegState): boolean => reg.type === SCALAR_VALUE && reg.varMask === 0n && reg.varValue === 0n;

/** The register, which exists. */
export const regAt = (env: VerifierEnv, regno: number): RegState => env.regs[regno] as RegState;
