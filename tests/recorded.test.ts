// bpfkit beside the recorded answers of Linux (tests/recorded, `npm run record`), in both executors: verdict, errno, message, counters, what runs leave.
// What differs and is known to stands in tests/recorded/differences.ts with its reason; a listed case that agrees fails.

import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { SimKernel } from '../src/kernel/sim-kernel.ts';
import { NotSupportedError } from '../src/util/errors.ts';
import { generateProgram } from './fuzz/programs/generate.ts';
import { OBJECT_DIFFERENCES, PROGRAM_DIFFERENCES } from './recorded/differences.ts';
import { askGenerated, newSimKernel, type GeneratedAnswer } from './recorded/generated.ts';
import { askObject, objectPaths, openPath, type ObjectAnswer } from './recorded/objects.ts';

interface Header { readonly kernel: string; readonly cpus: number }

function recorded<T>(name: string): { header: Header; answers: readonly T[] } {
  const [header, ...answers] = readFileSync(new URL(`recorded/${name}`, import.meta.url), 'utf8').split('\n').filter((line) => line !== '').map((line) => JSON.parse(line) as unknown);
  return { header: header as Header, answers: answers as T[] };
}

/** What differs, as lines; nothing when all agree or a difference is listed. */
function judge(name: string, reason: string | undefined, ours: object | string, theirs: object): string[] {
  const same = JSON.stringify(ours) === JSON.stringify(theirs);
  if (same) return reason === undefined ? [] : [`${name} agrees now; take it off the list (${reason})`];
  return reason === undefined ? [`${name}\n  ours:   ${typeof ours === 'string' ? ours : JSON.stringify(ours)}\n  kernel: ${JSON.stringify(theirs)}`] : [];
}

function orUnsupported<T>(ask: () => T): T | string {
  try {
    return ask();
  } catch (error) {
    if (error instanceof NotSupportedError) return error.message;
    throw error;
  }
}

const objects = recorded<ObjectAnswer>('objects.jsonl');
const programs = recorded<GeneratedAnswer>('programs.jsonl');
const PROGRAMS_PER_KERNEL = 100;

describe.each(['jit', 'interp'] as const)('%s', (engine) => {
  test(`objects: as Linux ${objects.header.kernel} answered`, () => {
    const differences = objects.answers.flatMap((theirs) => {
      const spec = openPath(theirs.object);
      const prog = spec.programs.find((each) => each.name === theirs.program);
      if (prog === undefined) return [`${theirs.object}: no program ${theirs.program} any more: npm run record`];
      const kernel = new SimKernel({ engine, cpus: objects.header.cpus });
      const ours = orUnsupported(() => askObject(kernel, theirs.object, spec, prog));
      const name = `${theirs.object} ${theirs.program}`;
      return judge(name, OBJECT_DIFFERENCES[name], typeof ours === 'string' ? ours : withoutUnrecorded(ours, theirs), theirs);
    });
    expect(differences).toEqual([]);
  });

  test(`generated programs: as Linux ${programs.header.kernel} answered`, () => {
    let kernel = newSimKernel(engine, programs.header.cpus);
    // A verdict is the same whichever executor runs afterwards: the second asks only about programs whose runs are recorded.
    const asked = programs.answers.filter((answer) => engine === 'jit' || answer.runs !== undefined);
    const differences = asked.flatMap((theirs, i) => {
      if (i % PROGRAMS_PER_KERNEL === 0) kernel = newSimKernel(engine, programs.header.cpus);
      const ours = orUnsupported(() => askGenerated(kernel, generateProgram(theirs.seed), theirs.runs !== undefined));
      return judge(`seed ${theirs.seed}`, PROGRAM_DIFFERENCES[theirs.seed], ours, theirs);
    });
    expect(differences).toEqual([]);
  });
});

test('the records know every program of the committed objects', () => {
  const known = new Set(objects.answers.map((answer) => `${answer.object} ${answer.program}`));
  const missing = objectPaths().filter((path) => path !== NEVER_ASKED).flatMap((path) => openPath(path).programs.map((prog) => `${path} ${prog.name}`)).filter((name) => !known.has(name));
  expect(missing, 'npm run record').toEqual([]);
});

test('the list of differences names only what is recorded', () => {
  const names = new Set(objects.answers.map((answer) => `${answer.object} ${answer.program}`));
  const seeds = new Set(programs.answers.map((answer) => answer.seed));
  expect(Object.keys(OBJECT_DIFFERENCES).filter((name) => !names.has(name))).toEqual([]);
  expect(Object.keys(PROGRAM_DIFFERENCES).filter((seed) => !seeds.has(Number(seed)))).toEqual([]);
});

/** Its programs need a kernel's configuration and symbols, which the loader says it doesn't resolve yet. */
const NEVER_ASKED = 'tests/objects/externs.bpf.o';

/** What was not the same twice when it was recorded is not compared. */
function withoutUnrecorded(ours: ObjectAnswer, theirs: ObjectAnswer): ObjectAnswer {
  const { runs, maps, ...rest } = ours;
  return { ...rest, ...(theirs.runs === undefined || runs === undefined ? {} : { runs }), ...(theirs.maps === undefined || maps === undefined ? {} : { maps }) };
}
