// Measures one program in every engine: the same packets through each, results compared, then windows in turn, then the programs' own counts checked.
// Source: performance.md, "Measuring honestly"; what is timed stands in sim-subject.ts and host-subject.ts.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { open, type BpfSyscall, type ObjectSpec } from '../src/index.ts';
import { HostSubject } from './host-subject.ts';
import { packets } from './packets.ts';
import { SimSubject } from './sim-subject.ts';
import { figureOf, type BenchEngine, type Figure, type Subject } from './subject.ts';
import { CALIBRATION, SUITE, type BenchProgram } from './suite.ts';

const PACKETS = 1024;
const ROUND_MS = 50;
const FEWEST_ROUNDS = 4;
const EMPTY_CALLS = 16;

/** What was measured of one program in one engine. */
export interface BenchResult {
  readonly program: string;
  readonly group: string;
  readonly engine: BenchEngine;
  /** ns per run: context laid out for each packet (jit, interp); BPF_PROG_TEST_RUN as it says (kernel). */
  readonly figure: Figure;
  /** jit only: ns per run on one packet, context left alone. */
  readonly bare?: Figure;
  /** jit only: ns per packet through PacketRunner.run. */
  readonly runner?: Figure;
}

/** One program's results, and what was wrong: engines that differ, runs that were not counted. */
export interface BenchReport { readonly results: readonly BenchResult[]; readonly problems: readonly string[] }

/** Opens a program's object in `folder`. */
export function openProgram(folder: string, program: BenchProgram): ObjectSpec {
  const file = `${program.object}.bpf.o`;
  return open(new Uint8Array(readFileSync(join(folder, file))), { name: file });
}

/** Loads a program into each engine; `host` adds the running kernel. */
export function subjectsOf(folder: string, program: BenchProgram, host: BpfSyscall | undefined, count = PACKETS): Subject[] {
  const spec = openProgram(folder, program);
  const frames = packets(count, program.packetBytes);
  const subjects: Subject[] = [new SimSubject('jit', program, spec, frames), new SimSubject('interp', program, spec, frames)];
  if (host !== undefined) subjects.push(new HostSubject(host, program, spec, frames));
  return subjects;
}

/** Runs every packet once in each engine and says where they differ from the first, and which abort. */
export function comparePasses(program: BenchProgram, subjects: readonly Subject[]): string[] {
  const passes = subjects.map((subject) => subject.pass());
  const seen = subjects.map(({ maps }, i) => `verdicts ${passes[i]?.verdicts}, packets ${passes[i]?.packets.toString(16)}; ${program.checksum(maps)}`);
  const aborted = subjects.flatMap(({ engine }, i) => ((passes[i]?.aborted ?? 0) === 0 ? [] : [`${program.name}: ${engine} aborted ${passes[i]?.aborted} of its runs`]));
  return subjects.flatMap(({ engine }, i) => (seen[i] === seen[0] ? [] : [`${program.name}: ${engine} has «${seen[i]}», ${subjects[0]?.engine} «${seen[0]}»`])).concat(aborted);
}

/** Compares what the programs counted with the runs that were made. */
export function checkCounts(program: BenchProgram, subjects: readonly Subject[]): string[] {
  const { seen } = program;
  if (seen === undefined) return [];
  return subjects.flatMap((subject) => {
    const [counted, made] = [BigInt.asUintN(32, seen(subject.maps)), BigInt.asUintN(32, subject.runs)];
    return counted === made ? [] : [`${program.name}: ${subject.engine} counted ${counted} runs, ${made} were made (modulo 2^32)`];
  });
}

interface Samples { readonly main: number[]; readonly bare: number[]; readonly runner: number[] }

function measureRound(subject: Subject, samples: Samples, ms: number): void {
  samples.main.push(...subject.measure(ms));
  if (!(subject instanceof SimSubject) || subject.engine !== 'jit') return;
  samples.bare.push(...subject.measureBare(ms / 2));
  samples.runner.push(...subject.measureRunner(ms / 2));
}

function resultOf(program: BenchProgram, engine: BenchEngine, samples: Samples): BenchResult {
  return {
    program: program.name, group: program.group, engine, figure: figureOf(samples.main),
    ...(samples.bare.length === 0 ? {} : { bare: figureOf(samples.bare), runner: figureOf(samples.runner) }),
  };
}

function timeAll(program: BenchProgram, subjects: readonly Subject[], seconds: number): BenchResult[] {
  const rounds = Math.max(FEWEST_ROUNDS, Math.round((seconds * 1000) / ROUND_MS));
  const samples = subjects.map((): Samples => ({ main: [], bare: [], runner: [] }));
  for (const subject of subjects) subject.warmUp();
  for (let round = 0; round < rounds; round++) {
    subjects.forEach((subject, i) => measureRound(subject, samples[i] as Samples, (seconds * 1000) / rounds));
  }
  return subjects.map((subject, i) => resultOf(program, subject.engine, samples[i] as Samples));
}

/** Measures `program` for about `seconds` in each engine. Throws what loading throws. */
export function measureProgram(folder: string, program: BenchProgram, host: BpfSyscall | undefined, seconds: number): BenchReport {
  const subjects = subjectsOf(folder, program, host);
  try {
    const differences = comparePasses(program, subjects);
    const results = timeAll(program, subjects, seconds);
    return { results, problems: [...differences, ...checkCounts(program, subjects)] };
  } finally {
    for (const subject of subjects) subject.close();
  }
}

/**
 * What of each of the kernel's figures is the loop of BPF_PROG_TEST_RUN, in ns: `drop` less the cost of calling and leaving an empty program, which is a
 * sixteenth of what sixteen calls of an empty function add to it.
 */
export function kernelLoopNs(folder: string, host: BpfSyscall, seconds: number): number {
  const [empty, calling] = [SUITE[0] as BenchProgram, CALIBRATION].map((program) => new HostSubject(host, program, openProgram(folder, program), packets(1, program.packetBytes)));
  const pair = [empty, calling] as [HostSubject, HostSubject];
  try {
    const samples: [number[], number[]] = [[], []];
    for (const subject of pair) subject.warmUp();
    for (let round = 0; round < FEWEST_ROUNDS; round++) pair.forEach((subject, i) => samples[i as 0 | 1].push(...subject.measure((seconds * 1000) / FEWEST_ROUNDS)));
    const [drop, sixteen] = [figureOf(samples[0]).best, figureOf(samples[1]).best];
    return Math.max(0, drop - Math.max(0, sixteen - drop) / EMPTY_CALLS);
  } finally {
    for (const subject of pair) subject.close();
  }
}
