// One instruction as the kernel prints it: in verifier logs and in bpftool's dumps, character for character.
// Invariant: with `opcodePrefix` the text equals print_bpf_insn() of Linux 6.18 without its newline; operations that the kernel has no word
// for print as "(null)" or BUG_xx, as there. A table per class says how; nothing here judges whether the instruction is legal.
// Source: the printed form of kernel/bpf/disasm.c (an interface; the code is our own).

import { HELPERS } from '../spec/helpers.ts';
import {
  BPF_ABS, BPF_ADDR_PERCPU, BPF_ADDR_SPACE_CAST, BPF_ALU, BPF_ALU64, BPF_ATOMIC, BPF_CALL, BPF_CMPXCHG, BPF_DIV, BPF_DW, BPF_END, BPF_EXIT,
  BPF_FETCH, BPF_IMM, BPF_IND, BPF_JA, BPF_JCOND, BPF_JMP, BPF_JMP32, BPF_LD, BPF_LDX, BPF_LOAD_ACQ, BPF_MAY_GOTO, BPF_MEM, BPF_MEMSX,
  BPF_MOD, BPF_MOV, BPF_NEG, BPF_PSEUDO_CALL, BPF_PSEUDO_KFUNC_CALL, BPF_PSEUDO_MAP_FD, BPF_PSEUDO_MAP_VALUE, BPF_ST, BPF_STORE_REL,
  BPF_STX, BPF_TO_BE, BPF_X, BPF_XCHG, insnClass, insnMode, insnOp, insnSize, insnSrc,
} from '../spec/opcodes.ts';
import type { Insn } from './insn.ts';
import { fullImm } from './lddw.ts';
import { ALU_WORD, ATOMIC_WORD, JMP_WORD, MOVSX_WORD, SIGNED_SIZE_WORD, SIZE_WORD } from './words.ts';

/** What the kernel leaves to its caller (its cb_call and cb_imm), and what varies between its logs and other dumps. */
export interface KernelDialectOptions {
  /** Starts each line with the opcode in hexadecimal, "(b7) r0 = 0", as verifier logs do. */
  readonly opcodePrefix?: boolean;
  /** False prints 0 for map addresses, as the kernel does for unprivileged loaders. Default true. */
  readonly allowPtrLeaks?: boolean;
  /** Names a call that is no known helper: "bpf_rdonly_cast" (then "#imm" follows), or "+5" for a bpf-to-bpf call (after "pc"). */
  readonly callName?: (insn: Insn) => string | undefined;
  /** Text for a 64-bit immediate; undefined for the plain hexadecimal. */
  readonly immName?: (insn: Insn, full: bigint) => string | undefined;
}

const NULL_WORD = '(null)';
/** Words that the kernel's tables have beyond the shared ones; they show only on opcodes that no verifier lets pass. */
const KERNEL_JMP_WORD: Readonly<Record<number, string>> = { ...JMP_WORD, [BPF_JA]: 'jmp', [BPF_CALL]: 'call', [BPF_EXIT]: 'exit' };
/** The mode of the kernel's own speculation barrier, which no loader can send. */
const BPF_NOSPEC_MODE = 0xc0;

const signed = (value: number): string => (value < 0 ? `${value}` : `+${value}`);
const sizeWord = (code: number): string => SIZE_WORD[insnSize(code)] as string;
const memory = (word: string, base: number, off: number): string => `*(${word} *)(r${base} ${signed(off)})`;
/** The operand of an atomic function: like a memory operand, without the star. */
const atomicOperand = (insn: Insn, base: number): string => memory(sizeWord(insn.code), base, insn.off).slice(1);

function aluWord(insn: Insn): string {
  const op = insnOp(insn.code);
  if (insn.off === 1 && (op === BPF_DIV || op === BPF_MOD)) return `s${ALU_WORD[op]}`;
  return ALU_WORD[op] ?? NULL_WORD;
}

function mov64Special(insn: Insn): string | undefined {
  if (insn.code !== (BPF_ALU64 | BPF_MOV | BPF_X)) return undefined;
  if (insn.off === BPF_ADDR_PERCPU) return `r${insn.dst} = &(void __percpu *)(r${insn.src})`;
  if (insn.off !== BPF_ADDR_SPACE_CAST) return undefined;
  return `r${insn.dst} = addr_space_cast(r${insn.src}, ${insn.imm >>> 16}, ${insn.imm & 0xffff})`;
}

function endian(insn: Insn): string {
  const kind = insnClass(insn.code) === BPF_ALU64 ? 'bswap' : insnSrc(insn.code) === BPF_TO_BE ? 'be' : 'le';
  return `r${insn.dst} = ${kind}${insn.imm} r${insn.dst}`;
}

function alu(insn: Insn): string {
  const reg = insnClass(insn.code) === BPF_ALU ? 'w' : 'r';
  const op = insnOp(insn.code);
  if (op === BPF_END) return endian(insn);
  if (op === BPF_NEG) return `${reg}${insn.dst} = -${reg}${insn.dst}`;
  const special = mov64Special(insn);
  if (special !== undefined) return special;
  if (insnSrc(insn.code) !== BPF_X) return `${reg}${insn.dst} ${aluWord(insn)} ${insn.imm}`;
  const cast = op === BPF_MOV && insn.off in MOVSX_WORD ? `(${MOVSX_WORD[insn.off]})` : '';
  return `${reg}${insn.dst} ${aluWord(insn)} ${cast}${reg}${insn.src}`;
}

function atomic(insn: Insn): string | undefined {
  const { dst, src, imm } = insn;
  const wide = insnSize(insn.code) === BPF_DW ? '64' : '';
  if (imm === BPF_XCHG) return `r${src} = atomic${wide}_xchg(${atomicOperand(insn, dst)}, r${src})`;
  if (imm === BPF_CMPXCHG) return `r0 = atomic${wide}_cmpxchg(${atomicOperand(insn, dst)}, r0, r${src})`;
  if (imm === BPF_LOAD_ACQ) return `r${dst} = load_acquire(${atomicOperand(insn, src)})`;
  if (imm === BPF_STORE_REL) return `store_release(${atomicOperand(insn, dst)}, r${src})`;
  const name = ATOMIC_WORD[imm & ~BPF_FETCH];
  if (name === undefined) return undefined;
  if ((imm & BPF_FETCH) === 0) return `lock ${memory(sizeWord(insn.code), dst, insn.off)} ${ALU_WORD[imm]} r${src}`;
  return `r${src} = atomic${wide}_fetch_${name}(${atomicOperand(insn, dst)}, r${src})`;
}

function stx(insn: Insn): string | undefined {
  if (insnMode(insn.code) === BPF_MEM) return `${memory(sizeWord(insn.code), insn.dst, insn.off)} = r${insn.src}`;
  return insnMode(insn.code) === BPF_ATOMIC ? atomic(insn) : undefined;
}

function st(insn: Insn): string | undefined {
  if (insnMode(insn.code) === BPF_MEM) return `${memory(sizeWord(insn.code), insn.dst, insn.off)} = ${insn.imm}`;
  return insnMode(insn.code) === BPF_NOSPEC_MODE ? 'nospec' : undefined;
}

function ldx(insn: Insn): string | undefined {
  const mode = insnMode(insn.code);
  if (mode !== BPF_MEM && mode !== BPF_MEMSX) return undefined;
  const word = mode === BPF_MEM ? sizeWord(insn.code) : (SIGNED_SIZE_WORD[insnSize(insn.code)] ?? NULL_WORD);
  return `r${insn.dst} = ${memory(word, insn.src, insn.off)}`;
}

function lddw(insn: Insn, next: Insn | undefined, options: KernelDialectOptions): string {
  const isPointer = insn.src === BPF_PSEUDO_MAP_FD || insn.src === BPF_PSEUDO_MAP_VALUE;
  const full = isPointer && options.allowPtrLeaks === false ? 0n : fullImm(insn, next);
  return `r${insn.dst} = ${options.immName?.(insn, full) ?? `0x${full.toString(16)}`}`;
}

function ld(insn: Insn, next: Insn | undefined, options: KernelDialectOptions): string | undefined {
  const mode = insnMode(insn.code);
  if (mode === BPF_ABS) return `r0 = *(${sizeWord(insn.code)} *)skb[${insn.imm}]`;
  if (mode === BPF_IND) return `r0 = *(${sizeWord(insn.code)} *)skb[r${insn.src} + ${insn.imm}]`;
  return mode === BPF_IMM && insnSize(insn.code) === BPF_DW ? lddw(insn, next, options) : undefined;
}

function call(insn: Insn, options: KernelDialectOptions): string {
  const helper = insn.src === 0 ? HELPERS[insn.imm]?.name : undefined;
  const name = helper ?? options.callName?.(insn);
  if (insn.src === BPF_PSEUDO_CALL) return `call pc${name ?? signed(insn.imm)}`;
  return `call ${name ?? (insn.src === BPF_PSEUDO_KFUNC_CALL ? 'kernel-function' : 'unknown')}#${insn.imm}`;
}

function jump(insn: Insn, options: KernelDialectOptions): string {
  const { code, dst, src, off, imm } = insn;
  if (insnOp(code) === BPF_CALL) return call(insn, options);
  if (code === (BPF_JMP | BPF_JA)) return `goto pc${signed(off)}`;
  if (code === (BPF_JMP | BPF_JCOND) && src === BPF_MAY_GOTO) return `may_goto pc${signed(off)}`;
  if (code === (BPF_JMP32 | BPF_JA)) return `gotol pc${signed(imm)}`;
  if (code === (BPF_JMP | BPF_EXIT)) return 'exit';
  const reg = insnClass(code) === BPF_JMP32 ? 'w' : 'r';
  const right = insnSrc(code) === BPF_X ? `${reg}${src}` : `0x${(imm >>> 0).toString(16)}`;
  const word = KERNEL_JMP_WORD[insnOp(code)] ?? NULL_WORD;
  return `if ${reg}${dst} ${word} ${right} goto pc${signed(off)}`;
}

type Printer = (insn: Insn, next: Insn | undefined, options: KernelDialectOptions) => string | undefined;
/** By class; the second word is how the kernel marks what it can't print. */
const PRINTERS: Readonly<Record<number, readonly [Printer, string]>> = {
  [BPF_LD]: [ld, 'BUG_ld_'],
  [BPF_LDX]: [ldx, 'BUG_ldx_'],
  [BPF_ST]: [st, 'BUG_st_'],
  [BPF_STX]: [stx, 'BUG_'],
  [BPF_ALU]: [alu, 'BUG_'],
  [BPF_JMP]: [(insn, _next, options) => jump(insn, options), 'BUG_'],
  [BPF_JMP32]: [(insn, _next, options) => jump(insn, options), 'BUG_'],
  [BPF_ALU64]: [alu, 'BUG_'],
};

/** The instruction in the kernel's dialect; `next` is the slot after it (the upper half of a 64-bit immediate). Never throws. */
export function disasmKernel(insn: Insn, next: Insn | undefined, options: KernelDialectOptions = {}): string {
  const [print, bug] = PRINTERS[insnClass(insn.code)] as readonly [Printer, string];
  const code = insn.code.toString(16).padStart(2, '0');
  const text = print(insn, next, options);
  if (text === undefined) return `${bug}${code}`;
  return options.opcodePrefix === true ? `(${code}) ${text}` : text;
}
