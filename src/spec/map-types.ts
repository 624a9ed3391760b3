// Map types and the flags of BPF_MAP_CREATE, BPF_MAP_UPDATE_ELEM and batch commands.
// Invariant: MAP_TYPES is indexed by type number without gaps; row 0 is BPF_MAP_TYPE_UNSPEC.
// Source: uapi/linux/bpf.h `enum bpf_map_type`, Linux 6.18; short names as bpftool prints them; first versions from the kernel's history.

import type { KernelVersion } from './versions.ts';

export const BPF_MAP_TYPE_UNSPEC = 0;
export const BPF_MAP_TYPE_HASH = 1;
export const BPF_MAP_TYPE_ARRAY = 2;
export const BPF_MAP_TYPE_PROG_ARRAY = 3;
export const BPF_MAP_TYPE_PERF_EVENT_ARRAY = 4;
export const BPF_MAP_TYPE_PERCPU_HASH = 5;
export const BPF_MAP_TYPE_PERCPU_ARRAY = 6;
export const BPF_MAP_TYPE_STACK_TRACE = 7;
export const BPF_MAP_TYPE_CGROUP_ARRAY = 8;
export const BPF_MAP_TYPE_LRU_HASH = 9;
export const BPF_MAP_TYPE_LRU_PERCPU_HASH = 10;
export const BPF_MAP_TYPE_LPM_TRIE = 11;
export const BPF_MAP_TYPE_ARRAY_OF_MAPS = 12;
export const BPF_MAP_TYPE_HASH_OF_MAPS = 13;
export const BPF_MAP_TYPE_DEVMAP = 14;
export const BPF_MAP_TYPE_SOCKMAP = 15;
export const BPF_MAP_TYPE_CPUMAP = 16;
export const BPF_MAP_TYPE_XSKMAP = 17;
export const BPF_MAP_TYPE_SOCKHASH = 18;
export const BPF_MAP_TYPE_CGROUP_STORAGE_DEPRECATED = 19;
export const BPF_MAP_TYPE_CGROUP_STORAGE = 19;
export const BPF_MAP_TYPE_REUSEPORT_SOCKARRAY = 20;
export const BPF_MAP_TYPE_PERCPU_CGROUP_STORAGE_DEPRECATED = 21;
export const BPF_MAP_TYPE_PERCPU_CGROUP_STORAGE = 21;
export const BPF_MAP_TYPE_QUEUE = 22;
export const BPF_MAP_TYPE_STACK = 23;
export const BPF_MAP_TYPE_SK_STORAGE = 24;
export const BPF_MAP_TYPE_DEVMAP_HASH = 25;
export const BPF_MAP_TYPE_STRUCT_OPS = 26;
export const BPF_MAP_TYPE_RINGBUF = 27;
export const BPF_MAP_TYPE_INODE_STORAGE = 28;
export const BPF_MAP_TYPE_TASK_STORAGE = 29;
export const BPF_MAP_TYPE_BLOOM_FILTER = 30;
export const BPF_MAP_TYPE_USER_RINGBUF = 31;
export const BPF_MAP_TYPE_CGRP_STORAGE = 32;
export const BPF_MAP_TYPE_ARENA = 33;

/** What is the same for every map of a type. */
export interface MapTypeSpec {
  /** BPF_MAP_TYPE_* */
  readonly name: string;
  readonly id: number;
  /** bpftool's word for it. */
  readonly shortName: string;
  readonly since: KernelVersion;
  /** One value per possible CPU; user space sees slots of value_size rounded up to 8. */
  readonly perCpu: boolean;
  /** Elements hold an inner map. */
  readonly mapInMap: boolean;
}

/** Every map type, indexed by its number. */
export const MAP_TYPES = [
  { name: 'BPF_MAP_TYPE_UNSPEC', id: 0, shortName: 'unspec', since: 3018, perCpu: false, mapInMap: false },
  { name: 'BPF_MAP_TYPE_HASH', id: 1, shortName: 'hash', since: 3019, perCpu: false, mapInMap: false },
  { name: 'BPF_MAP_TYPE_ARRAY', id: 2, shortName: 'array', since: 3019, perCpu: false, mapInMap: false },
  { name: 'BPF_MAP_TYPE_PROG_ARRAY', id: 3, shortName: 'prog_array', since: 4002, perCpu: false, mapInMap: false },
  { name: 'BPF_MAP_TYPE_PERF_EVENT_ARRAY', id: 4, shortName: 'perf_event_array', since: 4003, perCpu: false, mapInMap: false },
  { name: 'BPF_MAP_TYPE_PERCPU_HASH', id: 5, shortName: 'percpu_hash', since: 4006, perCpu: true, mapInMap: false },
  { name: 'BPF_MAP_TYPE_PERCPU_ARRAY', id: 6, shortName: 'percpu_array', since: 4006, perCpu: true, mapInMap: false },
  { name: 'BPF_MAP_TYPE_STACK_TRACE', id: 7, shortName: 'stack_trace', since: 4006, perCpu: false, mapInMap: false },
  { name: 'BPF_MAP_TYPE_CGROUP_ARRAY', id: 8, shortName: 'cgroup_array', since: 4008, perCpu: false, mapInMap: false },
  { name: 'BPF_MAP_TYPE_LRU_HASH', id: 9, shortName: 'lru_hash', since: 4010, perCpu: false, mapInMap: false },
  { name: 'BPF_MAP_TYPE_LRU_PERCPU_HASH', id: 10, shortName: 'lru_percpu_hash', since: 4010, perCpu: true, mapInMap: false },
  { name: 'BPF_MAP_TYPE_LPM_TRIE', id: 11, shortName: 'lpm_trie', since: 4011, perCpu: false, mapInMap: false },
  { name: 'BPF_MAP_TYPE_ARRAY_OF_MAPS', id: 12, shortName: 'array_of_maps', since: 4012, perCpu: false, mapInMap: true },
  { name: 'BPF_MAP_TYPE_HASH_OF_MAPS', id: 13, shortName: 'hash_of_maps', since: 4012, perCpu: false, mapInMap: true },
  { name: 'BPF_MAP_TYPE_DEVMAP', id: 14, shortName: 'devmap', since: 4014, perCpu: false, mapInMap: false },
  { name: 'BPF_MAP_TYPE_SOCKMAP', id: 15, shortName: 'sockmap', since: 4014, perCpu: false, mapInMap: false },
  { name: 'BPF_MAP_TYPE_CPUMAP', id: 16, shortName: 'cpumap', since: 4015, perCpu: false, mapInMap: false },
  { name: 'BPF_MAP_TYPE_XSKMAP', id: 17, shortName: 'xskmap', since: 4018, perCpu: false, mapInMap: false },
  { name: 'BPF_MAP_TYPE_SOCKHASH', id: 18, shortName: 'sockhash', since: 4018, perCpu: false, mapInMap: false },
  { name: 'BPF_MAP_TYPE_CGROUP_STORAGE', id: 19, shortName: 'cgroup_storage', since: 4019, perCpu: false, mapInMap: false },
  { name: 'BPF_MAP_TYPE_REUSEPORT_SOCKARRAY', id: 20, shortName: 'reuseport_sockarray', since: 4019, perCpu: false, mapInMap: false },
  { name: 'BPF_MAP_TYPE_PERCPU_CGROUP_STORAGE', id: 21, shortName: 'percpu_cgroup_storage', since: 4020, perCpu: true, mapInMap: false },
  { name: 'BPF_MAP_TYPE_QUEUE', id: 22, shortName: 'queue', since: 4020, perCpu: false, mapInMap: false },
  { name: 'BPF_MAP_TYPE_STACK', id: 23, shortName: 'stack', since: 4020, perCpu: false, mapInMap: false },
  { name: 'BPF_MAP_TYPE_SK_STORAGE', id: 24, shortName: 'sk_storage', since: 5002, perCpu: false, mapInMap: false },
  { name: 'BPF_MAP_TYPE_DEVMAP_HASH', id: 25, shortName: 'devmap_hash', since: 5004, perCpu: false, mapInMap: false },
  { name: 'BPF_MAP_TYPE_STRUCT_OPS', id: 26, shortName: 'struct_ops', since: 5006, perCpu: false, mapInMap: false },
  { name: 'BPF_MAP_TYPE_RINGBUF', id: 27, shortName: 'ringbuf', since: 5008, perCpu: false, mapInMap: false },
  { name: 'BPF_MAP_TYPE_INODE_STORAGE', id: 28, shortName: 'inode_storage', since: 5010, perCpu: false, mapInMap: false },
  { name: 'BPF_MAP_TYPE_TASK_STORAGE', id: 29, shortName: 'task_storage', since: 5011, perCpu: false, mapInMap: false },
  { name: 'BPF_MAP_TYPE_BLOOM_FILTER', id: 30, shortName: 'bloom_filter', since: 5016, perCpu: false, mapInMap: false },
  { name: 'BPF_MAP_TYPE_USER_RINGBUF', id: 31, shortName: 'user_ringbuf', since: 6001, perCpu: false, mapInMap: false },
  { name: 'BPF_MAP_TYPE_CGRP_STORAGE', id: 32, shortName: 'cgrp_storage', since: 6002, perCpu: false, mapInMap: false },
  { name: 'BPF_MAP_TYPE_ARENA', id: 33, shortName: 'arena', since: 6009, perCpu: false, mapInMap: false },
] as const satisfies readonly MapTypeSpec[];

/** A map type's uapi name. */
export type MapTypeName = (typeof MAP_TYPES)[number]['name'];

/** The uapi name of a map type, or 'map type N' when there is none. */
export const mapTypeName = (type: number): string => MAP_TYPES[type]?.name ?? `map type ${type}`;

// Flags of BPF_MAP_CREATE.
export const BPF_F_NO_PREALLOC = 0x1;
export const BPF_F_NO_COMMON_LRU = 0x2;
export const BPF_F_NUMA_NODE = 0x4;
export const BPF_F_RDONLY = 0x8;
export const BPF_F_WRONLY = 0x10;
export const BPF_F_STACK_BUILD_ID = 0x20;
export const BPF_F_ZERO_SEED = 0x40;
export const BPF_F_RDONLY_PROG = 0x80;
export const BPF_F_WRONLY_PROG = 0x100;
export const BPF_F_CLONE = 0x200;
export const BPF_F_MMAPABLE = 0x400;
export const BPF_F_PRESERVE_ELEMS = 0x800;
export const BPF_F_INNER_MAP = 0x1000;
export const BPF_F_LINK = 0x2000;
export const BPF_F_PATH_FD = 0x4000;
export const BPF_F_VTYPE_BTF_OBJ_FD = 0x8000;
export const BPF_F_TOKEN_FD = 0x10000;
export const BPF_F_SEGV_ON_FAULT = 0x20000;
export const BPF_F_NO_USER_CONV = 0x40000;

/** Names of the BPF_MAP_CREATE flags by bit. */
export const MAP_FLAG_NAMES = [
  'BPF_F_NO_PREALLOC',
  'BPF_F_NO_COMMON_LRU',
  'BPF_F_NUMA_NODE',
  'BPF_F_RDONLY',
  'BPF_F_WRONLY',
  'BPF_F_STACK_BUILD_ID',
  'BPF_F_ZERO_SEED',
  'BPF_F_RDONLY_PROG',
  'BPF_F_WRONLY_PROG',
  'BPF_F_CLONE',
  'BPF_F_MMAPABLE',
  'BPF_F_PRESERVE_ELEMS',
  'BPF_F_INNER_MAP',
  'BPF_F_LINK',
  'BPF_F_PATH_FD',
  'BPF_F_VTYPE_BTF_OBJ_FD',
  'BPF_F_TOKEN_FD',
  'BPF_F_SEGV_ON_FAULT',
  'BPF_F_NO_USER_CONV',
] as const;

// Flags of an update: the low two bits choose, BPF_F_LOCK takes the value's bpf_spin_lock.
export const BPF_ANY = 0;
export const BPF_NOEXIST = 1;
export const BPF_EXIST = 2;
export const BPF_F_LOCK = 4;
