// A map as the verifier needs to know it.

import type { BpfMap } from '../maps/bpf-map.ts';
import type { MapRef } from '../maps/env.ts';
import { BPF_F_RDONLY_PROG } from '../spec/map-types.ts';
import type { KernelMemory } from '../vm/memory.ts';
import type { VerifierMap } from '../verifier/api.ts';

/** Facts of a map, its inner map's template included. A frozen read-only map's contents can be folded into the program. */
export function mapFacts(map: BpfMap): VerifierMap {
  const inner = map.innerMeta;
  const folds = map.frozen && (map.attr.map_flags & BPF_F_RDONLY_PROG) !== 0 && map.runtime.valuesOffset !== undefined;
  return {
    ...refFacts(map),
    ...(inner === undefined ? {} : { inner: refFacts(inner) }),
    ...(folds ? { readFrozen: frozenReader(map.env.memory, map.runtime.valuesOffset as number) } : {}),
  };
}

function refFacts(map: MapRef): VerifierMap {
  const { attr, shape } = map;
  const lock = shape.special.find((field) => field.kind === 'spin_lock');
  const timer = shape.special.find((field) => field.kind === 'timer');
  return {
    id: map.id, name: attr.map_name, mapType: attr.map_type, keySize: attr.key_size, valueSize: attr.value_size, maxEntries: attr.max_entries,
    mapFlags: attr.map_flags, ...(lock === undefined ? {} : { spinLockOffset: lock.offset }), ...(timer === undefined ? {} : { timerOffset: timer.offset }),
  };
}

function frozenReader(memory: KernelMemory, values: number): (offset: number, sizeBytes: number) => bigint {
  return (offset, sizeBytes) => {
    let value = 0n;
    for (let i = sizeBytes - 1; i >= 0; i--) value = (value << 8n) | BigInt(memory.view.getUint8(values + offset + i));
    return value;
  };
}
