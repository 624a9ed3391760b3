// Arithmetic: the ALU and ALU64 classes.
// Invariant: division by zero gives 0, modulo by zero leaves the dividend (32 bits: zero-extended), MIN / -1 = MIN, MIN % -1 = 0,
// shifts use the low 6 (5) bits of the amount; every 32-bit result is zero-extended.
// Source: RFC 9669 sections 4.1 and 4.2; kernel/bpf/core.c for sdiv, smod and movsx.

import {
  BPF_ADD, BPF_ALU, BPF_ALU64, BPF_AND, BPF_ARSH, BPF_DIV, BPF_END, BPF_K, BPF_LSH, BPF_MOD, BPF_MOV, BPF_MUL, BPF_NEG, BPF_OR,
  BPF_RSH, BPF_SUB, BPF_TO_BE, BPF_TO_LE, BPF_X, BPF_XOR,
} from '../spec/opcodes.ts';
import { NotSupportedError } from '../util/errors.ts';
import type { Frame, Handler, Op } from './frame.ts';

/** Both operands unsigned; the result is wrapped when it is stored. */
type Alu64 = (dst: bigint, src: bigint) => bigint;
/** Both operands unsigned 32-bit numbers; the result's low 32 bits count. */
type Alu32 = (dst: number, src: number) => number;

const signed = (value: bigint): bigint => BigInt.asIntN(64, value);

const ALU64: Readonly<Record<number, Alu64>> = {
  [BPF_ADD]: (dst, src) => dst + src,
  [BPF_SUB]: (dst, src) => dst - src,
  [BPF_MUL]: (dst, src) => dst * src,
  [BPF_OR]: (dst, src) => dst | src,
  [BPF_AND]: (dst, src) => dst & src,
  [BPF_XOR]: (dst, src) => dst ^ src,
  [BPF_LSH]: (dst, src) => BigInt.asUintN(64, dst << (src & 63n)),
  [BPF_RSH]: (dst, src) => dst >> (src & 63n),
  [BPF_ARSH]: (dst, src) => signed(dst) >> (src & 63n),
};

const ALU32: Readonly<Record<number, Alu32>> = {
  [BPF_ADD]: (dst, src) => dst + src,
  [BPF_SUB]: (dst, src) => dst - src,
  [BPF_MUL]: (dst, src) => Math.imul(dst, src),
  [BPF_OR]: (dst, src) => dst | src,
  [BPF_AND]: (dst, src) => dst & src,
  [BPF_XOR]: (dst, src) => dst ^ src,
  [BPF_LSH]: (dst, src) => dst << (src & 31),
  [BPF_RSH]: (dst, src) => dst >>> (src & 31),
  [BPF_ARSH]: (dst, src) => (dst | 0) >> (src & 31),
};

/** Indexed by `off`: 0 unsigned, 1 signed. */
const DIVIDE64: Readonly<Record<number, readonly [Alu64, Alu64]>> = {
  [BPF_DIV]: [
    (dst, src) => (src === 0n ? 0n : dst / src),
    (dst, src) => (src === 0n ? 0n : signed(dst) / signed(src)),
  ],
  [BPF_MOD]: [
    (dst, src) => (src === 0n ? dst : dst % src),
    (dst, src) => (src === 0n ? dst : signed(dst) % signed(src)),
  ],
};

const DIVIDE32: Readonly<Record<number, readonly [Alu32, Alu32]>> = {
  [BPF_DIV]: [
    (dst, src) => (src === 0 ? 0 : Math.floor(dst / src)),
    (dst, src) => (src === 0 ? 0 : (dst | 0) / (src | 0)),
  ],
  [BPF_MOD]: [
    (dst, src) => (src === 0 ? dst : dst % src),
    (dst, src) => (src === 0 ? dst : (dst | 0) % (src | 0)),
  ],
};

const source64 = (frame: Frame, op: Op, from: number): bigint => (from === BPF_X ? frame.reg(op.src) : BigInt.asUintN(64, op.imm64));
const source32 = (frame: Frame, op: Op, from: number): number => (from === BPF_X ? low32(frame.reg(op.src)) : op.imm >>> 0);
const low32 = (value: bigint): number => Number(value & 0xffff_ffffn);

function set32(frame: Frame, dst: number, value: number): void {
  frame.regs[dst] = BigInt(value >>> 0);
}

const alu64 = (pick: (op: Op) => Alu64, from: number): Handler => (frame, op) => {
  frame.regs[op.dst] = pick(op)(frame.reg(op.dst), source64(frame, op, from));
};

const alu32 = (pick: (op: Op) => Alu32, from: number): Handler => (frame, op) => {
  set32(frame, op.dst, pick(op)(low32(frame.reg(op.dst)), source32(frame, op, from)));
};

/** A plain move, or with `off` 8, 16 or 32 one that sign-extends (movsx); `off` 1 casts between address spaces. */
const move64 = (from: number): Handler => (frame, op) => {
  const value = source64(frame, op, from);
  if (op.off === 1) throw new NotSupportedError('addr_space_cast (arena maps)');
  frame.regs[op.dst] = op.off === 0 ? value : BigInt.asIntN(op.off, value);
};

const move32 = (from: number): Handler => (frame, op) => {
  const value = source32(frame, op, from);
  const unused = op.off === 0 ? 0 : 32 - op.off;
  set32(frame, op.dst, (value << unused) >> unused);
};

/** The `bits` low bits of a value in the other byte order. */
function swapBytes(value: bigint, bits: number): bigint {
  let swapped = 0n;
  for (let at = 0; at < bits; at += 8) swapped = (swapped << 8n) | ((value >> BigInt(at)) & 0xffn);
  return swapped;
}

/** To little-endian on a little-endian machine: only the truncation is left. */
const toLe: Handler = (frame, op) => {
  frame.regs[op.dst] = BigInt.asUintN(op.imm, frame.reg(op.dst));
};

/** To big-endian, and the unconditional bswap: the bytes turn around. */
const swap: Handler = (frame, op) => {
  frame.regs[op.dst] = swapBytes(frame.reg(op.dst), op.imm);
};

const negate64: Handler = (frame, op) => {
  frame.regs[op.dst] = -frame.reg(op.dst);
};

const negate32: Handler = (frame, op) => set32(frame, op.dst, -low32(frame.reg(op.dst)));

function binaryHandlers(): [number, Handler][] {
  const rows: [number, Handler][] = [];
  for (const from of [BPF_K, BPF_X]) {
    for (const [op, fn] of Object.entries(ALU64)) rows.push([BPF_ALU64 | Number(op) | from, alu64(() => fn, from)]);
    for (const [op, fn] of Object.entries(ALU32)) rows.push([BPF_ALU | Number(op) | from, alu32(() => fn, from)]);
    for (const [op, [plain, sign]] of Object.entries(DIVIDE64)) {
      rows.push([BPF_ALU64 | Number(op) | from, alu64(({ off }) => (off === 1 ? sign : plain), from)]);
    }
    for (const [op, [plain, sign]] of Object.entries(DIVIDE32)) {
      rows.push([BPF_ALU | Number(op) | from, alu32(({ off }) => (off === 1 ? sign : plain), from)]);
    }
    rows.push([BPF_ALU64 | BPF_MOV | from, move64(from)], [BPF_ALU | BPF_MOV | from, move32(from)]);
  }
  return rows;
}

/** Handlers of the ALU and ALU64 classes by opcode. */
export const ALU_HANDLERS: readonly (readonly [number, Handler])[] = [
  ...binaryHandlers(),
  [BPF_ALU64 | BPF_NEG, negate64],
  [BPF_ALU | BPF_NEG, negate32],
  [BPF_ALU | BPF_END | BPF_TO_LE, toLe],
  [BPF_ALU | BPF_END | BPF_TO_BE, swap],
  [BPF_ALU64 | BPF_END, swap],
];
