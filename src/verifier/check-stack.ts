// Accesses to the stack: bounds, spills and fills of registers, bytes that were never written.
// Invariant: a slot's spilled register is meaningful only while its first byte (index 7) is STACK_SPILL.
// Source: behaviour of check_stack_read, check_stack_write and check_stack_range_initialized, Linux 6.18.

import { EACCES, EFAULT, EINVAL } from '../spec/errno.ts';
import { BPF_MAX_VAR_OFF, MAX_BPF_STACK } from '../spec/limits.ts';
import { SCALAR_VALUE } from '../spec/verifier-types.ts';
import type { InsnAux, SubprogInfo, VerifierEnv } from './env.ts';
import type { FuncState } from './func-state.ts';
import { regAt } from './reg-arg.ts';
import type { RegState } from './reg-state.ts';
import { checkFastcallStackContract, frameOf, markRegStackRead, scrubSlot } from './stack-common.ts';
import { readFixedOff, writeFixedOff } from './stack-fixed.ts';
import { markVarOffWrite } from './stack-var.ts';
import { isSpilledSlot, STACK_DYNPTR, STACK_INVALID, STACK_MISC, STACK_ZERO, type StackState } from './stack-state.ts';
import { tnumString } from './tnum.ts';

const offText = (reg: RegState): string => tnumString(reg.varValue, reg.varMask);
/** Makes room for `sizeBytes` of stack and keeps the function's depth. */
function growStack(env: VerifierEnv, frame: FuncState, sizeBytes: number): void {
  frame.stack.grow(sizeBytes);
  const subprog = env.subprogs[frame.subprogno] as SubprogInfo;
  if (subprog.stackDepth < frame.stack.allocatedBytes) subprog.stackDepth = frame.stack.allocatedBytes;
}

/** Rejects an access outside of the frame; `off` includes the pointer's fixed offset. Grows the stack to what is accessed. */
export function checkStackAccessWithinBounds(env: VerifierEnv, regno: number, off: number, sizeBytes: number, isWrite: boolean): void {
  const reg = regAt(env, regno);
  const frame = frameOf(env, reg);
  const what = isWrite ? ' write to' : ' read from';
  let min = BigInt(off) + BigInt.asIntN(64, reg.varValue);
  let max = min + BigInt(sizeBytes);
  if (!reg.isConst) {
    if (reg.smaxValue >= BPF_MAX_VAR_OFF || reg.sminValue <= -BPF_MAX_VAR_OFF) {
      env.reject(EACCES, `invalid unbounded variable-offset${what} stack R${regno}`);
    }
    min = reg.sminValue + BigInt(off);
    max = reg.smaxValue + BigInt(off) + BigInt(sizeBytes);
  }
  const lowest = isWrite || env.allowUninitStack ? -MAX_BPF_STACK : -frame.stack.allocatedBytes;
  const errno = min < lowest || min > -1n ? EACCES : max > 0n ? EINVAL : sizeBytes < 0 ? EFAULT : 0;
  if (errno === 0) return growStack(env, frame, Number(-min));
  if (reg.isConst) env.reject(errno, `invalid${what} stack R${regno} off=${off} size=${sizeBytes}`);
  env.reject(errno, `invalid variable-offset${what} stack R${regno} var_off=${offText(reg)} off=${off} size=${sizeBytes}`);
}

/** A read of the stack within bounds; the value goes to `dstRegno`, or nowhere when it is -1. */
export function checkStackRead(env: VerifierEnv, regno: number, off: number, sizeBytes: number, dstRegno: number): void {
  const reg = regAt(env, regno);
  const frame = frameOf(env, reg);
  if (reg.isConst) return readFixedOff(env, frame, off + Number(BigInt.asIntN(64, reg.varValue)), sizeBytes, dstRegno);
  if (dstRegno < 0) {
    env.reject(EACCES, `variable offset stack pointer cannot be passed into helper function; var_off=${offText(reg)} off=${off} size=${sizeBytes}`);
  }
  checkStackRangeInitialized(env, regno, off, sizeBytes, false, false, undefined);
  const min = Number(reg.sminValue) + off;
  const max = Number(reg.smaxValue) + off;
  markRegStackRead(env, frame, min, max + sizeBytes, dstRegno);
  checkFastcallStackContract(env, frame, env.insnIdx, min);
}

/** A write to the stack within bounds, of `valueRegno` or (when it is -1) of something unknown. */
export function checkStackWrite(env: VerifierEnv, regno: number, off: number, sizeBytes: number, valueRegno: number): void {
  const reg = regAt(env, regno);
  const frame = frameOf(env, reg);
  if (reg.isConst) writeFixedOff(env, frame, off + Number(BigInt.asIntN(64, reg.varValue)), sizeBytes, valueRegno);
  else markVarOffWrite(env, frame, reg, off, sizeBytes, valueRegno);
}

/** What a helper call learns about a stack buffer that it fills (raw mode): marked later, byte by byte. */
export interface RawBuffer { regno: number; sizeBytes: number }

/**
 * Checks that a range of the stack is readable (and, for a write, makes it unknown). `off` includes the pointer's fixed offset.
 * With `raw` (a buffer that the helper fills) at a constant offset, only notes it there.
 */
export function checkStackRangeInitialized(
  env: VerifierEnv, regno: number, off: number, sizeBytes: number, zeroSizeAllowed: boolean, isWrite: boolean, raw: RawBuffer | undefined,
): void {
  const reg = regAt(env, regno);
  const { stack } = frameOf(env, reg);
  if (sizeBytes === 0 && !zeroSizeAllowed) env.reject(EACCES, 'invalid zero-sized read');
  checkStackAccessWithinBounds(env, regno, off, sizeBytes, isWrite);
  let min = Number(BigInt.asIntN(64, reg.varValue)) + off;
  let max = min;
  if (!reg.isConst) {
    if (!env.bypassSpecV1) env.reject(EACCES, `R${regno} variable offset stack access prohibited for !root, var_off=${offText(reg)}`);
    min = Number(reg.sminValue) + off;
    max = Number(reg.smaxValue) + off;
  } else if (raw !== undefined) {
    checkNoDynptr(env, stack, min, max + sizeBytes);
    raw.regno = regno;
    raw.sizeBytes = sizeBytes;
    return;
  }
  for (let i = min; i < max + sizeBytes; i++) checkByteInitialized(env, reg, regno, i, min, sizeBytes, isWrite);
}

function checkNoDynptr(env: VerifierEnv, stack: StackState, min: number, end: number): void {
  for (let i = min; i < end; i++) {
    const index = -i - 1;
    if (index < stack.allocatedBytes && stack.slotTypes[index] === STACK_DYNPTR) {
      env.reject(EACCES, `potential write to dynptr at off=${i} disallowed`);
    }
  }
}

function checkByteInitialized(env: VerifierEnv, reg: RegState, regno: number, at: number, min: number, sizeBytes: number, isWrite: boolean): void {
  const { stack } = frameOf(env, reg);
  const index = -at - 1;
  const spi = index >> 3;
  if (stack.allocatedBytes <= index) env.reject(EFAULT, 'allocated_stack too small');
  const type = stack.slotTypes[index];
  if (type === STACK_ZERO || (type === STACK_INVALID && env.allowUninitStack)) {
    if (type === STACK_INVALID) (env.aux[env.insnIdx] as InsnAux).readsUninitStack = true;
    if (isWrite) stack.slotTypes[index] = STACK_MISC;
  } else if (type !== STACK_MISC) {
    const readable = isSpilledSlot(stack, spi) && (stack.spilled(spi).type === SCALAR_VALUE || env.allowPtrLeaks);
    if (!readable) rejectUninit(env, reg, regno, at, min, sizeBytes);
    if (isWrite) scrubSlot(env, stack, spi);
  }
  env.liveStack.markRead(reg.frameno, env.insnIdx, spi);
}

function rejectUninit(env: VerifierEnv, reg: RegState, regno: number, at: number, min: number, sizeBytes: number): never {
  if (reg.isConst) env.reject(EACCES, `invalid read from stack R${regno} off ${min}+${at - min} size ${sizeBytes}`);
  env.reject(EACCES, `invalid read from stack R${regno} var_off ${offText(reg)}+${at - min} size ${sizeBytes}`);
}
