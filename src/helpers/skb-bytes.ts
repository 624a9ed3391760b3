// Helpers that read and write a packet's bytes, and checksums in it.
// Invariant: a failed load zeroes its destination. Source: net/core/filter.c, Linux 6.18.

import { SK_BUFF } from '../spec/context.ts';
import { EFAULT, EINVAL, ENOMEM } from '../spec/errno.ts';
import {
  BPF_F_HDR_FIELD_MASK, BPF_F_INVALIDATE_HASH, BPF_F_IPV6, BPF_F_MARK_ENFORCE, BPF_F_MARK_MANGLED_0, BPF_F_PSEUDO_HDR, BPF_F_RECOMPUTE_CSUM,
  BPF_HDR_START_MAC, BPF_HDR_START_NET,
} from '../spec/helper-flags.ts';
import { S32_MAX } from '../util/u64.ts';
import type { SkBuff } from '../vm/context.ts';
import type { HelperHost } from '../vm/host.ts';
import { csumAdd, csumFold, csumSub, not32, replace2, replace4, replaceByDiff } from './checksum.ts';
import { helper } from './define.ts';
import { CHECKSUM_COMPLETE, CHECKSUM_PARTIAL, clearHash, pullChecksum, pushChecksum, skbAt } from './packet.ts';

const CSUM_MANGLED_0 = 0xffff;
const MAX_HEADER_OFFSET = 0xffff;

const low = (value: bigint): number => Number(value & 0xffff_ffffn);

export const skbStoreBytes = helper('bpf_skb_store_bytes', ['ptr', 'u32', 'ptr', 'u32', 'u64'], 's32', (host, ctx, offset, from, len, flags) => {
  const skb = skbAt(host, ctx);
  if ((flags & ~BigInt(BPF_F_RECOMPUTE_CSUM | BPF_F_INVALIDATE_HASH)) !== 0n) return -EINVAL;
  if (offset > S32_MAX || offset + len > skb.length) return -EFAULT;
  const at = skb.data + offset;
  const recompute = (flags & BigInt(BPF_F_RECOMPUTE_CSUM)) !== 0n;
  if (recompute) pullChecksum(skb, at, len);
  host.memory.bytes.copyWithin(at, from, from + len);
  if (recompute) pushChecksum(skb, at, len);
  if ((flags & BigInt(BPF_F_INVALIDATE_HASH)) !== 0n) clearHash(skb);
  return 0;
});

/** Copies packet bytes out, or zeroes the destination where they aren't all there. */
function copyOut({ memory }: HelperHost, from: number | undefined, end: number, to: number, len: number): number {
  if (from === undefined || from + len > end) {
    memory.bytes.fill(0, to, to + len);
    return -EFAULT;
  }
  memory.bytes.copyWithin(to, from, from + len);
  return 0;
}

export const skbLoadBytes = helper('bpf_skb_load_bytes', ['ptr', 'u32', 'ptr', 'u32'], 's32', (host, ctx, offset, to, len) => {
  const skb = skbAt(host, ctx);
  return copyOut(host, offset > S32_MAX ? undefined : skb.data + offset, skb.dataEnd, to, len);
});

function headerStart(skb: SkBuff, startHeader: number): number | undefined {
  if (startHeader === BPF_HDR_START_MAC) return skb.header('mac_header');
  return startHeader === BPF_HDR_START_NET ? skb.header('network_header') : undefined;
}

export const skbLoadBytesRelative = helper('bpf_skb_load_bytes_relative', ['ptr', 'u32', 'ptr', 'u32', 'u32'], 's32',
  (host, ctx, offset, to, len, startHeader) => {
    const skb = skbAt(host, ctx);
    const start = offset > MAX_HEADER_OFFSET ? undefined : headerStart(skb, startHeader);
    return copyOut(host, start === undefined ? undefined : start + offset, skb.dataEnd, to, len);
  });

/** All bytes are in one piece and writable already; only their number can be too big. */
export const skbPullData = helper('bpf_skb_pull_data', ['ptr', 'u32'], 's32', (host, ctx, len) =>
  (len > skbAt(host, ctx).length ? -ENOMEM : 0));

/** Reads and writes the checksum word at `offset`, or says why not. */
function changeChecksum(host: HelperHost, skb: SkBuff, offset: number, change: (check: number) => number): number {
  if (offset > MAX_HEADER_OFFSET || offset % 2 !== 0 || offset + 2 > skb.length) return -EFAULT;
  const { view } = host.memory;
  const result = change(view.getUint16(skb.data + offset, true));
  if (result < 0) return result;
  view.setUint16(skb.data + offset, result, true);
  return 0;
}

export const l3CsumReplace = helper('bpf_l3_csum_replace', ['ptr', 'u32', 'u64', 'u64', 'u64'], 's32', (host, ctx, offset, from, to, flags) => {
  if ((flags & ~BigInt(BPF_F_HDR_FIELD_MASK)) !== 0n) return -EINVAL;
  return changeChecksum(host, skbAt(host, ctx), offset, (check) => {
    if (flags === 0n) return from === 0n ? replaceByDiff(check, low(to)) : -EINVAL;
    if (flags === 2n) return replace2(check, low(from) & 0xffff, low(to) & 0xffff);
    return flags === 4n ? replace4(check, low(from), low(to)) : -EINVAL;
  });
});

interface L4Change {
  readonly from: number;
  readonly to: number;
  /** The flags' field size: 0 (`to` is a difference), 2 or 4 bytes. */
  readonly size: number;
  readonly pseudo: boolean;
  readonly ipv6: boolean;
}

/** The checksum where the device will finish it: what stands there is the pseudo header's sum, not complemented. */
function partialChecksum(check: number, { from, to, size, pseudo }: L4Change): number {
  if (!pseudo) return check;
  const sum = size === 0 ? csumAdd(to, check) : csumAdd(csumSub(check, from), to);
  return ~csumFold(sum) & 0xffff;
}

/** A pseudo header's change shows in the sum over the packet, where the device gave one. */
function changeCompleteSum(skb: SkBuff, { from, to, size, ipv6 }: L4Change): void {
  const sum = skb.u32(SK_BUFF.csum);
  if (size !== 0) skb.setU32(SK_BUFF.csum, not32(csumAdd(csumSub(not32(sum), from), to)));
  else if (!ipv6) skb.setU32(SK_BUFF.csum, not32(csumSub(to, sum)));
}

function l4Checksum(skb: SkBuff, check: number, change: L4Change): number {
  const summed = skb.u8(SK_BUFF.ip_summed);
  if (summed === CHECKSUM_PARTIAL) return partialChecksum(check, change);
  if (summed === CHECKSUM_COMPLETE && change.pseudo) changeCompleteSum(skb, change);
  return change.size === 0 ? replaceByDiff(check, change.to) : replace4(check, change.from, change.to);
}

const L4_FLAGS = BPF_F_MARK_MANGLED_0 | BPF_F_MARK_ENFORCE | BPF_F_PSEUDO_HDR | BPF_F_HDR_FIELD_MASK | BPF_F_IPV6;

function l4Change(from: bigint, to: bigint, flags: number): L4Change | undefined {
  const size = flags & BPF_F_HDR_FIELD_MASK;
  if ((size !== 0 && size !== 2 && size !== 4) || (size === 0 && from !== 0n)) return undefined;
  const mask = size === 2 ? 0xffff : 0xffff_ffff;
  const field = (value: bigint): number => (low(value) & mask) >>> 0;
  return { from: field(from), to: field(to), size, pseudo: (flags & BPF_F_PSEUDO_HDR) !== 0, ipv6: (flags & BPF_F_IPV6) !== 0 };
}

export const l4CsumReplace = helper('bpf_l4_csum_replace', ['ptr', 'u32', 'u64', 'u64', 'u64'], 's32', (host, ctx, offset, from, to, flags) => {
  if ((flags & ~BigInt(L4_FLAGS)) !== 0n) return -EINVAL;
  const bits = Number(flags);
  const mangledZero = (bits & BPF_F_MARK_MANGLED_0) !== 0;
  const skb = skbAt(host, ctx);
  return changeChecksum(host, skb, offset, (check) => {
    if (mangledZero && (bits & BPF_F_MARK_ENFORCE) === 0 && check === 0) return 0;
    const change = l4Change(from, to, bits);
    if (change === undefined) return -EINVAL;
    const changed = l4Checksum(skb, check, change);
    return mangledZero && changed === 0 ? CSUM_MANGLED_0 : changed;
  });
});
