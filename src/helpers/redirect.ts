// Redirects: the helpers only note a decision in the CPU's cells and return the verdict that makes the hook act on it.
// Invariant: cells hold the last decision of the run; redirectMapId 0 means "to the device redirectIndex".
// Source: net/core/filter.c (bpf_redirect and its kin), include/linux/filter.h (__bpf_xdp_redirect_map), Linux 6.18.

import { EINVAL } from '../spec/errno.ts';
import {
  BPF_F_BROADCAST, BPF_F_EXCLUDE_INGRESS, BPF_F_INGRESS, BPF_F_NEIGH, BPF_F_NEXTHOP, BPF_F_PEER, BPF_F_REDIRECT_INTERNAL,
} from '../spec/helper-flags.ts';
import { BPF_MAP_TYPE_DEVMAP, BPF_MAP_TYPE_DEVMAP_HASH } from '../spec/map-types.ts';
import { TC_ACT_REDIRECT, TC_ACT_SHOT, XDP_ABORTED, XDP_REDIRECT } from '../spec/packet-verdicts.ts';
import { defined } from '../util/assert.ts';
import { NotSupportedError } from '../util/errors.ts';
import { CPU } from '../vm/cpu-area.ts';
import type { HelperHost } from '../vm/host.ts';
import { helper } from './define.ts';

/** XDP_ABORTED | XDP_DROP | XDP_PASS | XDP_TX: the verdicts that bpf_redirect_map's flags can ask for when the look-up fails. */
const FALLBACK_VERDICTS = 3;
/** struct bpf_redir_neigh. */
const REDIR_NEIGH_BYTES = 20;

interface Decision { readonly mapId: number; readonly index: number; readonly flags: number; readonly value: number }

function decide({ memory: { view }, cpuArea }: HelperHost, { mapId, index, flags, value }: Decision): void {
  const area = cpuArea();
  view.setUint32(area + CPU.redirectMapId, mapId, true);
  view.setUint32(area + CPU.redirectIndex, index, true);
  view.setBigUint64(area + CPU.redirectFlags, BigInt(flags), true);
  view.setUint32(area + CPU.redirectValue, value, true);
}

const toDevice = (host: HelperHost, ifindex: number, flags: number): void => decide(host, { mapId: 0, index: ifindex, flags, value: 0 });

/** bpf_redirect of XDP programs: no flags. */
export const xdpRedirect = helper('bpf_redirect', ['u32', 'u64'], 'u32', (host, ifindex, flags) => {
  if (flags !== 0n) return XDP_ABORTED;
  toDevice(host, ifindex, 0);
  return XDP_REDIRECT;
});

/** Flags of bpf_redirect and bpf_clone_redirect that mean anything, BPF_F_INGRESS alone. */
const onlyIngress = (flags: bigint): boolean => (flags & (~BigInt(BPF_F_INGRESS) | BigInt(BPF_F_REDIRECT_INTERNAL))) === 0n;

/** bpf_redirect of TC programs. */
export const tcRedirect = helper('bpf_redirect', ['u32', 'u64'], 'u32', (host, ifindex, flags) => {
  if (!onlyIngress(flags)) return TC_ACT_SHOT;
  toDevice(host, ifindex, Number(flags));
  return TC_ACT_REDIRECT;
});

export const redirectPeer = helper('bpf_redirect_peer', ['u32', 'u64'], 'u32', (host, ifindex, flags) => {
  if (flags !== 0n) return TC_ACT_SHOT;
  toDevice(host, ifindex, BPF_F_PEER);
  return TC_ACT_REDIRECT;
});

export const redirectNeigh = helper('bpf_redirect_neigh', ['u32', 'ptr', 'u32', 'u64'], 'u32', (host, ifindex, params, length, flags) => {
  if ((length !== 0 && length < REDIR_NEIGH_BYTES) || flags !== 0n) return TC_ACT_SHOT;
  toDevice(host, ifindex, BPF_F_NEIGH | (length === 0 ? 0 : BPF_F_NEXTHOP));
  if (length !== 0) host.memory.bytes.copyWithin(host.cpuArea() + CPU.redirectNexthop, params, params + REDIR_NEIGH_BYTES);
  return TC_ACT_REDIRECT;
});

const isDevMap = (mapType: number): boolean => mapType === BPF_MAP_TYPE_DEVMAP || mapType === BPF_MAP_TYPE_DEVMAP_HASH;

export const redirectMap = helper('bpf_redirect_map', ['ptr', 'u32', 'u64'], 'u32', (host, header, key, flags) => {
  const map = host.mapAt(header);
  const known = FALLBACK_VERDICTS | (isDevMap(map.mapType) ? BPF_F_BROADCAST | BPF_F_EXCLUDE_INGRESS : 0);
  if ((flags & ~BigInt(known)) !== 0n) return XDP_ABORTED;
  const value = defined(map.redirectTarget, `redirectTarget of map ${map.id}`)(key);
  const broadcast = (flags & BigInt(BPF_F_BROADCAST)) !== 0n;
  if (value === 0 && !broadcast) {
    toDevice(host, 0, 0);
    return Number(flags) & FALLBACK_VERDICTS;
  }
  decide(host, { mapId: map.id, index: key, flags: broadcast ? Number(flags) : 0, value });
  return XDP_REDIRECT;
});

/** Sends a copy; the packet itself goes on. Without devices there is none to send to. */
export const cloneRedirect = helper('bpf_clone_redirect', ['ptr', 'u32', 'u64'], 's32', (host, ctx, ifindex, flags) => {
  if (!onlyIngress(flags) || host.net === undefined || !host.net.deviceExists(ifindex)) return -EINVAL;
  if (host.net.transmit === undefined) throw new NotSupportedError('bpf_clone_redirect to a device of this kernel');
  return host.net.transmit(ctx, ifindex, Number(flags));
});
