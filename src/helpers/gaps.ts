// Helpers that bpfkit doesn't have yet, each by name and with what it waits for. A program that calls one is told its name when it is prepared.
// Invariant: exact. A helper that is implemented can't stand here, one that isn't must: else this file doesn't compile.

import type { HelperName } from '../spec/helpers.ts';
import type { BY_EXECUTOR, HELPER_IMPLS } from './registry.ts';

const SOCKETS = 'needs simulated sockets';
const SOCKOPS = 'for socket programs (sock_ops, sock_addr, sockopt), which have no hook yet';
const SK_MSG = 'for sk_msg and sk_skb programs, which have no hook yet';
const LWT = 'for lightweight tunnels, which have no hook yet';
const TUNNELS = 'needs tunnel devices';
const CGROUPS = 'needs simulated cgroups';
const TASKS = 'needs simulated tasks, laid out by BTF';
const TRACING = 'for tracing programs, which have no hook yet';
const LSM = 'for LSM programs, which have no hook yet';
const SYSCTL = 'for sysctl programs, which have no hook yet';
const LIRC = 'for infrared decoders, which have no hook yet';
const SYSCALL = 'for syscall programs, which have no hook yet';
const ITER = 'for iterators, which have no hook yet';
const BTF = 'needs a kernel BTF to print by';
const STORAGE = 'needs local storage maps';
const TIMERS = 'needs timers on the simulated clock';
const DYNPTR = 'needs dynptrs';
const SYNCOOKIES = 'needs the TCP stack\'s SYN cookies';
const PERF_COUNTERS = 'needs performance counters';

/** Missing helpers and why. */
export const HELPER_GAPS = {
  bpf_skb_set_tunnel_key: TUNNELS,
  bpf_skb_set_tunnel_opt: TUNNELS,
  bpf_skb_get_xfrm_state: 'needs IPsec states',
  bpf_skb_under_cgroup: CGROUPS,
  bpf_current_task_under_cgroup: CGROUPS,
  bpf_get_current_cgroup_id: CGROUPS,
  bpf_get_current_ancestor_cgroup_id: CGROUPS,
  bpf_get_retval: CGROUPS,
  bpf_set_retval: CGROUPS,
  bpf_get_local_storage: CGROUPS,
  bpf_cgrp_storage_get: STORAGE,
  bpf_cgrp_storage_delete: STORAGE,
  bpf_sk_storage_get: STORAGE,
  bpf_sk_storage_delete: STORAGE,
  bpf_inode_storage_get: STORAGE,
  bpf_inode_storage_delete: STORAGE,
  bpf_task_storage_get: STORAGE,
  bpf_task_storage_delete: STORAGE,
  bpf_get_current_task: TASKS,
  bpf_get_current_task_btf: TASKS,
  bpf_task_pt_regs: TASKS,
  bpf_find_vma: TASKS,
  bpf_copy_from_user_task: TASKS,
  bpf_get_ns_current_pid_tgid: TASKS,
  bpf_send_signal: TASKS,
  bpf_send_signal_thread: TASKS,
  bpf_probe_write_user: TASKS,
  bpf_get_stackid: TRACING,
  bpf_get_stack: TRACING,
  bpf_get_task_stack: TRACING,
  bpf_override_return: TRACING,
  bpf_skb_output: TRACING,
  bpf_xdp_output: TRACING,
  bpf_d_path: TRACING,
  bpf_get_func_ip: TRACING,
  bpf_get_attach_cookie: TRACING,
  bpf_get_func_arg: TRACING,
  bpf_get_func_ret: TRACING,
  bpf_get_func_arg_cnt: TRACING,
  bpf_perf_event_read: PERF_COUNTERS,
  bpf_perf_event_read_value: PERF_COUNTERS,
  bpf_perf_prog_read_value: PERF_COUNTERS,
  bpf_read_branch_records: PERF_COUNTERS,
  bpf_get_branch_snapshot: PERF_COUNTERS,
  bpf_setsockopt: SOCKOPS,
  bpf_getsockopt: SOCKOPS,
  bpf_sock_ops_cb_flags_set: SOCKOPS,
  bpf_bind: SOCKOPS,
  bpf_load_hdr_opt: SOCKOPS,
  bpf_store_hdr_opt: SOCKOPS,
  bpf_reserve_hdr_opt: SOCKOPS,
  bpf_tcp_send_ack: SOCKOPS,
  bpf_sk_select_reuseport: SOCKETS,
  bpf_sock_from_file: SOCKETS,
  bpf_sock_map_update: SOCKETS,
  bpf_sock_hash_update: SOCKETS,
  bpf_sk_redirect_map: SK_MSG,
  bpf_sk_redirect_hash: SK_MSG,
  bpf_msg_redirect_map: SK_MSG,
  bpf_msg_redirect_hash: SK_MSG,
  bpf_msg_apply_bytes: SK_MSG,
  bpf_msg_cork_bytes: SK_MSG,
  bpf_msg_pull_data: SK_MSG,
  bpf_msg_push_data: SK_MSG,
  bpf_msg_pop_data: SK_MSG,
  bpf_lwt_push_encap: LWT,
  bpf_lwt_seg6_store_bytes: LWT,
  bpf_lwt_seg6_adjust_srh: LWT,
  bpf_lwt_seg6_action: LWT,
  bpf_rc_repeat: LIRC,
  bpf_rc_keydown: LIRC,
  bpf_rc_pointer_rel: LIRC,
  bpf_sysctl_get_name: SYSCTL,
  bpf_sysctl_get_current_value: SYSCTL,
  bpf_sysctl_get_new_value: SYSCTL,
  bpf_sysctl_set_new_value: SYSCTL,
  bpf_bprm_opts_set: LSM,
  bpf_ima_inode_hash: LSM,
  bpf_ima_file_hash: LSM,
  bpf_sys_bpf: SYSCALL,
  bpf_sys_close: SYSCALL,
  bpf_btf_find_by_name_kind: SYSCALL,
  bpf_kallsyms_lookup_name: SYSCALL,
  bpf_seq_printf: ITER,
  bpf_seq_write: ITER,
  bpf_seq_printf_btf: ITER,
  bpf_snprintf_btf: BTF,
  bpf_per_cpu_ptr: 'needs per-CPU kernel variables (ksyms)',
  bpf_this_cpu_ptr: 'needs per-CPU kernel variables (ksyms)',
  bpf_timer_init: TIMERS,
  bpf_timer_set_callback: TIMERS,
  bpf_timer_start: TIMERS,
  bpf_timer_cancel: TIMERS,
  bpf_kptr_xchg: 'needs kernel objects that maps can own',
  bpf_dynptr_from_mem: DYNPTR,
  bpf_dynptr_read: DYNPTR,
  bpf_dynptr_write: DYNPTR,
  bpf_dynptr_data: DYNPTR,
  bpf_ringbuf_reserve_dynptr: DYNPTR,
  bpf_ringbuf_submit_dynptr: DYNPTR,
  bpf_ringbuf_discard_dynptr: DYNPTR,
  bpf_user_ringbuf_drain: 'needs user ring buffer maps',
  bpf_tcp_raw_gen_syncookie_ipv4: SYNCOOKIES,
  bpf_tcp_raw_gen_syncookie_ipv6: SYNCOOKIES,
  bpf_tcp_raw_check_syncookie_ipv4: SYNCOOKIES,
  bpf_tcp_raw_check_syncookie_ipv6: SYNCOOKIES,
} as const satisfies Record<Exclude<HelperName, keyof typeof HELPER_IMPLS | (typeof BY_EXECUTOR)[number]>, string>;
