// The hash that a packet gets when nobody gave it one: of addresses, ports and protocol, the same in both directions of a flow.
// Invariant: never 0. The kernel mixes with a secret made at boot; here the mix is fixed so that runs repeat (invariant I10).
// Source: net/core/flow_dissector.c (what goes in; the ends in order).

import { ETH_P_IP, ETH_P_IPV6 } from '../spec/link-types.ts';
import type { SkBuff } from '../vm/context.ts';

const IPPROTO_TCP = 6;
const IPPROTO_UDP = 17;
const IPPROTO_SCTP = 132;
const FRAGMENT_OFFSET = 0x1fff;

/** Where the parts of a flow's name lie in memory. */
interface FlowPlaces { readonly source: number; readonly destination: number; readonly addressBytes: number; readonly protocol: number; readonly ports: number | undefined }

function ipv4Places({ memory: { view } }: SkBuff, ip: number): FlowPlaces {
  const fragment = (view.getUint16(ip + 6, false) & FRAGMENT_OFFSET) !== 0;
  const ports = fragment ? undefined : ip + 4 * (view.getUint8(ip) & 0x0f);
  return { source: ip + 12, destination: ip + 16, addressBytes: 4, protocol: view.getUint8(ip + 9), ports };
}

const ipv6Places = ({ memory: { view } }: SkBuff, ip: number): FlowPlaces =>
  ({ source: ip + 8, destination: ip + 24, addressBytes: 16, protocol: view.getUint8(ip + 6), ports: ip + 40 });

function placesOf(skb: SkBuff): FlowPlaces | undefined {
  const ip = skb.header('network_header');
  if (ip === undefined) return undefined;
  if (skb.etherType === ETH_P_IP && ip + 20 <= skb.dataEnd) return ipv4Places(skb, ip);
  return skb.etherType === ETH_P_IPV6 && ip + 40 <= skb.dataEnd ? ipv6Places(skb, ip) : undefined;
}

/** One end of a flow as text, so that ends have an order. */
function endOf({ memory: { bytes } }: SkBuff, address: number, length: number, port: number | undefined): string {
  return String.fromCharCode(...bytes.slice(address, address + length), ...(port === undefined ? [0, 0] : bytes.slice(port, port + 2)));
}

function mix(text: string): number {
  let hash = 0x811c_9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x0100_0193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85eb_ca6b);
  return (hash ^ (hash >>> 13)) >>> 0;
}

/** The packet's flow hash, 1 … 2^32-1. Packets that are neither IPv4 nor IPv6 hash by their protocol alone. */
export function flowHash(skb: SkBuff): number {
  const places = placesOf(skb);
  if (places === undefined) return mix(`type ${skb.etherType}`) || 1;
  const { protocol, addressBytes } = places;
  const hasPorts = [IPPROTO_TCP, IPPROTO_UDP, IPPROTO_SCTP].includes(protocol);
  const ports = hasPorts && places.ports !== undefined && places.ports + 4 <= skb.dataEnd ? places.ports : undefined;
  const ends = [endOf(skb, places.source, addressBytes, ports), endOf(skb, places.destination, addressBytes, ports === undefined ? undefined : ports + 2)];
  return mix(`${String.fromCharCode(protocol)}${ends.sort().join('')}`) || 1;
}
