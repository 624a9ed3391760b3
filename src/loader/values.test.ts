// Typed values: bytes → JavaScript → bytes, the text forms that --map and --set take, and the path in each error.

import { describe, expect, test } from 'vitest';
import { parseBtf } from '../btf/btf.ts';
import { encodeBtf } from '../btf/encode.ts';
import type { BtfMember, BtfType } from '../btf/types.ts';
import {
  BTF_INT_BOOL, BTF_INT_SIGNED, BTF_KIND_ARRAY, BTF_KIND_ENUM, BTF_KIND_FLOAT, BTF_KIND_INT, BTF_KIND_PTR, BTF_KIND_STRUCT, BTF_KIND_TYPEDEF, BTF_KIND_UNION,
} from '../spec/btf.ts';
import { BPF_MAP_TYPE_ARRAY, BPF_MAP_TYPE_HASH, BPF_MAP_TYPE_LPM_TRIE, BPF_MAP_TYPE_PERCPU_HASH, BPF_MAP_TYPE_QUEUE } from '../spec/map-types.ts';
import { toHex } from '../util/bytes.ts';
import { LoadError } from '../util/errors.ts';
import { parseAddress, parseCidr, parseIpv6 } from './addresses.ts';
import { decodeValue, toJson } from './btf-values.ts';
import { encodeValue } from './encode-value.ts';
import { MapValues } from './map-values.ts';
import type { MapSpec } from './object-spec.ts';

const int = (name: string, size: number, encoding = 0): BtfType => ({ kind: BTF_KIND_INT, name, size, bits: size * 8, offset: 0, encoding });
const array = (type: number, nelems: number): BtfType => ({ kind: BTF_KIND_ARRAY, name: '', type, indexType: 2, nelems });
const m = (name: string, type: number, byte: number): BtfMember => ({ name, type, bitOffset: byte * 8, bitSize: 0 });

const btf = parseBtf(encodeBtf([
  int('unsigned char', 1), int('unsigned int', 4), int('long long', 8, BTF_INT_SIGNED), int('char', 1, BTF_INT_SIGNED), int('_Bool', 1, BTF_INT_BOOL), // 1–5
  array(1, 4), array(4, 8), array(1, 6), array(1, 16), { kind: BTF_KIND_TYPEDEF, name: '__be32', type: 2 }, // 6–10
  { kind: BTF_KIND_ENUM, name: 'mode', size: 4, signed: false, values: [{ name: 'OFF', value: 0n }, { name: 'ON', value: 5n }] }, // 11
  { kind: BTF_KIND_UNION, name: '', size: 4, kflag: false, members: [m('word', 2, 0), m('bytes', 6, 0)] }, // 12
  { kind: BTF_KIND_STRUCT, name: 'rec', size: 40, kflag: false, members: [m('id', 2, 0), m('addr', 6, 4), m('total', 3, 8), m('name', 7, 16), m('', 12, 24), m('mode', 11, 28), m('ok', 5, 32), m('mac', 15, 33)] }, // 13
  { kind: BTF_KIND_STRUCT, name: 'lpm4', size: 8, kflag: false, members: [m('prefixlen', 2, 0), m('addr', 10, 4)] }, // 14
  array(1, 6), // 15
  { kind: BTF_KIND_STRUCT, name: 'bits', size: 4, kflag: true, members: [{ name: 'a', type: 2, bitOffset: 0, bitSize: 3 }, { name: 'b', type: 2, bitOffset: 3, bitSize: 13 }, { name: 'c', type: 2, bitOffset: 16, bitSize: 16 }] }, // 16
  { kind: BTF_KIND_PTR, name: '', type: 0 }, { kind: BTF_KIND_FLOAT, name: 'double', size: 8 }, array(10, 4), // 17–19
]));
const [U8, U32, S64, MAC, V6, BE32, MODE, REC, LPM4, BITS, PTR, DOUBLE, BE32x4] = [1, 2, 3, 8, 9, 10, 11, 13, 14, 16, 17, 18, 19] as const;

const REC_VALUE = { id: 7, addr: [10, 0, 0, 1], total: -3n, name: 'web', word: 0x04030201, bytes: [1, 2, 3, 4], mode: 'ON', ok: true, mac: [2, 0, 94, 16, 0, 1] };

describe('values', () => {
  test('a struct there and back', () => {
    const bytes = encodeValue(btf, REC, REC_VALUE);
    expect(toHex(bytes)).toBe('07000000 0a000001 fdffffffffffffff 7765620000000000 01020304 05000000 01 02005e100001 00'.replaceAll(' ', ''));
    expect(decodeValue(btf, REC, bytes)).toEqual(REC_VALUE);
    expect(toJson(decodeValue(btf, REC, bytes))).toContain('"total":-3,');
  });

  test('decoding: unknown enumerators, unprintable text, pointers, floats, bitfields', () => {
    expect(decodeValue(btf, MODE, Uint8Array.of(9, 0, 0, 0))).toBe(9);
    expect(decodeValue(btf, 7, Uint8Array.of(1, 2, 0, 0, 0, 0, 0, 0))).toEqual([1, 2, 0, 0, 0, 0, 0, 0]);
    expect(decodeValue(btf, 7, Uint8Array.of(65, 0, 66, 0, 0, 0, 0, 0))).toEqual([65, 0, 66, 0, 0, 0, 0, 0]);
    expect(decodeValue(btf, PTR, Uint8Array.of(0, 0, 0, 0, 0, 0x88, 0xff, 0xff))).toBe(0xffff880000000000n);
    expect(decodeValue(btf, DOUBLE, encodeValue(btf, DOUBLE, 1.5))).toBe(1.5);
    expect(decodeValue(btf, BITS, encodeValue(btf, BITS, { a: 5, b: 4097, c: 3 }))).toEqual({ a: 5, b: 4097, c: 3 });
    expect(() => decodeValue(btf, REC, new Uint8Array(12))).toThrow('too short');
  });

  test.each([
    ['10.0.0.1', BE32, '0a000001'], ['10.0.0.1', U32, '0a000001'], ['10.0.0.1', 6, '0a000001'], ['02:00:5e:10:00:01', MAC, '02005e100001'],
    ['2001:db8::1', V6, '20010db8000000000000000000000001'], ['::ffff:10.0.0.1', BE32x4, '00000000000000000000ffff0a000001'], ['10.0.0.0/8', LPM4, '080000000a000000'],
    ['0xff', U8, 'ff'], ['-2', S64, 'feffffffffffffff'], ['9007199254740993', S64, '0100000000002000'], ['hex:01 02 03 04', U32, '01020304'], [Uint8Array.of(4, 3, 2, 1), U32, '04030201'],
    [true, 5, '01'], ['ON', MODE, '05000000'], [5, MODE, '05000000'],
  ])('%s as type %i', (value, type, hex) => {
    expect(toHex(encodeValue(btf, type, value))).toBe(hex);
  });

  test.each([
    [REC, { addr: [1, 2, 3, 300] }, '.key.addr[3]: 300 does not fit in unsigned char'],
    [REC, { addr: [1, 2, 3, 4, 5] }, '.key.addr: 5 elements, unsigned char[4] has 4'],
    [REC, { adr: 1 }, '.key.adr: struct rec has no such member; it has id, addr, total, name, word, bytes, mode, ok, mac'],
    [REC, { name: 'far too long' }, ".key.name: 'far too long' has 12 bytes, there is room for 8"],
    [REC, { mode: 'MAYBE' }, ".key.mode: 'MAYBE' is not one of OFF, ON"],
    [REC, { addr: '2001:db8::1' }, ".key.addr: '2001:db8::1' is an address of 16 bytes, unsigned char[4] has 4"],
    [REC, 5, '.key: 5 is not an object for struct rec'],
    [U32, -1, '.key: -1 does not fit in unsigned int'],
    [U32, 1.5, '.key: 1.5 is not a number for unsigned int'],
    [S64, 2 ** 60, '.key: 1152921504606847000 is not exact beyond 2^53: write it as text ("…")'],
    [BITS, { a: 8 }, '.key.a: 8 does not fit in unsigned int of 3 bits'],
    [5, 2, '.key: 2 is neither true nor false'],
    [U32, 'hex:0102', '.key: 2 bytes, unsigned int has 4'],
  ])('type %i refuses %j', (type, value, message) => {
    expect(() => encodeValue(btf, type, value, '.key')).toThrow(new LoadError(message));
  });

  test('addresses', () => {
    expect(['1.2.3', '256.0.0.1', '1:2', ':::', '1::2::3', '02:00:5e:10:00', 'x', '1:2:3:4:5:6:7:8:9'].map(parseAddress)).toEqual(Array.from({ length: 8 }, () => undefined));
    expect(toHex(parseIpv6('::') ?? new Uint8Array(0))).toBe('0'.repeat(32));
    expect(toHex(parseIpv6('1:2:3:4:5:6:7:8') ?? new Uint8Array(0))).toBe('00010002000300040005000600070008');
    expect([parseCidr('10.0.0.0/33'), parseCidr('10.0.0.0'), parseCidr('a/8')]).toEqual([undefined, undefined, undefined]);
    expect(parseCidr('2001:db8::/128')?.prefixLen).toBe(128);
  });
});

const map = (part: Partial<MapSpec>): MapSpec => ({
  name: 'm', kernelName: 'm', section: '.maps', origin: 'defined', type: BPF_MAP_TYPE_HASH, keySize: 4, valueSize: 8, maxEntries: 8, flags: 0, numaNode: 0, mapExtra: 0n,
  keyTypeId: 0, valueTypeId: 0, pinning: 0, slots: [], frozen: false, ...part,
});

const elements = (spec: MapSpec, json: unknown): string[] => new MapValues(spec, btf, 2).elementsFromJson(json).map((e) => `${e.key === undefined ? '-' : toHex(e.key)}=${toHex(e.value)}`);


describe('maps from JSON', () => {
  test('bpftool\'s form, keys as text, plain lists', () => {
    const lpm = map({ type: BPF_MAP_TYPE_LPM_TRIE, keySize: 8, valueSize: 4, keyTypeId: LPM4, valueTypeId: U32 });
    expect(elements(lpm, [{ key: { prefixlen: 16, addr: '10.1.0.0' }, value: 1 }, { key: '10.0.0.0/8', value: 2 }])).toEqual(['100000000a010000=01000000', '080000000a000000=02000000']);
    expect(elements(lpm, { '10.0.0.0/8': 2 })).toEqual(['080000000a000000=02000000']);
    expect(elements(map({ type: BPF_MAP_TYPE_ARRAY, valueSize: 4, keyTypeId: U32, valueTypeId: U32 }), [5, 6])).toEqual(['00000000=05000000', '01000000=06000000']);
    expect(elements(map({ type: BPF_MAP_TYPE_QUEUE, keySize: 0, valueSize: 4, valueTypeId: U32 }), [5, { value: 6 }])).toEqual(['-=05000000', '-=06000000']);
  });

  test('per-CPU values', () => {
    const spec = map({ type: BPF_MAP_TYPE_PERCPU_HASH, valueSize: 4, keyTypeId: U32, valueTypeId: U32 });
    expect(elements(spec, [{ key: 1, value: 2 }, { key: 2, values: [{ cpu: 1, value: 9 }] }])).toEqual(['01000000=02000000000000000200000000000000', '02000000=00000000000000000900000000000000']);
    const values = new MapValues(spec, btf, 2);
    expect(toJson(values.decodeElement(Uint8Array.of(1, 0, 0, 0), Uint8Array.from({ length: 16 }, (_, i) => (i % 8 === 0 ? i + 1 : 0))))).toBe('{"key":1,"values":[{"cpu":0,"value":1},{"cpu":1,"value":9}]}');
    expect(() => elements(spec, [{ key: 1, values: [{ cpu: 2, value: 1 }] }])).toThrow('m[0].values[0]: is not {"cpu": 0 to 1, "value": …}');
  });

  test('without types', () => {
    const spec = map({});
    expect(elements(spec, [{ key: '10.0.0.1', value: 258 }, { key: ['0x01', 2, 3, 4], value: 'hex:0102030405060708' }])).toEqual(['0a000001=0201000000000000', '01020304=0102030405060708']);
    expect(new MapValues(spec, undefined, 2).decodeKey(Uint8Array.of(1, 255, 0, 9))).toEqual(['0x01', '0xff', '0x00', '0x09']);
    expect(() => elements(spec, [{ key: 'x', value: 1 }])).toThrow('m[0].key: the map has no BTF types');
    expect(() => elements(spec, [{ key: 2 ** 32, value: 1 }])).toThrow('m[0].key: 4294967296 does not fit in 4 bytes');
  });

  test('the path of what is wrong', () => {
    const spec = map({ keySize: 40, keyTypeId: REC, valueSize: 4, valueTypeId: U32 });
    expect(() => elements(spec, [{ key: {}, value: 0 }, { key: { addr: [1, 999] }, value: 0 }])).toThrow('m[1].key.addr[1]: 999 does not fit in unsigned char');
    expect(() => elements(spec, 'x')).toThrow('m: is neither a list nor an object');
    expect(() => elements(spec, [{ value: 1 }])).toThrow('m[0]: is not {"key": …, "value": …}');
  });
});
