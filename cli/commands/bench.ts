// `bpfkit bench`: measures the benchmark programs, each in a process of its own, so that what V8 learnt from one doesn't slow or speed the next.
// Invariant: with --json stdout holds one object per result and nothing else; a program whose engines differ ends with exit code 1.

import { fork } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { machineLines, pinMainThread } from '../../bench/machine.ts';
import { kernelLoopNs, measureProgram, openProgram, type BenchReport, type BenchResult } from '../../bench/measure.ts';
import { SUITE, type BenchProgram } from '../../bench/suite.ts';
import { jsonLine, legend, table } from '../../bench/table.ts';
import { loadObject, type BpfSyscall } from '../../src/index.ts';
import { BpfkitError, BpfSyscallError, UsageError } from '../../src/util/errors.ts';
import { openKernel } from '../kernel.ts';
import { Progress } from '../progress.ts';

/** Options as the command line gives them. */
export interface BenchOptions {
  readonly host?: boolean;
  readonly json?: boolean;
  readonly seconds: string;
}

/** Set in the environment of the processes that measure: what they are to measure. */
const CHILD = 'BPFKIT_BENCH_CHILD';
const LOOP = 'the kernel loop';
const PROGRESS_EVERY_MS = 250;

/** What a measuring process sends back. */
interface Answer { readonly report?: BenchReport; readonly loopNs?: number; readonly pinned?: boolean; readonly error?: string }

/** Measures the programs named (all by default) and prints the figures. Throws UsageError for unknown names and where --host can't be had. */
export async function bench(names: string[], options: BenchOptions): Promise<void> {
  const seconds = secondsOf(options.seconds);
  const asked = process.env[CHILD];
  if (asked !== undefined && process.send !== undefined) return answer(asked, options, seconds);
  const programs = selected(names);
  if (options.host === true) await checkHost();
  const say = options.json === true ? (text: string): boolean => process.stderr.write(`${text}\n`) : (text: string): boolean => process.stdout.write(`${text}\n`);
  for (const text of machineLines(options.host === true)) say(text);
  const { results, problems, loopNs, pinned } = await measureAll(programs, options);
  if (options.json !== true) for (const text of ['', ...table(results, loopNs), '', ...legend(loopNs, pinned)]) say(text);
  for (const problem of problems) process.stderr.write(`bpfkit: bench: ${problem}\n`);
  process.exitCode = problems.length > 0 ? 1 : 0;
}

function secondsOf(text: string): number {
  const seconds = Number(text);
  if (!/^\d+(\.\d+)?$/.test(text) || seconds < 0.01 || seconds > 3600) throw new UsageError(`--seconds takes a number from 0.01 to 3600, not '${text}'`);
  return seconds;
}

function selected(names: readonly string[]): readonly BenchProgram[] {
  const unknown = names.filter((name) => !SUITE.some((program) => program.name === name));
  if (unknown.length > 0) throw new UsageError(`no benchmark '${unknown.join("', '")}'; there are: ${SUITE.map(({ name }) => name).join(', ')}`);
  return names.length === 0 ? SUITE : SUITE.filter(({ name }) => names.includes(name));
}

/** bench/programs of the package, whether this file runs from its sources or from a bundle in dist. Throws UsageError when it is missing. */
function programFolder(): string {
  for (let folder = dirname(fileURLToPath(import.meta.url)); folder !== dirname(folder); folder = dirname(folder)) {
    const programs = join(folder, 'bench', 'programs');
    if (existsSync(join(programs, 'drop.bpf.o'))) return programs;
  }
  throw new UsageError('the benchmark programs (bench/programs/*.bpf.o) are not beside this installation of bpfkit');
}

/** Loads the smallest program, to say at once and in one line what is missing. */
async function checkHost(): Promise<void> {
  const kernel = await openKernel(true);
  try {
    loadObject(openProgram(programFolder(), SUITE[0] as BenchProgram), kernel).close();
  } catch (error) {
    if (error instanceof BpfSyscallError) throw new UsageError(`--host: the kernel lets this user load no XDP program: ${error.message}`);
    throw error;
  }
}

interface All { readonly results: BenchResult[]; readonly problems: string[]; readonly loopNs: number | undefined; readonly pinned: boolean }

async function measureAll(programs: readonly BenchProgram[], options: BenchOptions): Promise<All> {
  const jobs = [...(options.host === true ? [LOOP] : []), ...programs.map(({ name }) => name)];
  const progress = new Progress('bench', jobs.length);
  const results: BenchResult[] = [];
  const problems: string[] = [];
  let loopNs: number | undefined;
  let pinned = true;
  for (const [done, job] of jobs.entries()) {
    const ticking = setInterval(() => progress.update(done, () => job), PROGRESS_EVERY_MS);
    const got = await measureApart(job, options);
    clearInterval(ticking);
    loopNs ??= got.loopNs;
    pinned &&= got.pinned === true;
    if (got.error !== undefined) problems.push(`${job}: ${got.error}`);
    problems.push(...(got.report?.problems ?? []));
    results.push(...(got.report?.results ?? []));
    if (options.json === true) printJson(got.report?.results ?? [], loopNs, progress);
  }
  progress.done();
  return { results, problems, loopNs, pinned };
}

function printJson(results: readonly BenchResult[], loopNs: number | undefined, progress: Progress): void {
  progress.done();
  for (const result of results) process.stdout.write(`${jsonLine(result, loopNs)}\n`);
}

/** Measures one program, or the kernel's loop, in a process of its own. */
function measureApart(job: string, options: BenchOptions): Promise<Answer> {
  const args = ['bench', '--seconds', options.seconds, ...(options.host === true ? ['--host'] : [])];
  const child = fork(process.argv[1] as string, args, { env: { ...process.env, [CHILD]: job }, stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  return new Promise((resolve) => {
    let got: Answer | undefined;
    child.on('message', (message) => {
      got = message as Answer;
    });
    child.on('close', (code, signal) => resolve(got ?? { error: `the measuring process ended with ${signal ?? `code ${code}`}` }));
    child.on('error', (error) => resolve({ error: error.message }));
  });
}

/** In the measuring process: measures and sends the answer. */
async function answer(job: string, options: BenchOptions, seconds: number): Promise<void> {
  const pinned = pinMainThread();
  try {
    const kernel = options.host === true ? await openKernel(true) : undefined;
    process.send?.({ pinned, ...measureJob(job, kernel, seconds) } satisfies Answer);
  } catch (error) {
    process.send?.({ pinned, error: error instanceof BpfkitError ? error.message : String(error instanceof Error ? error.stack : error) } satisfies Answer);
  }
  process.disconnect();
}

function measureJob(job: string, kernel: BpfSyscall | undefined, seconds: number): Answer {
  const folder = programFolder();
  if (job === LOOP && kernel !== undefined) return { loopNs: kernelLoopNs(folder, kernel, seconds) };
  const program = selected([job])[0] as BenchProgram;
  return { report: measureProgram(folder, program, kernel, seconds) };
}
