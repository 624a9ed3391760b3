// The driver: walks every path, instruction by instruction, until each has ended or is covered by an older state.
// Invariant: an instruction either advances `env.insnIdx`, ends the path, or rejects.
// Source: behaviour of do_check and do_check_insn, Linux 6.18.

import type { Insn } from '../insn/insn.ts';
import { E2BIG, EFAULT, EINVAL } from '../spec/errno.ts';
import { BPF_FUNC_spin_unlock } from '../spec/helpers.ts';
import { BPF_COMPLEXITY_LIMIT_INSNS } from '../spec/limits.ts';
import {
  BPF_ABS, BPF_ALU, BPF_ALU64, BPF_ATOMIC, BPF_CALL, BPF_EXIT, BPF_IMM, BPF_IND, BPF_JA, BPF_JMP, BPF_JMP32, BPF_K, BPF_LD, BPF_LDX, BPF_MEM,
  BPF_MEMSX, BPF_PSEUDO_CALL, BPF_PSEUDO_KFUNC_CALL, BPF_REG_0, BPF_ST, BPF_STX, insnClass, insnMode, insnOp, insnSrc,
} from '../spec/opcodes.ts';
import { NotSupportedError } from '../util/errors.ts';
import { checkFuncCall, prepareFuncExit } from './calls.ts';
import { checkAluOp } from './check-alu.ts';
import { checkAtomic } from './check-atomic.ts';
import { checkHelperCall } from './check-call.ts';
import { checkCondJmpOp } from './check-jmp.ts';
import { checkLdAbs, checkLdImm } from './check-ld.ts';
import { checkLoadMem, checkStoreImm, checkStoreReg } from './check-load-store.ts';
import type { InsnAux, VerifierEnv } from './env.ts';
import { pushJmpHistory } from './jmp-history.ts';
import { verboseLinfo } from './linfo.ts';
import { verboseInsn } from './log-insn.ts';
import { printInsnState, printVerifierState } from './log-state.ts';
import { popStack, updateBranchCounts } from './push-stack.ts';
import { checkResourceLeak } from './refs.ts';
import { checkReturnCode } from './retval.ts';
import { isStateVisited } from './states.ts';

/** The path has ended. */
const PATH_END = -1;

/** Walks every path from the current state. */
export function doCheck(env: VerifierEnv): void {
  const walk = new Walk(env);
  while (walk.step()) { /* one instruction at a time */ }
}

class Walk {
  readonly env: VerifierEnv;
  /** Print the whole state before the next instruction: a branch was taken up. */
  #printState = false;
  #prevInsnIdx = -1;
  constructor(env: VerifierEnv) {
    this.env = env;
  }

  /** Checks the next instruction of the current path; false when no path is left. */
  step(): boolean {
    const { env } = this;
    env.curHistEntry = false;
    env.prevInsnIdx = this.#prevInsnIdx;
    if (env.insnIdx >= env.insns.length) env.reject(EFAULT, `invalid insn idx ${env.insnIdx} insn_cnt ${env.insns.length}`);
    if (++env.insnProcessed > BPF_COMPLEXITY_LIMIT_INSNS) {
      env.reject(E2BIG, `BPF program is too large. Processed ${env.insnProcessed} insn`);
    }
    const aux = env.aux[env.insnIdx] as InsnAux;
    env.state.lastInsnIdx = env.prevInsnIdx;
    env.state.insnIdx = env.insnIdx;
    if (aux.prunePoint && isStateVisited(env, env.insnIdx)) return this.#pruned();
    if (aux.jmpPoint) pushJmpHistory(env, 0, 0n);
    if (env.log.printsInsns) this.#print();
    aux.seen = true;
    this.#prevInsnIdx = env.insnIdx;
    env.liveStack.beginInsn(env.insnIdx);
    const next = checkInsn(env);
    if (next === LEFT_FRAME) this.#printState = true;
    env.liveStack.endInsn();
    if (next === PATH_END) return this.#pathEnd();
    return true;
  }

  #pruned(): boolean {
    const { env } = this;
    if (env.log.printsInsns) {
      env.log.verbose(this.#printState ? `\nfrom ${env.prevInsnIdx} to ${env.insnIdx}${this.#speculation}: safe\n` : `${env.insnIdx}: safe\n`);
    }
    return this.#pathEnd();
  }

  get #speculation(): string { return this.env.state.speculative ? ' (speculative execution)' : ''; }

  #print(): void {
    const { env } = this;
    if (env.log.isVerbose && this.#printState) {
      env.log.verbose(`\nfrom ${env.prevInsnIdx} to ${env.insnIdx}${this.#speculation}:`);
      printVerifierState(env, env.state, env.state.curframe, true);
      this.#printState = false;
    }
    if (env.isStateScratched) printInsnState(env, env.state, env.state.curframe);
    verboseLinfo(env, env.insnIdx, '; ');
    env.prevLogPos = env.log.position;
    env.log.verbose(`${env.insnIdx}: `);
    verboseInsn(env, env.insnIdx);
    env.prevInsnPrintPos = env.log.position - env.prevLogPos;
    env.prevLogPos = env.log.position;
  }

  #pathEnd(): boolean {
    const { env } = this;
    env.markStateScratched();
    updateBranchCounts(env, env.state);
    env.liveStack.update();
    if (!popStack(env, !env.log.isVerbose)) return false;
    this.#prevInsnIdx = env.prevInsnIdx;
    this.#printState = true;
    return true;
  }
}

/** A function or callback has returned: the state is printed anew. */
const LEFT_FRAME = 1;
const GOES_ON = 0;

/** Checks the instruction at `env.insnIdx` and advances it. */
function checkInsn(env: VerifierEnv): number {
  const insn = env.insns[env.insnIdx] as Insn;
  switch (insnClass(insn.code)) {
    case BPF_ALU: case BPF_ALU64: checkAluOp(env, insn); break;
    case BPF_LDX: checkLoadMem(env, insn, false, insnMode(insn.code) === BPF_MEMSX, 'ldx'); break;
    case BPF_STX: checkStx(env, insn); break;
    case BPF_ST:
      if (insnMode(insn.code) !== BPF_MEM || insn.src !== BPF_REG_0) env.reject(EINVAL, 'BPF_ST uses reserved fields');
      checkStoreImm(env, insn);
      break;
    case BPF_LD: return checkLd(env, insn);
    default: return checkJump(env, insn);
  }
  env.insnIdx++;
  return GOES_ON;
}

function checkStx(env: VerifierEnv, insn: Insn): void {
  if (insnMode(insn.code) === BPF_ATOMIC) return checkAtomic(env, insn);
  if (insnMode(insn.code) !== BPF_MEM || insn.imm !== 0) env.reject(EINVAL, 'BPF_STX uses reserved fields');
  checkStoreReg(env, insn, false);
}

function checkLd(env: VerifierEnv, insn: Insn): number {
  const mode = insnMode(insn.code);
  if (mode === BPF_ABS || mode === BPF_IND) {
    env.insnIdx = checkLdAbs(env, insn);
    return GOES_ON;
  }
  if (mode !== BPF_IMM) env.reject(EINVAL, 'invalid BPF_LD mode');
  checkLdImm(env, insn);
  (env.aux[env.insnIdx + 1] as InsnAux).seen = true;
  env.insnIdx += 2;
  return GOES_ON;
}

function checkJump(env: VerifierEnv, insn: Insn): number {
  env.jmpsProcessed++;
  const op = insnOp(insn.code);
  if (op === BPF_CALL) return checkCall(env, insn);
  if (op === BPF_EXIT) return checkExit(env, insn);
  if (op === BPF_JA) checkGoto(env, insn);
  else env.insnIdx = checkCondJmpOp(env, insn);
  return GOES_ON;
}

function checkGoto(env: VerifierEnv, insn: Insn): void {
  const is32 = insnClass(insn.code) === BPF_JMP32;
  if (insnSrc(insn.code) !== BPF_K || insn.src !== 0 || insn.dst !== 0 || (is32 ? insn.off : insn.imm) !== 0) {
    env.reject(EINVAL, 'BPF_JA uses reserved fields');
  }
  env.insnIdx += (is32 ? insn.imm : insn.off) + 1;
}

function checkCall(env: VerifierEnv, insn: Insn): number {
  const isKfunc = insn.src === BPF_PSEUDO_KFUNC_CALL;
  const known = insn.src === 0 || insn.src === BPF_PSEUDO_CALL || isKfunc;
  if (insnSrc(insn.code) !== BPF_K || (!isKfunc && insn.off !== 0) || !known || insn.dst !== 0 || insnClass(insn.code) !== BPF_JMP) {
    env.reject(EINVAL, 'BPF_CALL uses reserved fields');
  }
  if (env.state.activeLocks > 0 && insn.src === 0 && insn.imm !== BPF_FUNC_spin_unlock) {
    env.reject(EINVAL, 'function calls are not allowed while holding a lock');
  }
  if (isKfunc) throw new NotSupportedError('calls of kernel functions (kfuncs)');
  if (insn.src === BPF_PSEUDO_CALL) {
    env.insnIdx = checkFuncCall(env, insn);
  } else {
    env.insnIdx = checkHelperCall(env, insn);
  }
  env.markRegScratched(BPF_REG_0);
  return GOES_ON;
}

function checkExit(env: VerifierEnv, insn: Insn): number {
  if (insnSrc(insn.code) !== BPF_K || insn.imm !== 0 || insn.src !== 0 || insn.dst !== 0 || insnClass(insn.code) !== BPF_JMP) {
    env.reject(EINVAL, 'BPF_EXIT uses reserved fields');
  }
  checkResourceLeak(env, env.state.curframe === 0, 'BPF_EXIT instruction in main prog');
  if (env.state.curframe === 0) {
    checkReturnCode(env);
    return PATH_END;
  }
  env.liveStack.update();
  env.insnIdx = prepareFuncExit(env);
  return LEFT_FRAME;
}
