// A map in another worker: the same memory, its own instance of the operations.
// Invariant: everything that a map's code needs lies in memory (header, state, data) or in the shape, so a descriptor is plain data that can be posted.
// Not there yet: allocating from a worker. A map without preallocation that runs out of elements in a worker answers -ENOMEM.

import * as types from '../spec/map-types.ts';
import { ENOMEM } from '../spec/errno.ts';
import { NotSupportedError } from '../util/errors.ts';
import { emitArrayOps } from './array.ts';
import { emitBloomOps } from './bloom.ts';
import { emitSlotOps } from './fd-array.ts';
import { emitHashOps } from './hash.ts';
import type { MapShape } from './layout.ts';
import { emitLpmOps } from './lpm.ts';
import { instantiateMap } from './map-module.ts';
import type { EmitMapOps, InstanceEnv, MapInstance } from './map-module.ts';
import { emitQueueOps } from './queue-stack.ts';
import { emitRingbufOps } from './ringbuf.ts';

/** What another worker needs to use a map: plain data. Offsets in the kernel's memory. */
export interface MapDescriptor { readonly id: number; readonly shape: MapShape; readonly header: number; readonly data: number }

/** The emitter of each map type's operations. */
export const EMITTERS: ReadonlyMap<number, EmitMapOps> = new Map<number, EmitMapOps>([
  [types.BPF_MAP_TYPE_ARRAY, emitArrayOps], [types.BPF_MAP_TYPE_PERCPU_ARRAY, emitArrayOps],
  [types.BPF_MAP_TYPE_HASH, emitHashOps], [types.BPF_MAP_TYPE_PERCPU_HASH, emitHashOps], [types.BPF_MAP_TYPE_LRU_HASH, emitHashOps],
  [types.BPF_MAP_TYPE_LRU_PERCPU_HASH, emitHashOps], [types.BPF_MAP_TYPE_HASH_OF_MAPS, emitHashOps], [types.BPF_MAP_TYPE_DEVMAP_HASH, emitHashOps],
  [types.BPF_MAP_TYPE_LPM_TRIE, emitLpmOps], [types.BPF_MAP_TYPE_QUEUE, emitQueueOps], [types.BPF_MAP_TYPE_STACK, emitQueueOps],
  [types.BPF_MAP_TYPE_BLOOM_FILTER, emitBloomOps], [types.BPF_MAP_TYPE_RINGBUF, emitRingbufOps],
  [types.BPF_MAP_TYPE_PROG_ARRAY, emitSlotOps], [types.BPF_MAP_TYPE_PERF_EVENT_ARRAY, emitSlotOps], [types.BPF_MAP_TYPE_ARRAY_OF_MAPS, emitSlotOps],
  [types.BPF_MAP_TYPE_DEVMAP, emitSlotOps], [types.BPF_MAP_TYPE_CPUMAP, emitSlotOps], [types.BPF_MAP_TYPE_XSKMAP, emitSlotOps],
]);

/** Instantiates the operations of a map that another worker made. `env.memory` must be the same shared memory, `env.cpu` this worker's own global. */
export function attachMap(map: MapDescriptor, env: InstanceEnv): MapInstance {
  const emit = EMITTERS.get(map.shape.mapType);
  if (emit === undefined) throw new NotSupportedError(`map type ${types.mapTypeName(map.shape.mapType)}`);
  return instantiateMap(map.shape, emit, env, map.header, map.data, () => -ENOMEM);
}
