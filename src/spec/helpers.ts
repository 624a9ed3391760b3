// Every helper function: number, name, first version, and the prototype that the verifier checks a call against.
// Invariant: HELPERS is indexed by helper number (row 0 is bpf_unspec); a helper whose prototype differs by program type keeps the others
// in `variants`, under the kernel's name for them, and spec/prog-type-helpers.ts says which program type gets which.
// Source: kernel `struct bpf_func_proto` of each helper, Linux 6.18, asked of a running 6.18 where a program type there can call it.

import type { KernelVersion } from './versions.ts';
import {
  ARG_ANYTHING, ARG_CONST_ALLOC_SIZE_OR_ZERO, ARG_CONST_MAP_PTR, ARG_CONST_SIZE, ARG_CONST_SIZE_OR_ZERO, ARG_KPTR_XCHG_DEST,
  ARG_PTR_TO_BTF_ID, ARG_PTR_TO_BTF_ID_OR_NULL, ARG_PTR_TO_BTF_ID_SOCK_COMMON, ARG_PTR_TO_CONST_STR, ARG_PTR_TO_CTX,
  ARG_PTR_TO_CTX_OR_NULL, ARG_PTR_TO_DYNPTR, ARG_PTR_TO_FIXED_SIZE_MEM, ARG_PTR_TO_FUNC, ARG_PTR_TO_MAP_KEY, ARG_PTR_TO_MAP_VALUE,
  ARG_PTR_TO_MAP_VALUE_OR_NULL, ARG_PTR_TO_MEM, ARG_PTR_TO_MEM_OR_NULL, ARG_PTR_TO_PERCPU_BTF_ID, ARG_PTR_TO_RINGBUF_MEM,
  ARG_PTR_TO_SOCKET_OR_NULL, ARG_PTR_TO_SOCK_COMMON, ARG_PTR_TO_SPIN_LOCK, ARG_PTR_TO_STACK_OR_NULL, ARG_PTR_TO_TIMER,
  ARG_PTR_TO_UNINIT_MEM, DYNPTR_TYPE_LOCAL, DYNPTR_TYPE_RINGBUF, MEM_ALIGNED, MEM_RDONLY, MEM_UNINIT, MEM_WRITE, OBJ_RELEASE,
  PTR_MAYBE_NULL, RET_INTEGER, RET_PTR_TO_BTF_ID, RET_PTR_TO_BTF_ID_OR_NULL, RET_PTR_TO_BTF_ID_TRUSTED, RET_PTR_TO_DYNPTR_MEM_OR_NULL,
  RET_PTR_TO_MAP_VALUE, RET_PTR_TO_MAP_VALUE_OR_NULL, RET_PTR_TO_MEM_OR_BTF_ID, RET_PTR_TO_RINGBUF_MEM_OR_NULL, RET_PTR_TO_SOCKET_OR_NULL,
  RET_PTR_TO_SOCK_COMMON_OR_NULL, RET_PTR_TO_TCP_SOCK_OR_NULL, RET_VOID,
} from './verifier-types.ts';

export const BPF_FUNC_unspec = 0;
export const BPF_FUNC_map_lookup_elem = 1;
export const BPF_FUNC_map_update_elem = 2;
export const BPF_FUNC_map_delete_elem = 3;
export const BPF_FUNC_probe_read = 4;
export const BPF_FUNC_ktime_get_ns = 5;
export const BPF_FUNC_trace_printk = 6;
export const BPF_FUNC_get_prandom_u32 = 7;
export const BPF_FUNC_get_smp_processor_id = 8;
export const BPF_FUNC_skb_store_bytes = 9;
export const BPF_FUNC_l3_csum_replace = 10;
export const BPF_FUNC_l4_csum_replace = 11;
export const BPF_FUNC_tail_call = 12;
export const BPF_FUNC_clone_redirect = 13;
export const BPF_FUNC_get_current_pid_tgid = 14;
export const BPF_FUNC_get_current_uid_gid = 15;
export const BPF_FUNC_get_current_comm = 16;
export const BPF_FUNC_get_cgroup_classid = 17;
export const BPF_FUNC_skb_vlan_push = 18;
export const BPF_FUNC_skb_vlan_pop = 19;
export const BPF_FUNC_skb_get_tunnel_key = 20;
export const BPF_FUNC_skb_set_tunnel_key = 21;
export const BPF_FUNC_perf_event_read = 22;
export const BPF_FUNC_redirect = 23;
export const BPF_FUNC_get_route_realm = 24;
export const BPF_FUNC_perf_event_output = 25;
export const BPF_FUNC_skb_load_bytes = 26;
export const BPF_FUNC_get_stackid = 27;
export const BPF_FUNC_csum_diff = 28;
export const BPF_FUNC_skb_get_tunnel_opt = 29;
export const BPF_FUNC_skb_set_tunnel_opt = 30;
export const BPF_FUNC_skb_change_proto = 31;
export const BPF_FUNC_skb_change_type = 32;
export const BPF_FUNC_skb_under_cgroup = 33;
export const BPF_FUNC_get_hash_recalc = 34;
export const BPF_FUNC_get_current_task = 35;
export const BPF_FUNC_probe_write_user = 36;
export const BPF_FUNC_current_task_under_cgroup = 37;
export const BPF_FUNC_skb_change_tail = 38;
export const BPF_FUNC_skb_pull_data = 39;
export const BPF_FUNC_csum_update = 40;
export const BPF_FUNC_set_hash_invalid = 41;
export const BPF_FUNC_get_numa_node_id = 42;
export const BPF_FUNC_skb_change_head = 43;
export const BPF_FUNC_xdp_adjust_head = 44;
export const BPF_FUNC_probe_read_str = 45;
export const BPF_FUNC_get_socket_cookie = 46;
export const BPF_FUNC_get_socket_uid = 47;
export const BPF_FUNC_set_hash = 48;
export const BPF_FUNC_setsockopt = 49;
export const BPF_FUNC_skb_adjust_room = 50;
export const BPF_FUNC_redirect_map = 51;
export const BPF_FUNC_sk_redirect_map = 52;
export const BPF_FUNC_sock_map_update = 53;
export const BPF_FUNC_xdp_adjust_meta = 54;
export const BPF_FUNC_perf_event_read_value = 55;
export const BPF_FUNC_perf_prog_read_value = 56;
export const BPF_FUNC_getsockopt = 57;
export const BPF_FUNC_override_return = 58;
export const BPF_FUNC_sock_ops_cb_flags_set = 59;
export const BPF_FUNC_msg_redirect_map = 60;
export const BPF_FUNC_msg_apply_bytes = 61;
export const BPF_FUNC_msg_cork_bytes = 62;
export const BPF_FUNC_msg_pull_data = 63;
export const BPF_FUNC_bind = 64;
export const BPF_FUNC_xdp_adjust_tail = 65;
export const BPF_FUNC_skb_get_xfrm_state = 66;
export const BPF_FUNC_get_stack = 67;
export const BPF_FUNC_skb_load_bytes_relative = 68;
export const BPF_FUNC_fib_lookup = 69;
export const BPF_FUNC_sock_hash_update = 70;
export const BPF_FUNC_msg_redirect_hash = 71;
export const BPF_FUNC_sk_redirect_hash = 72;
export const BPF_FUNC_lwt_push_encap = 73;
export const BPF_FUNC_lwt_seg6_store_bytes = 74;
export const BPF_FUNC_lwt_seg6_adjust_srh = 75;
export const BPF_FUNC_lwt_seg6_action = 76;
export const BPF_FUNC_rc_repeat = 77;
export const BPF_FUNC_rc_keydown = 78;
export const BPF_FUNC_skb_cgroup_id = 79;
export const BPF_FUNC_get_current_cgroup_id = 80;
export const BPF_FUNC_get_local_storage = 81;
export const BPF_FUNC_sk_select_reuseport = 82;
export const BPF_FUNC_skb_ancestor_cgroup_id = 83;
export const BPF_FUNC_sk_lookup_tcp = 84;
export const BPF_FUNC_sk_lookup_udp = 85;
export const BPF_FUNC_sk_release = 86;
export const BPF_FUNC_map_push_elem = 87;
export const BPF_FUNC_map_pop_elem = 88;
export const BPF_FUNC_map_peek_elem = 89;
export const BPF_FUNC_msg_push_data = 90;
export const BPF_FUNC_msg_pop_data = 91;
export const BPF_FUNC_rc_pointer_rel = 92;
export const BPF_FUNC_spin_lock = 93;
export const BPF_FUNC_spin_unlock = 94;
export const BPF_FUNC_sk_fullsock = 95;
export const BPF_FUNC_tcp_sock = 96;
export const BPF_FUNC_skb_ecn_set_ce = 97;
export const BPF_FUNC_get_listener_sock = 98;
export const BPF_FUNC_skc_lookup_tcp = 99;
export const BPF_FUNC_tcp_check_syncookie = 100;
export const BPF_FUNC_sysctl_get_name = 101;
export const BPF_FUNC_sysctl_get_current_value = 102;
export const BPF_FUNC_sysctl_get_new_value = 103;
export const BPF_FUNC_sysctl_set_new_value = 104;
export const BPF_FUNC_strtol = 105;
export const BPF_FUNC_strtoul = 106;
export const BPF_FUNC_sk_storage_get = 107;
export const BPF_FUNC_sk_storage_delete = 108;
export const BPF_FUNC_send_signal = 109;
export const BPF_FUNC_tcp_gen_syncookie = 110;
export const BPF_FUNC_skb_output = 111;
export const BPF_FUNC_probe_read_user = 112;
export const BPF_FUNC_probe_read_kernel = 113;
export const BPF_FUNC_probe_read_user_str = 114;
export const BPF_FUNC_probe_read_kernel_str = 115;
export const BPF_FUNC_tcp_send_ack = 116;
export const BPF_FUNC_send_signal_thread = 117;
export const BPF_FUNC_jiffies64 = 118;
export const BPF_FUNC_read_branch_records = 119;
export const BPF_FUNC_get_ns_current_pid_tgid = 120;
export const BPF_FUNC_xdp_output = 121;
export const BPF_FUNC_get_netns_cookie = 122;
export const BPF_FUNC_get_current_ancestor_cgroup_id = 123;
export const BPF_FUNC_sk_assign = 124;
export const BPF_FUNC_ktime_get_boot_ns = 125;
export const BPF_FUNC_seq_printf = 126;
export const BPF_FUNC_seq_write = 127;
export const BPF_FUNC_sk_cgroup_id = 128;
export const BPF_FUNC_sk_ancestor_cgroup_id = 129;
export const BPF_FUNC_ringbuf_output = 130;
export const BPF_FUNC_ringbuf_reserve = 131;
export const BPF_FUNC_ringbuf_submit = 132;
export const BPF_FUNC_ringbuf_discard = 133;
export const BPF_FUNC_ringbuf_query = 134;
export const BPF_FUNC_csum_level = 135;
export const BPF_FUNC_skc_to_tcp6_sock = 136;
export const BPF_FUNC_skc_to_tcp_sock = 137;
export const BPF_FUNC_skc_to_tcp_timewait_sock = 138;
export const BPF_FUNC_skc_to_tcp_request_sock = 139;
export const BPF_FUNC_skc_to_udp6_sock = 140;
export const BPF_FUNC_get_task_stack = 141;
export const BPF_FUNC_load_hdr_opt = 142;
export const BPF_FUNC_store_hdr_opt = 143;
export const BPF_FUNC_reserve_hdr_opt = 144;
export const BPF_FUNC_inode_storage_get = 145;
export const BPF_FUNC_inode_storage_delete = 146;
export const BPF_FUNC_d_path = 147;
export const BPF_FUNC_copy_from_user = 148;
export const BPF_FUNC_snprintf_btf = 149;
export const BPF_FUNC_seq_printf_btf = 150;
export const BPF_FUNC_skb_cgroup_classid = 151;
export const BPF_FUNC_redirect_neigh = 152;
export const BPF_FUNC_per_cpu_ptr = 153;
export const BPF_FUNC_this_cpu_ptr = 154;
export const BPF_FUNC_redirect_peer = 155;
export const BPF_FUNC_task_storage_get = 156;
export const BPF_FUNC_task_storage_delete = 157;
export const BPF_FUNC_get_current_task_btf = 158;
export const BPF_FUNC_bprm_opts_set = 159;
export const BPF_FUNC_ktime_get_coarse_ns = 160;
export const BPF_FUNC_ima_inode_hash = 161;
export const BPF_FUNC_sock_from_file = 162;
export const BPF_FUNC_check_mtu = 163;
export const BPF_FUNC_for_each_map_elem = 164;
export const BPF_FUNC_snprintf = 165;
export const BPF_FUNC_sys_bpf = 166;
export const BPF_FUNC_btf_find_by_name_kind = 167;
export const BPF_FUNC_sys_close = 168;
export const BPF_FUNC_timer_init = 169;
export const BPF_FUNC_timer_set_callback = 170;
export const BPF_FUNC_timer_start = 171;
export const BPF_FUNC_timer_cancel = 172;
export const BPF_FUNC_get_func_ip = 173;
export const BPF_FUNC_get_attach_cookie = 174;
export const BPF_FUNC_task_pt_regs = 175;
export const BPF_FUNC_get_branch_snapshot = 176;
export const BPF_FUNC_trace_vprintk = 177;
export const BPF_FUNC_skc_to_unix_sock = 178;
export const BPF_FUNC_kallsyms_lookup_name = 179;
export const BPF_FUNC_find_vma = 180;
export const BPF_FUNC_loop = 181;
export const BPF_FUNC_strncmp = 182;
export const BPF_FUNC_get_func_arg = 183;
export const BPF_FUNC_get_func_ret = 184;
export const BPF_FUNC_get_func_arg_cnt = 185;
export const BPF_FUNC_get_retval = 186;
export const BPF_FUNC_set_retval = 187;
export const BPF_FUNC_xdp_get_buff_len = 188;
export const BPF_FUNC_xdp_load_bytes = 189;
export const BPF_FUNC_xdp_store_bytes = 190;
export const BPF_FUNC_copy_from_user_task = 191;
export const BPF_FUNC_skb_set_tstamp = 192;
export const BPF_FUNC_ima_file_hash = 193;
export const BPF_FUNC_kptr_xchg = 194;
export const BPF_FUNC_map_lookup_percpu_elem = 195;
export const BPF_FUNC_skc_to_mptcp_sock = 196;
export const BPF_FUNC_dynptr_from_mem = 197;
export const BPF_FUNC_ringbuf_reserve_dynptr = 198;
export const BPF_FUNC_ringbuf_submit_dynptr = 199;
export const BPF_FUNC_ringbuf_discard_dynptr = 200;
export const BPF_FUNC_dynptr_read = 201;
export const BPF_FUNC_dynptr_write = 202;
export const BPF_FUNC_dynptr_data = 203;
export const BPF_FUNC_tcp_raw_gen_syncookie_ipv4 = 204;
export const BPF_FUNC_tcp_raw_gen_syncookie_ipv6 = 205;
export const BPF_FUNC_tcp_raw_check_syncookie_ipv4 = 206;
export const BPF_FUNC_tcp_raw_check_syncookie_ipv6 = 207;
export const BPF_FUNC_ktime_get_tai_ns = 208;
export const BPF_FUNC_user_ringbuf_drain = 209;
export const BPF_FUNC_cgrp_storage_get = 210;
export const BPF_FUNC_cgrp_storage_delete = 211;

/** What a call of a helper must look like. */
export interface HelperProto {
  /** RET_* with flags. */
  readonly ret: number;
  /** ARG_* with flags, r1 first; at most five. */
  readonly args: readonly number[];
  /** Size in bytes of each argument that is MEM_FIXED_SIZE, 0 for the others. */
  readonly sizes?: readonly number[];
  /** BTF struct of each ARG_PTR_TO_BTF_ID, '' for the others. */
  readonly argBtf?: readonly string[];
  /** BTF struct that RET_PTR_TO_BTF_ID points to. */
  readonly retBtf?: string;
  /** Only programs under a GPL-compatible license may call it. */
  readonly gplOnly?: true;
  /** Memory arguments may point into the packet. */
  readonly pktAccess?: true;
  /** Only sleepable programs may call it. */
  readonly mightSleep?: true;
  /** Callers may keep r1 … r5 across the call by the spill/fill pattern (bpf_fastcall). */
  readonly allowFastcall?: true;
}

/** A helper function with its usual prototype. */
export interface HelperSpec extends HelperProto {
  readonly id: number;
  /** As in bpf_helpers: bpf_map_lookup_elem. */
  readonly name: string;
  readonly since: KernelVersion;
  /** Prototypes for other program types, by the kernel's name. */
  readonly variants?: Readonly<Record<string, HelperProto>>;
}

const ROWS = [
  { id: 0, name: 'bpf_unspec', since: 3018, ret: RET_VOID, args: [] },
  { id: 1, name: 'bpf_map_lookup_elem', since: 3018, ret: RET_PTR_TO_MAP_VALUE_OR_NULL, args: [ARG_CONST_MAP_PTR, ARG_PTR_TO_MAP_KEY], pktAccess: true },
  { id: 2, name: 'bpf_map_update_elem', since: 3018, ret: RET_INTEGER, args: [ARG_CONST_MAP_PTR, ARG_PTR_TO_MAP_KEY, ARG_PTR_TO_MAP_VALUE, ARG_ANYTHING], pktAccess: true },
  { id: 3, name: 'bpf_map_delete_elem', since: 3019, ret: RET_INTEGER, args: [ARG_CONST_MAP_PTR, ARG_PTR_TO_MAP_KEY], pktAccess: true },
  { id: 4, name: 'bpf_probe_read', since: 4001, ret: RET_INTEGER, args: [ARG_PTR_TO_UNINIT_MEM, ARG_CONST_SIZE_OR_ZERO, ARG_ANYTHING], gplOnly: true },
  { id: 5, name: 'bpf_ktime_get_ns', since: 4001, ret: RET_INTEGER, args: [] },
  { id: 6, name: 'bpf_trace_printk', since: 4001, ret: RET_INTEGER, args: [ARG_PTR_TO_MEM | MEM_RDONLY, ARG_CONST_SIZE], gplOnly: true },
  { id: 7, name: 'bpf_get_prandom_u32', since: 4001, ret: RET_INTEGER, args: [] },
  { id: 8, name: 'bpf_get_smp_processor_id', since: 4001, ret: RET_INTEGER, args: [], allowFastcall: true,
    variants: {
      bpf_get_raw_smp_processor_id: { ret: RET_INTEGER, args: [] },
    } },
  { id: 9, name: 'bpf_skb_store_bytes', since: 4001, ret: RET_INTEGER, args: [ARG_PTR_TO_CTX, ARG_ANYTHING, ARG_PTR_TO_MEM | MEM_RDONLY, ARG_CONST_SIZE, ARG_ANYTHING] },
  { id: 10, name: 'bpf_l3_csum_replace', since: 4001, ret: RET_INTEGER, args: [ARG_PTR_TO_CTX, ARG_ANYTHING, ARG_ANYTHING, ARG_ANYTHING, ARG_ANYTHING] },
  { id: 11, name: 'bpf_l4_csum_replace', since: 4001, ret: RET_INTEGER, args: [ARG_PTR_TO_CTX, ARG_ANYTHING, ARG_ANYTHING, ARG_ANYTHING, ARG_ANYTHING] },
  { id: 12, name: 'bpf_tail_call', since: 4002, ret: RET_VOID, args: [ARG_PTR_TO_CTX, ARG_CONST_MAP_PTR, ARG_ANYTHING] },
  { id: 13, name: 'bpf_clone_redirect', since: 4002, ret: RET_INTEGER, args: [ARG_PTR_TO_CTX, ARG_ANYTHING, ARG_ANYTHING] },
  { id: 14, name: 'bpf_get_current_pid_tgid', since: 4002, ret: RET_INTEGER, args: [] },
  { id: 15, name: 'bpf_get_current_uid_gid', since: 4002, ret: RET_INTEGER, args: [] },
  { id: 16, name: 'bpf_get_current_comm', since: 4002, ret: RET_INTEGER, args: [ARG_PTR_TO_UNINIT_MEM, ARG_CONST_SIZE] },
  { id: 17, name: 'bpf_get_cgroup_classid', since: 4003, ret: RET_INTEGER, args: [ARG_PTR_TO_CTX],
    variants: {
      bpf_get_cgroup_classid_curr: { ret: RET_INTEGER, args: [] },
    } },
  { id: 18, name: 'bpf_skb_vlan_push', since: 4003, ret: RET_INTEGER, args: [ARG_PTR_TO_CTX, ARG_ANYTHING, ARG_ANYTHING] },
  { id: 19, name: 'bpf_skb_vlan_pop', since: 4003, ret: RET_INTEGER, args: [ARG_PTR_TO_CTX] },
  { id: 20, name: 'bpf_skb_get_tunnel_key', since: 4003, ret: RET_INTEGER, args: [ARG_PTR_TO_CTX, ARG_PTR_TO_UNINIT_MEM, ARG_CONST_SIZE, ARG_ANYTHING] },
  { id: 21, name: 'bpf_skb_set_tunnel_key', since: 4003, ret: RET_INTEGER, args: [ARG_PTR_TO_CTX, ARG_PTR_TO_MEM | MEM_RDONLY, ARG_CONST_SIZE, ARG_ANYTHING] },
  { id: 22, name: 'bpf_perf_event_read', since: 4003, ret: RET_INTEGER, args: [ARG_CONST_MAP_PTR, ARG_ANYTHING], gplOnly: true },
  { id: 23, name: 'bpf_redirect', since: 4004, ret: RET_INTEGER, args: [ARG_ANYTHING, ARG_ANYTHING] },
  { id: 24, name: 'bpf_get_route_realm', since: 4004, ret: RET_INTEGER, args: [ARG_PTR_TO_CTX] },
  { id: 25, name: 'bpf_perf_event_output', since: 4004, ret: RET_INTEGER, args: [ARG_PTR_TO_CTX, ARG_CONST_MAP_PTR, ARG_ANYTHING, ARG_PTR_TO_MEM | MEM_RDONLY, ARG_CONST_SIZE_OR_ZERO], gplOnly: true },
  { id: 26, name: 'bpf_skb_load_bytes', since: 4005, ret: RET_INTEGER, args: [ARG_PTR_TO_CTX, ARG_ANYTHING, ARG_PTR_TO_UNINIT_MEM, ARG_CONST_SIZE] },
  { id: 27, name: 'bpf_get_stackid', since: 4006, ret: RET_INTEGER, args: [ARG_PTR_TO_CTX, ARG_CONST_MAP_PTR, ARG_ANYTHING], gplOnly: true,
    variants: {
      bpf_get_stackid_pe: { ret: RET_INTEGER, args: [ARG_PTR_TO_CTX, ARG_CONST_MAP_PTR, ARG_ANYTHING] },
    } },
  { id: 28, name: 'bpf_csum_diff', since: 4006, ret: RET_INTEGER, args: [ARG_PTR_TO_MEM | PTR_MAYBE_NULL | MEM_RDONLY, ARG_CONST_SIZE_OR_ZERO, ARG_PTR_TO_MEM | PTR_MAYBE_NULL | MEM_RDONLY, ARG_CONST_SIZE_OR_ZERO, ARG_ANYTHING], pktAccess: true },
  { id: 29, name: 'bpf_skb_get_tunnel_opt', since: 4006, ret: RET_INTEGER, args: [ARG_PTR_TO_CTX, ARG_PTR_TO_UNINIT_MEM, ARG_CONST_SIZE] },
  { id: 30, name: 'bpf_skb_set_tunnel_opt', since: 4006, ret: RET_INTEGER, args: [ARG_PTR_TO_CTX, ARG_PTR_TO_MEM | MEM_RDONLY, ARG_CONST_SIZE] },
  { id: 31, name: 'bpf_skb_change_proto', since: 4008, ret: RET_INTEGER, args: [ARG_PTR_TO_CTX, ARG_ANYTHING, ARG_ANYTHING] },
  { id: 32, name: 'bpf_skb_change_type', since: 4008, ret: RET_INTEGER, args: [ARG_PTR_TO_CTX, ARG_ANYTHING] },
  { id: 33, name: 'bpf_skb_under_cgroup', since: 4008, ret: RET_INTEGER, args: [ARG_PTR_TO_CTX, ARG_CONST_MAP_PTR, ARG_ANYTHING] },
  { id: 34, name: 'bpf_get_hash_recalc', since: 4008, ret: RET_INTEGER, args: [ARG_PTR_TO_CTX] },
  { id: 35, name: 'bpf_get_current_task', since: 4008, ret: RET_INTEGER, args: [], gplOnly: true },
  { id: 36, name: 'bpf_probe_write_user', since: 4008, ret: RET_INTEGER, args: [ARG_ANYTHING, ARG_PTR_TO_MEM | MEM_RDONLY, ARG_CONST_SIZE], gplOnly: true },
  { id: 37, name: 'bpf_current_task_under_cgroup', since: 4009, ret: RET_INTEGER, args: [ARG_CONST_MAP_PTR, ARG_ANYTHING] },
  { id: 38, name: 'bpf_skb_change_tail', since: 4009, ret: RET_INTEGER, args: [ARG_PTR_TO_CTX, ARG_ANYTHING, ARG_ANYTHING] },
  { id: 39, name: 'bpf_skb_pull_data', since: 4009, ret: RET_INTEGER, args: [ARG_PTR_TO_CTX, ARG_ANYTHING] },
  { id: 40, name: 'bpf_csum_update', since: 4009, ret: RET_INTEGER, args: [ARG_PTR_TO_CTX, ARG_ANYTHING] },
  { id: 41, name: 'bpf_set_hash_invalid', since: 4009, ret: RET_INTEGER, args: [ARG_PTR_TO_CTX] },
  { id: 42, name: 'bpf_get_numa_node_id', since: 4010, ret: RET_INTEGER, args: [] },
  { id: 43, name: 'bpf_skb_change_head', since: 4010, ret: RET_INTEGER, args: [ARG_PTR_TO_CTX, ARG_ANYTHING, ARG_ANYTHING] },
  { id: 44, name: 'bpf_xdp_adjust_head', since: 4010, ret: RET_INTEGER, args: [ARG_PTR_TO_CTX, ARG_ANYTHING] },
  { id: 45, name: 'bpf_probe_read_str', since: 4011, ret: RET_INTEGER, args: [ARG_PTR_TO_UNINIT_MEM, ARG_CONST_SIZE_OR_ZERO, ARG_ANYTHING], gplOnly: true },
  { id: 46, name: 'bpf_get_socket_cookie', since: 4012, ret: RET_INTEGER, args: [ARG_PTR_TO_CTX],
    variants: {
      bpf_get_socket_ptr_cookie: { ret: RET_INTEGER, args: [ARG_PTR_TO_BTF_ID_SOCK_COMMON | PTR_MAYBE_NULL] },
    } },
  { id: 47, name: 'bpf_get_socket_uid', since: 4012, ret: RET_INTEGER, args: [ARG_PTR_TO_CTX] },
  { id: 48, name: 'bpf_set_hash', since: 4013, ret: RET_INTEGER, args: [ARG_PTR_TO_CTX, ARG_ANYTHING] },
  { id: 49, name: 'bpf_setsockopt', since: 4013, ret: RET_INTEGER, args: [ARG_PTR_TO_CTX, ARG_ANYTHING, ARG_ANYTHING, ARG_PTR_TO_MEM | MEM_RDONLY, ARG_CONST_SIZE],
    variants: {
      bpf_sk_setsockopt: { ret: RET_INTEGER, args: [ARG_PTR_TO_BTF_ID_SOCK_COMMON, ARG_ANYTHING, ARG_ANYTHING, ARG_PTR_TO_MEM | MEM_RDONLY, ARG_CONST_SIZE] },
    } },
  { id: 50, name: 'bpf_skb_adjust_room', since: 4013, ret: RET_INTEGER, args: [ARG_PTR_TO_CTX, ARG_ANYTHING, ARG_ANYTHING, ARG_ANYTHING] },
  { id: 51, name: 'bpf_redirect_map', since: 4014, ret: RET_INTEGER, args: [ARG_CONST_MAP_PTR, ARG_ANYTHING, ARG_ANYTHING] },
  { id: 52, name: 'bpf_sk_redirect_map', since: 4014, ret: RET_INTEGER, args: [ARG_PTR_TO_CTX, ARG_CONST_MAP_PTR, ARG_ANYTHING, ARG_ANYTHING] },
  { id: 53, name: 'bpf_sock_map_update', since: 4014, ret: RET_INTEGER, args: [ARG_PTR_TO_CTX, ARG_CONST_MAP_PTR, ARG_PTR_TO_MAP_KEY, ARG_ANYTHING], pktAccess: true },
  { id: 54, name: 'bpf_xdp_adjust_meta', since: 4015, ret: RET_INTEGER, args: [ARG_PTR_TO_CTX, ARG_ANYTHING] },
  { id: 55, name: 'bpf_perf_event_read_value', since: 4015, ret: RET_INTEGER, args: [ARG_CONST_MAP_PTR, ARG_ANYTHING, ARG_PTR_TO_UNINIT_MEM, ARG_CONST_SIZE], gplOnly: true },
  { id: 56, name: 'bpf_perf_prog_read_value', since: 4015, ret: RET_INTEGER, args: [ARG_PTR_TO_CTX, ARG_PTR_TO_UNINIT_MEM, ARG_CONST_SIZE], gplOnly: true },
  { id: 57, name: 'bpf_getsockopt', since: 4015, ret: RET_INTEGER, args: [ARG_PTR_TO_CTX, ARG_ANYTHING, ARG_ANYTHING, ARG_PTR_TO_UNINIT_MEM, ARG_CONST_SIZE],
    variants: {
      bpf_sk_getsockopt: { ret: RET_INTEGER, args: [ARG_PTR_TO_BTF_ID_SOCK_COMMON, ARG_ANYTHING, ARG_ANYTHING, ARG_PTR_TO_UNINIT_MEM, ARG_CONST_SIZE] },
    } },
  { id: 58, name: 'bpf_override_return', since: 4016, ret: RET_INTEGER, args: [ARG_PTR_TO_CTX, ARG_ANYTHING], gplOnly: true },
  { id: 59, name: 'bpf_sock_ops_cb_flags_set', since: 4016, ret: RET_INTEGER, args: [ARG_PTR_TO_CTX, ARG_ANYTHING] },
  { id: 60, name: 'bpf_msg_redirect_map', since: 4017, ret: RET_INTEGER, args: [ARG_PTR_TO_CTX, ARG_CONST_MAP_PTR, ARG_ANYTHING, ARG_ANYTHING] },
  { id: 61, name: 'bpf_msg_apply_bytes', since: 4017, ret: RET_INTEGER, args: [ARG_PTR_TO_CTX, ARG_ANYTHING] },
  { id: 62, name: 'bpf_msg_cork_bytes', since: 4017, ret: RET_INTEGER, args: [ARG_PTR_TO_CTX, ARG_ANYTHING] },
  { id: 63, name: 'bpf_msg_pull_data', since: 4017, ret: RET_INTEGER, args: [ARG_PTR_TO_CTX, ARG_ANYTHING, ARG_ANYTHING, ARG_ANYTHING] },
  { id: 64, name: 'bpf_bind', since: 4017, ret: RET_INTEGER, args: [ARG_PTR_TO_CTX, ARG_PTR_TO_MEM | MEM_RDONLY, ARG_CONST_SIZE] },
  { id: 65, name: 'bpf_xdp_adjust_tail', since: 4018, ret: RET_INTEGER, args: [ARG_PTR_TO_CTX, ARG_ANYTHING] },
  { id: 66, name: 'bpf_skb_get_xfrm_state', since: 4018, ret: RET_INTEGER, args: [ARG_PTR_TO_CTX, ARG_ANYTHING, ARG_PTR_TO_UNINIT_MEM, ARG_CONST_SIZE, ARG_ANYTHING] },
  { id: 67, name: 'bpf_get_stack', since: 4018, ret: RET_INTEGER, args: [ARG_PTR_TO_CTX, ARG_PTR_TO_UNINIT_MEM, ARG_CONST_SIZE_OR_ZERO, ARG_ANYTHING], gplOnly: true },
  { id: 68, name: 'bpf_skb_load_bytes_relative', since: 4018, ret: RET_INTEGER, args: [ARG_PTR_TO_CTX, ARG_ANYTHING, ARG_PTR_TO_UNINIT_MEM, ARG_CONST_SIZE, ARG_ANYTHING] },
  { id: 69, name: 'bpf_fib_lookup', since: 4018, ret: RET_INTEGER, args: [ARG_PTR_TO_CTX, ARG_PTR_TO_MEM | MEM_WRITE, ARG_CONST_SIZE, ARG_ANYTHING], gplOnly: true },
  { id: 70, name: 'bpf_sock_hash_update', since: 4018, ret: RET_INTEGER, args: [ARG_PTR_TO_CTX, ARG_CONST_MAP_PTR, ARG_PTR_TO_MAP_KEY, ARG_ANYTHING], pktAccess: true },
  { id: 71, name: 'bpf_msg_redirect_hash', since: 4018, ret: RET_INTEGER, args: [ARG_PTR_TO_CTX, ARG_CONST_MAP_PTR, ARG_PTR_TO_MAP_KEY, ARG_ANYTHING] },
  { id: 72, name: 'bpf_sk_redirect_hash', since: 4018, ret: RET_INTEGER, args: [ARG_PTR_TO_CTX, ARG_CONST_MAP_PTR, ARG_PTR_TO_MAP_KEY, ARG_ANYTHING] },
  { id: 73, name: 'bpf_lwt_push_encap', since: 4018, ret: RET_INTEGER, args: [ARG_PTR_TO_CTX, ARG_ANYTHING, ARG_PTR_TO_MEM | MEM_RDONLY, ARG_CONST_SIZE] },
  { id: 74, name: 'bpf_lwt_seg6_store_bytes', since: 4018, ret: RET_INTEGER, args: [ARG_PTR_TO_CTX, ARG_ANYTHING, ARG_PTR_TO_MEM | MEM_RDONLY, ARG_CONST_SIZE] },
  { id: 75, name: 'bpf_lwt_seg6_adjust_srh', since: 4018, ret: RET_INTEGER, args: [ARG_PTR_TO_CTX, ARG_ANYTHING, ARG_ANYTHING] },
  { id: 76, name: 'bpf_lwt_seg6_action', since: 4018, ret: RET_INTEGER, args: [ARG_PTR_TO_CTX, ARG_ANYTHING, ARG_PTR_TO_MEM | MEM_RDONLY, ARG_CONST_SIZE] },
  { id: 77, name: 'bpf_rc_repeat', since: 4018, ret: RET_INTEGER, args: [ARG_PTR_TO_CTX], gplOnly: true },
  { id: 78, name: 'bpf_rc_keydown', since: 4018, ret: RET_INTEGER, args: [ARG_PTR_TO_CTX, ARG_ANYTHING, ARG_ANYTHING, ARG_ANYTHING], gplOnly: true },
  { id: 79, name: 'bpf_skb_cgroup_id', since: 4018, ret: RET_INTEGER, args: [ARG_PTR_TO_CTX] },
  { id: 80, name: 'bpf_get_current_cgroup_id', since: 4018, ret: RET_INTEGER, args: [] },
  { id: 81, name: 'bpf_get_local_storage', since: 4019, ret: RET_PTR_TO_MAP_VALUE, args: [ARG_CONST_MAP_PTR, ARG_ANYTHING] },
  { id: 82, name: 'bpf_sk_select_reuseport', since: 4019, ret: RET_INTEGER, args: [ARG_PTR_TO_CTX, ARG_CONST_MAP_PTR, ARG_PTR_TO_MAP_KEY, ARG_ANYTHING] },
  { id: 83, name: 'bpf_skb_ancestor_cgroup_id', since: 4019, ret: RET_INTEGER, args: [ARG_PTR_TO_CTX, ARG_ANYTHING] },
  { id: 84, name: 'bpf_sk_lookup_tcp', since: 4020, ret: RET_PTR_TO_SOCKET_OR_NULL, args: [ARG_PTR_TO_CTX, ARG_PTR_TO_MEM | MEM_RDONLY, ARG_CONST_SIZE_OR_ZERO, ARG_ANYTHING, ARG_ANYTHING], pktAccess: true,
    variants: {
      bpf_sock_addr_sk_lookup_tcp: { ret: RET_PTR_TO_SOCKET_OR_NULL, args: [ARG_PTR_TO_CTX, ARG_PTR_TO_MEM | MEM_RDONLY, ARG_CONST_SIZE_OR_ZERO, ARG_ANYTHING, ARG_ANYTHING] },
    } },
  { id: 85, name: 'bpf_sk_lookup_udp', since: 4020, ret: RET_PTR_TO_SOCKET_OR_NULL, args: [ARG_PTR_TO_CTX, ARG_PTR_TO_MEM | MEM_RDONLY, ARG_CONST_SIZE_OR_ZERO, ARG_ANYTHING, ARG_ANYTHING], pktAccess: true,
    variants: {
      bpf_sock_addr_sk_lookup_udp: { ret: RET_PTR_TO_SOCKET_OR_NULL, args: [ARG_PTR_TO_CTX, ARG_PTR_TO_MEM | MEM_RDONLY, ARG_CONST_SIZE_OR_ZERO, ARG_ANYTHING, ARG_ANYTHING] },
    } },
  { id: 86, name: 'bpf_sk_release', since: 4020, ret: RET_INTEGER, args: [ARG_PTR_TO_BTF_ID_SOCK_COMMON | OBJ_RELEASE] },
  { id: 87, name: 'bpf_map_push_elem', since: 4020, ret: RET_INTEGER, args: [ARG_CONST_MAP_PTR, ARG_PTR_TO_MAP_VALUE, ARG_ANYTHING], pktAccess: true },
  { id: 88, name: 'bpf_map_pop_elem', since: 4020, ret: RET_INTEGER, args: [ARG_CONST_MAP_PTR, ARG_PTR_TO_MAP_VALUE | MEM_UNINIT | MEM_WRITE] },
  { id: 89, name: 'bpf_map_peek_elem', since: 4020, ret: RET_INTEGER, args: [ARG_CONST_MAP_PTR, ARG_PTR_TO_MAP_VALUE | MEM_UNINIT | MEM_WRITE] },
  { id: 90, name: 'bpf_msg_push_data', since: 4020, ret: RET_INTEGER, args: [ARG_PTR_TO_CTX, ARG_ANYTHING, ARG_ANYTHING, ARG_ANYTHING] },
  { id: 91, name: 'bpf_msg_pop_data', since: 5000, ret: RET_INTEGER, args: [ARG_PTR_TO_CTX, ARG_ANYTHING, ARG_ANYTHING, ARG_ANYTHING] },
  { id: 92, name: 'bpf_rc_pointer_rel', since: 5000, ret: RET_INTEGER, args: [ARG_PTR_TO_CTX, ARG_ANYTHING, ARG_ANYTHING], gplOnly: true },
  { id: 93, name: 'bpf_spin_lock', since: 5001, ret: RET_VOID, args: [ARG_PTR_TO_SPIN_LOCK] },
  { id: 94, name: 'bpf_spin_unlock', since: 5001, ret: RET_VOID, args: [ARG_PTR_TO_SPIN_LOCK] },
  { id: 95, name: 'bpf_sk_fullsock', since: 5001, ret: RET_PTR_TO_SOCKET_OR_NULL, args: [ARG_PTR_TO_SOCK_COMMON] },
  { id: 96, name: 'bpf_tcp_sock', since: 5001, ret: RET_PTR_TO_TCP_SOCK_OR_NULL, args: [ARG_PTR_TO_SOCK_COMMON] },
  { id: 97, name: 'bpf_skb_ecn_set_ce', since: 5001, ret: RET_INTEGER, args: [ARG_PTR_TO_CTX] },
  { id: 98, name: 'bpf_get_listener_sock', since: 5001, ret: RET_PTR_TO_SOCKET_OR_NULL, args: [ARG_PTR_TO_SOCK_COMMON] },
  { id: 99, name: 'bpf_skc_lookup_tcp', since: 5002, ret: RET_PTR_TO_SOCK_COMMON_OR_NULL, args: [ARG_PTR_TO_CTX, ARG_PTR_TO_MEM | MEM_RDONLY, ARG_CONST_SIZE_OR_ZERO, ARG_ANYTHING, ARG_ANYTHING], pktAccess: true,
    variants: {
      bpf_sock_addr_skc_lookup_tcp: { ret: RET_PTR_TO_SOCK_COMMON_OR_NULL, args: [ARG_PTR_TO_CTX, ARG_PTR_TO_MEM | MEM_RDONLY, ARG_CONST_SIZE_OR_ZERO, ARG_ANYTHING, ARG_ANYTHING] },
    } },
  { id: 100, name: 'bpf_tcp_check_syncookie', since: 5002, ret: RET_INTEGER, args: [ARG_PTR_TO_BTF_ID_SOCK_COMMON, ARG_PTR_TO_MEM | MEM_RDONLY, ARG_CONST_SIZE, ARG_PTR_TO_MEM | MEM_RDONLY, ARG_CONST_SIZE], gplOnly: true, pktAccess: true },
  { id: 101, name: 'bpf_sysctl_get_name', since: 5002, ret: RET_INTEGER, args: [ARG_PTR_TO_CTX, ARG_PTR_TO_MEM | MEM_WRITE, ARG_CONST_SIZE, ARG_ANYTHING] },
  { id: 102, name: 'bpf_sysctl_get_current_value', since: 5002, ret: RET_INTEGER, args: [ARG_PTR_TO_CTX, ARG_PTR_TO_UNINIT_MEM, ARG_CONST_SIZE] },
  { id: 103, name: 'bpf_sysctl_get_new_value', since: 5002, ret: RET_INTEGER, args: [ARG_PTR_TO_CTX, ARG_PTR_TO_UNINIT_MEM, ARG_CONST_SIZE] },
  { id: 104, name: 'bpf_sysctl_set_new_value', since: 5002, ret: RET_INTEGER, args: [ARG_PTR_TO_CTX, ARG_PTR_TO_MEM | MEM_RDONLY, ARG_CONST_SIZE] },
  { id: 105, name: 'bpf_strtol', since: 5002, ret: RET_INTEGER, args: [ARG_PTR_TO_MEM | MEM_RDONLY, ARG_CONST_SIZE, ARG_ANYTHING, ARG_PTR_TO_FIXED_SIZE_MEM | MEM_UNINIT | MEM_WRITE | MEM_ALIGNED], sizes: [0, 0, 0, 8] },
  { id: 106, name: 'bpf_strtoul', since: 5002, ret: RET_INTEGER, args: [ARG_PTR_TO_MEM | MEM_RDONLY, ARG_CONST_SIZE, ARG_ANYTHING, ARG_PTR_TO_FIXED_SIZE_MEM | MEM_UNINIT | MEM_WRITE | MEM_ALIGNED], sizes: [0, 0, 0, 8] },
  { id: 107, name: 'bpf_sk_storage_get', since: 5002, ret: RET_PTR_TO_MAP_VALUE_OR_NULL, args: [ARG_CONST_MAP_PTR, ARG_PTR_TO_BTF_ID_SOCK_COMMON, ARG_PTR_TO_MAP_VALUE_OR_NULL, ARG_ANYTHING],
    variants: {
      bpf_sk_storage_get_cg_sock: { ret: RET_PTR_TO_MAP_VALUE_OR_NULL, args: [ARG_CONST_MAP_PTR, ARG_PTR_TO_CTX, ARG_PTR_TO_MAP_VALUE_OR_NULL, ARG_ANYTHING] },
      bpf_sk_storage_get_tracing: { ret: RET_PTR_TO_MAP_VALUE_OR_NULL, args: [ARG_CONST_MAP_PTR, ARG_PTR_TO_BTF_ID_OR_NULL, ARG_PTR_TO_MAP_VALUE_OR_NULL, ARG_ANYTHING], argBtf: ['', 'sock_common', '', ''] },
    } },
  { id: 108, name: 'bpf_sk_storage_delete', since: 5002, ret: RET_INTEGER, args: [ARG_CONST_MAP_PTR, ARG_PTR_TO_BTF_ID_SOCK_COMMON],
    variants: {
      bpf_sk_storage_delete_tracing: { ret: RET_INTEGER, args: [ARG_CONST_MAP_PTR, ARG_PTR_TO_BTF_ID_OR_NULL], argBtf: ['', 'sock_common'] },
    } },
  { id: 109, name: 'bpf_send_signal', since: 5003, ret: RET_INTEGER, args: [ARG_ANYTHING] },
  { id: 110, name: 'bpf_tcp_gen_syncookie', since: 5004, ret: RET_INTEGER, args: [ARG_PTR_TO_BTF_ID_SOCK_COMMON, ARG_PTR_TO_MEM | MEM_RDONLY, ARG_CONST_SIZE, ARG_PTR_TO_MEM | MEM_RDONLY, ARG_CONST_SIZE], gplOnly: true, pktAccess: true },
  { id: 111, name: 'bpf_skb_output', since: 5005, ret: RET_INTEGER, args: [ARG_PTR_TO_BTF_ID, ARG_CONST_MAP_PTR, ARG_ANYTHING, ARG_PTR_TO_MEM | MEM_RDONLY, ARG_CONST_SIZE_OR_ZERO], argBtf: ['sk_buff', '', '', '', ''], gplOnly: true },
  { id: 112, name: 'bpf_probe_read_user', since: 5005, ret: RET_INTEGER, args: [ARG_PTR_TO_UNINIT_MEM, ARG_CONST_SIZE_OR_ZERO, ARG_ANYTHING], gplOnly: true },
  { id: 113, name: 'bpf_probe_read_kernel', since: 5005, ret: RET_INTEGER, args: [ARG_PTR_TO_UNINIT_MEM, ARG_CONST_SIZE_OR_ZERO, ARG_ANYTHING], gplOnly: true },
  { id: 114, name: 'bpf_probe_read_user_str', since: 5005, ret: RET_INTEGER, args: [ARG_PTR_TO_UNINIT_MEM, ARG_CONST_SIZE_OR_ZERO, ARG_ANYTHING], gplOnly: true },
  { id: 115, name: 'bpf_probe_read_kernel_str', since: 5005, ret: RET_INTEGER, args: [ARG_PTR_TO_UNINIT_MEM, ARG_CONST_SIZE_OR_ZERO, ARG_ANYTHING], gplOnly: true },
  { id: 116, name: 'bpf_tcp_send_ack', since: 5006, ret: RET_INTEGER, args: [ARG_PTR_TO_BTF_ID, ARG_ANYTHING], argBtf: ['tcp_sock', ''] },
  { id: 117, name: 'bpf_send_signal_thread', since: 5006, ret: RET_INTEGER, args: [ARG_ANYTHING] },
  { id: 118, name: 'bpf_jiffies64', since: 5006, ret: RET_INTEGER, args: [] },
  { id: 119, name: 'bpf_read_branch_records', since: 5007, ret: RET_INTEGER, args: [ARG_PTR_TO_CTX, ARG_PTR_TO_MEM_OR_NULL | MEM_WRITE, ARG_CONST_SIZE_OR_ZERO, ARG_ANYTHING], gplOnly: true },
  { id: 120, name: 'bpf_get_ns_current_pid_tgid', since: 5007, ret: RET_INTEGER, args: [ARG_ANYTHING, ARG_ANYTHING, ARG_PTR_TO_UNINIT_MEM, ARG_CONST_SIZE] },
  { id: 121, name: 'bpf_xdp_output', since: 5007, ret: RET_INTEGER, args: [ARG_PTR_TO_BTF_ID, ARG_CONST_MAP_PTR, ARG_ANYTHING, ARG_PTR_TO_MEM | MEM_RDONLY, ARG_CONST_SIZE_OR_ZERO], argBtf: ['xdp_buff', '', '', '', ''], gplOnly: true },
  { id: 122, name: 'bpf_get_netns_cookie', since: 5007, ret: RET_INTEGER, args: [ARG_PTR_TO_CTX_OR_NULL] },
  { id: 123, name: 'bpf_get_current_ancestor_cgroup_id', since: 5007, ret: RET_INTEGER, args: [ARG_ANYTHING] },
  { id: 124, name: 'bpf_sk_assign', since: 5007, ret: RET_INTEGER, args: [ARG_PTR_TO_CTX, ARG_PTR_TO_BTF_ID_SOCK_COMMON, ARG_ANYTHING],
    variants: {
      bpf_sk_lookup_assign: { ret: RET_INTEGER, args: [ARG_PTR_TO_CTX, ARG_PTR_TO_SOCKET_OR_NULL, ARG_ANYTHING] },
    } },
  { id: 125, name: 'bpf_ktime_get_boot_ns', since: 5008, ret: RET_INTEGER, args: [] },
  { id: 126, name: 'bpf_seq_printf', since: 5008, ret: RET_INTEGER, args: [ARG_PTR_TO_BTF_ID, ARG_PTR_TO_MEM | MEM_RDONLY, ARG_CONST_SIZE, ARG_PTR_TO_MEM | PTR_MAYBE_NULL | MEM_RDONLY, ARG_CONST_SIZE_OR_ZERO], argBtf: ['seq_file', '', '', '', ''], gplOnly: true },
  { id: 127, name: 'bpf_seq_write', since: 5008, ret: RET_INTEGER, args: [ARG_PTR_TO_BTF_ID, ARG_PTR_TO_MEM | MEM_RDONLY, ARG_CONST_SIZE_OR_ZERO], argBtf: ['seq_file', '', ''], gplOnly: true },
  { id: 128, name: 'bpf_sk_cgroup_id', since: 5008, ret: RET_INTEGER, args: [ARG_PTR_TO_BTF_ID_SOCK_COMMON] },
  { id: 129, name: 'bpf_sk_ancestor_cgroup_id', since: 5008, ret: RET_INTEGER, args: [ARG_PTR_TO_BTF_ID_SOCK_COMMON, ARG_ANYTHING] },
  { id: 130, name: 'bpf_ringbuf_output', since: 5008, ret: RET_INTEGER, args: [ARG_CONST_MAP_PTR, ARG_PTR_TO_MEM | MEM_RDONLY, ARG_CONST_SIZE_OR_ZERO, ARG_ANYTHING] },
  { id: 131, name: 'bpf_ringbuf_reserve', since: 5008, ret: RET_PTR_TO_RINGBUF_MEM_OR_NULL, args: [ARG_CONST_MAP_PTR, ARG_CONST_ALLOC_SIZE_OR_ZERO, ARG_ANYTHING] },
  { id: 132, name: 'bpf_ringbuf_submit', since: 5008, ret: RET_VOID, args: [ARG_PTR_TO_RINGBUF_MEM | OBJ_RELEASE, ARG_ANYTHING] },
  { id: 133, name: 'bpf_ringbuf_discard', since: 5008, ret: RET_VOID, args: [ARG_PTR_TO_RINGBUF_MEM | OBJ_RELEASE, ARG_ANYTHING] },
  { id: 134, name: 'bpf_ringbuf_query', since: 5008, ret: RET_INTEGER, args: [ARG_CONST_MAP_PTR, ARG_ANYTHING] },
  { id: 135, name: 'bpf_csum_level', since: 5008, ret: RET_INTEGER, args: [ARG_PTR_TO_CTX, ARG_ANYTHING] },
  { id: 136, name: 'bpf_skc_to_tcp6_sock', since: 5009, ret: RET_PTR_TO_BTF_ID_OR_NULL, args: [ARG_PTR_TO_BTF_ID_SOCK_COMMON], retBtf: 'tcp6_sock' },
  { id: 137, name: 'bpf_skc_to_tcp_sock', since: 5009, ret: RET_PTR_TO_BTF_ID_OR_NULL, args: [ARG_PTR_TO_BTF_ID_SOCK_COMMON], retBtf: 'tcp_sock' },
  { id: 138, name: 'bpf_skc_to_tcp_timewait_sock', since: 5009, ret: RET_PTR_TO_BTF_ID_OR_NULL, args: [ARG_PTR_TO_BTF_ID_SOCK_COMMON], retBtf: 'tcp_timewait_sock' },
  { id: 139, name: 'bpf_skc_to_tcp_request_sock', since: 5009, ret: RET_PTR_TO_BTF_ID_OR_NULL, args: [ARG_PTR_TO_BTF_ID_SOCK_COMMON], retBtf: 'tcp_request_sock' },
  { id: 140, name: 'bpf_skc_to_udp6_sock', since: 5009, ret: RET_PTR_TO_BTF_ID_OR_NULL, args: [ARG_PTR_TO_BTF_ID_SOCK_COMMON], retBtf: 'udp6_sock' },
  { id: 141, name: 'bpf_get_task_stack', since: 5009, ret: RET_INTEGER, args: [ARG_PTR_TO_BTF_ID, ARG_PTR_TO_UNINIT_MEM, ARG_CONST_SIZE_OR_ZERO, ARG_ANYTHING], argBtf: ['task_struct', '', '', ''] },
  { id: 142, name: 'bpf_load_hdr_opt', since: 5010, ret: RET_INTEGER, args: [ARG_PTR_TO_CTX, ARG_PTR_TO_MEM | MEM_WRITE, ARG_CONST_SIZE, ARG_ANYTHING] },
  { id: 143, name: 'bpf_store_hdr_opt', since: 5010, ret: RET_INTEGER, args: [ARG_PTR_TO_CTX, ARG_PTR_TO_MEM | MEM_RDONLY, ARG_CONST_SIZE, ARG_ANYTHING] },
  { id: 144, name: 'bpf_reserve_hdr_opt', since: 5010, ret: RET_INTEGER, args: [ARG_PTR_TO_CTX, ARG_ANYTHING, ARG_ANYTHING] },
  { id: 145, name: 'bpf_inode_storage_get', since: 5010, ret: RET_PTR_TO_MAP_VALUE_OR_NULL, args: [ARG_CONST_MAP_PTR, ARG_PTR_TO_BTF_ID_OR_NULL, ARG_PTR_TO_MAP_VALUE_OR_NULL, ARG_ANYTHING], argBtf: ['', 'inode', '', ''] },
  { id: 146, name: 'bpf_inode_storage_delete', since: 5010, ret: RET_INTEGER, args: [ARG_CONST_MAP_PTR, ARG_PTR_TO_BTF_ID_OR_NULL], argBtf: ['', 'inode'] },
  { id: 147, name: 'bpf_d_path', since: 5010, ret: RET_INTEGER, args: [ARG_PTR_TO_BTF_ID, ARG_PTR_TO_MEM | MEM_WRITE, ARG_CONST_SIZE_OR_ZERO], argBtf: ['path', '', ''] },
  { id: 148, name: 'bpf_copy_from_user', since: 5010, ret: RET_INTEGER, args: [ARG_PTR_TO_UNINIT_MEM, ARG_CONST_SIZE_OR_ZERO, ARG_ANYTHING], mightSleep: true },
  { id: 149, name: 'bpf_snprintf_btf', since: 5010, ret: RET_INTEGER, args: [ARG_PTR_TO_MEM | MEM_WRITE, ARG_CONST_SIZE, ARG_PTR_TO_MEM | MEM_RDONLY, ARG_CONST_SIZE, ARG_ANYTHING] },
  { id: 150, name: 'bpf_seq_printf_btf', since: 5010, ret: RET_INTEGER, args: [ARG_PTR_TO_BTF_ID, ARG_PTR_TO_MEM | MEM_RDONLY, ARG_CONST_SIZE_OR_ZERO, ARG_ANYTHING], argBtf: ['seq_file', '', '', ''], gplOnly: true },
  { id: 151, name: 'bpf_skb_cgroup_classid', since: 5010, ret: RET_INTEGER, args: [ARG_PTR_TO_CTX] },
  { id: 152, name: 'bpf_redirect_neigh', since: 5010, ret: RET_INTEGER, args: [ARG_ANYTHING, ARG_PTR_TO_MEM | PTR_MAYBE_NULL | MEM_RDONLY, ARG_CONST_SIZE_OR_ZERO, ARG_ANYTHING] },
  { id: 153, name: 'bpf_per_cpu_ptr', since: 5010, ret: RET_PTR_TO_MEM_OR_BTF_ID | PTR_MAYBE_NULL | MEM_RDONLY, args: [ARG_PTR_TO_PERCPU_BTF_ID, ARG_ANYTHING] },
  { id: 154, name: 'bpf_this_cpu_ptr', since: 5010, ret: RET_PTR_TO_MEM_OR_BTF_ID | MEM_RDONLY, args: [ARG_PTR_TO_PERCPU_BTF_ID] },
  { id: 155, name: 'bpf_redirect_peer', since: 5010, ret: RET_INTEGER, args: [ARG_ANYTHING, ARG_ANYTHING] },
  { id: 156, name: 'bpf_task_storage_get', since: 5011, ret: RET_PTR_TO_MAP_VALUE_OR_NULL, args: [ARG_CONST_MAP_PTR, ARG_PTR_TO_BTF_ID_OR_NULL, ARG_PTR_TO_MAP_VALUE_OR_NULL, ARG_ANYTHING], argBtf: ['', 'task_struct', '', ''] },
  { id: 157, name: 'bpf_task_storage_delete', since: 5011, ret: RET_INTEGER, args: [ARG_CONST_MAP_PTR, ARG_PTR_TO_BTF_ID_OR_NULL], argBtf: ['', 'task_struct'] },
  { id: 158, name: 'bpf_get_current_task_btf', since: 5011, ret: RET_PTR_TO_BTF_ID_TRUSTED, args: [], retBtf: 'task_struct', gplOnly: true },
  { id: 159, name: 'bpf_bprm_opts_set', since: 5011, ret: RET_INTEGER, args: [ARG_PTR_TO_BTF_ID, ARG_ANYTHING], argBtf: ['linux_binprm', ''] },
  { id: 160, name: 'bpf_ktime_get_coarse_ns', since: 5011, ret: RET_INTEGER, args: [] },
  { id: 161, name: 'bpf_ima_inode_hash', since: 5011, ret: RET_INTEGER, args: [ARG_PTR_TO_BTF_ID, ARG_PTR_TO_UNINIT_MEM, ARG_CONST_SIZE], argBtf: ['inode', '', ''], mightSleep: true },
  { id: 162, name: 'bpf_sock_from_file', since: 5011, ret: RET_PTR_TO_BTF_ID_OR_NULL, args: [ARG_PTR_TO_BTF_ID], argBtf: ['file'], retBtf: 'socket' },
  { id: 163, name: 'bpf_check_mtu', since: 5012, ret: RET_INTEGER, args: [ARG_PTR_TO_CTX, ARG_ANYTHING, ARG_PTR_TO_FIXED_SIZE_MEM | MEM_WRITE | MEM_ALIGNED, ARG_ANYTHING, ARG_ANYTHING], sizes: [0, 0, 4, 0, 0], gplOnly: true },
  { id: 164, name: 'bpf_for_each_map_elem', since: 5013, ret: RET_INTEGER, args: [ARG_CONST_MAP_PTR, ARG_PTR_TO_FUNC, ARG_PTR_TO_STACK_OR_NULL, ARG_ANYTHING] },
  { id: 165, name: 'bpf_snprintf', since: 5013, ret: RET_INTEGER, args: [ARG_PTR_TO_MEM_OR_NULL | MEM_WRITE, ARG_CONST_SIZE_OR_ZERO, ARG_PTR_TO_CONST_STR, ARG_PTR_TO_MEM | PTR_MAYBE_NULL | MEM_RDONLY, ARG_CONST_SIZE_OR_ZERO], gplOnly: true },
  { id: 166, name: 'bpf_sys_bpf', since: 5014, ret: RET_INTEGER, args: [ARG_ANYTHING, ARG_PTR_TO_MEM | MEM_RDONLY, ARG_CONST_SIZE] },
  { id: 167, name: 'bpf_btf_find_by_name_kind', since: 5014, ret: RET_INTEGER, args: [ARG_PTR_TO_MEM | MEM_RDONLY, ARG_CONST_SIZE, ARG_ANYTHING, ARG_ANYTHING], mightSleep: true },
  { id: 168, name: 'bpf_sys_close', since: 5014, ret: RET_INTEGER, args: [ARG_ANYTHING] },
  { id: 169, name: 'bpf_timer_init', since: 5015, ret: RET_INTEGER, args: [ARG_PTR_TO_TIMER, ARG_CONST_MAP_PTR, ARG_ANYTHING], gplOnly: true },
  { id: 170, name: 'bpf_timer_set_callback', since: 5015, ret: RET_INTEGER, args: [ARG_PTR_TO_TIMER, ARG_PTR_TO_FUNC], gplOnly: true },
  { id: 171, name: 'bpf_timer_start', since: 5015, ret: RET_INTEGER, args: [ARG_PTR_TO_TIMER, ARG_ANYTHING, ARG_ANYTHING], gplOnly: true },
  { id: 172, name: 'bpf_timer_cancel', since: 5015, ret: RET_INTEGER, args: [ARG_PTR_TO_TIMER], gplOnly: true },
  { id: 173, name: 'bpf_get_func_ip', since: 5015, ret: RET_INTEGER, args: [ARG_PTR_TO_CTX], gplOnly: true,
    variants: {
      bpf_get_func_ip_kprobe_multi: { ret: RET_INTEGER, args: [ARG_PTR_TO_CTX] },
    } },
  { id: 174, name: 'bpf_get_attach_cookie', since: 5015, ret: RET_INTEGER, args: [ARG_PTR_TO_CTX] },
  { id: 175, name: 'bpf_task_pt_regs', since: 5015, ret: RET_PTR_TO_BTF_ID, args: [ARG_PTR_TO_BTF_ID], argBtf: ['task_struct'], retBtf: 'pt_regs', gplOnly: true },
  { id: 176, name: 'bpf_get_branch_snapshot', since: 5016, ret: RET_INTEGER, args: [ARG_PTR_TO_UNINIT_MEM, ARG_CONST_SIZE_OR_ZERO], gplOnly: true },
  { id: 177, name: 'bpf_trace_vprintk', since: 5016, ret: RET_INTEGER, args: [ARG_PTR_TO_MEM | MEM_RDONLY, ARG_CONST_SIZE, ARG_PTR_TO_MEM | PTR_MAYBE_NULL | MEM_RDONLY, ARG_CONST_SIZE_OR_ZERO], gplOnly: true },
  { id: 178, name: 'bpf_skc_to_unix_sock', since: 5016, ret: RET_PTR_TO_BTF_ID_OR_NULL, args: [ARG_PTR_TO_BTF_ID_SOCK_COMMON], retBtf: 'unix_sock' },
  { id: 179, name: 'bpf_kallsyms_lookup_name', since: 5016, ret: RET_INTEGER, args: [ARG_PTR_TO_MEM | MEM_RDONLY, ARG_CONST_SIZE_OR_ZERO, ARG_ANYTHING, ARG_PTR_TO_FIXED_SIZE_MEM | MEM_UNINIT | MEM_WRITE | MEM_ALIGNED], sizes: [0, 0, 0, 8] },
  { id: 180, name: 'bpf_find_vma', since: 5017, ret: RET_INTEGER, args: [ARG_PTR_TO_BTF_ID, ARG_ANYTHING, ARG_PTR_TO_FUNC, ARG_PTR_TO_STACK_OR_NULL, ARG_ANYTHING], argBtf: ['task_struct', '', '', '', ''] },
  { id: 181, name: 'bpf_loop', since: 5017, ret: RET_INTEGER, args: [ARG_ANYTHING, ARG_PTR_TO_FUNC, ARG_PTR_TO_STACK_OR_NULL, ARG_ANYTHING] },
  { id: 182, name: 'bpf_strncmp', since: 5017, ret: RET_INTEGER, args: [ARG_PTR_TO_MEM | MEM_RDONLY, ARG_CONST_SIZE, ARG_PTR_TO_CONST_STR] },
  { id: 183, name: 'bpf_get_func_arg', since: 5017, ret: RET_INTEGER, args: [ARG_PTR_TO_CTX, ARG_ANYTHING, ARG_PTR_TO_FIXED_SIZE_MEM | MEM_UNINIT | MEM_WRITE | MEM_ALIGNED], sizes: [0, 0, 8] },
  { id: 184, name: 'bpf_get_func_ret', since: 5017, ret: RET_INTEGER, args: [ARG_PTR_TO_CTX, ARG_PTR_TO_FIXED_SIZE_MEM | MEM_UNINIT | MEM_WRITE | MEM_ALIGNED], sizes: [0, 8] },
  { id: 185, name: 'bpf_get_func_arg_cnt', since: 5017, ret: RET_INTEGER, args: [ARG_PTR_TO_CTX] },
  { id: 186, name: 'bpf_get_retval', since: 5018, ret: RET_INTEGER, args: [] },
  { id: 187, name: 'bpf_set_retval', since: 5018, ret: RET_INTEGER, args: [ARG_ANYTHING] },
  { id: 188, name: 'bpf_xdp_get_buff_len', since: 5018, ret: RET_INTEGER, args: [ARG_PTR_TO_CTX],
    variants: {
      bpf_xdp_get_buff_len_trace: { ret: RET_INTEGER, args: [ARG_PTR_TO_BTF_ID], argBtf: ['xdp_buff'] },
    } },
  { id: 189, name: 'bpf_xdp_load_bytes', since: 5018, ret: RET_INTEGER, args: [ARG_PTR_TO_CTX, ARG_ANYTHING, ARG_PTR_TO_UNINIT_MEM, ARG_CONST_SIZE] },
  { id: 190, name: 'bpf_xdp_store_bytes', since: 5018, ret: RET_INTEGER, args: [ARG_PTR_TO_CTX, ARG_ANYTHING, ARG_PTR_TO_MEM | MEM_RDONLY, ARG_CONST_SIZE] },
  { id: 191, name: 'bpf_copy_from_user_task', since: 5018, ret: RET_INTEGER, args: [ARG_PTR_TO_UNINIT_MEM, ARG_CONST_SIZE_OR_ZERO, ARG_ANYTHING, ARG_PTR_TO_BTF_ID, ARG_ANYTHING], argBtf: ['', '', '', 'task_struct', ''], gplOnly: true, mightSleep: true },
  { id: 192, name: 'bpf_skb_set_tstamp', since: 5018, ret: RET_INTEGER, args: [ARG_PTR_TO_CTX, ARG_ANYTHING, ARG_ANYTHING] },
  { id: 193, name: 'bpf_ima_file_hash', since: 5018, ret: RET_INTEGER, args: [ARG_PTR_TO_BTF_ID, ARG_PTR_TO_UNINIT_MEM, ARG_CONST_SIZE], argBtf: ['file', '', ''], mightSleep: true },
  { id: 194, name: 'bpf_kptr_xchg', since: 5019, ret: RET_PTR_TO_BTF_ID_OR_NULL, args: [ARG_KPTR_XCHG_DEST, ARG_PTR_TO_BTF_ID_OR_NULL | OBJ_RELEASE] },
  { id: 195, name: 'bpf_map_lookup_percpu_elem', since: 5019, ret: RET_PTR_TO_MAP_VALUE_OR_NULL, args: [ARG_CONST_MAP_PTR, ARG_PTR_TO_MAP_KEY, ARG_ANYTHING], pktAccess: true },
  { id: 196, name: 'bpf_skc_to_mptcp_sock', since: 5019, ret: RET_PTR_TO_BTF_ID_OR_NULL, args: [ARG_PTR_TO_SOCK_COMMON], retBtf: 'mptcp_sock' },
  { id: 197, name: 'bpf_dynptr_from_mem', since: 5019, ret: RET_INTEGER, args: [ARG_PTR_TO_UNINIT_MEM, ARG_CONST_SIZE_OR_ZERO, ARG_ANYTHING, ARG_PTR_TO_DYNPTR | DYNPTR_TYPE_LOCAL | MEM_UNINIT | MEM_WRITE] },
  { id: 198, name: 'bpf_ringbuf_reserve_dynptr', since: 5019, ret: RET_INTEGER, args: [ARG_CONST_MAP_PTR, ARG_ANYTHING, ARG_ANYTHING, ARG_PTR_TO_DYNPTR | DYNPTR_TYPE_RINGBUF | MEM_UNINIT | MEM_WRITE] },
  { id: 199, name: 'bpf_ringbuf_submit_dynptr', since: 5019, ret: RET_VOID, args: [ARG_PTR_TO_DYNPTR | DYNPTR_TYPE_RINGBUF | OBJ_RELEASE, ARG_ANYTHING] },
  { id: 200, name: 'bpf_ringbuf_discard_dynptr', since: 5019, ret: RET_VOID, args: [ARG_PTR_TO_DYNPTR | DYNPTR_TYPE_RINGBUF | OBJ_RELEASE, ARG_ANYTHING] },
  { id: 201, name: 'bpf_dynptr_read', since: 5019, ret: RET_INTEGER, args: [ARG_PTR_TO_UNINIT_MEM, ARG_CONST_SIZE_OR_ZERO, ARG_PTR_TO_DYNPTR | MEM_RDONLY, ARG_ANYTHING, ARG_ANYTHING] },
  { id: 202, name: 'bpf_dynptr_write', since: 5019, ret: RET_INTEGER, args: [ARG_PTR_TO_DYNPTR | MEM_RDONLY, ARG_ANYTHING, ARG_PTR_TO_MEM | MEM_RDONLY, ARG_CONST_SIZE_OR_ZERO, ARG_ANYTHING] },
  { id: 203, name: 'bpf_dynptr_data', since: 5019, ret: RET_PTR_TO_DYNPTR_MEM_OR_NULL, args: [ARG_PTR_TO_DYNPTR | MEM_RDONLY, ARG_ANYTHING, ARG_CONST_ALLOC_SIZE_OR_ZERO] },
  { id: 204, name: 'bpf_tcp_raw_gen_syncookie_ipv4', since: 6000, ret: RET_INTEGER, args: [ARG_PTR_TO_FIXED_SIZE_MEM | MEM_RDONLY, ARG_PTR_TO_MEM | MEM_RDONLY, ARG_CONST_SIZE_OR_ZERO], sizes: [20, 0, 0], gplOnly: true, pktAccess: true },
  { id: 205, name: 'bpf_tcp_raw_gen_syncookie_ipv6', since: 6000, ret: RET_INTEGER, args: [ARG_PTR_TO_FIXED_SIZE_MEM | MEM_RDONLY, ARG_PTR_TO_MEM | MEM_RDONLY, ARG_CONST_SIZE_OR_ZERO], sizes: [40, 0, 0], gplOnly: true, pktAccess: true },
  { id: 206, name: 'bpf_tcp_raw_check_syncookie_ipv4', since: 6000, ret: RET_INTEGER, args: [ARG_PTR_TO_FIXED_SIZE_MEM | MEM_RDONLY, ARG_PTR_TO_FIXED_SIZE_MEM | MEM_RDONLY], sizes: [20, 20], gplOnly: true, pktAccess: true },
  { id: 207, name: 'bpf_tcp_raw_check_syncookie_ipv6', since: 6000, ret: RET_INTEGER, args: [ARG_PTR_TO_FIXED_SIZE_MEM | MEM_RDONLY, ARG_PTR_TO_FIXED_SIZE_MEM | MEM_RDONLY], sizes: [40, 20], gplOnly: true, pktAccess: true },
  { id: 208, name: 'bpf_ktime_get_tai_ns', since: 6001, ret: RET_INTEGER, args: [] },
  { id: 209, name: 'bpf_user_ringbuf_drain', since: 6001, ret: RET_INTEGER, args: [ARG_CONST_MAP_PTR, ARG_PTR_TO_FUNC, ARG_PTR_TO_STACK_OR_NULL, ARG_ANYTHING] },
  { id: 210, name: 'bpf_cgrp_storage_get', since: 6002, ret: RET_PTR_TO_MAP_VALUE_OR_NULL, args: [ARG_CONST_MAP_PTR, ARG_PTR_TO_BTF_ID_OR_NULL, ARG_PTR_TO_MAP_VALUE_OR_NULL, ARG_ANYTHING], argBtf: ['', 'cgroup', '', ''] },
  { id: 211, name: 'bpf_cgrp_storage_delete', since: 6002, ret: RET_INTEGER, args: [ARG_CONST_MAP_PTR, ARG_PTR_TO_BTF_ID_OR_NULL], argBtf: ['', 'cgroup'] },
] as const satisfies readonly HelperSpec[];

/** A helper's name: 'bpf_map_lookup_elem'; without the placeholder bpf_unspec. */
export type HelperName = Exclude<(typeof ROWS)[number]['name'], 'bpf_unspec'>;

/** Every helper, indexed by number; row 0 is the placeholder bpf_unspec. */
export const HELPERS: readonly HelperSpec[] = ROWS;

/** One more than the last helper's number. */
export const __BPF_FUNC_MAX_ID = ROWS.length;

const BY_NAME: ReadonlyMap<string, HelperSpec> = new Map(ROWS.map((row) => [row.name, row]));

/** The helper of this number, or undefined when there is none. */
export const helperById = (id: number): HelperSpec | undefined => (id > 0 ? HELPERS[id] : undefined);

/** The helper of this name (with its 'bpf_'), or undefined. */
export const helperByName = (name: string): HelperSpec | undefined => BY_NAME.get(name);
