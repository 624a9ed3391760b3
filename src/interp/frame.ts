// One activation of a BPF function: its registers, its program counter, and what the instruction handlers need to act on.
// Invariant: registers are unsigned 64-bit; assigning any bigint to one wraps it, as BigUint64Array does.
// Source: RFC 9669 section 2 (registers), design.md section 4.

import { BPF_MAX_LOOPS } from '../spec/limits.ts';
import type { Insn } from '../insn/insn.ts';
import type { InsnFact } from '../insn/verified-program.ts';
import type { ExecEnv } from '../vm/executor.ts';
import type { HelperImpl } from '../vm/host.ts';

/** Acts out one instruction; `frame.pc` already points to the next slot. */
export type Handler = (frame: Frame, op: Op) => void;

/** An instruction made ready to run. */
export interface Op extends Insn {
  readonly handler: Handler;
  /** `imm` sign-extended to 64 bits; for LDDW the whole value that it loads. */
  readonly imm64: bigint;
  readonly fact: InsnFact;
  /** Fuel for entering the basic block that begins here; 0 inside a block. */
  readonly fuel: number;
  /** What a helper call runs. */
  readonly helper: HelperImpl | undefined;
  /** Index of the function that a bpf-to-bpf call enters. */
  readonly callee: number;
}

/** Turns an address into a memory offset, or stops the run with a Fault. `size` in bytes. */
export type Translate = (frame: Frame, addr: bigint, size: number, write: boolean) => number;

/** What all activations of one prepared program share. */
export interface PreparedProgram {
  readonly env: ExecEnv;
  readonly ops: readonly Op[];
  readonly translate: Translate;
  /** Enters function number `index` with r1 … r5 and its r10 as an offset; returns r0, unsigned. */
  readonly enter: (index: number, args: readonly bigint[], framePointer: number) => bigint;
  /** The lowest frame pointer that a call may give (raw programs), or 0. */
  readonly lowestFrame: number;
}

/** Offset of the running CPU's area. */
export const cpuArea = (env: ExecEnv): number => (env.cpu.value as number) >>> 0;

/** An activation. */
export class Frame {
  readonly prog: PreparedProgram;
  readonly regs = new BigUint64Array(11);
  /** r10 as a memory offset. */
  readonly framePointer: number;
  pc: number;
  exited = false;
  /** Iterations that all may_goto of this invocation still have. */
  mayGotoLeft = BPF_MAX_LOOPS;

  constructor(prog: PreparedProgram, pc: number, framePointer: number) {
    this.prog = prog;
    this.pc = pc;
    this.framePointer = framePointer;
  }

  /** Register `index` (0–10), unsigned. */
  reg(index: number): bigint {
    return this.regs[index] as bigint;
  }

  /** Leaves the function with r0 = `result`. */
  exit(result: bigint): void {
    this.regs[0] = result;
    this.exited = true;
  }
}
