// The questions that every consumer asks of one slot: does it jump, where to, does it take two slots.
// Invariant: pure functions of one `Insn`; what the numbers mean stands in spec/opcodes.ts.
// Source: RFC 9669 sections 4.3 and 5.4.

import { BPF_CALL, BPF_EXIT, BPF_JA, BPF_JMP, BPF_JMP32, BPF_PSEUDO_CALL, BPF_PSEUDO_FUNC, BPF_PSEUDO_KFUNC_CALL, insnClass, insnOp } from '../spec/opcodes.ts';
import type { Insn } from './insn.ts';

/** The opcode of the first slot of a 64-bit immediate load (BPF_LD | BPF_IMM | BPF_DW). */
export const LDDW_CODE = 0x18;

/** True for the first slot of a 64-bit immediate load, which takes two slots. */
export const isLddw = (insn: Insn): boolean => insn.code === LDDW_CODE;

/** True for opcodes of class BPF_JMP or BPF_JMP32. */
export const isJumpClass = (code: number): boolean => insnClass(code) === BPF_JMP || insnClass(code) === BPF_JMP32;

/** True for helper, kfunc and bpf-to-bpf calls. */
export const isCall = (insn: Insn): boolean => insnOp(insn.code) === BPF_CALL && isJumpClass(insn.code);

/** True for `exit`. */
export const isExit = (insn: Insn): boolean => insn.code === (BPF_JMP | BPF_EXIT);

/** True for a bpf-to-bpf call, whose target is relative to the next slot by `imm`. */
export const isPseudoCall = (insn: Insn): boolean => insn.code === (BPF_JMP | BPF_CALL) && insn.src === BPF_PSEUDO_CALL;

/** True for a call of a kernel function by BTF id (`imm`), in the module at fd_array index `off`. */
export const isKfuncCall = (insn: Insn): boolean => insn.code === (BPF_JMP | BPF_CALL) && insn.src === BPF_PSEUDO_KFUNC_CALL;

/** True for an LDDW that loads a function of the program (a callback), relative to the next slot by `imm`. */
export const isPseudoFunc = (insn: Insn): boolean => isLddw(insn) && insn.src === BPF_PSEUDO_FUNC;

/** True for `goto` and `gotol`, which always jump. */
export const isGoto = (insn: Insn): boolean => insnOp(insn.code) === BPF_JA && isJumpClass(insn.code);

/** True for every instruction that ends a basic block: goto, gotol, conditional jumps, may_goto, exit; calls don't. */
export const isBranch = (insn: Insn): boolean => isJumpClass(insn.code) && insnOp(insn.code) !== BPF_CALL;

/** The relative jump in slots from the next slot: `imm` for gotol, `off` for the others. */
export const jumpOffset = (insn: Insn): number => (insn.code === (BPF_JMP32 | BPF_JA) ? insn.imm : insn.off);

/** The slot that a jump at slot `at` may go to, undefined for instructions that don't jump; may lie outside the program. */
export const jumpTarget = (insn: Insn, at: number): number | undefined =>
  isBranch(insn) && !isExit(insn) ? at + 1 + jumpOffset(insn) : undefined;

/** True when control may pass from this instruction to the next one. */
export const fallsThrough = (insn: Insn): boolean => !isExit(insn) && !isGoto(insn);
