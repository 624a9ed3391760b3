// Which program type may call which helper, with which prototype, attach type and capability.
// Invariant: a type's own entry decides alone; only helpers that it doesn't name are looked for in the base set (as the kernel's switch does).
// Source: the *_func_proto functions of Linux 6.18 (kernel/bpf/helpers.c, kernel/bpf/cgroup.c, kernel/trace/bpf_trace.c, net/core/filter.c,
// kernel/bpf/bpf_lsm.c, drivers/media/rc/bpf-lirc.c), asked of a running 6.18 for every type but TRACING, STRUCT_OPS, EXT, LSM, LIRC_MODE2.

import {
  BPF_CGROUP_INET4_BIND, BPF_CGROUP_INET4_CONNECT, BPF_CGROUP_INET4_GETPEERNAME, BPF_CGROUP_INET4_GETSOCKNAME, BPF_CGROUP_INET6_BIND,
  BPF_CGROUP_INET6_CONNECT, BPF_CGROUP_INET6_GETPEERNAME, BPF_CGROUP_INET6_GETSOCKNAME, BPF_CGROUP_INET_EGRESS, BPF_CGROUP_INET_INGRESS,
  BPF_CGROUP_SETSOCKOPT, BPF_CGROUP_SOCK_OPS, BPF_CGROUP_UDP4_RECVMSG, BPF_CGROUP_UDP4_SENDMSG, BPF_CGROUP_UDP6_RECVMSG, BPF_CGROUP_UDP6_SENDMSG,
  BPF_CGROUP_UNIX_CONNECT, BPF_CGROUP_UNIX_GETPEERNAME, BPF_CGROUP_UNIX_GETSOCKNAME, BPF_CGROUP_UNIX_RECVMSG, BPF_CGROUP_UNIX_SENDMSG, BPF_LSM_CGROUP,
  BPF_LSM_MAC, BPF_MODIFY_RETURN, BPF_TRACE_FENTRY, BPF_TRACE_FEXIT, BPF_TRACE_ITER, BPF_TRACE_RAW_TP,
} from './attach-types.ts';
import { helperById } from './helpers.ts';
import type { HelperName, HelperProto } from './helpers.ts';
import { PROG_TYPES } from './prog-types.ts';
import type { ProgTypeName } from './prog-types.ts';

/** What a call needs beside the program type: nothing, CAP_BPF, or CAP_BPF and CAP_PERFMON. */
export type HelperCap = 'none' | 'bpf' | 'perfmon';

/** A helper that a program type may call. */
export interface HelperGrant {
  readonly name: HelperName;
  /** Key into the helper's `variants`; absent for its usual prototype. */
  readonly variant?: string;
  readonly cap?: HelperCap;
  /** Expected attach types that have it; absent for all. */
  readonly onlyAttach?: readonly number[];
  /** Expected attach types that don't have it. */
  readonly notAttach?: readonly number[];
}

/** The helpers of one program type. */
export interface ProgTypeHelpers {
  readonly own: readonly (HelperName | HelperGrant)[];
  /** The base set is there too. */
  readonly base: boolean;
}

const withCap = (cap: HelperCap, names: readonly HelperName[]): HelperGrant[] => names.map((name) => ({ name, cap }));

/** What every program type has, but BPF_PROG_TYPE_LIRC_MODE2: bpf_base_func_proto. */
export const BASE_HELPERS: readonly HelperGrant[] = [
  ...withCap('none', [
    'bpf_map_lookup_elem', 'bpf_map_update_elem', 'bpf_map_delete_elem', 'bpf_map_push_elem', 'bpf_map_pop_elem', 'bpf_map_peek_elem',
    'bpf_map_lookup_percpu_elem', 'bpf_get_prandom_u32', 'bpf_get_numa_node_id', 'bpf_tail_call', 'bpf_ktime_get_ns', 'bpf_ktime_get_boot_ns',
    'bpf_ktime_get_tai_ns', 'bpf_ringbuf_output', 'bpf_ringbuf_reserve', 'bpf_ringbuf_submit', 'bpf_ringbuf_discard', 'bpf_ringbuf_query', 'bpf_strncmp',
    'bpf_strtol', 'bpf_strtoul', 'bpf_get_current_pid_tgid', 'bpf_get_ns_current_pid_tgid', 'bpf_get_current_uid_gid',
  ]),
  { name: 'bpf_get_smp_processor_id', variant: 'bpf_get_raw_smp_processor_id', cap: 'none' },
  ...withCap('bpf', [
    'bpf_spin_lock', 'bpf_spin_unlock', 'bpf_jiffies64', 'bpf_per_cpu_ptr', 'bpf_this_cpu_ptr', 'bpf_timer_init', 'bpf_timer_set_callback',
    'bpf_timer_start', 'bpf_timer_cancel', 'bpf_kptr_xchg', 'bpf_for_each_map_elem', 'bpf_loop', 'bpf_user_ringbuf_drain', 'bpf_ringbuf_reserve_dynptr',
    'bpf_ringbuf_submit_dynptr', 'bpf_ringbuf_discard_dynptr', 'bpf_dynptr_from_mem', 'bpf_dynptr_read', 'bpf_dynptr_write', 'bpf_dynptr_data',
    'bpf_cgrp_storage_get', 'bpf_cgrp_storage_delete', 'bpf_get_current_cgroup_id', 'bpf_get_current_ancestor_cgroup_id',
    'bpf_current_task_under_cgroup', 'bpf_task_storage_get', 'bpf_task_storage_delete',
  ]),
  { name: 'bpf_get_cgroup_classid', variant: 'bpf_get_cgroup_classid_curr', cap: 'bpf' },
  ...withCap('perfmon', [
    'bpf_trace_printk', 'bpf_get_current_task', 'bpf_get_current_task_btf', 'bpf_get_current_comm', 'bpf_probe_read_user', 'bpf_probe_read_kernel',
    'bpf_probe_read_user_str', 'bpf_probe_read_kernel_str', 'bpf_copy_from_user', 'bpf_copy_from_user_task', 'bpf_snprintf_btf', 'bpf_snprintf',
    'bpf_task_pt_regs', 'bpf_trace_vprintk', 'bpf_perf_event_read_value', 'bpf_perf_event_read', 'bpf_send_signal', 'bpf_send_signal_thread',
    'bpf_get_task_stack', 'bpf_get_branch_snapshot', 'bpf_find_vma',
  ]),
];

/** bpf_sk_base_func_proto: what socket and packet types have before the base set. */
const SK_CAST_NAMES = [
  'bpf_skc_to_tcp6_sock', 'bpf_skc_to_tcp_sock', 'bpf_skc_to_tcp_timewait_sock', 'bpf_skc_to_tcp_request_sock', 'bpf_skc_to_udp6_sock',
  'bpf_skc_to_unix_sock', 'bpf_skc_to_mptcp_sock',
] as const satisfies readonly HelperName[];
const SK_BASE: readonly HelperGrant[] = [...withCap('perfmon', SK_CAST_NAMES), { name: 'bpf_ktime_get_coarse_ns' }];

const NO_RETVAL = [
  BPF_CGROUP_INET_INGRESS, BPF_CGROUP_INET_EGRESS, BPF_CGROUP_SOCK_OPS, BPF_CGROUP_UDP4_RECVMSG, BPF_CGROUP_UDP6_RECVMSG, BPF_CGROUP_UNIX_RECVMSG,
  BPF_CGROUP_INET4_GETPEERNAME, BPF_CGROUP_INET6_GETPEERNAME, BPF_CGROUP_UNIX_GETPEERNAME, BPF_CGROUP_INET4_GETSOCKNAME,
  BPF_CGROUP_INET6_GETSOCKNAME, BPF_CGROUP_UNIX_GETSOCKNAME,
];
/** cgroup_common_func_proto. */
const CGROUP_COMMON: readonly HelperGrant[] = [
  { name: 'bpf_get_local_storage' },
  { name: 'bpf_get_retval', notAttach: NO_RETVAL },
  { name: 'bpf_set_retval', notAttach: NO_RETVAL },
];

const SK_FILTER: readonly (HelperName | HelperGrant)[] = [
  'bpf_skb_load_bytes', 'bpf_skb_load_bytes_relative', 'bpf_get_socket_cookie', 'bpf_get_netns_cookie', 'bpf_get_socket_uid', 'bpf_perf_event_output',
  ...SK_BASE,
];

const SK_LOOKUPS: readonly HelperName[] = ['bpf_sk_lookup_tcp', 'bpf_sk_lookup_udp', 'bpf_sk_release', 'bpf_skc_lookup_tcp'];

const SYNCOOKIES: readonly HelperName[] = [
  'bpf_tcp_check_syncookie', 'bpf_tcp_gen_syncookie', 'bpf_tcp_raw_gen_syncookie_ipv4', 'bpf_tcp_raw_gen_syncookie_ipv6',
  'bpf_tcp_raw_check_syncookie_ipv4', 'bpf_tcp_raw_check_syncookie_ipv6',
];

const TC_CLS_ACT: readonly (HelperName | HelperGrant)[] = [
  'bpf_skb_store_bytes', 'bpf_skb_load_bytes', 'bpf_skb_load_bytes_relative', 'bpf_skb_pull_data', 'bpf_csum_diff', 'bpf_csum_update', 'bpf_csum_level',
  'bpf_l3_csum_replace', 'bpf_l4_csum_replace', 'bpf_clone_redirect', 'bpf_get_cgroup_classid', 'bpf_skb_vlan_push', 'bpf_skb_vlan_pop',
  'bpf_skb_change_proto', 'bpf_skb_change_type', 'bpf_skb_adjust_room', 'bpf_skb_change_tail', 'bpf_skb_change_head', 'bpf_skb_get_tunnel_key',
  'bpf_skb_set_tunnel_key', 'bpf_skb_get_tunnel_opt', 'bpf_skb_set_tunnel_opt', 'bpf_redirect', 'bpf_redirect_neigh', 'bpf_redirect_peer',
  'bpf_get_route_realm', 'bpf_get_hash_recalc', 'bpf_set_hash_invalid', 'bpf_set_hash', 'bpf_perf_event_output', 'bpf_get_smp_processor_id',
  'bpf_skb_under_cgroup', 'bpf_get_socket_cookie', 'bpf_get_netns_cookie', 'bpf_get_socket_uid', 'bpf_fib_lookup', 'bpf_check_mtu', 'bpf_sk_fullsock',
  'bpf_sk_storage_get', 'bpf_sk_storage_delete', 'bpf_skb_get_xfrm_state', 'bpf_skb_cgroup_classid', 'bpf_skb_cgroup_id',
  'bpf_skb_ancestor_cgroup_id', ...SK_LOOKUPS, 'bpf_tcp_sock', 'bpf_get_listener_sock', 'bpf_skb_ecn_set_ce', 'bpf_sk_assign', 'bpf_skb_set_tstamp',
  ...SYNCOOKIES, ...SK_BASE,
];

const LWT_OUT: readonly (HelperName | HelperGrant)[] = [
  'bpf_skb_load_bytes', 'bpf_skb_pull_data', 'bpf_csum_diff', 'bpf_get_cgroup_classid', 'bpf_get_route_realm', 'bpf_get_hash_recalc',
  'bpf_perf_event_output', 'bpf_get_smp_processor_id', 'bpf_skb_under_cgroup', ...SK_BASE,
];

/** bpf_tracing_func_proto, with what all tracing types have beside it. */
const TRACING: readonly (HelperName | HelperGrant)[] = [
  'bpf_get_smp_processor_id', 'bpf_probe_write_user', 'bpf_probe_read', 'bpf_probe_read_str', 'bpf_perf_event_output',
];
const TRACING_STACKS: readonly HelperName[] = ['bpf_get_stackid', 'bpf_get_stack', 'bpf_get_func_ip', 'bpf_get_attach_cookie'];

const TRAMPOLINE = [BPF_TRACE_FENTRY, BPF_TRACE_FEXIT, BPF_MODIFY_RETURN, BPF_LSM_MAC, BPF_LSM_CGROUP];
/** tracing_prog_func_proto. */
const TRACING_PROG: readonly (HelperName | HelperGrant)[] = [
  ...TRACING, 'bpf_get_stackid', 'bpf_get_stack', 'bpf_get_func_ip',
  'bpf_skb_output', 'bpf_xdp_output', ...SK_CAST_NAMES, 'bpf_sock_from_file', 'bpf_d_path',
  { name: 'bpf_sk_storage_get', variant: 'bpf_sk_storage_get_tracing' },
  { name: 'bpf_sk_storage_delete', variant: 'bpf_sk_storage_delete_tracing' },
  { name: 'bpf_get_socket_cookie', variant: 'bpf_get_socket_ptr_cookie' },
  { name: 'bpf_xdp_get_buff_len', variant: 'bpf_xdp_get_buff_len_trace' },
  { name: 'bpf_seq_printf', onlyAttach: [BPF_TRACE_ITER] },
  { name: 'bpf_seq_write', onlyAttach: [BPF_TRACE_ITER] },
  { name: 'bpf_seq_printf_btf', onlyAttach: [BPF_TRACE_ITER] },
  { name: 'bpf_get_func_arg', onlyAttach: TRAMPOLINE },
  { name: 'bpf_get_func_ret', onlyAttach: TRAMPOLINE },
  { name: 'bpf_get_func_arg_cnt', onlyAttach: TRAMPOLINE },
  { name: 'bpf_get_attach_cookie', onlyAttach: [...TRAMPOLINE, BPF_TRACE_RAW_TP] },
];

const SOCK_ADDR_SOCKOPT = [
  BPF_CGROUP_INET4_BIND, BPF_CGROUP_INET6_BIND, BPF_CGROUP_INET4_CONNECT, BPF_CGROUP_INET6_CONNECT, BPF_CGROUP_UNIX_CONNECT, BPF_CGROUP_UDP4_RECVMSG,
  BPF_CGROUP_UDP6_RECVMSG, BPF_CGROUP_UNIX_RECVMSG, BPF_CGROUP_UDP4_SENDMSG, BPF_CGROUP_UDP6_SENDMSG, BPF_CGROUP_UNIX_SENDMSG,
  BPF_CGROUP_INET4_GETPEERNAME, BPF_CGROUP_INET6_GETPEERNAME, BPF_CGROUP_UNIX_GETPEERNAME, BPF_CGROUP_INET4_GETSOCKNAME,
  BPF_CGROUP_INET6_GETSOCKNAME, BPF_CGROUP_UNIX_GETSOCKNAME,
];

const rawTracepoint: ProgTypeHelpers = {
  own: [...TRACING, 'bpf_get_stackid', 'bpf_get_stack', 'bpf_get_func_ip', 'bpf_get_attach_cookie'],
  base: true,
};

/** Every program type's helpers. BPF_PROG_TYPE_EXT has those of the program that it replaces a function of; STRUCT_OPS here is tcp_congestion_ops. */
export const PROG_TYPE_HELPERS: Readonly<Record<ProgTypeName, ProgTypeHelpers>> = {
  BPF_PROG_TYPE_UNSPEC: { own: [], base: false },
  BPF_PROG_TYPE_SOCKET_FILTER: { own: SK_FILTER, base: true },
  BPF_PROG_TYPE_KPROBE: {
    own: [...TRACING, ...TRACING_STACKS, 'bpf_override_return'],
    base: true,
  },
  BPF_PROG_TYPE_SCHED_CLS: { own: TC_CLS_ACT, base: true },
  BPF_PROG_TYPE_SCHED_ACT: { own: TC_CLS_ACT, base: true },
  BPF_PROG_TYPE_TRACEPOINT: { own: [...TRACING, ...TRACING_STACKS], base: true },
  BPF_PROG_TYPE_XDP: {
    own: [
      'bpf_perf_event_output', 'bpf_get_smp_processor_id', 'bpf_csum_diff', 'bpf_xdp_adjust_head', 'bpf_xdp_adjust_meta', 'bpf_redirect', 'bpf_redirect_map',
      'bpf_xdp_adjust_tail', 'bpf_xdp_get_buff_len', 'bpf_xdp_load_bytes', 'bpf_xdp_store_bytes', 'bpf_fib_lookup', 'bpf_check_mtu', ...SK_LOOKUPS,
      ...SYNCOOKIES, ...SK_BASE,
    ],
    base: true,
  },
  BPF_PROG_TYPE_PERF_EVENT: {
    own: [
      ...TRACING, { name: 'bpf_get_stackid', variant: 'bpf_get_stackid_pe' }, 'bpf_get_stack', 'bpf_get_func_ip', 'bpf_get_attach_cookie',
      'bpf_perf_prog_read_value', 'bpf_read_branch_records',
    ],
    base: true,
  },
  BPF_PROG_TYPE_CGROUP_SKB: {
    own: [
      ...CGROUP_COMMON, 'bpf_sk_fullsock', 'bpf_sk_storage_get', 'bpf_sk_storage_delete', 'bpf_skb_cgroup_id', 'bpf_skb_ancestor_cgroup_id',
      'bpf_sk_cgroup_id', 'bpf_sk_ancestor_cgroup_id', ...SK_LOOKUPS, 'bpf_tcp_sock', 'bpf_get_listener_sock', 'bpf_skb_ecn_set_ce', ...SK_FILTER,
    ],
    base: true,
  },
  BPF_PROG_TYPE_CGROUP_SOCK: {
    own: [
      ...CGROUP_COMMON, 'bpf_get_socket_cookie', 'bpf_get_netns_cookie', 'bpf_perf_event_output',
      { name: 'bpf_sk_storage_get', variant: 'bpf_sk_storage_get_cg_sock' }, 'bpf_ktime_get_coarse_ns',
    ],
    base: true,
  },
  BPF_PROG_TYPE_LWT_IN: { own: ['bpf_lwt_push_encap', ...LWT_OUT], base: true },
  BPF_PROG_TYPE_LWT_OUT: { own: LWT_OUT, base: true },
  BPF_PROG_TYPE_LWT_XMIT: {
    own: [
      'bpf_skb_get_tunnel_key', 'bpf_skb_set_tunnel_key', 'bpf_skb_get_tunnel_opt', 'bpf_skb_set_tunnel_opt', 'bpf_redirect', 'bpf_clone_redirect',
      'bpf_skb_change_tail', 'bpf_skb_change_head', 'bpf_skb_store_bytes', 'bpf_csum_update', 'bpf_csum_level', 'bpf_l3_csum_replace',
      'bpf_l4_csum_replace', 'bpf_set_hash_invalid', 'bpf_lwt_push_encap', ...LWT_OUT,
    ],
    base: true,
  },
  BPF_PROG_TYPE_SOCK_OPS: {
    own: [
      ...CGROUP_COMMON, 'bpf_setsockopt', 'bpf_getsockopt', 'bpf_sock_ops_cb_flags_set', 'bpf_sock_map_update', 'bpf_sock_hash_update',
      'bpf_get_socket_cookie', 'bpf_perf_event_output', 'bpf_sk_storage_get', 'bpf_sk_storage_delete', 'bpf_get_netns_cookie', 'bpf_load_hdr_opt',
      'bpf_store_hdr_opt', 'bpf_reserve_hdr_opt', 'bpf_tcp_sock', ...SK_BASE,
    ],
    base: true,
  },
  BPF_PROG_TYPE_SK_SKB: {
    own: [
      'bpf_skb_store_bytes', 'bpf_skb_load_bytes', 'bpf_skb_pull_data', 'bpf_skb_change_tail', 'bpf_skb_change_head', 'bpf_skb_adjust_room',
      'bpf_get_socket_cookie', 'bpf_get_socket_uid', 'bpf_sk_redirect_map', 'bpf_sk_redirect_hash', 'bpf_perf_event_output', ...SK_LOOKUPS, ...SK_BASE,
    ],
    base: true,
  },
  BPF_PROG_TYPE_CGROUP_DEVICE: { own: [...CGROUP_COMMON, 'bpf_perf_event_output'], base: true },
  BPF_PROG_TYPE_SK_MSG: {
    own: [
      'bpf_msg_redirect_map', 'bpf_msg_redirect_hash', 'bpf_msg_apply_bytes', 'bpf_msg_cork_bytes', 'bpf_msg_pull_data', 'bpf_msg_push_data',
      'bpf_msg_pop_data', 'bpf_perf_event_output', 'bpf_sk_storage_get', 'bpf_sk_storage_delete', 'bpf_get_netns_cookie', ...SK_BASE,
    ],
    base: true,
  },
  BPF_PROG_TYPE_RAW_TRACEPOINT: rawTracepoint,
  BPF_PROG_TYPE_CGROUP_SOCK_ADDR: {
    own: [
      ...CGROUP_COMMON, { name: 'bpf_bind', onlyAttach: [BPF_CGROUP_INET4_CONNECT, BPF_CGROUP_INET6_CONNECT] }, 'bpf_get_socket_cookie',
      'bpf_get_netns_cookie', 'bpf_perf_event_output', { name: 'bpf_sk_lookup_tcp', variant: 'bpf_sock_addr_sk_lookup_tcp' },
      { name: 'bpf_sk_lookup_udp', variant: 'bpf_sock_addr_sk_lookup_udp' }, 'bpf_sk_release',
      { name: 'bpf_skc_lookup_tcp', variant: 'bpf_sock_addr_skc_lookup_tcp' }, 'bpf_sk_storage_get', 'bpf_sk_storage_delete',
      { name: 'bpf_setsockopt', onlyAttach: SOCK_ADDR_SOCKOPT }, { name: 'bpf_getsockopt', onlyAttach: SOCK_ADDR_SOCKOPT }, ...SK_BASE,
    ],
    base: true,
  },
  BPF_PROG_TYPE_LWT_SEG6LOCAL: { own: ['bpf_lwt_seg6_store_bytes', 'bpf_lwt_seg6_action', 'bpf_lwt_seg6_adjust_srh', ...LWT_OUT], base: true },
  BPF_PROG_TYPE_LIRC_MODE2: {
    own: [
      'bpf_rc_repeat', 'bpf_rc_keydown', 'bpf_rc_pointer_rel', 'bpf_map_lookup_elem', 'bpf_map_update_elem', 'bpf_map_delete_elem', 'bpf_map_push_elem',
      'bpf_map_pop_elem', 'bpf_map_peek_elem', 'bpf_ktime_get_ns', 'bpf_ktime_get_boot_ns', 'bpf_tail_call', 'bpf_get_prandom_u32',
      { name: 'bpf_trace_printk', cap: 'perfmon' },
    ],
    base: false,
  },
  BPF_PROG_TYPE_SK_REUSEPORT: {
    own: [
      'bpf_sk_select_reuseport', 'bpf_skb_load_bytes', 'bpf_skb_load_bytes_relative', { name: 'bpf_get_socket_cookie', variant: 'bpf_get_socket_ptr_cookie' },
      'bpf_ktime_get_coarse_ns',
    ],
    base: true,
  },
  BPF_PROG_TYPE_FLOW_DISSECTOR: { own: ['bpf_skb_load_bytes', ...SK_BASE], base: true },
  BPF_PROG_TYPE_CGROUP_SYSCTL: {
    own: [
      ...CGROUP_COMMON, 'bpf_sysctl_get_name', 'bpf_sysctl_get_current_value', 'bpf_sysctl_get_new_value', 'bpf_sysctl_set_new_value',
      'bpf_ktime_get_coarse_ns', 'bpf_perf_event_output',
    ],
    base: true,
  },
  BPF_PROG_TYPE_RAW_TRACEPOINT_WRITABLE: rawTracepoint,
  BPF_PROG_TYPE_CGROUP_SOCKOPT: {
    own: [
      ...CGROUP_COMMON, 'bpf_get_netns_cookie', 'bpf_sk_storage_get', 'bpf_sk_storage_delete', 'bpf_tcp_sock', 'bpf_perf_event_output',
      { name: 'bpf_setsockopt', variant: 'bpf_sk_setsockopt', onlyAttach: [BPF_CGROUP_SETSOCKOPT] },
      { name: 'bpf_getsockopt', variant: 'bpf_sk_getsockopt', onlyAttach: [BPF_CGROUP_SETSOCKOPT] },
    ],
    base: true,
  },
  BPF_PROG_TYPE_TRACING: { own: TRACING_PROG, base: true },
  BPF_PROG_TYPE_STRUCT_OPS: {
    own: [
      'bpf_tcp_send_ack', 'bpf_sk_storage_get', 'bpf_sk_storage_delete', { name: 'bpf_setsockopt', variant: 'bpf_sk_setsockopt' },
      { name: 'bpf_getsockopt', variant: 'bpf_sk_getsockopt' }, 'bpf_ktime_get_coarse_ns',
    ],
    base: true,
  },
  BPF_PROG_TYPE_EXT: { own: [], base: false },
  BPF_PROG_TYPE_LSM: {
    own: [
      ...CGROUP_COMMON.map((grant) => ({ ...grant, onlyAttach: [BPF_LSM_CGROUP] })),
      'bpf_inode_storage_get', 'bpf_inode_storage_delete', 'bpf_sk_storage_get', 'bpf_sk_storage_delete', 'bpf_bprm_opts_set', 'bpf_ima_inode_hash',
      'bpf_ima_file_hash', { name: 'bpf_setsockopt', variant: 'bpf_sk_setsockopt', onlyAttach: [BPF_LSM_CGROUP] },
      { name: 'bpf_getsockopt', variant: 'bpf_sk_getsockopt', onlyAttach: [BPF_LSM_CGROUP] }, ...TRACING_PROG,
    ],
    base: true,
  },
  BPF_PROG_TYPE_SK_LOOKUP: {
    own: ['bpf_perf_event_output', { name: 'bpf_sk_assign', variant: 'bpf_sk_lookup_assign' }, 'bpf_sk_release', ...SK_BASE],
    base: true,
  },
  BPF_PROG_TYPE_SYSCALL: {
    own: [{ name: 'bpf_sys_bpf', cap: 'perfmon' }, 'bpf_btf_find_by_name_kind', 'bpf_sys_close', 'bpf_kallsyms_lookup_name', ...TRACING_PROG],
    base: true,
  },
  BPF_PROG_TYPE_NETFILTER: { own: [], base: true },
};

const asGrant = (entry: HelperName | HelperGrant): HelperGrant => (typeof entry === 'string' ? { name: entry } : entry);

function indexByName(entries: readonly (HelperName | HelperGrant)[]): ReadonlyMap<string, HelperGrant> {
  const byName = new Map<string, HelperGrant>();
  for (const entry of entries) {
    const grant = asGrant(entry);
    if (!byName.has(grant.name)) byName.set(grant.name, grant); // the first entry decides, as in the kernel's chain of switches
  }
  return byName;
}

const BASE_BY_NAME = indexByName(BASE_HELPERS);
const OWN_BY_NAME = new Map<number, ReadonlyMap<string, HelperGrant>>();

/** The grant by which a program type may call a helper, whatever the capabilities and attach type; undefined when the type never can. */
export function helperGrant(progType: number, helperId: number): HelperGrant | undefined {
  const type = PROG_TYPES[progType];
  const helper = helperById(helperId);
  if (type === undefined || helper === undefined) return undefined;
  let own = OWN_BY_NAME.get(progType);
  if (own === undefined) {
    own = indexByName(PROG_TYPE_HELPERS[type.name].own);
    OWN_BY_NAME.set(progType, own);
  }
  return own.get(helper.name) ?? (PROG_TYPE_HELPERS[type.name].base ? BASE_BY_NAME.get(helper.name) : undefined);
}

/** The prototype that a program of this type, attach type and capabilities calls the helper by; undefined when it cannot use the helper. */
export function helperProtoFor(
  progType: number,
  helperId: number,
  expectedAttachType: number,
  caps: { readonly bpf: boolean; readonly perfmon: boolean },
): HelperProto | undefined {
  const grant = helperGrant(progType, helperId);
  if (grant === undefined) return undefined;
  if (grant.cap === 'bpf' && !caps.bpf) return undefined;
  if (grant.cap === 'perfmon' && !(caps.bpf && caps.perfmon)) return undefined;
  if (grant.onlyAttach !== undefined && !grant.onlyAttach.includes(expectedAttachType)) return undefined;
  if (grant.notAttach?.includes(expectedAttachType) === true) return undefined;
  const helper = helperById(helperId);
  return grant.variant === undefined ? helper : helper?.variants?.[grant.variant];
}
