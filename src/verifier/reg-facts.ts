// Small questions that checks ask of a register: pointer or scalar, constant, certainly not NULL, packet pointer.
// Invariant: nothing here changes anything.
// Source: behaviour of reg_not_null, is_reg_const and their kin, Linux 6.18.

import { baseType, CONST_PTR_TO_MAP, PTR_TO_BTF_ID, PTR_TO_MAP_KEY, PTR_TO_MAP_VALUE, PTR_TO_MEM, PTR_TO_PACKET, PTR_TO_PACKET_END, PTR_TO_PACKET_META,
  PTR_TO_SOCK_COMMON, PTR_TO_SOCKET, PTR_TO_TCP_SOCK, PTR_TRUSTED, PTR_UNTRUSTED, SCALAR_VALUE, typeMayBeNull } from '../spec/verifier-types.ts';
import type { RegState } from './reg-state.ts';

/** True for anything but a scalar (an uninitialised register too). */
export const isPointer = (reg: RegState): boolean => reg.type !== SCALAR_VALUE;

/** A scalar whose value (or, with `subreg`, low half) is known. */
export const isRegConst = (reg: RegState, subreg: boolean): boolean =>
  reg.type === SCALAR_VALUE && (subreg ? reg.varMask & 0xffff_ffffn : reg.varMask) === 0n;

/** The value (or low half) of a register for which `isRegConst` holds, unsigned. */
export const regConstValue = (reg: RegState, subreg: boolean): bigint => (subreg ? reg.varValue & 0xffff_ffffn : reg.varValue);

/** PTR_TO_PACKET or PTR_TO_PACKET_META. */
export const typeIsPktPointer = (type: number): boolean => type === PTR_TO_PACKET || type === PTR_TO_PACKET_META;

/** Those and PTR_TO_PACKET_END. */
export const isPktPointerAny = (reg: RegState): boolean => typeIsPktPointer(reg.type) || reg.type === PTR_TO_PACKET_END;

/** A pointer that is certainly not NULL, so that comparing it with 0 is decided. */
export function isNotNull(reg: RegState): boolean {
  if (typeMayBeNull(reg.type)) return false;
  switch (baseType(reg.type)) {
    case PTR_TO_SOCKET: case PTR_TO_TCP_SOCK: case PTR_TO_MAP_VALUE: case PTR_TO_MAP_KEY: case PTR_TO_SOCK_COMMON: case CONST_PTR_TO_MAP: return true;
    case PTR_TO_BTF_ID: return reg.refObjId !== 0 || (reg.type & PTR_TRUSTED) !== 0;
    case PTR_TO_MEM: return (reg.type & PTR_UNTRUSTED) === 0;
    default: return false;
  }
}
