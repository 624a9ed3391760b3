// Testing a BPF program as you test any other code: load the object that clang made, hand it packets, assert on verdicts and maps.
// Runs with `npx vitest run examples/testing` on any system: no kernel, no root. In your own project: `npm install --save-dev bpfkit vitest`.

import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { load, open, readCapture, type BpfObject } from 'bpfkit';

const file = (path: string): Uint8Array => new Uint8Array(readFileSync(new URL(`../${path}`, import.meta.url)));
const spec = open(file('flow-tracker/flow_tracker.bpf.o'));

/** An Ethernet frame with an IPv4 and a UDP header and nothing behind them. */
function udpFrame(source: string, destination: string, sport: number, dport: number): Uint8Array {
  const frame = new Uint8Array(14 + 20 + 8);
  const view = new DataView(frame.buffer);
  view.setUint16(12, 0x0800);
  frame.set([0x45, 0, 0, 28, 0, 0, 0, 0, 64, 17, 0, 0, ...source.split('.').map(Number), ...destination.split('.').map(Number)], 14);
  view.setUint16(34, sport);
  view.setUint16(36, dport);
  return frame;
}

describe('flow tracker', () => {
  let object: BpfObject;
  beforeEach(() => {
    object = load(spec); // verified as Linux 6.18 would, compiled to WebAssembly, empty maps
  });
  afterEach(() => object.close());

  test('passes a packet on untouched and opens a flow for it', () => {
    const frame = udpFrame('10.0.0.1', '10.0.0.2', 4000, 53);
    expect(object.run('flow_tracker', frame, 1_000n)).toEqual({ retval: 2, verdict: 'XDP_PASS', packet: frame });
    expect(object.map('flows').entries()).toHaveLength(1);
    expect(object.map('flows').entries()[0]).toMatchObject({ key: { protocol: 17, version: 4 }, value: { packets: 1n, bytes: 42n, first_ns: 1_000n, last_ns: 1_000n } });
  });

  test('counts further packets of a flow, each direction on its own', () => {
    for (const timeNs of [1_000n, 2_000n, 3_000n]) object.run('flow_tracker', udpFrame('10.0.0.1', '10.0.0.2', 4000, 53), timeNs);
    object.run('flow_tracker', udpFrame('10.0.0.2', '10.0.0.1', 53, 4000), 4_000n);
    const packets = object.map('flows').entries().map(({ value }) => (value as { packets: bigint }).packets);
    expect(packets.sort()).toEqual([1n, 3n]);
  });

  test('what is not IP is passed and counted', () => {
    const arp = new Uint8Array(60);
    arp.set([0x08, 0x06], 12);
    expect(object.run('flow_tracker', arp).verdict).toBe('XDP_PASS');
    expect(object.map('flows').entries()).toEqual([]);
    expect(object.map('skipped').get(0)).toEqual([{ cpu: 0, value: 1n }]);
  });

  test('counts every packet of a capture', () => {
    const { packets } = readCapture(file('captures/mixed.pcap'));
    for (const { data, timestampNs } of packets) object.run('flow_tracker', data, timestampNs);
    const tracked = object.map('flows').entries().reduce((sum, { value }) => sum + (value as { packets: bigint }).packets, 0n);
    const skipped = object.map('skipped').entries().flatMap(({ value }) => value as { value: bigint }[]).reduce((sum, { value }) => sum + value, 0n);
    expect(tracked + skipped).toBe(BigInt(packets.length));
  });

  test('a full table is noticed', () => {
    const small = load(spec, { maps: { flows: { maxEntries: 2 } } });
    for (const port of [1, 2, 3]) small.run('flow_tracker', udpFrame('10.0.0.1', '10.0.0.2', port, 53));
    expect(small.map('flows').entries()).toHaveLength(2);
    expect(small.map('skipped').get(3)).toEqual([{ cpu: 0, value: 1n }]);
    small.close();
  });
});
