// Accesses to the context, by the table of the program's type.
// Source: behaviour of check_ctx_access and check_ptr_off_reg, Linux 6.18.

import { checkCtxAccess, ctxAccessOf } from '../spec/context.ts';
import { EACCES } from '../spec/errno.ts';
import { regTypeStr, SCALAR_VALUE, typeMayBeNull } from '../spec/verifier-types.ts';
import { NotSupportedError } from '../util/errors.ts';
import type { MemAccess } from './check-mem.ts';
import type { InsnAux, VerifierEnv } from './env.ts';
import { verboseLinfo } from './linfo.ts';
import { markRegKnownZero, markRegUnknown } from './mark-reg.ts';
import { regAt } from './reg-arg.ts';
import type { RegState } from './reg-state.ts';
import { tnumString } from './tnum.ts';

/** Rejects a pointer that is not in its original form: moved (unless `fixedOffOk`), or at a variable offset. */
export function checkPtrOffReg(env: VerifierEnv, reg: RegState, regno: number, fixedOffOk = false): void {
  const type = regTypeStr(reg.type);
  if (reg.off < 0) env.reject(EACCES, `negative offset ${type} ptr R${regno} off=${reg.off} disallowed`);
  if (!fixedOffOk && reg.off !== 0) env.reject(EACCES, `dereference of modified ${type} ptr R${regno} off=${reg.off} disallowed`);
  if (!reg.isConst || reg.varValue !== 0n) {
    env.reject(EACCES, `variable ${type} access var_off=${tnumString(reg.varValue, reg.varMask)} disallowed`);
  }
}

/** Checks an access to the context and gives a loaded register its type. */
export function checkCtxMemAccess(env: VerifierEnv, reg: RegState, access: MemAccess): void {
  checkPtrOffReg(env, reg, access.regno);
  const rules = ctxAccessOf(env.prog.type);
  if (rules === undefined) throw new NotSupportedError('contexts of this program type');
  const grant = checkCtxAccess(rules, {
    offset: access.off, sizeBytes: access.sizeBytes, write: access.isWrite, ldsx: access.isLdsx,
    expectedAttachType: env.prog.expectedAttachType, capBpf: env.bpfCapable,
  });
  if (grant === undefined) {
    env.log.verbose(`invalid bpf_context access off=${access.off} size=${access.sizeBytes}\n`);
    verboseLinfo(env, env.insnIdx, '; ');
    env.reject(EACCES);
  }
  (env.aux[env.insnIdx] as InsnAux).ctxFieldSize = grant.fieldSize;
  if (access.isWrite || access.valueRegno < 0) return;
  const value = regAt(env, access.valueRegno);
  if (grant.regType === SCALAR_VALUE) return markRegUnknown(env, value);
  markRegKnownZero(value);
  if (typeMayBeNull(grant.regType)) value.id = env.newId();
  value.type = grant.regType;
}
