// Arithmetic, moves and byte swaps.
// Invariant: every 32-bit result is zero-extended. Division by zero gives 0, modulo by zero leaves the dividend (32-bit: zero-extended),
// MIN / -1 is MIN and MIN % -1 is 0, where wasm would trap; shift amounts are masked by wasm as the RFC wants.
// Source: RFC 9669 sections 4.1 and 4.2; kernel/bpf/core.c (sdiv, smod, movsx).

import type { Insn } from '../insn/insn.ts';
import {
  BPF_ADD, BPF_ADDR_SPACE_CAST, BPF_ALU64, BPF_AND, BPF_ARSH, BPF_DIV, BPF_END, BPF_LSH, BPF_MOD, BPF_MOV, BPF_MUL, BPF_NEG, BPF_OR, BPF_RSH,
  BPF_SUB, BPF_TO_BE, BPF_X, BPF_XOR, insnClass, insnOp, insnSrc,
} from '../spec/opcodes.ts';
import { NotSupportedError } from '../util/errors.ts';
import type { OpName, Scope } from './scope.ts';

type Lower = (s: Scope, insn: Insn) => void;
type Binary = 'add' | 'sub' | 'mul' | 'or' | 'and' | 'xor' | 'shl' | 'shr_u' | 'shr_s';

const BINARY: Readonly<Record<number, Binary>> = {
  [BPF_ADD]: 'add', [BPF_SUB]: 'sub', [BPF_MUL]: 'mul', [BPF_OR]: 'or', [BPF_AND]: 'and', [BPF_XOR]: 'xor',
  [BPF_LSH]: 'shl', [BPF_RSH]: 'shr_u', [BPF_ARSH]: 'shr_s',
};

function pushSource64(s: Scope, insn: Insn): void {
  if (insnSrc(insn.code) === BPF_X) s.pushReg(insn.src);
  else s.push64(insn.imm);
}

function pushSource32(s: Scope, insn: Insn): void {
  if (insnSrc(insn.code) === BPF_X) s.pushReg32(insn.src);
  else s.push32(insn.imm);
}

const binary = (name: Binary): Lower => (s, insn) => {
  if (insnClass(insn.code) === BPF_ALU64) {
    s.pushReg(insn.dst);
    pushSource64(s, insn);
    s.op(`i64.${name}`);
    return s.popReg(insn.dst);
  }
  s.pushReg32(insn.dst);
  pushSource32(s, insn);
  s.op(`i32.${name}`);
  s.popReg32(insn.dst);
};

/** `type` of the operands, the wasm instruction, and what to leave for a divisor of 0 and (signed) of -1. */
interface Division { readonly type: 'i32' | 'i64'; readonly op: OpName; readonly signed: boolean; readonly isMod: boolean }

function pushDividend(s: Scope, insn: Insn, type: 'i32' | 'i64'): void {
  if (type === 'i64') s.pushReg(insn.dst);
  else s.pushReg32(insn.dst);
}

function pushZero(s: Scope, type: 'i32' | 'i64'): void {
  if (type === 'i64') s.push64(0);
  else s.push32(0);
}

function pushMinusOneResult(s: Scope, insn: Insn, { type, isMod }: Division): void {
  pushZero(s, type);
  if (isMod) return;
  pushDividend(s, insn, type);
  s.op(`${type}.sub`);
}

function pushZeroResult(s: Scope, insn: Insn, { type, isMod }: Division): void {
  if (isMod) pushDividend(s, insn, type);
  else pushZero(s, type);
}

function divideByConstant(s: Scope, insn: Insn, division: Division): void {
  if (insn.imm === 0) return pushZeroResult(s, insn, division);
  if (insn.imm === -1 && division.signed) return pushMinusOneResult(s, insn, division);
  pushDividend(s, insn, division.type);
  if (division.type === 'i64') s.push64(insn.imm);
  else s.push32(insn.imm);
  s.op(division.op);
}

function divideByRegister(s: Scope, insn: Insn, division: Division): void {
  const { type } = division;
  const pushDivisor = (): void => (type === 'i64' ? s.pushReg(insn.src) : s.pushReg32(insn.src));
  pushDivisor();
  s.op(`${type}.eqz`);
  s.ifValue(type);
  pushZeroResult(s, insn, division);
  s.else();
  if (division.signed) {
    pushDivisor();
    if (type === 'i64') s.push64(-1);
    else s.push32(-1);
    s.op(`${type}.eq`);
    s.ifValue(type);
    pushMinusOneResult(s, insn, division);
    s.else();
  }
  pushDividend(s, insn, type);
  pushDivisor();
  s.op(division.op);
  if (division.signed) s.endIf();
  s.endIf();
}

const divide = (isMod: boolean): Lower => (s, insn) => {
  const type = insnClass(insn.code) === BPF_ALU64 ? 'i64' : 'i32';
  const signed = insn.off === 1;
  const division: Division = { type, signed, isMod, op: `${type}.${isMod ? 'rem' : 'div'}_${signed ? 's' : 'u'}` };
  if (insnSrc(insn.code) === BPF_X) divideByRegister(s, insn, division);
  else divideByConstant(s, insn, division);
  if (type === 'i64') s.popReg(insn.dst);
  else s.popReg32(insn.dst);
};

const EXTEND64: Readonly<Record<number, OpName>> = { 8: 'i64.extend8_s', 16: 'i64.extend16_s', 32: 'i64.extend32_s' };
const EXTEND32: Readonly<Record<number, OpName>> = { 8: 'i32.extend8_s', 16: 'i32.extend16_s' };

function moveRegister64(s: Scope, insn: Insn): void {
  if (insn.off === BPF_ADDR_SPACE_CAST) throw new NotSupportedError('addr_space_cast (arena maps)');
  s.pushReg(insn.src);
  const extend = EXTEND64[insn.off];
  if (extend !== undefined) s.op(extend);
  s.popReg(insn.dst);
}

const move: Lower = (s, insn) => {
  if (insnSrc(insn.code) !== BPF_X) {
    if (insnClass(insn.code) === BPF_ALU64 || insn.imm >= 0) s.push64(insn.imm);
    else s.pushBig(BigInt(insn.imm >>> 0));
    return s.popReg(insn.dst);
  }
  if (insnClass(insn.code) === BPF_ALU64) return moveRegister64(s, insn);
  s.pushReg32(insn.src);
  const extend = EXTEND32[insn.off];
  if (extend !== undefined) s.op(extend);
  s.popReg32(insn.dst);
};

const negate: Lower = (s, insn) => {
  if (insnClass(insn.code) === BPF_ALU64) {
    s.push64(0);
    s.pushReg(insn.dst);
    s.op('i64.sub');
    return s.popReg(insn.dst);
  }
  s.push32(0);
  s.pushReg32(insn.dst);
  s.op('i32.sub');
  s.popReg32(insn.dst);
};

/** To little-endian on little-endian memory: only the truncation is left. */
function truncate(s: Scope, register: number, bits: number): void {
  if (bits === 64) return;
  s.pushReg32(register);
  if (bits === 16) {
    s.push32(0xffff);
    s.op('i32.and');
  }
  s.popReg32(register);
}

function maskedPair(s: Scope, pushValue: () => void, mask: number, rotate: 'i32.rotl' | 'i32.rotr'): void {
  pushValue();
  s.push32(8);
  s.op(rotate);
  s.push32(mask);
  s.op('i32.and');
}

/** Leaves the four bytes of an i32 the other way round. */
export function pushSwapped32(s: Scope, pushValue: () => void): void {
  maskedPair(s, pushValue, 0x00ff_00ff, 'i32.rotl');
  maskedPair(s, pushValue, 0xff00_ff00 | 0, 'i32.rotr');
  s.op('i32.or');
}

/** Leaves the two low bytes of an i32 swapped, the rest zero. */
export function pushSwapped16(s: Scope, pushValue: () => void): void {
  pushSwapped32(s, pushValue);
  s.push32(16);
  s.op('i32.shr_u');
}

/** One step of a 64-bit swap: neighbours of `bits` bits change places. */
function swapNeighbours(s: Scope, from: () => void, bits: number, mask: bigint): void {
  from();
  s.pushBig(mask);
  s.op('i64.and');
  s.push64(bits);
  s.op('i64.shl');
  from();
  s.push64(bits);
  s.op('i64.shr_u');
  s.pushBig(mask);
  s.op('i64.and');
  s.op('i64.or');
}

/** Swaps the bytes of a register's low 16, 32 or 64 bits; the rest becomes zero. */
export function swapBytes(s: Scope, register: number, bits: number): void {
  if (bits === 64) {
    const half = s.scratch('i64', 'swap');
    swapNeighbours(s, () => s.pushReg(register), 8, 0x00ff_00ff_00ff_00ffn);
    s.popLocal(half);
    swapNeighbours(s, () => s.pushLocal(half), 16, 0x0000_ffff_0000_ffffn);
    s.push64(32);
    s.op('i64.rotl');
    return s.popReg(register);
  }
  if (bits === 32) pushSwapped32(s, () => s.pushReg32(register));
  else pushSwapped16(s, () => s.pushReg32(register));
  s.popReg32(register);
}

const byteOrder: Lower = (s, insn) => {
  if (insnClass(insn.code) === BPF_ALU64 || insnSrc(insn.code) === BPF_TO_BE) swapBytes(s, insn.dst, insn.imm);
  else truncate(s, insn.dst, insn.imm);
};

/** By operation bits; serves both ALU classes. */
const LOWER_ALU: Readonly<Record<number, Lower>> = {
  ...Object.fromEntries(Object.entries(BINARY).map(([op, name]) => [op, binary(name)])),
  [BPF_DIV]: divide(false), [BPF_MOD]: divide(true), [BPF_MOV]: move, [BPF_NEG]: negate, [BPF_END]: byteOrder,
};

/** Writes an instruction of class ALU or ALU64. Throws NotSupportedError for an unknown one. */
export function lowerAlu(s: Scope, insn: Insn): void {
  const lower = LOWER_ALU[insnOp(insn.code)];
  if (lower === undefined) throw new NotSupportedError(`instruction with opcode 0x${insn.code.toString(16).padStart(2, '0')}`);
  lower(s, insn);
}
