// Special fields of a map value: the bpf_spin_lock and the bpf_timer, which only their helpers may touch.
// Invariant: `state.refs` holds a REF_TYPE_LOCK entry per held lock, `activeLock*` name the innermost.
// Source: behaviour and messages of process_spin_lock and process_timer_func, Linux 6.18.

import { EINVAL } from '../spec/errno.ts';
import { PTR_TO_MAP_VALUE } from '../spec/verifier-types.ts';
import { NotSupportedError } from '../util/errors.ts';
import type { VerifierMap } from './api.ts';
import type { CallMeta } from './call-meta.ts';
import type { VerifierEnv } from './env.ts';
import { regAt } from './reg-arg.ts';
import type { RegState } from './reg-state.ts';
import { REF_TYPE_LOCK } from './verifier-state.ts';

const hasBtf = (map: VerifierMap): boolean => map.hasBtf === true || map.spinLockOffset !== undefined || map.timerOffset !== undefined;

/** The register's constant offset into the value must be that of the field. `what` names the field in messages, `tail` what it is used for. */
function checkFieldOffset(env: VerifierEnv, reg: RegState, field: number, what: string): void {
  const off = BigInt.asIntN(64, reg.varValue) + BigInt(reg.off);
  if (BigInt(field) !== off) env.reject(EINVAL, `off ${off} doesn't point to 'struct ${what}' that is at ${field}`);
}

/** bpf_spin_lock and bpf_spin_unlock. */
export function processSpinLock(env: VerifierEnv, regno: number, isLock: boolean): void {
  const reg = regAt(env, regno);
  if (!reg.isConst) env.reject(EINVAL, `R${regno} doesn't have constant offset. bpf_spin_lock has to be at the constant offset`);
  if (reg.type !== PTR_TO_MAP_VALUE) throw new NotSupportedError('locks in allocated objects');
  const map = env.mapOf(reg);
  if (!hasBtf(map)) env.reject(EINVAL, `map '${map.name}' has to have BTF in order to use bpf_spin_lock`);
  if (map.spinLockOffset === undefined) env.reject(EINVAL, `map '${map.name}' has no valid bpf_spin_lock`);
  checkFieldOffset(env, reg, map.spinLockOffset, 'bpf_spin_lock');
  if (isLock) acquireLock(env, reg);
  else releaseLock(env, reg);
}

function acquireLock(env: VerifierEnv, reg: RegState): void {
  const { state } = env;
  state.refs.push({ type: REF_TYPE_LOCK, id: reg.id, insnIdx: env.insnIdx, lockPtr: reg.mapIndex });
  state.activeLocks++;
  state.activeLockId = reg.id;
  state.activeLockPtr = reg.mapIndex;
}

function releaseLock(env: VerifierEnv, reg: RegState): void {
  const { state } = env;
  if (state.activeLocks === 0) env.reject(EINVAL, 'bpf_spin_unlock without taking a lock');
  const at = state.refs.findIndex((ref) => ref.type === REF_TYPE_LOCK && ref.id === reg.id && ref.lockPtr === reg.mapIndex);
  if (at < 0) env.reject(EINVAL, 'bpf_spin_unlock of different lock');
  if (reg.id !== state.activeLockId || reg.mapIndex !== state.activeLockPtr) env.reject(EINVAL, 'bpf_spin_unlock cannot be out of order');
  const outer = state.refs.slice(0, at).findLast((ref) => ref.type === REF_TYPE_LOCK);
  state.refs.splice(at, 1);
  state.activeLocks--;
  state.activeLockId = outer?.id ?? 0;
  state.activeLockPtr = outer?.lockPtr ?? 0;
}

/** The timer argument of bpf_timer_*: it names the map that a callback will be given. */
export function processTimerFunc(env: VerifierEnv, regno: number, meta: CallMeta): void {
  const reg = regAt(env, regno);
  if (!reg.isConst) env.reject(EINVAL, `R${regno} doesn't have constant offset. bpf_timer has to be at the constant offset`);
  const map = env.mapOf(reg);
  if (!hasBtf(map)) env.reject(EINVAL, `map '${map.name}' has to have BTF in order to use bpf_timer`);
  if (map.timerOffset === undefined) env.reject(EINVAL, `map '${map.name}' has no valid bpf_timer`);
  checkFieldOffset(env, reg, map.timerOffset, 'bpf_timer');
  if (meta.mapIndex !== 0) env.bug('two map pointers in a timer helper');
  meta.mapIndex = reg.mapIndex;
  meta.mapUid = reg.mapUid;
}
