// The named escape from "only verified programs run" (invariant I3): raw instructions, as `bpfkit exec` and conformance runners give them,
// in a private memory of their own.
// Invariant: whatever the bytes are, a run ends with r0 or with a Fault. Opcodes, registers, jumps and calls are checked before the run;
// memory is checked at each access (parts.checked), the depth of calls at each call, and endless loops by fuel.

import { basicBlocks, insnStarts, subprogStarts } from '../insn/blocks.ts';
import { decodeInsns } from '../insn/decode.ts';
import { isCall, isExit, isGoto, isLddw, isPseudoCall } from '../insn/fields.ts';
import type { Insn } from '../insn/insn.ts';
import { mintVerifiedProgram } from '../insn/verified-program.ts';
import type { CheckedRanges, VerifiedProgram, VerifiedSubprog } from '../insn/verified-program.ts';
import { insnRowOf } from '../spec/insn-table.ts';
import { MAX_BPF_STACK, MAX_CALL_FRAMES } from '../spec/limits.ts';
import {
  BPF_ADDR_SPACE_CAST, BPF_ALU, BPF_ALU64, BPF_ATOMIC, BPF_CMPXCHG, BPF_FETCH, BPF_LDX, BPF_LOAD_ACQ, BPF_MOV, BPF_REG_FP, BPF_STORE_REL, BPF_STX,
  BPF_X, insnClass, insnMode,
} from '../spec/opcodes.ts';
import { Fault, InternalError } from '../util/errors.ts';
import { CPU, FRAME_BYTES, createCpuArea, stackTop } from './cpu-area.ts';
import type { ExecEnv, Executor } from './executor.ts';
import { KernelFunctionTable } from './function-table.ts';
import type { HelperHost } from './host.ts';
import { KernelMemory } from './memory.ts';

/** Fuel of a run that asks for none: instructions, about a second of the interpreter. */
export const DEFAULT_RAW_FUEL = 10_000_000n;

/** How to run: the executor, and the fuel in instructions. */
export interface RawOptions { readonly engine: Executor; readonly fuel?: bigint }

/** What a run left: r0, unsigned 64 bits, and the memory that it was given. */
export interface RawResult { readonly r0: bigint; readonly memory: Uint8Array }

const fault = (what: string, at: number): Fault => new Fault('instruction', `${what}, at instruction ${at}`);

/** True when the instruction would change r10, which is read-only (the verifier refuses it too). */
function writesFramePointer(insn: Insn): boolean {
  const cls = insnClass(insn.code);
  if (cls === BPF_ALU || cls === BPF_ALU64 || cls === BPF_LDX || isLddw(insn)) return insn.dst === BPF_REG_FP;
  if (cls !== BPF_STX || insnMode(insn.code) !== BPF_ATOMIC || insn.imm === BPF_CMPXCHG || insn.imm === BPF_STORE_REL) return false;
  if (insn.imm === BPF_LOAD_ACQ) return insn.dst === BPF_REG_FP;
  return (insn.imm & BPF_FETCH) !== 0 && insn.src === BPF_REG_FP;
}

/** Refuses one slot that starts an instruction, if it is none, or one that needs a kernel around it. */
function checkInsn(insn: Insn, at: number): void {
  const row = insnRowOf(insn);
  if (row === undefined) throw fault(`no such instruction (opcode 0x${insn.code.toString(16).padStart(2, '0')})`, at);
  if (writesFramePointer(insn)) throw fault('frame pointer is read only', at);
  if (row.group === 'packet') throw fault('packet loads need a packet', at);
  if (isLddw(insn) && insn.src !== 0) throw fault('a raw program has neither maps nor functions to point to', at);
  if (insn.code === (BPF_ALU64 | BPF_MOV | BPF_X) && insn.off === BPF_ADDR_SPACE_CAST) throw fault('address space casts need an arena', at);
  if (isCall(insn) && !isPseudoCall(insn)) throw new Fault('call', `a raw program has no helper to call (${insn.imm}), at instruction ${at}`);
}

function checkLddw(insns: readonly Insn[], at: number): void {
  const next = insns[at + 1];
  if (next === undefined || next.code !== 0 || next.dst !== 0 || next.src !== 0 || next.off !== 0) throw fault('64-bit load without its second half', at);
}

/** Refuses calls and jumps that leave the program, or jump into another function or into the middle of a 64-bit load. */
function checkFlow(insns: readonly Insn[], subprogs: readonly VerifiedSubprog[]): void {
  const starts = insnStarts(insns);
  for (const [at, insn] of insns.entries()) {
    if (starts[at] === 1 && isPseudoCall(insn) && starts[at + 1 + insn.imm] !== 1) throw fault('call to no instruction', at);
  }
  const owner = (slot: number): number => subprogs.findIndex(({ start, end }) => slot >= start && slot < end);
  const blocks = basicBlocks(insns);
  for (const { start, end, successors, leaves } of blocks) {
    if (leaves) throw fault('control leaves the program', end - 1);
    const strays = successors.some((index) => owner(blocks[index]?.start ?? -1) !== owner(start));
    if (strays) throw fault('control runs into another function', end - 1);
  }
  const last = insns[insns.length - 1];
  if (last !== undefined && !isExit(last) && !isGoto(last)) throw fault('control leaves the program', insns.length - 1);
}

/** Raw bytes as instructions that an executor can take; throws Fault 'instruction' or 'call', or DecodeError for a length that is no multiple of 8. */
function checkRaw(bytes: Uint8Array): { readonly insns: readonly Insn[]; readonly subprogs: readonly VerifiedSubprog[] } {
  const insns = decodeInsns(bytes);
  if (insns.length === 0) throw fault('an empty program', 0);
  const begins = insnStarts(insns);
  for (const [at, insn] of insns.entries()) {
    if (begins[at] !== 1) continue;
    checkInsn(insn, at);
    if (isLddw(insn)) checkLddw(insns, at);
  }
  const starts = subprogStarts(insns);
  const subprogs = starts.map((start, index): VerifiedSubprog => ({
    start, end: starts[index + 1] ?? insns.length, stackDepthBytes: MAX_BPF_STACK, isCallback: false, name: index === 0 ? 'main' : `func_${start}`,
  }));
  checkFlow(insns, subprogs);
  return { insns, subprogs };
}

/** Checks raw bytes and wraps them for an executor, which has to honour `checked`. Throws Fault or DecodeError. */
export function rawProgram(bytes: Uint8Array, checked: CheckedRanges): VerifiedProgram {
  const { insns, subprogs } = checkRaw(bytes);
  return mintVerifiedProgram({
    name: 'raw', type: 0, expectedAttachType: 0, insns, facts: insns.map(() => ({ maybeUnaligned: true })), subprogs, maps: [],
    readsUninitStack: true, gplCompatible: true, checked,
  });
}

const absent = (what: string) => (): never => {
  throw new InternalError(`a raw program asked its kernel for ${what}`);
};

const hostOf = (memory: KernelMemory, area: number): HelperHost => ({
  memory, cpuArea: () => area, cpuCount: 1, mapAt: absent('a map'), mapById: absent('a map'), callBack: absent('a callback'), printk: absent('printk'),
  perfOutput: absent('a perf buffer'), net: undefined,
});

/** A private memory in which raw programs run one after the other. */
export class RawMachine {
  readonly #memory = new KernelMemory({ initialPages: 8, maximumPages: 4096 });
  readonly #area = createCpuArea(this.#memory, 0);
  readonly #env: ExecEnv = {
    memory: this.#memory, host: hostOf(this.#memory, this.#area), helpers: new Map(), maps: [],
    cpu: new WebAssembly.Global({ value: 'i32', mutable: true }, this.#area), table: new KernelFunctionTable(), fuel: true,
  };

  /** Runs `bytes` with r1 = address of a copy of `memory` (0 when it is empty), r2 = its size. Throws Fault, or DecodeError for cut bytes. */
  run(bytes: Uint8Array, memory: Uint8Array, { engine, fuel = DEFAULT_RAW_FUEL }: RawOptions): RawResult {
    const room = Math.max(memory.length, 1);
    const start = this.#memory.alloc(room);
    try {
      const top = stackTop(this.#area);
      const checked = { stack: { start: top - MAX_CALL_FRAMES * FRAME_BYTES, end: top }, memory: { start, end: start + memory.length } };
      const program = engine.prepare(rawProgram(bytes, checked), this.#env);
      this.#memory.bytes.set(memory, start);
      this.#memory.view.setBigInt64(this.#area + CPU.fuel, fuel, true);
      try {
        program.run(memory.length === 0 ? 0 : start, memory.length);
      } finally {
        program.dispose();
      }
      return { r0: this.#memory.view.getBigUint64(this.#area + CPU.result, true), memory: this.#memory.bytes.slice(start, start + memory.length) };
    } finally {
      this.#memory.free(start, room);
    }
  }
}

/** Runs raw instructions once in a memory made for them; see RawMachine.run. */
export const runRaw = (bytes: Uint8Array, memory: Uint8Array, options: RawOptions): RawResult => new RawMachine().run(bytes, memory, options);
