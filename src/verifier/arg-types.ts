// Which register types an argument type takes, and which offsets a pointer argument may have.
// Source: behaviour and messages of check_reg_type and check_func_arg_reg_off, Linux 6.18; the lists' order shows in messages.

import { EACCES, EINVAL } from '../spec/errno.ts';
import {
  ARG_CONST_ALLOC_SIZE_OR_ZERO, ARG_CONST_MAP_PTR, ARG_CONST_SIZE, ARG_CONST_SIZE_OR_ZERO, ARG_KPTR_XCHG_DEST, ARG_PTR_TO_BTF_ID,
  ARG_PTR_TO_BTF_ID_SOCK_COMMON, ARG_PTR_TO_CONST_STR, ARG_PTR_TO_CTX, ARG_PTR_TO_DYNPTR, ARG_PTR_TO_FUNC, ARG_PTR_TO_MAP_KEY, ARG_PTR_TO_MAP_VALUE,
  ARG_PTR_TO_MEM, ARG_PTR_TO_PERCPU_BTF_ID, ARG_PTR_TO_RINGBUF_MEM, ARG_PTR_TO_SOCK_COMMON, ARG_PTR_TO_SOCKET, ARG_PTR_TO_SPIN_LOCK, ARG_PTR_TO_STACK,
  ARG_PTR_TO_TIMER, baseType, CONST_PTR_TO_DYNPTR, CONST_PTR_TO_MAP, DYNPTR_TYPE_FLAG_MASK, MEM_ALLOC, MEM_PERCPU, MEM_RCU, MEM_RDONLY, MEM_RINGBUF,
  OBJ_RELEASE, PTR_MAYBE_NULL, PTR_TO_ARENA, PTR_TO_BTF_ID, PTR_TO_BUF, PTR_TO_CTX, PTR_TO_FUNC, PTR_TO_MAP_KEY, PTR_TO_MAP_VALUE, PTR_TO_MEM,
  PTR_TO_PACKET, PTR_TO_PACKET_META, PTR_TO_SOCK_COMMON, PTR_TO_SOCKET, PTR_TO_STACK, PTR_TO_TCP_SOCK, PTR_TO_XDP_SOCK, PTR_TRUSTED, regTypeStr,
  SCALAR_VALUE,
} from '../spec/verifier-types.ts';
import { NotSupportedError } from '../util/errors.ts';
import { checkPtrOffReg } from './check-ctx.ts';
import type { VerifierEnv } from './env.ts';
import { regAt } from './reg-arg.ts';
import type { RegState } from './reg-state.ts';

const SOCKS = [PTR_TO_SOCK_COMMON, PTR_TO_SOCKET, PTR_TO_TCP_SOCK, PTR_TO_XDP_SOCK];
const BTF_SOCKS = [...SOCKS, PTR_TO_BTF_ID, PTR_TO_BTF_ID | PTR_TRUSTED];
const MEMORY = [PTR_TO_STACK, PTR_TO_PACKET, PTR_TO_PACKET_META, PTR_TO_MAP_KEY, PTR_TO_MAP_VALUE, PTR_TO_MEM, PTR_TO_MEM | MEM_RINGBUF, PTR_TO_BUF,
  PTR_TO_BTF_ID | PTR_TRUSTED];
const BTF_PTRS = [PTR_TO_BTF_ID, PTR_TO_BTF_ID | PTR_TRUSTED, PTR_TO_BTF_ID | MEM_RCU];
const PERCPU_BTF_PTRS = [PTR_TO_BTF_ID | MEM_PERCPU, PTR_TO_BTF_ID | MEM_PERCPU | MEM_RCU, PTR_TO_BTF_ID | MEM_PERCPU | PTR_TRUSTED];
const VALUE_OR_ALLOCATED = [PTR_TO_MAP_VALUE, PTR_TO_BTF_ID | MEM_ALLOC];

const COMPATIBLE: ReadonlyMap<number, readonly number[]> = new Map<number, readonly number[]>([
  [ARG_PTR_TO_MAP_KEY, MEMORY], [ARG_PTR_TO_MAP_VALUE, MEMORY], [ARG_CONST_SIZE, [SCALAR_VALUE]], [ARG_CONST_SIZE_OR_ZERO, [SCALAR_VALUE]],
  [ARG_CONST_ALLOC_SIZE_OR_ZERO, [SCALAR_VALUE]], [ARG_CONST_MAP_PTR, [CONST_PTR_TO_MAP]], [ARG_PTR_TO_CTX, [PTR_TO_CTX]],
  [ARG_PTR_TO_SOCK_COMMON, SOCKS], [ARG_PTR_TO_BTF_ID_SOCK_COMMON, BTF_SOCKS], [ARG_PTR_TO_SOCKET, [PTR_TO_SOCKET]], [ARG_PTR_TO_BTF_ID, BTF_PTRS],
  [ARG_PTR_TO_SPIN_LOCK, VALUE_OR_ALLOCATED], [ARG_PTR_TO_MEM, MEMORY], [ARG_PTR_TO_RINGBUF_MEM, [PTR_TO_MEM | MEM_RINGBUF]],
  [ARG_PTR_TO_PERCPU_BTF_ID, PERCPU_BTF_PTRS], [ARG_PTR_TO_FUNC, [PTR_TO_FUNC]], [ARG_PTR_TO_STACK, [PTR_TO_STACK]],
  [ARG_PTR_TO_CONST_STR, [PTR_TO_MAP_VALUE]], [ARG_PTR_TO_TIMER, [PTR_TO_MAP_VALUE]], [ARG_KPTR_XCHG_DEST, VALUE_OR_ALLOCATED],
  [ARG_PTR_TO_DYNPTR, [PTR_TO_STACK, CONST_PTR_TO_DYNPTR]],
]);

/** Rejects a register whose type argument type `argType` doesn't take. */
export function checkRegType(env: VerifierEnv, regno: number, argType: number, _helperId: number): void {
  const compatible = COMPATIBLE.get(baseType(argType)) ?? env.bug(`unsupported arg type ${argType}`);
  const reg = regAt(env, regno);
  let { type } = reg;
  if ((argType & MEM_RDONLY) !== 0) type &= ~MEM_RDONLY;
  if ((argType & PTR_MAYBE_NULL) !== 0) type &= ~PTR_MAYBE_NULL;
  if (baseType(argType) === ARG_PTR_TO_MEM) type &= ~DYNPTR_TYPE_FLAG_MASK;
  if (!compatible.includes(type)) {
    env.reject(EACCES, `R${regno} type=${regTypeStr(reg.type)} expected=${compatible.map(regTypeStr).join(', ')}`);
  }
  if (baseType(reg.type) === PTR_TO_BTF_ID) throw new NotSupportedError('kernel objects (PTR_TO_BTF_ID) as helper arguments');
}

const ANY_OFFSET: ReadonlySet<number> = new Set([PTR_TO_STACK, PTR_TO_PACKET, PTR_TO_PACKET_META, PTR_TO_MAP_KEY, PTR_TO_MAP_VALUE, PTR_TO_MEM,
  PTR_TO_MEM | MEM_RDONLY, PTR_TO_MEM | MEM_RINGBUF, PTR_TO_BUF, PTR_TO_BUF | MEM_RDONLY, PTR_TO_ARENA, SCALAR_VALUE]);

/** Rejects offsets that a pointer argument must not have: objects that are released or opaque are passed by their start. */
export function checkFuncArgRegOff(env: VerifierEnv, reg: RegState, regno: number, argType: number): void {
  if ((argType & OBJ_RELEASE) !== 0) {
    if (baseType(argType) === ARG_PTR_TO_DYNPTR && reg.type === PTR_TO_STACK) return;
    if (reg.off !== 0) env.reject(EINVAL, `R${regno} must have zero offset when passed to release func or trusted arg to kfunc`);
    return checkPtrOffReg(env, reg, regno, false);
  }
  if (ANY_OFFSET.has(reg.type)) return;
  checkPtrOffReg(env, reg, regno, baseType(reg.type) === PTR_TO_BTF_ID);
}
