// What libbpf reads out of an ELF section's name: program type, expected attach type, and how it is loaded.
// Invariant: the first row that matches decides, so longer names stand before their prefixes. 'name+' takes 'name' and 'name/anything'.
// Source: tools/lib/bpf/libbpf.c section_defs and sec_def_matches, libbpf 1.6.

import {
  BPF_CGROUP_DEVICE, BPF_CGROUP_GETSOCKOPT, BPF_CGROUP_INET4_BIND, BPF_CGROUP_INET4_CONNECT, BPF_CGROUP_INET4_GETPEERNAME,
  BPF_CGROUP_INET4_GETSOCKNAME, BPF_CGROUP_INET4_POST_BIND, BPF_CGROUP_INET6_BIND, BPF_CGROUP_INET6_CONNECT, BPF_CGROUP_INET6_GETPEERNAME,
  BPF_CGROUP_INET6_GETSOCKNAME, BPF_CGROUP_INET6_POST_BIND, BPF_CGROUP_INET_EGRESS, BPF_CGROUP_INET_INGRESS, BPF_CGROUP_INET_SOCK_CREATE,
  BPF_CGROUP_INET_SOCK_RELEASE, BPF_CGROUP_SETSOCKOPT, BPF_CGROUP_SOCK_OPS, BPF_CGROUP_SYSCTL, BPF_CGROUP_UDP4_RECVMSG,
  BPF_CGROUP_UDP4_SENDMSG, BPF_CGROUP_UDP6_RECVMSG, BPF_CGROUP_UDP6_SENDMSG, BPF_CGROUP_UNIX_CONNECT, BPF_CGROUP_UNIX_GETPEERNAME,
  BPF_CGROUP_UNIX_GETSOCKNAME, BPF_CGROUP_UNIX_RECVMSG, BPF_CGROUP_UNIX_SENDMSG, BPF_FLOW_DISSECTOR, BPF_LIRC_MODE2, BPF_LSM_CGROUP,
  BPF_LSM_MAC, BPF_MODIFY_RETURN, BPF_NETFILTER, BPF_NETKIT_PEER, BPF_NETKIT_PRIMARY, BPF_SK_LOOKUP, BPF_SK_MSG_VERDICT,
  BPF_SK_REUSEPORT_SELECT, BPF_SK_REUSEPORT_SELECT_OR_MIGRATE, BPF_SK_SKB_STREAM_PARSER, BPF_SK_SKB_STREAM_VERDICT, BPF_SK_SKB_VERDICT,
  BPF_TCX_EGRESS, BPF_TCX_INGRESS, BPF_TRACE_FENTRY, BPF_TRACE_FEXIT, BPF_TRACE_ITER, BPF_TRACE_KPROBE_MULTI, BPF_TRACE_KPROBE_SESSION,
  BPF_TRACE_RAW_TP, BPF_TRACE_UPROBE_MULTI, BPF_TRACE_UPROBE_SESSION, BPF_XDP, BPF_XDP_CPUMAP, BPF_XDP_DEVMAP,
} from './attach-types.ts';
import {
  BPF_PROG_TYPE_CGROUP_DEVICE, BPF_PROG_TYPE_CGROUP_SKB, BPF_PROG_TYPE_CGROUP_SOCK, BPF_PROG_TYPE_CGROUP_SOCKOPT,
  BPF_PROG_TYPE_CGROUP_SOCK_ADDR, BPF_PROG_TYPE_CGROUP_SYSCTL, BPF_PROG_TYPE_EXT, BPF_PROG_TYPE_FLOW_DISSECTOR, BPF_PROG_TYPE_KPROBE,
  BPF_PROG_TYPE_LIRC_MODE2, BPF_PROG_TYPE_LSM, BPF_PROG_TYPE_LWT_IN, BPF_PROG_TYPE_LWT_OUT, BPF_PROG_TYPE_LWT_SEG6LOCAL,
  BPF_PROG_TYPE_LWT_XMIT, BPF_PROG_TYPE_NETFILTER, BPF_PROG_TYPE_PERF_EVENT, BPF_PROG_TYPE_RAW_TRACEPOINT,
  BPF_PROG_TYPE_RAW_TRACEPOINT_WRITABLE, BPF_PROG_TYPE_SCHED_ACT, BPF_PROG_TYPE_SCHED_CLS, BPF_PROG_TYPE_SK_LOOKUP, BPF_PROG_TYPE_SK_MSG,
  BPF_PROG_TYPE_SK_REUSEPORT, BPF_PROG_TYPE_SK_SKB, BPF_PROG_TYPE_SOCKET_FILTER, BPF_PROG_TYPE_SOCK_OPS, BPF_PROG_TYPE_STRUCT_OPS,
  BPF_PROG_TYPE_SYSCALL, BPF_PROG_TYPE_TRACEPOINT, BPF_PROG_TYPE_TRACING, BPF_PROG_TYPE_XDP,
} from './prog-types.ts';

/** A section name that libbpf knows. */
export interface SecDef {
  /** 'xdp', or 'kprobe+' for 'kprobe' and 'kprobe/…'. */
  readonly sec: string;
  /** BPF_PROG_TYPE_* */
  readonly progType: number;
  /** BPF_* expected attach type, 0 for none. */
  readonly attachType: number;
  /** Older kernels may be loaded without the expected attach type. */
  readonly expAttachOpt?: true;
  /** The attach type is also what the program is attached by. */
  readonly attachable?: true;
  /** What follows the '/' names a kernel function or type, looked up in BTF. */
  readonly attachBtf?: true;
  readonly sleepable?: true;
  /** Multi-buffer XDP. */
  readonly xdpFrags?: true;
  readonly usdt?: true;
}

/** Every section name of libbpf, in the order in which they are tried. */
export const SEC_DEFS = [
  { sec: 'socket', progType: BPF_PROG_TYPE_SOCKET_FILTER, attachType: 0 },
  { sec: 'sk_reuseport/migrate', progType: BPF_PROG_TYPE_SK_REUSEPORT, attachType: BPF_SK_REUSEPORT_SELECT_OR_MIGRATE, attachable: true },
  { sec: 'sk_reuseport', progType: BPF_PROG_TYPE_SK_REUSEPORT, attachType: BPF_SK_REUSEPORT_SELECT, attachable: true },
  { sec: 'kprobe+', progType: BPF_PROG_TYPE_KPROBE, attachType: 0 },
  { sec: 'uprobe+', progType: BPF_PROG_TYPE_KPROBE, attachType: 0 },
  { sec: 'uprobe.s+', progType: BPF_PROG_TYPE_KPROBE, attachType: 0, sleepable: true },
  { sec: 'kretprobe+', progType: BPF_PROG_TYPE_KPROBE, attachType: 0 },
  { sec: 'uretprobe+', progType: BPF_PROG_TYPE_KPROBE, attachType: 0 },
  { sec: 'uretprobe.s+', progType: BPF_PROG_TYPE_KPROBE, attachType: 0, sleepable: true },
  { sec: 'kprobe.multi+', progType: BPF_PROG_TYPE_KPROBE, attachType: BPF_TRACE_KPROBE_MULTI },
  { sec: 'kretprobe.multi+', progType: BPF_PROG_TYPE_KPROBE, attachType: BPF_TRACE_KPROBE_MULTI },
  { sec: 'kprobe.session+', progType: BPF_PROG_TYPE_KPROBE, attachType: BPF_TRACE_KPROBE_SESSION },
  { sec: 'uprobe.multi+', progType: BPF_PROG_TYPE_KPROBE, attachType: BPF_TRACE_UPROBE_MULTI },
  { sec: 'uretprobe.multi+', progType: BPF_PROG_TYPE_KPROBE, attachType: BPF_TRACE_UPROBE_MULTI },
  { sec: 'uprobe.session+', progType: BPF_PROG_TYPE_KPROBE, attachType: BPF_TRACE_UPROBE_SESSION },
  { sec: 'uprobe.multi.s+', progType: BPF_PROG_TYPE_KPROBE, attachType: BPF_TRACE_UPROBE_MULTI, sleepable: true },
  { sec: 'uretprobe.multi.s+', progType: BPF_PROG_TYPE_KPROBE, attachType: BPF_TRACE_UPROBE_MULTI, sleepable: true },
  { sec: 'uprobe.session.s+', progType: BPF_PROG_TYPE_KPROBE, attachType: BPF_TRACE_UPROBE_SESSION, sleepable: true },
  { sec: 'ksyscall+', progType: BPF_PROG_TYPE_KPROBE, attachType: 0 },
  { sec: 'kretsyscall+', progType: BPF_PROG_TYPE_KPROBE, attachType: 0 },
  { sec: 'usdt+', progType: BPF_PROG_TYPE_KPROBE, attachType: 0, usdt: true },
  { sec: 'usdt.s+', progType: BPF_PROG_TYPE_KPROBE, attachType: 0, usdt: true, sleepable: true },
  { sec: 'tc/ingress', progType: BPF_PROG_TYPE_SCHED_CLS, attachType: BPF_TCX_INGRESS },
  { sec: 'tc/egress', progType: BPF_PROG_TYPE_SCHED_CLS, attachType: BPF_TCX_EGRESS },
  { sec: 'tcx/ingress', progType: BPF_PROG_TYPE_SCHED_CLS, attachType: BPF_TCX_INGRESS },
  { sec: 'tcx/egress', progType: BPF_PROG_TYPE_SCHED_CLS, attachType: BPF_TCX_EGRESS },
  { sec: 'tc', progType: BPF_PROG_TYPE_SCHED_CLS, attachType: 0 },
  { sec: 'classifier', progType: BPF_PROG_TYPE_SCHED_CLS, attachType: 0 },
  { sec: 'action', progType: BPF_PROG_TYPE_SCHED_ACT, attachType: 0 },
  { sec: 'netkit/primary', progType: BPF_PROG_TYPE_SCHED_CLS, attachType: BPF_NETKIT_PRIMARY },
  { sec: 'netkit/peer', progType: BPF_PROG_TYPE_SCHED_CLS, attachType: BPF_NETKIT_PEER },
  { sec: 'tracepoint+', progType: BPF_PROG_TYPE_TRACEPOINT, attachType: 0 },
  { sec: 'tp+', progType: BPF_PROG_TYPE_TRACEPOINT, attachType: 0 },
  { sec: 'raw_tracepoint+', progType: BPF_PROG_TYPE_RAW_TRACEPOINT, attachType: 0 },
  { sec: 'raw_tp+', progType: BPF_PROG_TYPE_RAW_TRACEPOINT, attachType: 0 },
  { sec: 'raw_tracepoint.w+', progType: BPF_PROG_TYPE_RAW_TRACEPOINT_WRITABLE, attachType: 0 },
  { sec: 'raw_tp.w+', progType: BPF_PROG_TYPE_RAW_TRACEPOINT_WRITABLE, attachType: 0 },
  { sec: 'tp_btf+', progType: BPF_PROG_TYPE_TRACING, attachType: BPF_TRACE_RAW_TP, attachBtf: true },
  { sec: 'fentry+', progType: BPF_PROG_TYPE_TRACING, attachType: BPF_TRACE_FENTRY, attachBtf: true },
  { sec: 'fmod_ret+', progType: BPF_PROG_TYPE_TRACING, attachType: BPF_MODIFY_RETURN, attachBtf: true },
  { sec: 'fexit+', progType: BPF_PROG_TYPE_TRACING, attachType: BPF_TRACE_FEXIT, attachBtf: true },
  { sec: 'fentry.s+', progType: BPF_PROG_TYPE_TRACING, attachType: BPF_TRACE_FENTRY, attachBtf: true, sleepable: true },
  { sec: 'fmod_ret.s+', progType: BPF_PROG_TYPE_TRACING, attachType: BPF_MODIFY_RETURN, attachBtf: true, sleepable: true },
  { sec: 'fexit.s+', progType: BPF_PROG_TYPE_TRACING, attachType: BPF_TRACE_FEXIT, attachBtf: true, sleepable: true },
  { sec: 'freplace+', progType: BPF_PROG_TYPE_EXT, attachType: 0, attachBtf: true },
  { sec: 'lsm+', progType: BPF_PROG_TYPE_LSM, attachType: BPF_LSM_MAC, attachBtf: true },
  { sec: 'lsm.s+', progType: BPF_PROG_TYPE_LSM, attachType: BPF_LSM_MAC, attachBtf: true, sleepable: true },
  { sec: 'lsm_cgroup+', progType: BPF_PROG_TYPE_LSM, attachType: BPF_LSM_CGROUP, attachBtf: true },
  { sec: 'iter+', progType: BPF_PROG_TYPE_TRACING, attachType: BPF_TRACE_ITER, attachBtf: true },
  { sec: 'iter.s+', progType: BPF_PROG_TYPE_TRACING, attachType: BPF_TRACE_ITER, attachBtf: true, sleepable: true },
  { sec: 'syscall', progType: BPF_PROG_TYPE_SYSCALL, attachType: 0, sleepable: true },
  { sec: 'xdp.frags/devmap', progType: BPF_PROG_TYPE_XDP, attachType: BPF_XDP_DEVMAP, xdpFrags: true },
  { sec: 'xdp/devmap', progType: BPF_PROG_TYPE_XDP, attachType: BPF_XDP_DEVMAP, attachable: true },
  { sec: 'xdp.frags/cpumap', progType: BPF_PROG_TYPE_XDP, attachType: BPF_XDP_CPUMAP, xdpFrags: true },
  { sec: 'xdp/cpumap', progType: BPF_PROG_TYPE_XDP, attachType: BPF_XDP_CPUMAP, attachable: true },
  { sec: 'xdp.frags', progType: BPF_PROG_TYPE_XDP, attachType: BPF_XDP, xdpFrags: true },
  { sec: 'xdp', progType: BPF_PROG_TYPE_XDP, attachType: BPF_XDP, attachable: true, expAttachOpt: true },
  { sec: 'perf_event', progType: BPF_PROG_TYPE_PERF_EVENT, attachType: 0 },
  { sec: 'lwt_in', progType: BPF_PROG_TYPE_LWT_IN, attachType: 0 },
  { sec: 'lwt_out', progType: BPF_PROG_TYPE_LWT_OUT, attachType: 0 },
  { sec: 'lwt_xmit', progType: BPF_PROG_TYPE_LWT_XMIT, attachType: 0 },
  { sec: 'lwt_seg6local', progType: BPF_PROG_TYPE_LWT_SEG6LOCAL, attachType: 0 },
  { sec: 'sockops', progType: BPF_PROG_TYPE_SOCK_OPS, attachType: BPF_CGROUP_SOCK_OPS, attachable: true, expAttachOpt: true },
  { sec: 'sk_skb/stream_parser', progType: BPF_PROG_TYPE_SK_SKB, attachType: BPF_SK_SKB_STREAM_PARSER, attachable: true, expAttachOpt: true },
  { sec: 'sk_skb/stream_verdict', progType: BPF_PROG_TYPE_SK_SKB, attachType: BPF_SK_SKB_STREAM_VERDICT, attachable: true, expAttachOpt: true },
  { sec: 'sk_skb/verdict', progType: BPF_PROG_TYPE_SK_SKB, attachType: BPF_SK_SKB_VERDICT, attachable: true, expAttachOpt: true },
  { sec: 'sk_skb', progType: BPF_PROG_TYPE_SK_SKB, attachType: 0 },
  { sec: 'sk_msg', progType: BPF_PROG_TYPE_SK_MSG, attachType: BPF_SK_MSG_VERDICT, attachable: true, expAttachOpt: true },
  { sec: 'lirc_mode2', progType: BPF_PROG_TYPE_LIRC_MODE2, attachType: BPF_LIRC_MODE2, attachable: true, expAttachOpt: true },
  { sec: 'flow_dissector', progType: BPF_PROG_TYPE_FLOW_DISSECTOR, attachType: BPF_FLOW_DISSECTOR, attachable: true, expAttachOpt: true },
  { sec: 'cgroup_skb/ingress', progType: BPF_PROG_TYPE_CGROUP_SKB, attachType: BPF_CGROUP_INET_INGRESS, attachable: true, expAttachOpt: true },
  { sec: 'cgroup_skb/egress', progType: BPF_PROG_TYPE_CGROUP_SKB, attachType: BPF_CGROUP_INET_EGRESS, attachable: true, expAttachOpt: true },
  { sec: 'cgroup/skb', progType: BPF_PROG_TYPE_CGROUP_SKB, attachType: 0 },
  { sec: 'cgroup/sock_create', progType: BPF_PROG_TYPE_CGROUP_SOCK, attachType: BPF_CGROUP_INET_SOCK_CREATE, attachable: true },
  { sec: 'cgroup/sock_release', progType: BPF_PROG_TYPE_CGROUP_SOCK, attachType: BPF_CGROUP_INET_SOCK_RELEASE, attachable: true },
  { sec: 'cgroup/sock', progType: BPF_PROG_TYPE_CGROUP_SOCK, attachType: BPF_CGROUP_INET_SOCK_CREATE, attachable: true, expAttachOpt: true },
  { sec: 'cgroup/post_bind4', progType: BPF_PROG_TYPE_CGROUP_SOCK, attachType: BPF_CGROUP_INET4_POST_BIND, attachable: true },
  { sec: 'cgroup/post_bind6', progType: BPF_PROG_TYPE_CGROUP_SOCK, attachType: BPF_CGROUP_INET6_POST_BIND, attachable: true },
  { sec: 'cgroup/bind4', progType: BPF_PROG_TYPE_CGROUP_SOCK_ADDR, attachType: BPF_CGROUP_INET4_BIND, attachable: true },
  { sec: 'cgroup/bind6', progType: BPF_PROG_TYPE_CGROUP_SOCK_ADDR, attachType: BPF_CGROUP_INET6_BIND, attachable: true },
  { sec: 'cgroup/connect4', progType: BPF_PROG_TYPE_CGROUP_SOCK_ADDR, attachType: BPF_CGROUP_INET4_CONNECT, attachable: true },
  { sec: 'cgroup/connect6', progType: BPF_PROG_TYPE_CGROUP_SOCK_ADDR, attachType: BPF_CGROUP_INET6_CONNECT, attachable: true },
  { sec: 'cgroup/connect_unix', progType: BPF_PROG_TYPE_CGROUP_SOCK_ADDR, attachType: BPF_CGROUP_UNIX_CONNECT, attachable: true },
  { sec: 'cgroup/sendmsg4', progType: BPF_PROG_TYPE_CGROUP_SOCK_ADDR, attachType: BPF_CGROUP_UDP4_SENDMSG, attachable: true },
  { sec: 'cgroup/sendmsg6', progType: BPF_PROG_TYPE_CGROUP_SOCK_ADDR, attachType: BPF_CGROUP_UDP6_SENDMSG, attachable: true },
  { sec: 'cgroup/sendmsg_unix', progType: BPF_PROG_TYPE_CGROUP_SOCK_ADDR, attachType: BPF_CGROUP_UNIX_SENDMSG, attachable: true },
  { sec: 'cgroup/recvmsg4', progType: BPF_PROG_TYPE_CGROUP_SOCK_ADDR, attachType: BPF_CGROUP_UDP4_RECVMSG, attachable: true },
  { sec: 'cgroup/recvmsg6', progType: BPF_PROG_TYPE_CGROUP_SOCK_ADDR, attachType: BPF_CGROUP_UDP6_RECVMSG, attachable: true },
  { sec: 'cgroup/recvmsg_unix', progType: BPF_PROG_TYPE_CGROUP_SOCK_ADDR, attachType: BPF_CGROUP_UNIX_RECVMSG, attachable: true },
  { sec: 'cgroup/getpeername4', progType: BPF_PROG_TYPE_CGROUP_SOCK_ADDR, attachType: BPF_CGROUP_INET4_GETPEERNAME, attachable: true },
  { sec: 'cgroup/getpeername6', progType: BPF_PROG_TYPE_CGROUP_SOCK_ADDR, attachType: BPF_CGROUP_INET6_GETPEERNAME, attachable: true },
  { sec: 'cgroup/getpeername_unix', progType: BPF_PROG_TYPE_CGROUP_SOCK_ADDR, attachType: BPF_CGROUP_UNIX_GETPEERNAME, attachable: true },
  { sec: 'cgroup/getsockname4', progType: BPF_PROG_TYPE_CGROUP_SOCK_ADDR, attachType: BPF_CGROUP_INET4_GETSOCKNAME, attachable: true },
  { sec: 'cgroup/getsockname6', progType: BPF_PROG_TYPE_CGROUP_SOCK_ADDR, attachType: BPF_CGROUP_INET6_GETSOCKNAME, attachable: true },
  { sec: 'cgroup/getsockname_unix', progType: BPF_PROG_TYPE_CGROUP_SOCK_ADDR, attachType: BPF_CGROUP_UNIX_GETSOCKNAME, attachable: true },
  { sec: 'cgroup/sysctl', progType: BPF_PROG_TYPE_CGROUP_SYSCTL, attachType: BPF_CGROUP_SYSCTL, attachable: true },
  { sec: 'cgroup/getsockopt', progType: BPF_PROG_TYPE_CGROUP_SOCKOPT, attachType: BPF_CGROUP_GETSOCKOPT, attachable: true },
  { sec: 'cgroup/setsockopt', progType: BPF_PROG_TYPE_CGROUP_SOCKOPT, attachType: BPF_CGROUP_SETSOCKOPT, attachable: true },
  { sec: 'cgroup/dev', progType: BPF_PROG_TYPE_CGROUP_DEVICE, attachType: BPF_CGROUP_DEVICE, attachable: true, expAttachOpt: true },
  { sec: 'struct_ops+', progType: BPF_PROG_TYPE_STRUCT_OPS, attachType: 0 },
  { sec: 'struct_ops.s+', progType: BPF_PROG_TYPE_STRUCT_OPS, attachType: 0, sleepable: true },
  { sec: 'sk_lookup', progType: BPF_PROG_TYPE_SK_LOOKUP, attachType: BPF_SK_LOOKUP, attachable: true },
  { sec: 'netfilter', progType: BPF_PROG_TYPE_NETFILTER, attachType: BPF_NETFILTER },
] as const satisfies readonly SecDef[];

function matches(def: SecDef, name: string): boolean {
  if (!def.sec.endsWith('+')) return def.sec === name;
  const stem = def.sec.slice(0, -1);
  return name === stem || name.startsWith(`${stem}/`);
}

/** What the section name means (without a leading '?'), or undefined when libbpf doesn't know it. */
export const secDefOf = (name: string): SecDef | undefined => SEC_DEFS.find((def) => matches(def, name));

/** What follows the '/' of a 'name+' section: 'sys_enter_open' of 'kprobe/sys_enter_open'; '' when there is nothing. */
export function secTarget(def: SecDef, name: string): string {
  return def.sec.endsWith('+') ? name.slice(def.sec.length) : '';
}
