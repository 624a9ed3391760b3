// Every map type beside its naive model: the same random operations from user space and from programs, in plain and in shared memory.

import { describe, expect, test } from 'vitest';
import { mapTypeName } from '../../src/spec/map-types.ts';
import { DRIVEN } from './configs.ts';
import { driveMap } from './drive.ts';
import { TestKernel } from './test-kernel.ts';

const OPS = 12_000;

describe.each([false, true])('shared memory: %s', (shared) => {
  test.each([...DRIVEN.keys()].map((type) => [mapTypeName(type), type] as const))('%s behaves as its model', (_name, type) => {
    const kernel = new TestKernel(2, shared);
    const histogram = driveMap(kernel, type, shared ? 2 : 1, OPS, kernel);
    expect(Object.keys(histogram).length).toBeGreaterThan(4);
  });
});
