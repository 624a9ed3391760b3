// BPF_MAP_CREATE: checks the attributes, derives the shape, makes the map of the right class.
// Invariant: a type is either in MAKERS or in MAP_TYPE_GAPS. Source: kernel/bpf/syscall.c map_create, Linux 6.18.

import * as types from '../spec/map-types.ts';
import { BPF_F_NO_PREALLOC, mapTypeName } from '../spec/map-types.ts';
import type { MapCreateAttr } from '../spec/syscall.ts';
import { NotSupportedError } from '../util/errors.ts';
import { checkMapAttr } from './alloc-check.ts';
import type { CheckedAttr } from './alloc-check.ts';
import { ArrayMap, PercpuArrayMap } from './array-map.ts';
import { BloomFilterMap, bloomSize } from './bloom.ts';
import type { BpfMap, MapSetup } from './bpf-map.ts';
import type { MapEnv } from './env.ts';
import { ArrayOfMapsMap, HashOfMapsMap, PerfEventArrayMap, ProgArrayMap, XskMap } from './fd-maps.ts';
import { MAP_TYPE_GAPS } from './gaps.ts';
import { HashMap, PercpuHashMap } from './hash-map.ts';
import type { MapShape, SpecialField } from './layout.ts';
import { LpmTrieMap } from './lpm-map.ts';
import { QueueStackMap } from './queue-stack.ts';
import { DevMap, DevMapHash, CpuMap } from './redirect-maps.ts';
import { RingbufMap } from './ringbuf-map.ts';

/** What the value's BTF says, where the map was made with BTF. */
export interface MapBtf { readonly btfId: number; readonly special: readonly SpecialField[] }

type Maker = (setup: MapSetup) => BpfMap;

/** The class of each map type. */
export const MAKERS: ReadonlyMap<number, Maker> = new Map<number, Maker>([
  [types.BPF_MAP_TYPE_ARRAY, (setup) => new ArrayMap(setup)],
  [types.BPF_MAP_TYPE_PERCPU_ARRAY, (setup) => new PercpuArrayMap(setup)],
  [types.BPF_MAP_TYPE_HASH, (setup) => new HashMap(setup)],
  [types.BPF_MAP_TYPE_LRU_HASH, (setup) => new HashMap(setup)],
  [types.BPF_MAP_TYPE_PERCPU_HASH, (setup) => new PercpuHashMap(setup)],
  [types.BPF_MAP_TYPE_LRU_PERCPU_HASH, (setup) => new PercpuHashMap(setup)],
  [types.BPF_MAP_TYPE_QUEUE, (setup) => new QueueStackMap(setup)],
  [types.BPF_MAP_TYPE_STACK, (setup) => new QueueStackMap(setup)],
  [types.BPF_MAP_TYPE_BLOOM_FILTER, (setup) => new BloomFilterMap(setup)],
  [types.BPF_MAP_TYPE_LPM_TRIE, (setup) => new LpmTrieMap(setup)],
  [types.BPF_MAP_TYPE_RINGBUF, (setup) => new RingbufMap(setup)],
  [types.BPF_MAP_TYPE_PROG_ARRAY, (setup) => new ProgArrayMap(setup)],
  [types.BPF_MAP_TYPE_PERF_EVENT_ARRAY, (setup) => new PerfEventArrayMap(setup)],
  [types.BPF_MAP_TYPE_ARRAY_OF_MAPS, (setup) => new ArrayOfMapsMap(setup)],
  [types.BPF_MAP_TYPE_HASH_OF_MAPS, (setup) => new HashOfMapsMap(setup)],
  [types.BPF_MAP_TYPE_DEVMAP, (setup) => new DevMap(setup)],
  [types.BPF_MAP_TYPE_DEVMAP_HASH, (setup) => new DevMapHash(setup)],
  [types.BPF_MAP_TYPE_CPUMAP, (setup) => new CpuMap(setup)],
  [types.BPF_MAP_TYPE_XSKMAP, (setup) => new XskMap(setup)],
]);

/** The shape that a map of these attributes has in a kernel. */
export function shapeOf(attr: CheckedAttr, cpus: number, shared: boolean, special: readonly SpecialField[] = []): MapShape {
  const bloom = attr.map_type === types.BPF_MAP_TYPE_BLOOM_FILTER ? bloomSize(attr.map_extra, attr.max_entries) : { hashCount: 0, bits: 0 };
  return {
    mapType: attr.map_type, keySize: attr.key_size, valueSize: attr.value_size, maxEntries: attr.max_entries,
    noPrealloc: (attr.map_flags & BPF_F_NO_PREALLOC) !== 0, cpus, shared, special, ...bloom,
  };
}

/** Makes a map. Throws BpfSyscallError as BPF_MAP_CREATE fails, NotSupportedError for the types in MAP_TYPE_GAPS. */
export function createMap(attr: MapCreateAttr, env: MapEnv, btf: MapBtf = { btfId: 0, special: [] }): BpfMap {
  const name = mapTypeName(attr.map_type);
  if (name in MAP_TYPE_GAPS) throw new NotSupportedError(`map type ${name}`);
  const checked = { ...checkMapAttr(attr, env.possibleCpus), btf_id: btf.btfId };
  const shape = shapeOf(checked, env.possibleCpus, env.memory.shared, btf.special);
  const make = MAKERS.get(attr.map_type);
  if (make === undefined) throw new NotSupportedError(`map type ${name}`);
  return make({ attr: checked, shape, env });
}
