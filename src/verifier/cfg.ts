// The control-flow graph: that all code is reachable and jumps are legal, where states are worth remembering, postorder, and loops (SCCs).
// Invariant: afterwards aux[i].prunePoint, jmpPoint, forceCheckpoint, callsCallback and scc are set, and subprogs know their postorder.
// Source: behaviour of check_cfg, compute_postorder and compute_scc (Tarjan's algorithm in Pearce's form), Linux 6.18.

import { isLddw, isPseudoCall, isPseudoFunc, jumpOffset } from '../insn/fields.ts';
import type { Insn } from '../insn/insn.ts';
import { EINVAL } from '../spec/errno.ts';
import { BPF_CALL, BPF_EXIT, BPF_JA, BPF_JCOND, BPF_JMP, BPF_JMP32, BPF_K, insnClass, insnOp, insnSrc } from '../spec/opcodes.ts';
import { callsAsyncCallback, callsSyncCallback } from './call-summary.ts';
import type { InsnAux, SubprogInfo, VerifierEnv } from './env.ts';
import { helperChangesPktData, helperProto } from './helper-protos.ts';
import { verboseLinfo } from './linfo.ts';
import { isHelperCall } from './prologue.ts';

const DISCOVERED = 0x10;
const EXPLORED = 0x20;
const FALLTHROUGH = 1;
const BRANCH = 2;

const aux = (env: VerifierEnv, at: number): InsnAux => env.aux[at] as InsnAux;
const isJump = (insn: Insn): boolean => insnClass(insn.code) === BPF_JMP || insnClass(insn.code) === BPF_JMP32;

/** Slots that an instruction takes: 2 for LDDW. */
export const slotsOf = (insn: Insn): number => (isLddw(insn) ? 2 : 1);
/** may_goto */
export const isMayGoto = (insn: Insn): boolean => insn.code === (BPF_JMP | BPF_JCOND) && insn.src === 0;

/** Writes the successors of slot `at` within its function to `into` and returns how many there are (0–2). */
export function insnSuccessors(env: VerifierEnv, at: number, into: Int32Array): number {
  const insn = env.insns[at] as Insn;
  const jumps = isJump(insn) && insnOp(insn.code) !== BPF_EXIT && insnOp(insn.code) !== BPF_CALL;
  const falls = !isJump(insn) || (insnOp(insn.code) !== BPF_EXIT && insnOp(insn.code) !== BPF_JA);
  let count = 0;
  if (falls) into[count++] = at + slotsOf(insn);
  if (jumps) into[count++] = at + jumpOffset(insn) + 1;
  return count;
}

/** The depth-first walk of check_cfg: an explicit stack, edges labelled as they are followed. */
class CfgWalk {
  readonly env: VerifierEnv;
  readonly state: Uint8Array;
  readonly stack: number[] = [];
  constructor(env: VerifierEnv) {
    this.env = env;
    this.state = new Uint8Array(env.insns.length);
  }

  run(): void {
    this.state[0] = DISCOVERED;
    this.stack.push(0);
    while (this.stack.length > 0) {
      const at = this.stack[this.stack.length - 1] as number;
      if (this.#visit(at)) continue;
      this.state[at] = EXPLORED;
      this.stack.pop();
    }
  }

  /** Follows the edge `from` → `to`; true when `to` must be explored first. */
  #push(from: number, to: number, edge: number): boolean {
    const { env, state } = this;
    if ((state[from] as number) >= (DISCOVERED | edge)) return false;
    if (to < 0 || to >= env.insns.length) {
      verboseLinfo(env, from, `${from}: `);
      env.reject(EINVAL, `jump out of range from insn ${from} to ${to}`);
    }
    if (edge === BRANCH) {
      aux(env, to).prunePoint = true;
      aux(env, to).jmpPoint = true;
    }
    if (state[to] === 0) {
      state[from] = DISCOVERED | edge;
      state[to] = DISCOVERED;
      this.stack.push(to);
      return true;
    }
    if (((state[to] as number) & 0xf0) === DISCOVERED) this.#backEdge(from, to);
    else state[from] = DISCOVERED | edge;
    return false;
  }

  #backEdge(from: number, to: number): void {
    const { env } = this;
    if (env.bpfCapable) return;
    verboseLinfo(env, from, `${from}: `);
    verboseLinfo(env, to, `${to}: `);
    env.reject(EINVAL, `back-edge from insn ${from} to ${to}`);
  }

  #visit(at: number): boolean {
    const insn = this.env.insns[at] as Insn;
    if (isPseudoFunc(insn)) return this.#visitCall(at, insn, true);
    if (!isJump(insn)) return this.#push(at, at + slotsOf(insn), FALLTHROUGH);
    const op = insnOp(insn.code);
    if (op === BPF_EXIT) return false;
    if (op === BPF_CALL) {
      this.#noteCall(at, insn);
      return this.#visitCall(at, insn, isPseudoCall(insn));
    }
    return op === BPF_JA ? this.#visitGoto(at, insn) : this.#visitBranch(at, insn);
  }

  #visitGoto(at: number, insn: Insn): boolean {
    if (insnSrc(insn.code) !== BPF_K) this.env.reject(EINVAL);
    const target = at + jumpOffset(insn) + 1;
    if (this.#push(at, target, FALLTHROUGH)) return true;
    aux(this.env, target).prunePoint = true;
    aux(this.env, target).jmpPoint = true;
    return false;
  }

  #visitBranch(at: number, insn: Insn): boolean {
    aux(this.env, at).prunePoint = true;
    if (isMayGoto(insn)) aux(this.env, at).forceCheckpoint = true;
    return this.#push(at, at + 1, FALLTHROUGH) || this.#push(at, at + insn.off + 1, BRANCH);
  }

  #visitCall(at: number, insn: Insn, visitCallee: boolean): boolean {
    const { env } = this;
    const next = at + slotsOf(insn);
    if (this.#push(at, next, FALLTHROUGH)) return true;
    aux(env, next).prunePoint = true;
    aux(env, next).jmpPoint = true;
    if (!visitCallee) return false;
    const target = at + insn.imm + 1;
    aux(env, at).prunePoint = true;
    this.#mergeCallee(at, target);
    return this.#push(at, target, BRANCH);
  }

  #mergeCallee(at: number, target: number): void {
    const caller = this.env.subprogs[this.env.containingSubprog(at)] as SubprogInfo;
    const callee = this.env.subprogs[this.env.containingSubprog(target)] as SubprogInfo;
    caller.changesPktData ||= callee.changesPktData;
    caller.mightSleep ||= callee.mightSleep;
  }

  #noteCall(at: number, insn: Insn): void {
    const here = aux(this.env, at);
    if (callsAsyncCallback(insn)) here.prunePoint = true;
    if (callsSyncCallback(insn)) {
      here.callsCallback = true;
      here.forceCheckpoint = true;
      here.prunePoint = true;
      here.jmpPoint = true;
    }
    if (!isHelperCall(insn)) return;
    const subprog = this.env.subprogs[this.env.containingSubprog(at)] as SubprogInfo;
    if (helperProto(this.env, insn.imm)?.mightSleep === true) subprog.mightSleep = true;
    if (helperChangesPktData(insn.imm)) subprog.changesPktData = true;
  }
}

/** Rejects unreachable code, jumps out of the program and into LDDWs, and loops of unprivileged programs. */
export function checkCfg(env: VerifierEnv): void {
  const walk = new CfgWalk(env);
  walk.run();
  for (let i = 0; i < env.insns.length; i++) {
    if (walk.state[i] !== EXPLORED) env.reject(EINVAL, `unreachable insn ${i}`);
    if (!isLddw(env.insns[i] as Insn)) continue;
    if (walk.state[i + 1] !== 0) env.reject(EINVAL, `jump into the middle of ldimm64 insn ${i}`);
    i++;
  }
}

/** Slots in postorder, function after function; each function's part starts at its `postorderStart`. */
export function computePostorder(env: VerifierEnv): Int32Array {
  const order = new Int32Array(env.insns.length);
  const seen = new Uint8Array(env.insns.length);
  const next = new Int32Array(2);
  let count = 0;
  for (const subprog of env.subprogs) {
    subprog.postorderStart = count;
    const stack = [subprog.start];
    seen[subprog.start] = 1;
    while (stack.length > 0) {
      const top = stack[stack.length - 1] as number;
      // A slot on the stack is stored as ~slot once its successors have been pushed.
      if (top < 0) {
        order[count++] = ~top;
        stack.pop();
        continue;
      }
      stack[stack.length - 1] = ~top;
      const successors = insnSuccessors(env, top, next);
      for (let i = 0; i < successors; i++) {
        const to = next[i] as number;
        if (seen[to] === 1) continue;
        seen[to] = 1;
        stack.push(to);
      }
    }
  }
  return order.subarray(0, count);
}

const NOT_ON_STACK = 0xffff_ffff;

/** Numbers the loops: aux[i].scc is 0 outside of any loop. Returns the highest number + 1. */
export function computeScc(env: VerifierEnv): number {
  const walk = new SccWalk(env);
  for (let i = 0; i < env.insns.length; i++) walk.from(i);
  return walk.nextScc;
}

class SccWalk {
  readonly env: VerifierEnv;
  readonly #pre: Uint32Array;
  readonly #low: Uint32Array;
  readonly #successors = new Int32Array(2);
  #stack: number[] = [];
  #nextPre = 1;
  nextScc = 1;
  constructor(env: VerifierEnv) {
    this.env = env;
    this.#pre = new Uint32Array(env.insns.length);
    this.#low = new Uint32Array(env.insns.length);
  }

  from(start: number): void {
    if (this.#pre[start] !== 0) return;
    this.#stack = [];
    const dfs = [start];
    while (dfs.length > 0) {
      const at = dfs[dfs.length - 1] as number;
      const deeper = this.#enter(at);
      if (deeper >= 0) {
        dfs.push(deeper);
        continue;
      }
      if ((this.#low[at] as number) === (this.#pre[at] as number)) this.#close(at);
      dfs.pop();
    }
  }

  /** Numbers `at`, takes over what its successors reach; returns one that is still to be visited, or -1. */
  #enter(at: number): number {
    if (this.#pre[at] === 0) {
      this.#pre[at] = this.#nextPre;
      this.#low[at] = this.#nextPre++;
      this.#stack.push(at);
    }
    const count = insnSuccessors(this.env, at, this.#successors);
    for (let i = 0; i < count; i++) {
      const to = this.#successors[i] as number;
      if (this.#pre[to] === 0) return to;
      this.#low[at] = Math.min(this.#low[at] as number, this.#low[to] as number);
    }
    return -1;
  }

  #close(root: number): void {
    const count = insnSuccessors(this.env, root, this.#successors);
    let isLoop = this.#stack[this.#stack.length - 1] !== root;
    for (let i = 0; i < count; i++) if (this.#successors[i] === root) isLoop = true;
    for (;;) {
      const at = this.#stack.pop() as number;
      this.#low[at] = NOT_ON_STACK;
      if (isLoop) aux(this.env, at).scc = this.nextScc;
      if (at === root) break;
    }
    if (isLoop) this.nextScc++;
  }
}
