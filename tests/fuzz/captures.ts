// Random captures of both formats, both byte orders and odd options, and mutations of them, read in chunks of random size.
// Invariant: an undamaged capture gives its packets whatever the chunks; a mutated one gives packets or a FormatError, the same for every
// chunking up to the point of damage; nothing else is thrown, and nothing is allocated from a damaged length.

import { CaptureReader } from '../../src/formats/capture-reader.ts';
import type { CapturedPacket } from '../../src/formats/packet-batch.ts';
import { toHex, viewOf } from '../../src/util/bytes.ts';
import { FormatError } from '../../src/util/errors.ts';
import type { FuzzReport } from './asm.ts';
import { Random } from './programs/random.ts';

/** A random pcap file of any magic, version and byte order. */
export function randomPcap(random: Random): Uint8Array {
  const little = random.chance(50);
  const magic = random.pick([0xa1b2_c3d4, 0xa1b2_3c4d, 0xa1b2_cd34]);
  const recordHeader = magic === 0xa1b2_cd34 ? 24 : 16;
  const packets = Array.from({ length: random.below(12) }, () => random.bytes(random.pick([0, 1, 14, 60, random.below(200)])));
  const bytes = new Uint8Array(24 + packets.reduce((sum, data) => sum + recordHeader + data.length, 0));
  const view = viewOf(bytes);
  view.setUint32(0, magic, little);
  view.setUint16(4, 2, little);
  view.setUint16(6, random.pick([4, 4, 4, 3, 1]), little);
  view.setUint32(16, random.pick([0, 65_535, 262_144]), little);
  view.setUint32(20, random.pick([0, 1, 101, 113, 276, 0x1400_0001]), little);
  let at = 24;
  for (const data of packets) {
    view.setUint32(at, random.u32(), little);
    view.setUint32(at + 4, random.below(1_000_000), little);
    view.setUint32(at + 8, data.length, little);
    view.setUint32(at + 12, data.length, little);
    bytes.set(data, at + recordHeader);
    at += recordHeader + data.length;
  }
  return bytes;
}

type Part = (view: DataView, bytes: Uint8Array) => void;

function pcapngBlock(little: boolean, type: number, bodyBytes: number, fill: Part): Uint8Array {
  const length = 12 + ((bodyBytes + 3) & ~3);
  const bytes = new Uint8Array(length);
  const view = viewOf(bytes);
  view.setUint32(0, type, little);
  view.setUint32(4, length, little);
  view.setUint32(length - 4, length, little);
  fill(new DataView(bytes.buffer, 8, length - 12), bytes.subarray(8, length - 4));
  return bytes;
}

function interfaceBlock(random: Random, little: boolean): Uint8Array {
  const resolution = random.pick([undefined, 3, 6, 9, 12, 0x8a, 0x80 + 20]);
  const offset = random.pick([0n, 0n, 3600n, -3600n]);
  const optionBytes = (resolution === undefined ? 0 : 8) + (offset === 0n ? 0 : 12);
  return pcapngBlock(little, 1, 8 + optionBytes, (view) => {
    view.setUint16(0, random.pick([1, 101, 276]), little);
    let at = 8;
    if (resolution !== undefined) {
      view.setUint16(at, 9, little);
      view.setUint16(at + 2, 1, little);
      view.setUint8(at + 4, resolution);
      at += 8;
    }
    if (offset === 0n) return;
    view.setUint16(at, 14, little);
    view.setUint16(at + 2, 8, little);
    view.setBigInt64(at + 4, offset, little);
  });
}

function packetBlock(random: Random, little: boolean, interfaces: number): Uint8Array {
  const data = random.bytes(random.below(100));
  const kind = random.pick([6, 6, 6, 3, 2, 5, 4, 0xbad]);
  if (kind === 3) {
    return pcapngBlock(little, 3, 4 + data.length, (view, bytes) => {
      view.setUint32(0, data.length, little);
      bytes.set(data, 4);
    });
  }
  if (kind === 5) return pcapngBlock(little, 5, 12, (view) => view.setUint32(0, random.below(interfaces), little));
  if (kind !== 6 && kind !== 2) return pcapngBlock(little, kind, data.length, (_view, bytes) => bytes.set(data));
  return pcapngBlock(little, kind, 20 + data.length, (view, bytes) => {
    if (kind === 6) view.setUint32(0, random.below(interfaces), little);
    else view.setUint16(0, random.below(interfaces), little);
    view.setUint32(4, random.below(0x60000), little);
    view.setUint32(8, random.u32(), little);
    view.setUint32(12, data.length, little);
    view.setUint32(16, data.length + random.below(10), little);
    bytes.set(data, 20);
  });
}

/** A random pcapng file: one to three sections of either byte order, one to three interfaces in each. */
export function randomPcapng(random: Random): Uint8Array {
  const blocks: Uint8Array[] = [];
  for (let sections = random.between(1, 3); sections > 0; sections--) {
    const little = random.chance(50);
    blocks.push(pcapngBlock(little, 0x0a0d_0d0a, 16, (view) => {
      view.setUint32(0, 0x1a2b_3c4d, little);
      view.setUint16(4, 1, little);
      view.setBigInt64(8, -1n, little);
    }));
    const interfaces = random.between(1, 3);
    for (let i = 0; i < interfaces; i++) blocks.push(interfaceBlock(random, little));
    for (let i = random.below(8); i > 0; i--) blocks.push(packetBlock(random, little, interfaces));
  }
  const bytes = new Uint8Array(blocks.reduce((sum, one) => sum + one.length, 0));
  let at = 0;
  for (const one of blocks) {
    bytes.set(one, at);
    at += one.length;
  }
  return bytes;
}

function damage(bytes: Uint8Array, random: Random): Uint8Array {
  const damaged = bytes.slice();
  for (let times = random.between(1, 4); times > 0 && damaged.length > 0; times--) {
    const at = random.below(damaged.length);
    const kind = random.below(4);
    if (kind === 0) damaged[at] = random.u32();
    else if (kind === 1) damaged[at] = (damaged[at] ?? 0) ^ (1 << random.below(8));
    else if (kind === 2) damaged.fill(random.pick([0, 0xff]), at, at + 4);
    else if (at + 4 <= damaged.length) viewOf(damaged).setUint32(at, random.pick([0, 4, 8, 13, 0xffff, 0x7fff_ffff, 0xffff_ffff]), true);
  }
  return random.chance(30) ? damaged.subarray(0, random.below(damaged.length + 1)) : damaged;
}

const line = (packet: CapturedPacket): string =>
  `${packet.timestampNs} ${packet.capLen} ${packet.origLen} ${packet.linkType} ${packet.ifIndex} ${toHex(packet.data)}`;

/** What a reading gave, as text: each packet, then the interfaces or the complaint. */
export function transcript(bytes: Uint8Array, chunkSize: () => number): string {
  const reader = new CaptureReader();
  const lines: string[] = [];
  try {
    for (let at = 0; at < bytes.length; ) {
      const size = chunkSize();
      for (const packet of reader.packets(bytes.subarray(at, at + size))) lines.push(line(packet));
      at += size;
    }
    reader.end();
    lines.push(`end, ${reader.packetCount} packets, ${reader.interfaces.length} interfaces`);
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    lines.push(error.message);
  }
  return lines.join('\n');
}

function check(random: Random): boolean {
  const original = random.chance(50) ? randomPcap(random) : randomPcapng(random);
  const bytes = random.chance(10) ? original : damage(original, random);
  const whole = transcript(bytes, () => Math.max(1, bytes.length));
  const limit = random.pick([1, 7, 64, 500]);
  const chunked = transcript(bytes, () => random.between(1, limit));
  if (whole !== chunked) throw new RangeError(`chunks of up to ${limit} bytes read differently:\n${whole}\n---\n${chunked}`);
  const isFine = whole.includes('\nend,') || whole.startsWith('end,');
  if (bytes === original && !isFine) throw new RangeError(`an undamaged capture was refused: ${whole}`);
  return isFine;
}

/** `count` captures, most of them mutated. Throws on anything but packets or a FormatError, and when chunking changes what is read. */
export function fuzzCaptures(seed: number, count: number): FuzzReport {
  let accepted = 0;
  let slowestMs = 0;
  for (let index = 0; index < count; index++) {
    const start = performance.now();
    try {
      if (check(new Random(seed * 1_000_003 + index))) accepted++;
    } catch (error) {
      throw new RangeError(`captures: input ${index} of seed ${seed}: ${String(error)}`, { cause: error });
    }
    slowestMs = Math.max(slowestMs, performance.now() - start);
  }
  return { inputs: count, accepted, rejected: count - accepted, slowestMs };
}
