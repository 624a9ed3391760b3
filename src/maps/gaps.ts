// Map types that bpfkit doesn't have yet, each by name and with what it waits for.
// Invariant: every map type of spec/map-types.ts is either made by createMap or listed here, never both; a test checks it.

import type { MapTypeName } from '../spec/map-types.ts';

/** Missing map types and why. */
export const MAP_TYPE_GAPS = {
  BPF_MAP_TYPE_STACK_TRACE: 'needs stacks of tasks (tracing issue)',
  BPF_MAP_TYPE_CGROUP_ARRAY: 'needs cgroups',
  BPF_MAP_TYPE_SOCKMAP: 'needs sockets',
  BPF_MAP_TYPE_SOCKHASH: 'needs sockets',
  BPF_MAP_TYPE_CGROUP_STORAGE: 'needs cgroups',
  BPF_MAP_TYPE_REUSEPORT_SOCKARRAY: 'needs sockets',
  BPF_MAP_TYPE_PERCPU_CGROUP_STORAGE: 'needs cgroups',
  BPF_MAP_TYPE_SK_STORAGE: 'needs sockets',
  BPF_MAP_TYPE_STRUCT_OPS: 'needs struct_ops programs',
  BPF_MAP_TYPE_INODE_STORAGE: 'needs files',
  BPF_MAP_TYPE_TASK_STORAGE: 'needs tasks',
  BPF_MAP_TYPE_USER_RINGBUF: 'needs bpf_user_ringbuf_drain',
  BPF_MAP_TYPE_CGRP_STORAGE: 'needs cgroups',
  BPF_MAP_TYPE_ARENA: 'needs addresses outside the kernel range',
} as const satisfies Partial<Record<MapTypeName, string>>;
