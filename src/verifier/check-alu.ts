// Arithmetic, moves, negation and byte swaps: which operands are allowed, and what the destination becomes.
// Invariant: scalars go through alu-ranges.ts, pointers through check-ptr-alu.ts; nothing else writes a register here.
// Source: behaviour and messages of check_alu_op, adjust_reg_min_max_vals and adjust_scalar_min_max_vals, Linux 6.18.

import type { Insn } from '../insn/insn.ts';
import { EACCES, EINVAL } from '../spec/errno.ts';
import { BPF_ADD_CONST, BPF_ADD_CONST32, BPF_ADD_CONST64 } from '../spec/limits.ts';
import { BPF_MAP_TYPE_ARENA } from '../spec/map-types.ts';
import { BPF_ADD, BPF_ADDR_SPACE_CAST, BPF_ALU, BPF_ALU64, BPF_AND, BPF_ARSH, BPF_DIV, BPF_END, BPF_K, BPF_LSH, BPF_MOD, BPF_MOV, BPF_NEG, BPF_OR, BPF_RSH,
  BPF_SUB, BPF_TO_BE, BPF_TO_LE, BPF_X, insnClass, insnOp, insnSrc } from '../spec/opcodes.ts';
import { SCALAR_VALUE } from '../spec/verifier-types.ts';
import { NotSupportedError } from '../util/errors.ts';
import { rangeOp } from './alu-ranges.ts';
import { markChainPrecision } from './backtrack.ts';
import { markRegUnbounded, regBoundsSanityCheck, regBoundsSync, setVarOff } from './bounds.ts';
import { adjustPtrMinMaxVals, ALU_OP_TEXT, sanitizeScalarAlu } from './check-ptr-alu.ts';
import type { VerifierEnv } from './env.ts';
import { assignScalarIdBeforeMov, clearScalarId, coerceRegToSize, coerceRegToSizeSx, coerceSubregToSizeSx, markReg32Known, markRegKnown, markRegUnknown, regWidth, zext32To64 } from './mark-reg.ts';
import { pushStack } from './push-stack.ts';
import { checkRegArg, DST_OP, DST_OP_NO_MARK, isPointerValue, regAt, SRC_OP } from './reg-arg.ts';
import { isRegConst } from './reg-facts.ts';
import { RegState } from './reg-state.ts';
import { tnumBswap } from './tnum.ts';

const S32_MIN64 = -0x8000_0000n;
const S32_MAX64 = 0x7fff_ffffn;
const U32_MAX64 = 0xffff_ffffn;

/** Checks an instruction of class BPF_ALU or BPF_ALU64 and updates the destination. */
export function checkAluOp(env: VerifierEnv, insn: Insn): void {
  const op = insnOp(insn.code);
  if (op === BPF_END) checkEnd(env, insn);
  else if (op === BPF_NEG) checkNeg(env, insn);
  else if (op === BPF_MOV) checkMov(env, insn);
  else if (op > BPF_END) env.reject(EINVAL, `invalid BPF_ALU opcode ${op.toString(16)}`);
  else checkBinary(env, insn, op);
  regBoundsSanityCheck(env, regAt(env, insn.dst), 'alu');
}

function checkEnd(env: VerifierEnv, insn: Insn): void {
  const badSize = insn.imm !== 16 && insn.imm !== 32 && insn.imm !== 64;
  const badDirection = insnClass(insn.code) === BPF_ALU64 && insnSrc(insn.code) !== BPF_TO_LE;
  if (insn.src !== 0 || insn.off !== 0 || badSize || badDirection) env.reject(EINVAL, 'BPF_END uses reserved fields');
  checkUnaryOperand(env, insn);
  const dst = regAt(env, insn.dst);
  if (dst.type !== SCALAR_VALUE) return checkRegArg(env, insn.dst, DST_OP);
  checkRegArg(env, insn.dst, DST_OP_NO_MARK);
  swapBytes(insn, dst);
}

/** Little-endian hosts: `le` truncates, `be` and `bswap` reverse the bytes of the tnum (6.18.y; the bounds follow from it). */
function swapBytes(insn: Insn, dst: RegState): void {
  const swaps = insnClass(insn.code) === BPF_ALU64 || insnSrc(insn.code) === BPF_TO_BE;
  if (swaps || insn.imm !== 64) clearScalarId(dst);
  if (swaps) {
    tnumBswap(dst.varValue, dst.varMask, insn.imm / 8);
    setVarOff(dst);
    markRegUnbounded(dst);
  }
  if (insn.imm !== 64) coerceRegToSize(dst, insn.imm / 8);
  regBoundsSync(dst);
}

function checkNeg(env: VerifierEnv, insn: Insn): void {
  if (insnSrc(insn.code) !== BPF_K || insn.src !== 0 || insn.off !== 0 || insn.imm !== 0) env.reject(EINVAL, 'BPF_NEG uses reserved fields');
  checkUnaryOperand(env, insn);
  const dst = regAt(env, insn.dst);
  if (dst.type !== SCALAR_VALUE) return checkRegArg(env, insn.dst, DST_OP);
  checkRegArg(env, insn.dst, DST_OP_NO_MARK);
  adjustScalarMinMaxVals(env, insn, dst, dst);
}

function checkUnaryOperand(env: VerifierEnv, insn: Insn): void {
  checkRegArg(env, insn.dst, SRC_OP);
  if (isPointerValue(env, insn.dst)) env.reject(EACCES, `R${insn.dst} pointer arithmetic prohibited`);
}

// Moves.

function checkMov(env: VerifierEnv, insn: Insn): void {
  const fromReg = insnSrc(insn.code) === BPF_X;
  if (fromReg) {
    checkMovFields(env, insn);
    checkRegArg(env, insn.src, SRC_OP);
  } else if (insn.src !== 0 || insn.off !== 0) {
    env.reject(EINVAL, 'BPF_MOV uses reserved fields');
  }
  checkRegArg(env, insn.dst, DST_OP_NO_MARK);
  const dst = regAt(env, insn.dst);
  const is64 = insnClass(insn.code) === BPF_ALU64;
  if (!fromReg) return movImm(env, dst, is64 ? BigInt(insn.imm) : BigInt(insn.imm >>> 0));
  if (is64) mov64(env, insn, dst, regAt(env, insn.src));
  else mov32(env, insn, dst, regAt(env, insn.src));
}

function checkMovFields(env: VerifierEnv, insn: Insn): void {
  const { off, imm } = insn;
  if (insnClass(insn.code) === BPF_ALU64 && off === BPF_ADDR_SPACE_CAST) {
    if (imm !== 1 && imm !== 1 << 16) env.reject(EINVAL, 'addr_space_cast insn can only convert between address space 1 and 0');
    if (!env.maps.some((map) => map.mapType === BPF_MAP_TYPE_ARENA)) {
      env.reject(EINVAL, 'addr_space_cast insn can only be used in a program that has an associated arena');
    }
    throw new NotSupportedError('arenas');
  }
  const is32 = insnClass(insn.code) === BPF_ALU;
  if ((off !== 0 && off !== 8 && off !== 16 && (is32 || off !== 32)) || imm !== 0) env.reject(EINVAL, 'BPF_MOV uses reserved fields');
}

function movImm(env: VerifierEnv, dst: RegState, value: bigint): void {
  markRegUnknown(env, dst);
  markRegKnown(dst, value);
}

function mov64(env: VerifierEnv, insn: Insn, dst: RegState, src: RegState): void {
  if (insn.off === 0) {
    assignScalarIdBeforeMov(env, src);
    dst.copyFrom(src);
    return;
  }
  if (isPointerValue(env, insn.src)) env.reject(EACCES, `R${insn.src} sign-extension part of pointer`);
  if (src.type !== SCALAR_VALUE) return markRegUnknown(env, dst);
  copyLinkedIf(env, dst, src, isNonNegativeWithin(src, insn.off));
  coerceRegToSizeSx(dst, insn.off >> 3);
}

function mov32(env: VerifierEnv, insn: Insn, dst: RegState, src: RegState): void {
  if (isPointerValue(env, insn.src)) env.reject(EACCES, `R${insn.src} partial copy of pointer`);
  if (src.type !== SCALAR_VALUE) {
    markRegUnknown(env, dst);
  } else if (insn.off === 0) {
    copyLinkedIf(env, dst, src, regWidth(src) <= 32);
  } else {
    copyLinkedIf(env, dst, src, isNonNegativeWithin(src, insn.off));
    coerceSubregToSizeSx(dst, insn.off >> 3);
  }
  zext32To64(dst);
  regBoundsSync(dst);
}

/** Sign extension from `bits` leaves the value as it is. */
const isNonNegativeWithin = (reg: RegState, bits: number): boolean => reg.umaxValue < 1n << BigInt(bits - 1);

/** Copies, sharing an id only when the copy will have the same value. */
function copyLinkedIf(env: VerifierEnv, dst: RegState, src: RegState, sameValue: boolean): void {
  if (sameValue) assignScalarIdBeforeMov(env, src);
  dst.copyFrom(src);
  if (!sameValue) clearScalarId(dst);
}

// Two operands.

function checkBinary(env: VerifierEnv, insn: Insn, op: number): void {
  const fromReg = insnSrc(insn.code) === BPF_X;
  const isDivision = op === BPF_DIV || op === BPF_MOD;
  // off is unsigned to this check: a negative one is far above 1.
  const badOff = insn.off !== 0 && !(insn.off === 1 && isDivision);
  if ((fromReg ? insn.imm !== 0 : insn.src !== 0) || badOff) env.reject(EINVAL, 'BPF_ALU uses reserved fields');
  if (fromReg) checkRegArg(env, insn.src, SRC_OP);
  checkRegArg(env, insn.dst, SRC_OP);
  if (isDivision && !fromReg && insn.imm === 0) env.reject(EINVAL, 'div by zero');
  if ((op === BPF_LSH || op === BPF_RSH || op === BPF_ARSH) && !fromReg) {
    const width = insnClass(insn.code) === BPF_ALU64 ? 64 : 32;
    if (insn.imm < 0 || insn.imm >= width) env.reject(EINVAL, `invalid shift ${insn.imm}`);
  }
  checkRegArg(env, insn.dst, DST_OP_NO_MARK);
  adjustRegMinMaxVals(env, insn, op);
}

const immReg = new RegState();

function adjustRegMinMaxVals(env: VerifierEnv, insn: Insn, op: number): void {
  const dst = regAt(env, insn.dst);
  let src = immReg;
  if (insnSrc(insn.code) === BPF_X) {
    src = regAt(env, insn.src);
    if (src.type !== SCALAR_VALUE) return pointerSource(env, insn, op, dst, src);
    if (dst.type !== SCALAR_VALUE) {
      markChainPrecision(env, insn.src);
      return adjustPtrMinMaxVals(env, insn, dst, src);
    }
    if (dst.precise) markChainPrecision(env, insn.src);
  } else {
    immReg.type = SCALAR_VALUE;
    markRegKnown(immReg, BigInt(insn.imm));
    if (dst.type !== SCALAR_VALUE) return adjustPtrMinMaxVals(env, insn, dst, immReg);
  }
  const umaxBefore = dst.umaxValue;
  adjustScalarMinMaxVals(env, insn, dst, src);
  linkSum(env, insn, op, dst, src, umaxBefore);
}

/** The source is a pointer: pointer - pointer gives a scalar, scalar + pointer a pointer. */
function pointerSource(env: VerifierEnv, insn: Insn, op: number, dst: RegState, src: RegState): void {
  if (dst.type === SCALAR_VALUE) {
    markChainPrecision(env, insn.dst);
    return adjustPtrMinMaxVals(env, insn, src, dst);
  }
  if (op === BPF_SUB && env.allowPtrLeaks) return markRegUnknown(env, dst);
  env.reject(EACCES, `R${insn.dst} pointer ${ALU_OP_TEXT[op >> 4] ?? ''} pointer prohibited`);
}

/**
 * Remembers `r1 = r2; r1 += K`, so that what a branch tells of r2 reaches r1; any other operation unlinks. `umaxBefore` is the destination's
 * largest value before the operation: a 32-bit sum is only a sum of the register if that fitted in 32 bits.
 */
function linkSum(env: VerifierEnv, insn: Insn, op: number, dst: RegState, src: RegState, umaxBefore: bigint): void {
  const alu32 = insnClass(insn.code) !== BPF_ALU64;
  const isSum = env.bpfCapable && (op === BPF_ADD || op === BPF_SUB) && dst.id !== 0 && isRegConst(src, alu32);
  if (!isSum) {
    clearScalarId(dst);
    return;
  }
  const value = BigInt.asIntN(alu32 ? 32 : 64, src.varValue);
  const delta = op === BPF_SUB ? -value : value;
  const fits = value >= S32_MIN64 && value <= S32_MAX64 && delta <= S32_MAX64 && !(alu32 && umaxBefore > U32_MAX64);
  if ((dst.id & BPF_ADD_CONST) !== 0 || !fits) {
    dst.off = 0;
    clearScalarId(dst);
  } else {
    dst.id |= alu32 ? BPF_ADD_CONST32 : BPF_ADD_CONST64;
    dst.off = Number(delta);
  }
}

/** A value that is 0 or -1 (a mask made from a comparison) meets a constant: the two cases are walked apart (6.18.y), 0 as a path of its own. */
function forkMask(env: VerifierEnv, insn: Insn, dst: RegState): void {
  if (dst.sminValue === -1n && dst.smaxValue === 0n) {
    const zero = pushStack(env, env.insnIdx, env.insnIdx, false).regs[insn.dst] as RegState;
    markRegKnown(zero, 0n);
    markRegKnown(dst, -1n);
  } else if (dst.s32MinValue === -1 && dst.s32MaxValue === 0) {
    const zero = pushStack(env, env.insnIdx, env.insnIdx, false).regs[insn.dst] as RegState;
    markReg32Known(zero, 0);
    markReg32Known(dst, -1);
  }
}

const sourceCopy = new RegState();

/** dst = dst op src for scalars; `src` may be the same register. */
function adjustScalarMinMaxVals(env: VerifierEnv, insn: Insn, dst: RegState, src: RegState): void {
  const op = insnOp(insn.code);
  const alu32 = insnClass(insn.code) !== BPF_ALU64;
  sourceCopy.copyFrom(src);
  const range = rangeOp(op, alu32, sourceCopy);
  if (range === undefined) return markRegUnknown(env, dst);
  sanitizeScalarAlu(env, insn);
  if ((op === BPF_AND || op === BPF_OR) && sourceCopy.isConst) forkMask(env, insn, dst);
  range(dst, sourceCopy);
  if (alu32) zext32To64(dst);
  regBoundsSync(dst);
}
