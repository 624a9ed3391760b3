// What all helpers on packets (SK_BUFF) share: room before and after the data, bytes in and out, and the upkeep of a complete checksum.
// Invariant: bytes outside [data, data + len) are never read; where the kernel would allocate a bigger buffer, the packet moves within the one
// that it has, and only when the buffer as a whole is too small is it -ENOMEM.
// Source: net/core/skbuff.c (skb_cow, pskb_expand_head, skb_postpull_rcsum), include/linux/skbuff.h.

import { SK_BUFF } from '../spec/context.ts';
import { ENOMEM } from '../spec/errno.ts';
import { SkBuff } from '../vm/context.ts';
import type { HelperHost } from '../vm/host.ts';
import { csumAdd, csumPartial, csumSub } from './checksum.ts';

/** SK_BUFF.ip_summed */
export const CHECKSUM_NONE = 0;
export const CHECKSUM_UNNECESSARY = 1;
export const CHECKSUM_COMPLETE = 2;
export const CHECKSUM_PARTIAL = 3;

/** The packet of a context. */
export const skbAt = (host: HelperHost, ctx: number): SkBuff => new SkBuff(host.memory, ctx);

/** Moves the whole packet within its buffer by `delta` bytes (signed), headers with it. */
function shiftPacket(skb: SkBuff, delta: number): void {
  const { data, dataEnd } = skb;
  skb.memory.bytes.copyWithin(data + delta, data, dataEnd);
  for (const field of ['mac_header', 'network_header', 'transport_header'] as const) {
    const at = skb.header(field);
    if (at !== undefined) skb.setHeader(field, at + delta);
  }
  skb.setData(data + delta, dataEnd + delta);
}

/** Makes sure of `bytes` free bytes before the data. 0, or -ENOMEM. */
export function ensureHeadroom(skb: SkBuff, bytes: number): number {
  const missing = bytes - (skb.data - skb.head);
  if (missing <= 0) return 0;
  if (skb.end - skb.dataEnd < missing) return -ENOMEM;
  shiftPacket(skb, missing);
  return 0;
}

/** Makes sure of `bytes` free bytes behind the data. 0, or -ENOMEM. */
export function ensureTailroom(skb: SkBuff, bytes: number): number {
  const missing = bytes - (skb.end - skb.dataEnd);
  if (missing <= 0) return 0;
  if (skb.data - skb.head < missing) return -ENOMEM;
  shiftPacket(skb, -missing);
  return 0;
}

/** A segmentation offload packet: several on the wire. */
export const isGso = (skb: SkBuff): boolean => skb.u32(SK_BUFF.gso_size) !== 0;

/** Takes `length` bytes at `start` out of a complete checksum, before they change or go. */
export function pullChecksum(skb: SkBuff, start: number, length: number): void {
  if (skb.u8(SK_BUFF.ip_summed) !== CHECKSUM_COMPLETE) return;
  skb.setU32(SK_BUFF.csum, csumSub(skb.u32(SK_BUFF.csum), shifted(skb, start, length)));
}

/** Puts `length` bytes at `start` into a complete checksum, after they changed or came. */
export function pushChecksum(skb: SkBuff, start: number, length: number): void {
  if (skb.u8(SK_BUFF.ip_summed) !== CHECKSUM_COMPLETE) return;
  skb.setU32(SK_BUFF.csum, csumAdd(skb.u32(SK_BUFF.csum), shifted(skb, start, length)));
}

/** The sum of bytes, turned by eight bits where they start at an odd place of the packet. */
function shifted(skb: SkBuff, start: number, length: number): number {
  const sum = csumPartial(skb.memory, start, length, 0);
  return (start - skb.data) % 2 === 0 ? sum : ((sum >>> 8) | (sum << 24)) >>> 0;
}

/** The stored hash no longer holds. */
export function clearHash(skb: SkBuff): void {
  skb.setU32(SK_BUFF.hash, 0);
  skb.setU8(SK_BUFF.hash_valid, 0);
}

/** Offset of the network header from the data, signed. */
export const networkOffset = (skb: SkBuff): number => (skb.header('network_header') ?? skb.data) - skb.data;

/** Length of the link-layer header, from the two headers' places. */
export const macHeaderLength = (skb: SkBuff): number => skb.u32(SK_BUFF.network_header) - skb.u32(SK_BUFF.mac_header);

/** Gives the network header a place, and the mac length with it. */
export function resetMacLength(skb: SkBuff): void {
  skb.setU32(SK_BUFF.mac_len, macHeaderLength(skb));
}
