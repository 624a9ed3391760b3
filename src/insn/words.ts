// The words and symbols that both dialects share: operators of arithmetic and jumps, atomic operations, widths, sign-extension casts.
// Invariant: the disassemblers print from these tables and the assembler reads by their inverses, so the two can't drift apart.
// Source: the texts of kernel/bpf/disasm.c and LLVM's BPF assembly syntax (identical in these words).

import {
  BPF_ADD, BPF_AND, BPF_ARSH, BPF_B, BPF_DIV, BPF_DW, BPF_H, BPF_JEQ, BPF_JGE, BPF_JGT, BPF_JLE, BPF_JLT, BPF_JNE, BPF_JSET, BPF_JSGE, BPF_JSGT,
  BPF_JSLE, BPF_JSLT, BPF_LSH, BPF_MOD, BPF_MOV, BPF_MUL, BPF_OR, BPF_RSH, BPF_SUB, BPF_W, BPF_XOR,
} from '../spec/opcodes.ts';

type Words = Readonly<Record<number, string>>;

/** Assignment operator by arithmetic operation (BPF_ADD …); BPF_DIV and BPF_MOD with off 1 have an "s" before it. */
export const ALU_WORD: Words = {
  [BPF_ADD]: '+=', [BPF_SUB]: '-=', [BPF_MUL]: '*=', [BPF_DIV]: '/=', [BPF_OR]: '|=', [BPF_AND]: '&=', [BPF_LSH]: '<<=', [BPF_RSH]: '>>=',
  [BPF_MOD]: '%=', [BPF_XOR]: '^=', [BPF_MOV]: '=', [BPF_ARSH]: 's>>=',
};

/** Comparison by jump operation (BPF_JEQ …). */
export const JMP_WORD: Words = {
  [BPF_JEQ]: '==', [BPF_JGT]: '>', [BPF_JLT]: '<', [BPF_JGE]: '>=', [BPF_JLE]: '<=', [BPF_JSET]: '&', [BPF_JNE]: '!=',
  [BPF_JSGT]: 's>', [BPF_JSLT]: 's<', [BPF_JSGE]: 's>=', [BPF_JSLE]: 's<=',
};

/** Name by atomic operation without BPF_FETCH, as in atomic_fetch_add. */
export const ATOMIC_WORD: Words = { [BPF_ADD]: 'add', [BPF_AND]: 'and', [BPF_OR]: 'or', [BPF_XOR]: 'xor' };

/** C type by size of a load or store. */
export const SIZE_WORD: Words = { [BPF_W]: 'u32', [BPF_H]: 'u16', [BPF_B]: 'u8', [BPF_DW]: 'u64' };

/** C type by size of a sign-extending load; there is none for 64 bits. */
export const SIGNED_SIZE_WORD: Words = { [BPF_W]: 's32', [BPF_H]: 's16', [BPF_B]: 's8' };

/** Cast by `off` of a sign-extending move. */
export const MOVSX_WORD: Words = { 8: 's8', 16: 's16', 32: 's32' };

/** The inverse of a table of words. */
export const byWord = (words: Words): ReadonlyMap<string, number> =>
  new Map(Object.entries(words).map(([value, word]) => [word, Number(value)]));
