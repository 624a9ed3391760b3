// Pointers that may be NULL, once a comparison has told: every copy with the same id becomes the pointer, or the scalar 0.
// Invariant: an or-null pointer has no offset (arithmetic on it is refused), so the NULL side is the constant 0.
// Source: behaviour of mark_ptr_or_null_regs and mark_ptr_not_null_reg, Linux 6.18.

import { BPF_MAP_TYPE_SOCKHASH, BPF_MAP_TYPE_SOCKMAP, BPF_MAP_TYPE_XSKMAP } from '../spec/map-types.ts';
import { baseType, CONST_PTR_TO_MAP, PTR_MAYBE_NULL, PTR_TO_MAP_VALUE, PTR_TO_SOCKET, PTR_TO_XDP_SOCK, SCALAR_VALUE, typeMayBeNull } from '../spec/verifier-types.ts';
import type { VerifierEnv } from './env.ts';
import { forEachReg, releaseReferenceNomark } from './refs.ts';
import type { RegState } from './reg-state.ts';
import type { VerifierState } from './verifier-state.ts';

/** The pointer isn't NULL. What a map look-up returned becomes a value, an inner map or a socket, by the map's type. */
export function markPtrNotNullReg(env: VerifierEnv, reg: RegState): void {
  if (baseType(reg.type) !== PTR_TO_MAP_VALUE) {
    reg.type &= ~PTR_MAYBE_NULL;
    return;
  }
  const map = env.mapOf(reg);
  if (map.inner !== undefined) {
    reg.type = CONST_PTR_TO_MAP;
    reg.mapIndex = env.indexOfMap(map.inner);
    if (map.inner.timerOffset !== undefined) reg.mapUid = reg.id;
  } else if (map.mapType === BPF_MAP_TYPE_XSKMAP) {
    reg.type = PTR_TO_XDP_SOCK;
  } else if (map.mapType === BPF_MAP_TYPE_SOCKMAP || map.mapType === BPF_MAP_TYPE_SOCKHASH) {
    reg.type = PTR_TO_SOCKET;
  } else {
    reg.type = PTR_TO_MAP_VALUE;
  }
}

/** True when a pointer keeps its id after the NULL check, because the id tells apart the locks in different values. */
const mayPointToSpinLock = (env: VerifierEnv, reg: RegState): boolean => reg.type === PTR_TO_MAP_VALUE && env.mapOf(reg).spinLockOffset !== undefined;

/** Tells every copy of the or-null pointer in `regno` that it is NULL, or that it isn't. */
export function markPtrOrNullRegs(env: VerifierEnv, state: VerifierState, regno: number, isNull: boolean): void {
  const { id, refObjId } = state.regs[regno] as RegState;
  // Where it is NULL nothing was acquired.
  if (refObjId !== 0 && refObjId === id && isNull) releaseReferenceNomark(state, id);
  forEachReg(state, (reg) => {
    if (!typeMayBeNull(reg.type) || reg.id !== id) return;
    if (isNull) {
      reg.type = SCALAR_VALUE;
      reg.id = 0;
      reg.refObjId = 0;
      return;
    }
    markPtrNotNullReg(env, reg);
    if (!mayPointToSpinLock(env, reg)) reg.id = 0;
  });
}
