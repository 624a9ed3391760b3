// Captures and packets read in the plainest way, with nothing of bpfkit: what the examples' tests compute their expectations from.

import { readFileSync } from 'node:fs';

/** A packet of the capture. */
export interface Frame { readonly bytes: Buffer; readonly timeNs: bigint }

/** What the tests look at. `tags` are the VLAN tags before the network header at `at`. */
export interface Parsed {
  readonly etherType: number;
  readonly tags: number;
  readonly at: number;
  readonly version?: 4 | 6;
  readonly source?: Buffer;
  readonly destination?: Buffer;
  readonly protocol?: number;
  readonly tos?: number;
  readonly fragment?: boolean;
  /** Offset of the transport header. */
  readonly transport?: number;
  readonly sport?: number;
  readonly dport?: number;
}

/** All packets of a little-endian pcap file with microsecond timestamps. */
export function readFrames(path: string): Frame[] {
  const file = readFileSync(path);
  if (file.readUInt32LE(0) !== 0xa1b2c3d4) throw new RangeError(`${path} is no little-endian pcap file`);
  const frames: Frame[] = [];
  for (let at = 24; at < file.length;) {
    const length = file.readUInt32LE(at + 8);
    const timeNs = BigInt(file.readUInt32LE(at)) * 1_000_000_000n + BigInt(file.readUInt32LE(at + 4)) * 1000n;
    frames.push({ bytes: file.subarray(at + 16, at + 16 + length), timeNs });
    at += 16 + length;
  }
  return frames;
}

/** Headers of a frame; at most `maxTags` VLAN tags are skipped. */
export function parse(bytes: Buffer, maxTags: number): Parsed {
  let [at, etherType, tags] = [14, bytes.readUInt16BE(12), 0];
  while (tags < maxTags && (etherType === 0x8100 || etherType === 0x88a8)) {
    etherType = bytes.readUInt16BE(at + 2);
    at += 4;
    tags++;
  }
  const base = { etherType, tags, at };
  if (etherType === 0x0800) {
    const transport = at + (bytes.readUInt8(at) & 15) * 4;
    const protocol = bytes.readUInt8(at + 9);
    return {
      ...base, version: 4, tos: bytes.readUInt8(at + 1), source: bytes.subarray(at + 12, at + 16), destination: bytes.subarray(at + 16, at + 20), protocol, transport,
      fragment: (bytes.readUInt16BE(at + 6) & 0x1fff) !== 0, ...ports(bytes, protocol, transport),
    };
  }
  if (etherType !== 0x86dd) return base;
  const protocol = bytes.readUInt8(at + 6);
  return {
    ...base, version: 6, source: bytes.subarray(at + 8, at + 24), destination: bytes.subarray(at + 24, at + 40), protocol, transport: at + 40, fragment: false,
    ...ports(bytes, protocol, at + 40),
  };
}

function ports(bytes: Buffer, protocol: number, transport: number): { sport: number; dport: number } | Record<string, never> {
  return protocol === 6 || protocol === 17 ? { sport: bytes.readUInt16BE(transport), dport: bytes.readUInt16BE(transport + 2) } : {};
}

/** The Internet checksum of a header, its own field left out: RFC 1071. */
export function checksum(header: Buffer, fieldAt: number): number {
  let sum = 0;
  for (let at = 0; at < header.length; at += 2) if (at !== fieldAt) sum += header.readUInt16BE(at);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}

/** Counts by a key. */
export const bump = <K>(counts: Map<K, number>, key: K, by = 1): void => void counts.set(key, (counts.get(key) ?? 0) + by);
