// One instruction as LLVM prints it (llvm-objdump, and what clang -S writes): numbers in hexadecimal with a sign, w registers for 32-bit data.
// Invariant: equals llvm-objdump 19 --mcpu=v4 for every instruction that it knows; the newer ones (load_acquire, store_release) as LLVM 20.
// Where LLVM's words lose something (LDDW's src, LD_IND's imm, a call's src) the text adds what is missing, in words that src/asm reads back.
// Source: LLVM's BPFInstrInfo.td and BPFInstPrinter as observed through llvm-objdump.

import {
  BPF_ABS, BPF_ADDR_SPACE_CAST, BPF_ALU, BPF_ALU64, BPF_ATOMIC, BPF_CALL, BPF_CMPXCHG, BPF_DIV, BPF_DW, BPF_END, BPF_EXIT, BPF_FETCH,
  BPF_IMM, BPF_IND, BPF_JA, BPF_JCOND, BPF_JMP, BPF_JMP32, BPF_LD, BPF_LDX, BPF_LOAD_ACQ, BPF_MEM, BPF_MEMSX, BPF_MOD, BPF_MOV, BPF_NEG,
  BPF_PSEUDO_CALL, BPF_PSEUDO_KFUNC_CALL, BPF_ST, BPF_STORE_REL, BPF_STX, BPF_TO_BE, BPF_X, BPF_XCHG, insnClass, insnMode, insnOp, insnSize,
  insnSrc,
} from '../spec/opcodes.ts';
import { s64 } from '../util/u64.ts';
import type { Insn } from './insn.ts';
import { fullImm } from './lddw.ts';
import { ALU_WORD, ATOMIC_WORD, JMP_WORD, MOVSX_WORD, SIGNED_SIZE_WORD, SIZE_WORD } from './words.ts';

/** What the caller knows and the bytes don't say. */
export interface LlvmDialectOptions {
  /** Name of a call's target: a function of the program, a helper, a kfunc. Undefined prints the number. */
  readonly callName?: (insn: Insn) => string | undefined;
  /** Text for a 64-bit immediate; undefined for the number, "0x1 ll". */
  readonly immName?: (insn: Insn, full: bigint) => string | undefined;
  /** Name of a jump's target, printed as objdump does: "goto +0x2 <name>". */
  readonly targetName?: (insn: Insn) => string | undefined;
}

/** What objdump prints for bytes that are no instruction. */
export const LLVM_UNKNOWN = '<unknown>';

const hex = (value: number | bigint): string => (value < 0 ? `-0x${(-value).toString(16)}` : `0x${value.toString(16)}`);
const relative = (value: number): string => (value < 0 ? hex(value) : `+${hex(value)}`);
const sizeWord = (code: number): string => SIZE_WORD[insnSize(code)] as string;
const dataReg = (code: number, reg: number): string => `${insnSize(code) === BPF_DW ? 'r' : 'w'}${reg}`;
const address = (base: number, off: number): string => `r${base} ${off < 0 ? '-' : '+'} ${hex(Math.abs(off))}`;
const typed = (word: string, base: number, off: number): string => `(${word} *)(${address(base, off)})`;

function endian(insn: Insn): string {
  const kind = insnClass(insn.code) === BPF_ALU64 ? 'bswap' : insnSrc(insn.code) === BPF_TO_BE ? 'be' : 'le';
  return `r${insn.dst} = ${kind}${insn.imm} r${insn.dst}`;
}

function aluWord(insn: Insn): string | undefined {
  const op = insnOp(insn.code);
  const isSigned = insn.off === 1 && (op === BPF_DIV || op === BPF_MOD);
  return isSigned ? `s${ALU_WORD[op]}` : ALU_WORD[op];
}

function alu(insn: Insn): string | undefined {
  const reg = insnClass(insn.code) === BPF_ALU ? 'w' : 'r';
  const op = insnOp(insn.code);
  if (op === BPF_END) return endian(insn);
  if (op === BPF_NEG) return `${reg}${insn.dst} = -${reg}${insn.dst}`;
  if (insn.code === (BPF_ALU64 | BPF_MOV | BPF_X) && insn.off === BPF_ADDR_SPACE_CAST) {
    return `r${insn.dst} = addr_space_cast(r${insn.src}, ${hex(insn.imm >>> 16)}, ${hex(insn.imm & 0xffff)})`;
  }
  const word = aluWord(insn);
  if (word === undefined) return undefined;
  if (insnSrc(insn.code) !== BPF_X) return `${reg}${insn.dst} ${word} ${hex(insn.imm)}`;
  if (op !== BPF_MOV || insn.off === 0) return `${reg}${insn.dst} ${word} ${reg}${insn.src}`;
  return insn.off in MOVSX_WORD ? `${reg}${insn.dst} = (${MOVSX_WORD[insn.off]})${reg}${insn.src}` : undefined;
}

/** For exchanges LLVM writes the width twice, once as the register's: xchg_64, xchg32_32. */
const widthSuffix = (code: number): string => (insnSize(code) === BPF_DW ? '_64' : '32_32');

function atomic(insn: Insn): string | undefined {
  const { code, dst, src, off, imm } = insn;
  const operand = dataReg(code, src);
  if (imm === BPF_LOAD_ACQ) return `${dataReg(code, dst)} = load_acquire(${typed(sizeWord(code), src, off)})`;
  if (imm === BPF_STORE_REL) return `store_release(${typed(sizeWord(code), dst, off)}, ${operand})`;
  if (imm === BPF_XCHG) return `${operand} = xchg${widthSuffix(code)}(${address(dst, off)}, ${operand})`;
  const r0 = dataReg(code, 0);
  if (imm === BPF_CMPXCHG) return `${r0} = cmpxchg${widthSuffix(code)}(${address(dst, off)}, ${r0}, ${operand})`;
  const name = ATOMIC_WORD[imm & ~BPF_FETCH];
  if (name === undefined) return undefined;
  if ((imm & BPF_FETCH) === 0) return `lock *${typed(sizeWord(code), dst, off)} ${ALU_WORD[imm]} ${operand}`;
  return `${operand} = atomic_fetch_${name}(${typed(sizeWord(code), dst, off)}, ${operand})`;
}

function stx(insn: Insn): string | undefined {
  if (insnMode(insn.code) === BPF_ATOMIC) return atomic(insn);
  if (insnMode(insn.code) !== BPF_MEM) return undefined;
  return `*${typed(sizeWord(insn.code), insn.dst, insn.off)} = ${dataReg(insn.code, insn.src)}`;
}

const st = (insn: Insn): string | undefined =>
  insnMode(insn.code) === BPF_MEM ? `*${typed(sizeWord(insn.code), insn.dst, insn.off)} = ${hex(insn.imm)}` : undefined;

function ldx(insn: Insn): string | undefined {
  const mode = insnMode(insn.code);
  if (mode === BPF_MEM) return `${dataReg(insn.code, insn.dst)} = *${typed(sizeWord(insn.code), insn.src, insn.off)}`;
  const word = mode === BPF_MEMSX ? SIGNED_SIZE_WORD[insnSize(insn.code)] : undefined;
  return word === undefined ? undefined : `r${insn.dst} = *${typed(word, insn.src, insn.off)}`;
}

function ld(insn: Insn, next: Insn | undefined, options: LlvmDialectOptions): string | undefined {
  const mode = insnMode(insn.code);
  if (mode === BPF_ABS) return `r0 = *(${sizeWord(insn.code)} *)skb[${hex(insn.imm)}]`;
  if (mode === BPF_IND) return `r0 = *(${sizeWord(insn.code)} *)skb[r${insn.src}${insn.imm === 0 ? '' : ` + ${hex(insn.imm)}`}]`;
  if (mode !== BPF_IMM || insnSize(insn.code) !== BPF_DW) return undefined;
  const full = fullImm(insn, next);
  return `r${insn.dst} = ${options.immName?.(insn, full) ?? `${hex(s64(full))} ll`}`;
}

function call(insn: Insn, options: LlvmDialectOptions): string {
  if (insnSrc(insn.code) === BPF_X) return `callx r${insn.dst}`;
  const name = options.callName?.(insn);
  if (name !== undefined) return `call ${name}`;
  if (insn.src === BPF_PSEUDO_CALL) return `call pc${insn.imm < 0 ? insn.imm : `+${insn.imm}`}`;
  return insn.src === BPF_PSEUDO_KFUNC_CALL ? `call kernel-function#${insn.imm}` : `call ${hex(insn.imm)}`;
}

function condition(insn: Insn, tail: string): string | undefined {
  const { code, dst, src, off, imm } = insn;
  const reg = insnClass(code) === BPF_JMP32 ? 'w' : 'r';
  const word = JMP_WORD[insnOp(code)];
  if (word === undefined) return undefined;
  return `if ${reg}${dst} ${word} ${insnSrc(code) === BPF_X ? `${reg}${src}` : hex(imm)} goto ${relative(off)}${tail}`;
}

function jump(insn: Insn, options: LlvmDialectOptions): string | undefined {
  const { code, off, imm } = insn;
  if (insnOp(code) === BPF_CALL && insnClass(code) === BPF_JMP) return call(insn, options);
  if (code === (BPF_JMP | BPF_EXIT)) return 'exit';
  const target = options.targetName?.(insn);
  const tail = target === undefined ? '' : ` <${target}>`;
  if (code === (BPF_JMP | BPF_JA)) return `goto ${relative(off)}${tail}`;
  if (code === (BPF_JMP32 | BPF_JA)) return `gotol ${relative(imm)}${tail}`;
  if (code === (BPF_JMP | BPF_JCOND)) return `may_goto ${relative(off)}${tail}`;
  return condition(insn, tail);
}

type Printer = (insn: Insn, next: Insn | undefined, options: LlvmDialectOptions) => string | undefined;
const PRINTERS: Readonly<Record<number, Printer>> = {
  [BPF_LD]: ld, [BPF_LDX]: ldx, [BPF_ST]: st, [BPF_STX]: stx, [BPF_ALU]: alu, [BPF_ALU64]: alu,
  [BPF_JMP]: (insn, _next, options) => jump(insn, options),
  [BPF_JMP32]: (insn, _next, options) => jump(insn, options),
};

/** The instruction in LLVM's dialect; `next` is the slot after it (the upper half of a 64-bit immediate). Never throws. */
export const disasmLlvm = (insn: Insn, next: Insn | undefined, options: LlvmDialectOptions = {}): string =>
  (PRINTERS[insnClass(insn.code)] as Printer)(insn, next, options) ?? LLVM_UNKNOWN;
