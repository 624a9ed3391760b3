// One step of tracing precision backwards: what must be precise before an instruction, given what must be precise after it.
// Source: behaviour of backtrack_insn, Linux 6.18.

import { BPF_FUNC_tail_call } from '../spec/helpers.ts';
import { isPseudoCall } from '../insn/fields.ts';
import type { Insn } from '../insn/insn.ts';
import {
  BPF_ABS, BPF_ALU, BPF_ALU64, BPF_ATOMIC, BPF_CALL, BPF_END, BPF_EXIT, BPF_IND, BPF_LD, BPF_LDX, BPF_LOAD_ACQ, BPF_MOV, BPF_NEG, BPF_REG_FP, BPF_ST,
  BPF_STX, BPF_X, insnClass, insnMode, insnOp, insnSrc,
} from '../spec/opcodes.ts';
import { callsSyncCallback } from './call-summary.ts';
import type { InsnAux, SubprogInfo, VerifierEnv } from './env.ts';
import {
  INSN_F_DST_REG_STACK, INSN_F_SRC_REG_STACK, INSN_F_STACK_ACCESS, insnStackAccessFrameno, insnStackAccessSpi, linkedFrameno, linkedIndex, linkedIsReg,
  unpackLinkedRegs,
} from './jmp-history.ts';
import { verboseInsn } from './log-insn.ts';
import type { JmpHistoryEntry } from './verifier-state.ts';

const ARG_REGS = 0x3e;

/** Steps `env.bt` over instruction `idx`, after which `subseqIdx` ran. False when it can't be traced. */
export function backtrackInsn(env: VerifierEnv, idx: number, subseqIdx: number, entry: JmpHistoryEntry | undefined): boolean {
  const insn = env.insns[idx] as Insn;
  if (insn.code === 0) return true;
  if (env.log.isVerbose) {
    env.log.verbose(`mark_precise: frame${env.bt.frame}: regs=${env.bt.regText()} stack=${env.bt.stackText()} before ${idx}: `);
    verboseInsn(env, idx);
  }
  syncLinked(env, entry);
  const step = stepInsn(env, insn, idx, subseqIdx, entry);
  if (step === DONE) syncLinked(env, entry);
  return step !== NOT_TRACEABLE;
}

/** DONE: linked registers are looked at again. SKIP: the instruction has nothing to do with what is traced. */
const DONE = 0;
const SKIP = 1;
const NOT_TRACEABLE = 2;

function stepInsn(env: VerifierEnv, insn: Insn, idx: number, subseqIdx: number, entry: JmpHistoryEntry | undefined): number {
  switch (insnClass(insn.code)) {
    case BPF_ALU: case BPF_ALU64: return stepAlu(env, insn);
    case BPF_LDX: return stepLoad(env, insn, entry);
    case BPF_STX:
      if (insnMode(insn.code) === BPF_ATOMIC && insn.imm === BPF_LOAD_ACQ) return stepLoad(env, insn, entry);
      return stepStore(env, insn, entry);
    case BPF_ST: return stepStore(env, insn, entry);
    case BPF_LD: return stepLd(env, insn, idx, subseqIdx);
    default: return stepJump(env, insn, idx, subseqIdx, entry);
  }
}

function stepAlu(env: VerifierEnv, insn: Insn): number {
  const { bt } = env;
  if (!bt.hasReg(insn.dst)) return SKIP;
  const op = insnOp(insn.code);
  if (op === BPF_END || op === BPF_NEG) return SKIP;
  const fromReg = insnSrc(insn.code) === BPF_X;
  if (op === BPF_MOV) bt.clearReg(insn.dst);
  if (fromReg && insn.src !== BPF_REG_FP) bt.setReg(insn.src);
  return DONE;
}

function stepLoad(env: VerifierEnv, insn: Insn, entry: JmpHistoryEntry | undefined): number {
  const { bt } = env;
  if (!bt.hasReg(insn.dst)) return SKIP;
  bt.clearReg(insn.dst);
  if (entry === undefined || (entry.flags & INSN_F_STACK_ACCESS) === 0) return SKIP;
  bt.setSlot(insnStackAccessFrameno(entry.flags), insnStackAccessSpi(entry.flags));
  return DONE;
}

function stepStore(env: VerifierEnv, insn: Insn, entry: JmpHistoryEntry | undefined): number {
  const { bt } = env;
  // A scalar in the address register: the path subtracted pointers.
  if (bt.hasReg(insn.dst)) return NOT_TRACEABLE;
  if (entry === undefined || (entry.flags & INSN_F_STACK_ACCESS) === 0) return SKIP;
  const spi = insnStackAccessSpi(entry.flags);
  const frameno = insnStackAccessFrameno(entry.flags);
  if (!bt.hasSlot(frameno, spi)) return SKIP;
  bt.clearSlot(frameno, spi);
  if (insnClass(insn.code) === BPF_STX) bt.setReg(insn.src);
  return DONE;
}

function stepLd(env: VerifierEnv, insn: Insn, idx: number, subseqIdx: number): number {
  const mode = insnMode(insn.code);
  const loadsPacket = mode === BPF_IND || mode === BPF_ABS;
  const returned = loadsPacket && subseqIdx !== idx + 1;
  const wanted = env.bt.hasReg(insn.dst);
  env.bt.clearReg(insn.dst);
  if (wanted && loadsPacket) return NOT_TRACEABLE;
  // A packet load that failed in a called function: backwards into that function.
  if (returned) env.bt.frame++;
  return wanted || returned ? DONE : SKIP;
}

function stepJump(env: VerifierEnv, insn: Insn, idx: number, subseqIdx: number, entry: JmpHistoryEntry | undefined): number {
  if (isPseudoCall(insn)) return stepCall(env, insn, idx);
  if (callsSyncCallback(insn) && idx !== subseqIdx - 1) return stepIntoHelper(env);
  const op = insnOp(insn.code);
  if (op === BPF_CALL) {
    env.bt.clearReg(0);
    if ((env.bt.regMask & ARG_REGS) !== 0) unexpectedRegs(env, 'backtracking call');
    // A tail call that succeeded in a called function: backwards into that function.
    if (insn.src === 0 && insn.imm === BPF_FUNC_tail_call && subseqIdx !== idx + 1) env.bt.frame++;
    return DONE;
  }
  if (op === BPF_EXIT) return stepExit(env, subseqIdx);
  if (insnSrc(insn.code) === BPF_X) return stepCompare(env, insn, entry);
  return DONE;
}

function stepCompare(env: VerifierEnv, insn: Insn, entry: JmpHistoryEntry | undefined): number {
  const { bt } = env;
  if (!bt.hasReg(insn.dst) && !bt.hasReg(insn.src)) return SKIP;
  const flags = entry?.flags ?? 0;
  if ((flags & INSN_F_SRC_REG_STACK) === 0) bt.setReg(insn.src);
  if ((flags & INSN_F_DST_REG_STACK) === 0) bt.setReg(insn.dst);
  return DONE;
}

/** A bpf-to-bpf call: backwards out of the callee, or over a global function. */
function stepCall(env: VerifierEnv, insn: Insn, idx: number): number {
  const { bt } = env;
  const subprog = env.subprogs[env.findSubprog(idx + insn.imm + 1)] as SubprogInfo;
  if (subprog.isGlobal) {
    if ((bt.regMask & ARG_REGS) !== 0) unexpectedRegs(env, 'global subprog');
    bt.clearReg(0);
    return SKIP;
  }
  if ((bt.regMask & ~ARG_REGS) !== 0) unexpectedRegs(env, 'static subprog');
  if (bt.hasSlots()) leftoverSlots(env, 'static subprog');
  for (let regno = 1; regno <= 5; regno++) {
    if (!bt.hasReg(regno)) continue;
    bt.clearReg(regno);
    bt.setReg(regno, bt.frame - 1);
  }
  leaveFrame(env);
  return SKIP;
}

/** Backwards out of a callback, into the helper that called it: the callback's arguments come from the helper. */
function stepIntoHelper(env: VerifierEnv): number {
  const { bt } = env;
  if ((bt.regMask & ~ARG_REGS) !== 0) unexpectedRegs(env, 'callback');
  if (bt.hasSlots()) leftoverSlots(env, 'callback');
  for (let regno = 1; regno <= 5; regno++) bt.clearReg(regno);
  leaveFrame(env);
  return SKIP;
}

/** Backwards into a function or callback that has returned. */
function stepExit(env: VerifierEnv, subseqIdx: number): number {
  const { bt } = env;
  if (subseqIdx >= 0 && (env.aux[subseqIdx] as InsnAux).callsCallback) for (let regno = 1; regno <= 5; regno++) bt.clearReg(regno);
  if ((bt.regMask & ARG_REGS) !== 0) unexpectedRegs(env, 'backtracking exit');
  const before = env.insns[subseqIdx - 1];
  const r0Precise = before !== undefined && isPseudoCall(before) && bt.hasReg(0);
  bt.clearReg(0);
  bt.frame++;
  if (r0Precise) bt.setReg(0);
  return SKIP;
}

function unexpectedRegs(env: VerifierEnv, where: string): never {
  env.verifierBug(`${where} unexpected regs ${env.bt.regMask.toString(16)}`);
}

function leftoverSlots(env: VerifierEnv, where: string): never {
  env.verifierBug(`${where} leftover stack slots ${env.bt.stackMask().toString(16)}`);
}

function leaveFrame(env: VerifierEnv): void {
  if (env.bt.frame === 0) env.verifierBug('subprog exit from frame 0');
  env.bt.frame--;
}

/** Registers that were narrowed together are precise together. */
function syncLinked(env: VerifierEnv, entry: JmpHistoryEntry | undefined): void {
  if (entry === undefined || entry.linkedRegs === 0n) return;
  const { bt } = env;
  const linked = unpackLinkedRegs(entry.linkedRegs);
  const isPrecise = (e: number): boolean =>
    linkedIsReg(e) ? bt.hasReg(linkedIndex(e), linkedFrameno(e)) : bt.hasSlot(linkedFrameno(e), linkedIndex(e));
  if (!linked.some(isPrecise)) return;
  for (const e of linked) {
    if (linkedIsReg(e)) bt.setReg(linkedIndex(e), linkedFrameno(e));
    else bt.setSlot(linkedFrameno(e), linkedIndex(e));
  }
}
