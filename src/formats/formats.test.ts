// Captures: fields against bytes written out by hand, all byte orders and clocks, damage and truncation to the byte, and tcpdump beside us.

import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { fuzzCaptures, randomPcap, randomPcapng, transcript } from '../../tests/fuzz/captures.ts';
import { Random } from '../../tests/fuzz/programs/random.ts';
import { LINK_TYPES, LINKTYPE_ETHERNET, LINKTYPE_RAW, linkTypeByValue, linkTypeName } from '../spec/link-types.ts';
import { fromHex } from '../util/bytes.ts';
import { FormatError } from '../util/errors.ts';
import { CaptureReader, detectCaptureFormat, readCapture } from './capture-reader.ts';
import { PacketBatch } from './packet-batch.ts';
import { PcapWriter } from './pcap-writer.ts';
import { PcapngWriter } from './pcapng-writer.ts';
import { clockOf } from './pcapng-clock.ts';

const SEED = Number(process.env['FUZZ_SEED'] ?? 5);
const bytesOf = (hex: string): Uint8Array => fromHex(hex) ?? expect.fail('bad test bytes');

function concat(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** The FormatError's message. */
function refusal(bytes: Uint8Array): string {
  try {
    readCapture(bytes);
  } catch (error) {
    if (error instanceof FormatError) return error.message;
    throw error;
  }
  return expect.fail('read without a complaint');
}

const LITTLE_US = 'd4c3b2a1 0200 0400 00000000 00000000 ffff0000 01000000  01000000 02000000 03000000 40000000 aabbcc';
const BIG_US = 'a1b2c3d4 0002 0004 00000000 00000000 0000ffff 00000001  00000001 00000002 00000003 00000040 aabbcc';
const BIG_NS = BIG_US.replace('a1b2c3d4', 'a1b23c4d');

describe('pcap', () => {
  test.each([['little-endian, microseconds', LITTLE_US, 1_000_002_000n], ['big-endian, microseconds', BIG_US, 1_000_002_000n], ['big-endian, nanoseconds', BIG_NS, 1_000_000_002n]])(
    '%s',
    (_name, hex, timestampNs) => {
      const { packets, interfaces } = readCapture(bytesOf(hex));
      expect(packets).toEqual([{ timestampNs, capLen: 3, origLen: 64, linkType: 1, ifIndex: 0, data: Uint8Array.of(0xaa, 0xbb, 0xcc) }]);
      expect(interfaces).toEqual([{ linkType: 1, snapLen: 65_535, fcsBytes: 0, name: '', section: 0 }]);
    },
  );

  test('old and modified variants, frame check sequences', () => {
    expect(readCapture(bytesOf(LITTLE_US.replace('0200 0400', '0200 0200').replace('03000000 40000000', '40000000 03000000'))).packets[0]).toMatchObject({ capLen: 3, origLen: 64 });
    expect(readCapture(bytesOf(LITTLE_US.replace('d4c3b2a1', '34cdb2a1').replace('aabbcc', '02000000 0800 00 00 aabbcc'))).packets[0]?.data).toEqual(Uint8Array.of(0xaa, 0xbb, 0xcc));
    expect(readCapture(bytesOf(LITTLE_US.replace('ffff0000 01000000', 'ffff0000 01000024'))).interfaces[0]).toMatchObject({ linkType: 1, fcsBytes: 4 });
  });

  test('times over the whole range of 32-bit seconds', () => {
    const batch = new PacketBatch();
    const random = new Random(SEED);
    for (let round = 0; round < 5000; round++) {
      batch.reset(new Uint8Array(0));
      const seconds = random.pick([random.u32(), 0, 0xffff_ffff, 0x1_0000, 0xffff]);
      const nanos = random.pick([random.below(1_000_000_000), 0, 999_999_999, 4_294_967_295 * 1000]);
      batch.addSeconds(0, 0, 0, seconds, nanos, 0);
      expect(batch.timestampNs(0)).toBe(BigInt(seconds) * 1_000_000_000n + BigInt(nanos));
    }
  });

  test('damage is said with its place, after the packets before it', () => {
    const damaged = bytesOf(`${LITTLE_US} 05000000 00000000 ffffff7f ffffff7f`);
    const reader = new CaptureReader();
    expect(reader.feed(damaged).map((batch) => batch.count)).toEqual([1]);
    expect(() => reader.end()).toThrow('pcap, offset 51: a record of 2147483647 captured bytes, where at most 262144 are possible: the file is damaged here');
    expect(() => reader.feed(damaged)).toThrow(FormatError);
  });

  test('a file cut short: what is there, of how much, behind how many packets', () => {
    const bytes = bytesOf(LITTLE_US);
    expect(refusal(bytes.subarray(0, 2))).toBe('capture, offset 0: the file ends inside its magic number: 2 of 4 bytes are there (0 packets before it are whole)');
    expect(refusal(bytes.subarray(0, 23))).toBe('pcap, offset 0: the file ends inside the file header: 23 of 24 bytes are there (0 packets before it are whole)');
    expect(refusal(bytes.subarray(0, 30))).toBe('pcap, offset 24: the file ends inside a packet record: 6 of 16 bytes are there (0 packets before it are whole)');
    expect(refusal(concat([bytes, bytes.subarray(24, 42)]))).toBe('pcap, offset 43: the file ends inside a packet record: 18 of 19 bytes are there (1 packets before it are whole)');
    expect(readCapture(bytes.subarray(0, 24)).packets).toEqual([]);
  });
});

describe('pcapng', () => {
  const SHB = '0a0d0d0a 1c000000 4d3c2b1a 0100 0000 ffffffffffffffff 1c000000';
  const IDB = '01000000 14000000 0100 0000 00000000 14000000';
  const EPB = '06000000 24000000 00000000 01000000 00000000 03000000 40000000 aabbcc00 24000000';

  test('an enhanced packet, in microseconds by default', () => {
    expect(readCapture(bytesOf(SHB + IDB + EPB)).packets).toEqual([
      { timestampNs: 4_294_967_296_000n, capLen: 3, origLen: 64, linkType: 1, ifIndex: 0, data: Uint8Array.of(0xaa, 0xbb, 0xcc) },
    ]);
  });

  test('simple and obsolete packets, skipped blocks, statistics', () => {
    const SPB = '03000000 14000000 03000000 ddeeff00 14000000';
    const PB = '02000000 24000000 0000 ffff 00000000 e8030000 02000000 02000000 11220000 24000000';
    const ISB = '05000000 28000000 00000000 00000000 00000000 0400 0800 0700000000000000 00000000 28000000';
    const CUSTOM = 'ad0b0000 10000000 01020304 10000000';
    const { packets } = readCapture(bytesOf(SHB + IDB + CUSTOM + SPB + PB + ISB));
    expect(packets.map((packet) => [packet.timestampNs, [...packet.data]])).toEqual([[0n, [0xdd, 0xee, 0xff]], [1_000_000n, [0x11, 0x22]]]);
  });

  test('sections of both byte orders, interfaces numbered over the file', () => {
    const BIG_SHB = '0a0d0d0a 0000001c 1a2b3c4d 0001 0000 ffffffffffffffff 0000001c';
    const BIG_IDB = '00000001 00000014 0065 0000 00000010 00000014';
    const BIG_EPB = '00000006 00000024 00000000 00000000 00000001 00000002 00000002 99880000 00000024';
    const { packets, interfaces } = readCapture(bytesOf(SHB + IDB + EPB + BIG_SHB + BIG_IDB + BIG_EPB));
    expect(interfaces.map((one) => [one.section, one.linkType, one.snapLen])).toEqual([[0, 1, 0], [1, 101, 16]]);
    expect(packets.map((packet) => [packet.ifIndex, packet.linkType, packet.timestampNs])).toEqual([[0, 1, 4_294_967_296_000n], [1, 101, 1000n]]);
  });

  test.each([
    [6, 0n, 5_000_000n, 5_000_000_000n],
    [9, 0n, 5n, 5n],
    [3, 0n, 5n, 5_000_000n],
    [12, 0n, 5_000_000n, 5000n],
    [0x8a, 0n, 2048n, 2_000_000_000n],
    [6, -1n, 2_000_000n, 1_000_000_000n],
    [9, 3600n, 1n, 3_600_000_000_001n],
    [6, 0n, 0x1234_5678_9abcn, 0x1234_5678_9abcn * 1000n],
  ])('clock: if_tsresol %i, if_tsoffset %i, %i units', (resolution, offset, units, expected) => {
    const batch = new PacketBatch();
    clockOf(resolution, offset).add(batch, 0, 0, 0, Number(units >> 32n), Number(units & 0xffff_ffffn), 0);
    expect(batch.timestampNs(0)).toBe(expected);
  });

  test.each([
    ['no section header', IDB, 'capture, offset 0: neither pcap nor pcapng: the file begins with 01 00 00 00'],
    ['no byte-order magic', SHB.replace('4d3c2b1a', '00000000'), 'pcapng, offset 8: a section header without its byte-order magic'],
    ['version', SHB.replace('0100 0000', '0200 0000'), 'pcapng, offset 12: version 2.0; readers know 1.0'],
    ['lengths differ', SHB + IDB.replace(/14000000$/, '15000000'), "pcapng, offset 44: the block's two lengths differ: 20 and 21"],
    ['bad length', `${SHB}01000000 0a000000 0a000000`, 'pcapng, offset 32: a block length of 10 (a multiple of 4, at least 12)'],
    ['unknown interface', SHB + EPB, 'pcapng, offset 36: interface 0, where this section describes 0'],
    ['packet too long', SHB + IDB + EPB.replace('03000000', '05000000'), 'pcapng, offset 68: a packet of 5 captured bytes in a block with room for 4'],
    ['cut', (SHB + IDB).slice(0, -8), 'pcapng, offset 28: the file ends inside a block: 16 of 20 bytes are there (0 packets before it are whole)'],
  ])('damage: %s', (_name, hex, message) => {
    expect(refusal(bytesOf(hex))).toBe(message);
  });
});

describe('detection', () => {
  test('formats by their first bytes', () => {
    expect(detectCaptureFormat(bytesOf('1f8b'))).toBe('gzip');
    expect(detectCaptureFormat(bytesOf(LITTLE_US))).toBe('pcap');
    expect(detectCaptureFormat(bytesOf('0a0d0d0a'))).toBe('pcapng');
    expect(detectCaptureFormat(bytesOf('00112233'))).toBeUndefined();
    expect(detectCaptureFormat(new Uint8Array(0))).toBeUndefined();
  });

  test('what cannot be read is named', () => {
    expect(refusal(bytesOf('1f8b0800'))).toBe('capture, offset 0: gzip-compressed: decompress it first');
    expect(refusal(bytesOf('28b52ffd00'))).toContain('zstd');
    expect(refusal(bytesOf('7f454c46'))).toContain('ELF');
    expect(refusal(new Uint8Array(0))).toBe('capture, offset 0: the file is empty');
  });
});

/** What a writer was given, as read back. */
const plain = (bytes: Uint8Array) => readCapture(bytes).packets.map(({ timestampNs, data, origLen }) => ({ timestampNs, data, origLen }));

describe('writers', () => {
  const packets = Array.from({ length: 50 }, (_, i) => ({ timestampNs: 1_700_000_000_123_456_789n + BigInt(i), data: new Random(i).bytes(i * 3), origLen: i * 3 + (i % 2) }));

  test('pcap reads back', () => {
    const writer = new PcapWriter(LINKTYPE_ETHERNET);
    const file = concat([writer.header(), ...packets.map((packet) => writer.packet(packet))]);
    expect(plain(file)).toEqual(packets);
    expect(() => writer.packet({ timestampNs: -1n, data: new Uint8Array(0) })).toThrow(FormatError);
    expect(() => new PcapWriter(1, 10).packet({ timestampNs: 0n, data: new Uint8Array(11) })).toThrow('longer than the snapshot length 10');
  });

  test('pcapng reads back, interfaces too', () => {
    const writer = new PcapngWriter();
    const head = [writer.header(), writer.interface(LINKTYPE_ETHERNET, 'eth0', 1000), writer.interface(LINKTYPE_RAW)];
    const file = concat([...head, ...packets.map((packet, i) => writer.packet(packet, i % 2))]);
    expect(plain(file)).toEqual(packets);
    expect(readCapture(file).interfaces.map((one) => [one.name, one.linkType, one.snapLen])).toEqual([['eth0', 1, 1000], ['', 101, 0]]);
    expect(() => writer.packet({ timestampNs: 0n, data: new Uint8Array(0) }, 2)).toThrow("interface 2 isn't described yet");
  });
});

describe('streams', () => {
  test(`any chunking reads the same (seed ${SEED})`, () => {
    const random = new Random(SEED);
    for (const bytes of [randomPcap(random), randomPcapng(random)]) {
      const whole = transcript(bytes, () => bytes.length);
      for (const size of [1, 2, 3, 11, 12, 13, 100]) expect(transcript(bytes, () => size)).toBe(whole);
    }
  });

  test('packets inside a chunk are views of it, not copies', () => {
    const writer = new PcapWriter(1);
    const file = concat([writer.header(), writer.packet({ timestampNs: 1n, data: Uint8Array.of(1, 2, 3) })]);
    const batch = new CaptureReader().feed(file)[0];
    expect(batch?.bytes).toBe(file);
    expect(batch?.offsets[0]).toBe(40);
  });

  test(`mutated captures bring typed errors only (seed ${SEED})`, () => {
    const report = fuzzCaptures(SEED, 5000);
    expect(report.accepted).toBeGreaterThan(1000);
    expect(report.rejected).toBeGreaterThan(1000);
  });
});

describe('link types', () => {
  test('a table by number, without repetitions', () => {
    expect(new Set(LINK_TYPES.map((row) => row.value)).size).toBe(LINK_TYPES.length);
    expect(linkTypeByValue(276)?.headerBytes).toBe(20);
    expect(linkTypeName(1)).toBe('LINKTYPE_ETHERNET');
    expect(linkTypeName(147)).toBe('link type 147');
  });
});

const TCPDUMP = ['/usr/bin/tcpdump', '/usr/sbin/tcpdump'].find((path) => existsSync(path));
/** Seconds, nanoseconds and captured bytes of every packet, as tcpdump reads the file. */
function tcpdump(file: Uint8Array): string[] {
  const dir = mkdtempSync(join(tmpdir(), 'bpfkit-captures-'));
  try {
    writeFileSync(join(dir, 'a.pcap'), file);
    const out = execFileSync(TCPDUMP ?? '', ['-r', join(dir, 'a.pcap'), '-tt', '-n', '-xx', '--nano', '-Z', 'root'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
    return out.split(/^(?=\d+\.\d{9} )/m).filter((text) => text !== '').map((text) => {
      const hex = [...text.matchAll(/^\t0x[0-9a-f]{4}: {2}(.*)$/gm)].map((match) => (match[1] ?? '').replace(/\s/g, '')).join('');
      return `${text.slice(0, text.indexOf(' '))} ${hex}`;
    });
  } finally {
    rmSync(dir, { recursive: true });
  }
}
const ours = (file: Uint8Array): string[] =>
  readCapture(file).packets.map(({ timestampNs, data }) => {
    const nanos = (timestampNs % 1_000_000_000n).toString().padStart(9, '0');
    return `${timestampNs / 1_000_000_000n}.${nanos} ${[...data].map((byte) => byte.toString(16).padStart(2, '0')).join('')}`;
  });
const frameOf = (seed: number): Uint8Array => Uint8Array.of(2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x88, 0xb5, ...new Random(seed).bytes(46));

describe.skipIf(TCPDUMP === undefined)(`beside tcpdump${TCPDUMP === undefined ? ' (skipped: tcpdump is not installed)' : ''}`, () => {
  test('our pcap and pcapng', () => {
    const packets = Array.from({ length: 20 }, (_, i) => ({ timestampNs: 1_700_000_000_123_456_789n + BigInt(i) * 1_000_000_007n, data: frameOf(i) }));
    const pcap = new PcapWriter(LINKTYPE_ETHERNET);
    const pcapFile = concat([pcap.header(), ...packets.map((packet) => pcap.packet(packet))]);
    const pcapng = new PcapngWriter();
    const pcapngFile = concat([pcapng.header(), pcapng.interface(LINKTYPE_ETHERNET, 'lo'), ...packets.map((packet) => pcapng.packet(packet))]);
    expect(tcpdump(pcapFile)).toEqual(ours(pcapFile));
    expect(tcpdump(pcapngFile)).toEqual(ours(pcapngFile));
    expect(ours(pcapFile)).toHaveLength(20);
  });

  test('big-endian microseconds', () => {
    const frame = [...frameOf(1)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
    const file = bytesOf(BIG_US.replace('00000003 00000040 aabbcc', `0000003c 0000003c ${frame}`));
    expect(tcpdump(file)).toEqual(ours(file));
  });
});
