// One instruction that is no branch: to the file that writes its class.

import { isCall, isLddw } from '../insn/fields.ts';
import type { Insn } from '../insn/insn.ts';
import {
  BPF_ABS, BPF_ALU, BPF_ALU64, BPF_ATOMIC, BPF_IND, BPF_LD, BPF_LDX, BPF_MEM, BPF_MEMSX, BPF_ST, BPF_STX, insnClass, insnMode,
} from '../spec/opcodes.ts';
import { NotSupportedError } from '../util/errors.ts';
import { lowerAlu } from './lower-alu.ts';
import { lowerAtomic } from './lower-atomic.ts';
import { lowerCall } from './lower-call.ts';
import { lowerLoad, lowerLoadImm64, lowerStore } from './lower-memory.ts';
import { lowerPacketLoad } from './lower-packet-load.ts';
import type { Scope } from './scope.ts';

type Lower = (s: Scope, insn: Insn, at: number) => void;

/** By class and mode of loads and stores. */
const LOWER_ACCESS: Readonly<Record<number, Lower>> = {
  [BPF_LD | BPF_ABS]: lowerPacketLoad, [BPF_LD | BPF_IND]: lowerPacketLoad,
  [BPF_LDX | BPF_MEM]: lowerLoad, [BPF_LDX | BPF_MEMSX]: lowerLoad,
  [BPF_ST | BPF_MEM]: lowerStore, [BPF_STX | BPF_MEM]: lowerStore, [BPF_STX | BPF_ATOMIC]: lowerAtomic,
};

function lowerFor(insn: Insn): Lower | undefined {
  const cls = insnClass(insn.code);
  if (cls === BPF_ALU || cls === BPF_ALU64) return lowerAlu;
  if (isLddw(insn)) return lowerLoadImm64;
  if (isCall(insn)) return lowerCall;
  return cls <= BPF_STX ? LOWER_ACCESS[cls | insnMode(insn.code)] : undefined;
}

/** Writes the instruction at slot `at`. Throws NotSupportedError for one that doesn't exist. */
export function lowerInsn(s: Scope, insn: Insn, at: number): void {
  const lower = lowerFor(insn);
  if (lower === undefined) throw new NotSupportedError(`instruction with opcode 0x${insn.code.toString(16).padStart(2, '0')}`);
  lower(s, insn, at);
}
