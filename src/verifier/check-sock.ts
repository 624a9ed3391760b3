// Reads of socket structures.
// Source: behaviour of check_sock_access, Linux 6.18.

import { EACCES } from '../spec/errno.ts';
import { sockAccessOk, sockCommonAccessOk, tcpSockAccessOk, xdpSockAccessOk } from '../spec/sock.ts';
import { PTR_TO_SOCK_COMMON, PTR_TO_SOCKET, PTR_TO_TCP_SOCK, PTR_TO_XDP_SOCK, regTypeStr } from '../spec/verifier-types.ts';
import type { VerifierEnv } from './env.ts';
import type { RegState } from './reg-state.ts';

const RULES: ReadonlyMap<number, (offset: number, size: number) => boolean> = new Map([
  [PTR_TO_SOCKET, sockAccessOk], [PTR_TO_SOCK_COMMON, sockCommonAccessOk], [PTR_TO_TCP_SOCK, tcpSockAccessOk], [PTR_TO_XDP_SOCK, xdpSockAccessOk],
]);

/** Rejects a read that is no whole field (or allowed part) of the socket's structure. */
export function checkSockAccess(env: VerifierEnv, reg: RegState, regno: number, off: number, sizeBytes: number): void {
  if (reg.sminValue < 0n) env.reject(EACCES, `R${regno} min value is negative, either use unsigned index or do a if (index >=0) check.`);
  if (RULES.get(reg.type)?.(off, sizeBytes) !== true) env.reject(EACCES, `R${regno} invalid ${regTypeStr(reg.type)} access off=${off} size=${sizeBytes}`);
}
