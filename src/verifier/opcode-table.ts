// Which of the 256 opcodes exist, as the kernel's instruction table has them.
// Source: RFC 9669 appendix A and the list of public instructions of kernel/bpf/core.c, Linux 6.18.

import {
  BPF_ABS, BPF_ADD, BPF_ALU, BPF_ALU64, BPF_AND, BPF_ARSH, BPF_ATOMIC, BPF_B, BPF_CALL, BPF_DIV, BPF_DW, BPF_END, BPF_EXIT, BPF_H, BPF_IMM, BPF_IND,
  BPF_JA, BPF_JCOND, BPF_JEQ, BPF_JGE, BPF_JGT, BPF_JLE, BPF_JLT, BPF_JMP, BPF_JMP32, BPF_JNE, BPF_JSET, BPF_JSGE, BPF_JSGT, BPF_JSLE, BPF_JSLT, BPF_K,
  BPF_LD, BPF_LDX, BPF_LSH, BPF_MEM, BPF_MEMSX, BPF_MOD, BPF_MOV, BPF_MUL, BPF_NEG, BPF_OR, BPF_RSH, BPF_ST, BPF_STX, BPF_SUB, BPF_TO_BE, BPF_TO_LE,
  BPF_W, BPF_X, BPF_XOR,
} from '../spec/opcodes.ts';

const BINARY = [BPF_ADD, BPF_SUB, BPF_AND, BPF_OR, BPF_LSH, BPF_RSH, BPF_XOR, BPF_MUL, BPF_MOV, BPF_ARSH, BPF_DIV, BPF_MOD];
const CONDITIONS = [BPF_JEQ, BPF_JNE, BPF_JGT, BPF_JGE, BPF_JLT, BPF_JLE, BPF_JSGT, BPF_JSGE, BPF_JSLT, BPF_JSLE, BPF_JSET];
const SIZES = [BPF_B, BPF_H, BPF_W, BPF_DW];

const opcodes = (): number[] => [
  ...[BPF_ALU, BPF_ALU64].flatMap((cls) => BINARY.flatMap((op) => [cls | op | BPF_X, cls | op | BPF_K])),
  BPF_ALU | BPF_NEG, BPF_ALU64 | BPF_NEG, BPF_ALU | BPF_END | BPF_TO_BE, BPF_ALU | BPF_END | BPF_TO_LE, BPF_ALU64 | BPF_END | BPF_TO_LE,
  ...[BPF_JMP, BPF_JMP32].flatMap((cls) => CONDITIONS.flatMap((op) => [cls | op | BPF_X, cls | op | BPF_K])),
  BPF_JMP | BPF_JA, BPF_JMP32 | BPF_JA, BPF_JMP | BPF_CALL, BPF_JMP | BPF_EXIT, BPF_JMP | BPF_JCOND,
  ...SIZES.flatMap((size) => [BPF_STX | BPF_MEM | size, BPF_STX | BPF_ATOMIC | size, BPF_ST | BPF_MEM | size, BPF_LDX | BPF_MEM | size]),
  ...[BPF_B, BPF_H, BPF_W].flatMap((size) => [BPF_LDX | BPF_MEMSX | size, BPF_LD | BPF_ABS | size, BPF_LD | BPF_IND | size]),
  BPF_LD | BPF_IMM | BPF_DW,
];

const known = new Set(opcodes());

/** Whether the kernel's instruction table has this opcode (0–255). */
export const isKnownOpcode = (code: number): boolean => known.has(code);
