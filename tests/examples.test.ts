// The five examples on the captured traffic, in both executors. What they ought to do is computed from the capture anew, in plain TypeScript
// (tests/examples/frames.ts): flows, bytes, verdicts, encapsulated packets, rewritten fields, checksums, events.

import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { load, open, type BpfObject, type BpfObjectOptions } from '../src/index.ts';
import { bump, checksum, parse, readFrames, type Frame } from './examples/frames.ts';

const FRAMES = readFrames('examples/captures/mixed.pcap');
const [TCP, UDP, IPIP] = [6, 17, 4] as const;

const json = (path: string): unknown => JSON.parse(readFileSync(`examples/${path}`, 'utf8'));
const hex = (bytes: Uint8Array | undefined): string => (bytes === undefined ? 'nothing' : Buffer.from(bytes).toString('hex'));

/** An example's object, loaded. */
function example(path: string, engine: 'jit' | 'interp', options: BpfObjectOptions = {}): BpfObject {
  return load(open(new Uint8Array(readFileSync(`examples/${path}.bpf.o`))), { ...options, kernel: { engine } });
}

/** Runs a program on every frame and gives what it made of each. */
function runAll(object: BpfObject, name: string, frames: readonly Frame[] = FRAMES): { frame: Frame; verdict: string; packet: Uint8Array | undefined }[] {
  return frames.map((frame) => ({ frame, ...object.run(name, frame.bytes, frame.timeNs) }));
}

test('the capture holds what the examples are for', () => {
  const kinds = new Map<string, number>();
  for (const { bytes } of FRAMES) {
    const { version, protocol, tags, etherType } = parse(bytes, 2);
    bump(kinds, `${tags > 0 ? 'tagged ' : ''}${version === undefined ? etherType.toString(16) : `IPv${version} ${protocol}`}`);
  }
  for (const kind of ['IPv4 6', 'IPv4 17', 'IPv4 1', 'IPv6 6', 'IPv6 17', 'IPv6 58', 'tagged IPv4 17', 'tagged 806', '806']) expect(kinds.get(kind) ?? 0, kind).toBeGreaterThan(0);
});

describe.each(['jit', 'interp'] as const)('%s', (engine) => {
  test('flow tracker: packets, bytes and times of every flow', () => {
    const object = example('flow-tracker/flow_tracker', engine);
    for (const { verdict, packet, frame } of runAll(object, 'flow_tracker')) {
      expect(verdict).toBe('XDP_PASS');
      expect(hex(packet)).toBe(hex(frame.bytes));
    }
    const flows = new Map<string, { packets: bigint; bytes: bigint; first_ns: bigint; last_ns: bigint }>();
    let notIp = 0;
    for (const { bytes, timeNs } of FRAMES) {
      const { version, source, destination, protocol, sport = 0, dport = 0 } = parse(bytes, 2);
      if (version === undefined) notIp++;
      else {
        const key = [version, protocol, hex(source).padEnd(32, '0'), hex(destination).padEnd(32, '0'), sport, dport].join(' ');
        const seen = flows.get(key) ?? { packets: 0n, bytes: 0n, first_ns: timeNs, last_ns: timeNs };
        flows.set(key, { packets: seen.packets + 1n, bytes: seen.bytes + BigInt(bytes.length), first_ns: seen.first_ns, last_ns: timeNs });
      }
    }
    const found = object.map('flows').entries().map(({ key, value }) => {
      const { version, protocol, saddr, daddr, sport, dport } = key as { version: number; protocol: number; saddr: number[]; daddr: number[]; sport: number; dport: number };
      return [[version, protocol, hex(Uint8Array.from(saddr)), hex(Uint8Array.from(daddr)), swap(sport), swap(dport)].join(' '), { ...(value as object) }] as const;
    });
    expect(Object.fromEntries(found)).toEqual(Object.fromEntries(flows));
    expect(flows.size).toBeGreaterThan(50);
    expect(object.map('skipped').entries().map(({ value }) => value)).toEqual([notIp, 0, 0, 0].map((count) => [{ cpu: 0, value: BigInt(count) }]));
    object.close();
  });

  describe('firewall', () => {
    const PREFIX6 = '2001:db8:1::/64';
    const blocked = (bytes: Buffer): { rule: number; log: boolean } | 'pass' | 'not IP' => {
      const { version, source } = parse(bytes, 0);
      if (version === 4) return source?.join('.') === '10.1.0.1' ? { rule: 1, log: true } : 'pass';
      if (version === 6) return hex(source).startsWith('20010db800010000') ? { rule: 6, log: false } : 'pass';
      return 'not IP';
    };

    test.each([0, 1])('drops by prefix, counts and reports; dry_run %i', (dryRun) => {
      const object = example('firewall/firewall', engine, { globals: { dry_run: dryRun } });
      object.map('blocklist4').fill(json('firewall/blocklist4.json'));
      object.map('blocklist6').fill([{ key: PREFIX6, value: { id: 6, log: 0 } }]);
      const counts = { pass: 0n, drop: 0n, notIp: 0n };
      const hits: object[] = [];
      const events: unknown[] = [];
      for (const { frame, verdict, packet } of runAll(object, 'firewall')) {
        const rule = blocked(frame.bytes);
        if (rule === 'pass') counts.pass++;
        else if (rule === 'not IP') counts.notIp++;
        else counts.drop++;
        if (typeof rule === 'object' && rule.log) hits.push({ time_ns: frame.timeNs, rule: rule.rule, length: frame.bytes.length });
        const drops = typeof rule === 'object' && dryRun === 0;
        expect(verdict).toBe(drops ? 'XDP_DROP' : 'XDP_PASS');
        expect(hex(packet)).toBe(drops ? 'nothing' : hex(frame.bytes));
        events.push(...object.events('hits', 'hit').map(({ value }) => ({ ...(value as object) })));
      }
      expect(object.map('counters').entries().map(({ value }) => value)).toEqual([counts.pass, counts.drop, counts.notIp].map((value) => [{ cpu: 0, value }]));
      expect(events).toEqual(hits);
      expect(hits.length).toBeGreaterThan(100);
      expect(counts.drop).toBeGreaterThan(BigInt(hits.length));
      object.close();
    });

    test('the longest prefix wins', () => {
      const object = example('firewall/firewall', engine);
      const blocklist = { '10.0.0.0/8': { id: 8, log: 1 }, '10.1.0.0/24': { id: 24, log: 1 }, '0.0.0.0/0': { id: 99, log: 1 } };
      object.map('blocklist4').fill(blocklist);
      const rules = new Map<unknown, number>();
      const expected = new Map<number, number>();
      for (const { frame } of runAll(object, 'firewall')) {
        const { version, source } = parse(frame.bytes, 0);
        if (version === 4) bump(expected, source?.[0] !== 10 ? 99 : source[1] === 1 && source[2] === 0 ? 24 : 8);
        for (const { value } of object.events('hits', 'hit')) bump(rules, (value as { rule: number }).rule);
      }
      expect(rules).toEqual(expected);
      object.close();
    });
  });

  test('load balancer: the ring decides, packets go out in a tunnel with right checksums', () => {
    const object = example('load-balancer/load_balancer', engine);
    for (const map of ['services', 'backends', 'ring']) object.map(map).fill(json(`load-balancer/${map}.json`));
    const ring = json('load-balancer/ring.json') as { key: number; value: number }[];
    const backends = new Map((json('load-balancer/backends.json') as { key: number; value: { addr: string; mac: string } }[]).map(({ key, value }) => [key, value]));
    const stats = new Map<number, { packets: bigint; bytes: bigint }>();
    const chosen = new Map<string, number>();
    let sent = 0;
    for (const { frame: { bytes }, verdict, packet } of runAll(object, 'load_balancer')) {
      const { version, at, protocol, destination, source, sport = 0, dport = 0 } = parse(bytes, 0);
      const served = version === 4 && protocol === TCP && destination?.join('.') === '10.1.0.2' && dport === 80;
      expect(verdict).toBe(served ? 'XDP_TX' : 'XDP_PASS');
      if (!served || packet === undefined || source === undefined) {
        expect(hex(packet)).toBe(hex(bytes));
        continue;
      }
      sent++;
      const slot = flowHash(source.readUInt32LE(0), destination.readUInt32LE(0), (swap(sport) << 16) | swap(dport)) % 251;
      const number = ring.find(({ key }) => key === slot)?.value ?? -1;
      chosen.set(`${sport}`, number);
      const before = stats.get(number) ?? { packets: 0n, bytes: 0n };
      stats.set(number, { packets: before.packets + 1n, bytes: before.bytes + BigInt(bytes.length) });
      checkTunnel(Buffer.from(packet), bytes, at, backends.get(number));
    }
    expect(sent).toBeGreaterThan(50);
    expect(new Set(chosen.values()).size).toBeGreaterThan(1);
    const found = object.map('backend_stats').entries().filter(({ key }) => backends.has(Number(key))).map(({ key, value }) => [key, { ...((value as { value: object }[])[0]?.value) }]);
    expect(Object.fromEntries(found)).toEqual(Object.fromEntries([...backends.keys()].map((key) => [key, stats.get(key) ?? { packets: 0n, bytes: 0n }])));
    expect(object.map('connections').entries().map(({ value }) => Number(value)).sort()).toEqual([...chosen.values()].sort());
    object.close();
  });

  test('load balancer: a known connection stays with its backend when the ring changes', () => {
    const object = example('load-balancer/load_balancer', engine);
    for (const map of ['services', 'backends', 'ring']) object.map(map).fill(json(`load-balancer/${map}.json`));
    const frame = FRAMES.find(({ bytes }) => parse(bytes, 0).dport === 80 && parse(bytes, 0).version === 4);
    if (frame === undefined) throw new RangeError('no packet to port 80');
    const first = hex(object.run('load_balancer', frame.bytes).packet);
    object.map('ring').fill(Array.from({ length: 251 }, (_, key) => ({ key, value: 2 })));
    expect(hex(object.run('load_balancer', frame.bytes).packet)).toBe(first);
    object.map('backends').set(1, { addr: '0.0.0.0' });
    object.map('backends').set(2, { addr: '0.0.0.0' });
    object.map('backends').set(3, { addr: '0.0.0.0' });
    expect(object.run('load_balancer', frame.bytes)).toMatchObject({ verdict: 'XDP_DROP', packet: undefined });
    object.close();
  });

  test.each([0, 3])('TC marker: classes, DSCP with its checksum; DNS to device %i', (dnsIfindex) => {
    const object = example('tc-marker/tc_marker', engine, { globals: { dns_ifindex: dnsIfindex } });
    object.map('port_classes').fill(json('tc-marker/port_classes.json'));
    const classOf = (port = 0): number => ({ 53: 1, 80: 2, 443: 2 })[port] ?? 0;
    const classes = [0, 1, 2].map(() => ({ packets: 0n, bytes: 0n }));
    let [rewritten, lastMark] = [0, 0];
    for (const { frame: { bytes }, verdict, packet } of runAll(object, 'tc_marker')) {
      // The stack takes one tag off before the hook; a second one hides the IP header.
      const { version, at, tags, protocol, dport, sport, tos } = parse(bytes, 1);
      const kind = protocol === TCP || protocol === UDP ? classOf(dport) || classOf(sport) : 0;
      const isDns = version === 4 && kind === 1;
      expect(verdict).toBe(isDns && dnsIfindex !== 0 ? 'TC_ACT_REDIRECT' : 'TC_ACT_OK');
      const expected = Buffer.from(bytes);
      if (version === 4) {
        const stats = classes[kind] as { packets: bigint; bytes: bigint };
        stats.packets++;
        stats.bytes += BigInt(bytes.length - 4 * tags);
        lastMark = 0x100 | kind;
        if (kind === 2 && tos !== 72) {
          rewritten++;
          expected.writeUInt8(72, at + 1);
          expected.writeUInt16BE(checksum(expected.subarray(at, at + (expected.readUInt8(at) & 15) * 4), 10), at + 10);
        }
      }
      expect(hex(packet)).toBe(hex(expected));
    }
    expect(rewritten).toBeGreaterThan(200);
    expect(object.map('classes').entries().map(({ value }) => ({ ...(value as object) }))).toEqual(classes);
    expect(object.getGlobal('last_mark')).toBe(lastMark);
    object.close();
  });

  describe('socket filter', () => {
    test('keeps DNS queries, cut to 128 bytes, and the start of connections', () => {
      const object = example('socket-filter/socket_filter', engine);
      const seen = new Map<number, number>();
      const verdicts = new Map<string, number>();
      for (const { frame: { bytes }, verdict, packet } of runAll(object, 'socket_filter', [...FRAMES, longQuery()])) {
        const { version, protocol = 0, transport = 0, dport } = parse(bytes, 1);
        if (version === 4) bump(seen, protocol);
        const dns = version === 4 && protocol === UDP && dport === 53;
        const syn = version === 4 && protocol === TCP && (bytes.readUInt8(transport + 13) & 2) !== 0;
        expect(verdict).toBe(dns ? 'keep 128 bytes' : syn ? 'keep' : 'drop');
        expect(hex(packet)).toBe(dns ? hex(bytes.subarray(0, 128)) : syn ? hex(bytes) : 'nothing');
        bump(verdicts, verdict);
      }
      expect(verdicts.size).toBe(3);
      const counted = object.map('by_protocol').entries().filter(({ value }) => value !== 0n);
      expect(new Map(counted.map(({ key, value }) => [Number(key), Number(value)]))).toEqual(seen);
      object.close();
    });
  });
});

const swap = (port: number): number => ((port & 0xff) << 8) | (port >> 8);

/** The example's hash of a flow, on words as the program loads them. */
function flowHash(source: number, destination: number, portWords: number): number {
  const rotate = (word: number, bits: number): number => (word << bits) | (word >>> (32 - bits));
  let [a, b, c] = [source ^ 0x9e3779b9, destination, portWords];
  for (let round = 0; round < 3; round++) {
    a = Math.imul(a + b, 0x85ebca6b);
    b = rotate(b ^ a, 13);
    c = Math.imul(c ^ b, 0xc2b2ae35);
    a = rotate(a + c, 16);
  }
  return (a ^ (c >>> 15)) >>> 0;
}

function checkTunnel(out: Buffer, inner: Buffer, at: number, backend: { addr: string; mac: string } | undefined): void {
  const length = inner.readUInt16BE(at + 2);
  const outer = out.subarray(14, 34);
  expect(out).toHaveLength(inner.length + 20);
  expect(hex(out.subarray(0, 6))).toBe(backend?.mac.replaceAll(':', ''));
  expect(hex(out.subarray(6, 12))).toBe(hex(inner.subarray(0, 6)));
  expect(out.readUInt16BE(12)).toBe(0x0800);
  expect([outer[0], outer[1], outer.readUInt16BE(2), outer.readUInt32BE(4), outer[8], outer[9]]).toEqual([0x45, 0, length + 20, 0, 64, IPIP]);
  expect(outer.readUInt16BE(10)).toBe(checksum(outer, 10));
  expect([outer.subarray(12, 16).join('.'), outer.subarray(16, 20).join('.')]).toEqual(['10.1.0.2', backend?.addr]);
  expect(hex(out.subarray(34))).toBe(hex(inner.subarray(14)));
}

/** A DNS query of 214 bytes: longer than what the filter keeps. */
function longQuery(): Frame {
  const bytes = Buffer.alloc(214, 0x61);
  bytes.set(Buffer.from('02000000000b02000000000a0800', 'hex'));
  bytes.set([0x45, 0, 0, 200, 0, 1, 0, 0, 64, UDP, 0, 0, 10, 1, 0, 1, 10, 1, 0, 2], 14);
  bytes.set([0x30, 0x39, 0, 53, 0, 180, 0, 0], 34);
  return { bytes, timeNs: 1n };
}
