// Several threads on one map in shared memory: bucket locks, free lists, the clock, queues, tries and rings keep their invariants.

import { Worker } from 'node:worker_threads';
import { expect, test } from 'vitest';
import { TestKernel } from '../../tests/map-models/test-kernel.ts';
import * as t from '../spec/map-types.ts';
import type { MapCreateAttr } from '../spec/syscall.ts';
import { EMITTERS } from './attach.ts';
import type { BpfMap } from './bpf-map.ts';
import { moduleFor } from './map-module.ts';
import type { RingbufMap } from './ringbuf-map.ts';

const CPUS = 3;
const OPS = 60_000;

/** Plain JavaScript for a worker thread: `body` runs with the map's exports, a view, two scratch offsets and a random function. */
const SOURCE = `
  const { parentPort, workerData: d } = require('node:worker_threads');
  const i32 = (value) => new WebAssembly.Global({ value: 'i32' }, value | 0);
  const cpu = new WebAssembly.Global({ value: 'i32', mutable: true }, d.cpuArea);
  const env = { memory: d.memory, header: i32(d.header), data: i32(d.data), cpu, grow: () => -12 };
  const ops = new WebAssembly.Instance(d.module, { env }).exports;
  const view = new DataView(d.memory.buffer);
  let state = d.seed;
  const random = (n) => { state = (Math.imul(state, 1664525) + 1013904223) >>> 0; return Math.floor(state / 2 ** 32 * n); };
  const result = new Function('ops', 'view', 'key', 'value', 'random', 'count', d.body)(ops, view, d.key, d.value, random, d.count);
  parentPort.postMessage(result);
`;

async function race(attr: MapCreateAttr, body: string, prepare: (map: BpfMap, kernel: TestKernel) => void = () => {}): Promise<{ map: BpfMap; kernel: TestKernel; results: number[] }> {
  const kernel = new TestKernel(CPUS, true);
  const map = kernel.map(kernel.mapCreate(attr));
  prepare(map, kernel);
  const module = moduleFor(map.shape, EMITTERS.get(attr.map_type) as NonNullable<ReturnType<typeof EMITTERS.get>>);
  const runs = Array.from({ length: CPUS }, (_, cpu) => new Promise<number>((resolve, reject) => {
    const workerData = {
      memory: kernel.env.memory.memory, module, header: map.header, data: map.data, cpuArea: kernel.env.cpuAreas[cpu], seed: cpu + 1, body, count: OPS,
      key: kernel.env.memory.alloc(64), value: kernel.env.memory.alloc(64),
    };
    const worker = new Worker(SOURCE, { eval: true, workerData });
    worker.once('message', resolve);
    worker.once('error', reject);
  }));
  return { map, kernel, results: await Promise.all(runs) };
}

const CHURN = `
  let stored = 0;
  for (let i = 0; i < count; i++) {
    const k = random(64);
    view.setUint32(key, k, true);
    const dice = random(3);
    if (dice === 0) { view.setUint32(value, k, true); view.setUint32(value + 4, ~k >>> 0, true); if (ops.update(key, value, 0) === 0) stored++; }
    else if (dice === 1) ops.delete(key);
    else ops.lookup(key);
  }
  return stored;
`;

/** Makes a map without preallocation allocate its elements, which threads can't. */
function fillAndEmpty(map: BpfMap, kernel: TestKernel): void {
  for (let key = 0; key < 32; key++) map.updateElem({ key: Uint8Array.of(key, 0, 0, 0), value: new Uint8Array(map.userValueSize) });
  for (let key = 0; key < 32; key++) map.deleteElem({ key: Uint8Array.of(key, 0, 0, 0) });
  kernel.endRun();
}

/** All keys of a map by walking it. */
function keysOf(map: BpfMap): number[] {
  const keys: number[] = [];
  for (let key: Uint8Array | undefined; ;) {
    const next = new Uint8Array(4);
    try {
      map.getNextKey({ key, next_key: next });
    } catch {
      return keys;
    }
    keys.push(Buffer.from(next).readUInt32LE(0));
    key = next;
  }
}

test.each([
  ['HASH', t.BPF_MAP_TYPE_HASH, 0], ['HASH without preallocation', t.BPF_MAP_TYPE_HASH, t.BPF_F_NO_PREALLOC], ['LRU_HASH', t.BPF_MAP_TYPE_LRU_HASH, 0],
  ['PERCPU_HASH', t.BPF_MAP_TYPE_PERCPU_HASH, 0], ['LRU_PERCPU_HASH', t.BPF_MAP_TYPE_LRU_PERCPU_HASH, 0],
])('%s under three threads loses and invents nothing', async (_name, map_type, map_flags) => {
  const { map, kernel, results } = await race({ map_type, key_size: 4, value_size: 8, max_entries: 32, map_flags }, CHURN, fillAndEmpty);
  expect(results.reduce((a, b) => a + b)).toBeGreaterThan(20);
  const keys = keysOf(map);
  expect(new Set(keys).size).toBe(keys.length);
  expect((map as unknown as { count: number }).count).toBe(keys.length);
  expect(keys.length).toBeLessThanOrEqual(32);
  for (const key of keys) expect(key).toBeLessThan(64);
  for (const key of keys) map.deleteElem({ key: Uint8Array.of(key, 0, 0, 0) });
  kernel.endRun();
  for (let key = 0; key < 32; key++) map.updateElem({ key: Uint8Array.of(key, 0, 0, 0), value: new Uint8Array(map.userValueSize) });
  expect(keysOf(map).length).toBe(32);
});

test('QUEUE: what three threads push and pop adds up', async () => {
  const body = `
    let balance = 0;
    for (let i = 0; i < count; i++) {
      const n = 1 + random(1000);
      view.setUint32(value, n, true);
      if (random(2) === 0) { if (ops.push(value, 0) === 0) balance += n; }
      else if (ops.pop(value) === 0) balance -= view.getUint32(value, true);
    }
    return balance;
  `;
  const { map, results } = await race({ map_type: t.BPF_MAP_TYPE_QUEUE, key_size: 0, value_size: 4, max_entries: 50 }, body);
  let left = 0;
  const value = new Uint8Array(4);
  for (;;) {
    try {
      map.lookupAndDeleteElem({ value });
    } catch {
      break;
    }
    left += Buffer.from(value).readUInt32LE(0);
  }
  expect(left).toBe(results.reduce((a, b) => a + b));
});

test('RINGBUF: every record that found room arrives whole', async () => {
  const body = `
    let sent = 0;
    for (let i = 0; i < 2000; i++) {
      const size = 8 + 8 * random(5);
      const sample = ops.ringbufReserve(size) >>> 0;
      if (sample === 0) break;
      for (let at = 0; at < size; at += 4) view.setUint32(sample + at, i * 8 + 1, true);
      ops.ringbufSubmit(sample, 0);
      sent++;
    }
    return sent;
  `;
  const { map, results } = await race({ map_type: t.BPF_MAP_TYPE_RINGBUF, key_size: 0, value_size: 0, max_entries: 131072 }, body);
  let got = 0;
  (map as RingbufMap).consume((record) => {
    got++;
    const words = new Set(new Uint32Array(record.buffer, record.byteOffset, record.length / 4));
    expect(words.size).toBe(1);
  });
  expect(got).toBe(results.reduce((a, b) => a + b));
});

test('LPM_TRIE: three threads add and remove disjoint routes', async () => {
  const body = `
    const own = view.getUint32(key + 32, true);
    for (let i = 0; i < count / 4; i++) {
      view.setUint32(key, 8 + random(25), true);
      view.setUint8(key + 4, random(256)); view.setUint8(key + 5, random(4) * 64); view.setUint8(key + 6, random(256)); view.setUint8(key + 7, random(256));
      if (random(2) === 0) ops.update(key, value, 0); else if (random(2) === 0) ops.delete(key); else ops.lookup(key);
    }
    return own;
  `;
  const { map } = await race({ map_type: t.BPF_MAP_TYPE_LPM_TRIE, key_size: 8, value_size: 8, max_entries: 5000, map_flags: 1 }, body, (trie) => {
    for (let n = 0; n < 5000; n++) trie.updateElem({ key: Uint8Array.of(32, 0, 0, 0, n >> 8, n & 255, 9, 9), value: new Uint8Array(8) });
    for (let n = 0; n < 5000; n += 2) trie.deleteElem({ key: Uint8Array.of(32, 0, 0, 0, n >> 8, n & 255, 9, 9) });
  });
  let walked = 0;
  for (let key: Uint8Array | undefined; ; walked++) {
    const next = new Uint8Array(8);
    try {
      map.getNextKey({ key, next_key: next });
    } catch {
      break;
    }
    key = next;
  }
  expect((map as unknown as { count: number }).count).toBe(walked);
});
