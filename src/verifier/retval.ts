// What a program may return.
// Source: behaviour of check_return_code and verbose_invalid_scalar, Linux 6.18.

import { EACCES, EINVAL } from '../spec/errno.ts';
import { BPF_REG_0 } from '../spec/opcodes.ts';
import { regTypeStr, SCALAR_VALUE } from '../spec/verifier-types.ts';
import { S64_MAX, S64_MIN } from '../util/u64.ts';
import { markChainPrecision } from './backtrack.ts';
import type { VerifierEnv } from './env.ts';
import type { FuncState } from './func-state.ts';
import { checkRegArg, isPointerValue, regAt, SRC_OP } from './reg-arg.ts';
import type { RegState } from './reg-state.ts';

/** Rejects a returned scalar that is out of its range, saying what is known of it. */
export function rejectInvalidScalar(env: VerifierEnv, reg: RegState, min: number, max: number, where: string, name: string): never {
  const known: string[] = [];
  if (reg.sminValue > S64_MIN) known.push(` smin=${reg.sminValue}`);
  if (reg.smaxValue < S64_MAX) known.push(` smax=${reg.smaxValue}`);
  const text = known.length > 0 ? known.join('') : ' unknown scalar value';
  env.reject(EINVAL, `${where} the register ${name} has${text} should have been in [${min}, ${max}]`);
}

/** Checks r0 at the end of the program or of a global function. */
export function checkReturnCode(env: VerifierEnv): void {
  const frame = env.state.frames[0] as FuncState;
  checkRegArg(env, BPF_REG_0, SRC_OP);
  if (isPointerValue(env, BPF_REG_0)) env.reject(EACCES, 'R0 leaks addr as return value');
  const r0 = regAt(env, BPF_REG_0);
  if (frame.inAsyncCallbackFn) return enforceRange(env, r0, 0, 0, 'At async callback return');
  if (frame.subprogno !== 0 && r0.type !== SCALAR_VALUE) {
    env.reject(EINVAL, `At subprogram exit the register R0 is not a scalar value (${regTypeStr(r0.type)})`);
  }
  // XDP, SCHED_CLS, SCHED_ACT and SOCKET_FILTER programs may return anything.
}

function enforceRange(env: VerifierEnv, reg: RegState, min: number, max: number, where: string): void {
  if (reg.type !== SCALAR_VALUE) env.reject(EINVAL, `${where} the register R0 is not a known value (${regTypeStr(reg.type)})`);
  markChainPrecision(env, BPF_REG_0);
  if (BigInt(min) <= reg.sminValue && reg.smaxValue <= BigInt(max)) return;
  rejectInvalidScalar(env, reg, min, max, where, 'R0');
}
