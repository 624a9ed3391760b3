// Every helper case on the simulated kernel, with both executors: verdict, packet and map as Linux 6.18 answered (recorded.json).
// Where the answers differ on purpose, DIFFERENCES says why; a difference that is none any more fails.

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { SimKernel } from '../../src/kernel/sim-kernel.ts';
import { runCase } from './case.ts';
import type { CaseResult } from './case.ts';
import { BASE_CASES } from './cases-base.ts';
import { SKB_CASES } from './cases-skb.ts';
import { XDP_CASES } from './cases-xdp.ts';
import { DIFFERENCES } from './differences.ts';

const RECORDED = JSON.parse(readFileSync(new URL('recorded.json', import.meta.url), 'utf8')) as Readonly<Record<string, CaseResult>>;
const CASES = [...XDP_CASES, ...SKB_CASES, ...BASE_CASES];

describe.each(['interp', 'jit'] as const)('helpers as Linux has them, %s', (engine) => {
  const kernel = new SimKernel({ engine });
  it.each(CASES.map((one) => [`${one.type}: ${one.name}`, one] as const))('%s', (name, one) => {
    const recorded = RECORDED[name];
    expect(recorded, 'not recorded').toBeDefined();
    const got = runCase(kernel, one);
    if (DIFFERENCES[name] === undefined) expect(got).toEqual(recorded);
    else expect(got, `no difference any more: ${DIFFERENCES[name]}`).not.toEqual(recorded);
  });
});

it('records and differences name only cases that are there', () => {
  const names = new Set(CASES.map((one) => `${one.type}: ${one.name}`));
  expect(names.size).toBe(CASES.length);
  expect([...Object.keys(RECORDED), ...Object.keys(DIFFERENCES)].filter((name) => !names.has(name))).toEqual([]);
});
