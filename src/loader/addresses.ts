// Network addresses as people write them: IPv4, IPv6, MAC, and CIDR prefixes. Text in, bytes in network order out.
// Source: RFC 4291 section 2.2 for IPv6 text (`::`, embedded IPv4); CIDR as RFC 4632 writes it.

/** 4 bytes of `10.0.0.1`; undefined when the text is none. */
export function parseIpv4(text: string): Uint8Array | undefined {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text);
  const bytes = match?.slice(1).map(Number);
  return bytes === undefined || bytes.some((byte) => byte > 255) ? undefined : Uint8Array.from(bytes);
}

/** 6 bytes of `02:00:5e:10:00:01`; undefined when the text is none. */
export function parseMac(text: string): Uint8Array | undefined {
  if (!/^[0-9a-fA-F]{2}([:-][0-9a-fA-F]{2}){5}$/.test(text)) return undefined;
  return Uint8Array.from(text.split(/[:-]/), (part) => Number.parseInt(part, 16));
}

/** 16-bit groups of one side of `::`; an IPv4 address may end it. */
function ipv6Groups(text: string): number[] | undefined {
  if (text === '') return [];
  const parts = text.split(':');
  const groups: number[] = [];
  for (const [i, part] of parts.entries()) {
    const v4 = i === parts.length - 1 ? parseIpv4(part) : undefined;
    if (v4 !== undefined) groups.push(((v4[0] as number) << 8) | (v4[1] as number), ((v4[2] as number) << 8) | (v4[3] as number));
    else if (/^[0-9a-fA-F]{1,4}$/.test(part)) groups.push(Number.parseInt(part, 16));
    else return undefined;
  }
  return groups;
}

/** 16 bytes of `2001:db8::1` or `::ffff:10.0.0.1`; undefined when the text is none. */
export function parseIpv6(text: string): Uint8Array | undefined {
  if (!text.includes(':')) return undefined;
  const sides = text.split('::');
  if (sides.length > 2) return undefined;
  const [head, tail] = [ipv6Groups(sides[0] ?? ''), sides.length === 2 ? ipv6Groups(sides[1] ?? '') : []];
  if (head === undefined || tail === undefined) return undefined;
  const gap = 8 - head.length - tail.length;
  if (sides.length === 2 ? gap < 1 : gap !== 0) return undefined;
  const groups = [...head, ...Array.from({ length: gap }, () => 0), ...tail];
  return Uint8Array.from(groups.flatMap((group) => [group >> 8, group & 0xff]));
}

/** The bytes of an IPv4, IPv6 or MAC address; undefined for other text. */
export const parseAddress = (text: string): Uint8Array | undefined => parseIpv4(text) ?? parseMac(text) ?? parseIpv6(text);

/** A prefix `10.0.0.0/8` or `2001:db8::/32`: its length in bits and the address bytes; undefined for other text and too long prefixes. */
export function parseCidr(text: string): { readonly prefixLen: number; readonly address: Uint8Array } | undefined {
  const match = /^([^/]+)\/(\d{1,3})$/.exec(text);
  if (match === null) return undefined;
  const address = parseIpv4(match[1] ?? '') ?? parseIpv6(match[1] ?? '');
  const prefixLen = Number(match[2]);
  return address === undefined || prefixLen > address.length * 8 ? undefined : { prefixLen, address };
}
