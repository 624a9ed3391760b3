// BPF_MAP_CREATE's checks: sizes, limits and flags of each map type, in the kernel's order, and the rounding that it does.
// Invariant: what passes here can be built (but for memory). Capabilities and BTF are the system call's affair.
// Source: kernel/bpf/syscall.c map_create and each type's map_alloc_check / map_alloc, Linux 6.18.

import {
  BPF_F_INNER_MAP, BPF_F_MMAPABLE, BPF_F_NO_COMMON_LRU, BPF_F_NO_PREALLOC, BPF_F_NUMA_NODE, BPF_F_PRESERVE_ELEMS, BPF_F_RDONLY, BPF_F_RDONLY_PROG, BPF_F_WRONLY,
  BPF_F_WRONLY_PROG, BPF_F_ZERO_SEED,
} from '../spec/map-types.ts';
import * as types from '../spec/map-types.ts';
import { E2BIG, EINVAL, ENOTSUPP } from '../spec/errno.ts';
import type { MapCreateAttr } from '../spec/syscall.ts';
import { commandError } from './command-error.ts';

/** Attributes of a map after checks and rounding; everything that BPF_OBJ_GET_INFO_BY_FD reports. */
export interface CheckedAttr {
  readonly map_type: number;
  readonly key_size: number;
  readonly value_size: number;
  readonly max_entries: number;
  /** Without BPF_F_RDONLY and BPF_F_WRONLY, which belong to the descriptor (`access`). */
  readonly map_flags: number;
  readonly access: Access;
  readonly map_name: string;
  readonly map_extra: bigint;
  readonly inner_map_fd: number;
  readonly btf_id: number;
  readonly btf_key_type_id: number;
  readonly btf_value_type_id: number;
}

/** What a descriptor may do. */
export interface Access { readonly read: boolean; readonly write: boolean }

/** The kernel's limits (KMALLOC_MAX_SIZE of x86-64, PCPU_MIN_UNIT_SIZE, NR_CPUS of distribution configurations). */
const KMALLOC_MAX_BYTES = 4 * 1024 * 1024;
const PCPU_MIN_UNIT_BYTES = 32 * 1024;
const NR_CPUS = 8192;
const HTAB_ELEM_BYTES = 48;
const LPM_KEY_MIN = 5;
const LPM_KEY_MAX = 260;
const LPM_NODE_BYTES = 24;
const BUCKET_BYTES = 16;

const ACCESS = BPF_F_RDONLY | BPF_F_WRONLY | BPF_F_RDONLY_PROG | BPF_F_WRONLY_PROG;
const BOTH_PROG = BPF_F_RDONLY_PROG | BPF_F_WRONLY_PROG;
const round8 = (size: number): number => Math.ceil(size / 8) * 8;

/** What a type's check may change, and the machine that it looks at. */
interface Checking { readonly cpus: number; max_entries: number; map_flags: number }
/** Returns 0 or a positive errno. */
type AllocCheck = (attr: MapCreateAttr, flags: number, out: Checking) => number;

const accessOk = (flags: number): boolean => (flags & BOTH_PROG) !== BOTH_PROG;

const checkArray: AllocCheck = (attr, flags) => {
  const percpu = attr.map_type === types.BPF_MAP_TYPE_PERCPU_ARRAY;
  const known = BPF_F_NUMA_NODE | BPF_F_MMAPABLE | ACCESS | BPF_F_PRESERVE_ELEMS | BPF_F_INNER_MAP;
  if (attr.max_entries === 0 || attr.key_size !== 4 || attr.value_size === 0 || (flags & ~known) !== 0 || !accessOk(flags)) return EINVAL;
  if (percpu && (flags & BPF_F_NUMA_NODE) !== 0) return EINVAL;
  if (attr.map_type !== types.BPF_MAP_TYPE_ARRAY && (flags & (BPF_F_MMAPABLE | BPF_F_INNER_MAP)) !== 0) return EINVAL;
  if (attr.map_type !== types.BPF_MAP_TYPE_PERF_EVENT_ARRAY && (flags & BPF_F_PRESERVE_ELEMS) !== 0) return EINVAL;
  if (attr.value_size > 0x7fff_ffff) return E2BIG;
  return percpu && round8(attr.value_size) > PCPU_MIN_UNIT_BYTES ? E2BIG : 0;
};

const checkFdArray: AllocCheck = (attr, flags, out) => {
  if (attr.value_size !== 4 || (flags & BOTH_PROG) !== 0) return EINVAL;
  return checkArray(attr, flags, out);
};

const checkHash: AllocCheck = (attr, flags, out) => {
  const percpu = attr.map_type === types.BPF_MAP_TYPE_PERCPU_HASH || attr.map_type === types.BPF_MAP_TYPE_LRU_PERCPU_HASH;
  const lru = attr.map_type === types.BPF_MAP_TYPE_LRU_HASH || attr.map_type === types.BPF_MAP_TYPE_LRU_PERCPU_HASH;
  const known = BPF_F_NO_PREALLOC | BPF_F_NO_COMMON_LRU | BPF_F_NUMA_NODE | ACCESS | BPF_F_ZERO_SEED;
  const percpuLru = (flags & BPF_F_NO_COMMON_LRU) !== 0;
  if ((flags & ~known) !== 0 || !accessOk(flags)) return EINVAL;
  if (!lru && percpuLru) return EINVAL;
  if (lru && (flags & BPF_F_NO_PREALLOC) !== 0) return ENOTSUPP;
  if ((flags & BPF_F_NUMA_NODE) !== 0 && (percpu || percpuLru)) return EINVAL;
  if (attr.max_entries === 0 || attr.key_size === 0 || attr.value_size === 0) return EINVAL;
  if (attr.key_size + attr.value_size >= KMALLOC_MAX_BYTES - HTAB_ELEM_BYTES) return E2BIG;
  if (percpu && round8(attr.value_size) > PCPU_MIN_UNIT_BYTES) return E2BIG;
  if (percpuLru) out.max_entries = roundToCpus(attr.max_entries, out.cpus);
  return out.max_entries > 2 ** 31 || 2 ** Math.ceil(Math.log2(out.max_entries)) > 0xffff_ffff / BUCKET_BYTES ? E2BIG : 0;
};

/** Each CPU's own LRU list has the same number of elements, at least one. */
function roundToCpus(entries: number, cpus: number): number {
  const up = Math.ceil(entries / cpus) * cpus;
  return up > 0xffff_ffff ? Math.floor(entries / cpus) * cpus : up;
}

const checkHashOfMaps: AllocCheck = (attr, flags, out) => (attr.value_size !== 4 ? EINVAL : checkHash(attr, flags, out));

const checkLpm: AllocCheck = (attr, flags) => {
  const known = BPF_F_NO_PREALLOC | BPF_F_NUMA_NODE | ACCESS;
  if (attr.max_entries === 0 || (flags & BPF_F_NO_PREALLOC) === 0 || (flags & ~known) !== 0 || !accessOk(flags)) return EINVAL;
  if (attr.key_size < LPM_KEY_MIN || attr.key_size > LPM_KEY_MAX) return EINVAL;
  return attr.value_size < 1 || attr.value_size > KMALLOC_MAX_BYTES - LPM_KEY_MAX - LPM_NODE_BYTES ? EINVAL : 0;
};

const checkQueue: AllocCheck = (attr, flags) => {
  if (attr.max_entries === 0 || attr.key_size !== 0 || attr.value_size === 0 || (flags & ~(BPF_F_NUMA_NODE | ACCESS)) !== 0 || !accessOk(flags)) return EINVAL;
  return attr.value_size > KMALLOC_MAX_BYTES ? E2BIG : 0;
};

const checkBloom: AllocCheck = (attr, flags) => {
  if (attr.value_size > KMALLOC_MAX_BYTES) return E2BIG;
  const known = BPF_F_NUMA_NODE | BPF_F_ZERO_SEED | ACCESS;
  if (attr.key_size !== 0 || attr.value_size === 0 || attr.max_entries === 0 || (flags & ~known) !== 0 || !accessOk(flags)) return EINVAL;
  return ((attr.map_extra ?? 0n) & ~0xfn) !== 0n ? EINVAL : 0;
};

const PAGE_BYTES = 4096;
const isPowerOfTwo = (n: number): boolean => n > 0 && Number.isInteger(Math.log2(n));

const checkRingbuf: AllocCheck = (attr, flags) => {
  if ((flags & ~BPF_F_NUMA_NODE) !== 0) return EINVAL;
  return attr.key_size !== 0 || attr.value_size !== 0 || !isPowerOfTwo(attr.max_entries) || attr.max_entries % PAGE_BYTES !== 0 ? EINVAL : 0;
};

const checkDevmap: AllocCheck = (attr, flags, out) => {
  const known = BPF_F_NUMA_NODE | BPF_F_RDONLY | BPF_F_WRONLY;
  if (attr.max_entries === 0 || attr.key_size !== 4 || (attr.value_size !== 4 && attr.value_size !== 8) || (flags & ~known) !== 0) return EINVAL;
  out.map_flags |= BPF_F_RDONLY_PROG;
  return attr.map_type === types.BPF_MAP_TYPE_DEVMAP_HASH && attr.max_entries > 2 ** 31 ? EINVAL : 0;
};

const checkCpumap: AllocCheck = (attr, flags) => {
  if (attr.max_entries === 0 || attr.key_size !== 4 || (attr.value_size !== 4 && attr.value_size !== 8) || (flags & ~BPF_F_NUMA_NODE) !== 0) return EINVAL;
  return attr.max_entries > NR_CPUS ? E2BIG : 0;
};

const checkXskmap: AllocCheck = (attr, flags) =>
  (attr.max_entries === 0 || attr.key_size !== 4 || attr.value_size !== 4 || (flags & ~(BPF_F_NUMA_NODE | BPF_F_RDONLY | BPF_F_WRONLY)) !== 0 ? EINVAL : 0);

/** The check of each map type that exists here. */
export const ALLOC_CHECKS: ReadonlyMap<number, AllocCheck> = new Map([
  [types.BPF_MAP_TYPE_ARRAY, checkArray], [types.BPF_MAP_TYPE_PERCPU_ARRAY, checkArray],
  [types.BPF_MAP_TYPE_PROG_ARRAY, checkFdArray], [types.BPF_MAP_TYPE_PERF_EVENT_ARRAY, checkFdArray], [types.BPF_MAP_TYPE_ARRAY_OF_MAPS, checkFdArray],
  [types.BPF_MAP_TYPE_HASH, checkHash], [types.BPF_MAP_TYPE_PERCPU_HASH, checkHash], [types.BPF_MAP_TYPE_LRU_HASH, checkHash],
  [types.BPF_MAP_TYPE_LRU_PERCPU_HASH, checkHash], [types.BPF_MAP_TYPE_HASH_OF_MAPS, checkHashOfMaps],
  [types.BPF_MAP_TYPE_LPM_TRIE, checkLpm], [types.BPF_MAP_TYPE_QUEUE, checkQueue], [types.BPF_MAP_TYPE_STACK, checkQueue],
  [types.BPF_MAP_TYPE_BLOOM_FILTER, checkBloom], [types.BPF_MAP_TYPE_RINGBUF, checkRingbuf],
  [types.BPF_MAP_TYPE_DEVMAP, checkDevmap], [types.BPF_MAP_TYPE_DEVMAP_HASH, checkDevmap], [types.BPF_MAP_TYPE_CPUMAP, checkCpumap],
  [types.BPF_MAP_TYPE_XSKMAP, checkXskmap],
]);

function refuse(errno: number): never {
  throw commandError('BPF_MAP_CREATE', errno);
}

/** Checks BPF_MAP_CREATE's attributes for a machine with `cpus` possible CPUs. Throws BpfSyscallError with the kernel's errno. */
export function checkMapAttr(attr: MapCreateAttr, cpus: number): CheckedAttr {
  const flags = attr.map_flags ?? 0;
  const check = ALLOC_CHECKS.get(attr.map_type);
  if ((attr.btf_key_type_id ?? 0) !== 0 && (attr.btf_value_type_id ?? 0) === 0) refuse(EINVAL);
  if (attr.map_type !== types.BPF_MAP_TYPE_BLOOM_FILTER && (attr.map_extra ?? 0n) !== 0n) refuse(EINVAL);
  if ((flags & BPF_F_RDONLY) !== 0 && (flags & BPF_F_WRONLY) !== 0) refuse(EINVAL);
  if ((flags & BPF_F_NUMA_NODE) !== 0 && (attr.numa_node ?? 0) !== 0) refuse(EINVAL);
  const out: Checking = { cpus, max_entries: attr.max_entries, map_flags: flags };
  const errno = check === undefined ? EINVAL : check(attr, flags, out);
  if (errno !== 0) refuse(errno);
  const name = attr.map_name ?? '';
  if (name.length > 15 || !/^[A-Za-z0-9_.]*$/.test(name)) refuse(EINVAL);
  return {
    map_type: attr.map_type, key_size: attr.key_size, value_size: attr.value_size, max_entries: out.max_entries,
    map_flags: out.map_flags & ~(BPF_F_RDONLY | BPF_F_WRONLY), access: { read: (flags & BPF_F_WRONLY) === 0, write: (flags & BPF_F_RDONLY) === 0 },
    map_name: name, map_extra: attr.map_extra ?? 0n, inner_map_fd: attr.inner_map_fd ?? 0,
    btf_id: 0, btf_key_type_id: attr.btf_key_type_id ?? 0, btf_value_type_id: attr.btf_value_type_id ?? 0,
  };
}
