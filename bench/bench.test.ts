// Every benchmark program: verified, run in both executors with equal verdicts, packets and maps, counts right. No time is asserted.

import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { bench } from '../cli/commands/bench.ts';
import { openLinuxKernel } from '../linux/index.ts';
import type { BpfSyscall } from '../src/index.ts';
import { BPF_MAP_TYPE_ARRAY } from '../src/spec/map-types.ts';
import { BpfkitError, UsageError } from '../src/util/errors.ts';
import { checkCounts, comparePasses, subjectsOf, type BenchResult } from './measure.ts';
import { packets } from './packets.ts';
import { figureOf } from './subject.ts';
import { CALIBRATION, SUITE } from './suite.ts';
import { jsonLine, legend, table } from './table.ts';

const FOLDER = join(import.meta.dirname, 'programs');

describe.each([...SUITE, CALIBRATION].map((program) => [program.name, program] as const))('%s', (_name, program) => {
  test('is verified and gives the same in both executors', () => {
    const subjects = subjectsOf(FOLDER, program, undefined, program.group === 'compute' ? 64 : 1024);
    expect(comparePasses(program, subjects)).toEqual([]);
    expect(checkCounts(program, subjects)).toEqual([]);
    for (const subject of subjects) subject.close();
  });
});

/** The machine's kernel, where it takes programs from this user. */
async function hostKernel(): Promise<BpfSyscall | undefined> {
  try {
    const kernel = await openLinuxKernel();
    kernel.close(kernel.mapCreate({ map_type: BPF_MAP_TYPE_ARRAY, key_size: 4, value_size: 8, max_entries: 1 }));
    return kernel;
  } catch (error) {
    if (error instanceof BpfkitError) return undefined;
    throw error;
  }
}

test('the running kernel gives the same as both executors', async ({ skip }) => {
  const kernel = await hostKernel();
  if (kernel === undefined) return skip('needs a Linux kernel, koffi and the right to load programs');
  for (const program of SUITE) {
    const subjects = subjectsOf(FOLDER, program, kernel, 64);
    expect([...comparePasses(program, subjects), ...checkCounts(program, subjects)]).toEqual([]);
    for (const subject of subjects) subject.close();
  }
  return undefined;
});

test('a second pass changes what the programs counted: the comparison can fail', () => {
  const program = SUITE.find(({ name }) => name === 'parse-rule');
  if (program === undefined) throw new TypeError('parse-rule is in the suite');
  const subjects = subjectsOf(FOLDER, program, undefined, 16);
  subjects[1]?.pass();
  expect(comparePasses(program, subjects)).toHaveLength(1);
  expect(checkCounts(program, subjects)).toEqual([]);
});

test('every object in the folder belongs to the suite', () => {
  const used = new Set([...SUITE, CALIBRATION].map(({ object }) => `${object}.bpf.o`));
  expect(readdirSync(FOLDER).filter((name) => name.endsWith('.o')).sort()).toEqual([...used].sort());
});

test('no two packets are alike', () => {
  expect(new Set(packets(1024, 64).map((packet) => packet.join())).size).toBe(1024);
});

test('a program that aborts is a problem, not a figure', () => {
  const lru = SUITE.find(({ name }) => name === 'lru-hit');
  if (lru === undefined) throw new TypeError('lru-hit is in the suite');
  const { setUp: _keys, ...empty } = lru;
  expect(comparePasses(empty, subjectsOf(FOLDER, empty, undefined, 16)).join()).toContain('lru-hit: jit aborted 16 of its runs');
});

const result = (program: string, engine: BenchResult['engine'], best: number): BenchResult =>
  ({ program, group: SUITE.find(({ name }) => name === program)?.group ?? '', engine, figure: { best, median: best + 1, windows: 3 } });

describe('figures', () => {
  test('best and median of windows', () => {
    expect(figureOf([5, 3, 9, 4, 100])).toEqual({ best: 3, median: 5, windows: 5 });
  });

  test('JSON lines keep the contract', () => {
    expect(JSON.parse(jsonLine(result('drop', 'jit', 2), undefined))).toEqual({ program: 'drop', group: 'packet', engine: 'jit', ns_best: 2, ns_median: 3, windows: 3 });
    expect(JSON.parse(jsonLine(result('drop', 'kernel', 8), 6.7))).toMatchObject({ engine: 'kernel', ns_best: 8, ns_net_best: 1.3 });
  });

  test('the table has ratios raw and net, and geometric means', () => {
    const lines = table([result('nat', 'jit', 20), result('nat', 'kernel', 40), result('flow-1', 'jit', 5), result('flow-1', 'kernel', 40)], 20);
    expect(lines.find((line) => line.startsWith('nat '))).toMatch(/ 0\.50 +1\.00 /);
    expect(lines.find((line) => line.startsWith('mean of all'))).toMatch(/ 0\.25 +0\.50 /);
    expect(legend(20, true).join()).toContain('20.0 ns');
  });

  test('without a kernel there is no ratio', () => {
    expect(table([result('nat', 'jit', 20)], undefined)[0]).not.toContain('kernel');
  });
});

const row = (program: string, engine: string): unknown => expect.objectContaining({ program, group: 'packet', engine, ns_best: expect.any(Number), ns_median: expect.any(Number) });

describe('the command', () => {
  test('names what there is when it is asked for something else', async () => {
    await expect(bench(['drop', 'nothing'], { seconds: '0.5' })).rejects.toThrow(/no benchmark 'nothing'; there are: drop, parse-rule/);
    await expect(bench(['drop'], { seconds: 'long' })).rejects.toThrow(UsageError);
  });

  test('--json: one object per engine on stdout, nothing else', async () => {
    const args = ['--import', 'tsx', join(import.meta.dirname, '../cli/main.ts'), 'bench', 'drop', 'nat', '--json', '--seconds', '0.02'];
    const { stdout, stderr } = await promisify(execFile)(process.execPath, args);
    const lines = stdout.trimEnd().split('\n').map((line): unknown => JSON.parse(line));
    expect(lines).toEqual([row('drop', 'jit'), row('drop', 'interp'), row('nat', 'jit'), row('nat', 'interp')]);
    expect(stderr).toContain('Node ');
  });
});
