// Atomic operations: add, or, and, xor with and without fetch, xchg, cmpxchg, load-acquire, store-release.
// Invariant: shared memory gets wasm's atomics, which trap on unaligned addresses where x86 does not, so unless the verifier proved
// alignment (fact.maybeUnaligned === false) an unaligned one falls back to plain accesses. Plain memory has one user: read, then write.
// Source: RFC 9669 section 5.3; uapi BPF_LOAD_ACQ, BPF_STORE_REL (Linux 6.15).

import type { Insn } from '../insn/insn.ts';
import {
  BPF_ADD, BPF_AND, BPF_B, BPF_CMPXCHG, BPF_DW, BPF_FETCH, BPF_H, BPF_LOAD_ACQ, BPF_OR, BPF_REG_0, BPF_STORE_REL, BPF_W, BPF_XCHG, BPF_XOR,
  insnSize, sizeBytes,
} from '../spec/opcodes.ts';
import { NotSupportedError } from '../util/errors.ts';
import type { Local } from '../wasm/function-builder.ts';
import { OP } from '../wasm/opcodes.ts';
import { addressLocal, pushAddress } from './address.ts';
import { loadOp, storeOp } from './lower-memory.ts';
import type { MemoryOpName, Scope } from './scope.ts';

type Modify = 'add' | 'or' | 'and' | 'xor' | 'xchg';
const MODIFY: Readonly<Record<number, Modify>> = { [BPF_ADD]: 'add', [BPF_OR]: 'or', [BPF_AND]: 'and', [BPF_XOR]: 'xor', [BPF_XCHG & ~BPF_FETCH]: 'xchg' };

const ATOMIC_LOAD: Readonly<Record<number, MemoryOpName>> =
  { [BPF_B]: 'i64.atomic.load8_u', [BPF_H]: 'i64.atomic.load16_u', [BPF_W]: 'i64.atomic.load32_u', [BPF_DW]: 'i64.atomic.load' };
const ATOMIC_STORE: Readonly<Record<number, MemoryOpName>> =
  { [BPF_B]: 'i64.atomic.store8', [BPF_H]: 'i64.atomic.store16', [BPF_W]: 'i64.atomic.store32', [BPF_DW]: 'i64.atomic.store' };

const atomicModify = (size: number, modify: Modify): MemoryOpName => (size === BPF_DW ? `i64.atomic.rmw.${modify}` : `i64.atomic.rmw32.${modify}_u`);
const atomicCompare = (size: number): MemoryOpName => (size === BPF_DW ? 'i64.atomic.rmw.cmpxchg' : 'i64.atomic.rmw32.cmpxchg_u');

/** Writes both forms where they are needed: `plain` for unaligned addresses and for memory with one user, `atomic` for the rest. */
function guarded(s: Scope, at: number, bytes: number, address: Local<'i32'>, forms: { readonly plain: () => void; readonly atomic: () => void }): void {
  if (!s.unit.env.memory.shared) return forms.plain();
  if (s.fact(at).maybeUnaligned === false || bytes === 1) return forms.atomic();
  s.pushLocal(address);
  s.push32(bytes - 1);
  s.op('i32.and');
  s.f.open(OP.if);
  forms.plain();
  s.code.byte(OP.else);
  forms.atomic();
  s.f.close();
}

/** One read-modify-write; leaves the old value in the scratch local `old`. */
function modifyMemory(s: Scope, insn: Insn, at: number, modify: Modify): Local<'i64'> {
  const size = insnSize(insn.code);
  const bytes = sizeBytes(size);
  const old = s.scratch('i64', 'old');
  const address = addressLocal(s, { register: insn.dst, off: insn.off, sizeBytes: bytes, at });
  const plain = (): void => {
    s.pushLocal(address);
    s.memoryOp(loadOp(size), 0);
    s.popLocal(old);
    s.pushLocal(address);
    if (modify !== 'xchg') s.pushLocal(old);
    s.pushReg(insn.src);
    if (modify !== 'xchg') s.op(`i64.${modify}`);
    s.memoryOp(storeOp(size), 0);
  };
  const atomic = (): void => {
    s.pushLocal(address);
    s.pushReg(insn.src);
    s.memoryOp(atomicModify(size, modify), 0, bytes);
    s.popLocal(old);
  };
  guarded(s, at, bytes, address, { plain, atomic });
  return old;
}

function pushExpected(s: Scope, size: number): void {
  if (size === BPF_DW) return s.pushReg(BPF_REG_0);
  s.pushReg32(BPF_REG_0);
  s.op('i64.extend_i32_u');
}

function comparePlain(s: Scope, insn: Insn, address: Local<'i32'>, old: Local<'i64'>): void {
  const size = insnSize(insn.code);
  s.pushLocal(address);
  s.memoryOp(loadOp(size), 0);
  s.teeLocal(old);
  pushExpected(s, size);
  s.op('i64.eq');
  s.f.open(OP.if);
  s.pushLocal(address);
  s.pushReg(insn.src);
  s.memoryOp(storeOp(size), 0);
  s.f.close();
}

function compareExchange(s: Scope, insn: Insn, at: number): void {
  const size = insnSize(insn.code);
  const bytes = sizeBytes(size);
  const old = s.scratch('i64', 'old');
  const address = addressLocal(s, { register: insn.dst, off: insn.off, sizeBytes: bytes, at });
  const atomic = (): void => {
    s.pushLocal(address);
    pushExpected(s, size);
    s.pushReg(insn.src);
    s.memoryOp(atomicCompare(size), 0, bytes);
    s.popLocal(old);
  };
  guarded(s, at, bytes, address, { plain: () => comparePlain(s, insn, address, old), atomic });
  s.pushLocal(old);
  s.popReg(BPF_REG_0);
}

function loadAcquire(s: Scope, insn: Insn, at: number): void {
  const size = insnSize(insn.code);
  const bytes = sizeBytes(size);
  const access = { register: insn.src, off: insn.off, sizeBytes: bytes, at };
  if (!s.unit.env.memory.shared) {
    s.memoryOp(loadOp(size), pushAddress(s, access));
    return s.popReg(insn.dst);
  }
  const address = addressLocal(s, access);
  const old = s.scratch('i64', 'old');
  const load = (op: MemoryOpName, align: number): void => {
    s.pushLocal(address);
    s.memoryOp(op, 0, align);
    s.popLocal(old);
  };
  guarded(s, at, bytes, address, { plain: () => load(loadOp(size), 1), atomic: () => load(ATOMIC_LOAD[size] as MemoryOpName, bytes) });
  s.pushLocal(old);
  s.popReg(insn.dst);
}

function storeRelease(s: Scope, insn: Insn, at: number): void {
  const size = insnSize(insn.code);
  const bytes = sizeBytes(size);
  const address = addressLocal(s, { register: insn.dst, off: insn.off, sizeBytes: bytes, at });
  const store = (op: MemoryOpName, align: number): void => {
    s.pushLocal(address);
    s.pushReg(insn.src);
    s.memoryOp(op, 0, align);
  };
  guarded(s, at, bytes, address, { plain: () => store(storeOp(size), 1), atomic: () => store(ATOMIC_STORE[size] as MemoryOpName, bytes) });
}

/** Writes an instruction of mode ATOMIC. Throws NotSupportedError for an unknown operation. */
export function lowerAtomic(s: Scope, insn: Insn, at: number): void {
  if (insn.imm === BPF_LOAD_ACQ) return loadAcquire(s, insn, at);
  if (insn.imm === BPF_STORE_REL) return storeRelease(s, insn, at);
  const bytes = sizeBytes(insnSize(insn.code));
  if (insn.imm === BPF_CMPXCHG && bytes >= 4) return compareExchange(s, insn, at);
  const modify = MODIFY[insn.imm & ~BPF_FETCH];
  if (modify === undefined || bytes < 4) throw new NotSupportedError(`atomic operation 0x${insn.imm.toString(16)}`);
  const old = modifyMemory(s, insn, at, modify);
  if ((insn.imm & BPF_FETCH) === 0) return;
  s.pushLocal(old);
  s.popReg(insn.src);
}
