// Helper calls: may this program call it, do the arguments fit, and what it leaves in registers, stack, references and packet pointers.
// Invariant: arguments are all checked before anything changes; r1 … r5 are gone afterwards.
// Source: behaviour and messages of check_helper_call and its parts, Linux 6.18.

import type { Insn } from '../insn/insn.ts';
import { EACCES, EINVAL } from '../spec/errno.ts';
import { ACQUIRES_REFERENCE, acquiresByMap, CHANGES_PACKET, PTR_CASTS } from '../spec/helper-facts.ts';
import {
  __BPF_FUNC_MAX_ID, BPF_FUNC_find_vma, BPF_FUNC_for_each_map_elem, BPF_FUNC_get_local_storage, BPF_FUNC_get_smp_processor_id, BPF_FUNC_get_stack,
  BPF_FUNC_get_task_stack, BPF_FUNC_loop, BPF_FUNC_map_delete_elem, BPF_FUNC_map_lookup_elem, BPF_FUNC_map_lookup_percpu_elem, BPF_FUNC_map_peek_elem,
  BPF_FUNC_map_pop_elem, BPF_FUNC_map_push_elem, BPF_FUNC_map_update_elem, BPF_FUNC_probe_read_kernel_str, BPF_FUNC_probe_read_str,
  BPF_FUNC_probe_read_user_str, BPF_FUNC_redirect_map, BPF_FUNC_snprintf, BPF_FUNC_tail_call, BPF_FUNC_timer_set_callback,
  BPF_FUNC_user_ringbuf_drain, helperById, type HelperProto,
} from '../spec/helpers.ts';
import { helperTakesMap, mayUpdateSockmap } from '../spec/map-helper-compat.ts';
import { BPF_F_RDONLY_PROG, BPF_MAP_TYPE_PROG_ARRAY, BPF_MAP_TYPE_SOCKHASH, BPF_MAP_TYPE_SOCKMAP } from '../spec/map-types.ts';
import { BPF_B, BPF_REG_0, BPF_REG_1, BPF_REG_2, BPF_REG_3, BPF_REG_4 } from '../spec/opcodes.ts';
import {
  ARG_PTR_TO_CTX, baseType, NOT_INIT, PTR_MAYBE_NULL, PTR_TO_MAP_VALUE, PTR_TO_MEM, PTR_TO_SOCK_COMMON, PTR_TO_SOCKET, PTR_TO_TCP_SOCK, RET_INTEGER,
  RET_PTR_TO_BTF_ID, RET_PTR_TO_MAP_VALUE, RET_PTR_TO_MEM, RET_PTR_TO_MEM_OR_BTF_ID, RET_PTR_TO_SOCK_COMMON, RET_PTR_TO_SOCKET, RET_PTR_TO_TCP_SOCK,
  RET_VOID, typeFlag, typeMayBeNull,
} from '../spec/verifier-types.ts';
import { NotSupportedError } from '../util/errors.ts';
import { markChainPrecision } from './backtrack.ts';
import { regBoundsSanityCheck, regBoundsSync } from './bounds.ts';
import { CallMeta } from './call-meta.ts';
import { setLoopCallbackState, setMapElemCallbackState, setTimerCallbackState } from './callbacks.ts';
import { prepareFuncExit, pushCallbackCall } from './calls.ts';
import { canElideValueNullness, checkFuncArg, metaMap } from './check-args.ts';
import { checkMemAccess } from './check-mem.ts';
import { checkSnprintfCall } from './const-str.ts';
import type { InsnAux, VerifierEnv } from './env.ts';
import { helperProto } from './helper-protos.ts';
import { markRegKnownZero, markRegUnknown } from './mark-reg.ts';
import { pushStack } from './push-stack.ts';
import { acquireReference, checkResourceLeak, forEachReg, markRegInvalid, releaseReference } from './refs.ts';
import { clearCallerSavedRegs, regAt, registerIsNull } from './reg-arg.ts';
import { isPktPointerAny, isRegConst } from './reg-facts.ts';
import type { RegState } from './reg-state.ts';

/** Name as messages print it: 'unknown' for numbers that are none. */
const helperName = (id: number): string => (id === 0 ? 'bpf_unspec' : helperById(id)?.name ?? 'unknown');

const GPL_LICENSES: ReadonlySet<string> = new Set(['GPL', 'GPL v2', 'GPL and additional rights', 'Dual BSD/GPL', 'Dual MIT/GPL', 'Dual MPL/GPL']);
/** Whether a program under this license may call GPL-only helpers. */
export const isGplCompatible = (license: string): boolean => GPL_LICENSES.has(license);

const meta = new CallMeta();

/** Checks a call of a helper (src 0), applies what it does, and returns the instruction to go on with. */
export function checkHelperCall(env: VerifierEnv, insn: Insn): number {
  const id = insn.imm;
  const proto = permittedProto(env, id);
  const changesPacket = CHANGES_PACKET.has(id);
  if (changesPacket && proto.args[0] !== ARG_PTR_TO_CTX) env.bug(`func ${helperName(id)}#${id}: r1 != ctx`);
  meta.reset(id, proto.pktAccess === true);
  checkContext(env, id, proto);
  for (let arg = 0; arg < 5; arg++) checkFuncArg(env, arg, meta, proto);
  recordFuncMap(env, id);
  recordFuncKey(env, id);
  for (let at = 0; at < meta.sizeBytes; at++) checkMemAccess(env, meta.regno, at, BPF_B, true, -1, false, false);
  releaseArgument(env, id);
  checkSpecial(env, insn, id);
  clearCallerSavedRegs(env, env.frame);
  setReturnValue(env, id, proto);
  refineReturnRange(env, id, proto);
  checkMapCompatibility(env, id);
  if (id === BPF_FUNC_tail_call) return followTailCall(env);
  if (changesPacket) clearAllPktPointers(env);
  return env.insnIdx + 1;
}

/**
 * A tail call that fails goes on behind itself. One that succeeds ends the program, or, in a called function, returns to the caller
 * with anything in r0 and the packet possibly moved.
 */
function followTailCall(env: VerifierEnv): number {
  if (env.state.curframe === 0) return env.insnIdx + 1;
  env.markRegScratched(BPF_REG_0);
  pushStack(env, env.insnIdx + 1, env.insnIdx, false);
  clearAllPktPointers(env);
  markRegUnknown(env, regAt(env, BPF_REG_0));
  env.liveStack.update();
  return prepareFuncExit(env);
}

/** The prototype, if the program's type, license and mode allow the call. */
function permittedProto(env: VerifierEnv, id: number): HelperProto {
  if (id < 0 || id >= __BPF_FUNC_MAX_ID) env.reject(EINVAL, `invalid func ${helperName(id)}#${id}`);
  const proto = helperProto(env, id);
  if (proto === undefined) env.reject(EINVAL, `program of this type cannot use helper ${helperName(id)}#${id}`);
  if (proto.gplOnly === true && !isGplCompatible(env.prog.license)) env.reject(EINVAL, 'cannot call GPL-restricted function from non-GPL compatible program');
  if (proto.mightSleep === true && !env.state.inSleepable) env.reject(EINVAL, 'helper call might sleep in a non-sleepable prog');
  return proto;
}

function checkContext(env: VerifierEnv, id: number, proto: HelperProto): void {
  if (proto.mightSleep !== true) return;
  const { state } = env;
  const name = `sleepable helper ${helperName(id)}#${id}`;
  if (state.activeRcuLock) env.reject(EINVAL, `${name} in rcu_read_lock region`);
  if (state.activePreemptLocks > 0) env.reject(EINVAL, `${name} in non-preemptible region`);
  if (state.activeIrqId !== 0) env.reject(EINVAL, `${name} in IRQ-disabled region`);
}

// What fix-ups and executors want to know of the call.

const RECORDS_MAP: ReadonlySet<number> = new Set([
  BPF_FUNC_tail_call, BPF_FUNC_map_lookup_elem, BPF_FUNC_map_update_elem, BPF_FUNC_map_delete_elem, BPF_FUNC_map_push_elem, BPF_FUNC_map_pop_elem,
  BPF_FUNC_map_peek_elem, BPF_FUNC_for_each_map_elem, BPF_FUNC_redirect_map, BPF_FUNC_map_lookup_percpu_elem,
]);
const WRITES_MAP: ReadonlySet<number> = new Set([BPF_FUNC_map_delete_elem, BPF_FUNC_map_update_elem, BPF_FUNC_map_push_elem, BPF_FUNC_map_pop_elem]);

const auxOf = (env: VerifierEnv): InsnAux => env.aux[env.insnIdx] as InsnAux;

/** Remembers the one map that the call always means. */
function recordFuncMap(env: VerifierEnv, id: number): void {
  if (RECORDS_MAP.has(id) && WRITES_MAP.has(id) && (metaMap(env, meta).mapFlags & BPF_F_RDONLY_PROG) !== 0) {
    env.reject(EACCES, 'write into map forbidden');
  }
  if (meta.mapIndex === 0) return;
  const aux = auxOf(env);
  if (aux.mapIndex === 0) aux.mapIndex = meta.mapIndex;
  else if (aux.mapIndex !== meta.mapIndex) aux.mapIndex = -1;
}

/** A tail call whose index is always the same can jump directly. */
function recordFuncKey(env: VerifierEnv, id: number): void {
  if (id !== BPF_FUNC_tail_call) return;
  const map = metaMap(env, meta);
  if (map.mapType !== BPF_MAP_TYPE_PROG_ARRAY) {
    // The kernel's message has no newline.
    env.log.verbose('expected prog array map for tail call');
    env.reject(EINVAL);
  }
  const aux = auxOf(env);
  const index = regAt(env, BPF_REG_3);
  if (!isRegConst(index, false) || index.varValue >= BigInt(map.maxEntries)) {
    aux.constantKey = -1;
    return;
  }
  markChainPrecision(env, BPF_REG_3);
  const key = Number(index.varValue);
  if (aux.constantKey === undefined) aux.constantKey = key;
  else if (aux.constantKey !== key) aux.constantKey = -1;
}

// Effects before registers are cleared.

function releaseArgument(env: VerifierEnv, id: number): void {
  if (meta.releaseRegno === 0) return;
  const released = meta.refObjId === 0 ? registerIsNull(regAt(env, meta.releaseRegno)) : releaseReference(env, meta.refObjId);
  if (!released) env.reject(EINVAL, `func ${helperName(id)}#${id} reference has not been acquired before`);
}

/** Checks that belong to one helper alone. */
function checkSpecial(env: VerifierEnv, insn: Insn, id: number): void {
  switch (id) {
    case BPF_FUNC_tail_call: return checkResourceLeak(env, true, 'tail_call');
    case BPF_FUNC_get_local_storage:
      if (!registerIsNull(regAt(env, BPF_REG_2))) env.reject(EINVAL, "get_local_storage() doesn't support non-zero flags");
      return;
    case BPF_FUNC_for_each_map_elem: return pushCallbackCall(env, insn, meta.subprogno, setMapElemCallbackState);
    case BPF_FUNC_timer_set_callback: return pushCallbackCall(env, insn, meta.subprogno, setTimerCallbackState);
    case BPF_FUNC_loop: return checkLoop(env, insn);
    case BPF_FUNC_snprintf: return checkSnprintfCall(env);
    case BPF_FUNC_find_vma: throw new NotSupportedError('bpf_find_vma');
    case BPF_FUNC_user_ringbuf_drain: throw new NotSupportedError('bpf_user_ringbuf_drain');
    default:
  }
}

/** bpf_loop: as long as the number of rounds may not be reached, the callback is walked once more. */
function checkLoop(env: VerifierEnv, insn: Insn): void {
  updateLoopInlineState(env);
  markChainPrecision(env, BPF_REG_1);
  if (BigInt(env.frame.callbackDepth) < regAt(env, BPF_REG_1).umaxValue) return pushCallbackCall(env, insn, meta.subprogno, setLoopCallbackState);
  env.frame.callbackDepth = 0;
  if (env.log.isVerbose) env.log.verbose(`frame${env.state.curframe} bpf_loop iteration limit reached\n`);
}

/** Whether the loop can be inlined: always this callback, and flags 0. */
function updateLoopInlineState(env: VerifierEnv): void {
  const aux = auxOf(env);
  if (aux.loopInlineInitialized) {
    if (!aux.loopInlineFit) return;
    aux.loopInlineFit = loopFlagIsZero(env) && aux.callbackSubprog === meta.subprogno;
    return;
  }
  aux.loopInlineInitialized = true;
  aux.loopInlineFit = loopFlagIsZero(env);
  aux.callbackSubprog = meta.subprogno;
}

function loopFlagIsZero(env: VerifierEnv): boolean {
  const isZero = registerIsNull(regAt(env, BPF_REG_4));
  if (isZero) markChainPrecision(env, BPF_REG_4);
  return isZero;
}

// The result.

const RETURNED_TYPES: ReadonlyMap<number, number> = new Map([
  [RET_PTR_TO_MAP_VALUE, PTR_TO_MAP_VALUE], [RET_PTR_TO_SOCKET, PTR_TO_SOCKET], [RET_PTR_TO_SOCK_COMMON, PTR_TO_SOCK_COMMON],
  [RET_PTR_TO_TCP_SOCK, PTR_TO_TCP_SOCK], [RET_PTR_TO_MEM, PTR_TO_MEM],
]);

function setReturnValue(env: VerifierEnv, id: number, proto: HelperProto): void {
  const r0 = regAt(env, BPF_REG_0);
  const base = baseType(proto.ret);
  if (base === RET_INTEGER) return markRegUnknown(env, r0);
  if (base === RET_VOID) {
    r0.type = NOT_INIT;
    return;
  }
  if (base === RET_PTR_TO_BTF_ID || base === RET_PTR_TO_MEM_OR_BTF_ID) throw new NotSupportedError(`the result of ${helperName(id)} (kernel objects)`);
  const type = RETURNED_TYPES.get(base) ?? env.reject(EINVAL, `unknown return type ${base} of func ${helperName(id)}#${id}`);
  markRegKnownZero(r0);
  r0.type = type | typeFlag(proto.ret);
  if (base === RET_PTR_TO_MAP_VALUE) setReturnedMapValue(env, id, r0);
  if (base === RET_PTR_TO_MEM) r0.extra = meta.memSize;
  if (typeMayBeNull(r0.type)) r0.id = env.newId();
  setReturnedReference(env, id, r0);
}

function setReturnedMapValue(env: VerifierEnv, id: number, r0: RegState): void {
  const map = metaMap(env, meta);
  r0.mapIndex = meta.mapIndex;
  r0.mapUid = meta.mapUid;
  const keyIsValid = meta.constMapKey >= 0n && meta.constMapKey < BigInt(map.maxEntries);
  if (id === BPF_FUNC_map_lookup_elem && canElideValueNullness(map.mapType) && keyIsValid) r0.type &= ~PTR_MAYBE_NULL;
  if (!typeMayBeNull(r0.type) && map.spinLockOffset !== undefined) r0.id = env.newId();
}

function setReturnedReference(env: VerifierEnv, id: number, r0: RegState): void {
  if (PTR_CASTS.has(id)) {
    r0.refObjId = meta.refObjId;
  } else if (ACQUIRES_REFERENCE.has(id) || (meta.mapIndex !== 0 && acquiresByMap(id, metaMap(env, meta).mapType))) {
    r0.id = acquireReference(env);
    r0.refObjId = r0.id;
  }
}

const LENGTH_OR_ERROR: ReadonlySet<number> = new Set([BPF_FUNC_get_stack, BPF_FUNC_get_task_stack, BPF_FUNC_probe_read_str, BPF_FUNC_probe_read_kernel_str,
  BPF_FUNC_probe_read_user_str]);
const MAX_ERRNO = 4095;
/** CPUs of the profile where the caller names no number; bounds bpf_get_smp_processor_id's result. */
const DEFAULT_CPU_COUNT = 2;

/** Results that are known to lie in a range. */
function refineReturnRange(env: VerifierEnv, id: number, proto: HelperProto): void {
  if (proto.ret !== RET_INTEGER) return;
  const r0 = regAt(env, BPF_REG_0);
  if (LENGTH_OR_ERROR.has(id)) {
    r0.smaxValue = meta.msizeMaxValue;
    r0.s32MaxValue = Number(BigInt.asIntN(32, meta.msizeMaxValue));
    r0.sminValue = BigInt(-MAX_ERRNO);
    r0.s32MinValue = -MAX_ERRNO;
    regBoundsSync(r0);
  } else if (id === BPF_FUNC_get_smp_processor_id) {
    setUnsignedRange(r0, (env.options.cpuCount ?? DEFAULT_CPU_COUNT) - 1);
  }
  regBoundsSanityCheck(env, r0, 'retval');
}

function setUnsignedRange(reg: RegState, max: number): void {
  reg.umaxValue = BigInt(max);
  reg.u32MaxValue = max;
  reg.smaxValue = BigInt(max);
  reg.s32MaxValue = max;
  reg.uminValue = 0n;
  reg.u32MinValue = 0;
  reg.sminValue = 0n;
  reg.s32MinValue = 0;
  regBoundsSync(reg);
}

/** Whether this helper takes maps of this type. */
function checkMapCompatibility(env: VerifierEnv, id: number): void {
  if (meta.mapIndex === 0) return;
  const { mapType } = metaMap(env, meta);
  const { type, expectedAttachType } = env.prog;
  if (helperTakesMap(id, mapType, type, expectedAttachType)) return;
  const isSockets = mapType === BPF_MAP_TYPE_SOCKMAP || mapType === BPF_MAP_TYPE_SOCKHASH;
  const isUpdate = id === BPF_FUNC_map_update_elem || id === BPF_FUNC_map_delete_elem;
  if (isSockets && isUpdate && !mayUpdateSockmap(type, expectedAttachType, id)) env.log.verbose('cannot update sockmap in this context\n');
  env.reject(EINVAL, `cannot pass map_type ${mapType} into func ${helperName(id)}#${id}`);
}

/** The packet may have moved: pointers into it are gone. */
export function clearAllPktPointers(env: VerifierEnv): void {
  forEachReg(env.state, (reg) => {
    if (isPktPointerAny(reg)) markRegInvalid(env, reg);
  });
}
