// Prints instructions into the log, as the kernel's disassembler does.
// Source: behaviour of verbose_insn, Linux 6.18.

import { disasmKernel } from '../insn/disasm-kernel.ts';
import { isLddw } from '../insn/fields.ts';
import type { Insn } from '../insn/insn.ts';
import { BPF_PSEUDO_MAP_FD, BPF_PSEUDO_MAP_IDX, BPF_PSEUDO_MAP_IDX_VALUE, BPF_PSEUDO_MAP_VALUE } from '../spec/opcodes.ts';
import type { VerifierEnv } from './env.ts';

const MAP_LOADS: ReadonlySet<number> = new Set([BPF_PSEUDO_MAP_FD, BPF_PSEUDO_MAP_VALUE, BPF_PSEUDO_MAP_IDX, BPF_PSEUDO_MAP_IDX_VALUE]);

/** Prints slot `at` with its opcode and a newline. The kernel prints a map's address; here it is the map's file descriptor. */
export function verboseInsn(env: VerifierEnv, at: number): void {
  const insn = env.insns[at] as Insn;
  const next = env.insns[at + 1];
  const isMap = isLddw(insn) && MAP_LOADS.has(insn.src);
  const text = disasmKernel(insn, next, isMap
    ? { opcodePrefix: true, allowPtrLeaks: env.allowPtrLeaks, immName: (_, full) => `0x${full.toString(16)}` }
    : { opcodePrefix: true, allowPtrLeaks: env.allowPtrLeaks });
  env.log.verbose(`${text}\n`);
}
