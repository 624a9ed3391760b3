// Packets of a capture as the Ethernet frames that hooks take: link types that carry Ethernet or IP can be, others can't.
// What has no Ethernet header gets one of zero addresses and its EtherType, as the kernel's TUN devices give to XDP.
// Source: spec/link-types.ts.

import { ETH_HLEN } from '../spec/limits.ts';
import { ETH_P_IP, ETH_P_IPV6, LINKTYPE_ETHERNET, linkTypeByValue, type LinkType } from '../spec/link-types.ts';

/** Address families of BSD loopback captures: IPv4 is 2 everywhere, IPv6 differs by system. */
const FAMILY_INET = 2;
const FAMILIES_INET6: readonly number[] = [10, 24, 28, 30];

/** An Ethernet frame for a captured packet, or undefined when its link type can't be one or the packet is too short. */
export function etherFrame(data: Uint8Array, linkType: number): Uint8Array | undefined {
  if (linkType === LINKTYPE_ETHERNET) return data.length >= ETH_HLEN ? data : undefined;
  const link = linkTypeByValue(linkType);
  const header = link?.headerBytes;
  if (link === undefined || header === undefined || data.length <= header) return undefined;
  const type = etherType(data, link, header);
  if (type === undefined) return undefined;
  const frame = new Uint8Array(ETH_HLEN + data.length - header);
  frame[12] = type >> 8;
  frame[13] = type & 0xff;
  frame.set(data.subarray(header), ETH_HLEN);
  return frame;
}

function etherType(data: Uint8Array, link: LinkType, header: number): number | undefined {
  const byte = (at: number): number => data[at] as number;
  const { protocol } = link;
  switch (protocol.by) {
    case 'ethertype': return (byte(protocol.offset) << 8) | byte(protocol.offset + 1);
    case 'fixed': return protocol.ethertype;
    case 'ip-version': return byte(header) >> 4 === 4 ? ETH_P_IP : byte(header) >> 4 === 6 ? ETH_P_IPV6 : undefined;
    case 'family': {
      // A family below 256 is in one of the two end bytes, whichever the byte order.
      const family = byte(0) | byte(3);
      return family === FAMILY_INET ? ETH_P_IP : FAMILIES_INET6.includes(family) ? ETH_P_IPV6 : undefined;
    }
    default: return undefined;
  }
}
