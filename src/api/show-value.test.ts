// Values as people read them: addresses, prefixes, big-endian fields, bytes.

import { expect, test } from 'vitest';
import { Btf } from '../btf/btf.ts';
import { parseBtf } from '../btf/btf.ts';
import { encodeBtf } from '../btf/encode.ts';
import type { BtfType } from '../btf/types.ts';
import { BTF_KIND_ARRAY, BTF_KIND_INT, BTF_KIND_STRUCT, BTF_KIND_TYPEDEF } from '../spec/btf.ts';
import { decodeValue } from '../loader/btf-values.ts';
import { showPrefix, showValue, zeroJson } from './show-value.ts';

const member = (name: string, type: number, byteOffset: number): { name: string; type: number; bitOffset: number; bitSize: number } => ({ name, type, bitOffset: byteOffset * 8, bitSize: 0 });
const TYPES: readonly BtfType[] = [
  { kind: BTF_KIND_INT, name: 'unsigned int', size: 4, bits: 32, offset: 0, encoding: 0 },
  { kind: BTF_KIND_INT, name: 'unsigned char', size: 1, bits: 8, offset: 0, encoding: 0 },
  { kind: BTF_KIND_TYPEDEF, name: '__be32', type: 1 },
  { kind: BTF_KIND_ARRAY, name: '', type: 2, indexType: 1, nelems: 16 },
  { kind: BTF_KIND_ARRAY, name: '', type: 2, indexType: 1, nelems: 6 },
  { kind: BTF_KIND_STRUCT, name: 'key', size: 46, members: [member('saddr', 4, 0), member('cookie', 4, 16), member('mac', 5, 32), member('daddr', 3, 38), member('seq', 3, 42)], kflag: false } as BtfType,
];
const STRUCT = 6;
const btf: Btf = parseBtf(encodeBtf(TYPES));

function show(fill: (bytes: Uint8Array) => void): string {
  const bytes = new Uint8Array(46);
  fill(bytes);
  return showValue(btf, STRUCT, decodeValue(btf, STRUCT, bytes));
}

test('members are shown by what their names and types say', () => {
  const text = show((bytes) => {
    bytes.set([10, 1, 0, 2], 0);
    bytes.set([1, 2], 16);
    bytes.set([2, 0, 0, 0, 1, 255], 32);
    bytes.set([192, 0, 2, 7], 38);
    bytes.set([0, 0, 1, 2], 42);
  });
  expect(text).toBe('{saddr: 10.1.0.2, cookie: 0x01020000000000000000000000000000, mac: 02:00:00:00:01:ff, daddr: 192.0.2.7, seq: 258}');
});

test.each([
  [[0x20, 1, 0x0d, 0xb8, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2], '2001:db8:1::2'],
  [[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1], '::1'],
  [[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], '::'],
  [[0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xfe, 0, 0, 0x0a], 'fe80::ff:fe00:a'],
  [[0, 1, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 3, 0, 4], '1:0:2::3:4'],
  [[0, 1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 0, 7, 0, 8], '1:2:3:4:5:6:7:8'],
])('%j as an IPv6 address', (bytes, text) => {
  expect(show((all) => all.set(bytes, 0))).toContain(`saddr: ${text},`);
});

test('keys of tries are prefixes', () => {
  expect(showPrefix({ prefixlen: 24, addr: [192, 0, 2, 0] })).toBe('192.0.2.0/24');
  expect(showPrefix({ prefixlen: 32, addr: [0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0] })).toBe('2001:db8::/32');
  expect(showPrefix({ prefixlen: 8, addr: 10 })).toBe('10.0.0.0/8');
  expect(showPrefix({ prefixlen: 8, addr: [1, 2, 3] })).toBeUndefined();
});

test('without types: hex', () => {
  expect(showValue(undefined, 0, ['0x00', '0xff'])).toBe('0x00ff');
  expect(zeroJson(undefined, 0, 2)).toBe('["0x00","0x00"]');
});
