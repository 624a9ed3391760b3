// Alignment of memory accesses: always demanded on the stack, elsewhere only in strict mode and for atomics.
// Source: behaviour of check_ptr_alignment, Linux 6.18.

import { EACCES } from '../spec/errno.ts';
import {
  PTR_TO_ARENA, PTR_TO_CTX, PTR_TO_FLOW_KEYS, PTR_TO_MAP_KEY, PTR_TO_MAP_VALUE, PTR_TO_PACKET, PTR_TO_PACKET_META, PTR_TO_SOCK_COMMON,
  PTR_TO_SOCKET, PTR_TO_STACK, PTR_TO_TCP_SOCK, PTR_TO_XDP_SOCK,
} from '../spec/verifier-types.ts';
import type { InsnAux, VerifierEnv } from './env.ts';
import type { RegState } from './reg-state.ts';
import { tn, tnumAdd, tnumIsAligned, tnumString } from './tnum.ts';

/** In strict mode packets start two bytes off a word boundary, as network drivers place them. */
const NET_IP_ALIGN = 2;
const DESCRIPTIONS: ReadonlyMap<number, string> = new Map([
  [PTR_TO_FLOW_KEYS, 'flow keys '], [PTR_TO_MAP_KEY, 'key '], [PTR_TO_MAP_VALUE, 'value '], [PTR_TO_CTX, 'context '], [PTR_TO_STACK, 'stack '],
  [PTR_TO_SOCKET, 'sock '], [PTR_TO_SOCK_COMMON, 'sock_common '], [PTR_TO_TCP_SOCK, 'tcp_sock '], [PTR_TO_XDP_SOCK, 'xdp_sock '],
]);

/** Rejects a misaligned access where alignment is demanded; elsewhere notes that the access may be unaligned. */
export function checkPtrAlignment(env: VerifierEnv, reg: RegState, off: number, sizeBytes: number, strictOnce: boolean): void {
  if (sizeBytes === 1 || reg.type === PTR_TO_ARENA) return;
  const isPacket = reg.type === PTR_TO_PACKET || reg.type === PTR_TO_PACKET_META;
  const base = isPacket ? NET_IP_ALIGN : 0;
  tnumAdd(reg.varValue, reg.varMask, BigInt.asUintN(64, BigInt(base + reg.off + off)), 0n);
  if (tnumIsAligned(tn.value, tn.mask, BigInt(sizeBytes))) return;
  (env.aux[env.insnIdx] as InsnAux).maybeUnaligned = true;
  if (!env.strictAlignment && !strictOnce && reg.type !== PTR_TO_STACK) return;
  const varOff = tnumString(reg.varValue, reg.varMask);
  if (isPacket) env.reject(EACCES, `misaligned packet access off ${NET_IP_ALIGN}+${varOff}+${reg.off}+${off} size ${sizeBytes}`);
  env.reject(EACCES, `misaligned ${DESCRIPTIONS.get(reg.type) ?? ''}access off ${varOff}+${reg.off}+${off} size ${sizeBytes}`);
}
