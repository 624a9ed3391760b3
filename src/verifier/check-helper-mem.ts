// Memory that a helper (or a global function) reads or writes through a pointer argument: is it there, initialised and writable, for its whole size?
// Invariant: the size checked is the largest the size argument can have; memory that the helper fills is only noted (CallMeta), call checks write it.
// Source: behaviour and messages of check_helper_mem_access and check_mem_size_reg, Linux 6.18.

import { EACCES } from '../spec/errno.ts';
import { BPF_MAX_VAR_SIZ } from '../spec/limits.ts';
import { baseType, MEM_RDONLY, PTR_TO_BTF_ID, PTR_TO_BUF, PTR_TO_MAP_KEY, PTR_TO_MAP_VALUE, PTR_TO_MEM, PTR_TO_PACKET, PTR_TO_PACKET_META, PTR_TO_STACK,
  regTypeStr, typeMayBeNull } from '../spec/verifier-types.ts';
import { NotSupportedError } from '../util/errors.ts';
import { markChainPrecision } from './backtrack.ts';
import type { CallMeta } from './call-meta.ts';
import { checkMapAccess, checkMapAccessType } from './check-map-value.ts';
import { checkPacketAccess } from './check-packet.ts';
import { checkStackRangeInitialized } from './check-stack.ts';
import type { VerifierEnv } from './env.ts';
import { checkMemRegionAccess } from './mem-region.ts';
import { markPtrNotNullReg } from './or-null.ts';
import { regAt, registerIsNull } from './reg-arg.ts';
import { RegState } from './reg-state.ts';

/** Checks `sizeBytes` of memory behind register `regno`. `meta` is given where the helper may fill uninitialised memory. */
export function checkHelperMemAccess(env: VerifierEnv, regno: number, sizeBytes: number, isWrite: boolean, zeroAllowed: boolean, meta?: CallMeta): void {
  const reg = regAt(env, regno);
  switch (baseType(reg.type)) {
    case PTR_TO_PACKET: case PTR_TO_PACKET_META: return checkPacketAccess(env, regno, reg.off, sizeBytes, zeroAllowed);
    case PTR_TO_MAP_KEY:
      if (isWrite) rejectWrite(env, regno, reg);
      return checkMemRegionAccess(env, regno, reg.off, sizeBytes, env.mapOf(reg).keySize, false);
    case PTR_TO_MAP_VALUE:
      checkMapAccessType(env, reg, reg.off, sizeBytes, isWrite);
      return checkMapAccess(env, regno, reg.off, sizeBytes, zeroAllowed);
    case PTR_TO_MEM:
      if ((reg.type & MEM_RDONLY) !== 0 && isWrite) rejectWrite(env, regno, reg);
      return checkMemRegionAccess(env, regno, reg.off, sizeBytes, reg.extra, zeroAllowed);
    case PTR_TO_STACK: return checkStackRangeInitialized(env, regno, reg.off, sizeBytes, zeroAllowed, isWrite, meta?.rawMode === true ? meta : undefined);
    case PTR_TO_BUF: throw new NotSupportedError('helper access to a buffer argument');
    case PTR_TO_BTF_ID: throw new NotSupportedError('helper access to a kernel object');
    default:
  }
  if (zeroAllowed && sizeBytes === 0 && registerIsNull(reg)) return;
  env.reject(EACCES, `R${regno} type=${regTypeStr(reg.type)} expected=fp`);
}

function rejectWrite(env: VerifierEnv, regno: number, reg: RegState): never {
  env.reject(EACCES, `R${regno} cannot write into ${regTypeStr(reg.type)}`);
}

/** Checks the memory in `regno - 1` for every size that `regno` may hold. */
export function checkMemSizeReg(env: VerifierEnv, regno: number, isWrite: boolean, zeroAllowed: boolean, meta: CallMeta): void {
  const reg = regAt(env, regno);
  meta.msizeMaxValue = reg.umaxValue;
  if (reg.sminValue < 0n) env.reject(EACCES, `R${regno} min value is negative, either use unsigned or 'var &= const'`);
  if (reg.uminValue === 0n && !zeroAllowed) {
    env.reject(EACCES, `R${regno} invalid zero-sized read: u64=[${reg.uminValue},${BigInt.asIntN(64, reg.umaxValue)}]`);
  }
  if (reg.umaxValue >= BigInt(BPF_MAX_VAR_SIZ)) {
    env.reject(EACCES, `R${regno} unbounded memory access, use 'var &= const' or 'if (var < const)'`);
  }
  // A variable size may leave part of the memory unfilled: it must be initialised.
  checkHelperMemAccess(env, regno - 1, Number(reg.umaxValue), isWrite, zeroAllowed, reg.isConst ? meta : undefined);
  markChainPrecision(env, regno);
}

const saved = new RegState();

/** `sizeBytes` of readable and writable memory (or NULL) in `regno`, as a global function's pointer argument promises. */
export function checkMemReg(env: VerifierEnv, regno: number, sizeBytes: number): void {
  const reg = regAt(env, regno);
  if (registerIsNull(reg)) return;
  const mayBeNull = typeMayBeNull(reg.type);
  if (mayBeNull) {
    saved.copyFrom(reg);
    markPtrNotNullReg(env, reg);
  }
  checkHelperMemAccess(env, regno, sizeBytes, false, true);
  checkHelperMemAccess(env, regno, sizeBytes, true, true);
  if (mayBeNull) reg.copyFrom(saved);
}
