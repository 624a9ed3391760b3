// Atomic operations with a result: atomic_fetch_add, atomic64_xchg, xchg_64, cmpxchg32_32, load_acquire.
// Invariant: the kernel's names put the width in the name ("atomic64_"), LLVM's exchange names put it in a suffix and have no type;
// fetched and stored register are the same, and cmpxchg's is r0, or it isn't an instruction.

import { BPF_ATOMIC, BPF_CMPXCHG, BPF_DW, BPF_FETCH, BPF_LOAD_ACQ, BPF_STX, BPF_W, BPF_XCHG } from '../spec/opcodes.ts';
import { ATOMIC_WORD, byWord } from '../insn/words.ts';
import type { Cursor, Register } from './cursor.ts';
import { atomicAddress, unsignedAddress } from './parse-store.ts';
import { single } from './parsed.ts';
import type { ParsedInsn } from './parsed.ts';

const FETCH_OP = byWord(ATOMIC_WORD);
const FETCH = /^atomic(64)?_fetch_(add|or|and|xor)$/;
const KERNEL_EXCHANGE = /^atomic(64)?_(xchg|cmpxchg)$/;
const LLVM_EXCHANGE = /^(xchg|cmpxchg)(_64|32_32)$/;

interface Place { readonly size: number; readonly base: number; readonly off: number }

function checkResult(cursor: Cursor, dst: Register, reg: number, size: number, why: string): void {
  if (dst.reg !== reg) cursor.fail(`the result must go to r${reg}, ${why}`, dst.token);
  if (!dst.wide && size === BPF_DW) cursor.fail(`${dst.token.text} is a 32-bit register; a 64-bit value is fetched`, dst.token);
}

/** ", r2)" and the checks that the result's register is the operand's. */
function finishExchange(cursor: Cursor, dst: Register, place: Place, imm: number): ParsedInsn {
  cursor.expect(',');
  if (imm === BPF_CMPXCHG) {
    const compared = cursor.dataRegister(place.size);
    if (compared !== 0) cursor.fail('cmpxchg compares with r0', dst.token);
    cursor.expect(',');
  }
  const src = cursor.dataRegister(place.size);
  cursor.expect(')');
  if (imm === BPF_CMPXCHG) checkResult(cursor, dst, 0, place.size, 'as cmpxchg leaves it in r0');
  else checkResult(cursor, dst, src, place.size, 'the register that the instruction swaps or adds');
  return single(BPF_STX | BPF_ATOMIC | place.size, { dst: place.base, src, off: place.off, imm });
}

function kernelPlace(cursor: Cursor, prefix: string | undefined): Place {
  const token = cursor.peek(1);
  const place = atomicAddress(cursor);
  if (prefix === '64' && place.size !== BPF_DW) cursor.fail('atomic64_ operations take a u64', token);
  return place;
}

function loadAcquire(cursor: Cursor, dst: Register): ParsedInsn {
  cursor.expect('(');
  const { size, base, off } = unsignedAddress(cursor);
  cursor.expect(')');
  checkResult(cursor, dst, dst.reg, size, '');
  return single(BPF_STX | BPF_ATOMIC | size, { dst: dst.reg, src: base, off, imm: BPF_LOAD_ACQ });
}

/** True when this word begins an atomic operation with a result. */
export const isAtomicName = (name: string): boolean =>
  name === 'load_acquire' || FETCH.test(name) || KERNEL_EXCHANGE.test(name) || LLVM_EXCHANGE.test(name);

/** After "r1 =", at a word for which isAtomicName holds. */
export function parseAtomic(cursor: Cursor, dst: Register): ParsedInsn {
  const name = cursor.next().text;
  if (name === 'load_acquire') return loadAcquire(cursor, dst);
  cursor.expect('(');
  const llvm = LLVM_EXCHANGE.exec(name);
  if (llvm !== null) {
    const place = { size: llvm[2] === '_64' ? BPF_DW : BPF_W, ...cursor.baseOffset() };
    return finishExchange(cursor, dst, place, llvm[1] === 'xchg' ? BPF_XCHG : BPF_CMPXCHG);
  }
  const fetch = FETCH.exec(name);
  if (fetch !== null) return finishExchange(cursor, dst, kernelPlace(cursor, fetch[1]), (FETCH_OP.get(fetch[2] ?? '') ?? 0) | BPF_FETCH);
  const kernel = KERNEL_EXCHANGE.exec(name);
  return finishExchange(cursor, dst, kernelPlace(cursor, kernel?.[1]), kernel?.[2] === 'xchg' ? BPF_XCHG : BPF_CMPXCHG);
}
