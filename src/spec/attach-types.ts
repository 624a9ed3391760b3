// Attach types.
// Invariant: ATTACH_TYPES is indexed by number without gaps. 0 is BPF_CGROUP_INET_INGRESS, and also what "none" looks like.
// Source: uapi/linux/bpf.h `enum bpf_attach_type`, Linux 6.18; short names as libbpf_bpf_attach_type_str gives them.

import type { KernelVersion } from './versions.ts';

export const BPF_CGROUP_INET_INGRESS = 0;
export const BPF_CGROUP_INET_EGRESS = 1;
export const BPF_CGROUP_INET_SOCK_CREATE = 2;
export const BPF_CGROUP_SOCK_OPS = 3;
export const BPF_SK_SKB_STREAM_PARSER = 4;
export const BPF_SK_SKB_STREAM_VERDICT = 5;
export const BPF_CGROUP_DEVICE = 6;
export const BPF_SK_MSG_VERDICT = 7;
export const BPF_CGROUP_INET4_BIND = 8;
export const BPF_CGROUP_INET6_BIND = 9;
export const BPF_CGROUP_INET4_CONNECT = 10;
export const BPF_CGROUP_INET6_CONNECT = 11;
export const BPF_CGROUP_INET4_POST_BIND = 12;
export const BPF_CGROUP_INET6_POST_BIND = 13;
export const BPF_CGROUP_UDP4_SENDMSG = 14;
export const BPF_CGROUP_UDP6_SENDMSG = 15;
export const BPF_LIRC_MODE2 = 16;
export const BPF_FLOW_DISSECTOR = 17;
export const BPF_CGROUP_SYSCTL = 18;
export const BPF_CGROUP_UDP4_RECVMSG = 19;
export const BPF_CGROUP_UDP6_RECVMSG = 20;
export const BPF_CGROUP_GETSOCKOPT = 21;
export const BPF_CGROUP_SETSOCKOPT = 22;
export const BPF_TRACE_RAW_TP = 23;
export const BPF_TRACE_FENTRY = 24;
export const BPF_TRACE_FEXIT = 25;
export const BPF_MODIFY_RETURN = 26;
export const BPF_LSM_MAC = 27;
export const BPF_TRACE_ITER = 28;
export const BPF_CGROUP_INET4_GETPEERNAME = 29;
export const BPF_CGROUP_INET6_GETPEERNAME = 30;
export const BPF_CGROUP_INET4_GETSOCKNAME = 31;
export const BPF_CGROUP_INET6_GETSOCKNAME = 32;
export const BPF_XDP_DEVMAP = 33;
export const BPF_CGROUP_INET_SOCK_RELEASE = 34;
export const BPF_XDP_CPUMAP = 35;
export const BPF_SK_LOOKUP = 36;
export const BPF_XDP = 37;
export const BPF_SK_SKB_VERDICT = 38;
export const BPF_SK_REUSEPORT_SELECT = 39;
export const BPF_SK_REUSEPORT_SELECT_OR_MIGRATE = 40;
export const BPF_PERF_EVENT = 41;
export const BPF_TRACE_KPROBE_MULTI = 42;
export const BPF_LSM_CGROUP = 43;
export const BPF_STRUCT_OPS = 44;
export const BPF_NETFILTER = 45;
export const BPF_TCX_INGRESS = 46;
export const BPF_TCX_EGRESS = 47;
export const BPF_TRACE_UPROBE_MULTI = 48;
export const BPF_CGROUP_UNIX_CONNECT = 49;
export const BPF_CGROUP_UNIX_SENDMSG = 50;
export const BPF_CGROUP_UNIX_RECVMSG = 51;
export const BPF_CGROUP_UNIX_GETPEERNAME = 52;
export const BPF_CGROUP_UNIX_GETSOCKNAME = 53;
export const BPF_NETKIT_PRIMARY = 54;
export const BPF_NETKIT_PEER = 55;
export const BPF_TRACE_KPROBE_SESSION = 56;
export const BPF_TRACE_UPROBE_SESSION = 57;

/** An attach type. */
export interface AttachTypeSpec {
  readonly name: string;
  readonly id: number;
  /** libbpf's and bpftool's word for it. */
  readonly shortName: string;
  readonly since: KernelVersion;
}

/** Every attach type, indexed by its number. */
export const ATTACH_TYPES = [
  { name: 'BPF_CGROUP_INET_INGRESS', id: 0, shortName: 'cgroup_inet_ingress', since: 4010 },
  { name: 'BPF_CGROUP_INET_EGRESS', id: 1, shortName: 'cgroup_inet_egress', since: 4010 },
  { name: 'BPF_CGROUP_INET_SOCK_CREATE', id: 2, shortName: 'cgroup_inet_sock_create', since: 4010 },
  { name: 'BPF_CGROUP_SOCK_OPS', id: 3, shortName: 'cgroup_sock_ops', since: 4013 },
  { name: 'BPF_SK_SKB_STREAM_PARSER', id: 4, shortName: 'sk_skb_stream_parser', since: 4014 },
  { name: 'BPF_SK_SKB_STREAM_VERDICT', id: 5, shortName: 'sk_skb_stream_verdict', since: 4014 },
  { name: 'BPF_CGROUP_DEVICE', id: 6, shortName: 'cgroup_device', since: 4015 },
  { name: 'BPF_SK_MSG_VERDICT', id: 7, shortName: 'sk_msg_verdict', since: 4017 },
  { name: 'BPF_CGROUP_INET4_BIND', id: 8, shortName: 'cgroup_inet4_bind', since: 4017 },
  { name: 'BPF_CGROUP_INET6_BIND', id: 9, shortName: 'cgroup_inet6_bind', since: 4017 },
  { name: 'BPF_CGROUP_INET4_CONNECT', id: 10, shortName: 'cgroup_inet4_connect', since: 4017 },
  { name: 'BPF_CGROUP_INET6_CONNECT', id: 11, shortName: 'cgroup_inet6_connect', since: 4017 },
  { name: 'BPF_CGROUP_INET4_POST_BIND', id: 12, shortName: 'cgroup_inet4_post_bind', since: 4017 },
  { name: 'BPF_CGROUP_INET6_POST_BIND', id: 13, shortName: 'cgroup_inet6_post_bind', since: 4017 },
  { name: 'BPF_CGROUP_UDP4_SENDMSG', id: 14, shortName: 'cgroup_udp4_sendmsg', since: 4018 },
  { name: 'BPF_CGROUP_UDP6_SENDMSG', id: 15, shortName: 'cgroup_udp6_sendmsg', since: 4018 },
  { name: 'BPF_LIRC_MODE2', id: 16, shortName: 'lirc_mode2', since: 4018 },
  { name: 'BPF_FLOW_DISSECTOR', id: 17, shortName: 'flow_dissector', since: 4020 },
  { name: 'BPF_CGROUP_SYSCTL', id: 18, shortName: 'cgroup_sysctl', since: 5002 },
  { name: 'BPF_CGROUP_UDP4_RECVMSG', id: 19, shortName: 'cgroup_udp4_recvmsg', since: 5002 },
  { name: 'BPF_CGROUP_UDP6_RECVMSG', id: 20, shortName: 'cgroup_udp6_recvmsg', since: 5002 },
  { name: 'BPF_CGROUP_GETSOCKOPT', id: 21, shortName: 'cgroup_getsockopt', since: 5003 },
  { name: 'BPF_CGROUP_SETSOCKOPT', id: 22, shortName: 'cgroup_setsockopt', since: 5003 },
  { name: 'BPF_TRACE_RAW_TP', id: 23, shortName: 'trace_raw_tp', since: 5005 },
  { name: 'BPF_TRACE_FENTRY', id: 24, shortName: 'trace_fentry', since: 5005 },
  { name: 'BPF_TRACE_FEXIT', id: 25, shortName: 'trace_fexit', since: 5005 },
  { name: 'BPF_MODIFY_RETURN', id: 26, shortName: 'modify_return', since: 5007 },
  { name: 'BPF_LSM_MAC', id: 27, shortName: 'lsm_mac', since: 5007 },
  { name: 'BPF_TRACE_ITER', id: 28, shortName: 'trace_iter', since: 5008 },
  { name: 'BPF_CGROUP_INET4_GETPEERNAME', id: 29, shortName: 'cgroup_inet4_getpeername', since: 5008 },
  { name: 'BPF_CGROUP_INET6_GETPEERNAME', id: 30, shortName: 'cgroup_inet6_getpeername', since: 5008 },
  { name: 'BPF_CGROUP_INET4_GETSOCKNAME', id: 31, shortName: 'cgroup_inet4_getsockname', since: 5008 },
  { name: 'BPF_CGROUP_INET6_GETSOCKNAME', id: 32, shortName: 'cgroup_inet6_getsockname', since: 5008 },
  { name: 'BPF_XDP_DEVMAP', id: 33, shortName: 'xdp_devmap', since: 5008 },
  { name: 'BPF_CGROUP_INET_SOCK_RELEASE', id: 34, shortName: 'cgroup_inet_sock_release', since: 5009 },
  { name: 'BPF_XDP_CPUMAP', id: 35, shortName: 'xdp_cpumap', since: 5009 },
  { name: 'BPF_SK_LOOKUP', id: 36, shortName: 'sk_lookup', since: 5009 },
  { name: 'BPF_XDP', id: 37, shortName: 'xdp', since: 5009 },
  { name: 'BPF_SK_SKB_VERDICT', id: 38, shortName: 'sk_skb_verdict', since: 5013 },
  { name: 'BPF_SK_REUSEPORT_SELECT', id: 39, shortName: 'sk_reuseport_select', since: 5014 },
  { name: 'BPF_SK_REUSEPORT_SELECT_OR_MIGRATE', id: 40, shortName: 'sk_reuseport_select_or_migrate', since: 5014 },
  { name: 'BPF_PERF_EVENT', id: 41, shortName: 'perf_event', since: 5015 },
  { name: 'BPF_TRACE_KPROBE_MULTI', id: 42, shortName: 'trace_kprobe_multi', since: 5018 },
  { name: 'BPF_LSM_CGROUP', id: 43, shortName: 'lsm_cgroup', since: 6000 },
  { name: 'BPF_STRUCT_OPS', id: 44, shortName: 'struct_ops', since: 6004 },
  { name: 'BPF_NETFILTER', id: 45, shortName: 'netfilter', since: 6004 },
  { name: 'BPF_TCX_INGRESS', id: 46, shortName: 'tcx_ingress', since: 6006 },
  { name: 'BPF_TCX_EGRESS', id: 47, shortName: 'tcx_egress', since: 6006 },
  { name: 'BPF_TRACE_UPROBE_MULTI', id: 48, shortName: 'trace_uprobe_multi', since: 6006 },
  { name: 'BPF_CGROUP_UNIX_CONNECT', id: 49, shortName: 'cgroup_unix_connect', since: 6007 },
  { name: 'BPF_CGROUP_UNIX_SENDMSG', id: 50, shortName: 'cgroup_unix_sendmsg', since: 6007 },
  { name: 'BPF_CGROUP_UNIX_RECVMSG', id: 51, shortName: 'cgroup_unix_recvmsg', since: 6007 },
  { name: 'BPF_CGROUP_UNIX_GETPEERNAME', id: 52, shortName: 'cgroup_unix_getpeername', since: 6007 },
  { name: 'BPF_CGROUP_UNIX_GETSOCKNAME', id: 53, shortName: 'cgroup_unix_getsockname', since: 6007 },
  { name: 'BPF_NETKIT_PRIMARY', id: 54, shortName: 'netkit_primary', since: 6007 },
  { name: 'BPF_NETKIT_PEER', id: 55, shortName: 'netkit_peer', since: 6007 },
  { name: 'BPF_TRACE_KPROBE_SESSION', id: 56, shortName: 'trace_kprobe_session', since: 6010 },
  { name: 'BPF_TRACE_UPROBE_SESSION', id: 57, shortName: 'trace_uprobe_session', since: 6013 },
] as const satisfies readonly AttachTypeSpec[];

/** An attach type's uapi name. */
export type AttachTypeName = (typeof ATTACH_TYPES)[number]['name'];

/** The uapi name of an attach type, or 'attach type N' when there is none. */
export const attachTypeName = (type: number): string => ATTACH_TYPES[type]?.name ?? `attach type ${type}`;
