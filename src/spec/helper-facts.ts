// What a helper does to the verifier's state beyond its prototype: packet pointers lost, references taken, callbacks, casts.
// Source: kernel/bpf/verifier.c (is_acquire_function, is_ptr_cast_function, is_callback_calling_function …) and net/core/filter.c
// bpf_helper_changes_pkt_data, Linux 6.18. A reference is released by the argument that carries OBJ_RELEASE.

import {
  BPF_FUNC_cgrp_storage_get, BPF_FUNC_clone_redirect, BPF_FUNC_dynptr_data, BPF_FUNC_find_vma, BPF_FUNC_for_each_map_elem, BPF_FUNC_inode_storage_get,
  BPF_FUNC_kptr_xchg, BPF_FUNC_l3_csum_replace, BPF_FUNC_l4_csum_replace, BPF_FUNC_loop, BPF_FUNC_lwt_push_encap, BPF_FUNC_lwt_seg6_action,
  BPF_FUNC_lwt_seg6_adjust_srh, BPF_FUNC_lwt_seg6_store_bytes, BPF_FUNC_map_lookup_elem, BPF_FUNC_msg_pop_data, BPF_FUNC_msg_pull_data,
  BPF_FUNC_msg_push_data, BPF_FUNC_ringbuf_reserve, BPF_FUNC_sk_fullsock, BPF_FUNC_sk_lookup_tcp, BPF_FUNC_sk_lookup_udp, BPF_FUNC_sk_storage_get,
  BPF_FUNC_skb_adjust_room, BPF_FUNC_skb_change_head, BPF_FUNC_skb_change_proto, BPF_FUNC_skb_change_tail, BPF_FUNC_skb_pull_data,
  BPF_FUNC_skb_store_bytes, BPF_FUNC_skb_vlan_pop, BPF_FUNC_skb_vlan_push, BPF_FUNC_skc_lookup_tcp, BPF_FUNC_skc_to_mptcp_sock,
  BPF_FUNC_skc_to_tcp6_sock, BPF_FUNC_skc_to_tcp_request_sock, BPF_FUNC_skc_to_tcp_sock, BPF_FUNC_skc_to_tcp_timewait_sock, BPF_FUNC_skc_to_udp6_sock,
  BPF_FUNC_store_hdr_opt, BPF_FUNC_tail_call, BPF_FUNC_task_storage_get, BPF_FUNC_tcp_sock, BPF_FUNC_timer_set_callback, BPF_FUNC_user_ringbuf_drain,
  BPF_FUNC_xdp_adjust_head, BPF_FUNC_xdp_adjust_meta, BPF_FUNC_xdp_adjust_tail,
} from './helpers.ts';

/** Calls after which every packet pointer is gone. bpf_tail_call is one: the program it enters may call any of the others. */
export const CHANGES_PACKET: ReadonlySet<number> = new Set([
  BPF_FUNC_clone_redirect, BPF_FUNC_l3_csum_replace, BPF_FUNC_l4_csum_replace, BPF_FUNC_lwt_push_encap, BPF_FUNC_lwt_seg6_action,
  BPF_FUNC_lwt_seg6_adjust_srh, BPF_FUNC_lwt_seg6_store_bytes, BPF_FUNC_msg_pop_data, BPF_FUNC_msg_pull_data, BPF_FUNC_msg_push_data,
  BPF_FUNC_skb_adjust_room, BPF_FUNC_skb_change_head, BPF_FUNC_skb_change_proto, BPF_FUNC_skb_change_tail, BPF_FUNC_skb_pull_data,
  BPF_FUNC_skb_store_bytes, BPF_FUNC_skb_vlan_pop, BPF_FUNC_skb_vlan_push, BPF_FUNC_store_hdr_opt, BPF_FUNC_xdp_adjust_head,
  BPF_FUNC_xdp_adjust_meta, BPF_FUNC_xdp_adjust_tail, BPF_FUNC_tail_call,
]);

/** Calls whose result is a reference that must be released. */
export const ACQUIRES_REFERENCE: ReadonlySet<number> = new Set([
  BPF_FUNC_sk_lookup_tcp, BPF_FUNC_sk_lookup_udp, BPF_FUNC_skc_lookup_tcp, BPF_FUNC_ringbuf_reserve, BPF_FUNC_kptr_xchg,
]);

/** True when the call acquires a reference because of its map: a look-up in a SOCKMAP (15) or SOCKHASH (18). */
export const acquiresByMap = (helperId: number, mapType: number): boolean =>
  helperId === BPF_FUNC_map_lookup_elem && (mapType === 15 || mapType === 18);

/** Casts of a socket pointer: the result shares its argument's reference. */
export const PTR_CASTS: ReadonlySet<number> = new Set([
  BPF_FUNC_tcp_sock, BPF_FUNC_sk_fullsock, BPF_FUNC_skc_to_tcp_sock, BPF_FUNC_skc_to_tcp6_sock, BPF_FUNC_skc_to_udp6_sock,
  BPF_FUNC_skc_to_mptcp_sock, BPF_FUNC_skc_to_tcp_timewait_sock, BPF_FUNC_skc_to_tcp_request_sock,
]);

/** The result points into the dynptr that is its first argument, and dies with it. */
export const DYNPTR_REFS: ReadonlySet<number> = new Set([BPF_FUNC_dynptr_data]);

/** Calls that run a callback before they return. */
export const SYNC_CALLBACKS: ReadonlySet<number> = new Set([BPF_FUNC_for_each_map_elem, BPF_FUNC_loop, BPF_FUNC_find_vma, BPF_FUNC_user_ringbuf_drain]);

/** Calls that leave a callback behind, to run later. */
export const ASYNC_CALLBACKS: ReadonlySet<number> = new Set([BPF_FUNC_timer_set_callback]);

/** Look-ups in local storage, which may create the element. */
export const STORAGE_GETS: ReadonlySet<number> = new Set([
  BPF_FUNC_sk_storage_get, BPF_FUNC_inode_storage_get, BPF_FUNC_task_storage_get, BPF_FUNC_cgrp_storage_get,
]);
