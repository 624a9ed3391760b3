// Verifies a program: the checks in the kernel's order, then what executors are given.
// Invariant: depends on its arguments alone; what isn't supported throws NotSupportedError and is never judged.
// Source: behaviour of bpf_check and do_check_common, Linux 6.18.

import type { Program } from '../insn/insn.ts';
import { BPF_COMPLEXITY_LIMIT_INSNS, BPF_REG_SIZE } from '../spec/limits.ts';
import { BPF_REG_1 } from '../spec/opcodes.ts';
import { BPF_PROG_TYPE_SCHED_ACT, BPF_PROG_TYPE_SCHED_CLS, BPF_PROG_TYPE_SOCKET_FILTER, BPF_PROG_TYPE_XDP, PROG_TYPES } from '../spec/prog-types.ts';
import { PTR_TO_CTX } from '../spec/verifier-types.ts';
import { formatVersion, NEWEST_KERNEL } from '../spec/versions.ts';
import { roundUp } from '../util/bytes.ts';
import { NotSupportedError } from '../util/errors.ts';
import type { VerifierOptions, VerifierStats, VerifyProgram, VerifyResult } from './api.ts';
import { initFuncState } from './calls.ts';
import { checkBtfInfo, checkBtfInfoEarly } from './check-btf.ts';
import { checkCfg, computePostorder, computeScc } from './cfg.ts';
import { doCheck } from './check.ts';
import { Rejection, VerifierEnv, type SubprogInfo } from './env.ts';
import { markFastcallPatterns, removeFastcallSpills } from './fastcall.ts';
import { checkFuncRefs, finishProgram } from './fixups.ts';
import { noteMainArgs, prepareFuncArgs } from './func-args.ts';
import { BPF_MAIN_FUNC } from './func-state.ts';
import { computeLiveRegisters } from './live-regs.ts';
import { LiveStack } from './live-stack.ts';
import { markRegKnownZero } from './mark-reg.ts';
import { addSubprogs, checkSubprogs, resolvePseudoLdimm64 } from './prologue.ts';
import type { RegState } from './reg-state.ts';
import { checkMaxStackDepth } from './stack-depth.ts';
import { VerifierState } from './verifier-state.ts';

const SUPPORTED: ReadonlySet<number> = new Set([BPF_PROG_TYPE_XDP, BPF_PROG_TYPE_SCHED_CLS, BPF_PROG_TYPE_SCHED_ACT, BPF_PROG_TYPE_SOCKET_FILTER]);

/** Verifies one program. Throws NotSupportedError for what it can't judge yet; never guesses. */
export const verifyProgram: VerifyProgram = (prog: Program, options: VerifierOptions): VerifyResult => {
  if (options.kernel !== NEWEST_KERNEL) throw new NotSupportedError(`the verifier of Linux ${formatVersion(options.kernel)} (the rules here are ${formatVersion(NEWEST_KERNEL)}'s)`);
  if (!SUPPORTED.has(prog.type)) throw new NotSupportedError(`verifying programs of type ${PROG_TYPES[prog.type]?.name ?? prog.type}`);
  const env = new VerifierEnv(prog, options);
  try {
    checkProgram(env);
  } catch (error) {
    if (!(error instanceof Rejection)) throw error;
    return rejected(env, error);
  }
  const stats = { ...statsOf(env), stackDepths: env.subprogs.map((_, subprogno) => inlinedStackDepth(env, subprogno)) };
  const program = finishProgram(env);
  printStats(env, stats);
  return { verdict: 'accept', program, log: logText(env), stats };
};

function checkProgram(env: VerifierEnv): void {
  checkBtfInfoEarly(env);
  addSubprogs(env);
  checkSubprogs(env);
  checkBtfInfo(env);
  resolvePseudoLdimm64(env);
  checkCfg(env);
  const postorder = computePostorder(env);
  computeScc(env);
  computeLiveRegisters(env, postorder);
  markFastcallPatterns(env);
  env.liveStack = new LiveStack(env, postorder);
  checkFunc(env, 0);
  checkGlobalFuncs(env);
  removeFastcallSpills(env);
  checkMaxStackDepth(env);
  checkFuncRefs(env);
}

/** Walks a function on its own: the main one, or a global one with whatever its BTF lets callers pass. */
function checkFunc(env: VerifierEnv, subprogno: number): void {
  const { start, name } = env.subprogs[subprogno] as SubprogInfo;
  env.prevLinfo = -1;
  env.insnIdx = start;
  const state = new VerifierState();
  state.branches = 1;
  state.firstInsnIdx = start;
  state.lastInsnIdx = -1;
  const frame = env.pool.take();
  state.frames = [frame];
  env.state = state;
  env.explored.clear();
  initFuncState(env, frame, BPF_MAIN_FUNC, 0, subprogno);
  if (subprogno > 0) {
    env.log.verbose(`Validating ${name}() func#${subprogno}...\n`);
    prepareFuncArgs(env, subprogno);
  } else {
    noteMainArgs(env);
    const ctx = frame.regs[BPF_REG_1] as RegState;
    markRegKnownZero(ctx);
    ctx.type = PTR_TO_CTX;
  }
  doCheck(env);
  if (!env.log.isVerbose) env.log.resetTo(0);
}

/** Global functions that are called are verified too; that may bring in more of them. */
function checkGlobalFuncs(env: VerifierEnv): void {
  for (let again = true; again;) {
    again = false;
    env.subprogs.forEach((subprog, subprogno) => {
      if (subprogno === 0 || !subprog.isGlobal || !subprog.called || subprog.verified) return;
      checkFunc(env, subprogno);
      if (env.log.printsInsns) env.log.verbose(`Func#${subprogno} ('${subprog.name}') is safe for any args that match its prototype\n`);
      subprog.verified = true;
      again = true;
    });
  }
}

/** The kernel inlines bpf_loop where it can, which takes three registers' worth of stack; here only the statistics show it. */
function inlinedStackDepth(env: VerifierEnv, subprogno: number): number {
  const { start, stackDepth } = env.subprogs[subprogno] as SubprogInfo;
  const inlines = env.aux.slice(start, env.subprogEnd(subprogno)).some((aux) => aux.loopInlineFit);
  return inlines ? roundUp(stackDepth, BPF_REG_SIZE) + 3 * BPF_REG_SIZE : stackDepth;
}

function statsOf(env: VerifierEnv): VerifierStats {
  return {
    processedInsns: env.insnProcessed, maxStatesPerInsn: env.maxStatesPerInsn, totalStates: env.totalStates, peakStates: env.peakStates,
    markReadInsns: env.longestMarkReadWalk, stackDepths: env.subprogs.map((subprog) => subprog.stackDepth),
  };
}

function printStats(env: VerifierEnv, stats: VerifierStats): void {
  if (env.log.hasStats) env.log.verbose(`verification time 0 usec\nstack depth ${stats.stackDepths.join('+')}\n`);
  env.log.verbose(`processed ${stats.processedInsns} insns (limit ${BPF_COMPLEXITY_LIMIT_INSNS}) max_states_per_insn ${stats.maxStatesPerInsn} ` +
    `total_states ${stats.totalStates} peak_states ${stats.peakStates} mark_read ${stats.markReadInsns}\n`);
}

const logText = (env: VerifierEnv): string => (env.log.level === 0 ? '' : env.log.text);

function rejected(env: VerifierEnv, rejection: Rejection): VerifyResult {
  const message = env.log.lastLine;
  const stats = statsOf(env);
  printStats(env, stats);
  return { verdict: 'reject', errno: rejection.errno, message, insn: rejection.insn, log: logText(env), stats };
}
