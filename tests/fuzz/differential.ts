// Differential runs: one generated program on the interpreter, the JIT and, where it can be asked, the machine's own kernel.
// Invariant: what is left out of a comparison is left out by a closed list: programs that call helpers whose results differ by run
// (helper-calls.ts), LRU victims and hash order (kernel-side.ts), stack bytes that were never written, and values that depend on where
// memory lies (found by running again with memory laid out differently).

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { SimKernel } from '../../src/kernel/sim-kernel.ts';
import type { BpfSyscall } from '../../src/spec/syscall.ts';
import { Fault, NotSupportedError } from '../../src/util/errors.ts';
import { generateProgram, type GeneratedProgram } from './programs/generate.ts';
import { NEVER_RUN_ON_HOST, UNCOMPARABLE_HELPERS } from './programs/helper-calls.ts';
import { crashesHosts, KernelSide, type LoadAnswer } from './programs/kernel-side.ts';

/** What came of one program. `kind` 'agree' or what disagreed. */
export interface Outcome {
  readonly seed: number;
  readonly kind: 'agree' | 'wrongly accepted' | 'wrongly rejected' | 'other errno' | 'other message' | 'executors differ' | 'kernel run differs' | 'unsupported';
  readonly accepted: boolean;
  readonly detail: string;
  /** The reject message of the reference (the kernel, or ours without one). */
  readonly message: string;
  /** Runs were compared with the kernel's, or why not. */
  readonly compared: 'kernel' | 'executors' | 'verdict';
}

const OUT_OF_FUEL = 'out of fuel';

/** A run's visible effects as text. */
interface Effects { readonly text: string }

const RUNS = 2;
const CALL = 0x85;
/** Instructions of one run: may_goto loops go on for millions, which the interpreter would take minutes for. */
const RUN_FUEL = 200_000n;
/** Programs per simulated kernel: fresh memory now and then, without paying for it each time. */
const PROGRAMS_PER_KERNEL = 200;

/** Compares kernels on one program after another. */
export class Differential {
  readonly #host: BpfSyscall | undefined;
  readonly #cpu: number;
  #jit: SimKernel;
  #interp: SimKernel;
  #shifted: SimKernel;
  #used = 0;

  /** `host` undefined: only interpreter and JIT are compared. `cpu` is the one that programs run on, everywhere. */
  constructor(host: BpfSyscall | undefined, cpu = 0) {
    this.#host = host;
    this.#cpu = cpu;
    [this.#jit, this.#interp, this.#shifted] = this.#kernels();
  }

  /** JIT, interpreter, and the JIT with its memory laid out differently. */
  #kernels(): [SimKernel, SimKernel, SimKernel] {
    return [newKernel('jit', this.#cpu, 0), newKernel('interp', this.#cpu, 0), newKernel('jit', this.#cpu, SHIFT_BYTES)];
  }

  run(seed: number, mutations?: boolean): Outcome {
    this.#refresh();
    const program = generateProgram(seed, mutations);
    const outcome = this.runProgram(program);
    if (outcome.kind !== 'executors differ') return outcome;
    // An earlier program that failed may have left the kernels' memories different; in fresh ones addresses are the same.
    [this.#jit, this.#interp, this.#shifted] = this.#kernels();
    return this.runProgram(program);
  }

  runProgram(program: GeneratedProgram): Outcome {
    const sides = [new KernelSide(this.#jit, program.progType), new KernelSide(this.#interp, program.progType)] as const;
    const host = this.#host === undefined || crashesHosts(program) ? undefined : new KernelSide(this.#host, program.progType);
    try {
      return this.#compare(program, sides[0], sides[1], host);
    } finally {
      for (const side of [...sides, host]) side?.close();
    }
  }

  #compare(program: GeneratedProgram, jit: KernelSide, interp: KernelSide, host: KernelSide | undefined): Outcome {
    const theirs = host?.load(program, 1);
    const base = { seed: program.seed, accepted: theirs?.verdict === 'accept', message: theirs?.verdict === 'reject' ? theirs.message : '', compared: 'verdict' as const };
    const ours = tryLoad(jit, program);
    if (typeof ours === 'string') return { ...base, kind: 'unsupported', detail: ours };
    const verdicts = compareVerdicts(ours, theirs);
    if (verdicts !== undefined) return { ...base, ...verdicts };
    if (ours.verdict === 'reject') return { ...base, message: theirs === undefined ? ours.message : base.message, kind: 'agree', detail: '' };
    const second = tryLoad(interp, program);
    if (typeof second === 'string' || second.verdict === 'reject') return { ...base, kind: 'executors differ', detail: 'the second load answered differently' };
    const fromJit = effects(jit, ours.fd, program);
    const fromInterp = effects(interp, second.fd, program);
    const accepted = { ...base, accepted: true };
    if (fromJit.text !== fromInterp.text) return { ...accepted, kind: 'executors differ', detail: difference('jit', fromJit, 'interp', fromInterp) };
    return { ...accepted, ...this.#compareWithHost(program, ours.fd, fromJit, host, theirs) };
  }

  #compareWithHost(program: GeneratedProgram, fd: number, ours: Effects, host: KernelSide | undefined, theirs: LoadAnswer | undefined): Pick<Outcome, 'kind' | 'detail' | 'compared'> {
    const agree = { kind: 'agree', detail: '', compared: 'executors' } as const;
    if (host === undefined || theirs?.verdict !== 'accept' || calls(program, NEVER_RUN_ON_HOST) || ours.text === OUT_OF_FUEL) return agree;
    const kernel = effects(host, theirs.fd, program);
    if (kernel.text === ours.text) return { ...agree, compared: 'kernel' };
    if (calls(program, UNCOMPARABLE_HELPERS) || this.#jit.prog(fd).verified.parts.readsUninitStack) return agree;
    if (this.#dependsOnLayout(program, ours)) return agree;
    return { kind: 'kernel run differs', detail: difference('ours', ours, 'kernel', kernel), compared: 'kernel' };
  }

  /** True when the effects change with the place of things in memory: the program lets pointers out, which root may. */
  #dependsOnLayout(program: GeneratedProgram, ours: Effects): boolean {
    if (ours.text.includes(ADDRESS_HIGH_HALF)) return true;
    for (let layout = 0; layout < LAYOUTS; layout++) {
      for (let block = 0; block <= layout; block++) this.#shifted.machine.memory.alloc(SMALL_BLOCK_BYTES);
      if (this.#shiftedEffects(program)?.text !== ours.text) return true;
    }
    return false;
  }

  #shiftedEffects(program: GeneratedProgram): Effects | undefined {
    const side = new KernelSide(this.#shifted, program.progType);
    try {
      const answer = tryLoad(side, program);
      return typeof answer === 'string' || answer.verdict === 'reject' ? undefined : effects(side, answer.fd, program);
    } finally {
      side.close();
    }
  }

  #refresh(): void {
    if (++this.#used % PROGRAMS_PER_KERNEL !== 0) return;
    [this.#jit, this.#interp, this.#shifted] = this.#kernels();
  }
}

/** Moves whole addresses, stacks and packets in their low bits too; small blocks move maps in theirs. */
const SHIFT_BYTES = 3 * 65536 + 0x1240;
const SMALL_BLOCK_BYTES = 64;
/** The high half of every address of ours in memory, which no layout changes. */
const ADDRESS_HIGH_HALF = '8088ffff';
const LAYOUTS = 6;

/** A kernel whose memory begins `skipBytes` later. */
function newKernel(engine: 'jit' | 'interp', cpu: number, skipBytes: number): SimKernel {
  const kernel = new SimKernel({ engine, cpus: 2, fuel: RUN_FUEL, skipBytes });
  kernel.machine.switchTo(cpu);
  mirrorDevices(kernel);
  return kernel;
}

const SYS_NET = '/sys/class/net';

/** Gives the simulated network this machine's devices, so that bpf_check_mtu and redirects find the same ones. */
function mirrorDevices(kernel: SimKernel): void {
  if (!existsSync(SYS_NET)) return;
  for (const name of readdirSync(SYS_NET)) {
    const read = (file: string): string => readFileSync(`${SYS_NET}/${name}/${file}`, 'latin1').trim();
    const mac = Uint8Array.from(read('address').split(':').map((byte) => Number.parseInt(byte, 16)));
    kernel.net.addDevice({ ifindex: Number(read('ifindex')), name, mac, mtu: Number(read('mtu')) });
  }
}

function tryLoad(side: KernelSide, program: GeneratedProgram): LoadAnswer | string {
  try {
    return side.load(program, 1);
  } catch (error) {
    if (error instanceof NotSupportedError) return error.feature;
    throw error;
  }
}

function compareVerdicts(ours: LoadAnswer, theirs: LoadAnswer | undefined): Pick<Outcome, 'kind' | 'detail'> | undefined {
  if (theirs === undefined) return undefined;
  if (ours.verdict === 'accept') return theirs.verdict === 'accept' ? undefined : { kind: 'wrongly accepted', detail: `kernel: ${theirs.message} (errno ${theirs.errno})` };
  if (theirs.verdict === 'accept') return { kind: 'wrongly rejected', detail: `ours: ${ours.message} (errno ${ours.errno})` };
  if (ours.message !== theirs.message) return { kind: 'other message', detail: `ours: ${ours.message} (errno ${ours.errno})\nkernel: ${theirs.message} (errno ${theirs.errno})` };
  if (ours.errno !== theirs.errno) return { kind: 'other errno', detail: `${ours.errno}, kernel ${theirs.errno}: ${theirs.message}` };
  return undefined;
}

/** Runs the program a few times on its packet and reads everything that it can have changed. */
function effects(side: KernelSide, fd: number, program: GeneratedProgram): Effects {
  const runs = [];
  try {
    for (let run = 0; run < RUNS; run++) runs.push(side.run(fd, program.packet));
  } catch (error) {
    if (error instanceof Fault && error.kind === 'fuel') return { text: OUT_OF_FUEL };
    throw error;
  }
  const maps = [...side.contents()].filter(([, text]) => text !== '').map(([name, text]) => `${name}{${text}}`);
  return { text: [...runs.map((run) => `${run.errno || run.retval.toString(16)}:${Buffer.from(run.packet).toString('hex')}`), ...maps].join(' ') };
}

/** The parts of two effects that are not the same. */
function difference(nameA: string, a: Effects, nameB: string, b: Effects): string {
  const [partsA, partsB] = [a.text.split(' '), b.text.split(' ')];
  const lines: string[] = [];
  for (let i = 0; i < Math.max(partsA.length, partsB.length); i++) {
    if (partsA[i] !== partsB[i]) lines.push(`${nameA}: ${partsA[i] ?? '-'}\n${nameB}: ${partsB[i] ?? '-'}`);
  }
  return lines.join('\n');
}

/** Whether a program calls one of some helpers by number. */
export const calls = (program: GeneratedProgram, helpers: ReadonlySet<number>): boolean =>
  program.insns.some((insn) => insn.code === CALL && insn.src === 0 && helpers.has(insn.imm));
