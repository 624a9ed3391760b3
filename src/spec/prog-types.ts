// Program types, and the flags of BPF_PROG_LOAD, BPF_PROG_ATTACH and BPF_PROG_TEST_RUN.
// Invariant: PROG_TYPES is indexed by type number without gaps; row 0 is BPF_PROG_TYPE_UNSPEC.
// Source: uapi/linux/bpf.h `enum bpf_prog_type`, Linux 6.18; short names as bpftool prints them.

import type { KernelVersion } from './versions.ts';

export const BPF_PROG_TYPE_UNSPEC = 0;
export const BPF_PROG_TYPE_SOCKET_FILTER = 1;
export const BPF_PROG_TYPE_KPROBE = 2;
export const BPF_PROG_TYPE_SCHED_CLS = 3;
export const BPF_PROG_TYPE_SCHED_ACT = 4;
export const BPF_PROG_TYPE_TRACEPOINT = 5;
export const BPF_PROG_TYPE_XDP = 6;
export const BPF_PROG_TYPE_PERF_EVENT = 7;
export const BPF_PROG_TYPE_CGROUP_SKB = 8;
export const BPF_PROG_TYPE_CGROUP_SOCK = 9;
export const BPF_PROG_TYPE_LWT_IN = 10;
export const BPF_PROG_TYPE_LWT_OUT = 11;
export const BPF_PROG_TYPE_LWT_XMIT = 12;
export const BPF_PROG_TYPE_SOCK_OPS = 13;
export const BPF_PROG_TYPE_SK_SKB = 14;
export const BPF_PROG_TYPE_CGROUP_DEVICE = 15;
export const BPF_PROG_TYPE_SK_MSG = 16;
export const BPF_PROG_TYPE_RAW_TRACEPOINT = 17;
export const BPF_PROG_TYPE_CGROUP_SOCK_ADDR = 18;
export const BPF_PROG_TYPE_LWT_SEG6LOCAL = 19;
export const BPF_PROG_TYPE_LIRC_MODE2 = 20;
export const BPF_PROG_TYPE_SK_REUSEPORT = 21;
export const BPF_PROG_TYPE_FLOW_DISSECTOR = 22;
export const BPF_PROG_TYPE_CGROUP_SYSCTL = 23;
export const BPF_PROG_TYPE_RAW_TRACEPOINT_WRITABLE = 24;
export const BPF_PROG_TYPE_CGROUP_SOCKOPT = 25;
export const BPF_PROG_TYPE_TRACING = 26;
export const BPF_PROG_TYPE_STRUCT_OPS = 27;
export const BPF_PROG_TYPE_EXT = 28;
export const BPF_PROG_TYPE_LSM = 29;
export const BPF_PROG_TYPE_SK_LOOKUP = 30;
export const BPF_PROG_TYPE_SYSCALL = 31;
export const BPF_PROG_TYPE_NETFILTER = 32;

/** What is the same for every program of a type. */
export interface ProgTypeSpec {
  /** BPF_PROG_TYPE_* */
  readonly name: string;
  readonly id: number;
  /** bpftool's word for it. */
  readonly shortName: string;
  readonly since: KernelVersion;
  /** User-side context type, as in include/linux/bpf_types.h; '' for none. */
  readonly ctx: string;
}

/** Every program type, indexed by its number. */
export const PROG_TYPES = [
  { name: 'BPF_PROG_TYPE_UNSPEC', id: 0, shortName: 'unspec', since: 3018, ctx: '' },
  { name: 'BPF_PROG_TYPE_SOCKET_FILTER', id: 1, shortName: 'socket_filter', since: 3019, ctx: '__sk_buff' },
  { name: 'BPF_PROG_TYPE_KPROBE', id: 2, shortName: 'kprobe', since: 4001, ctx: 'bpf_user_pt_regs_t' },
  { name: 'BPF_PROG_TYPE_SCHED_CLS', id: 3, shortName: 'sched_cls', since: 4001, ctx: '__sk_buff' },
  { name: 'BPF_PROG_TYPE_SCHED_ACT', id: 4, shortName: 'sched_act', since: 4001, ctx: '__sk_buff' },
  { name: 'BPF_PROG_TYPE_TRACEPOINT', id: 5, shortName: 'tracepoint', since: 4007, ctx: '__u64' },
  { name: 'BPF_PROG_TYPE_XDP', id: 6, shortName: 'xdp', since: 4008, ctx: 'xdp_md' },
  { name: 'BPF_PROG_TYPE_PERF_EVENT', id: 7, shortName: 'perf_event', since: 4009, ctx: 'bpf_perf_event_data' },
  { name: 'BPF_PROG_TYPE_CGROUP_SKB', id: 8, shortName: 'cgroup_skb', since: 4010, ctx: '__sk_buff' },
  { name: 'BPF_PROG_TYPE_CGROUP_SOCK', id: 9, shortName: 'cgroup_sock', since: 4010, ctx: 'bpf_sock' },
  { name: 'BPF_PROG_TYPE_LWT_IN', id: 10, shortName: 'lwt_in', since: 4010, ctx: '__sk_buff' },
  { name: 'BPF_PROG_TYPE_LWT_OUT', id: 11, shortName: 'lwt_out', since: 4010, ctx: '__sk_buff' },
  { name: 'BPF_PROG_TYPE_LWT_XMIT', id: 12, shortName: 'lwt_xmit', since: 4010, ctx: '__sk_buff' },
  { name: 'BPF_PROG_TYPE_SOCK_OPS', id: 13, shortName: 'sock_ops', since: 4013, ctx: 'bpf_sock_ops' },
  { name: 'BPF_PROG_TYPE_SK_SKB', id: 14, shortName: 'sk_skb', since: 4014, ctx: '__sk_buff' },
  { name: 'BPF_PROG_TYPE_CGROUP_DEVICE', id: 15, shortName: 'cgroup_device', since: 4015, ctx: 'bpf_cgroup_dev_ctx' },
  { name: 'BPF_PROG_TYPE_SK_MSG', id: 16, shortName: 'sk_msg', since: 4017, ctx: 'sk_msg_md' },
  { name: 'BPF_PROG_TYPE_RAW_TRACEPOINT', id: 17, shortName: 'raw_tracepoint', since: 4017, ctx: 'bpf_raw_tracepoint_args' },
  { name: 'BPF_PROG_TYPE_CGROUP_SOCK_ADDR', id: 18, shortName: 'cgroup_sock_addr', since: 4017, ctx: 'bpf_sock_addr' },
  { name: 'BPF_PROG_TYPE_LWT_SEG6LOCAL', id: 19, shortName: 'lwt_seg6local', since: 4018, ctx: '__sk_buff' },
  { name: 'BPF_PROG_TYPE_LIRC_MODE2', id: 20, shortName: 'lirc_mode2', since: 4018, ctx: '__u32' },
  { name: 'BPF_PROG_TYPE_SK_REUSEPORT', id: 21, shortName: 'sk_reuseport', since: 4019, ctx: 'sk_reuseport_md' },
  { name: 'BPF_PROG_TYPE_FLOW_DISSECTOR', id: 22, shortName: 'flow_dissector', since: 4020, ctx: '__sk_buff' },
  { name: 'BPF_PROG_TYPE_CGROUP_SYSCTL', id: 23, shortName: 'cgroup_sysctl', since: 5002, ctx: 'bpf_sysctl' },
  { name: 'BPF_PROG_TYPE_RAW_TRACEPOINT_WRITABLE', id: 24, shortName: 'raw_tracepoint_writable', since: 5002, ctx: 'bpf_raw_tracepoint_args' },
  { name: 'BPF_PROG_TYPE_CGROUP_SOCKOPT', id: 25, shortName: 'cgroup_sockopt', since: 5003, ctx: 'bpf_sockopt' },
  { name: 'BPF_PROG_TYPE_TRACING', id: 26, shortName: 'tracing', since: 5005, ctx: 'void' },
  { name: 'BPF_PROG_TYPE_STRUCT_OPS', id: 27, shortName: 'struct_ops', since: 5006, ctx: 'void' },
  { name: 'BPF_PROG_TYPE_EXT', id: 28, shortName: 'ext', since: 5006, ctx: 'void' },
  { name: 'BPF_PROG_TYPE_LSM', id: 29, shortName: 'lsm', since: 5007, ctx: 'void' },
  { name: 'BPF_PROG_TYPE_SK_LOOKUP', id: 30, shortName: 'sk_lookup', since: 5009, ctx: 'bpf_sk_lookup' },
  { name: 'BPF_PROG_TYPE_SYSCALL', id: 31, shortName: 'syscall', since: 5014, ctx: 'void' },
  { name: 'BPF_PROG_TYPE_NETFILTER', id: 32, shortName: 'netfilter', since: 6004, ctx: 'bpf_nf_ctx' },
] as const satisfies readonly ProgTypeSpec[];

/** A program type's uapi name. */
export type ProgTypeName = (typeof PROG_TYPES)[number]['name'];

/** The uapi name of a program type, or 'program type N' when there is none. */
export const progTypeName = (type: number): string => PROG_TYPES[type]?.name ?? `program type ${type}`;

/** Types that load without CAP_BPF where unprivileged BPF is allowed. Source: kernel/bpf/syscall.c bpf_prog_load. */
export const UNPRIVILEGED_PROG_TYPES: ReadonlySet<number> = new Set([BPF_PROG_TYPE_SOCKET_FILTER, BPF_PROG_TYPE_CGROUP_SKB]);
/** Types that need CAP_NET_ADMIN. Source: kernel/bpf/syscall.c is_net_admin_prog_type. */
export const NET_ADMIN_PROG_TYPES: ReadonlySet<number> = new Set([
  BPF_PROG_TYPE_SCHED_CLS, BPF_PROG_TYPE_SCHED_ACT, BPF_PROG_TYPE_XDP, BPF_PROG_TYPE_LWT_IN, BPF_PROG_TYPE_LWT_OUT, BPF_PROG_TYPE_LWT_XMIT, BPF_PROG_TYPE_LWT_SEG6LOCAL,
  BPF_PROG_TYPE_SK_SKB, BPF_PROG_TYPE_SK_MSG, BPF_PROG_TYPE_FLOW_DISSECTOR, BPF_PROG_TYPE_CGROUP_DEVICE, BPF_PROG_TYPE_CGROUP_SOCK, BPF_PROG_TYPE_CGROUP_SOCK_ADDR,
  BPF_PROG_TYPE_CGROUP_SOCKOPT, BPF_PROG_TYPE_CGROUP_SYSCTL, BPF_PROG_TYPE_SOCK_OPS, BPF_PROG_TYPE_EXT, BPF_PROG_TYPE_NETFILTER,
]);
/** Types that need CAP_PERFMON. Source: kernel/bpf/syscall.c is_perfmon_prog_type. */
export const PERFMON_PROG_TYPES: ReadonlySet<number> = new Set([
  BPF_PROG_TYPE_KPROBE, BPF_PROG_TYPE_TRACEPOINT, BPF_PROG_TYPE_PERF_EVENT, BPF_PROG_TYPE_RAW_TRACEPOINT, BPF_PROG_TYPE_RAW_TRACEPOINT_WRITABLE, BPF_PROG_TYPE_TRACING,
  BPF_PROG_TYPE_LSM, BPF_PROG_TYPE_STRUCT_OPS, BPF_PROG_TYPE_EXT,
]);

// Flags of BPF_PROG_LOAD.
export const BPF_F_STRICT_ALIGNMENT = 0x1;
export const BPF_F_ANY_ALIGNMENT = 0x2;
export const BPF_F_TEST_RND_HI32 = 0x4;
export const BPF_F_TEST_STATE_FREQ = 0x8;
export const BPF_F_SLEEPABLE = 0x10;
export const BPF_F_XDP_HAS_FRAGS = 0x20;
export const BPF_F_XDP_DEV_BOUND_ONLY = 0x40;
export const BPF_F_TEST_REG_INVARIANTS = 0x80;

// Flags of BPF_PROG_ATTACH.
export const BPF_F_ALLOW_OVERRIDE = 0x1;
export const BPF_F_ALLOW_MULTI = 0x2;
export const BPF_F_REPLACE = 0x4;
export const BPF_F_BEFORE = 0x8;
export const BPF_F_AFTER = 0x10;
export const BPF_F_ID = 0x20;
export const BPF_F_PREORDER = 0x40;

// Flags of BPF_PROG_TEST_RUN.
export const BPF_F_TEST_RUN_ON_CPU = 0x1;
export const BPF_F_TEST_XDP_LIVE_FRAMES = 0x2;
export const BPF_F_TEST_SKB_CHECKSUM_COMPLETE = 0x4;
