// BPF_MAP_CREATE's verdicts beside those that Linux 6.18 gave for the same attributes; and what isn't there is named.

import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { EMITTERS } from '../../src/maps/attach.ts';
import { MAKERS } from '../../src/maps/create.ts';
import { MAP_TYPE_GAPS } from '../../src/maps/gaps.ts';
import { MAP_TYPES, BPF_MAP_TYPE_SOCKMAP } from '../../src/spec/map-types.ts';
import { NotSupportedError } from '../../src/util/errors.ts';
import { RECORDED, createAttrs, createVerdict } from './create-cases.ts';
import { TestKernel } from './test-kernel.ts';

test('the kernel and createMap agree on every recorded set of attributes', () => {
  const recorded = JSON.parse(readFileSync(new URL('create-recorded.json', import.meta.url), 'utf8')) as { verdicts: string[] };
  const kernel = new TestKernel(2);
  const differences = createAttrs(RECORDED.seed, RECORDED.count).flatMap((attr, i) => {
    const verdict = createVerdict(kernel, attr);
    kernel.endRun();
    return verdict === recorded.verdicts[i] ? [] : [`${JSON.stringify(attr, (_, v: unknown) => (typeof v === 'bigint' ? String(v) : v))}: ${verdict}, kernel ${recorded.verdicts[i]}`];
  });
  expect(differences).toEqual([]);
});

test('every map type is either made or listed as a gap', () => {
  for (const { name, id } of MAP_TYPES.slice(1)) expect(`${name} ${Number(MAKERS.has(id)) + Number(name in MAP_TYPE_GAPS)}`).toBe(`${name} 1`);
});

test('every map type that is made can be attached to by another worker', () => {
  expect([...EMITTERS.keys()].toSorted((a, b) => a - b)).toEqual([...MAKERS.keys()].toSorted((a, b) => a - b));
});

test('a missing type is refused by name', () => {
  const kernel = new TestKernel();
  expect(() => kernel.mapCreate({ map_type: BPF_MAP_TYPE_SOCKMAP, key_size: 4, value_size: 4, max_entries: 1 })).toThrow(NotSupportedError);
});
