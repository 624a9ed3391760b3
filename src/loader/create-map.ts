// From a MapSpec to BPF_MAP_CREATE and the map's first contents.
// Invariant: attributes are what libbpf 1.x would pass (bpf_object__create_map, bpf_object__populate_internal_map), so that both
// kernels below the seam are asked the same.

import {
  BPF_F_NUMA_NODE, BPF_MAP_TYPE_ARENA, BPF_MAP_TYPE_ARRAY_OF_MAPS, BPF_MAP_TYPE_CGROUP_ARRAY, BPF_MAP_TYPE_CPUMAP, BPF_MAP_TYPE_DEVMAP, BPF_MAP_TYPE_DEVMAP_HASH,
  BPF_MAP_TYPE_HASH_OF_MAPS, BPF_MAP_TYPE_PERF_EVENT_ARRAY, BPF_MAP_TYPE_QUEUE, BPF_MAP_TYPE_RINGBUF, BPF_MAP_TYPE_SOCKHASH, BPF_MAP_TYPE_SOCKMAP, BPF_MAP_TYPE_STACK,
  BPF_MAP_TYPE_STACK_TRACE, BPF_MAP_TYPE_USER_RINGBUF, BPF_MAP_TYPE_XSKMAP,
} from '../spec/map-types.ts';
import { EPERM } from '../spec/errno.ts';
import type { BpfSyscall, MapCreateAttr } from '../spec/syscall.ts';
import { viewOf } from '../util/bytes.ts';
import { BpfSyscallError } from '../util/errors.ts';
import type { MapSpec } from './object-spec.ts';

/** Attributes of a map that a caller may change before it is created. */
export interface MapOverride {
  readonly maxEntries?: number;
  readonly flags?: number;
  readonly valueSize?: number;
  readonly type?: number;
}

/** Map types whose elements the kernel refuses to describe by BTF. */
const WITHOUT_BTF: ReadonlySet<number> = new Set([
  BPF_MAP_TYPE_PERF_EVENT_ARRAY, BPF_MAP_TYPE_CGROUP_ARRAY, BPF_MAP_TYPE_STACK_TRACE, BPF_MAP_TYPE_ARRAY_OF_MAPS, BPF_MAP_TYPE_HASH_OF_MAPS, BPF_MAP_TYPE_DEVMAP,
  BPF_MAP_TYPE_DEVMAP_HASH, BPF_MAP_TYPE_CPUMAP, BPF_MAP_TYPE_XSKMAP, BPF_MAP_TYPE_SOCKMAP, BPF_MAP_TYPE_SOCKHASH, BPF_MAP_TYPE_QUEUE, BPF_MAP_TYPE_STACK, BPF_MAP_TYPE_ARENA,
]);

const PAGE_SIZE = 4096;

/** Ring buffers take a power-of-two number of pages: the next larger one. */
export function ringbufSize(bytes: number): number {
  if (bytes === 0) return 0;
  let size = PAGE_SIZE;
  while (size < bytes && size < 0x8000_0000) size *= 2;
  return size;
}

function maxEntriesOf(spec: MapSpec, syscall: BpfSyscall): number {
  if (spec.type === BPF_MAP_TYPE_PERF_EVENT_ARRAY && spec.maxEntries === 0) return syscall.possibleCpus;
  if (spec.type === BPF_MAP_TYPE_RINGBUF || spec.type === BPF_MAP_TYPE_USER_RINGBUF) return ringbufSize(spec.maxEntries);
  return spec.maxEntries;
}

/** BPF_MAP_CREATE's attributes; `btfFd` 0 for none. */
export function mapCreateAttr(spec: MapSpec, syscall: BpfSyscall, btfFd: number, innerFd: number | undefined): MapCreateAttr {
  const typed = btfFd > 0 && !WITHOUT_BTF.has(spec.type) && (spec.keyTypeId !== 0 || spec.valueTypeId !== 0);
  return {
    map_type: spec.type, key_size: spec.keySize, value_size: spec.valueSize, max_entries: maxEntriesOf(spec, syscall), map_flags: spec.flags, map_name: kernelName(spec),
    map_extra: spec.mapExtra, ...(innerFd === undefined ? {} : { inner_map_fd: innerFd }), ...((spec.flags & BPF_F_NUMA_NODE) === 0 ? {} : { numa_node: spec.numaNode }),
    ...(typed ? { btf_fd: btfFd, btf_key_type_id: spec.keyTypeId, btf_value_type_id: spec.valueTypeId } : {}),
  };
}

/** The kernel takes letters, digits, '_' and '.'. */
const kernelName = (spec: MapSpec): string => spec.kernelName.replace(/[^A-Za-z0-9_.]/g, '_');

/** A spec with a caller's changes. */
export function overrideMap(spec: MapSpec, change: MapOverride | undefined): MapSpec {
  return change === undefined ? spec : { ...spec, maxEntries: change.maxEntries ?? spec.maxEntries, flags: change.flags ?? spec.flags, valueSize: change.valueSize ?? spec.valueSize, type: change.type ?? spec.type };
}

/** Creates a map (and, for as long as that takes, its inner template); without BTF when the kernel refuses its types. Throws BpfSyscallError. */
export function createMap(spec: MapSpec, syscall: BpfSyscall, btfFd: number): number {
  const innerFd = spec.inner === undefined ? undefined : createMap(spec.inner, syscall, btfFd);
  try {
    const attr = mapCreateAttr(spec, syscall, btfFd, innerFd);
    return attr.btf_fd === undefined ? syscall.mapCreate(attr) : createTyped(syscall, attr);
  } finally {
    if (innerFd !== undefined) syscall.close(innerFd);
  }
}

function createTyped(syscall: BpfSyscall, attr: MapCreateAttr): number {
  try {
    return syscall.mapCreate(attr);
  } catch (error) {
    if (!(error instanceof BpfSyscallError) || error.errno === EPERM) throw error;
    const { btf_fd: _fd, btf_key_type_id: _key, btf_value_type_id: _value, ...untyped } = attr;
    return syscall.mapCreate(untyped);
  }
}

/** A u32 as a key or value. */
export function u32Bytes(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  viewOf(bytes).setUint32(0, value, true);
  return bytes;
}

/** Fills a map of global variables, and freezes it where its spec says so. */
export function fillGlobals(spec: MapSpec, contents: Uint8Array, syscall: BpfSyscall, fd: number): void {
  const untouched = spec.origin === 'bss' && contents.every((byte) => byte === 0);
  if (!untouched) syscall.mapUpdateElem({ map_fd: fd, key: u32Bytes(0), value: contents, flags: 0n });
  if (spec.frozen) syscall.mapFreeze({ map_fd: fd });
}
