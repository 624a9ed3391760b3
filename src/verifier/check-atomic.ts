// Atomic instructions: read, modify, write of 4 or 8 bytes, and load-acquire and store-release of any width.
// Source: behaviour of check_atomic, Linux 6.18.

import type { Insn } from '../insn/insn.ts';
import { EACCES, EINVAL } from '../spec/errno.ts';
import {
  BPF_ADD, BPF_AND, BPF_CMPXCHG, BPF_DW, BPF_FETCH, BPF_LOAD_ACQ, BPF_OR, BPF_REG_0, BPF_STORE_REL, BPF_W, BPF_XCHG, BPF_XOR, insnSize,
} from '../spec/opcodes.ts';
import {
  PTR_TO_CTX, PTR_TO_FLOW_KEYS, PTR_TO_PACKET, PTR_TO_PACKET_META, PTR_TO_SOCK_COMMON, PTR_TO_SOCKET, PTR_TO_TCP_SOCK, PTR_TO_XDP_SOCK, regTypeStr,
} from '../spec/verifier-types.ts';
import { checkLoadMem, checkStoreReg } from './check-load-store.ts';
import { checkMemAccess } from './check-mem.ts';
import type { VerifierEnv } from './env.ts';
import { checkRegArg, DST_OP, isPointerValue, regAt, SRC_OP } from './reg-arg.ts';

const NO_ATOMICS: ReadonlySet<number> = new Set([
  PTR_TO_CTX, PTR_TO_PACKET, PTR_TO_PACKET_META, PTR_TO_FLOW_KEYS, PTR_TO_SOCKET, PTR_TO_SOCK_COMMON, PTR_TO_TCP_SOCK, PTR_TO_XDP_SOCK,
]);
const RMW_OPS: ReadonlySet<number> = new Set([
  BPF_ADD, BPF_ADD | BPF_FETCH, BPF_AND, BPF_AND | BPF_FETCH, BPF_OR, BPF_OR | BPF_FETCH, BPF_XOR, BPF_XOR | BPF_FETCH, BPF_XCHG, BPF_CMPXCHG,
]);

/** Checks an instruction of class BPF_STX and mode BPF_ATOMIC. */
export function checkAtomic(env: VerifierEnv, insn: Insn): void {
  if (RMW_OPS.has(insn.imm)) return checkAtomicRmw(env, insn);
  if (insn.imm === BPF_LOAD_ACQ) {
    checkLoadMem(env, insn, true, false, 'atomic_load');
    return checkPointer(env, insn.src, 'loads from');
  }
  if (insn.imm === BPF_STORE_REL) {
    checkStoreReg(env, insn, true);
    return checkPointer(env, insn.dst, 'stores into');
  }
  env.reject(EINVAL, `BPF_ATOMIC uses invalid atomic opcode ${(insn.imm >>> 0).toString(16).padStart(2, '0')}`);
}

function checkPointer(env: VerifierEnv, regno: number, what: string): void {
  const { type } = regAt(env, regno);
  if (NO_ATOMICS.has(type)) env.reject(EACCES, `BPF_ATOMIC ${what} R${regno} ${regTypeStr(type)} is not allowed`);
}

function rejectLeak(env: VerifierEnv, regno: number): void {
  if (isPointerValue(env, regno)) env.reject(EACCES, `R${regno} leaks addr into mem`);
}

function checkAtomicRmw(env: VerifierEnv, insn: Insn): void {
  const size = insnSize(insn.code);
  if (size !== BPF_W && size !== BPF_DW) env.reject(EINVAL, 'invalid atomic operand size');
  checkRegArg(env, insn.src, SRC_OP);
  checkRegArg(env, insn.dst, SRC_OP);
  if (insn.imm === BPF_CMPXCHG) {
    checkRegArg(env, BPF_REG_0, SRC_OP);
    rejectLeak(env, BPF_REG_0);
  }
  rejectLeak(env, insn.src);
  checkPointer(env, insn.dst, 'stores into');
  const loads = (insn.imm & BPF_FETCH) !== 0;
  const loadReg = insn.imm === BPF_CMPXCHG ? BPF_REG_0 : insn.src;
  if (loads) checkRegArg(env, loadReg, DST_OP);
  checkMemAccess(env, insn.dst, insn.off, size, false, -1, true, false);
  if (loads) checkMemAccess(env, insn.dst, insn.off, size, false, loadReg, true, false);
  checkMemAccess(env, insn.dst, insn.off, size, true, -1, true, false);
}
