// A program in the machine's kernel, timed by BPF_PROG_TEST_RUN: one packet, run again and again without restoring it.
// The kernel gives whole ns per run; the processor time that the call took (the wait for its 16 ms of set-up is none) refines that below one ns.
// Invariant: nothing is attached or pinned; programs and maps are closed at the end.

import { loadObject, type BpfSyscall, type LoadedObject, type ObjectSpec } from '../src/index.ts';
import { defined } from '../src/util/assert.ts';
import { BenchMaps, fnv } from './maps.ts';
import type { BenchProgram } from './suite.ts';
import { XDP_ABORTED, type PassResult, type Subject } from './subject.ts';

const DATA_OUT_BYTES = 4096;
const FIRST_REPEATS = 10_000;
const MOST_REPEATS = 10_000_000;
const BELOW_ONE_NS = 0.999;

/** A program in the running Linux. */
export class HostSubject implements Subject {
  readonly engine = 'kernel';
  maps: BenchMaps;
  runs = 0n;
  readonly #kernel: BpfSyscall;
  readonly #program: BenchProgram;
  readonly #spec: ObjectSpec;
  readonly #packets: readonly Uint8Array[];
  #object: LoadedObject;
  #nsPerRun = 0;

  /** Loads and fills. Throws BpfSyscallError. */
  constructor(kernel: BpfSyscall, program: BenchProgram, spec: ObjectSpec, packets: readonly Uint8Array[]) {
    this.#kernel = kernel;
    this.#program = program;
    this.#spec = spec;
    this.#packets = packets;
    [this.#object, this.maps] = this.#load();
  }

  #load(): [LoadedObject, BenchMaps] {
    const object = loadObject(this.#spec, this.#kernel, { programs: this.#program.programs });
    const maps = new BenchMaps(this.#kernel, object);
    this.#program.setUp?.(maps);
    return [object, maps];
  }

  get #fd(): number {
    return defined(this.#object.progs.get(this.#program.programs[0]), 'the program just loaded').fd;
  }

  pass(): PassResult {
    let [verdicts, aborted, packets] = [0, 0, 0];
    const out = new Uint8Array(DATA_OUT_BYTES);
    for (const packet of this.#packets) {
      const result = this.#kernel.progTestRun({ prog_fd: this.#fd, data_in: packet, data_out: out, repeat: 1 });
      this.runs++;
      verdicts = (verdicts + result.retval) >>> 0;
      if (result.retval === XDP_ABORTED) aborted++;
      packets = fnv(out.subarray(0, result.data_size_out), packets);
    }
    return { verdicts, aborted, packets };
  }

  warmUp(): void {
    this.#nsPerRun = this.#time(FIRST_REPEATS);
  }

  /** One window of about `ms` milliseconds: each costs 16 ms of set-up, so it had better be long. */
  measure(ms: number): number[] {
    const wanted = Math.round((ms * 1e6) / Math.max(this.#nsPerRun, 1));
    const repeats = Math.max(1000, Math.min(wanted, MOST_REPEATS, this.#program.ringRuns ?? Infinity));
    if (this.#program.ringRuns !== undefined) this.#reload();
    return [this.#time(repeats)];
  }

  /** ns per run, from the kernel's own whole ns and this process's processor time. */
  #time(repeats: number): number {
    const before = process.cpuUsage();
    const { duration } = this.#kernel.progTestRun({ prog_fd: this.#fd, data_in: this.#packets[0] as Uint8Array, repeat: repeats });
    const { user, system } = process.cpuUsage(before);
    this.runs += BigInt(repeats);
    return Math.min(Math.max(((user + system) * 1000) / repeats, duration), duration + BELOW_ONE_NS);
  }

  /** An empty ring buffer: nobody else can take the events out. */
  #reload(): void {
    this.#object.close();
    [this.#object, this.maps] = this.#load();
    this.runs = 0n;
  }

  close(): void {
    this.#object.close();
  }
}
