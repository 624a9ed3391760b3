// Helpers on what the kernel keeps beside a packet: its hash, time stamp, ECN mark, class and route.
// Invariant: what belongs to a socket, a cgroup or a tunnel answers as a kernel does whose packet has none.
// Source: net/core/filter.c, include/net/inet_ecn.h, Linux 6.18.

import { ETH_P_IP, ETH_P_IPV6 } from '../spec/link-types.ts';
import { SK_BUFF } from '../spec/context.ts';
import { EINVAL, ENOENT, EOPNOTSUPP } from '../spec/errno.ts';
import { BPF_SKB_CLOCK_REALTIME, BPF_SKB_CLOCK_TAI } from '../spec/helper-flags.ts';
import type { SkBuff } from '../vm/context.ts';
import { csumAdd, csumSub } from './checksum.ts';
import { helper } from './define.ts';
import { flowHash } from './flow-hash.ts';
import { CHECKSUM_COMPLETE, clearHash, skbAt } from './packet.ts';

function storeHash(skb: SkBuff, hash: number): void {
  skb.setU32(SK_BUFF.hash, hash);
  skb.setU8(SK_BUFF.hash_valid, 1);
}

export const getHashRecalc = helper('bpf_get_hash_recalc', ['ptr'], 'u32', (host, ctx) => {
  const skb = skbAt(host, ctx);
  if (skb.u8(SK_BUFF.hash_valid) === 0) storeHash(skb, flowHash(skb));
  return skb.u32(SK_BUFF.hash);
});

export const setHash = helper('bpf_set_hash', ['ptr', 'u32'], 's32', (host, ctx, hash) => {
  storeHash(skbAt(host, ctx), hash);
  return 0;
});

export const setHashInvalid = helper('bpf_set_hash_invalid', ['ptr'], 's32', (host, ctx) => {
  clearHash(skbAt(host, ctx));
  return 0;
});

/** A real-time stamp may be 0 (none), the others may not. */
export const skbSetTstamp = helper('bpf_skb_set_tstamp', ['ptr', 'u64', 'u32'], 's32', (host, ctx, tstamp, type) => {
  const skb = skbAt(host, ctx);
  if (skb.etherType !== ETH_P_IP && skb.etherType !== ETH_P_IPV6) return -EOPNOTSUPP;
  if (type > BPF_SKB_CLOCK_TAI || (type !== BPF_SKB_CLOCK_REALTIME && tstamp === 0n)) return -EINVAL;
  skb.setU64(SK_BUFF.tstamp, tstamp);
  skb.setU8(SK_BUFF.tstamp_type, type);
  return 0;
});

const ECN_MASK = 3;
const IPV4_BYTES = 20;
const IPV6_BYTES = 40;

/** Marks congestion in an IPv4 header and mends its checksum; 1 if the packet now bears the mark. */
function markIpv4({ memory: { view, bytes } }: SkBuff, ip: number): number {
  const ecn = (bytes[ip + 1] as number) & ECN_MASK;
  if (ecn === 0) return 0;
  if (ecn === ECN_MASK) return 1;
  // The word with the TOS byte grows by 3 - ecn, so the checksum's complement does.
  const sum = view.getUint16(ip + 10, false) + 0xffff - (ECN_MASK - ecn);
  view.setUint16(ip + 10, (sum + (sum >= 0xffff ? 1 : 0)) & 0xffff, false);
  bytes[ip + 1] = (bytes[ip + 1] as number) | ECN_MASK;
  return 1;
}

/** In IPv6 the mark is in the second byte's high half: bits 20 and 21 of the first word. */
function markIpv6(skb: SkBuff, ip: number): number {
  const { view } = skb.memory;
  const from = view.getUint32(ip, true);
  if ((view.getUint8(ip + 1) & (ECN_MASK << 4)) === 0) return 0;
  view.setUint8(ip + 1, view.getUint8(ip + 1) | (ECN_MASK << 4));
  if (skb.u8(SK_BUFF.ip_summed) === CHECKSUM_COMPLETE) skb.setU32(SK_BUFF.csum, csumAdd(csumSub(skb.u32(SK_BUFF.csum), from), view.getUint32(ip, true)));
  return 1;
}

export const skbEcnSetCe = helper('bpf_skb_ecn_set_ce', ['ptr'], 's32', (host, ctx) => {
  const skb = skbAt(host, ctx);
  const ip = skb.header('network_header');
  if (ip === undefined) return 0;
  if (skb.etherType === ETH_P_IP) return ip + IPV4_BYTES > skb.dataEnd ? 0 : markIpv4(skb, ip);
  return skb.etherType === ETH_P_IPV6 && ip + IPV6_BYTES <= skb.dataEnd ? markIpv6(skb, ip) : 0;
});

export const getRouteRealm = helper('bpf_get_route_realm', ['ptr'], 'u32', (host, ctx) => skbAt(host, ctx).u32(SK_BUFF.route_realm));

/** Packets come from no task and no socket of a cgroup. */
export const getCgroupClassid = helper('bpf_get_cgroup_classid', ['ptr'], 'u32', (_host, _ctx) => 0);
/** The current task's class, for programs that have no packet. */
export const getCgroupClassidCurr = helper('bpf_get_cgroup_classid', [], 'u32', (_host) => 0);
export const skbCgroupClassid = helper('bpf_skb_cgroup_classid', ['ptr'], 'u32', (_host, _ctx) => 0);
export const skbCgroupId = helper('bpf_skb_cgroup_id', ['ptr'], 'u64', (_host, _ctx) => 0n);
export const skbAncestorCgroupId = helper('bpf_skb_ancestor_cgroup_id', ['ptr', 's32'], 'u64', (_host, _ctx, _level) => 0n);

/** No packet came through a tunnel device: the key is zeroed and the answer is -EINVAL, as for any such packet. */
export const skbGetTunnelKey = helper('bpf_skb_get_tunnel_key', ['ptr', 'ptr', 'u32', 'u64'], 's32', ({ memory }, _ctx, to, size, _flags) => {
  memory.bytes.fill(0, to, to + size);
  return -EINVAL;
});
export const skbGetTunnelOpt = helper('bpf_skb_get_tunnel_opt', ['ptr', 'ptr', 'u32'], 's32', ({ memory }, _ctx, to, size) => {
  memory.bytes.fill(0, to, to + size);
  return -ENOENT;
});
