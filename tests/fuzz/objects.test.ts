// A short run of the object fuzzer; tools run it longer with other seeds.

import { expect, test } from 'vitest';
import { fuzzObjects } from './objects.ts';

test('4,000 mutated objects (seed 1): typed errors only, none slow', () => {
  const { outcomes, failures } = fuzzObjects(1, 4000);
  expect(failures).toEqual([]);
  // Mutants must reach all depths, or the fuzzer tests nothing.
  for (const kind of ['loaded', 'ElfError', 'BtfError', 'LoadError', 'NotSupportedError']) expect(outcomes.get(kind) ?? 0, kind).toBeGreaterThan(10);
});
