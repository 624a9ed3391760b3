// Link-layer header types of captures (LINKTYPE_* values), those that a packet hook can make something of.
// Source: https://www.tcpdump.org/linktypes.html; the registry has more, which readers pass through by number.

/** How to find the network protocol of a packet. */
export type LinkProtocol =
  /** An EtherType, big-endian, at this byte. */
  | { readonly by: 'ethertype'; readonly offset: number }
  /** The IP version in the first nibble after the header. */
  | { readonly by: 'ip-version' }
  /** A 4-byte address family: in the capturing host's byte order (LINKTYPE_NULL) or big-endian (LINKTYPE_LOOP). */
  | { readonly by: 'family'; readonly order: 'host' | 'network' }
  /** Always this EtherType. */
  | { readonly by: 'fixed'; readonly ethertype: number }
  /** A PPP protocol number, big-endian, at this byte. */
  | { readonly by: 'ppp'; readonly offset: number }
  /** None that IP hooks know. */
  | { readonly by: 'none' };

/** A link type. `headerBytes` is what stands before the network header; undefined when that varies. */
export interface LinkType { readonly value: number; readonly name: string; readonly headerBytes: number | undefined; readonly protocol: LinkProtocol }

/** EtherTypes of the two IPs. */
export const ETH_P_IP = 0x0800;
export const ETH_P_IPV6 = 0x86dd;

export const LINKTYPE_NULL = 0;
export const LINKTYPE_ETHERNET = 1;
export const LINKTYPE_RAW = 101;
export const LINKTYPE_IEEE802_11 = 105;
export const LINKTYPE_LOOP = 108;
export const LINKTYPE_LINUX_SLL = 113;
export const LINKTYPE_IEEE802_11_RADIOTAP = 127;
export const LINKTYPE_IPV4 = 228;
export const LINKTYPE_IPV6 = 229;
export const LINKTYPE_LINUX_SLL2 = 276;

/** Link types by ascending value. 12 and 14 are what some BSDs wrote for raw IP (their DLT_RAW). */
export const LINK_TYPES = [
  { value: LINKTYPE_NULL, name: 'LINKTYPE_NULL', headerBytes: 4, protocol: { by: 'family', order: 'host' } },
  { value: LINKTYPE_ETHERNET, name: 'LINKTYPE_ETHERNET', headerBytes: 14, protocol: { by: 'ethertype', offset: 12 } },
  { value: 9, name: 'LINKTYPE_PPP', headerBytes: undefined, protocol: { by: 'none' } },
  { value: 12, name: 'LINKTYPE_RAW (DLT_RAW 12)', headerBytes: 0, protocol: { by: 'ip-version' } },
  { value: 14, name: 'LINKTYPE_RAW (DLT_RAW 14)', headerBytes: 0, protocol: { by: 'ip-version' } },
  { value: 50, name: 'LINKTYPE_PPP_HDLC', headerBytes: 4, protocol: { by: 'ppp', offset: 2 } },
  { value: 51, name: 'LINKTYPE_PPP_ETHER', headerBytes: 8, protocol: { by: 'ppp', offset: 6 } },
  { value: LINKTYPE_RAW, name: 'LINKTYPE_RAW', headerBytes: 0, protocol: { by: 'ip-version' } },
  { value: LINKTYPE_IEEE802_11, name: 'LINKTYPE_IEEE802_11', headerBytes: undefined, protocol: { by: 'none' } },
  { value: LINKTYPE_LOOP, name: 'LINKTYPE_LOOP', headerBytes: 4, protocol: { by: 'family', order: 'network' } },
  { value: LINKTYPE_LINUX_SLL, name: 'LINKTYPE_LINUX_SLL', headerBytes: 16, protocol: { by: 'ethertype', offset: 14 } },
  { value: LINKTYPE_IEEE802_11_RADIOTAP, name: 'LINKTYPE_IEEE802_11_RADIOTAP', headerBytes: undefined, protocol: { by: 'none' } },
  { value: 189, name: 'LINKTYPE_USB_LINUX', headerBytes: undefined, protocol: { by: 'none' } },
  { value: 192, name: 'LINKTYPE_PPI', headerBytes: undefined, protocol: { by: 'none' } },
  { value: 220, name: 'LINKTYPE_USB_LINUX_MMAPPED', headerBytes: undefined, protocol: { by: 'none' } },
  { value: LINKTYPE_IPV4, name: 'LINKTYPE_IPV4', headerBytes: 0, protocol: { by: 'fixed', ethertype: 0x0800 } },
  { value: LINKTYPE_IPV6, name: 'LINKTYPE_IPV6', headerBytes: 0, protocol: { by: 'fixed', ethertype: 0x86dd } },
  { value: 239, name: 'LINKTYPE_NFLOG', headerBytes: undefined, protocol: { by: 'none' } },
  { value: 253, name: 'LINKTYPE_NETLINK', headerBytes: 16, protocol: { by: 'none' } },
  { value: LINKTYPE_LINUX_SLL2, name: 'LINKTYPE_LINUX_SLL2', headerBytes: 20, protocol: { by: 'ethertype', offset: 0 } },
] as const satisfies readonly LinkType[];

const BY_VALUE: ReadonlyMap<number, LinkType> = new Map(LINK_TYPES.map((row) => [row.value, row]));

/** The link type of this number, or undefined for one that this table doesn't have. */
export const linkTypeByValue = (value: number): LinkType | undefined => BY_VALUE.get(value);

/** "LINKTYPE_ETHERNET", or "link type 147" for a number that this table doesn't have. */
export const linkTypeName = (value: number): string => BY_VALUE.get(value)?.name ?? `link type ${value}`;
