// Conditional jumps: which way they may go, what each way teaches about registers, and the state queued for the way not followed.
// Invariant: the current state follows the fall-through unless the jump is decided; the other way is pushed before anything is narrowed.
// Source: behaviour and messages of check_cond_jmp_op and its parts, Linux 6.18.

import type { Insn } from '../insn/insn.ts';
import { EACCES, EINVAL } from '../spec/errno.ts';
import { BPF_JA, BPF_JCOND, BPF_JEQ, BPF_JMP, BPF_JMP32, BPF_JNE, BPF_MAY_GOTO, BPF_X, insnClass, insnOp, insnSrc } from '../spec/opcodes.ts';
import { baseType, PTR_TO_BTF_ID, PTR_TO_STACK, SCALAR_VALUE, typeMayBeNull } from '../spec/verifier-types.ts';
import { NotSupportedError } from '../util/errors.ts';
import { markChainPrecision } from './backtrack.ts';
import { regSetMinMax } from './branch-refine.ts';
import { isBranchTaken } from './branch-taken.ts';
import type { VerifierEnv } from './env.ts';
import { INSN_F_DST_REG_STACK, INSN_F_SRC_REG_STACK, packLinkedRegs, pushJmpHistory } from './jmp-history.ts';
import { collectLinkedRegs, syncLinkedRegs } from './linked-regs.ts';
import { printInsnState } from './log-state.ts';
import { markRegKnown } from './mark-reg.ts';
import { markPtrNotNullReg, markPtrOrNullRegs } from './or-null.ts';
import { tryMatchPktPointers } from './packet-range.ts';
import { pushStack } from './push-stack.ts';
import { checkRegArg, isPointerValue, regAt, SRC_OP } from './reg-arg.ts';
import { isPktPointerAny, isPointer } from './reg-facts.ts';
import { RegState } from './reg-state.ts';
import type { VerifierState } from './verifier-state.ts';
import { findPrevEntry, widenImpreciseScalars } from './widen.ts';

const immReg = new RegState();
const immRegOther = new RegState();

/** Checks a conditional jump (class BPF_JMP or BPF_JMP32) and returns the instruction that the current state goes on with. */
export function checkCondJmpOp(env: VerifierEnv, insn: Insn): number {
  const op = insnOp(insn.code);
  if (op === BPF_JA || op > BPF_JCOND) env.reject(EINVAL, `invalid BPF_JMP/JMP32 opcode ${op.toString(16)}`);
  if (op === BPF_JCOND) return checkMayGoto(env, insn);
  const is32 = insnClass(insn.code) === BPF_JMP32;
  const fromReg = insnSrc(insn.code) === BPF_X;
  checkRegArg(env, insn.dst, SRC_OP);
  const dst = regAt(env, insn.dst);
  const src = sourceOperand(env, insn, fromReg, dst);
  noteStackOperands(env, fromReg, dst, src);
  const taken = isBranchTaken(dst, src, op, is32);
  if (taken >= 0) return followDecided(env, insn, fromReg, dst, src, taken === 1);
  return followBoth(env, insn, op, is32, fromReg, dst, src);
}

/** may_goto: a loop's way out, which the run time takes at the latest after some 8 million rounds. */
function checkMayGoto(env: VerifierEnv, insn: Insn): number {
  const idx = env.insnIdx;
  if (insn.code !== (BPF_JMP | BPF_JCOND) || insn.src !== BPF_MAY_GOTO || insn.dst !== 0 || insn.imm !== 0) {
    env.reject(EINVAL, `invalid may_goto imm ${insn.imm}`);
  }
  const previous = env.state.parent === undefined ? undefined : findPrevEntry(env, env.state.parent, idx);
  const queued = pushStack(env, idx + 1, idx, false);
  queued.mayGotoDepth++;
  if (previous !== undefined) widenImpreciseScalars(env, previous, queued);
  return idx + insn.off + 1;
}

function sourceOperand(env: VerifierEnv, insn: Insn, fromReg: boolean, dst: RegState): RegState {
  if (fromReg ? insn.imm !== 0 : insn.src !== 0) env.reject(EINVAL, 'BPF_JMP/JMP32 uses reserved fields');
  if (!fromReg) {
    immReg.clear();
    immReg.type = SCALAR_VALUE;
    markRegKnown(immReg, BigInt(insn.imm));
    return immReg;
  }
  checkRegArg(env, insn.src, SRC_OP);
  const src = regAt(env, insn.src);
  if (!(isPktPointerAny(dst) && isPktPointerAny(src)) && isPointerValue(env, insn.src)) {
    env.reject(EACCES, `R${insn.src} pointer comparison prohibited`);
  }
  return src;
}

function noteStackOperands(env: VerifierEnv, fromReg: boolean, dst: RegState, src: RegState): void {
  const flags = (fromReg && src.type === PTR_TO_STACK ? INSN_F_SRC_REG_STACK : 0) | (dst.type === PTR_TO_STACK ? INSN_F_DST_REG_STACK : 0);
  if (flags !== 0) pushJmpHistory(env, flags, 0n);
}

/** The condition is decided: the values that decided it must stay precise. */
function followDecided(env: VerifierEnv, insn: Insn, fromReg: boolean, dst: RegState, src: RegState, jumps: boolean): number {
  if (!isPointer(dst)) markChainPrecision(env, insn.dst);
  if (fromReg && !isPointer(src)) markChainPrecision(env, insn.src);
  if (!env.bypassSpecV1) throw new NotSupportedError('speculative execution of the branch not taken (program without CAP_PERFMON)');
  if (env.log.printsInsns) printInsnState(env, env.state, env.state.curframe);
  return env.insnIdx + 1 + (jumps ? insn.off : 0);
}

function followBoth(env: VerifierEnv, insn: Insn, op: number, is32: boolean, fromReg: boolean, dst: RegState, src: RegState): number {
  const linked: number[] = [];
  if (fromReg && src.type === SCALAR_VALUE && src.id !== 0) collectLinkedRegs(env, src.id, linked);
  if (dst.type === SCALAR_VALUE && dst.id !== 0) collectLinkedRegs(env, dst.id, linked);
  if (linked.length > 1) pushJmpHistory(env, 0, packLinkedRegs(linked));
  const other = pushStack(env, env.insnIdx + insn.off + 1, env.insnIdx, false);
  const otherDst = other.regs[insn.dst] as RegState;
  const otherSrc = fromReg ? (other.regs[insn.src] as RegState) : immReg;
  if (!fromReg) immRegOther.copyFrom(immReg);
  regSetMinMax(env, otherDst, otherSrc, dst, fromReg ? src : immRegOther, op, is32);
  if (fromReg && src.type === SCALAR_VALUE && src.id !== 0) syncBoth(env, other, src, otherSrc, linked);
  if (dst.type === SCALAR_VALUE && dst.id !== 0) syncBoth(env, other, dst, otherDst, linked);
  if (fromReg && !is32) liftOrNull(op, dst, src, otherDst, otherSrc, env);
  learnPointers(env, insn, op, is32, fromReg, other);
  if (env.log.printsInsns) printInsnState(env, env.state, env.state.curframe);
  return env.insnIdx + 1;
}

function syncBoth(env: VerifierEnv, other: VerifierState, reg: RegState, otherReg: RegState, linked: readonly number[]): void {
  syncLinkedRegs(env.state, reg, linked);
  syncLinkedRegs(other, otherReg, linked);
}

/** Two pointers compared, one of which may be NULL and the other not: where they are equal, neither is NULL. */
function liftOrNull(op: number, dst: RegState, src: RegState, otherDst: RegState, otherSrc: RegState, env: VerifierEnv): void {
  if (!isPointer(src) || !isPointer(dst) || typeMayBeNull(src.type) === typeMayBeNull(dst.type)) return;
  if (baseType(src.type) === PTR_TO_BTF_ID || baseType(dst.type) === PTR_TO_BTF_ID) return;
  const nullable = typeMayBeNull(src.type);
  if (op === BPF_JEQ) markPtrNotNullReg(env, nullable ? otherSrc : otherDst);
  else if (op === BPF_JNE) markPtrNotNullReg(env, nullable ? src : dst);
}

/** NULL checks of or-null pointers, and comparisons of packet pointers. */
function learnPointers(env: VerifierEnv, insn: Insn, op: number, is32: boolean, fromReg: boolean, other: VerifierState): void {
  const dst = regAt(env, insn.dst);
  if (!is32 && !fromReg && insn.imm === 0 && (op === BPF_JEQ || op === BPF_JNE) && typeMayBeNull(dst.type)) {
    markPtrOrNullRegs(env, env.state, insn.dst, op === BPF_JNE);
    markPtrOrNullRegs(env, other, insn.dst, op === BPF_JEQ);
    return;
  }
  if (!tryMatchPktPointers(env, insn, other) && isPointerValue(env, insn.dst)) env.reject(EACCES, `R${insn.dst} pointer comparison prohibited`);
}
