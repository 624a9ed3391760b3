// Memory that a helper (or a global function) reads or writes through a pointer argument: is it there, initialised and writable, for its whole size?
// Invariant: the size checked is the largest the size argument can have; memory that the helper fills is only noted (CallMeta), call checks write it.
// Source: behaviour and messages of check_helper_mem_access, check_stack_range_initialized and check_mem_size_reg, Linux 6.18.

import { EACCES, EFAULT } from '../spec/errno.ts';
import { BPF_MAX_VAR_SIZ } from '../spec/limits.ts';
import { baseType, MEM_RDONLY, PTR_TO_BTF_ID, PTR_TO_BUF, PTR_TO_MAP_KEY, PTR_TO_MAP_VALUE, PTR_TO_MEM, PTR_TO_PACKET, PTR_TO_PACKET_META, PTR_TO_STACK,
  regTypeStr, SCALAR_VALUE, typeMayBeNull } from '../spec/verifier-types.ts';
import { NotSupportedError } from '../util/errors.ts';
import { markChainPrecision } from './backtrack.ts';
import type { CallMeta } from './call-meta.ts';
import { checkMapAccess, checkMapAccessType, checkMemRegionAccess, checkPacketAccess, checkStackAccessWithinBounds } from './check-mem.ts';
import type { InsnAux, VerifierEnv } from './env.ts';
import type { FuncState } from './func-state.ts';
import { markRegUnknown } from './mark-reg.ts';
import { markPtrNotNullReg } from './or-null.ts';
import { regAt, registerIsNull } from './reg-arg.ts';
import { RegState } from './reg-state.ts';
import { isSpilledSlot, SLOT_BYTES, STACK_DYNPTR, STACK_INVALID, STACK_MISC, STACK_SPILL, STACK_ZERO } from './stack-state.ts';
import { tnumString } from './tnum.ts';

/** Checks `sizeBytes` of memory behind register `regno`. `meta` is given where the helper may fill uninitialised memory. */
export function checkHelperMemAccess(env: VerifierEnv, regno: number, sizeBytes: number, isWrite: boolean, zeroAllowed: boolean, meta?: CallMeta): void {
  const reg = regAt(env, regno);
  switch (baseType(reg.type)) {
    case PTR_TO_PACKET: case PTR_TO_PACKET_META: return checkPacketAccess(env, regno, reg.off, sizeBytes, zeroAllowed);
    case PTR_TO_MAP_KEY:
      if (isWrite) rejectWrite(env, regno, reg);
      return checkMemRegionAccess(env, regno, reg.off, sizeBytes, env.mapOf(reg).keySize, false);
    case PTR_TO_MAP_VALUE:
      checkMapAccessType(env, regno, reg.off, sizeBytes, isWrite);
      return checkMapAccess(env, regno, reg.off, sizeBytes, zeroAllowed);
    case PTR_TO_MEM:
      if ((reg.type & MEM_RDONLY) !== 0 && isWrite) rejectWrite(env, regno, reg);
      return checkMemRegionAccess(env, regno, reg.off, sizeBytes, reg.extra, zeroAllowed);
    case PTR_TO_STACK: return checkStackRangeInitialized(env, regno, reg.off, sizeBytes, zeroAllowed, isWrite, meta);
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

/** Where in a frame's stack an access lies: [min, max + size), relative to the frame pointer. */
interface StackRange { readonly min: number; readonly end: number; readonly size: number }

/** Stack bytes behind `regno` that are read (or, when `isWrite`, read and overwritten) by something that is not an instruction. */
export function checkStackRangeInitialized(
  env: VerifierEnv, regno: number, off: number, sizeBytes: number, zeroAllowed: boolean, isWrite: boolean, meta?: CallMeta,
): void {
  const reg = regAt(env, regno);
  if (sizeBytes === 0 && !zeroAllowed) env.reject(EACCES, 'invalid zero-sized read');
  checkStackAccessWithinBounds(env, regno, off, sizeBytes, isWrite);
  if (!reg.isConst && !env.bypassSpecV1) {
    env.reject(EACCES, `R${regno} variable offset stack access prohibited for !root, var_off=${tnumString(reg.varValue, reg.varMask)}`);
  }
  const min = (reg.isConst ? Number(BigInt.asIntN(32, reg.varValue)) : Number(reg.sminValue)) + off;
  const max = reg.isConst ? min : Number(reg.smaxValue) + off;
  const range = { min, end: max + sizeBytes, size: sizeBytes };
  // With a variable offset nobody knows which bytes the helper will fill.
  if (meta?.rawMode === true && reg.isConst) return noteRawMemory(env, regno, reg, range, meta);
  readStackBytes(env, regno, reg, range, isWrite);
}

const frameOf = (env: VerifierEnv, reg: RegState): FuncState => env.state.frames[reg.frameno] as FuncState;

function noteRawMemory(env: VerifierEnv, regno: number, reg: RegState, range: StackRange, meta: CallMeta): void {
  const { stack } = frameOf(env, reg);
  for (let at = range.min; at < range.end; at++) {
    const index = -at - 1;
    if (index < stack.allocatedBytes && stack.typeAt(index) === STACK_DYNPTR) {
      env.reject(EACCES, `potential write to dynptr at off=${at} disallowed`);
    }
  }
  meta.accessSize = range.size;
  meta.regno = regno;
}

function readStackBytes(env: VerifierEnv, regno: number, reg: RegState, range: StackRange, isWrite: boolean): void {
  const frame = frameOf(env, reg);
  for (let at = range.min; at < range.end; at++) {
    const index = -at - 1;
    if (index >= frame.stack.allocatedBytes) env.reject(EFAULT, 'allocated_stack too small');
    if (!isReadableByte(env, frame, index, isWrite)) rejectUnreadable(env, regno, reg, range, at);
    env.liveStack.markRead(reg.frameno, env.insnIdx, index >> 3);
  }
}

/** Whether the byte may be read; a helper that may write it leaves anything there. */
function isReadableByte(env: VerifierEnv, frame: FuncState, index: number, isWrite: boolean): boolean {
  const { stack } = frame;
  const type = stack.typeAt(index);
  if (type === STACK_MISC) return true;
  if (type === STACK_ZERO || (type === STACK_INVALID && env.allowUninitStack)) {
    if (type === STACK_INVALID) (env.aux[env.insnIdx] as InsnAux).readsUninitStack = true;
    if (isWrite) stack.slotTypes[index] = STACK_MISC;
    return true;
  }
  const spi = index >> 3;
  if (!isSpilledSlot(stack, spi)) return false;
  const spilled = stack.spilled(spi);
  if (spilled.type !== SCALAR_VALUE && !env.allowPtrLeaks) return false;
  if (isWrite) scrubSpill(env, frame, spi, spilled);
  return true;
}

function scrubSpill(env: VerifierEnv, frame: FuncState, spi: number, spilled: RegState): void {
  markRegUnknown(env, spilled);
  const types = frame.stack.slotTypes;
  for (let at = spi * SLOT_BYTES; at < (spi + 1) * SLOT_BYTES; at++) if (types[at] === STACK_SPILL) types[at] = STACK_MISC;
}

function rejectUnreadable(env: VerifierEnv, regno: number, reg: RegState, range: StackRange, at: number): never {
  const place = reg.isConst ? `off ${range.min}` : `var_off ${tnumString(reg.varValue, reg.varMask)}`;
  env.reject(EACCES, `invalid read from stack R${regno} ${place}+${at - range.min} size ${range.size}`);
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
