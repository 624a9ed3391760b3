// Packets for helper cases, by hand: Ethernet with IPv4/UDP, IPv6/UDP, VLAN tags, and one that is only a ramp of numbers.

const MACS = [0x02, 0, 0, 0, 0, 2, 0x02, 0, 0, 0, 0, 1];

/** 64 bytes: 0, 1, 2 … with EtherType 0x0c0d. */
export const RAMP = Uint8Array.from({ length: 64 }, (_, i) => i);

/** IPv4 header (checksum valid), UDP 1000 → 53, 22 bytes of payload; 64 bytes in all. */
export function ipv4(tos = 0): Uint8Array {
  const packet = new Uint8Array(64);
  packet.set([...MACS, 0x08, 0x00]);
  packet.set([0x45, tos, 0, 50, 0x12, 0x34, 0x40, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2], 14);
  const sum = Array.from({ length: 10 }, (_, i) => ((packet[14 + 2 * i] as number) << 8) | (packet[15 + 2 * i] as number)).reduce((a, b) => a + b, 0);
  const check = ~((sum & 0xffff) + (sum >>> 16)) & 0xffff;
  packet.set([check >> 8, check & 0xff], 24);
  packet.set([3, 232, 0, 53, 0, 30, 0xab, 0xcd], 34);
  for (let i = 42; i < 64; i++) packet[i] = i;
  return packet;
}

/** IPv6 header with a traffic class, UDP 1000 → 53; 82 bytes. */
export function ipv6(trafficClass = 0): Uint8Array {
  const packet = new Uint8Array(82);
  packet.set([...MACS, 0x86, 0xdd]);
  packet.set([0x60 | (trafficClass >> 4), (trafficClass & 15) << 4, 0, 0, 0, 28, 17, 64], 14);
  packet.set([0xfd, ...Array.from({ length: 14 }, () => 0), 1, 0xfd, ...Array.from({ length: 14 }, () => 0), 2], 22);
  packet.set([3, 232, 0, 53, 0, 28, 0x12, 0x34], 54);
  for (let i = 62; i < 82; i++) packet[i] = i;
  return packet;
}

/** `inner` with VLAN tags put in, outermost first: [TPID, TCI]. */
export function tagged(inner: Uint8Array, ...tags: readonly (readonly [number, number])[]): Uint8Array {
  const bytes = tags.flatMap(([tpid, tci]) => [tpid >> 8, tpid & 0xff, tci >> 8, tci & 0xff]);
  return Uint8Array.from([...inner.subarray(0, 12), ...bytes, ...inner.subarray(12)]);
}
