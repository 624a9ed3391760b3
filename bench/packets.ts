// The packets that programs are measured on: IPv4 UDP frames of one flow, no two alike.
// Invariant: the same number gives the same packet everywhere; both checksums are right (RFC 1071).

import { viewOf } from '../src/util/bytes.ts';

const ETH_HLEN = 14;
const IP_HLEN = 20;
const UDP_HLEN = 8;
const HEADERS = ETH_HLEN + IP_HLEN + UDP_HLEN;

/** Addresses and ports of every packet, in host order. */
export const FLOW = { saddr: 0x0a00_0001, daddr: 0xc633_6401, sport: 40_000, dport: 443 } as const;

/** A small reproducible generator of 32-bit numbers (mulberry32). */
export function generator(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b_79f5) >>> 0;
    let x = Math.imul(state ^ (state >>> 15), state | 1);
    x ^= x + Math.imul(x ^ (x >>> 7), x | 61);
    return (x ^ (x >>> 14)) >>> 0;
  };
}

function onesSum(bytes: Uint8Array, from: number, to: number, start: number): number {
  let total = start;
  for (let i = from; i < to; i += 2) total += ((bytes[i] as number) << 8) | (i + 1 < to ? (bytes[i + 1] as number) : 0);
  while (total > 0xffff) total = (total & 0xffff) + (total >>> 16);
  return total;
}

function packet(number: number, sizeBytes: number): Uint8Array {
  const bytes = new Uint8Array(sizeBytes);
  const view = viewOf(bytes);
  const random = generator(number + 1);
  for (let at = HEADERS; at < sizeBytes; at++) bytes[at] = random();
  bytes.set([2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0, 0x45, 0], 0);
  view.setUint16(ETH_HLEN + 2, sizeBytes - ETH_HLEN);
  view.setUint16(ETH_HLEN + 4, number & 0xffff);
  view.setUint16(ETH_HLEN + 8, (64 << 8) | 17);
  view.setUint32(ETH_HLEN + 12, FLOW.saddr);
  view.setUint32(ETH_HLEN + 16, FLOW.daddr);
  const udp = ETH_HLEN + IP_HLEN;
  view.setUint16(udp, FLOW.sport);
  view.setUint16(udp + 2, FLOW.dport);
  view.setUint16(udp + 4, sizeBytes - udp);
  view.setUint16(ETH_HLEN + 10, ~onesSum(bytes, ETH_HLEN, udp, 0) & 0xffff);
  const pseudo = onesSum(bytes, ETH_HLEN + 12, ETH_HLEN + 20, 17 + sizeBytes - udp);
  view.setUint16(udp + 6, ~onesSum(bytes, udp, sizeBytes, pseudo) & 0xffff || 0xffff);
  return bytes;
}

/** `count` different frames of `sizeBytes` (46 … 1514) each. */
export const packets = (count: number, sizeBytes: number): Uint8Array[] => Array.from({ length: count }, (_, number) => packet(number, sizeBytes));
