// The fields packed into an opcode byte, and the questions that every consumer asks of one slot.
// Invariant: pure functions of one `Insn`; what the numbers mean stands in spec/opcodes.ts.
// Source: RFC 9669 section 3; uapi/linux/bpf_common.h (BPF_CLASS, BPF_OP, BPF_SRC, BPF_SIZE, BPF_MODE).

import { BPF_CALL, BPF_EXIT, BPF_JA, BPF_JMP, BPF_JMP32, BPF_PSEUDO_CALL, BPF_PSEUDO_FUNC } from '../spec/opcodes.ts';
import type { Insn } from './insn.ts';

/** The opcode of the first slot of a 64-bit immediate load (BPF_LD | BPF_IMM | BPF_DW). */
export const LDDW_CODE = 0x18;

/** Instruction class, 0–7 (BPF_LD … BPF_ALU64). */
export const bpfClass = (code: number): number => code & 0x07;
/** Operation of an ALU or jump opcode, 0x00–0xf0 (BPF_ADD …, BPF_JA …). */
export const bpfOp = (code: number): number => code & 0xf0;
/** Source bit of an ALU or jump opcode: 0 (BPF_K) or 8 (BPF_X). */
export const bpfSrc = (code: number): number => code & 0x08;
/** Width of a load or store opcode: BPF_W 0, BPF_H 8, BPF_B 0x10, BPF_DW 0x18. */
export const bpfSize = (code: number): number => code & 0x18;
/** Mode of a load or store opcode, 0x00–0xe0 (BPF_IMM … BPF_ATOMIC). */
export const bpfMode = (code: number): number => code & 0xe0;

/** True for the first slot of a 64-bit immediate load, which takes two slots. */
export const isLddw = (insn: Insn): boolean => insn.code === LDDW_CODE;

/** True for opcodes of class BPF_JMP or BPF_JMP32. */
export const isJumpClass = (code: number): boolean => bpfClass(code) === BPF_JMP || bpfClass(code) === BPF_JMP32;

/** True for helper, kfunc and bpf-to-bpf calls. */
export const isCall = (insn: Insn): boolean => bpfOp(insn.code) === BPF_CALL && isJumpClass(insn.code);

/** True for `exit`. */
export const isExit = (insn: Insn): boolean => insn.code === (BPF_JMP | BPF_EXIT);

/** True for a bpf-to-bpf call, whose target is relative to the next slot by `imm`. */
export const isPseudoCall = (insn: Insn): boolean => insn.code === (BPF_JMP | BPF_CALL) && insn.src === BPF_PSEUDO_CALL;

/** True for an LDDW that loads a function of the program (a callback), relative to the next slot by `imm`. */
export const isPseudoFunc = (insn: Insn): boolean => isLddw(insn) && insn.src === BPF_PSEUDO_FUNC;

/** True for `goto` and `gotol`, which always jump. */
export const isGoto = (insn: Insn): boolean => bpfOp(insn.code) === BPF_JA && isJumpClass(insn.code);

/** True for every instruction that ends a basic block: goto, gotol, conditional jumps, may_goto, exit; calls don't. */
export const isBranch = (insn: Insn): boolean => isJumpClass(insn.code) && bpfOp(insn.code) !== BPF_CALL;

/** The relative jump in slots from the next slot: `imm` for gotol, `off` for the others. */
export const jumpOffset = (insn: Insn): number => (insn.code === (BPF_JMP32 | BPF_JA) ? insn.imm : insn.off);

/** The slot that a jump at slot `at` may go to, undefined for instructions that don't jump; may lie outside the program. */
export const jumpTarget = (insn: Insn, at: number): number | undefined =>
  isBranch(insn) && !isExit(insn) ? at + 1 + jumpOffset(insn) : undefined;

/** True when control may pass from this instruction to the next one. */
export const fallsThrough = (insn: Insn): boolean => !isExit(insn) && !isGoto(insn);
