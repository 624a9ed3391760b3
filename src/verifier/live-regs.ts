// Which registers may still be read before each instruction, whatever path led there: states that differ only in dead registers are equal.
// Invariant: computed once, before any path is walked; bit i of aux[].liveRegsBefore is register i.
// Source: behaviour of compute_live_registers, Linux 6.18 (classic backward data flow).

import { isLddw } from '../insn/fields.ts';
import type { Insn } from '../insn/insn.ts';
import {
  BPF_ALU, BPF_ALU64, BPF_ATOMIC, BPF_CALL, BPF_CMPXCHG, BPF_DW, BPF_END, BPF_EXIT, BPF_FETCH, BPF_IMM, BPF_JA, BPF_JCOND, BPF_K, BPF_LD, BPF_LDX,
  BPF_LOAD_ACQ, BPF_MEM, BPF_MEMSX, BPF_MOV, BPF_ST, BPF_STORE_REL, BPF_STX, insnClass, insnMode, insnOp, insnSize, insnSrc,
} from '../spec/opcodes.ts';
import { callSummary } from './call-summary.ts';
import { insnSuccessors } from './cfg.ts';
import type { InsnAux, VerifierEnv } from './env.ts';
import { verboseInsn } from './log-insn.ts';

const R0 = 1;
const ALL_CALLER_SAVED = 0x3f;
const ARGS = 0x3e;
const EVERYTHING = 0xffff;

/** Registers read (low 16 bits) and written (high 16 bits). */
const useDef = (use: number, def: number): number => use | (def << 16);

function aluUseDef(insn: Insn, dst: number, src: number): number {
  const op = insnOp(insn.code);
  if (op === BPF_END) return useDef(dst, dst);
  const fromReg = insnSrc(insn.code) !== BPF_K;
  if (op === BPF_MOV) return useDef(fromReg ? src : 0, dst);
  return useDef(fromReg ? dst | src : dst, dst);
}

function atomicUseDef(insn: Insn, dst: number, src: number): number {
  if (insn.imm === BPF_CMPXCHG) return useDef(R0 | dst | src, R0);
  if (insn.imm === BPF_LOAD_ACQ) return useDef(src, dst);
  if (insn.imm === BPF_STORE_REL) return useDef(dst | src, 0);
  return useDef(dst | src, (insn.imm & BPF_FETCH) !== 0 ? src : 0);
}

function jumpUseDef(env: VerifierEnv, insn: Insn, dst: number, src: number): number {
  const op = insnOp(insn.code);
  if (op === BPF_JA || op === BPF_JCOND) return 0;
  if (op === BPF_EXIT) return useDef(R0, 0);
  if (op !== BPF_CALL) return useDef(insnSrc(insn.code) === BPF_K ? dst : dst | src, 0);
  const summary = callSummary(env, insn);
  const use = summary === undefined ? ARGS : ((1 << (summary.params + 1)) - 1) & ~1;
  return useDef(use, ALL_CALLER_SAVED);
}

function insnUseDef(env: VerifierEnv, insn: Insn): number {
  const dst = 1 << insn.dst;
  const src = 1 << insn.src;
  const mode = insnMode(insn.code);
  switch (insnClass(insn.code)) {
    case BPF_LD: return mode === BPF_IMM && insnSize(insn.code) === BPF_DW ? useDef(0, dst) : EVERYTHING;
    case BPF_LDX: return mode === BPF_MEM || mode === BPF_MEMSX ? useDef(src, dst) : EVERYTHING;
    case BPF_ST: return mode === BPF_MEM ? useDef(dst, 0) : EVERYTHING;
    case BPF_STX: return mode === BPF_MEM ? useDef(dst | src, 0) : mode === BPF_ATOMIC ? atomicUseDef(insn, dst, src) : EVERYTHING;
    case BPF_ALU: case BPF_ALU64: return aluUseDef(insn, dst, src);
    default: return jumpUseDef(env, insn, dst, src);
  }
}

/** Fills aux[].liveRegsBefore; `postorder` is the whole program's. */
export function computeLiveRegisters(env: VerifierEnv, postorder: Int32Array): void {
  const effects = Uint32Array.from(env.insns, (insn) => insnUseDef(env, insn));
  const live = new Uint16Array(env.insns.length);
  const next = new Int32Array(2);
  for (let changed = true; changed;) {
    changed = false;
    for (const at of postorder) {
      let out = 0;
      const count = insnSuccessors(env, at, next);
      for (let i = 0; i < count; i++) out |= live[next[i] as number] as number;
      const effect = effects[at] as number;
      const before = (out & ~(effect >>> 16)) | (effect & EVERYTHING);
      if (before === live[at]) continue;
      live[at] = before;
      changed = true;
    }
  }
  live.forEach((mask, at) => { (env.aux[at] as InsnAux).liveRegsBefore = mask; });
  if (env.log.isVerbose) printLiveRegs(env);
}

function printLiveRegs(env: VerifierEnv): void {
  env.log.verbose('Live regs before insn:\n');
  for (let i = 0; i < env.insns.length; i++) {
    const { scc, liveRegsBefore } = env.aux[i] as InsnAux;
    let regs = '';
    for (let regno = 0; regno < 10; regno++) regs += (liveRegsBefore & (1 << regno)) !== 0 ? regno : '.';
    env.log.verbose(`${scc !== 0 ? `${String(scc).padStart(3)} ` : '    '}${String(i).padStart(3)}: ${regs} `);
    verboseInsn(env, i);
    if (isLddw(env.insns[i] as Insn)) i++;
  }
}
