// The maps that generated programs use: one or more of every type of the spine, small, so that full maps and evictions happen.
// Invariant: the position in FUZZ_MAPS is a map's name in generated instructions; append, never reorder (seeds would change meaning).

import * as m from '../../../src/spec/map-types.ts';

/** A map of the fixed list; `inner` is the index of a map that serves as a map-in-map's template and first element. */
export interface FuzzMap {
  readonly name: string;
  readonly type: number;
  readonly keySize: number;
  readonly valueSize: number;
  readonly maxEntries: number;
  readonly flags: number;
  readonly inner?: number;
  readonly mapExtra?: bigint;
}

const map = (name: string, type: number, keySize: number, valueSize: number, maxEntries: number, flags = 0): FuzzMap =>
  ({ name, type, keySize, valueSize, maxEntries, flags });

export const FUZZ_MAPS: readonly FuzzMap[] = [
  map('hash', m.BPF_MAP_TYPE_HASH, 8, 16, 8),
  map('hash_noprealloc', m.BPF_MAP_TYPE_HASH, 4, 24, 8, m.BPF_F_NO_PREALLOC),
  map('percpu_hash', m.BPF_MAP_TYPE_PERCPU_HASH, 8, 16, 8),
  map('lru_hash', m.BPF_MAP_TYPE_LRU_HASH, 8, 16, 64),
  map('lru_percpu', m.BPF_MAP_TYPE_LRU_PERCPU_HASH, 8, 16, 64),
  map('array', m.BPF_MAP_TYPE_ARRAY, 4, 32, 8),
  map('percpu_array', m.BPF_MAP_TYPE_PERCPU_ARRAY, 4, 32, 8),
  map('prog_array', m.BPF_MAP_TYPE_PROG_ARRAY, 4, 4, 4),
  map('lpm', m.BPF_MAP_TYPE_LPM_TRIE, 8, 8, 16, m.BPF_F_NO_PREALLOC),
  map('queue', m.BPF_MAP_TYPE_QUEUE, 0, 16, 4),
  map('stack', m.BPF_MAP_TYPE_STACK, 0, 16, 4),
  map('bloom', m.BPF_MAP_TYPE_BLOOM_FILTER, 0, 8, 64),
  { ...map('array_of_maps', m.BPF_MAP_TYPE_ARRAY_OF_MAPS, 4, 4, 2), inner: 5 },
  { ...map('hash_of_maps', m.BPF_MAP_TYPE_HASH_OF_MAPS, 4, 4, 2), inner: 0 },
  map('ringbuf', m.BPF_MAP_TYPE_RINGBUF, 0, 0, 4096),
  map('perf', m.BPF_MAP_TYPE_PERF_EVENT_ARRAY, 4, 4, 4),
  map('devmap', m.BPF_MAP_TYPE_DEVMAP, 4, 4, 4),
  map('devmap_hash', m.BPF_MAP_TYPE_DEVMAP_HASH, 4, 4, 4),
  map('cpumap', m.BPF_MAP_TYPE_CPUMAP, 4, 4, 4),
  map('xskmap', m.BPF_MAP_TYPE_XSKMAP, 4, 4, 4),
  map('array1', m.BPF_MAP_TYPE_ARRAY, 4, 1, 1),
  map('array_ro', m.BPF_MAP_TYPE_ARRAY, 4, 16, 2, m.BPF_F_RDONLY_PROG),
  map('array_wo', m.BPF_MAP_TYPE_ARRAY, 4, 16, 2, m.BPF_F_WRONLY_PROG),
  map('global', m.BPF_MAP_TYPE_ARRAY, 4, 64, 1),
];

/** Index of a map in the list. */
export const mapIndex = (name: string): number => FUZZ_MAPS.findIndex((entry) => entry.name === name);

/** Maps whose look-up gives a value that a program can read and write. */
export const VALUE_MAPS: readonly number[] = ['hash', 'hash_noprealloc', 'percpu_hash', 'lru_hash', 'lru_percpu', 'array', 'percpu_array', 'lpm', 'array1', 'array_ro', 'array_wo'].map(mapIndex);
/** Maps with push, pop and peek. */
export const QUEUE_MAPS: readonly number[] = ['queue', 'stack', 'bloom'].map(mapIndex);
