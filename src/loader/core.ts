// Applies CO-RE relocations to instructions.
// Invariant: an instruction changes only if it held what the compiler put there (`validate`); one without a target becomes a call of
// helper 195896080, which the verifier refuses when it is reached. Semantics as libbpf 1.x (bpf_core_patch_insn).

import type { Insn } from '../insn/insn.ts';
import type { CoreRelocator, CoreResult } from '../btf/relo-core.ts';
import { BPF_CORE_POISON_IMM } from '../spec/btf.ts';
import { BPF_ALU, BPF_ALU64, BPF_B, BPF_CALL, BPF_DW, BPF_H, BPF_IMM, BPF_JMP, BPF_LD, BPF_LDX, BPF_ST, BPF_STX, BPF_W, BPF_X } from '../spec/opcodes.ts';
import { LoadError } from '../util/errors.ts';
import type { ProgramSpec } from './object-spec.ts';

const POISON: Insn = { code: BPF_JMP | BPF_CALL, dst: 0, src: 0, off: 0, imm: BPF_CORE_POISON_IMM };
const LDDW = BPF_LD | BPF_IMM | BPF_DW;
const SIZE_BYTES: ReadonlyMap<number, number> = new Map([[BPF_B, 1], [BPF_H, 2], [BPF_W, 4], [BPF_DW, 8]]);
const SIZE_BITS: ReadonlyMap<number, number> = new Map([[1, BPF_B], [2, BPF_H], [4, BPF_W], [8, BPF_DW]]);

/** `insns` with every relocation of `prog` applied. Throws LoadError naming the program, the instruction and the field. */
export function applyCoreRelos(prog: ProgramSpec, insns: readonly Insn[], relocator: CoreRelocator): Insn[] {
  const out = insns.slice();
  for (const relo of prog.coreRelos) {
    const where = `program '${prog.name}', instruction ${relo.insnIdx}`;
    patchInsn(out, relo.insnIdx, resolve(relocator, relo, where), where);
  }
  return out;
}

function resolve(relocator: CoreRelocator, relo: ProgramSpec['coreRelos'][number], where: string): CoreResult {
  try {
    return relocator.resolve(relo);
  } catch (error) {
    throw error instanceof LoadError ? new LoadError(`${where}: ${error.message}`) : error;
  }
}

function poison(insns: Insn[], at: number): void {
  // Both halves of a 64-bit load, or the verifier would stumble over "unknown opcode 00" instead.
  if (insns[at]?.code === LDDW && at + 1 < insns.length) insns[at + 1] = POISON;
  insns[at] = POISON;
}

function patchInsn(insns: Insn[], at: number, result: CoreResult, where: string): void {
  const insn = insns[at];
  if (insn === undefined) throw new LoadError(`${where}: CO-RE relocation ${result.spec} of no instruction`);
  if (result.poison) return poison(insns, at);
  switch (insn.code & 7) {
    case BPF_ALU: case BPF_ALU64: return patchAlu(insns, at, insn, result, where);
    case BPF_LDX: case BPF_ST: case BPF_STX: return patchMemory(insns, at, insn, result, where);
    case BPF_LD: return patchLddw(insns, at, insn, result, where);
    default: throw new LoadError(`${where}: CO-RE relocation ${result.spec} of an instruction of another kind (code 0x${insn.code.toString(16)})`);
  }
}

function checkOld(result: CoreResult, old: bigint, where: string): void {
  if (!result.validate || old === BigInt.asUintN(64, result.origVal)) return;
  throw new LoadError(`${where}: CO-RE relocation ${result.spec}: the instruction holds ${old}, expected ${result.origVal} (to become ${result.newVal})`);
}

function patchAlu(insns: Insn[], at: number, insn: Insn, result: CoreResult, where: string): void {
  if ((insn.code & BPF_X) !== 0) throw new LoadError(`${where}: CO-RE relocation ${result.spec} of an instruction without immediate`);
  checkOld(result, BigInt.asUintN(64, BigInt(insn.imm)), where);
  insns[at] = { ...insn, imm: Number(BigInt.asIntN(32, result.newVal)) };
}

function patchMemory(insns: Insn[], at: number, insn: Insn, result: CoreResult, where: string): void {
  checkOld(result, BigInt.asUintN(64, BigInt(insn.off)), where);
  if (result.newVal > 0x7fffn) throw new LoadError(`${where}: CO-RE relocation ${result.spec}: offset ${result.newVal} does not fit a load or store`);
  if (result.failMemszAdjust) return poison(insns, at);
  insns[at] = { ...insn, off: Number(result.newVal), code: adjustWidth(insn.code, result, where) };
}

function adjustWidth(code: number, { origSize, newSize, spec }: CoreResult, where: string): number {
  if (origSize === newSize) return code;
  const width = SIZE_BYTES.get(code & 0x18);
  if (width !== origSize) throw new LoadError(`${where}: CO-RE relocation ${spec}: accesses ${width} bytes of a field of ${origSize}`);
  const bits = SIZE_BITS.get(newSize);
  if (bits === undefined) throw new LoadError(`${where}: CO-RE relocation ${spec}: no access of ${newSize} bytes`);
  return (code & ~0x18) | bits;
}

function patchLddw(insns: Insn[], at: number, insn: Insn, result: CoreResult, where: string): void {
  const second = insns[at + 1];
  if (insn.code !== LDDW || insn.src !== 0 || insn.off !== 0 || second === undefined || second.code !== 0 || second.dst !== 0 || second.src !== 0 || second.off !== 0) {
    throw new LoadError(`${where}: CO-RE relocation ${result.spec} of a load of unexpected form`);
  }
  checkOld(result, BigInt(insn.imm >>> 0) | (BigInt(second.imm >>> 0) << 32n), where);
  insns[at] = { ...insn, imm: Number(BigInt.asIntN(32, result.newVal)) };
  insns[at + 1] = { ...second, imm: Number(BigInt.asIntN(32, result.newVal >> 32n)) };
}
