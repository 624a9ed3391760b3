// Every helper by name: what stands for it, or why there is nothing yet.
// Invariant: each name of spec/helpers.ts stands in exactly one of HELPER_IMPLS, HELPER_GAPS and BY_EXECUTOR; a missing or stale row doesn't compile.
// A helper whose meaning depends on the program type (the kernel has several functions under one number) is chosen in `helpersFor`.

import { HELPERS } from '../spec/helpers.ts';
import type { HelperName } from '../spec/helpers.ts';
import { helperGrant } from '../spec/prog-type-helpers.ts';
import { PROG_TYPES } from '../spec/prog-types.ts';
import type { ProgTypeName } from '../spec/prog-types.ts';
import { defined } from '../util/assert.ts';
import type { HelperImpl } from '../vm/host.ts';
import * as csum from './csum.ts';
import * as loop from './loop.ts';
import * as map from './map.ts';
import * as perf from './perf-event.ts';
import * as prandom from './prandom.ts';
import * as print from './print.ts';
import * as probe from './probe.ts';
import * as redirect from './redirect.ts';
import * as ringbuf from './ringbuf.ts';
import * as route from './route.ts';
import * as bytes from './skb-bytes.ts';
import * as meta from './skb-meta.ts';
import * as room from './skb-room.ts';
import * as vlan from './skb-vlan.ts';
import * as socket from './socket.ts';
import * as lock from './spin-lock.ts';
import * as string from './string.ts';
import * as task from './task.ts';
import * as time from './time.ts';
import * as xdp from './xdp.ts';

/** Helpers that executors act out themselves. */
export const BY_EXECUTOR = ['bpf_tail_call'] as const satisfies readonly HelperName[];

/** What stands for each helper; where program types differ, the form for programs on sk_buffs. */
export const HELPER_IMPLS = {
  bpf_map_lookup_elem: map.mapLookupElem,
  bpf_map_update_elem: map.mapUpdateElem,
  bpf_map_delete_elem: map.mapDeleteElem,
  bpf_map_push_elem: map.mapPushElem,
  bpf_map_pop_elem: map.mapPopElem,
  bpf_map_peek_elem: map.mapPeekElem,
  bpf_map_lookup_percpu_elem: map.mapLookupPercpuElem,
  bpf_for_each_map_elem: map.forEachMapElem,
  bpf_loop: loop.loop,
  bpf_spin_lock: lock.spinLock,
  bpf_spin_unlock: lock.spinUnlock,
  bpf_ktime_get_ns: time.ktimeGetNs,
  bpf_ktime_get_boot_ns: time.ktimeGetBootNs,
  bpf_ktime_get_tai_ns: time.ktimeGetTaiNs,
  bpf_ktime_get_coarse_ns: time.ktimeGetCoarseNs,
  bpf_jiffies64: time.jiffies64,
  bpf_get_prandom_u32: prandom.getPrandomU32,
  bpf_get_smp_processor_id: task.getSmpProcessorId,
  bpf_get_numa_node_id: task.getNumaNodeId,
  bpf_get_current_pid_tgid: task.getCurrentPidTgid,
  bpf_get_current_uid_gid: task.getCurrentUidGid,
  bpf_get_current_comm: task.getCurrentComm,
  bpf_trace_printk: print.tracePrintk,
  bpf_trace_vprintk: print.traceVprintk,
  bpf_snprintf: print.snprintf,
  bpf_strtol: string.strtol,
  bpf_strtoul: string.strtoul,
  bpf_strncmp: string.strncmp,
  bpf_probe_read: probe.probeReadAny,
  bpf_probe_read_str: probe.probeReadStrAny,
  bpf_probe_read_kernel: probe.probeReadKernel,
  bpf_probe_read_kernel_str: probe.probeReadKernelStr,
  bpf_probe_read_user: probe.probeReadUser,
  bpf_probe_read_user_str: probe.probeReadUserStr,
  bpf_copy_from_user: probe.copyFromUser,
  bpf_ringbuf_output: ringbuf.ringbufOutput,
  bpf_ringbuf_reserve: ringbuf.ringbufReserve,
  bpf_ringbuf_submit: ringbuf.ringbufSubmit,
  bpf_ringbuf_discard: ringbuf.ringbufDiscard,
  bpf_ringbuf_query: ringbuf.ringbufQuery,
  bpf_perf_event_output: perf.skbEventOutput,
  bpf_csum_diff: csum.csumDiff,
  bpf_csum_update: csum.csumUpdate,
  bpf_csum_level: csum.csumLevel,
  bpf_l3_csum_replace: bytes.l3CsumReplace,
  bpf_l4_csum_replace: bytes.l4CsumReplace,
  bpf_skb_store_bytes: bytes.skbStoreBytes,
  bpf_skb_load_bytes: bytes.skbLoadBytes,
  bpf_skb_load_bytes_relative: bytes.skbLoadBytesRelative,
  bpf_skb_pull_data: bytes.skbPullData,
  bpf_skb_change_tail: room.skbChangeTail,
  bpf_skb_change_head: room.skbChangeHead,
  bpf_skb_change_proto: room.skbChangeProto,
  bpf_skb_change_type: room.skbChangeType,
  bpf_skb_adjust_room: room.skbAdjustRoom,
  bpf_skb_vlan_push: vlan.skbVlanPush,
  bpf_skb_vlan_pop: vlan.skbVlanPop,
  bpf_skb_set_tstamp: meta.skbSetTstamp,
  bpf_skb_ecn_set_ce: meta.skbEcnSetCe,
  bpf_get_hash_recalc: meta.getHashRecalc,
  bpf_set_hash: meta.setHash,
  bpf_set_hash_invalid: meta.setHashInvalid,
  bpf_get_route_realm: meta.getRouteRealm,
  bpf_get_cgroup_classid: meta.getCgroupClassid,
  bpf_skb_cgroup_classid: meta.skbCgroupClassid,
  bpf_skb_cgroup_id: meta.skbCgroupId,
  bpf_skb_ancestor_cgroup_id: meta.skbAncestorCgroupId,
  bpf_skb_get_tunnel_key: meta.skbGetTunnelKey,
  bpf_skb_get_tunnel_opt: meta.skbGetTunnelOpt,
  bpf_redirect: redirect.tcRedirect,
  bpf_redirect_map: redirect.redirectMap,
  bpf_redirect_peer: redirect.redirectPeer,
  bpf_redirect_neigh: redirect.redirectNeigh,
  bpf_clone_redirect: redirect.cloneRedirect,
  bpf_xdp_adjust_head: xdp.xdpAdjustHead,
  bpf_xdp_adjust_tail: xdp.xdpAdjustTail,
  bpf_xdp_adjust_meta: xdp.xdpAdjustMeta,
  bpf_xdp_get_buff_len: xdp.xdpGetBuffLen,
  bpf_xdp_load_bytes: xdp.xdpLoadBytes,
  bpf_xdp_store_bytes: xdp.xdpStoreBytes,
  bpf_fib_lookup: route.skbFibLookup,
  bpf_check_mtu: route.skbCheckMtu,
  bpf_sk_lookup_tcp: socket.skLookupTcp,
  bpf_sk_lookup_udp: socket.skLookupUdp,
  bpf_skc_lookup_tcp: socket.skcLookupTcp,
  bpf_get_socket_cookie: socket.getSocketCookie,
  bpf_get_socket_uid: socket.getSocketUid,
  bpf_get_netns_cookie: socket.getNetnsCookie,
  bpf_sk_release: socket.skRelease,
  bpf_sk_fullsock: socket.skFullsock,
  bpf_tcp_sock: socket.tcpSock,
  bpf_get_listener_sock: socket.getListenerSock,
  bpf_sk_assign: socket.skAssign,
  bpf_sk_cgroup_id: socket.skCgroupId,
  bpf_sk_ancestor_cgroup_id: socket.skAncestorCgroupId,
  bpf_tcp_check_syncookie: socket.tcpCheckSyncookie,
  bpf_tcp_gen_syncookie: socket.tcpGenSyncookie,
  bpf_skc_to_tcp_sock: socket.skcToTcpSock,
  bpf_skc_to_tcp6_sock: socket.skcToTcp6Sock,
  bpf_skc_to_udp6_sock: socket.skcToUdp6Sock,
  bpf_skc_to_tcp_timewait_sock: socket.skcToTcpTimewaitSock,
  bpf_skc_to_tcp_request_sock: socket.skcToTcpRequestSock,
  bpf_skc_to_unix_sock: socket.skcToUnixSock,
  bpf_skc_to_mptcp_sock: socket.skcToMptcpSock,
} as const satisfies Partial<Record<HelperName, HelperImpl>>;

type Overrides = Partial<Record<keyof typeof HELPER_IMPLS, HelperImpl>>;

const XDP_FORMS: Overrides = {
  bpf_redirect: redirect.xdpRedirect,
  bpf_perf_event_output: perf.xdpEventOutput,
  bpf_fib_lookup: route.xdpFibLookup,
  bpf_check_mtu: route.xdpCheckMtu,
};

/** Program types whose context is an sk_buff. */
const SKB_TYPES: readonly ProgTypeName[] = [
  'BPF_PROG_TYPE_SOCKET_FILTER', 'BPF_PROG_TYPE_SCHED_CLS', 'BPF_PROG_TYPE_SCHED_ACT', 'BPF_PROG_TYPE_CGROUP_SKB', 'BPF_PROG_TYPE_LWT_IN',
  'BPF_PROG_TYPE_LWT_OUT', 'BPF_PROG_TYPE_LWT_XMIT', 'BPF_PROG_TYPE_LWT_SEG6LOCAL', 'BPF_PROG_TYPE_SK_SKB',
];

/** Helpers that other types may call with a context of their own, for which nothing stands yet. */
const SKB_FORMS: readonly (keyof typeof HELPER_IMPLS)[] = ['bpf_get_socket_cookie', 'bpf_skb_load_bytes', 'bpf_skb_load_bytes_relative', 'bpf_get_cgroup_classid'];

function formsOf(type: ProgTypeName): Readonly<Record<string, HelperImpl | undefined>> {
  if (SKB_TYPES.includes(type)) return HELPER_IMPLS;
  if (type === 'BPF_PROG_TYPE_XDP') return { ...HELPER_IMPLS, ...XDP_FORMS };
  const noSkb = Object.fromEntries(SKB_FORMS.map((name) => [name, undefined]));
  return { ...HELPER_IMPLS, ...noSkb, bpf_perf_event_output: perf.eventOutput };
}

function pick(forms: Readonly<Record<string, HelperImpl | undefined>>, progType: number, id: number, name: string): HelperImpl | undefined {
  if (name === 'bpf_get_cgroup_classid' && helperGrant(progType, id)?.variant !== undefined) return meta.getCgroupClassidCurr;
  return forms[name];
}

function tableFor(progType: number): ReadonlyMap<number, HelperImpl> {
  const forms = formsOf(defined(PROG_TYPES[progType], `program type ${progType}`).name);
  const rows = HELPERS.map(({ id, name }): [number, HelperImpl | undefined] => [id, pick(forms, progType, id, name)]);
  return new Map(rows.filter((row): row is [number, HelperImpl] => row[1] !== undefined));
}

const TABLES = new Map<number, ReadonlyMap<number, HelperImpl>>();

/** Helpers by number in the form that programs of this type (BPF_PROG_TYPE_*) mean: what ExecEnv.helpers takes. */
export function helpersFor(progType: number): ReadonlyMap<number, HelperImpl> {
  const table = TABLES.get(progType) ?? tableFor(progType);
  TABLES.set(progType, table);
  return table;
}
