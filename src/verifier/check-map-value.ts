// Accesses to map values: within the value, not to what only helpers may touch, and constants where a map can't change any more.
// Source: behaviour of check_map_access, check_map_access_type and bpf_map_direct_read, Linux 6.18.

import { EACCES } from '../spec/errno.ts';
import { BPF_F_RDONLY_PROG, BPF_F_WRONLY_PROG } from '../spec/map-types.ts';
import type { VerifierEnv } from './env.ts';
import { checkMemRegionAccess } from './mem-region.ts';
import { regAt } from './reg-arg.ts';
import type { RegState } from './reg-state.ts';

const SPIN_LOCK_BYTES = 4;
const TIMER_BYTES = 16;

/** Rejects writes to read-only and reads of write-only maps. */
export function checkMapAccessType(env: VerifierEnv, reg: RegState, off: number, sizeBytes: number, isWrite: boolean): void {
  const map = env.mapOf(reg);
  const forbidden = isWrite ? BPF_F_RDONLY_PROG : BPF_F_WRONLY_PROG;
  if ((map.mapFlags & forbidden) === 0) return;
  env.reject(EACCES, `${isWrite ? 'write into' : 'read from'} map forbidden, value_size=${map.valueSize} off=${off} size=${sizeBytes}`);
}

/** Rejects accesses beyond the value or to its spin lock or timer; `off` includes the pointer's fixed offset. */
export function checkMapAccess(env: VerifierEnv, regno: number, off: number, sizeBytes: number, zeroSizeAllowed: boolean): void {
  const reg = regAt(env, regno);
  const map = env.mapOf(reg);
  checkMemRegionAccess(env, regno, off, sizeBytes, map.valueSize, zeroSizeAllowed);
  const touches = (at: number | undefined, size: number): boolean =>
    at !== undefined && reg.sminValue + BigInt(off) < BigInt(at + size) && BigInt(at) < reg.umaxValue + BigInt(off + sizeBytes);
  if (touches(map.spinLockOffset, SPIN_LOCK_BYTES)) env.reject(EACCES, 'bpf_spin_lock cannot be accessed directly by load/store');
  if (touches(map.timerOffset, TIMER_BYTES)) env.reject(EACCES, 'bpf_timer cannot be accessed directly by load/store');
}

/** The constant that a load from a frozen read-only map yields (u64; sign-extended with `isLdsx`), undefined where it isn't one. */
export function readFrozenValue(env: VerifierEnv, reg: RegState, off: number, sizeBytes: number, isLdsx: boolean): bigint | undefined {
  const map = env.mapOf(reg);
  if (!reg.isConst || map.readFrozen === undefined) return undefined;
  const value = map.readFrozen(off + Number(reg.varValue), sizeBytes);
  return isLdsx ? BigInt.asUintN(64, BigInt.asIntN(8 * sizeBytes, value)) : value;
}
