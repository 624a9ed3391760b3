// Plain loads and stores, and that one instruction means the same kind of memory on every path.
// Source: behaviour of check_load_mem, check_store_reg and save_aux_ptr_type, Linux 6.18.

import type { Insn } from '../insn/insn.ts';
import { EINVAL } from '../spec/errno.ts';
import { insnSize } from '../spec/opcodes.ts';
import {
  baseType, MEM_RDONLY, NOT_INIT, PTR_TO_ARENA, PTR_TO_BTF_ID, PTR_TO_CTX, PTR_TO_MEM, PTR_TO_SOCK_COMMON, PTR_TO_SOCKET, PTR_TO_TCP_SOCK,
  PTR_TO_XDP_SOCK, PTR_UNTRUSTED,
} from '../spec/verifier-types.ts';
import { regBoundsSanityCheck } from './bounds.ts';
import { checkMemAccess } from './check-mem.ts';
import type { InsnAux, VerifierEnv } from './env.ts';
import { checkRegArg, DST_OP_NO_MARK, regAt, SRC_OP } from './reg-arg.ts';

/** Accesses through these are rewritten, so an instruction must not mix them with others. */
const REWRITTEN: ReadonlySet<number> = new Set([
  PTR_TO_CTX, PTR_TO_SOCKET, PTR_TO_SOCK_COMMON, PTR_TO_TCP_SOCK, PTR_TO_XDP_SOCK, PTR_TO_BTF_ID, PTR_TO_ARENA,
]);
const isMemOrBtfId = (type: number): boolean => baseType(type) === PTR_TO_MEM || baseType(type) === PTR_TO_BTF_ID;

/** Notes the pointer type that the instruction uses; rejects one that doesn't go with those of other paths. */
export function saveAuxPtrType(env: VerifierEnv, type: number, allowTrustMismatch: boolean): void {
  const aux = env.aux[env.insnIdx] as InsnAux;
  const before = aux.ptrType;
  if (before === NOT_INIT) {
    aux.ptrType = type;
    return;
  }
  if (type !== before) aux.memoryMixed = true;
  if (type === before || (!REWRITTEN.has(baseType(type)) && !REWRITTEN.has(baseType(before)))) return;
  if (!allowTrustMismatch || !isMemOrBtfId(type) || !isMemOrBtfId(before)) env.reject(EINVAL, 'same insn cannot be used with different pointers');
  const isMem = baseType(type) === PTR_TO_MEM || baseType(before) === PTR_TO_MEM;
  aux.ptrType = (isMem ? PTR_TO_MEM : PTR_TO_BTF_ID) | ((type | before) & (PTR_UNTRUSTED | MEM_RDONLY));
}

/** A load into a register: BPF_LDX, and load-acquire. `where` names it in messages. */
export function checkLoadMem(env: VerifierEnv, insn: Insn, strictOnce: boolean, isLdsx: boolean, where: string): void {
  checkRegArg(env, insn.src, SRC_OP);
  checkRegArg(env, insn.dst, DST_OP_NO_MARK);
  const { type } = regAt(env, insn.src);
  checkMemAccess(env, insn.src, insn.off, insnSize(insn.code), false, insn.dst, strictOnce, isLdsx);
  saveAuxPtrType(env, type, where === 'ldx');
  regBoundsSanityCheck(env, regAt(env, insn.dst), where);
}

/** A store of a register: BPF_STX, and store-release. */
export function checkStoreReg(env: VerifierEnv, insn: Insn, strictOnce: boolean): void {
  checkRegArg(env, insn.src, SRC_OP);
  checkRegArg(env, insn.dst, SRC_OP);
  const { type } = regAt(env, insn.dst);
  checkMemAccess(env, insn.dst, insn.off, insnSize(insn.code), true, insn.src, strictOnce, false);
  saveAuxPtrType(env, type, false);
}

/** A store of an immediate: BPF_ST. */
export function checkStoreImm(env: VerifierEnv, insn: Insn): void {
  checkRegArg(env, insn.dst, SRC_OP);
  const { type } = regAt(env, insn.dst);
  checkMemAccess(env, insn.dst, insn.off, insnSize(insn.code), true, -1, false, false);
  saveAuxPtrType(env, type, false);
}
