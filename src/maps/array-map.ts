// ARRAY and PERCPU_ARRAY from outside: the bpf() commands on index keys.
// Invariant: elements can't be deleted; commands on a per-CPU array carry one value per possible CPU, each rounded up to 8 bytes.
// Source: kernel/bpf/arraymap.c (array_map_get_next_key, bpf_percpu_array_update …).

import { BPF_EXIST, BPF_F_MMAPABLE, BPF_MAP_TYPE_PERCPU_ARRAY, BPF_NOEXIST } from '../spec/map-types.ts';
import { E2BIG, EEXIST, EINVAL, ENOENT } from '../spec/errno.ts';
import { viewOf } from '../util/bytes.ts';
import { arrayBytes, emitArrayOps } from './array.ts';
import { BpfMap, indexOf } from './bpf-map.ts';
import type { BatchSupport, MapParts, MapSetup } from './bpf-map.ts';
import { valueStride } from './layout.ts';

/** Maps whose keys are the indices 0 … max_entries - 1, all of them always there to walk. */
export abstract class IndexedMap extends BpfMap {
  protected override sysNextKey(key: Uint8Array | undefined, next: Uint8Array): number {
    const index = key === undefined ? 0xffff_ffff : indexOf(key);
    if (index === this.shape.maxEntries - 1) return -ENOENT;
    viewOf(next).setUint32(0, index >= this.shape.maxEntries ? 0 : index + 1, true);
    return 0;
  }
}

const arrayParts = ({ attr, shape }: MapSetup): MapParts => ({
  emit: emitArrayOps,
  dataBytes: arrayBytes(shape),
  dataAlign: (attr.map_flags & BPF_F_MMAPABLE) !== 0 ? 4096 : 64,
  directValues: attr.map_type !== BPF_MAP_TYPE_PERCPU_ARRAY,
});

/** BPF_MAP_TYPE_ARRAY. */
export class ArrayMap extends IndexedMap {
  constructor(setup: MapSetup) {
    super(setup, arrayParts(setup));
  }
  protected override get batch(): BatchSupport {
    return { lookup: 'generic', update: true };
  }
  protected override sysDelete(): number {
    return -EINVAL;
  }
}

/** BPF_MAP_TYPE_PERCPU_ARRAY. */
export class PercpuArrayMap extends IndexedMap {
  constructor(setup: MapSetup) {
    super(setup, arrayParts(setup));
  }
  override get userValueSize(): number {
    return valueStride(this.shape) * this.shape.cpus;
  }
  protected override get batch(): BatchSupport {
    return { lookup: 'generic', update: true };
  }
  protected override sysLookup(key: Uint8Array, value: Uint8Array): number {
    const at = this.putKey(key);
    if (this.runtime.ops.lookupPercpu(at, 0) === 0) return -ENOENT;
    copyPercpuOut(this, (cpu) => this.runtime.ops.lookupPercpu(at, cpu), value);
    return 0;
  }
  protected override sysUpdate(key: Uint8Array, value: Uint8Array, flags: bigint): number {
    if (flags > BPF_EXIST) return -EINVAL;
    if (indexOf(key) >= this.shape.maxEntries) return -E2BIG;
    if (flags === BigInt(BPF_NOEXIST)) return -EEXIST;
    const at = this.putKey(key);
    copyPercpuIn(this, (cpu) => this.runtime.ops.lookupPercpu(at, cpu), value);
    return 0;
  }
  protected override sysDelete(): number {
    return -EINVAL;
  }
}

/** Copies every CPU's value, padding included, to a command's buffer. */
export function copyPercpuOut(map: BpfMap, slotOf: (cpu: number) => number, value: Uint8Array): void {
  const stride = valueStride(map.shape);
  for (let cpu = 0; cpu < map.shape.cpus; cpu++) {
    const slot = slotOf(cpu);
    value.set(map.env.memory.bytes.subarray(slot, slot + stride), cpu * stride);
  }
}

/** Copies a command's buffer to every CPU's value, padding included. */
export function copyPercpuIn(map: BpfMap, slotOf: (cpu: number) => number, value: Uint8Array): void {
  const stride = valueStride(map.shape);
  for (let cpu = 0; cpu < map.shape.cpus; cpu++) map.env.memory.bytes.set(value.subarray(cpu * stride, (cpu + 1) * stride), slotOf(cpu));
}
