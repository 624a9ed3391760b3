// Loads and stores: LDX, ST, STX of mode MEM and MEMSX, and the 64-bit immediate load.
// Invariant: no alignment is assumed (wasm's plain accesses take any); a load that the verifier did not prove reads 0 on a bad address.
// Source: RFC 9669 sections 5.1, 5.2 and 5.4; kernel: BPF_PROBE_MEM.

import type { Insn } from '../insn/insn.ts';
import { fullImm } from '../insn/lddw.ts';
import {
  BPF_B, BPF_DW, BPF_H, BPF_MEMSX, BPF_PSEUDO_BTF_ID, BPF_PSEUDO_FUNC, BPF_PSEUDO_MAP_FD, BPF_PSEUDO_MAP_VALUE, BPF_ST, BPF_W, insnClass,
  insnMode, insnSize, sizeBytes,
} from '../spec/opcodes.ts';
import { defined } from '../util/assert.ts';
import { NotSupportedError } from '../util/errors.ts';
import { KERNEL_BASE, PAGE_BYTES, toAddr } from '../vm/memory.ts';
import { memorySize } from '../wasm/expr.ts';
import { pushAddress, wideAddress } from './address.ts';
import type { Access } from './address.ts';
import type { MemoryOpName, Scope } from './scope.ts';

const LOAD: Readonly<Record<number, MemoryOpName>> = { [BPF_B]: 'i64.load8_u', [BPF_H]: 'i64.load16_u', [BPF_W]: 'i64.load32_u', [BPF_DW]: 'i64.load' };
const LOAD_SIGNED: Readonly<Record<number, MemoryOpName>> = { [BPF_B]: 'i64.load8_s', [BPF_H]: 'i64.load16_s', [BPF_W]: 'i64.load32_s' };
const STORE: Readonly<Record<number, MemoryOpName>> = { [BPF_B]: 'i64.store8', [BPF_H]: 'i64.store16', [BPF_W]: 'i64.store32', [BPF_DW]: 'i64.store' };

/** The plain zero-extending load of a size. */
export const loadOp = (size: number): MemoryOpName => defined(LOAD[size], `load of size ${size}`);
/** The plain truncating store of a size. */
export const storeOp = (size: number): MemoryOpName => defined(STORE[size], `store of size ${size}`);

const unknown = (insn: Insn): NotSupportedError => new NotSupportedError(`instruction with opcode 0x${insn.code.toString(16).padStart(2, '0')}`);

/** Leaves 1 when the bytes at `wide` lie in memory that the kernel ever hands out. */
function pushReadable(s: Scope, access: Access): void {
  s.pushLocal(wideAddress(s, access));
  s.pushBig(KERNEL_BASE | BigInt(PAGE_BYTES));
  s.op('i64.sub');
  memorySize().emit(s.code);
  s.op('i64.extend_i32_u');
  s.push64(16);
  s.op('i64.shl');
  s.push64(PAGE_BYTES + access.sizeBytes);
  s.op('i64.sub');
  s.op('i64.le_u');
}

function probeLoad(s: Scope, access: Access, op: MemoryOpName): void {
  pushReadable(s, access);
  s.ifValue('i64');
  s.pushLocal(s.scratch('i64', 'wide_address'));
  s.op('i32.wrap_i64');
  s.memoryOp(op, 0);
  s.else();
  s.push64(0);
  s.endIf();
}

/** Writes LDX of mode MEM or MEMSX. */
export function lowerLoad(s: Scope, insn: Insn, at: number): void {
  const size = insnSize(insn.code);
  const op = (insnMode(insn.code) === BPF_MEMSX ? LOAD_SIGNED : LOAD)[size];
  if (op === undefined) throw unknown(insn);
  const access: Access = { register: insn.src, off: insn.off, sizeBytes: sizeBytes(size), at };
  if (s.fact(at).probe === true) probeLoad(s, access, op);
  else s.memoryOp(op, pushAddress(s, access));
  s.popReg(insn.dst);
}

/** Writes ST and STX of mode MEM. */
export function lowerStore(s: Scope, insn: Insn, at: number): void {
  const size = insnSize(insn.code);
  const offset = pushAddress(s, { register: insn.dst, off: insn.off, sizeBytes: sizeBytes(size), at });
  if (insnClass(insn.code) === BPF_ST) s.push64(insn.imm);
  else s.pushReg(insn.src);
  s.memoryOp(storeOp(size), offset);
}

/** The value of a 64-bit immediate load: a constant, the address of a map or of a map's value, or a callback's table slot. */
function immediateValue(s: Scope, insn: Insn, at: number): bigint {
  const { parts, env, firstSlot } = s.unit;
  const next = parts.insns[at + 1];
  if (insn.src === 0) return fullImm(insn, next);
  if (insn.src === BPF_PSEUDO_MAP_FD) return toAddr(defined(env.maps[insn.imm], `map ${insn.imm}`).header);
  if (insn.src === BPF_PSEUDO_MAP_VALUE) {
    const values = defined(defined(env.maps[insn.imm], `map ${insn.imm}`).valuesOffset, `values of map ${insn.imm}`);
    return toAddr(values) + BigInt(next?.imm ?? 0);
  }
  if (insn.src === BPF_PSEUDO_FUNC) {
    const index = parts.subprogs.findIndex((subprog) => subprog.start === at + 1 + insn.imm);
    return BigInt(firstSlot + defined(index < 0 ? undefined : index, `function at instruction ${at + 1 + insn.imm}`));
  }
  throw new NotSupportedError(insn.src === BPF_PSEUDO_BTF_ID ? 'kernel symbols (64-bit load of a BTF id)' : `64-bit load with src ${insn.src}`);
}

/** Writes the 64-bit immediate load at slot `at` (which takes two). */
export function lowerLoadImm64(s: Scope, insn: Insn, at: number): void {
  s.pushBig(immediateValue(s, insn, at));
  s.popReg(insn.dst);
}
