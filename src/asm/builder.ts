// Programs from TypeScript: a function per macro of the kernel's include/linux/filter.h, in camelCase without BPF_
// (BPF_MOV64_IMM → mov64Imm, BPF_LDX_MEM → ldxMem, BPF_JMP_IMM → jmpImm), and build(), which resolves labels.
// Invariant: build() gives encodable slots or an AsmError whose `line` is the item's place in the list, from 1.
//
//   build([mov64Imm(BPF_REG_0, 2), jmpImm(BPF_JNE, BPF_REG_1, 0, 'out'), mov64Imm(BPF_REG_0, 1), label('out'), exitInsn()])

import {
  BPF_ABS, BPF_ADDR_SPACE_CAST, BPF_ALU, BPF_ALU64, BPF_ATOMIC, BPF_CALL, BPF_END, BPF_EXIT, BPF_IND, BPF_JA, BPF_JCOND, BPF_JMP, BPF_JMP32,
  BPF_K, BPF_LD, BPF_LDX, BPF_MEM, BPF_MEMSX, BPF_MOV, BPF_NEG, BPF_PSEUDO_BTF_ID, BPF_PSEUDO_CALL, BPF_PSEUDO_FUNC, BPF_PSEUDO_KFUNC_CALL,
  BPF_PSEUDO_MAP_FD, BPF_PSEUDO_MAP_IDX, BPF_PSEUDO_MAP_IDX_VALUE, BPF_PSEUDO_MAP_VALUE, BPF_ST, BPF_STX, BPF_TO_LE, BPF_X,
} from '../spec/opcodes.ts';
import { isEncodable } from '../insn/encode.ts';
import type { Insn } from '../insn/insn.ts';
import { ldImm64 as plainImm64, lddwInsns } from '../insn/lddw.ts';
import { AsmError } from '../util/errors.ts';
import { slot } from './parsed.ts';

/** Where a jump or call goes: a label's name, or slots from the next slot. */
export type BuildTarget = string | number;

/** One item of a program: instructions, perhaps with a target to resolve, or a label. */
export type BuildItem =
  | { readonly slots: readonly Insn[]; readonly target?: string; readonly field?: 'off' | 'imm' }
  | { readonly label: string };

const one = (code: number, fields: Partial<Omit<Insn, 'code'>>): BuildItem => ({ slots: [slot(code, fields)] });

function aimed(code: number, fields: Partial<Omit<Insn, 'code'>>, field: 'off' | 'imm', target: BuildTarget): BuildItem {
  if (typeof target === 'number') return one(code, { ...fields, [field]: target });
  return { slots: [slot(code, fields)], target, field };
}

/** Names the place of the next instruction. */
export const label = (name: string): BuildItem => ({ label: name });
/** Any slot, field by field (BPF_RAW_INSN). */
export const rawInsn = (code: number, dst: number, src: number, off: number, imm: number): BuildItem => one(code, { dst, src, off, imm });

/** dst = src, 64 bits. */
export const mov64Reg = (dst: number, src: number): BuildItem => one(BPF_ALU64 | BPF_MOV | BPF_X, { dst, src });
/** dst = src, 32 bits, zero-extended. */
export const mov32Reg = (dst: number, src: number): BuildItem => one(BPF_ALU | BPF_MOV | BPF_X, { dst, src });
/** dst = imm, a signed 32-bit number extended to 64 bits. */
export const mov64Imm = (dst: number, imm: number): BuildItem => one(BPF_ALU64 | BPF_MOV | BPF_K, { dst, imm });
/** dst = imm, 32 bits, zero-extended. */
export const mov32Imm = (dst: number, imm: number): BuildItem => one(BPF_ALU | BPF_MOV | BPF_K, { dst, imm });
/** dst = (s8 | s16 | s32)src to 64 bits; `bits` 8, 16 or 32. */
export const movsx64Reg = (dst: number, src: number, bits: 8 | 16 | 32): BuildItem => one(BPF_ALU64 | BPF_MOV | BPF_X, { dst, src, off: bits });
/** dst = (s8 | s16)src to 32 bits; `bits` 8 or 16. */
export const movsx32Reg = (dst: number, src: number, bits: 8 | 16): BuildItem => one(BPF_ALU | BPF_MOV | BPF_X, { dst, src, off: bits });
/** dst = addr_space_cast(src, to, from), address spaces 0–65535. */
export const addrSpaceCast = (dst: number, src: number, to: number, from: number): BuildItem =>
  one(BPF_ALU64 | BPF_MOV | BPF_X, { dst, src, off: BPF_ADDR_SPACE_CAST, imm: (to << 16) | from });
/** dst op= src, 64 bits; `op` is BPF_ADD …; `off` 1 makes BPF_DIV and BPF_MOD signed. */
export const alu64Reg = (op: number, dst: number, src: number, off = 0): BuildItem => one(BPF_ALU64 | op | BPF_X, { dst, src, off });
/** dst op= src, 32 bits. */
export const alu32Reg = (op: number, dst: number, src: number, off = 0): BuildItem => one(BPF_ALU | op | BPF_X, { dst, src, off });
/** dst op= imm, 64 bits. */
export const alu64Imm = (op: number, dst: number, imm: number, off = 0): BuildItem => one(BPF_ALU64 | op | BPF_K, { dst, imm, off });
/** dst op= imm, 32 bits. */
export const alu32Imm = (op: number, dst: number, imm: number, off = 0): BuildItem => one(BPF_ALU | op | BPF_K, { dst, imm, off });
/** dst = -dst, 64 bits. */
export const neg64 = (dst: number): BuildItem => one(BPF_ALU64 | BPF_NEG, { dst });
/** dst = -dst, 32 bits. */
export const neg32 = (dst: number): BuildItem => one(BPF_ALU | BPF_NEG, { dst });
/** dst = le/be dst; `type` BPF_TO_LE or BPF_TO_BE, `bits` 16, 32 or 64. */
export const endian = (type: number, dst: number, bits: 16 | 32 | 64): BuildItem => one(BPF_ALU | BPF_END | type, { dst, imm: bits });
/** dst = bswap dst, unconditionally. */
export const bswap = (dst: number, bits: 16 | 32 | 64): BuildItem => one(BPF_ALU64 | BPF_END | BPF_TO_LE, { dst, imm: bits });

/** dst = *(size *)(src + off), zero-extended; `size` BPF_B … BPF_DW. */
export const ldxMem = (size: number, dst: number, src: number, off: number): BuildItem => one(BPF_LDX | BPF_MEM | size, { dst, src, off });
/** dst = *(size *)(src + off), sign-extended; `size` BPF_B, BPF_H or BPF_W. */
export const ldxMemsx = (size: number, dst: number, src: number, off: number): BuildItem => one(BPF_LDX | BPF_MEMSX | size, { dst, src, off });
/** *(size *)(dst + off) = src. */
export const stxMem = (size: number, dst: number, src: number, off: number): BuildItem => one(BPF_STX | BPF_MEM | size, { dst, src, off });
/** *(size *)(dst + off) = imm. */
export const stMem = (size: number, dst: number, off: number, imm: number): BuildItem => one(BPF_ST | BPF_MEM | size, { dst, off, imm });
/** Atomic operation `op` (BPF_ADD | BPF_FETCH, BPF_XCHG, BPF_CMPXCHG …) on *(size *)(dst + off) with src. */
export const atomicOp = (size: number, op: number, dst: number, src: number, off: number): BuildItem =>
  one(BPF_STX | BPF_ATOMIC | size, { dst, src, off, imm: op });
/** r0 = packet bytes at imm, in host order (socket filters and TC). */
export const ldAbs = (size: number, imm: number): BuildItem => one(BPF_LD | BPF_ABS | size, { imm });
/** r0 = packet bytes at src + imm. */
export const ldInd = (size: number, src: number, imm: number): BuildItem => one(BPF_LD | BPF_IND | size, { src, imm });

/** dst = value, any 64-bit number (wraps); two slots. */
export const ldImm64 = (dst: number, value: bigint): BuildItem => ({ slots: plainImm64(dst, value) });
/** dst = address of the map with this file descriptor. */
export const ldMapFd = (dst: number, fd: number): BuildItem => ({ slots: lddwInsns(dst, BPF_PSEUDO_MAP_FD, fd, 0) });
/** dst = address of byte `off` of the map's element 0. */
export const ldMapValue = (dst: number, fd: number, off: number): BuildItem => ({ slots: lddwInsns(dst, BPF_PSEUDO_MAP_VALUE, fd, off) });
/** dst = address of the map at `index` of the load's fd_array. */
export const ldMapIdx = (dst: number, index: number): BuildItem => ({ slots: lddwInsns(dst, BPF_PSEUDO_MAP_IDX, index, 0) });
/** dst = address of byte `off` of element 0 of the map at `index` of fd_array. */
export const ldMapIdxValue = (dst: number, index: number, off: number): BuildItem => ({ slots: lddwInsns(dst, BPF_PSEUDO_MAP_IDX_VALUE, index, off) });
/** dst = address of the kernel variable with this BTF id, in the BTF object `btfFd` (0: vmlinux). */
export const ldBtfId = (dst: number, id: number, btfFd = 0): BuildItem => ({ slots: lddwInsns(dst, BPF_PSEUDO_BTF_ID, id, btfFd) });
/** dst = the program's function at `target`, for helpers that call back. */
export function ldFunc(dst: number, target: BuildTarget): BuildItem {
  if (typeof target === 'number') return { slots: lddwInsns(dst, BPF_PSEUDO_FUNC, target, 0) };
  return { slots: lddwInsns(dst, BPF_PSEUDO_FUNC, 0, 0), target, field: 'imm' };
}

/** goto target, a 16-bit distance. */
export const jmpA = (target: BuildTarget): BuildItem => aimed(BPF_JMP | BPF_JA, {}, 'off', target);
/** gotol target, a 32-bit distance. */
export const jmp32A = (target: BuildTarget): BuildItem => aimed(BPF_JMP32 | BPF_JA, {}, 'imm', target);
/** may_goto target: goes there once the loop budget is used up. */
export const mayGoto = (target: BuildTarget): BuildItem => aimed(BPF_JMP | BPF_JCOND, {}, 'off', target);
/** if dst op src goto target, 64 bits; `op` is BPF_JEQ …. */
export const jmpReg = (op: number, dst: number, src: number, target: BuildTarget): BuildItem => aimed(BPF_JMP | op | BPF_X, { dst, src }, 'off', target);
/** if dst op imm goto target, 64 bits. */
export const jmpImm = (op: number, dst: number, imm: number, target: BuildTarget): BuildItem => aimed(BPF_JMP | op | BPF_K, { dst, imm }, 'off', target);
/** if dst op src goto target, low 32 bits. */
export const jmp32Reg = (op: number, dst: number, src: number, target: BuildTarget): BuildItem => aimed(BPF_JMP32 | op | BPF_X, { dst, src }, 'off', target);
/** if dst op imm goto target, low 32 bits. */
export const jmp32Imm = (op: number, dst: number, imm: number, target: BuildTarget): BuildItem => aimed(BPF_JMP32 | op | BPF_K, { dst, imm }, 'off', target);
/** Calls the helper with this id (BPF_FUNC_map_lookup_elem …). */
export const emitCall = (helper: number): BuildItem => one(BPF_JMP | BPF_CALL, { imm: helper });
/** Calls a function of the program. */
export const callRel = (target: BuildTarget): BuildItem => aimed(BPF_JMP | BPF_CALL, { src: BPF_PSEUDO_CALL }, 'imm', target);
/** Calls the kernel function with this BTF id; `off` is its module's index in fd_array, 0 for vmlinux. */
export const callKfunc = (btfId: number, off = 0): BuildItem => one(BPF_JMP | BPF_CALL, { src: BPF_PSEUDO_KFUNC_CALL, off, imm: btfId });
/** Leaves the function with r0. */
export const exitInsn = (): BuildItem => one(BPF_JMP | BPF_EXIT, {});

const failAt = (index: number, message: string): AsmError => new AsmError([{ line: index + 1, column: 1, message }]);

function placeLabels(items: readonly BuildItem[]): Map<string, number> {
  const labels = new Map<string, number>();
  let at = 0;
  for (const [index, item] of items.entries()) {
    if ('slots' in item) at += item.slots.length;
    else if (labels.has(item.label)) throw failAt(index, `label '${item.label}' is already defined`);
    else labels.set(item.label, at);
  }
  return labels;
}

/** The program's slots. Throws AsmError on an undefined or repeated label, and on a field out of range. */
export function build(items: readonly BuildItem[]): Insn[] {
  const labels = placeLabels(items);
  const insns: Insn[] = [];
  for (const [index, item] of items.entries()) {
    if (!('slots' in item)) continue;
    const target = item.target === undefined ? undefined : labels.get(item.target);
    if (item.target !== undefined && target === undefined) throw failAt(index, `there is no label '${item.target}'`);
    const [first, ...rest] = item.slots as [Insn, ...Insn[]];
    const insn = target === undefined ? first : { ...first, [item.field ?? 'off']: target - insns.length - 1 };
    if (!isEncodable(insn)) throw failAt(index, `a field is out of range: ${JSON.stringify(insn)}`);
    insns.push(insn, ...rest);
  }
  return insns;
}
