// Statements that begin with a register: moves, arithmetic, loads, byte swaps, 64-bit immediates.
// Invariant: one reading per text. "r1 = 0x5" is LLVM's move and the kernel's 64-bit load at once: it is read as the move where it fits
// 32 signed bits, unless the "(18)" before it or the option dialect: 'kernel' says otherwise; "ll" always makes a 64-bit load.

import {
  BPF_ABS, BPF_ADDR_PERCPU, BPF_ADDR_SPACE_CAST, BPF_ALU, BPF_ALU64, BPF_DIV, BPF_DW, BPF_END, BPF_IND, BPF_K, BPF_LD, BPF_LDX, BPF_MEM,
  BPF_MEMSX, BPF_MOD, BPF_MOV, BPF_NEG, BPF_TO_BE, BPF_TO_LE, BPF_X,
} from '../spec/opcodes.ts';
import { LDDW_CODE } from '../insn/fields.ts';
import { ldImm64 } from '../insn/lddw.ts';
import { ALU_WORD, byWord, MOVSX_WORD } from '../insn/words.ts';
import type { Cursor, Register } from './cursor.ts';
import { isAtomicName, parseAtomic } from './parse-atomic.ts';
import { isPseudoName, parsePseudo } from './parse-lddw.ts';
import { single } from './parsed.ts';
import type { ParsedInsn } from './parsed.ts';

/** What decides between two readings of one text. */
export interface AssignContext {
  /** The "(b7)" before the instruction, if there was one. */
  readonly opcode: number | undefined;
  /** True when all text is known to be the kernel's: hexadecimal in "r1 = 0x5" then means a 64-bit load. */
  readonly kernelOnly: boolean;
}

const ALU_OP = byWord(ALU_WORD);
const SIGNED_ALU_OP: ReadonlyMap<string, number> = new Map([['s/=', BPF_DIV], ['s%=', BPF_MOD]]);
const MOVSX_OFF = byWord(MOVSX_WORD);
const BYTE_SWAP = /^(le|be|bswap)(16|32|64)$/;

const aluClass = (dst: Register): number => (dst.wide ? BPF_ALU64 : BPF_ALU);

/** An immediate operand: signed 32 bits; 32-bit arithmetic takes the unsigned spelling too, 64-bit would silently change its meaning. */
function aluImm(cursor: Cursor, dst: Register): number {
  const token = cursor.peek();
  const value = cursor.number('a register or a number');
  const fits = value >= -0x8000_0000n && value <= (dst.wide ? 0x7fff_ffffn : 0xffff_ffffn);
  if (!fits && dst.wide) cursor.fail(`${value} doesn't fit a sign-extended 32-bit immediate; load it into a register first (r1 = ${value} ll)`, token);
  if (!fits) cursor.fail(`${value} doesn't fit 32 bits`, token);
  return Number(value) | 0;
}

function sameWidth(cursor: Cursor, dst: Register): Register {
  const src = cursor.register();
  if (src.wide !== dst.wide) cursor.fail(`${dst.token.text} and ${src.token.text} differ in width`, src.token);
  return src;
}

function arithmetic(cursor: Cursor, dst: Register, op: number, off: number): ParsedInsn {
  cursor.next();
  if (cursor.isRegister()) return single(aluClass(dst) | op | BPF_X, { dst: dst.reg, src: sameWidth(cursor, dst).reg, off });
  return single(aluClass(dst) | op | BPF_K, { dst: dst.reg, off, imm: aluImm(cursor, dst) });
}

function negate(cursor: Cursor, dst: Register): ParsedInsn {
  cursor.next();
  const src = sameWidth(cursor, dst);
  if (src.reg !== dst.reg) cursor.fail(`only a register itself can be negated: ${dst.token.text} = -${dst.token.text}`, src.token);
  return single(aluClass(dst) | BPF_NEG, { dst: dst.reg });
}

/** After "r1 =" at "(": a sign-extending move. */
function signExtend(cursor: Cursor, dst: Register): ParsedInsn {
  cursor.next();
  const token = cursor.word('s8, s16 or s32');
  const off = MOVSX_OFF.get(token.text);
  if (off === undefined || (off === 32 && !dst.wide)) cursor.fail(`no sign extension from '${token.text}' to ${dst.wide ? 64 : 32} bits`, token);
  cursor.expect(')');
  return single(aluClass(dst) | BPF_MOV | BPF_X, { dst: dst.reg, src: sameWidth(cursor, dst).reg, off });
}

function packetLoad(cursor: Cursor, dst: Register, size: number): ParsedInsn {
  if (dst.reg !== 0) cursor.fail('packet loads go to r0', dst.token);
  if (size === BPF_DW) cursor.fail('packet loads are 8, 16 or 32 bits wide', cursor.peek());
  cursor.next();
  cursor.expect('[');
  if (!cursor.isRegister()) {
    const imm = cursor.numberIn('the packet offset', -0x8000_0000, 0x7fff_ffff);
    cursor.expect(']');
    return single(BPF_LD | BPF_ABS | size, { imm });
  }
  const src = cursor.wideRegister();
  // "+ -4" is the kernel's spelling of a negative offset.
  if (cursor.is('+') && cursor.is('-', 1)) cursor.next();
  const imm = cursor.is(']') ? 0 : cursor.numberIn('the packet offset', -0x8000_0000, 0x7fff_ffff);
  cursor.expect(']');
  return single(BPF_LD | BPF_IND | size, { src, imm });
}

/** After "r1 = *". */
function load(cursor: Cursor, dst: Register): ParsedInsn {
  cursor.next();
  const start = cursor.peek(1);
  const { size, isSigned } = cursor.cast();
  if (cursor.is('skb')) return packetLoad(cursor, dst, size);
  cursor.expect('(');
  const { base, off } = cursor.baseOffset();
  cursor.expect(')');
  if (!dst.wide && (size === BPF_DW || isSigned)) cursor.fail(`a ${start.text} load needs all 64 bits: r${dst.reg}`, dst.token);
  return single(BPF_LDX | (isSigned ? BPF_MEMSX : BPF_MEM) | size, { dst: dst.reg, src: base, off });
}

function byteSwap(cursor: Cursor, dst: Register): ParsedInsn {
  const parts = BYTE_SWAP.exec(cursor.next().text);
  const src = cursor.register();
  if (!dst.wide || src.reg !== dst.reg || !src.wide) cursor.fail(`a byte swap works on one 64-bit register: r${dst.reg} = ${parts?.[0]} r${dst.reg}`, src.token);
  const kind = parts?.[1] === 'bswap' ? BPF_ALU64 | BPF_TO_LE : BPF_ALU | (parts?.[1] === 'be' ? BPF_TO_BE : BPF_TO_LE);
  return single(kind | BPF_END, { dst: dst.reg, imm: Number(parts?.[2]) });
}

/** After "r1 =" at "addr_space_cast". */
function addressCast(cursor: Cursor, dst: Register): ParsedInsn {
  cursor.next();
  if (!dst.wide) cursor.fail('address spaces are for 64-bit registers', dst.token);
  cursor.expect('(');
  const src = cursor.wideRegister();
  cursor.expect(',');
  const to = cursor.numberIn('the address space', 0, 0xffff);
  cursor.expect(',');
  const from = cursor.numberIn('the address space', 0, 0xffff);
  cursor.expect(')');
  return single(BPF_ALU64 | BPF_MOV | BPF_X, { dst: dst.reg, src, off: BPF_ADDR_SPACE_CAST, imm: (to << 16) | from });
}

/** After "r1 =" at "&": the kernel's own per-CPU address, "&(void __percpu *)(r2)". */
function perCpuAddress(cursor: Cursor, dst: Register): ParsedInsn {
  for (const text of ['&', '(', 'void', '__percpu', '*', ')', '(']) cursor.expect(text);
  const src = cursor.wideRegister();
  cursor.expect(')');
  return single(BPF_ALU64 | BPF_MOV | BPF_X, { dst: dst.reg, src, off: BPF_ADDR_PERCPU });
}

const fitsMove = (value: bigint): boolean => value >= -0x8000_0000n && value <= 0x7fff_ffffn;

/** After "r1 =" at a number or its sign: a move or a 64-bit load. */
function number(cursor: Cursor, dst: Register, context: AssignContext): ParsedInsn {
  const token = cursor.peek();
  const isHex = cursor.peek(cursor.is('-') || cursor.is('+') ? 1 : 0).text.startsWith('0x');
  const value = cursor.number('a number');
  const isLong = cursor.accept('ll');
  if (!dst.wide) {
    if (isLong) cursor.fail(`a 64-bit load needs all 64 bits: r${dst.reg}`, dst.token);
    if (value < -0x8000_0000n || value > 0xffff_ffffn) cursor.fail(`${value} doesn't fit 32 bits`, token);
    return single(BPF_ALU | BPF_MOV | BPF_K, { dst: dst.reg, imm: Number(value) | 0 });
  }
  const asLong = isLong || !fitsMove(value) || (context.opcode ?? (context.kernelOnly && isHex ? LDDW_CODE : 0)) === LDDW_CODE;
  if (asLong) return { slots: ldImm64(dst.reg, value) };
  return single(BPF_ALU64 | BPF_MOV | BPF_K, { dst: dst.reg, imm: Number(value) });
}

/** After "r1 =" at a word. */
function named(cursor: Cursor, dst: Register): ParsedInsn {
  const name = cursor.peek().text;
  if (BYTE_SWAP.test(name)) return byteSwap(cursor, dst);
  if (isAtomicName(name) && cursor.is('(', 1)) return parseAtomic(cursor, dst);
  if (name === 'addr_space_cast' && cursor.is('(', 1)) return addressCast(cursor, dst);
  if (isPseudoName(cursor)) return parsePseudo(cursor, dst);
  return cursor.fail(`'${name.slice(0, 40)}' is no value (a name of this program's needs 'll' after it)`);
}

function assign(cursor: Cursor, dst: Register, context: AssignContext): ParsedInsn {
  cursor.next();
  if (cursor.isRegister()) return single(aluClass(dst) | BPF_MOV | BPF_X, { dst: dst.reg, src: sameWidth(cursor, dst).reg });
  if (cursor.is('-') && cursor.isRegister(1)) return negate(cursor, dst);
  if (cursor.is('(')) return signExtend(cursor, dst);
  if (cursor.is('*')) return load(cursor, dst);
  if (cursor.is('&')) return perCpuAddress(cursor, dst);
  if (cursor.peek().kind === 'word') return named(cursor, dst);
  return number(cursor, dst, context);
}

/** At a register: the rest of the instruction. */
export function parseAssign(cursor: Cursor, context: AssignContext): ParsedInsn {
  const dst = cursor.register();
  const op = cursor.peek().text;
  if (cursor.is('=')) return assign(cursor, dst, context);
  const plain = cursor.peek().kind === 'op' ? ALU_OP.get(op) : undefined;
  if (plain !== undefined) return arithmetic(cursor, dst, plain, 0);
  const signed = SIGNED_ALU_OP.get(op);
  if (signed !== undefined) return arithmetic(cursor, dst, signed, 1);
  return cursor.expected("an operator (=, +=, -=, *=, /=, %=, s/=, s%=, |=, &=, ^=, <<=, >>=, s>>=)");
}
