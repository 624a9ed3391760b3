// 64-bit immediate loads, and the packet loads inherited from classic BPF.
// Source: behaviour of check_ld_imm and check_ld_abs, Linux 6.18.

import { fullImm } from '../insn/lddw.ts';
import type { Insn } from '../insn/insn.ts';
import { LD_ABS_PROG_TYPES } from '../spec/context.ts';
import { EINVAL } from '../spec/errno.ts';
import {
  BPF_ABS, BPF_DW, BPF_IND, BPF_PSEUDO_FUNC, BPF_PSEUDO_MAP_IDX_VALUE, BPF_PSEUDO_MAP_VALUE, BPF_REG_0, BPF_REG_6, insnMode, insnSize,
} from '../spec/opcodes.ts';
import { PROG_TYPES } from '../spec/prog-types.ts';
import { CONST_PTR_TO_MAP, PTR_TO_CTX, PTR_TO_FUNC, PTR_TO_MAP_VALUE, SCALAR_VALUE } from '../spec/verifier-types.ts';
import { prepareFuncExit } from './calls.ts';
import { checkPtrOffReg } from './check-ctx.ts';
import type { InsnAux, SubprogInfo, VerifierEnv } from './env.ts';
import { markRegKnown, markRegKnownZero, markRegUnknown } from './mark-reg.ts';
import { pushStack } from './push-stack.ts';
import { checkResourceLeak } from './refs.ts';
import { checkRegArg, clearCallerSavedRegs, DST_OP, regAt, SRC_OP } from './reg-arg.ts';
import type { RegState } from './reg-state.ts';

/** LDDW: a constant, a map, an address in a map's value, or a function. */
export function checkLdImm(env: VerifierEnv, insn: Insn): void {
  if (insnSize(insn.code) !== BPF_DW) env.reject(EINVAL, 'invalid BPF_LD_IMM insn');
  if (insn.off !== 0) env.reject(EINVAL, 'BPF_LD_IMM64 uses reserved fields');
  checkRegArg(env, insn.dst, DST_OP);
  const dst = regAt(env, insn.dst);
  if (insn.src === 0) {
    dst.type = SCALAR_VALUE;
    return markRegKnown(dst, fullImm(insn, env.insns[env.insnIdx + 1]));
  }
  markRegKnownZero(dst);
  if (insn.src === BPF_PSEUDO_FUNC) return loadFunc(env, insn, dst);
  const aux = env.aux[env.insnIdx] as InsnAux;
  dst.mapIndex = aux.mapIndex;
  if (insn.src === BPF_PSEUDO_MAP_VALUE || insn.src === BPF_PSEUDO_MAP_IDX_VALUE) {
    dst.type = PTR_TO_MAP_VALUE;
    dst.off = aux.mapOff;
  } else {
    dst.type = CONST_PTR_TO_MAP;
  }
}

function loadFunc(env: VerifierEnv, insn: Insn, dst: RegState): void {
  const subprogno = env.findSubprog(env.insnIdx + insn.imm + 1);
  if (env.prog.funcInfo.length === 0) env.reject(EINVAL, 'missing btf func_info');
  if ((env.subprogs[subprogno] as SubprogInfo).isGlobal) env.reject(EINVAL, 'callback function not static');
  dst.type = PTR_TO_FUNC;
  dst.subprogno = subprogno;
}

/** BPF_LD | BPF_ABS and BPF_IND: the packet's bytes by way of r6; they end the function with 0 when the packet is too short. Returns the next instruction. */
export function checkLdAbs(env: VerifierEnv, insn: Insn): number {
  const isAbs = insnMode(insn.code) === BPF_ABS;
  const type = PROG_TYPES[env.prog.type];
  if (type === undefined || !LD_ABS_PROG_TYPES.includes(type.name)) {
    env.reject(EINVAL, 'BPF_LD_[ABS|IND] instructions not allowed for this program type');
  }
  if (insn.dst !== BPF_REG_0 || insn.off !== 0 || insnSize(insn.code) === BPF_DW || (isAbs && insn.src !== BPF_REG_0)) {
    env.reject(EINVAL, 'BPF_LD_[ABS|IND] uses reserved fields');
  }
  checkRegArg(env, BPF_REG_6, SRC_OP);
  checkResourceLeak(env, true, 'BPF_LD_[ABS|IND]');
  const ctx = regAt(env, BPF_REG_6);
  if (ctx.type !== PTR_TO_CTX) env.reject(EINVAL, 'at the time of BPF_LD_ABS|IND R6 != pointer to skb');
  if (insnMode(insn.code) === BPF_IND) checkRegArg(env, insn.src, SRC_OP);
  checkPtrOffReg(env, ctx, BPF_REG_6);
  clearCallerSavedRegs(env, env.frame);
  markRegUnknown(env, regAt(env, BPF_REG_0));
  return followFailedLoad(env);
}

/** Where the packet is too short, the main function ends the program with 0, but a called one returns 0 to its caller, which must cope with that. */
function followFailedLoad(env: VerifierEnv): number {
  if (env.state.curframe === 0) return env.insnIdx + 1;
  env.markRegScratched(BPF_REG_0);
  pushStack(env, env.insnIdx + 1, env.insnIdx, false);
  markRegKnownZero(regAt(env, BPF_REG_0));
  env.liveStack.update();
  return prepareFuncExit(env);
}
