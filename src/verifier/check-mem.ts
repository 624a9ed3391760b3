// Every access to memory, keyed by the type of the pointer: which bytes may be read and written, and what a load yields.
// Source: behaviour of check_mem_access, Linux 6.18.

import { EACCES } from '../spec/errno.ts';
import { sizeBytes as bytesOf } from '../spec/opcodes.ts';
import {
  baseType, CONST_PTR_TO_MAP, MEM_RDONLY, PTR_TO_BTF_ID, PTR_TO_BUF, PTR_TO_CTX, PTR_TO_FLOW_KEYS, PTR_TO_MAP_KEY, PTR_TO_MAP_VALUE, PTR_TO_MEM,
  PTR_TO_PACKET, PTR_TO_PACKET_META, PTR_TO_SOCK_COMMON, PTR_TO_SOCKET, PTR_TO_STACK, PTR_TO_TCP_SOCK, PTR_TO_XDP_SOCK, PTR_UNTRUSTED,
  regTypeStr, SCALAR_VALUE, typeMayBeNull,
} from '../spec/verifier-types.ts';
import { NotSupportedError } from '../util/errors.ts';
import { checkPtrAlignment } from './alignment.ts';
import { checkCtxMemAccess } from './check-ctx.ts';
import { checkMapAccess, checkMapAccessType, readFrozenValue } from './check-map-value.ts';
import { checkMapPtrAccess } from './check-map-ptr.ts';
import { checkPacketAccess, mayAccessDirectPktData } from './check-packet.ts';
import { checkSockAccess } from './check-sock.ts';
import { checkStackAccessWithinBounds, checkStackRead, checkStackWrite } from './check-stack.ts';
import type { VerifierEnv } from './env.ts';
import { coerceRegToSize, coerceRegToSizeSx, markRegKnown, markRegUnknown } from './mark-reg.ts';
import { checkMemRegionAccess } from './mem-region.ts';
import { isPointerValue, regAt } from './reg-arg.ts';
import type { RegState } from './reg-state.ts';

/** One access: `off` includes the pointer's fixed offset; `valueRegno` is stored or receives the load, -1 for none. */
export interface MemAccess {
  readonly regno: number;
  readonly off: number;
  readonly sizeBytes: number;
  readonly isWrite: boolean;
  readonly valueRegno: number;
  readonly isLdsx: boolean;
}

type Checker = (env: VerifierEnv, reg: RegState, access: MemAccess) => void;

/** Checks the access at `off` from register `regno`; a load puts what it yields into `valueRegno`. `bpfSize` is BPF_B … BPF_DW. */
export function checkMemAccess(
  env: VerifierEnv, regno: number, off: number, bpfSize: number, isWrite: boolean, valueRegno: number, strictOnce: boolean, isLdsx: boolean,
): void {
  const reg = regAt(env, regno);
  const sizeBytes = bytesOf(bpfSize);
  checkPtrAlignment(env, reg, off, sizeBytes, strictOnce);
  const access: MemAccess = { regno, off: off + reg.off, sizeBytes, isWrite, valueRegno, isLdsx };
  const checker = CHECKERS.get(baseType(reg.type));
  if (checker === undefined || (typeMayBeNull(reg.type) && baseType(reg.type) !== PTR_TO_MEM)) rejectAccess(env, reg, access);
  else checker(env, reg, access);
  if (isWrite || valueRegno < 0 || sizeBytes === 8) return;
  const value = regAt(env, valueRegno);
  if (value.type !== SCALAR_VALUE) return;
  if (isLdsx) coerceRegToSizeSx(value, sizeBytes);
  else coerceRegToSize(value, sizeBytes);
}

function rejectAccess(env: VerifierEnv, reg: RegState, access: MemAccess): never {
  env.reject(EACCES, `R${access.regno} invalid mem access '${regTypeStr(reg.type)}'`);
}

function rejectLeak(env: VerifierEnv, access: MemAccess, into: string): void {
  if (access.isWrite && access.valueRegno >= 0 && isPointerValue(env, access.valueRegno)) env.reject(EACCES, `R${access.valueRegno} leaks addr into ${into}`);
}

function loadUnknown(env: VerifierEnv, access: MemAccess): void {
  if (!access.isWrite && access.valueRegno >= 0) markRegUnknown(env, regAt(env, access.valueRegno));
}

function checkMapKey(env: VerifierEnv, reg: RegState, access: MemAccess): void {
  if (access.isWrite) env.reject(EACCES, `write to change key R${access.regno} not allowed`);
  checkMemRegionAccess(env, access.regno, access.off, access.sizeBytes, env.mapOf(reg).keySize, false);
  loadUnknown(env, access);
}

function checkMapValue(env: VerifierEnv, reg: RegState, access: MemAccess): void {
  rejectLeak(env, access, 'map');
  checkMapAccessType(env, reg, access.off, access.sizeBytes, access.isWrite);
  checkMapAccess(env, access.regno, access.off, access.sizeBytes, false);
  if (access.isWrite || access.valueRegno < 0) return;
  const value = regAt(env, access.valueRegno);
  const frozen = readFrozenValue(env, reg, access.off, access.sizeBytes, access.isLdsx);
  if (frozen === undefined) return markRegUnknown(env, value);
  value.type = SCALAR_VALUE;
  markRegKnown(value, frozen);
}

function checkMem(env: VerifierEnv, reg: RegState, access: MemAccess): void {
  const rdonly = (reg.type & MEM_RDONLY) !== 0;
  if (typeMayBeNull(reg.type)) rejectAccess(env, reg, access);
  if (access.isWrite && rdonly) env.reject(EACCES, `R${access.regno} cannot write into ${regTypeStr(reg.type)}`);
  rejectLeak(env, access, 'mem');
  if (rdonly && (reg.type & PTR_UNTRUSTED) !== 0) throw new NotSupportedError('reads of untrusted memory');
  checkMemRegionAccess(env, access.regno, access.off, access.sizeBytes, reg.extra >>> 0, false);
  loadUnknown(env, access);
}

function checkStack(env: VerifierEnv, _reg: RegState, access: MemAccess): void {
  checkStackAccessWithinBounds(env, access.regno, access.off, access.sizeBytes, access.isWrite);
  if (access.isWrite) checkStackWrite(env, access.regno, access.off, access.sizeBytes, access.valueRegno);
  else checkStackRead(env, access.regno, access.off, access.sizeBytes, access.valueRegno);
}

function checkPacket(env: VerifierEnv, _reg: RegState, access: MemAccess): void {
  if (access.isWrite && !mayAccessDirectPktData(env, true)) env.reject(EACCES, 'cannot write into packet');
  rejectLeak(env, access, 'packet');
  checkPacketAccess(env, access.regno, access.off, access.sizeBytes, false);
  loadUnknown(env, access);
}

function checkCtx(env: VerifierEnv, reg: RegState, access: MemAccess): void {
  rejectLeak(env, access, 'ctx');
  checkCtxMemAccess(env, reg, access);
}

function checkSock(env: VerifierEnv, reg: RegState, access: MemAccess): void {
  if (access.isWrite) env.reject(EACCES, `R${access.regno} cannot write into ${regTypeStr(reg.type)}`);
  checkSockAccess(env, reg, access.regno, access.off, access.sizeBytes);
  loadUnknown(env, access);
}

function notSupported(what: string): Checker {
  return () => { throw new NotSupportedError(what); };
}

const CHECKERS: ReadonlyMap<number, Checker> = new Map([
  [PTR_TO_MAP_KEY, checkMapKey],
  [PTR_TO_MAP_VALUE, checkMapValue],
  [PTR_TO_MEM, checkMem],
  [PTR_TO_CTX, checkCtx],
  [PTR_TO_STACK, checkStack],
  [PTR_TO_PACKET, checkPacket],
  [PTR_TO_PACKET_META, checkPacket],
  [PTR_TO_SOCKET, checkSock],
  [PTR_TO_SOCK_COMMON, checkSock],
  [PTR_TO_TCP_SOCK, checkSock],
  [PTR_TO_XDP_SOCK, checkSock],
  [CONST_PTR_TO_MAP, checkMapPtrAccess],
  [PTR_TO_FLOW_KEYS, notSupported('accesses to flow keys')],
  [PTR_TO_BTF_ID, notSupported('accesses to kernel objects by BTF')],
  [PTR_TO_BUF, notSupported('accesses to buffers of the kernel')],
]);

