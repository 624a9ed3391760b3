// Direct access to packet data: only as far as a comparison with data_end has proved.
// Source: behaviour of check_packet_access and may_access_direct_pkt_data, Linux 6.18.

import { DIRECT_PACKET_ACCESS } from '../spec/context.ts';
import { EACCES, EINVAL } from '../spec/errno.ts';
import { PROG_TYPES } from '../spec/prog-types.ts';
import type { VerifierEnv } from './env.ts';
import { isWithinMem } from './mem-region.ts';
import { regAt } from './reg-arg.ts';

const packetAccess = (env: VerifierEnv): 'read' | 'read-write' | undefined => {
  const type = PROG_TYPES[env.prog.type];
  return type === undefined ? undefined : DIRECT_PACKET_ACCESS[type.name];
};

/** Whether programs of this type may use packet pointers that way. */
export function mayAccessDirectPktData(env: VerifierEnv, isWrite: boolean): boolean {
  const access = packetAccess(env);
  if (access === undefined || (isWrite && access === 'read')) return false;
  if (isWrite) env.seenDirectWrite = true;
  return true;
}

/** Whether a helper may be given packet pointers: the program type has them, and the helper's prototype takes them. */
export const mayPassPacket = (env: VerifierEnv, helperTakesPacket: boolean, isWrite: boolean): boolean =>
  mayAccessDirectPktData(env, isWrite) && helperTakesPacket;

/** Rejects an access beyond the proven range; `off` includes the pointer's fixed offset. */
export function checkPacketAccess(env: VerifierEnv, regno: number, off: number, sizeBytes: number, zeroSizeAllowed: boolean): void {
  const reg = regAt(env, regno);
  if (reg.sminValue < 0n) env.reject(EACCES, `R${regno} min value is negative, either use unsigned index or do a if (index >=0) check.`);
  if (reg.extra < 0) env.reject(EINVAL, `R${regno} offset is outside of the packet`);
  if (!isWithinMem(env, regno, off, sizeBytes, reg.extra, zeroSizeAllowed)) env.reject(EACCES, `R${regno} offset is outside of the packet`);
}
