// Asks this machine's own kernel for the answers that the tests compare bpfkit with where there is no kernel: `npm run record [-- --seeds 2000]`.
// Needs Linux and root. Loads programs, fills maps, test-runs; never attaches. Invariant: an answer that isn't the same twice is not recorded.

import { readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { Progress } from '../cli/progress.ts';
import type { LinuxKernel } from '../linux/index.ts';
import { BpfkitError, BpfSyscallError, LoadError, NotSupportedError } from '../src/util/errors.ts';
import { crashesHosts } from '../tests/fuzz/programs/kernel-side.ts';
import { generateProgram } from '../tests/fuzz/programs/generate.ts';
import { askGenerated, comparable, namesKernelBtf, newSimKernel, runsDifferWithMemory, type GeneratedAnswer } from '../tests/recorded/generated.ts';
import { openPinnedKernel } from '../tests/support/host-kernel.ts';
import { askObject, objectPaths, openPath, type ObjectAnswer } from '../tests/recorded/objects.ts';

const OUT = resolve(import.meta.dirname, '../tests/recorded');
/** Verifying more than this takes seconds, each time the tests run. */
const TOO_LONG_INSNS = 200_000;
const { values } = parseArgs({ options: { seeds: { type: 'string', default: '2000' } } });

function write(name: string, kernel: LinuxKernel, answers: readonly object[]): void {
  const release = readFileSync('/proc/sys/kernel/osrelease', 'utf8').trim();
  const header = { kernel: release, arch: process.arch, cpus: kernel.possibleCpus };
  writeFileSync(resolve(OUT, name), [header, ...answers].map((line) => `${JSON.stringify(line)}\n`).join(''));
  console.log(`tests/recorded/${name}: ${answers.length} answers of Linux ${release}`);
}

function recordObjects(kernel: LinuxKernel): ObjectAnswer[] {
  const answers: ObjectAnswer[] = [];
  for (const path of objectPaths()) {
    const spec = openPath(path);
    for (const prog of spec.programs) {
      try {
        answers.push(stable(askObject(kernel, path, spec, prog), askObject(kernel, path, spec, prog)));
      } catch (error) {
        if (!(error instanceof LoadError || error instanceof NotSupportedError || error instanceof BpfSyscallError)) throw error;
        console.log(`not recorded: ${path} ${prog.name}: ${error.message}`);
      }
    }
  }
  return answers;
}

const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);

/** The answer without what differs between two askings. */
function stable(first: ObjectAnswer, second: ObjectAnswer): ObjectAnswer {
  const { runs, maps, ...verdict } = first;
  return { ...verdict, ...(runs !== undefined && same(runs, second.runs) ? { runs } : {}), ...(maps !== undefined && same(maps, second.maps) ? { maps } : {}) };
}

/** What programs.jsonl says now, by seed: kept for programs that may not be asked again. */
function recordedBefore(): ReadonlyMap<number, GeneratedAnswer> {
  const [, ...lines] = readFileSync(resolve(OUT, 'programs.jsonl'), 'utf8').split('\n').filter((line) => line !== '');
  return new Map(lines.map((line) => JSON.parse(line) as GeneratedAnswer).map((answer) => [answer.seed, answer]));
}

function recordGenerated(kernel: LinuxKernel, count: number): GeneratedAnswer[] {
  const progress = new Progress('record', count);
  const known = recordedBefore();
  const answers: GeneratedAnswer[] = [];
  let sim = newSimKernel('jit', kernel.possibleCpus);
  for (let seed = 1; seed <= count; seed++) {
    if (seed % 100 === 0) sim = newSimKernel('jit', kernel.possibleCpus);
    const program = generateProgram(seed);
    if (namesKernelBtf(program)) continue;
    if (crashesHosts(program)) {
      const before = known.get(seed);
      if (before !== undefined) answers.push(before);
      continue;
    }
    const verdict = askGenerated(kernel, program, false);
    if ((verdict.insns ?? 0) > TOO_LONG_INSNS) console.log(`not recorded: seed ${seed}, ${verdict.insns} instructions are processed`);
    else answers.push(verdict.errno === undefined && comparable(program) && !runsDifferWithMemory(sim, program) ? askGenerated(kernel, program, true) : verdict);
    progress.update(seed, () => `${seed} programs`);
  }
  progress.done();
  return answers;
}

try {
  const kernel = await openPinnedKernel();
  write('objects.jsonl', kernel, recordObjects(kernel));
  write('programs.jsonl', kernel, recordGenerated(kernel, Number(values.seeds)));
} catch (error) {
  if (!(error instanceof BpfkitError)) throw error;
  console.error(`record: ${error.message}`);
  process.exitCode = error.exitCode;
}
