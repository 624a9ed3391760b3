// Ring buffers beside their model: reserving, ending out of order, output, wrapping around, waking, draining.

import { describe, expect, test } from 'vitest';
import { BPF_MAP_TYPE_RINGBUF } from '../../src/spec/map-types.ts';
import type { RingbufMap } from '../../src/maps/ringbuf-map.ts';
import { hex } from './model.ts';
import { Random } from './random.ts';
import { RingbufModel } from './ringbuf.ts';
import type { ModelRecord } from './ringbuf.ts';
import { TestKernel } from './test-kernel.ts';

const EAGAIN = 11;
const EINVAL = 22;

function open(size: number, shared = false): { map: RingbufMap; kernel: TestKernel } {
  const kernel = new TestKernel(2, shared);
  const fd = kernel.mapCreate({ map_type: BPF_MAP_TYPE_RINGBUF, key_size: 0, value_size: 0, max_entries: size });
  return { map: kernel.map(fd) as RingbufMap, kernel };
}

/** Runs `count` random operations on both; every answer is compared. */
function drive(size: number, seed: number, count: number, shared: boolean): void {
  const { map, kernel } = open(size, shared);
  const { memory } = kernel.env;
  const model = new RingbufModel(size);
  const random = new Random(seed);
  const source = memory.alloc(size * 2);
  const busy: { record: ModelRecord; sample: number }[] = [];
  const length = (): number => (random.chance(5) ? random.below(size + 8) : random.below(size / 8));
  for (let step = 0; step < count; step++) {
    const at = `seed ${seed} step ${step}`;
    const dice = random.below(100);
    const data = random.bytes(dice < 60 ? length() : 0);
    if (dice < 35) {
      const record = model.reserve(data);
      const sample = map.ringbuf.reserve(data.length);
      expect(sample !== 0, at).toBe(record !== undefined);
      if (record === undefined) continue;
      expect(memory.view.getUint32(sample - 4, true), at).toBe(map.header);
      memory.bytes.set(data, sample);
      busy.push({ record, sample });
    } else if (dice < 60) {
      const flags = random.pick([0, 0, 1, 2, 4]);
      memory.bytes.set(data, source);
      const record = flags === 4 ? undefined : model.reserve(data);
      expect(map.ringbuf.output(source, data.length, flags), at).toBe(flags === 4 ? -EINVAL : record === undefined ? -EAGAIN : 0);
      if (record !== undefined) model.commit(record, 'submitted', flags);
    } else if (dice < 90) {
      const [entry] = busy.splice(random.below(busy.length), 1);
      if (entry === undefined) continue;
      const flags = random.below(3);
      const discards = random.chance(30);
      if (discards) map.ringbuf.discard(entry.sample, flags);
      else map.ringbuf.submit(entry.sample, flags);
      model.commit(entry.record, discards ? 'discarded' : 'submitted', flags);
    } else {
      const given: string[] = [];
      map.consume((record) => given.push(hex(record)));
      expect(given, at).toEqual(model.consume().map(hex));
    }
    const positions = [0, 1, 2, 3, 4, -1].map((flag) => Number(map.ringbuf.query(flag)));
    expect(positions, at).toEqual([model.producerPos - model.consumerPos, size, model.consumerPos, model.producerPos, 0, 0]);
    expect(map.wakeups, at).toBe(model.wakeups);
  }
}

describe.each([false, true])('shared memory: %s', (shared) => {
  test.each([4096, 8192, 65536])('RINGBUF of %i bytes behaves as its model', (size) => drive(size, size, 5000, shared));
});

test('a record that runs past the end is contiguous and stays so', () => {
  const { map, kernel } = open(4096);
  const big = new Uint8Array(3000).fill(1);
  const first = map.ringbuf.reserve(3000);
  kernel.env.memory.bytes.set(big, first);
  map.ringbuf.submit(first, 0);
  map.consume(() => {});
  const second = map.ringbuf.reserve(2000);
  const bytes = new Random(1).bytes(2000);
  kernel.env.memory.bytes.set(bytes, second);
  map.ringbuf.submit(second, 0);
  const third = map.ringbuf.reserve(1000);
  kernel.env.memory.bytes.fill(0xee, third, third + 1000);
  const got: Uint8Array[] = [];
  map.consume((record) => got.push(record));
  expect(got.map(hex)).toEqual([hex(bytes)]);
});

test('element commands do not exist', () => {
  const { map } = open(4096);
  for (const command of ['lookupElem', 'updateElem', 'deleteElem', 'getNextKey', 'lookupAndDeleteElem'] as const) expect(() => map[command]({})).toThrow('ENOTSUPP');
});
