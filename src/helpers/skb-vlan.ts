// VLAN tags: one beside the packet (as devices give it), more in it.
// Invariant: the outermost tag is the one beside; pushing moves it into the packet, popping brings the next one out.
// Source: net/core/skbuff.c (skb_vlan_push, skb_vlan_pop), include/linux/if_vlan.h.

import { ETH_HLEN } from '../spec/limits.ts';
import { SK_BUFF } from '../spec/context.ts';
import { EINVAL, ENOMEM } from '../spec/errno.ts';
import type { SkBuff } from '../vm/context.ts';
import { helper } from './define.ts';
import { ensureHeadroom, networkOffset, pullChecksum, pushChecksum, resetMacLength, skbAt } from './packet.ts';

const VLAN_HLEN = 4;
/** Where the tag stands in a frame: behind the two MAC addresses. */
const TAG_OFFSET = 12;
const ETH_P_8021Q = 0x8100;
const ETH_P_8021AD = 0x88a8;
/** Smaller numbers in the type field are lengths (IEEE 802.3). */
const ETH_P_802_3_MIN = 0x0600;
const ETH_P_802_3 = 0x0001;
const ETH_P_802_2 = 0x0004;

const isVlan = (etherType: number): boolean => etherType === ETH_P_8021Q || etherType === ETH_P_8021AD;
const swap16 = (value: number): number => ((value & 0xff) << 8) | ((value >> 8) & 0xff);

interface Tag { readonly protocol: number; readonly tci: number }

/** The tag beside the packet. */
function besideTag(skb: SkBuff): Tag | undefined {
  if (skb.u32(SK_BUFF.vlan_present) === 0) return undefined;
  return { protocol: swap16(skb.u32(SK_BUFF.vlan_proto)), tci: skb.u32(SK_BUFF.vlan_tci) };
}

function setBeside(skb: SkBuff, tag: Tag | undefined): void {
  skb.setU32(SK_BUFF.vlan_present, tag === undefined ? 0 : 1);
  skb.setU32(SK_BUFF.vlan_tci, tag?.tci ?? 0);
  skb.setU32(SK_BUFF.vlan_proto, swap16(tag?.protocol ?? 0));
}

/** Puts a tag into the packet, behind the MAC addresses. 0 or -ENOMEM. */
function insertTag(skb: SkBuff, tag: Tag): number {
  if (ensureHeadroom(skb, VLAN_HLEN) !== 0) return -ENOMEM;
  const { bytes } = skb.memory;
  const data = skb.data - VLAN_HLEN;
  bytes.copyWithin(data, skb.data, skb.data + TAG_OFFSET);
  skb.setData(data, skb.dataEnd);
  skb.setHeader('mac_header', data);
  // Big-endian by hand: the rest of the frame's type field stays behind the tag.
  skb.memory.view.setUint16(data + TAG_OFFSET, tag.protocol, false);
  skb.memory.view.setUint16(data + TAG_OFFSET + 2, tag.tci, false);
  skb.etherType = tag.protocol;
  pushChecksum(skb, data + TAG_OFFSET, VLAN_HLEN);
  const network = skb.header('network_header');
  if (network !== undefined) skb.setHeader('network_header', network - VLAN_HLEN);
  return 0;
}

/** The type of what follows a tag whose encapsulated type field is at `at`. */
function innerType(skb: SkBuff, at: number): number {
  const type = skb.memory.view.getUint16(at, false);
  if (type >= ETH_P_802_3_MIN) return type;
  return skb.memory.view.getUint16(at + 2, false) === 0xffff ? ETH_P_802_3 : ETH_P_802_2;
}

/** Takes the tag out of the packet: its TCI, or a negative errno. */
function removeTag(skb: SkBuff): number {
  const { data } = skb;
  if (skb.header('mac_header') !== data) return -EINVAL;
  if (skb.length < ETH_HLEN + VLAN_HLEN) return -ENOMEM;
  pullChecksum(skb, data + TAG_OFFSET, VLAN_HLEN);
  const tci = skb.memory.view.getUint16(data + TAG_OFFSET + 2, false);
  const inner = innerType(skb, data + TAG_OFFSET + VLAN_HLEN);
  skb.memory.bytes.copyWithin(data + VLAN_HLEN, data, data + TAG_OFFSET);
  skb.setData(data + VLAN_HLEN, skb.dataEnd);
  skb.setHeader('mac_header', skb.data);
  skb.etherType = inner;
  if (networkOffset(skb) < ETH_HLEN) skb.setHeader('network_header', skb.data + ETH_HLEN);
  resetMacLength(skb);
  return tci;
}

/** `protocol` in network order, as programs give it; anything but the two VLAN types stands for 802.1Q. */
export const skbVlanPush = helper('bpf_skb_vlan_push', ['ptr', 'u32', 'u32'], 's32', (host, ctx, protocol, tci) => {
  const skb = skbAt(host, ctx);
  const beside = besideTag(skb);
  if (beside !== undefined) {
    if (skb.header('mac_header') !== skb.data) return -EINVAL;
    if (insertTag(skb, beside) !== 0) return -ENOMEM;
  }
  const asked = swap16(protocol & 0xffff);
  setBeside(skb, { protocol: isVlan(asked) ? asked : ETH_P_8021Q, tci: tci & 0xffff });
  return 0;
});

export const skbVlanPop = helper('bpf_skb_vlan_pop', ['ptr'], 's32', (host, ctx) => {
  const skb = skbAt(host, ctx);
  if (besideTag(skb) !== undefined) {
    setBeside(skb, undefined);
  } else {
    if (!isVlan(skb.etherType)) return 0;
    const removed = removeTag(skb);
    if (removed < 0) return removed;
  }
  if (!isVlan(skb.etherType)) return 0;
  const protocol = skb.etherType;
  const tci = removeTag(skb);
  if (tci < 0) return tci;
  setBeside(skb, { protocol, tci });
  return 0;
});
