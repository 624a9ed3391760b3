// Helpers that make packets longer or shorter: at the tail, at the head, and behind the link-layer header (encapsulation, IPv4 to IPv6).
// Invariant: bytes that come in are zero; headers keep pointing to their bytes. Segmentation offload packets without a known kind are refused
// where the kernel refuses all but TCP ones. Source: net/core/filter.c, Linux 6.18.

import { ETH_P_IP, ETH_P_IPV6 } from '../spec/link-types.ts';
import { SK_BUFF } from '../spec/context.ts';
import { EALREADY, EFAULT, EINVAL, ENOMEM, ENOTSUPP } from '../spec/errno.ts';
import {
  BPF_ADJ_ROOM_ENCAP_L2_MASK, BPF_ADJ_ROOM_ENCAP_L2_SHIFT, BPF_ADJ_ROOM_MAC, BPF_ADJ_ROOM_NET, BPF_F_ADJ_ROOM_DECAP_L3_IPV4,
  BPF_F_ADJ_ROOM_DECAP_L3_IPV6, BPF_F_ADJ_ROOM_ENCAP_L2_ETH, BPF_F_ADJ_ROOM_ENCAP_L3_IPV4, BPF_F_ADJ_ROOM_ENCAP_L3_IPV6,
  BPF_F_ADJ_ROOM_ENCAP_L4_GRE, BPF_F_ADJ_ROOM_ENCAP_L4_UDP, BPF_F_ADJ_ROOM_FIXED_GSO, BPF_F_ADJ_ROOM_NO_CSUM_RESET,
} from '../spec/helper-flags.ts';
import { BPF_SKB_MAX_LEN, ETH_HLEN } from '../spec/limits.ts';
import type { SkBuff } from '../vm/context.ts';
import { resetChecked } from './csum.ts';
import { helper } from './define.ts';
import { clearHash, ensureHeadroom, ensureTailroom, isGso, macHeaderLength, networkOffset, pullChecksum, resetMacLength, skbAt } from './packet.ts';

const IPV4_BYTES = 20;
const IPV6_BYTES = 40;
const MAX_ROOM = 0xfff;

/** A packet can't lose its headers: what their places say is the least length. */
function leastLength(skb: SkBuff): number {
  const transport = skb.header('transport_header');
  const beyond = transport === undefined ? 0 : transport - skb.data;
  return beyond > 0 ? beyond : Math.max(networkOffset(skb), 0);
}

function growTail(skb: SkBuff, newLength: number): number {
  const added = newLength - skb.length;
  if (ensureTailroom(skb, added) !== 0) return -ENOMEM;
  const end = skb.dataEnd;
  skb.memory.bytes.fill(0, end, end + added);
  skb.setData(skb.data, end + added);
  return 0;
}

function trimTail(skb: SkBuff, newLength: number): void {
  pullChecksum(skb, skb.data + newLength, skb.length - newLength);
  skb.setData(skb.data, skb.data + newLength);
}

export const skbChangeTail = helper('bpf_skb_change_tail', ['ptr', 'u32', 'u64'], 's32', (host, ctx, newLength, flags) => {
  const skb = skbAt(host, ctx);
  if (flags !== 0n || newLength > BPF_SKB_MAX_LEN || newLength < leastLength(skb)) return -EINVAL;
  if (skb.u8(SK_BUFF.encapsulation) !== 0) return -ENOTSUPP;
  if (newLength > skb.length && growTail(skb, newLength) !== 0) return -ENOMEM;
  if (newLength < skb.length) trimTail(skb, newLength);
  skb.setU32(SK_BUFF.gso_size, 0);
  skb.setU32(SK_BUFF.gso_segs, 0);
  return 0;
});

export const skbChangeHead = helper('bpf_skb_change_head', ['ptr', 'u32', 'u64'], 's32', (host, ctx, room, flags) => {
  const skb = skbAt(host, ctx);
  const newLength = (skb.length + room) >>> 0;
  if (flags !== 0n || (!isGso(skb) && newLength > BPF_SKB_MAX_LEN) || newLength < skb.length) return -EINVAL;
  if (ensureHeadroom(skb, room) !== 0) return -ENOMEM;
  const data = skb.data - room;
  host.memory.bytes.fill(0, data, skb.data);
  skb.setData(data, skb.dataEnd);
  skb.setHeader('mac_header', data);
  resetMacLength(skb);
  return 0;
});

/** Moves link-layer and network header by `delta`, and the transport header if it is where the network header is. */
function moveHeaders(skb: SkBuff, delta: number): void {
  const together = skb.u32(SK_BUFF.transport_header) === skb.u32(SK_BUFF.network_header);
  for (const field of ['mac_header', 'network_header'] as const) skb.setU32(SK_BUFF[field], skb.u32(SK_BUFF[field]) + delta);
  if (together) skb.setU32(SK_BUFF.transport_header, skb.u32(SK_BUFF.network_header));
}

/** Opens a gap of `len` zeros at `off`; what is before it moves forward. There must be headroom. */
function pushGap(skb: SkBuff, off: number, len: number): void {
  const { bytes } = skb.memory;
  const data = skb.data - len;
  bytes.copyWithin(data, skb.data, skb.data + off);
  bytes.fill(0, data + off, data + off + len);
  skb.setData(data, skb.dataEnd);
  moveHeaders(skb, -len);
}

/** Takes `len` bytes at `off` out; what is before them moves back. 0 or -ENOMEM. */
function popGap(skb: SkBuff, off: number, len: number): number {
  if (off + len > skb.length) return -ENOMEM;
  const { data } = skb;
  pullChecksum(skb, data + off, len);
  skb.memory.bytes.copyWithin(data + len, data, data + off);
  skb.setData(data + len, skb.dataEnd);
  moveHeaders(skb, len);
  return 0;
}

function changeProtocol(skb: SkBuff, etherType: number): number {
  const difference = IPV6_BYTES - IPV4_BYTES;
  const off = macHeaderLength(skb);
  if (skb.etherType === ETH_P_IP && etherType === ETH_P_IPV6) {
    if (ensureHeadroom(skb, difference) !== 0) return -ENOMEM;
    pushGap(skb, off, difference);
  } else if (skb.etherType === ETH_P_IPV6 && etherType === ETH_P_IP) {
    if (popGap(skb, off, difference) !== 0) return -ENOMEM;
  } else {
    return -ENOTSUPP;
  }
  skb.etherType = etherType;
  clearHash(skb);
  return 0;
}

/** `proto` is in network order, as programs give it. */
export const skbChangeProto = helper('bpf_skb_change_proto', ['ptr', 'u32', 'u64'], 's32', (host, ctx, proto, flags) =>
  (flags === 0n ? changeProtocol(skbAt(host, ctx), ((proto & 0xff) << 8) | ((proto >> 8) & 0xff)) : -EINVAL));

const PACKET_OTHERHOST = 3;

export const skbChangeType = helper('bpf_skb_change_type', ['ptr', 'u32'], 's32', (host, ctx, type) => {
  const skb = skbAt(host, ctx);
  if (skb.u32(SK_BUFF.pkt_type) > PACKET_OTHERHOST || type > PACKET_OTHERHOST) return -EINVAL;
  skb.setU32(SK_BUFF.pkt_type, type);
  return 0;
});

const ENCAP_L3 = BPF_F_ADJ_ROOM_ENCAP_L3_IPV4 | BPF_F_ADJ_ROOM_ENCAP_L3_IPV6;
const ENCAP_L4 = BPF_F_ADJ_ROOM_ENCAP_L4_GRE | BPF_F_ADJ_ROOM_ENCAP_L4_UDP;
const DECAP_L3 = BPF_F_ADJ_ROOM_DECAP_L3_IPV4 | BPF_F_ADJ_ROOM_DECAP_L3_IPV6;
const SHRINK_FLAGS = BPF_F_ADJ_ROOM_FIXED_GSO | DECAP_L3 | BPF_F_ADJ_ROOM_NO_CSUM_RESET;
const LOW_FLAGS = BPF_F_ADJ_ROOM_FIXED_GSO | ENCAP_L3 | ENCAP_L4 | BPF_F_ADJ_ROOM_ENCAP_L2_ETH | BPF_F_ADJ_ROOM_NO_CSUM_RESET | DECAP_L3;

/** The arguments of bpf_skb_adjust_room, taken apart. */
interface Room {
  /** Bytes to add or take, positive. */
  readonly bytes: number;
  readonly grow: boolean;
  /** Where, from the data. */
  readonly off: number;
  /** The flags' low 32 bits. */
  readonly flags: number;
  /** Length of the inner link-layer header, in the flags' top byte. */
  readonly innerMac: number;
}

const both = (flags: number, pair: number): boolean => (flags & pair) === pair;

/** What is wrong with an encapsulation; 0 when nothing is. */
function checkEncap(skb: SkBuff, { bytes, flags, innerMac }: Room): number {
  if (both(flags, ENCAP_L3) || both(flags, ENCAP_L4)) return -EINVAL;
  if ((flags & BPF_F_ADJ_ROOM_ENCAP_L2_ETH) !== 0 && innerMac < ETH_HLEN) return -EINVAL;
  if (skb.u8(SK_BUFF.encapsulation) !== 0) return -EALREADY;
  return innerMac > bytes ? -EINVAL : 0;
}

/** The headers of a packet that now has an outer header of the kind that the flags name. */
function markEncap(skb: SkBuff, macLength: number, flags: number): void {
  const network = skb.data + macLength;
  const outerV6 = (flags & BPF_F_ADJ_ROOM_ENCAP_L3_IPV6) !== 0;
  skb.setU8(SK_BUFF.encapsulation, 1);
  skb.setHeader('network_header', network);
  if ((flags & ENCAP_L4) !== 0) skb.setHeader('transport_header', network + (outerV6 ? IPV6_BYTES : IPV4_BYTES));
  skb.etherType = outerV6 ? ETH_P_IPV6 : ETH_P_IP;
}

function grow(skb: SkBuff, room: Room): number {
  if (isGso(skb)) return -ENOTSUPP;
  const encap = (room.flags & ENCAP_L3) !== 0;
  if (ensureHeadroom(skb, room.bytes) !== 0) return -ENOMEM;
  const refused = encap ? checkEncap(skb, room) : 0;
  if (refused !== 0) return refused;
  const macLength = macHeaderLength(skb);
  pushGap(skb, room.off, room.bytes);
  if (encap) markEncap(skb, macLength, room.flags);
  return 0;
}

function shrink(skb: SkBuff, { off, bytes, flags, innerMac }: Room): number {
  if ((flags & ~SHRINK_FLAGS) !== 0 || innerMac !== 0) return -EINVAL;
  if (isGso(skb)) return -ENOTSUPP;
  if (popGap(skb, off, bytes) !== 0) return -ENOMEM;
  if ((flags & BPF_F_ADJ_ROOM_DECAP_L3_IPV6) !== 0) skb.etherType = ETH_P_IPV6;
  else if ((flags & BPF_F_ADJ_ROOM_DECAP_L3_IPV4) !== 0) skb.etherType = ETH_P_IP;
  return 0;
}

/** The least that may be left behind the link layer; undefined for flags that contradict each other. */
function leastRest(skb: SkBuff, { grow: growing, flags }: Room): number | undefined {
  const own = skb.etherType === ETH_P_IP ? IPV4_BYTES : IPV6_BYTES;
  const decap = flags & DECAP_L3;
  if (decap === 0) return own;
  if (growing || decap === DECAP_L3) return undefined;
  return decap === BPF_F_ADJ_ROOM_DECAP_L3_IPV4 ? IPV4_BYTES : IPV6_BYTES;
}

function adjust(skb: SkBuff, room: Room): number {
  const least = leastRest(skb, room);
  if (least === undefined) return -EINVAL;
  const rest = skb.length - networkOffset(skb);
  const fits = room.grow ? skb.length + room.bytes <= BPF_SKB_MAX_LEN || isGso(skb) : room.bytes < rest && rest - room.bytes >= least;
  if (!fits) return -ENOTSUPP;
  const result = room.grow ? grow(skb, room) : shrink(skb, room);
  if (result === 0 && (room.flags & BPF_F_ADJ_ROOM_NO_CSUM_RESET) === 0) resetChecked(skb);
  return result;
}

const L2_LENGTH = BigInt(BPF_ADJ_ROOM_ENCAP_L2_MASK) << BigInt(BPF_ADJ_ROOM_ENCAP_L2_SHIFT);

export const skbAdjustRoom = helper('bpf_skb_adjust_room', ['ptr', 's32', 'u32', 'u64'], 's32', (host, ctx, difference, mode, flags) => {
  const skb = skbAt(host, ctx);
  if ((flags & ~(BigInt(LOW_FLAGS) | L2_LENGTH)) !== 0n) return -EINVAL;
  const bytes = Math.abs(difference);
  if (bytes > MAX_ROOM) return -EFAULT;
  if (skb.etherType !== ETH_P_IP && skb.etherType !== ETH_P_IPV6) return -ENOTSUPP;
  if (mode !== BPF_ADJ_ROOM_NET && mode !== BPF_ADJ_ROOM_MAC) return -ENOTSUPP;
  const header = mode === BPF_ADJ_ROOM_MAC ? 0 : skb.etherType === ETH_P_IP ? IPV4_BYTES : IPV6_BYTES;
  return adjust(skb, {
    bytes, grow: difference >= 0, off: macHeaderLength(skb) + header, flags: Number(flags & 0xffff_ffffn),
    innerMac: Number(flags >> BigInt(BPF_ADJ_ROOM_ENCAP_L2_SHIFT)),
  });
});
