// bpf_fastcall: compilers surround calls that keep registers by spills and fills for older kernels; here they are recognised and dropped.
// Invariant: dropping them changes no result, only the stack that a function needs.
// Source: behaviour of mark_fastcall_patterns and remove_fastcall_spills_fills, Linux 6.18.

import type { Insn } from '../insn/insn.ts';
import { BPF_CALL, BPF_DW, BPF_JMP, BPF_LDX, BPF_MEM, BPF_REG_10, BPF_STX } from '../spec/opcodes.ts';
import { callSummary } from './call-summary.ts';
import type { InsnAux, SubprogInfo, VerifierEnv } from './env.ts';

const SPILL = BPF_STX | BPF_MEM | BPF_DW;
const FILL = BPF_LDX | BPF_MEM | BPF_DW;
const CALLER_SAVED = 0x3f;
const MAX_PAIRS = 6;

/** Finds the spill/fill pairs around calls. */
export function markFastcallPatterns(env: VerifierEnv): void {
  env.subprogs.forEach((subprog, subprogno) => {
    const end = env.subprogEnd(subprogno);
    let lowest = 0;
    for (let i = subprog.start; i < end; i++) {
      const insn = env.insns[i] as Insn;
      if (insn.code === SPILL && insn.dst === BPF_REG_10) lowest = Math.min(lowest, insn.off);
    }
    for (let i = subprog.start; i < end; i++) if ((env.insns[i] as Insn).code === (BPF_JMP | BPF_CALL)) markAround(env, subprog, i, lowest);
  });
}

function markAround(env: VerifierEnv, subprog: SubprogInfo, call: number, lowest: number): void {
  const summary = callSummary(env, env.insns[call] as Insn);
  if (summary === undefined) return;
  const clobbered = ((1 << (summary.params + 1)) - 1) & (summary.isVoid ? ~1 : ~0);
  let expected = ~clobbered & CALLER_SAVED;
  let off = lowest;
  let pairs = 0;
  for (let i = 1; i <= MAX_PAIRS; i++, off += 8) {
    const spill = env.insns[call - i];
    const fill = env.insns[call + i];
    if (spill === undefined || fill === undefined || !isPair(spill, fill, off) || (expected & (1 << spill.src)) === 0) break;
    expected &= ~(1 << spill.src);
    (env.aux[call - i] as InsnAux).fastcallPattern = true;
    (env.aux[call + i] as InsnAux).fastcallPattern = true;
    pairs = i;
  }
  if (pairs === 0) return;
  if (summary.fastcall) (env.aux[call] as InsnAux).fastcallSpillsNum = pairs;
  else subprog.keepFastcallStack = true;
  // The kernel compares with the offset after the last pair that matched.
  subprog.fastcallStackOff = Math.min(subprog.fastcallStackOff, off);
}

const isPair = (spill: Insn, fill: Insn, off: number): boolean =>
  spill.code === SPILL && fill.code === FILL && spill.dst === BPF_REG_10 && fill.src === BPF_REG_10 && spill.src === fill.dst && spill.off === off && fill.off === off;

/** Functions whose pairs are dropped need less stack. */
export function removeFastcallSpills(env: VerifierEnv): void {
  env.subprogs.forEach((subprog, subprogno) => {
    let modified = false;
    for (let i = subprog.start; i < env.subprogEnd(subprogno); i++) if ((env.aux[i] as InsnAux).fastcallSpillsNum > 0) modified = true;
    if (modified && !subprog.keepFastcallStack) subprog.stackDepth = -subprog.fastcallStackOff;
  });
}
