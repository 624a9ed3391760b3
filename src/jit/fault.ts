// How wasm code stops a run: it calls an imported function that throws the Fault, with the words the interpreter uses.
// Invariant I6: kind and message are the interpreter's for the same run.

import { BPF_ATOMIC, BPF_LDX, BPF_LOAD_ACQ, insnClass, insnMode, insnSize, sizeBytes } from '../spec/opcodes.ts';
import type { Insn } from '../insn/insn.ts';
import { Fault } from '../util/errors.ts';

/** The numbers that compiled code passes. */
export const FAULT = { fuel: 0, memory: 1, call: 2 } as const;

function memoryFault(insn: Insn, at: number, address: bigint): Fault {
  const isLoad = insnClass(insn.code) === BPF_LDX || (insnMode(insn.code) === BPF_ATOMIC && insn.imm === BPF_LOAD_ACQ);
  const where = BigInt.asUintN(64, address).toString(16);
  return new Fault('memory', `${isLoad ? 'load' : 'store'} of ${sizeBytes(insnSize(insn.code))} bytes at 0x${where}, instruction ${at}`);
}

/** The function that compiled code imports to stop a run. */
export const faultThrower = (insns: readonly Insn[]) => (kind: number, at: number, address: bigint): never => {
  if (kind === FAULT.fuel) throw new Fault('fuel', `out of fuel at instruction ${at}`);
  if (kind === FAULT.call) throw new Fault('call', `more calls inside calls than the stack has frames, at instruction ${at}`);
  throw memoryFault(insns[at] as Insn, at, address);
};
