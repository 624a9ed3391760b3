// Stack accesses at a known offset: registers are spilled and filled with all that is known of them.
// Source: behaviour of check_stack_write_fixed_off and check_stack_read_fixed_off, Linux 6.18.

import type { Insn } from '../insn/insn.ts';
import { EACCES, EINVAL } from '../spec/errno.ts';
import { BPF_REG_SIZE } from '../spec/limits.ts';
import {
  baseType, CONST_PTR_TO_MAP, NOT_INIT, PTR_TO_ARENA, PTR_TO_BTF_ID, PTR_TO_BUF, PTR_TO_CTX, PTR_TO_FLOW_KEYS, PTR_TO_FUNC, PTR_TO_MAP_KEY,
  PTR_TO_MAP_VALUE, PTR_TO_MEM, PTR_TO_PACKET, PTR_TO_PACKET_END, PTR_TO_PACKET_META, PTR_TO_SOCK_COMMON, PTR_TO_SOCKET, PTR_TO_STACK,
  PTR_TO_TCP_SOCK, PTR_TO_XDP_SOCK, SCALAR_VALUE,
} from '../spec/verifier-types.ts';
import { markChainPrecision } from './backtrack.ts';
import { checkFastcallStackContract, isBpfStMem, markRegStackRead } from './stack-common.ts';
import type { InsnAux, VerifierEnv } from './env.ts';
import type { FuncState } from './func-state.ts';
import { insnStackAccessFlags, pushJmpHistory } from './jmp-history.ts';
import { verboseLinfo } from './linfo.ts';
import { assignScalarIdBeforeMov, clearScalarId, markRegConstZero, markRegKnown, markRegUnknown, regWidth } from './mark-reg.ts';
import { registerIsNull, regAt } from './reg-arg.ts';
import { RegState } from './reg-state.ts';
import { isSpilledSlot, STACK_DYNPTR, STACK_INVALID, STACK_ITER, STACK_IRQ_FLAG, STACK_MISC, STACK_SPILL, STACK_ZERO, type StackState } from './stack-state.ts';

const SPILLABLE: ReadonlySet<number> = new Set([
  PTR_TO_MAP_VALUE, PTR_TO_STACK, PTR_TO_CTX, PTR_TO_PACKET, PTR_TO_PACKET_META, PTR_TO_PACKET_END, PTR_TO_FLOW_KEYS, CONST_PTR_TO_MAP, PTR_TO_SOCKET,
  PTR_TO_SOCK_COMMON, PTR_TO_TCP_SOCK, PTR_TO_XDP_SOCK, PTR_TO_BTF_ID, PTR_TO_BUF, PTR_TO_MEM, PTR_TO_FUNC, PTR_TO_MAP_KEY, PTR_TO_ARENA,
]);
const isSpillable = (type: number): boolean => SPILLABLE.has(baseType(type));
const immReg = new RegState();

/** A write of `sizeBytes` at `off` (-512 … -1, aligned) of `frame`. */
export function writeFixedOff(env: VerifierEnv, frame: FuncState, off: number, sizeBytes: number, valueRegno: number): void {
  const spi = (-off - 1) >> 3;
  const { stack } = frame;
  const insn = env.insns[env.insnIdx] as Insn;
  const corrupts = isSpilledSlot(stack, spi) && stack.spilled(spi).type !== SCALAR_VALUE && sizeBytes !== BPF_REG_SIZE;
  if (!env.allowPtrLeaks && corrupts) env.reject(EACCES, 'attempt to corrupt spilled pointer on stack');
  const reg = valueRegno >= 0 ? regAt(env, valueRegno) : undefined;
  if (!env.bypassSpecV4) noteUnsafeSpill(env, stack, spi, sizeBytes, reg);
  checkFastcallStackContract(env, frame, env.insnIdx, off);
  env.markStackSlotScratched(spi);
  if (sizeBytes === BPF_REG_SIZE) env.liveStack.markWrite(frame.frameno, spi);
  const aligned = off % BPF_REG_SIZE === 0;
  if (reg !== undefined && aligned && reg.type === SCALAR_VALUE && env.bpfCapable) spillScalar(env, stack, spi, reg, sizeBytes);
  else if (reg === undefined && aligned && isBpfStMem(insn) && env.bpfCapable) spillImm(stack, spi, insn.imm, sizeBytes, env);
  else if (reg !== undefined && isSpillable(reg.type)) spillPointer(env, frame, spi, reg, sizeBytes);
  else return writeData(env, stack, off, sizeBytes, valueRegno, reg, insn);
  pushJmpHistory(env, insnStackAccessFlags(frame.frameno, spi), 0n);
}

function noteUnsafeSpill(env: VerifierEnv, stack: StackState, spi: number, sizeBytes: number, reg: RegState | undefined): void {
  let unsafe = reg !== undefined && isSpillable(reg.type);
  for (let i = spi * 8; i < spi * 8 + sizeBytes; i++) if (stack.slotTypes[i] !== STACK_MISC && stack.slotTypes[i] !== STACK_ZERO) unsafe = true;
  if (unsafe) (env.aux[env.insnIdx] as InsnAux).nospecResult = true;
}

function spillScalar(env: VerifierEnv, stack: StackState, spi: number, reg: RegState, sizeBytes: number): void {
  const fits = regWidth(reg) <= 8 * sizeBytes;
  if (fits) assignScalarIdBeforeMov(env, reg);
  saveRegister(stack, spi, reg, sizeBytes, env);
  if (!fits) clearScalarId(stack.spilled(spi));
}

function spillImm(stack: StackState, spi: number, imm: number, sizeBytes: number, env: VerifierEnv): void {
  immReg.clear();
  markRegKnown(immReg, BigInt(imm));
  immReg.type = SCALAR_VALUE;
  saveRegister(stack, spi, immReg, sizeBytes, env);
}

function spillPointer(env: VerifierEnv, frame: FuncState, spi: number, reg: RegState, sizeBytes: number): void {
  if (sizeBytes !== BPF_REG_SIZE) {
    verboseLinfo(env, env.insnIdx, '; ');
    env.reject(EACCES, 'invalid size of register spill');
  }
  if (frame !== env.frame && reg.type === PTR_TO_STACK) {
    env.reject(EINVAL, 'cannot spill pointers to stack into stack frame of the caller');
  }
  saveRegister(frame.stack, spi, reg, sizeBytes, env);
}

function saveRegister(stack: StackState, spi: number, reg: RegState, sizeBytes: number, env: VerifierEnv): void {
  stack.spilled(spi).copyFrom(reg);
  const first = spi * 8;
  for (let i = 8 - sizeBytes; i < 8; i++) stack.slotTypes[first + i] = STACK_SPILL;
  for (let i = 0; i < 8 - sizeBytes; i++) markByteMisc(env, stack, first + i);
}

/** The byte holds something; a known zero stays one, and a byte never written stays so where reading it is allowed anyway. */
function markByteMisc(env: VerifierEnv, stack: StackState, index: number): void {
  const type = stack.slotTypes[index];
  if (type === STACK_ZERO) return;
  if (env.allowPtrLeaks && type === STACK_INVALID) return;
  stack.slotTypes[index] = STACK_MISC;
}

function writeData(
  env: VerifierEnv, stack: StackState, off: number, sizeBytes: number, valueRegno: number, reg: RegState | undefined, insn: Insn,
): void {
  const index = -off - 1;
  const spi = index >> 3;
  stack.spilled(spi).type = NOT_INIT;
  const special = stack.slotTypes[spi * 8 + 7] as number;
  if (special === STACK_SPILL || special === STACK_DYNPTR || special === STACK_ITER || special === STACK_IRQ_FLAG) {
    for (let i = spi * 8; i < spi * 8 + 8; i++) if (stack.slotTypes[i] !== STACK_INVALID) stack.slotTypes[i] = STACK_MISC;
  }
  let type = STACK_MISC;
  const writesZero = reg === undefined ? isBpfStMem(insn) && insn.imm === 0 : registerIsNull(reg);
  if (writesZero) {
    if (valueRegno >= 0) markChainPrecision(env, valueRegno);
    type = STACK_ZERO;
  }
  for (let i = 0; i < sizeBytes; i++) stack.slotTypes[index - i] = type;
}

/** A read of `sizeBytes` at `off` (-512 … -1, aligned) of `frame` into `dstRegno`, -1 for nowhere. */
export function readFixedOff(env: VerifierEnv, frame: FuncState, off: number, sizeBytes: number, dstRegno: number): void {
  const spi = (-off - 1) >> 3;
  const { stack } = frame;
  env.markStackSlotScratched(spi);
  checkFastcallStackContract(env, env.frame, env.insnIdx, off);
  env.liveStack.markRead(frame.frameno, env.insnIdx, spi);
  const isFill = isSpilledSlot(stack, spi) ? readSpilled(env, stack, spi, off, sizeBytes, dstRegno) : readData(env, frame, off, sizeBytes, dstRegno);
  if (isFill) pushJmpHistory(env, insnStackAccessFlags(frame.frameno, spi), 0n);
}

function spilledBytes(stack: StackState, spi: number): number {
  let count = 1;
  while (count < 8 && stack.slotTypes[spi * 8 + 7 - count] === STACK_SPILL) count++;
  return count;
}

/** True when the register that was spilled (or a known zero of it) is what is read. */
function readSpilled(env: VerifierEnv, stack: StackState, spi: number, off: number, sizeBytes: number, dstRegno: number): boolean {
  const spilled = stack.spilled(spi);
  const spillBytes = spilledBytes(stack, spi);
  if (sizeBytes !== BPF_REG_SIZE || spillBytes !== BPF_REG_SIZE) {
    if (spilled.type !== SCALAR_VALUE) {
      verboseLinfo(env, env.insnIdx, '; ');
      env.reject(EACCES, 'invalid size of register fill');
    }
    if (dstRegno < 0) return false;
    return readNarrow(env, stack, spi, off, sizeBytes, spillBytes, dstRegno);
  }
  if (dstRegno >= 0) regAt(env, dstRegno).copyFrom(spilled);
  else if (!env.allowPtrLeaks && spilled.type !== SCALAR_VALUE) env.reject(EACCES, `leaking pointer from stack off ${off}`);
  return true;
}

function readNarrow(env: VerifierEnv, stack: StackState, spi: number, off: number, sizeBytes: number, spillBytes: number, dstRegno: number): boolean {
  const spilled = stack.spilled(spi);
  const dst = regAt(env, dstRegno);
  // The spilled value's low bytes lie at the slot's lowest addresses (little-endian).
  if (sizeBytes <= spillBytes && off % BPF_REG_SIZE === 0) {
    dst.copyFrom(spilled);
    if (regWidth(spilled) > 8 * sizeBytes) clearScalarId(dst);
    return true;
  }
  const { spills, zeros } = countBytes(env, stack, off, sizeBytes);
  if (spills === sizeBytes && spilled.isConst && spilled.varValue === 0n) {
    markRegConstZero(env, dst);
    return true;
  }
  if (zeros === sizeBytes) markRegConstZero(env, dst);
  else markRegUnknown(env, dst);
  return false;
}

function countBytes(env: VerifierEnv, stack: StackState, off: number, sizeBytes: number): { spills: number; zeros: number } {
  let spills = 0;
  let zeros = 0;
  for (let i = 0; i < sizeBytes; i++) {
    const type = stack.slotTypes[-off - 1 - i];
    if (type === STACK_SPILL) spills++;
    else if (type === STACK_ZERO) zeros++;
    else if (type !== STACK_MISC) checkUninitAllowed(env, type, off, i, sizeBytes);
  }
  return { spills, zeros };
}

function checkUninitAllowed(env: VerifierEnv, type: number | undefined, off: number, at: number, sizeBytes: number): void {
  if (type !== STACK_INVALID || !env.allowUninitStack) env.reject(EACCES, `invalid read from stack off ${off}+${at} size ${sizeBytes}`);
  (env.aux[env.insnIdx] as InsnAux).readsUninitStack = true;
}

function readData(env: VerifierEnv, frame: FuncState, off: number, sizeBytes: number, dstRegno: number): boolean {
  for (let i = 0; i < sizeBytes; i++) {
    const type = frame.stack.slotTypes[-off - 1 - i];
    if (type !== STACK_MISC && type !== STACK_ZERO) checkUninitAllowed(env, type, off, i, sizeBytes);
  }
  if (dstRegno >= 0) markRegStackRead(env, frame, off, off + sizeBytes, dstRegno);
  return false;
}
