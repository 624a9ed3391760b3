// bpf_fib_lookup on the simulated routing table: reads and writes struct bpf_fib_lookup in place.
// Source: net/core/filter.c bpf_ipv4_fib_lookup, bpf_ipv6_fib_lookup, bpf_fib_set_fwd_params, Linux 6.18.

import { EAFNOSUPPORT, EINVAL, ENODEV } from '../spec/errno.ts';
import type { KernelMemory } from '../vm/memory.ts';
import type { SimNet } from './net.ts';

/** Byte offsets within struct bpf_fib_lookup. */
const FIB = { family: 0, totLen: 6, ifindex: 8, metric: 12, src: 16, dst: 32, vlan: 48, smac: 52, dmac: 58, sizeBytes: 64 } as const;
const KNOWN_FLAGS = 0x3f;
const AF_INET = 2;
const AF_INET6 = 10;
const RET_SUCCESS = 0;
const RET_NOT_FWDED = 4;
const RET_FWD_DISABLED = 5;
const RET_NO_NEIGH = 7;
const RET_FRAG_NEEDED = 8;

/** Returns BPF_FIB_LKUP_RET_* or negative errno. */
export function fibLookup(memory: KernelMemory, net: SimNet, params: number, plen: number, flags: number): number {
  if (plen < FIB.sizeBytes || (flags & ~KNOWN_FLAGS) !== 0) return -EINVAL;
  const { view, bytes } = memory;
  const family = view.getUint8(params + FIB.family);
  if (family !== AF_INET && family !== AF_INET6) return -EAFNOSUPPORT;
  const incoming = net.device(view.getUint32(params + FIB.ifindex, true));
  if (incoming === undefined) return -ENODEV;
  if (incoming.forwarding !== true) return RET_FWD_DISABLED;
  const length = family === AF_INET ? 4 : 16;
  const route = net.route(bytes.slice(params + FIB.dst, params + FIB.dst + length));
  const device = route === undefined ? undefined : net.device(route.ifindex);
  if (route === undefined || device === undefined) return RET_NOT_FWDED;
  view.setUint32(params + FIB.ifindex, device.ifindex, true);
  view.setUint32(params + FIB.metric, 0, true);
  if (route.gateway !== undefined) bytes.set(route.gateway, params + FIB.dst);
  if (view.getUint16(params + FIB.totLen, true) > device.mtu) {
    view.setUint16(params + FIB.totLen, device.mtu, true);
    return RET_FRAG_NEEDED;
  }
  if (route.neighbour === undefined) return RET_NO_NEIGH;
  bytes.set(device.mac, params + FIB.smac);
  bytes.set(route.neighbour, params + FIB.dmac);
  view.setUint32(params + FIB.vlan, 0, true);
  return RET_SUCCESS;
}
