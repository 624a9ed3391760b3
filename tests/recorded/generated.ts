// What a kernel answers to a generated program of tests/fuzz/programs, in a form that is committed: verdict, errno, message, processed_insns, and
// what runs did where that can be compared. The same function asks the simulated kernel and the real one.

import { SimKernel } from '../../src/kernel/sim-kernel.ts';
import { isKfuncCall, isLddw } from '../../src/insn/fields.ts';
import { BPF_LOG_LEVEL1 } from '../../src/spec/limits.ts';
import { BPF_PSEUDO_BTF_ID } from '../../src/spec/opcodes.ts';
import type { BpfSyscall } from '../../src/spec/syscall.ts';
import { toHex } from '../../src/util/bytes.ts';
import { Fault, NotSupportedError } from '../../src/util/errors.ts';
import { calls } from '../fuzz/differential.ts';
import type { GeneratedProgram } from '../fuzz/programs/generate.ts';
import { NEVER_RUN_ON_HOST, UNCOMPARABLE_HELPERS } from '../fuzz/programs/helper-calls.ts';
import { KernelSide } from '../fuzz/programs/kernel-side.ts';

/** One line of programs.jsonl. `insns` is processed_insns; a reject has errno and message; effects are there for what can be compared. */
export interface GeneratedAnswer {
  readonly seed: number;
  readonly insns: number | null;
  readonly errno?: number;
  readonly message?: string;
  /** `retval:packet` in hex for each run, the packet `same` when the program left it as it was. */
  readonly runs?: readonly string[];
  /** Elements that are not zero, by map. */
  readonly maps?: Readonly<Record<string, string>>;
}

const RUNS = 2;
const MOVED_BYTES = 65536 + 4096;
/** Instructions of one run: may_goto loops go on for millions, which the interpreter takes minutes for. */
const RUN_FUEL = 200_000n;

/** A simulated kernel for generated programs, made anew every hundred programs or so. */
export const newSimKernel = (engine: 'jit' | 'interp', cpus: number, skipBytes = 0): SimKernel => new SimKernel({ engine, cpus, fuel: RUN_FUEL, skipBytes });

/** Whether the effects of a program are the same on every kernel and at any time, as far as its helper calls go. */
export const comparable = (program: GeneratedProgram): boolean => !calls(program, NEVER_RUN_ON_HOST) && !calls(program, UNCOMPARABLE_HELPERS);

/** Whether a program names things by ids of the running kernel's BTF (kfuncs, kernel variables): its answer says nothing about another kernel. */
export const namesKernelBtf = (program: GeneratedProgram): boolean =>
  program.insns.some((insn) => isKfuncCall(insn) || (isLddw(insn) && insn.src === BPF_PSEUDO_BTF_ID));

/** Asks one kernel. Throws NotSupportedError where it can't judge the program. */
export function askGenerated(sys: BpfSyscall, program: GeneratedProgram, run: boolean): GeneratedAnswer {
  const side = new KernelSide(sys, program.progType);
  try {
    const answer = side.load(program, BPF_LOG_LEVEL1);
    const base = { seed: program.seed, insns: processedInsns(answer.log) };
    if (answer.verdict === 'reject') return { ...base, errno: answer.errno, message: answer.message };
    return run ? { ...base, ...effects(side, answer.fd, program) } : base;
  } finally {
    side.close();
  }
}

function processedInsns(log: string): number | null {
  const found = /^processed (\d+) insns/m.exec(log);
  return found === null ? null : Number(found[1]);
}

function effects(side: KernelSide, fd: number, program: GeneratedProgram): Pick<GeneratedAnswer, 'runs' | 'maps'> {
  const before = toHex(program.packet);
  const runs = Array.from({ length: RUNS }, () => {
    const { errno, retval, packet } = side.run(fd, program.packet);
    const after = toHex(packet);
    return errno === 0 ? `${retval.toString(16)}:${after === before ? 'same' : after}` : `errno ${errno}`;
  });
  const maps = [...side.contents()].map(([name, text]) => [name, text.split(' ').filter((element) => !/^$|=0+$/.test(element)).join(' ')] as const);
  return { runs, maps: Object.fromEntries(maps.filter(([, text]) => text !== '')) };
}

/** True when what runs do can't be compared: they go on too long, read stack bytes that were never written, or change with the place of things in memory. */
export function runsDifferWithMemory(sim: SimKernel, program: GeneratedProgram): boolean {
  try {
    const here = askGenerated(sim, program, true);
    if (here.runs === undefined || readsUninitStack(sim, program)) return here.runs !== undefined;
    const shifted = newSimKernel('jit', sim.possibleCpus, MOVED_BYTES);
    return JSON.stringify(askGenerated(shifted, program, true)) !== JSON.stringify(here);
  } catch (error) {
    if (error instanceof Fault) return true;
    if (error instanceof NotSupportedError) return false;
    throw error;
  }
}

function readsUninitStack(sim: SimKernel, program: GeneratedProgram): boolean {
  const side = new KernelSide(sim, program.progType);
  try {
    const answer = side.load(program, BPF_LOG_LEVEL1);
    return answer.verdict === 'accept' && sim.prog(answer.fd).verified.parts.readsUninitStack;
  } finally {
    side.close();
  }
}
