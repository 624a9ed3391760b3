// Arithmetic on pointers: pointer ± scalar, within limits that keep every offset representable.
// Invariant: a pointer's fixed part (`off`) and variable part (tnum and bounds) together stay below 2^29 in size.
// Source: behaviour and messages of adjust_ptr_min_max_vals and check_reg_sane_offset, Linux 6.18.

import type { Insn } from '../insn/insn.ts';
import { EACCES, EINVAL } from '../spec/errno.ts';
import { BPF_MAX_VAR_OFF, MAX_BPF_STACK } from '../spec/limits.ts';
import { BPF_ADD, BPF_ALU64, BPF_AND, BPF_K, BPF_OR, BPF_SUB, BPF_XOR, insnClass, insnOp, insnSrc } from '../spec/opcodes.ts';
import { baseType, CONST_PTR_TO_DYNPTR, CONST_PTR_TO_MAP, PTR_MAYBE_NULL, PTR_TO_BTF_ID, PTR_TO_BUF, PTR_TO_CTX, PTR_TO_FLOW_KEYS, PTR_TO_FUNC, PTR_TO_MAP_KEY,
  PTR_TO_MAP_VALUE, PTR_TO_MEM, PTR_TO_PACKET, PTR_TO_PACKET_META, PTR_TO_STACK, PTR_TO_TP_BUFFER, PTR_UNTRUSTED, regTypeStr } from '../spec/verifier-types.ts';
import { NotSupportedError } from '../util/errors.ts';
import { S32_MAX, S32_MIN, S64_MAX, S64_MIN, U64_MAX } from '../util/u64.ts';
import { markReg32Unbounded, regBoundsSync, setVarOff } from './bounds.ts';
import { checkMapAccess } from './check-map-value.ts';
import { Rejection, type VerifierEnv } from './env.ts';
import { markRegUnknown } from './mark-reg.ts';
import { regAt } from './reg-arg.ts';
import { typeIsPktPointer } from './reg-facts.ts';
import type { RegState } from './reg-state.ts';
import { tnumAdd, tnumString, tnumSub } from './tnum.ts';

/** Operators as messages name them, indexed by op >> 4. */
export const ALU_OP_TEXT: readonly string[] = ['+=', '-=', '*=', '/=', '|=', '&=', '<<=', '>>=', 'neg', '%=', '^=', '=', 's>>=', 'endian'];

const ARITHMETIC_ALLOWED: ReadonlySet<number> = new Set([PTR_TO_CTX, PTR_TO_MAP_VALUE, PTR_TO_MAP_KEY, PTR_TO_STACK, PTR_TO_PACKET_META, PTR_TO_PACKET,
  PTR_TO_TP_BUFFER, PTR_TO_BTF_ID, PTR_TO_MEM, PTR_TO_BUF, PTR_TO_FUNC, CONST_PTR_TO_DYNPTR]);

/** The destination becomes `ptr op off`; one of the two is the destination register. */
export function adjustPtrMinMaxVals(env: VerifierEnv, insn: Insn, ptr: RegState, off: RegState): void {
  const op = insnOp(insn.code);
  const dst = regAt(env, insn.dst);
  if (hasContradiction(off)) return markRegUnknown(env, dst);
  if (insnClass(insn.code) !== BPF_ALU64) {
    if (op === BPF_SUB && env.allowPtrLeaks) return markRegUnknown(env, dst);
    env.reject(EACCES, `R${insn.dst} 32-bit pointer arithmetic prohibited`);
  }
  if ((ptr.type & PTR_MAYBE_NULL) !== 0) {
    env.reject(EACCES, `R${insn.dst} pointer arithmetic on ${regTypeStr(ptr.type)} prohibited, null-check it first`);
  }
  if (baseType(ptr.type) === PTR_TO_MEM && (ptr.type & PTR_UNTRUSTED) !== 0) return;
  if (!allowsArithmetic(ptr, off, op)) env.reject(EACCES, `R${insn.dst} pointer arithmetic on ${regTypeStr(ptr.type)} prohibited`);
  const scalarIsDst = dst === off;
  dst.type = ptr.type;
  dst.id = ptr.id;
  // In `scalar += fp` Linux 6.18 leaves the scalar's frame number 0, so that a callee's stack passes for its caller's: not repeated here.
  dst.frameno = ptr.frameno;
  checkRegSaneOffset(env, off, ptr.type);
  checkRegSaneOffset(env, ptr, ptr.type);
  markReg32Unbounded(dst);
  if (op === BPF_ADD || op === BPF_SUB) sanitizePtrAlu(env, insn);
  if (op === BPF_ADD) addToPtr(env, dst, ptr, off);
  else if (op === BPF_SUB) subFromPtr(env, insn, scalarIsDst, dst, ptr, off);
  else rejectOperator(env, insn, op);
  checkRegSaneOffset(env, dst, ptr.type);
  regBoundsSync(dst);
  sanitizeCheckBounds(env, insn, dst);
}

/** Bounds that can't be (a dead branch): the result is tainted rather than computed. */
const hasContradiction = (off: RegState): boolean =>
  (off.isConst && (off.sminValue !== off.smaxValue || off.uminValue !== off.umaxValue)) || off.sminValue > off.smaxValue || off.uminValue > off.umaxValue;

function allowsArithmetic(ptr: RegState, off: RegState, op: number): boolean {
  const base = baseType(ptr.type);
  if (ARITHMETIC_ALLOWED.has(base)) return true;
  if (base === PTR_TO_FLOW_KEYS && off.isConst) return true;
  return (base === PTR_TO_FLOW_KEYS || base === CONST_PTR_TO_MAP) && off.isConst && off.sminValue === 0n && op === BPF_ADD;
}

function rejectOperator(env: VerifierEnv, insn: Insn, op: number): never {
  const text = ALU_OP_TEXT[op >> 4] ?? '';
  const isBitwise = op === BPF_AND || op === BPF_OR || op === BPF_XOR;
  env.reject(EACCES, isBitwise ? `R${insn.dst} bitwise operator ${text} on pointer prohibited` : `R${insn.dst} pointer arithmetic with ${text} operator prohibited`);
}

const MAX_OFF = BigInt(BPF_MAX_VAR_OFF);

/** Rejects offsets that could leave the range in which pointers are tracked; `type` is the pointer's, for the message. */
function checkRegSaneOffset(env: VerifierEnv, reg: RegState, type: number): void {
  const value = BigInt.asIntN(64, reg.varValue);
  const smin = reg.sminValue;
  const name = regTypeStr(type);
  if (reg.isConst && (value >= MAX_OFF || value <= -MAX_OFF)) env.reject(EINVAL, `math between ${name} pointer and ${value} is not allowed`);
  if (reg.off >= BPF_MAX_VAR_OFF || reg.off <= -BPF_MAX_VAR_OFF) env.reject(EINVAL, `${name} pointer offset ${reg.off} is not allowed`);
  if (smin === S64_MIN) env.reject(EINVAL, `math between ${name} pointer and register with unbounded min value is not allowed`);
  if (smin >= MAX_OFF || smin <= -MAX_OFF) env.reject(EINVAL, `value ${smin} makes ${name} pointer be out of bounds`);
}

/** Map, range, size …: what the pointer points into. */
function copyParticulars(dst: RegState, ptr: RegState): void {
  dst.mapIndex = ptr.mapIndex;
  dst.mapUid = ptr.mapUid;
  dst.extra = ptr.extra;
  dst.subprogno = ptr.subprogno;
}

/** A constant goes into the fixed offset when that stays an s32; undefined otherwise. */
function fixedOffset(ptr: RegState, off: RegState, sign: 1n | -1n): number | undefined {
  const sum = BigInt(ptr.off) + sign * off.sminValue;
  return off.isConst && sum >= BigInt(S32_MIN) && sum <= BigInt(S32_MAX) ? Number(sum) : undefined;
}

function moveFixed(dst: RegState, ptr: RegState, fixed: number): void {
  dst.sminValue = ptr.sminValue;
  dst.smaxValue = ptr.smaxValue;
  dst.uminValue = ptr.uminValue;
  dst.umaxValue = ptr.umaxValue;
  dst.varValue = ptr.varValue;
  dst.varMask = ptr.varMask;
  dst.off = fixed;
  dst.id = ptr.id;
  copyParticulars(dst, ptr);
}

function setSigned(dst: RegState, min: bigint, max: bigint): void {
  const fits = min >= S64_MIN && min <= S64_MAX && max >= S64_MIN && max <= S64_MAX;
  dst.sminValue = fits ? min : S64_MIN;
  dst.smaxValue = fits ? max : S64_MAX;
}

function setUnsigned(dst: RegState, fits: boolean, min: bigint, max: bigint): void {
  dst.uminValue = fits ? min : 0n;
  dst.umaxValue = fits ? max : U64_MAX;
}

function addToPtr(env: VerifierEnv, dst: RegState, ptr: RegState, off: RegState): void {
  const fixed = fixedOffset(ptr, off, 1n);
  if (fixed !== undefined) return moveFixed(dst, ptr, fixed);
  setSigned(dst, ptr.sminValue + off.sminValue, ptr.smaxValue + off.smaxValue);
  const umin = ptr.uminValue + off.uminValue;
  const umax = ptr.umaxValue + off.umaxValue;
  setUnsigned(dst, umin <= U64_MAX && umax <= U64_MAX, umin, umax);
  tnumAdd(ptr.varValue, ptr.varMask, off.varValue, off.varMask);
  setVarOff(dst);
  dst.off = ptr.off;
  copyParticulars(dst, ptr);
  if (!typeIsPktPointer(ptr.type)) return;
  dst.id = env.newId();
  dst.extra = 0;
}

function subFromPtr(env: VerifierEnv, insn: Insn, scalarIsDst: boolean, dst: RegState, ptr: RegState, off: RegState): void {
  if (scalarIsDst) env.reject(EACCES, `R${insn.dst} tried to subtract pointer from scalar`);
  if (ptr.type === PTR_TO_STACK) env.reject(EACCES, `R${insn.dst} subtraction from stack pointer prohibited`);
  const fixed = fixedOffset(ptr, off, -1n);
  if (fixed !== undefined) return moveFixed(dst, ptr, fixed);
  const mayBeNegative = off.sminValue < 0n;
  const fits = ptr.uminValue >= off.umaxValue;
  const umin = ptr.uminValue - off.umaxValue;
  const umax = ptr.umaxValue - off.uminValue;
  setSigned(dst, ptr.sminValue - off.smaxValue, ptr.smaxValue - off.sminValue);
  setUnsigned(dst, fits, umin, umax);
  tnumSub(ptr.varValue, ptr.varMask, off.varValue, off.varMask);
  setVarOff(dst);
  dst.off = ptr.off;
  copyParticulars(dst, ptr);
  if (!typeIsPktPointer(ptr.type)) return;
  dst.id = env.newId();
  if (mayBeNegative) dst.extra = 0;
}

// Without CAP_PERFMON: speculation must not carry a pointer out of bounds.

const BPF_ALU_NON_POINTER = 1 << 3;

/** Notes that this instruction works on scalars; on another path it may not work on pointers (they would be masked). */
export function sanitizeScalarAlu(env: VerifierEnv, insn: Insn): void {
  const op = insnOp(insn.code);
  if (env.bypassSpecV1 || insnSrc(insn.code) === BPF_K || (op !== BPF_ADD && op !== BPF_SUB)) return;
  const aux = env.aux[env.insnIdx];
  if (aux === undefined) return;
  if (aux.aluState !== 0 && aux.aluState !== BPF_ALU_NON_POINTER) {
    const verb = op === BPF_ADD ? 'add' : 'sub';
    env.reject(EACCES, `R${insn.dst} tried to ${verb} from different maps, paths or scalars, pointer arithmetic with it prohibited for !root`);
  }
  aux.aluState = BPF_ALU_NON_POINTER;
}

function sanitizePtrAlu(env: VerifierEnv, insn: Insn): void {
  if (env.bypassSpecV1 || insnSrc(insn.code) === BPF_K) return;
  throw new NotSupportedError('pointer arithmetic with a register in a program without CAP_PERFMON');
}

function sanitizeCheckBounds(env: VerifierEnv, insn: Insn, dst: RegState): void {
  if (env.bypassSpecV1) return;
  if (dst.type === PTR_TO_STACK) return checkStackArithmetic(env, insn.dst, dst);
  if (dst.type === PTR_TO_MAP_VALUE) checkValueArithmetic(env, insn.dst, dst);
}

function checkStackArithmetic(env: VerifierEnv, regno: number, reg: RegState): void {
  const off = reg.off + Number(BigInt.asIntN(32, reg.varValue));
  if (!reg.isConst) {
    env.reject(EACCES, `R${regno} variable stack access prohibited for !root, var_off=${tnumString(reg.varValue, reg.varMask)} off=${off}`);
  }
  if (off >= 0 || off < -MAX_BPF_STACK) env.reject(EACCES, `R${regno} stack pointer arithmetic goes out of range, prohibited for !root; off=${off}`);
}

function checkValueArithmetic(env: VerifierEnv, regno: number, reg: RegState): void {
  try {
    checkMapAccess(env, regno, reg.off, 1, false);
  } catch (error) {
    // The access check has said why; this says what it means.
    if (error instanceof Rejection) env.log.verbose(`R${regno} pointer arithmetic of map value goes out of range, prohibited for !root\n`);
    throw error;
  }
}
