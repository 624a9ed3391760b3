// Stack writes at an offset that is only known within bounds: every byte that may be hit becomes unknown.
// Source: behaviour of check_stack_write_var_off, Linux 6.18.

import type { Insn } from '../insn/insn.ts';
import { EINVAL } from '../spec/errno.ts';
import { NOT_INIT, SCALAR_VALUE } from '../spec/verifier-types.ts';
import { markChainPrecision } from './backtrack.ts';
import { checkFastcallStackContract, isBpfStMem } from './stack-common.ts';
import type { VerifierEnv } from './env.ts';
import type { FuncState } from './func-state.ts';
import { registerIsNull, regAt } from './reg-arg.ts';
import type { RegState } from './reg-state.ts';
import { isSpilledSlot, STACK_INVALID, STACK_MISC, STACK_SPILL, STACK_ZERO, type StackState } from './stack-state.ts';

/** A write of `sizeBytes` at `off` (fixed part) plus `ptr`'s variable offset. */
export function markVarOffWrite(env: VerifierEnv, frame: FuncState, ptr: RegState, off: number, sizeBytes: number, valueRegno: number): void {
  const min = Number(ptr.sminValue) + off;
  const end = Number(ptr.smaxValue) + off + sizeBytes;
  const insn = env.insns[env.insnIdx] as Insn;
  const writesZero = valueRegno >= 0 ? registerIsNull(regAt(env, valueRegno)) : isBpfStMem(insn) && insn.imm === 0;
  checkFastcallStackContract(env, frame, env.insnIdx, min);
  let zeroUsed = false;
  for (let i = min; i < end; i++) if (markByte(env, frame.stack, i, writesZero)) zeroUsed = true;
  if (zeroUsed && valueRegno >= 0) markChainPrecision(env, valueRegno);
}

/** Marks one byte; true when it is still known to be zero because a zero is written. */
function markByte(env: VerifierEnv, stack: StackState, at: number, writesZero: boolean): boolean {
  const index = -at - 1;
  const spi = index >> 3;
  const type = stack.slotTypes[index] as number;
  env.markStackSlotScratched(spi);
  if (!env.allowPtrLeaks && type !== STACK_MISC && type !== STACK_ZERO) {
    env.log.verbose(`spilled ptr in range of var-offset stack write; insn ${env.insnIdx}, ptr off: ${at}`);
    env.reject(EINVAL);
  }
  const spilled = stack.spilled(spi);
  if (writesZero && type === STACK_SPILL && isSpilledSlot(stack, spi) && spilled.type === SCALAR_VALUE && spilled.isConst && spilled.varValue === 0n) return true;
  spilled.type = NOT_INIT;
  if (type === STACK_INVALID && !env.allowUninitStack) {
    env.log.verbose(`uninit stack in range of var-offset write prohibited for !root; insn ${env.insnIdx}, off: ${at}`);
    env.reject(EINVAL);
  }
  const staysZero = writesZero && type === STACK_ZERO;
  stack.slotTypes[index] = staysZero ? STACK_ZERO : STACK_MISC;
  return staysZero;
}
