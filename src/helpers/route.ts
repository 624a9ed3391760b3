// Helpers that ask the network below: bpf_fib_lookup and bpf_check_mtu.
// Invariant: arguments are checked here in the kernel's order; devices and routes are the host's (HelperHost.net). A host without a network
// has no devices but the packet's own, so every look-up of another ends with -ENODEV, as in the kernel.
// Source: net/core/filter.c, Linux 6.18; uapi struct bpf_fib_lookup.

import { ETH_HLEN } from '../spec/limits.ts';
import { EAFNOSUPPORT, EINVAL, ENODEV } from '../spec/errno.ts';
import {
  BPF_FIB_LKUP_RET_FRAG_NEEDED, BPF_FIB_LKUP_RET_SUCCESS, BPF_FIB_LOOKUP_DIRECT, BPF_FIB_LOOKUP_MARK, BPF_FIB_LOOKUP_OUTPUT,
  BPF_FIB_LOOKUP_SKIP_NEIGH, BPF_FIB_LOOKUP_SRC, BPF_FIB_LOOKUP_TBID, BPF_MTU_CHK_RET_FRAG_NEEDED, BPF_MTU_CHK_RET_SEGS_TOOBIG,
  BPF_MTU_CHK_RET_SUCCESS, BPF_MTU_CHK_SEGS,
} from '../spec/helper-flags.ts';
import { SK_BUFF } from '../spec/context.ts';
import type { SkBuff } from '../vm/context.ts';
import type { HelperHost } from '../vm/host.ts';
import { helper } from './define.ts';
import { isGso, skbAt } from './packet.ts';
import { xdpAt } from './xdp.ts';

/** struct bpf_fib_lookup. */
const FIB = { family: 0, tot_len: 6, mtu_result: 6, ifindex: 8, sizeBytes: 64 } as const;
const FIB_FLAGS = BPF_FIB_LOOKUP_DIRECT | BPF_FIB_LOOKUP_OUTPUT | BPF_FIB_LOOKUP_SKIP_NEIGH | BPF_FIB_LOOKUP_TBID | BPF_FIB_LOOKUP_SRC | BPF_FIB_LOOKUP_MARK;
const AF_INET = 2;
const AF_INET6 = 10;
const VLAN_HLEN = 4;

function lookup(host: HelperHost, params: number, length: number, flags: number): number {
  if (length < FIB.sizeBytes || (flags & ~FIB_FLAGS) !== 0) return -EINVAL;
  const family = host.memory.view.getUint8(params + FIB.family);
  if (family !== AF_INET && family !== AF_INET6) return -EAFNOSUPPORT;
  return host.net?.fibLookup(params, length, flags) ?? -ENODEV;
}

export const xdpFibLookup = helper('bpf_fib_lookup', ['ptr', 'ptr', 's32', 'u32'], 's32', (host, _ctx, params, length, flags) =>
  lookup(host, params, length, flags));

/** Where the program gave no length, the packet's own is held against the MTU of the device that was found. */
export const skbFibLookup = helper('bpf_fib_lookup', ['ptr', 'ptr', 's32', 'u32'], 's32', (host, ctx, params, length, flags) => {
  const { view } = host.memory;
  const lengthGiven = length >= FIB.sizeBytes && view.getUint16(params + FIB.tot_len, true) !== 0;
  const result = lookup(host, params, length, flags);
  if (result !== BPF_FIB_LKUP_RET_SUCCESS || lengthGiven) return result;
  const mtu = host.net?.mtu(view.getUint32(params + FIB.ifindex, true)) ?? 0;
  view.setUint16(params + FIB.mtu_result, mtu, true);
  const skb = skbAt(host, ctx);
  return skb.length <= mtu + ETH_HLEN + VLAN_HLEN || isGso(skb) ? result : BPF_FIB_LKUP_RET_FRAG_NEEDED;
});

/** The MTU of a device, 0 meaning the packet's own; undefined when there is no such device. */
const mtuOf = (host: HelperHost, ifindex: number, own: number): number | undefined => host.net?.mtu(ifindex === 0 ? own : ifindex);

/** What a packet's length is held against, and where the MTU is written back. */
interface MtuCheck { readonly mtu: number; readonly packetLength: number; readonly mtuCell: number; readonly difference: number }

/** Whether the packet, changed by the difference, still fits: the link-layer header comes on top of the MTU. */
function fits({ memory: { view } }: HelperHost, { mtu, packetLength, mtuCell, difference }: MtuCheck): boolean {
  const asked = view.getUint32(mtuCell, true);
  const length = ((asked === 0 ? packetLength : asked + ETH_HLEN) + difference) | 0;
  return length <= mtu + ETH_HLEN;
}

/** Writes the MTU back and gives the result; errors leave the cell as it was. */
function finish({ memory: { view } }: HelperHost, mtuCell: number, mtu: number, result: number): number {
  view.setUint32(mtuCell, mtu, true);
  return result;
}

export const xdpCheckMtu = helper('bpf_check_mtu', ['ptr', 'u32', 'ptr', 's32', 'u64'], 's32', (host, ctx, ifindex, mtuCell, difference, flags) => {
  if (flags !== 0n) return -EINVAL;
  const xdp = xdpAt(host, ctx);
  const mtu = mtuOf(host, ifindex, xdp.ingressIfindex);
  if (mtu === undefined) return -ENODEV;
  const fit = fits(host, { mtu, packetLength: xdp.length, mtuCell, difference });
  return finish(host, mtuCell, mtu, fit ? BPF_MTU_CHK_RET_SUCCESS : BPF_MTU_CHK_RET_FRAG_NEEDED);
});

/** A packet too long as a whole may still pass in segments. */
function checkSegments(skb: SkBuff, mtu: number, segments: boolean): number {
  if (!isGso(skb)) return BPF_MTU_CHK_RET_FRAG_NEEDED;
  if (!segments) return BPF_MTU_CHK_RET_SUCCESS;
  const transport = skb.header('transport_header');
  const network = skb.header('network_header');
  if (transport === undefined || network === undefined) return -EINVAL;
  const tcpHeader = 4 * (skb.memory.view.getUint8(transport + 12) >> 4);
  return transport - network + tcpHeader + skb.u32(SK_BUFF.gso_size) <= mtu ? BPF_MTU_CHK_RET_SUCCESS : BPF_MTU_CHK_RET_SEGS_TOOBIG;
}

export const skbCheckMtu = helper('bpf_check_mtu', ['ptr', 'u32', 'ptr', 's32', 'u64'], 's32', (host, ctx, ifindex, mtuCell, difference, flags) => {
  const segments = flags === BigInt(BPF_MTU_CHK_SEGS);
  const skb = skbAt(host, ctx);
  if (flags !== 0n && !segments) return -EINVAL;
  if (segments && (difference !== 0 || host.memory.view.getUint32(mtuCell, true) !== 0)) return -EINVAL;
  const mtu = mtuOf(host, ifindex, skb.ifindex);
  if (mtu === undefined) return -ENODEV;
  if (fits(host, { mtu, packetLength: skb.length, mtuCell, difference })) return finish(host, mtuCell, mtu, BPF_MTU_CHK_RET_SUCCESS);
  const result = checkSegments(skb, mtu, segments);
  return result < 0 ? result : finish(host, mtuCell, mtu, result);
});
