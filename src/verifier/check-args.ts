// One argument of a helper call against what the helper's prototype asks of it.
// Invariant: a check learns into CallMeta and changes no register; what the call does to registers and stack happens in check-call.ts.
// Source: behaviour and messages of check_func_arg and check_reg_type, Linux 6.18.

import { EACCES, EINVAL } from '../spec/errno.ts';
import { BPF_FUNC_map_peek_elem, BPF_FUNC_spin_lock, type HelperProto } from '../spec/helpers.ts';
import { BPF_MAP_TYPE_ARRAY, BPF_MAP_TYPE_BLOOM_FILTER, BPF_MAP_TYPE_PERCPU_ARRAY, BPF_MAP_TYPE_SOCKHASH, BPF_MAP_TYPE_SOCKMAP } from '../spec/map-types.ts';
import { BPF_REG_1 } from '../spec/opcodes.ts';
import {
  ARG_ANYTHING, ARG_CONST_ALLOC_SIZE_OR_ZERO, ARG_CONST_MAP_PTR, ARG_CONST_SIZE, ARG_CONST_SIZE_OR_ZERO, ARG_DONTCARE, ARG_KPTR_XCHG_DEST,
  ARG_PTR_TO_BTF_ID_SOCK_COMMON, ARG_PTR_TO_CONST_STR, ARG_PTR_TO_DYNPTR, ARG_PTR_TO_FUNC, ARG_PTR_TO_MAP_KEY, ARG_PTR_TO_MAP_VALUE, ARG_PTR_TO_MEM,
  ARG_PTR_TO_PERCPU_BTF_ID, ARG_PTR_TO_SPIN_LOCK, ARG_PTR_TO_TIMER, baseType, MEM_ALIGNED, MEM_FIXED_SIZE, MEM_UNINIT, MEM_WRITE, OBJ_RELEASE,
  typeMayBeNull,
} from '../spec/verifier-types.ts';
import { NotSupportedError } from '../util/errors.ts';
import type { VerifierMap } from './api.ts';
import { checkPtrAlignment } from './alignment.ts';
import { checkFuncArgRegOff, checkRegType } from './arg-types.ts';
import { markChainPrecision } from './backtrack.ts';
import type { CallMeta } from './call-meta.ts';
import { checkHelperMemAccess, checkMemSizeReg } from './check-helper-mem.ts';
import { mayAccessDirectPktData } from './check-packet.ts';
import { checkConstStr } from './const-str.ts';
import type { VerifierEnv } from './env.ts';
import { processSpinLock, processTimerFunc } from './map-fields.ts';
import { constantMapKey } from './map-key.ts';
import { checkRegArg, isPointerValue, regAt, registerIsNull, SRC_OP } from './reg-arg.ts';
import { typeIsPktPointer } from './reg-facts.ts';
import type { RegState } from './reg-state.ts';

/** Map types whose look-up with a known, valid key can't return NULL. */
export const canElideValueNullness = (mapType: number): boolean => mapType === BPF_MAP_TYPE_ARRAY || mapType === BPF_MAP_TYPE_PERCPU_ARRAY;

/** The map argument seen so far. A prototype names it before whatever depends on it. */
export function metaMap(env: VerifierEnv, meta: CallMeta): VerifierMap {
  return env.maps[meta.mapIndex - 1] ?? env.bug('helper without a map argument');
}

/** Checks argument `arg` (from 0) of a call by prototype `proto`. */
export function checkFuncArg(env: VerifierEnv, arg: number, meta: CallMeta, proto: HelperProto): void {
  const declared = proto.args[arg] ?? ARG_DONTCARE;
  if (declared === ARG_DONTCARE) return;
  const regno = BPF_REG_1 + arg;
  checkRegArg(env, regno, SRC_OP);
  if (declared === ARG_ANYTHING) {
    if (isPointerValue(env, regno)) env.reject(EACCES, `R${regno} leaks addr into helper function`);
    return;
  }
  const reg = regAt(env, regno);
  if (typeIsPktPointer(reg.type) && !(mayAccessDirectPktData(env, false) && meta.pktAccess)) {
    env.reject(EACCES, 'helper access to the packet is not allowed');
  }
  const argType = baseType(declared) === ARG_PTR_TO_MAP_VALUE ? resolveMapArgType(env, meta, declared) : declared;
  if (!(registerIsNull(reg) && typeMayBeNull(argType))) {
    checkRegType(env, regno, argType, meta.helperId);
    checkFuncArgRegOff(env, reg, regno, argType);
  }
  noteReferences(env, reg, regno, argType, meta);
  checkArgByType(env, arg, argType, meta, proto);
}

/** A map's value argument means something else for some map types. */
function resolveMapArgType(env: VerifierEnv, meta: CallMeta, argType: number): number {
  const { mapType } = metaMap(env, meta);
  if (mapType === BPF_MAP_TYPE_SOCKMAP || mapType === BPF_MAP_TYPE_SOCKHASH) {
    if (argType !== ARG_PTR_TO_MAP_VALUE) env.reject(EINVAL, 'invalid arg_type for sockmap/sockhash');
    return ARG_PTR_TO_BTF_ID_SOCK_COMMON;
  }
  return mapType === BPF_MAP_TYPE_BLOOM_FILTER && meta.helperId === BPF_FUNC_map_peek_elem ? ARG_PTR_TO_MAP_VALUE : argType;
}

function noteReferences(env: VerifierEnv, reg: RegState, regno: number, argType: number, meta: CallMeta): void {
  if ((argType & OBJ_RELEASE) !== 0) {
    if (baseType(argType) === ARG_PTR_TO_DYNPTR) throw new NotSupportedError('dynptrs');
    if (reg.refObjId === 0 && !registerIsNull(reg)) env.reject(EINVAL, `R${regno} must be referenced when passed to release function`);
    if (meta.releaseRegno !== 0) env.bug('more than one release argument');
    meta.releaseRegno = regno;
  }
  if (reg.refObjId === 0 || baseType(argType) === ARG_KPTR_XCHG_DEST) return;
  if (meta.refObjId !== 0) {
    // The kernel's message has no newline.
    env.log.verbose(`more than one arg with ref_obj_id R${regno} ${reg.refObjId} ${meta.refObjId}`);
    env.reject(EACCES);
  }
  meta.refObjId = reg.refObjId;
}

function checkArgByType(env: VerifierEnv, arg: number, argType: number, meta: CallMeta, proto: HelperProto): void {
  const regno = BPF_REG_1 + arg;
  switch (baseType(argType)) {
    case ARG_CONST_MAP_PTR: return noteMap(env, regno, meta);
    case ARG_PTR_TO_MAP_KEY: return checkMapKey(env, regno, meta);
    case ARG_PTR_TO_MAP_VALUE: return checkMapValue(env, regno, argType, meta);
    case ARG_PTR_TO_MEM: return checkMemArg(env, arg, argType, meta, proto);
    case ARG_CONST_SIZE: return checkMemSizeReg(env, regno, ((proto.args[arg - 1] ?? 0) & MEM_WRITE) !== 0, false, meta);
    case ARG_CONST_SIZE_OR_ZERO: return checkMemSizeReg(env, regno, ((proto.args[arg - 1] ?? 0) & MEM_WRITE) !== 0, true, meta);
    case ARG_CONST_ALLOC_SIZE_OR_ZERO: return noteAllocSize(env, regno, meta);
    case ARG_PTR_TO_CONST_STR: return checkConstStr(env, regno);
    case ARG_PTR_TO_SPIN_LOCK: return processSpinLock(env, regno, meta.helperId === BPF_FUNC_spin_lock);
    case ARG_PTR_TO_TIMER: return processTimerFunc(env, regno, meta);
    case ARG_PTR_TO_FUNC:
      meta.subprogno = regAt(env, regno).subprogno;
      return;
    case ARG_PTR_TO_DYNPTR: throw new NotSupportedError('dynptrs');
    case ARG_KPTR_XCHG_DEST: throw new NotSupportedError('kptrs');
    case ARG_PTR_TO_PERCPU_BTF_ID: throw new NotSupportedError('per-CPU kernel variables');
    default:
  }
}

function noteMap(env: VerifierEnv, regno: number, meta: CallMeta): void {
  const reg = regAt(env, regno);
  // A timer argument before it has already named its map: it must be this one, of this very look-up.
  if (meta.mapIndex !== 0 && (meta.mapIndex !== reg.mapIndex || meta.mapUid !== reg.mapUid)) {
    env.reject(EINVAL, `timer pointer in R1 map_uid=${meta.mapUid} doesn't match map pointer in R2 map_uid=${reg.mapUid}`);
  }
  meta.mapIndex = reg.mapIndex;
  meta.mapUid = reg.mapUid;
}

function checkMapKey(env: VerifierEnv, regno: number, meta: CallMeta): void {
  const map = metaMap(env, meta);
  checkHelperMemAccess(env, regno, map.keySize, false, false);
  if (canElideValueNullness(map.mapType)) meta.constMapKey = constantMapKey(env, regAt(env, regno), map.keySize) ?? -1n;
}

function checkMapValue(env: VerifierEnv, regno: number, argType: number, meta: CallMeta): void {
  if (typeMayBeNull(argType) && registerIsNull(regAt(env, regno))) return;
  meta.rawMode = (argType & MEM_UNINIT) !== 0;
  checkHelperMemAccess(env, regno, metaMap(env, meta).valueSize, (argType & MEM_WRITE) !== 0, false, meta);
}

/** Memory of a fixed size is checked here, of a variable size with the size argument that follows. */
function checkMemArg(env: VerifierEnv, arg: number, argType: number, meta: CallMeta, proto: HelperProto): void {
  const regno = BPF_REG_1 + arg;
  meta.rawMode = (argType & MEM_UNINIT) !== 0;
  if ((argType & MEM_FIXED_SIZE) === 0) return;
  const sizeBytes = proto.sizes?.[arg] ?? 0;
  checkHelperMemAccess(env, regno, sizeBytes, (argType & MEM_WRITE) !== 0, false, meta);
  if ((argType & MEM_ALIGNED) !== 0) checkPtrAlignment(env, regAt(env, regno), 0, sizeBytes, true);
}

function noteAllocSize(env: VerifierEnv, regno: number, meta: CallMeta): void {
  const reg = regAt(env, regno);
  if (!reg.isConst) env.reject(EACCES, `R${regno} is not a known constant'`);
  meta.memSize = Number(BigInt.asIntN(32, reg.varValue));
  markChainPrecision(env, regno);
}
