// What stack accesses at known and at variable offsets have in common.
// Source: behaviour of mark_reg_stack_read, scrub_spilled_slot and check_fastcall_stack_contract, Linux 6.18.

import type { Insn } from '../insn/insn.ts';
import { BPF_MEM, BPF_ST, insnClass, insnMode } from '../spec/opcodes.ts';
import type { InsnAux, SubprogInfo, VerifierEnv } from './env.ts';
import type { FuncState } from './func-state.ts';
import { markRegConstZero, markRegUnknown } from './mark-reg.ts';
import { regAt } from './reg-arg.ts';
import type { RegState } from './reg-state.ts';
import { STACK_INVALID, STACK_MISC, STACK_ZERO, type StackState } from './stack-state.ts';

/** The frame that a stack pointer points into. */
export const frameOf = (env: VerifierEnv, reg: RegState): FuncState => env.state.frames[reg.frameno] as FuncState;
/** A store of an immediate. */
export const isBpfStMem = (insn: Insn): boolean => insnClass(insn.code) === BPF_ST && insnMode(insn.code) === BPF_MEM;

/** The register gets what bytes [min, max) may hold: zero if all of them are known to be, else anything. */
export function markRegStackRead(env: VerifierEnv, from: FuncState, min: number, max: number, dstRegno: number): void {
  let zeros = 0;
  for (let i = min; i < max; i++) {
    env.markStackSlotScratched((-i - 1) >> 3);
    if (from.stack.slotTypes[-i - 1] !== STACK_ZERO) break;
    zeros++;
  }
  const dst = regAt(env, dstRegno);
  if (zeros === max - min) markRegConstZero(env, dst);
  else markRegUnknown(env, dst);
}

/** Something unknown was written over a spilled register. */
export function scrubSlot(env: VerifierEnv, stack: StackState, spi: number): void {
  markRegUnknown(env, stack.spilled(spi));
  for (let i = spi * 8; i < spi * 8 + 8; i++) if (stack.slotTypes[i] !== STACK_INVALID) stack.slotTypes[i] = STACK_MISC;
}

/** A stack access outside of a bpf_fastcall pattern to slots that only such patterns may use: they are not removed then. */
export function checkFastcallStackContract(env: VerifierEnv, frame: FuncState, insnIdx: number, off: number): void {
  const subprog = env.subprogs[frame.subprogno] as SubprogInfo;
  if (subprog.fastcallStackOff <= off || (env.aux[insnIdx] as InsnAux).fastcallPattern) return;
  subprog.fastcallStackOff = -32768;
  for (let i = subprog.start; i < env.subprogEnd(frame.subprogno); i++) {
    const aux = env.aux[i] as InsnAux;
    aux.fastcallPattern = false;
    aux.fastcallSpillsNum = 0;
  }
}
