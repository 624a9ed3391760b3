// Conditions of jumps: each leaves an i32 that is not zero when the jump is taken.
// Invariant: class JMP32 compares the low halves; a 64-bit immediate is the sign-extended imm.
// Source: RFC 9669 section 4.3; may_goto: uapi BPF_JCOND, kernel/bpf/verifier.c do_misc_fixups.

import type { Insn } from '../insn/insn.ts';
import { BPF_MAX_LOOPS } from '../spec/limits.ts';
import {
  BPF_JCOND, BPF_JEQ, BPF_JGE, BPF_JGT, BPF_JLE, BPF_JLT, BPF_JMP32, BPF_JNE, BPF_JSET, BPF_JSGE, BPF_JSGT, BPF_JSLE, BPF_JSLT, BPF_X,
  insnClass, insnOp, insnSrc,
} from '../spec/opcodes.ts';
import { NotSupportedError } from '../util/errors.ts';
import type { Local } from '../wasm/function-builder.ts';
import type { Scope } from './scope.ts';

const COMPARE: Readonly<Record<number, 'eq' | 'ne' | 'gt_u' | 'ge_u' | 'lt_u' | 'le_u' | 'gt_s' | 'ge_s' | 'lt_s' | 'le_s' | 'and'>> = {
  [BPF_JEQ]: 'eq', [BPF_JNE]: 'ne', [BPF_JGT]: 'gt_u', [BPF_JGE]: 'ge_u', [BPF_JLT]: 'lt_u', [BPF_JLE]: 'le_u',
  [BPF_JSGT]: 'gt_s', [BPF_JSGE]: 'ge_s', [BPF_JSLT]: 'lt_s', [BPF_JSLE]: 'le_s', [BPF_JSET]: 'and',
};

/**
 * may_goto jumps once the function's budget is used up, so that any loop around it ends: 8,388,608 passes per call of the function, as in
 * kernels that count. (Since 6.15 x86-64 looks at the clock instead, for about 250 ms; a count keeps runs the same everywhere.)
 */
function pushBudgetSpent(s: Scope): void {
  const left = mayGotoBudget(s);
  s.pushLocal(left);
  s.op('i32.eqz');
  s.pushLocal(left);
  s.pushLocal(left);
  s.push32(0);
  s.op('i32.ne');
  s.op('i32.sub');
  s.popLocal(left);
}

const mayGotoBudget = (s: Scope): Local<'i32'> => s.scratch('i32', 'may_goto');

/** Gives the function its may_goto budget; to be written at its entry when it has such jumps. */
export const initMayGoto = (s: Scope): void => s.f.set(mayGotoBudget(s), BPF_MAX_LOOPS);

/** True for may_goto. */
export const isMayGoto = (insn: Insn): boolean => insnOp(insn.code) === BPF_JCOND;

function pushOperands(s: Scope, insn: Insn): void {
  const fromReg = insnSrc(insn.code) === BPF_X;
  if (insnClass(insn.code) === BPF_JMP32) {
    s.pushReg32(insn.dst);
    if (fromReg) s.pushReg32(insn.src);
    else s.push32(insn.imm);
    return;
  }
  s.pushReg(insn.dst);
  if (fromReg) s.pushReg(insn.src);
  else s.push64(insn.imm);
}

function pushCompare(s: Scope, insn: Insn): void {
  const compare = COMPARE[insnOp(insn.code)];
  if (compare === undefined) throw new NotSupportedError(`instruction with opcode 0x${insn.code.toString(16).padStart(2, '0')}`);
  const type = insnClass(insn.code) === BPF_JMP32 ? 'i32' : 'i64';
  pushOperands(s, insn);
  s.op(`${type}.${compare}`);
  if (compare !== 'and' || type === 'i32') return;
  s.push64(0);
  s.op('i64.ne');
}

/** Leaves the condition of a conditional jump on the stack. */
export function pushCondition(s: Scope, insn: Insn): void {
  if (isMayGoto(insn)) pushBudgetSpent(s);
  else pushCompare(s, insn);
}
