// bpf_perf_event_output: an event, and for packet programs as much of the packet as the flags' upper half says, to a perf buffer.
// Invariant: the event is one run of bytes: the program's data, then the packet's. Source: kernel/trace/bpf_trace.c (__bpf_perf_event_output),
// net/core/filter.c (bpf_skb_event_output, bpf_xdp_event_output).

import { E2BIG, EFAULT, EINVAL } from '../spec/errno.ts';
import { BPF_F_CTXLEN_MASK, BPF_F_CURRENT_CPU, BPF_F_INDEX_MASK } from '../spec/helper-flags.ts';
import { CPU } from '../vm/cpu-area.ts';
import type { HelperHost, HelperImpl } from '../vm/host.ts';
import { MAP_HEADER } from '../vm/map-header.ts';
import { helper } from './define.ts';
import { skbAt } from './packet.ts';
import { xdpAt } from './xdp.ts';

/** Where a context's packet lies. */
interface Packet { readonly start: number; readonly length: number }

/** Which element the flags mean. */
function eventIndex({ memory: { view }, cpuArea }: HelperHost, flags: bigint): number {
  const index = flags & BPF_F_INDEX_MASK;
  return index === BPF_F_CURRENT_CPU ? view.getUint32(cpuArea() + CPU.id, true) : Number(index);
}

function output(host: HelperHost, header: number, flags: bigint, parts: readonly Packet[]): number {
  const { view, bytes } = host.memory;
  const index = eventIndex(host, flags);
  if (index >= view.getUint32(header + MAP_HEADER.maxEntries, true)) return -E2BIG;
  const event = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const { start, length } of parts) {
    event.set(bytes.subarray(start, start + length), at);
    at += length;
  }
  return host.perfOutput(host.mapAt(header), index, event);
}

const perfEventOutputOf = (allowed: bigint, packetOf: ((host: HelperHost, ctx: number) => Packet) | undefined): HelperImpl =>
  helper('bpf_perf_event_output', ['ptr', 'ptr', 'u64', 'ptr', 'u32'], 's32', (host, ctx, map, flags, data, size) => {
    if ((flags & ~allowed) !== 0n) return -EINVAL;
    const wanted = Number((flags & BPF_F_CTXLEN_MASK) >> 32n);
    const packet = packetOf?.(host, ctx) ?? { start: 0, length: 0 };
    if (wanted > packet.length) return -EFAULT;
    return output(host, map, flags, [{ start: data, length: size }, { start: packet.start, length: wanted }]);
  });

const PACKET_FLAGS = BPF_F_CTXLEN_MASK | BPF_F_INDEX_MASK;

/** For programs on sk_buffs. */
export const skbEventOutput = perfEventOutputOf(PACKET_FLAGS, (host, ctx) => {
  const skb = skbAt(host, ctx);
  return { start: skb.data, length: skb.length };
});

/** For XDP programs. */
export const xdpEventOutput = perfEventOutputOf(PACKET_FLAGS, (host, ctx) => {
  const xdp = xdpAt(host, ctx);
  return { start: xdp.data, length: xdp.length };
});

/** For programs without a packet. */
export const eventOutput = perfEventOutputOf(BPF_F_INDEX_MASK, undefined);
