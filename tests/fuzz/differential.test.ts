// Generated programs on the interpreter and the JIT: a short run in every test run; `npm run fuzz` goes on for longer and asks the kernel too
// (tests/kernel.test.ts does, where there is one).

import { expect, test } from 'vitest';
import { Differential } from './differential.ts';
import { generateProgram } from './programs/generate.ts';

const FIRST_SEED = 1;
const COUNT = 1500;

test(`${COUNT} generated programs (seeds from ${FIRST_SEED}): interpreter and JIT agree on results, packets and maps`, () => {
  const differential = new Differential(undefined);
  let accepted = 0;
  for (let seed = FIRST_SEED; seed < FIRST_SEED + COUNT; seed++) {
    const outcome = differential.run(seed);
    expect(['agree', 'unsupported'], `seed ${seed}: ${outcome.kind}: ${outcome.detail}`).toContain(outcome.kind);
    if (outcome.accepted) accepted++;
  }
  expect(accepted / COUNT).toBeGreaterThan(0.3);
  expect(accepted / COUNT).toBeLessThan(0.7);
}, 240_000);

test('the same seed gives the same program', () => {
  for (const seed of [1, 77, 4_000_000_000]) expect(generateProgram(seed)).toEqual(generateProgram(seed));
});
