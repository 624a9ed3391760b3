// Which helper may be given a map of which type: the verifier's two-way check before a call.
// Invariant: a pair is allowed when neither the map's row nor the helper's row forbids it; no row forbids nothing. The refusal reads
// "cannot pass map_type %d into func %s#%d". Source: kernel/bpf/verifier.c check_map_func_compatibility, may_update_sockmap, Linux 6.18.

import { BPF_TRACE_ITER } from './attach-types.ts';
import {
  BPF_FUNC_cgrp_storage_delete, BPF_FUNC_cgrp_storage_get, BPF_FUNC_current_task_under_cgroup, BPF_FUNC_get_local_storage, BPF_FUNC_get_stackid,
  BPF_FUNC_inode_storage_delete, BPF_FUNC_inode_storage_get, BPF_FUNC_map_delete_elem, BPF_FUNC_map_lookup_elem, BPF_FUNC_map_lookup_percpu_elem,
  BPF_FUNC_map_peek_elem, BPF_FUNC_map_pop_elem, BPF_FUNC_map_push_elem, BPF_FUNC_map_update_elem, BPF_FUNC_msg_redirect_hash,
  BPF_FUNC_msg_redirect_map, BPF_FUNC_perf_event_output, BPF_FUNC_perf_event_read, BPF_FUNC_perf_event_read_value, BPF_FUNC_redirect_map,
  BPF_FUNC_ringbuf_discard_dynptr, BPF_FUNC_ringbuf_output, BPF_FUNC_ringbuf_query, BPF_FUNC_ringbuf_reserve, BPF_FUNC_ringbuf_reserve_dynptr,
  BPF_FUNC_ringbuf_submit_dynptr, BPF_FUNC_sk_redirect_hash, BPF_FUNC_sk_redirect_map, BPF_FUNC_sk_select_reuseport, BPF_FUNC_sk_storage_delete,
  BPF_FUNC_sk_storage_get, BPF_FUNC_skb_output, BPF_FUNC_skb_under_cgroup, BPF_FUNC_sock_hash_update, BPF_FUNC_sock_map_update, BPF_FUNC_tail_call,
  BPF_FUNC_task_storage_delete, BPF_FUNC_task_storage_get, BPF_FUNC_user_ringbuf_drain, BPF_FUNC_xdp_output,
} from './helpers.ts';
import {
  BPF_MAP_TYPE_ARRAY_OF_MAPS, BPF_MAP_TYPE_BLOOM_FILTER, BPF_MAP_TYPE_CGROUP_ARRAY, BPF_MAP_TYPE_CGROUP_STORAGE, BPF_MAP_TYPE_CGRP_STORAGE,
  BPF_MAP_TYPE_CPUMAP, BPF_MAP_TYPE_DEVMAP, BPF_MAP_TYPE_DEVMAP_HASH, BPF_MAP_TYPE_HASH_OF_MAPS, BPF_MAP_TYPE_INODE_STORAGE,
  BPF_MAP_TYPE_LRU_PERCPU_HASH, BPF_MAP_TYPE_PERCPU_ARRAY, BPF_MAP_TYPE_PERCPU_CGROUP_STORAGE, BPF_MAP_TYPE_PERCPU_HASH,
  BPF_MAP_TYPE_PERF_EVENT_ARRAY, BPF_MAP_TYPE_PROG_ARRAY, BPF_MAP_TYPE_QUEUE, BPF_MAP_TYPE_REUSEPORT_SOCKARRAY, BPF_MAP_TYPE_RINGBUF,
  BPF_MAP_TYPE_SK_STORAGE, BPF_MAP_TYPE_SOCKHASH, BPF_MAP_TYPE_SOCKMAP, BPF_MAP_TYPE_STACK, BPF_MAP_TYPE_STACK_TRACE, BPF_MAP_TYPE_TASK_STORAGE,
  BPF_MAP_TYPE_USER_RINGBUF, BPF_MAP_TYPE_XSKMAP,
} from './map-types.ts';
import {
  BPF_PROG_TYPE_FLOW_DISSECTOR, BPF_PROG_TYPE_SCHED_ACT, BPF_PROG_TYPE_SCHED_CLS, BPF_PROG_TYPE_SK_LOOKUP, BPF_PROG_TYPE_SK_REUSEPORT,
  BPF_PROG_TYPE_SOCK_OPS, BPF_PROG_TYPE_SOCKET_FILTER, BPF_PROG_TYPE_TRACING, BPF_PROG_TYPE_XDP,
} from './prog-types.ts';

const PERF = [BPF_FUNC_perf_event_read, BPF_FUNC_perf_event_output, BPF_FUNC_skb_output, BPF_FUNC_perf_event_read_value, BPF_FUNC_xdp_output];
const RINGBUF = [
  BPF_FUNC_ringbuf_output, BPF_FUNC_ringbuf_reserve, BPF_FUNC_ringbuf_query, BPF_FUNC_ringbuf_reserve_dynptr, BPF_FUNC_ringbuf_submit_dynptr,
  BPF_FUNC_ringbuf_discard_dynptr,
];
const CGROUP = [BPF_FUNC_skb_under_cgroup, BPF_FUNC_current_task_under_cgroup];

/** Map type → the helpers that may be given such a map. Types that aren't here may be given to any. SOCKMAP and SOCKHASH: see mayUpdateSockmap too. */
export const MAP_TYPE_HELPERS: ReadonlyMap<number, readonly number[]> = new Map([
  [BPF_MAP_TYPE_PROG_ARRAY, [BPF_FUNC_tail_call]],
  [BPF_MAP_TYPE_PERF_EVENT_ARRAY, PERF],
  [BPF_MAP_TYPE_RINGBUF, RINGBUF],
  [BPF_MAP_TYPE_USER_RINGBUF, [BPF_FUNC_user_ringbuf_drain]],
  [BPF_MAP_TYPE_STACK_TRACE, [BPF_FUNC_get_stackid]],
  [BPF_MAP_TYPE_CGROUP_ARRAY, CGROUP],
  [BPF_MAP_TYPE_CGROUP_STORAGE, [BPF_FUNC_get_local_storage]],
  [BPF_MAP_TYPE_PERCPU_CGROUP_STORAGE, [BPF_FUNC_get_local_storage]],
  [BPF_MAP_TYPE_DEVMAP, [BPF_FUNC_redirect_map, BPF_FUNC_map_lookup_elem]],
  [BPF_MAP_TYPE_DEVMAP_HASH, [BPF_FUNC_redirect_map, BPF_FUNC_map_lookup_elem]],
  [BPF_MAP_TYPE_CPUMAP, [BPF_FUNC_redirect_map]],
  [BPF_MAP_TYPE_XSKMAP, [BPF_FUNC_redirect_map, BPF_FUNC_map_lookup_elem]],
  [BPF_MAP_TYPE_ARRAY_OF_MAPS, [BPF_FUNC_map_lookup_elem]],
  [BPF_MAP_TYPE_HASH_OF_MAPS, [BPF_FUNC_map_lookup_elem]],
  [
    BPF_MAP_TYPE_SOCKMAP,
    [BPF_FUNC_sk_redirect_map, BPF_FUNC_sock_map_update, BPF_FUNC_msg_redirect_map, BPF_FUNC_sk_select_reuseport, BPF_FUNC_map_lookup_elem],
  ],
  [
    BPF_MAP_TYPE_SOCKHASH,
    [BPF_FUNC_sk_redirect_hash, BPF_FUNC_sock_hash_update, BPF_FUNC_msg_redirect_hash, BPF_FUNC_sk_select_reuseport, BPF_FUNC_map_lookup_elem],
  ],
  [BPF_MAP_TYPE_REUSEPORT_SOCKARRAY, [BPF_FUNC_sk_select_reuseport]],
  [BPF_MAP_TYPE_QUEUE, [BPF_FUNC_map_peek_elem, BPF_FUNC_map_pop_elem, BPF_FUNC_map_push_elem]],
  [BPF_MAP_TYPE_STACK, [BPF_FUNC_map_peek_elem, BPF_FUNC_map_pop_elem, BPF_FUNC_map_push_elem]],
  [BPF_MAP_TYPE_SK_STORAGE, [BPF_FUNC_sk_storage_get, BPF_FUNC_sk_storage_delete]],
  [BPF_MAP_TYPE_INODE_STORAGE, [BPF_FUNC_inode_storage_get, BPF_FUNC_inode_storage_delete]],
  [BPF_MAP_TYPE_TASK_STORAGE, [BPF_FUNC_task_storage_get, BPF_FUNC_task_storage_delete]],
  [BPF_MAP_TYPE_CGRP_STORAGE, [BPF_FUNC_cgrp_storage_get, BPF_FUNC_cgrp_storage_delete]],
  [BPF_MAP_TYPE_BLOOM_FILTER, [BPF_FUNC_map_peek_elem, BPF_FUNC_map_push_elem]],
]);

const each = (helpers: readonly number[], maps: readonly number[]): (readonly [number, readonly number[]])[] => helpers.map((id) => [id, maps]);

/** Helper → the map types it takes. Helpers that aren't here take any. */
export const HELPER_MAP_TYPES: ReadonlyMap<number, readonly number[]> = new Map([
  ...each([BPF_FUNC_tail_call], [BPF_MAP_TYPE_PROG_ARRAY]),
  ...each(PERF, [BPF_MAP_TYPE_PERF_EVENT_ARRAY]),
  ...each(RINGBUF, [BPF_MAP_TYPE_RINGBUF]),
  ...each([BPF_FUNC_user_ringbuf_drain], [BPF_MAP_TYPE_USER_RINGBUF]),
  ...each([BPF_FUNC_get_stackid], [BPF_MAP_TYPE_STACK_TRACE]),
  ...each(CGROUP, [BPF_MAP_TYPE_CGROUP_ARRAY]),
  ...each([BPF_FUNC_redirect_map], [BPF_MAP_TYPE_DEVMAP, BPF_MAP_TYPE_DEVMAP_HASH, BPF_MAP_TYPE_CPUMAP, BPF_MAP_TYPE_XSKMAP]),
  ...each([BPF_FUNC_sk_redirect_map, BPF_FUNC_msg_redirect_map, BPF_FUNC_sock_map_update], [BPF_MAP_TYPE_SOCKMAP]),
  ...each([BPF_FUNC_sk_redirect_hash, BPF_FUNC_msg_redirect_hash, BPF_FUNC_sock_hash_update], [BPF_MAP_TYPE_SOCKHASH]),
  ...each([BPF_FUNC_get_local_storage], [BPF_MAP_TYPE_CGROUP_STORAGE, BPF_MAP_TYPE_PERCPU_CGROUP_STORAGE]),
  ...each([BPF_FUNC_sk_select_reuseport], [BPF_MAP_TYPE_REUSEPORT_SOCKARRAY, BPF_MAP_TYPE_SOCKMAP, BPF_MAP_TYPE_SOCKHASH]),
  ...each([BPF_FUNC_map_pop_elem], [BPF_MAP_TYPE_QUEUE, BPF_MAP_TYPE_STACK]),
  ...each([BPF_FUNC_map_peek_elem, BPF_FUNC_map_push_elem], [BPF_MAP_TYPE_QUEUE, BPF_MAP_TYPE_STACK, BPF_MAP_TYPE_BLOOM_FILTER]),
  ...each([BPF_FUNC_map_lookup_percpu_elem], [BPF_MAP_TYPE_PERCPU_ARRAY, BPF_MAP_TYPE_PERCPU_HASH, BPF_MAP_TYPE_LRU_PERCPU_HASH]),
  ...each([BPF_FUNC_sk_storage_get, BPF_FUNC_sk_storage_delete], [BPF_MAP_TYPE_SK_STORAGE]),
  ...each([BPF_FUNC_inode_storage_get, BPF_FUNC_inode_storage_delete], [BPF_MAP_TYPE_INODE_STORAGE]),
  ...each([BPF_FUNC_task_storage_get, BPF_FUNC_task_storage_delete], [BPF_MAP_TYPE_TASK_STORAGE]),
  ...each([BPF_FUNC_cgrp_storage_get, BPF_FUNC_cgrp_storage_delete], [BPF_MAP_TYPE_CGRP_STORAGE]),
]);

const SOCKMAP_WRITERS: readonly number[] = [
  BPF_PROG_TYPE_SOCKET_FILTER, BPF_PROG_TYPE_SCHED_CLS, BPF_PROG_TYPE_SCHED_ACT, BPF_PROG_TYPE_XDP, BPF_PROG_TYPE_SK_REUSEPORT,
  BPF_PROG_TYPE_FLOW_DISSECTOR, BPF_PROG_TYPE_SK_LOOKUP,
];

/** True when this program type may update or delete in a SOCKMAP or SOCKHASH by this helper. */
export function mayUpdateSockmap(progType: number, expectedAttachType: number, helperId: number): boolean {
  if (helperId !== BPF_FUNC_map_update_elem && helperId !== BPF_FUNC_map_delete_elem) return false;
  if (progType === BPF_PROG_TYPE_TRACING) return expectedAttachType === BPF_TRACE_ITER;
  if (progType === BPF_PROG_TYPE_SOCK_OPS) return helperId === BPF_FUNC_map_delete_elem; // an update there would take the socket's lock again
  return SOCKMAP_WRITERS.includes(progType);
}

/** True when a program of this type may pass a map of this type to this helper. */
export function helperTakesMap(helperId: number, mapType: number, progType: number, expectedAttachType: number): boolean {
  const helpers = MAP_TYPE_HELPERS.get(mapType);
  if (helpers !== undefined && !helpers.includes(helperId)) {
    const sockets = mapType === BPF_MAP_TYPE_SOCKMAP || mapType === BPF_MAP_TYPE_SOCKHASH;
    if (!sockets || !mayUpdateSockmap(progType, expectedAttachType, helperId)) return false;
  }
  return HELPER_MAP_TYPES.get(helperId)?.includes(mapType) ?? true;
}
