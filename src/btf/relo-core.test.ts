// CO-RE decisions on small hand-made types. The same decisions on compiled objects are compared with libbpf in tests/loader/libbpf.test.ts.

import { describe, expect, test } from 'vitest';
import {
  BPF_CORE_ENUMVAL_EXISTS, BPF_CORE_ENUMVAL_VALUE, BPF_CORE_FIELD_BYTE_OFFSET, BPF_CORE_FIELD_BYTE_SIZE, BPF_CORE_FIELD_EXISTS, BPF_CORE_FIELD_LSHIFT_U64,
  BPF_CORE_FIELD_RSHIFT_U64, BPF_CORE_FIELD_SIGNED, BPF_CORE_TYPE_EXISTS, BPF_CORE_TYPE_ID_LOCAL, BPF_CORE_TYPE_ID_TARGET, BPF_CORE_TYPE_MATCHES, BPF_CORE_TYPE_SIZE,
  BTF_INT_SIGNED, BTF_KIND_ARRAY, BTF_KIND_ENUM, BTF_KIND_ENUM64, BTF_KIND_INT, BTF_KIND_PTR, BTF_KIND_STRUCT,
} from '../spec/btf.ts';
import { LoadError } from '../util/errors.ts';
import { parseBtf } from './btf.ts';
import { encodeBtf } from './encode.ts';
import { CoreRelocator } from './relo-core.ts';
import type { BtfMember, BtfType } from './types.ts';

const U32: BtfType = { kind: BTF_KIND_INT, name: 'unsigned int', size: 4, bits: 32, offset: 0, encoding: 0 }; // always type 1
const S64: BtfType = { kind: BTF_KIND_INT, name: 'long', size: 8, bits: 64, offset: 0, encoding: BTF_INT_SIGNED }; // always type 2
const member = (name: string, type: number, bitOffset: number, bitSize = 0): BtfMember => ({ name, type, bitOffset, bitSize });
const struct = (name: string, size: number, ...members: BtfMember[]): BtfType => ({ kind: BTF_KIND_STRUCT, name, size, kflag: members.some((m) => m.bitSize > 0), members });

function relocator(local: BtfType[], target: BtfType[] | undefined): CoreRelocator {
  return new CoreRelocator(parseBtf(encodeBtf([U32, S64, ...local])), target === undefined ? undefined : parseBtf(encodeBtf([U32, S64, ...target])));
}

const relo = (kind: number, accessStr: string, typeId = 3): { insnOff: number; kind: number; accessStr: string; typeId: number } => ({ insnOff: 0, kind, accessStr, typeId });

const array = (nelems: number): BtfType => ({ kind: BTF_KIND_ARRAY, name: '', type: 1, indexType: 1, nelems });

const two = (...offsets: number[]): BtfType[] => offsets.map((bit, i) => struct(i === 0 ? 's' : `s___${i}`, 16, member('a', 1, bit)));

describe('fields', () => {
  const local = [struct('s', 8, member('a', 1, 0), member('b', 1, 32))];

  test('moved, through anonymous members, in a flavour of the type', () => {
    const core = relocator([struct('s___mine', 8, member('a', 1, 0), member('b', 1, 32))], [struct('s', 24, member('x', 2, 0), member('', 4, 64)), struct('', 16, member('b', 1, 96))]);
    expect(core.resolve(relo(BPF_CORE_FIELD_BYTE_OFFSET, '0:1'))).toMatchObject({ origVal: 4n, newVal: 20n, poison: false, validate: true, origSize: 4, newSize: 4, spec: '<byte_off> [3] struct s___mine.b (0:1 @ offset 4)' });
    expect(core.resolve(relo(BPF_CORE_FIELD_BYTE_OFFSET, '0:0')).poison).toBe(true);
    expect(core.resolve(relo(BPF_CORE_FIELD_EXISTS, '0:0'))).toMatchObject({ newVal: 0n, poison: false });
    expect(core.resolve(relo(BPF_CORE_FIELD_EXISTS, '0:1'))).toMatchObject({ newVal: 1n });
  });

  test('of another width: unsigned may change, signed may not', () => {
    const wide = relocator(local, [struct('s', 16, member('a', 2, 0), member('b', 1, 64))]);
    expect(wide.resolve(relo(BPF_CORE_FIELD_BYTE_OFFSET, '0:0'))).toMatchObject({ origSize: 4, newSize: 8, failMemszAdjust: true });
    expect(wide.resolve(relo(BPF_CORE_FIELD_BYTE_SIZE, '0:0'))).toMatchObject({ origVal: 4n, newVal: 8n });
    expect(wide.resolve(relo(BPF_CORE_FIELD_SIGNED, '0:0'))).toMatchObject({ origVal: 0n, newVal: 1n });
    const pointer = relocator([struct('s', 8, member('p', 4, 0)), { kind: BTF_KIND_PTR, name: '', type: 0 }], [struct('s', 8, member('p', 4, 0)), { kind: BTF_KIND_PTR, name: '', type: 1 }]);
    expect(pointer.resolve(relo(BPF_CORE_FIELD_BYTE_OFFSET, '0:0'))).toMatchObject({ failMemszAdjust: false, newSize: 8 });
  });

  test('of an incompatible type does not match', () => {
    expect(relocator(local, [struct('s', 8, member('a', 3, 0))]).resolve(relo(BPF_CORE_FIELD_EXISTS, '0:0')).newVal).toBe(0n);
  });

  test('in arrays: elements, the root as array, flexible arrays, out of bounds', () => {
    const with4 = relocator([struct('s', 20, member('a', 1, 0), member('v', 4, 32)), array(4)], [struct('s', 24, member('a', 1, 0), member('pad', 1, 32), member('v', 4, 64)), array(3)]);
    expect(with4.resolve(relo(BPF_CORE_FIELD_BYTE_OFFSET, '0:1:2'))).toMatchObject({ origVal: 12n, newVal: 16n, origSize: 4, newSize: 4 });
    expect(with4.resolve(relo(BPF_CORE_FIELD_EXISTS, '0:1:3')).newVal).toBe(0n);
    expect(with4.resolve(relo(BPF_CORE_FIELD_BYTE_OFFSET, '2:0'))).toMatchObject({ origVal: 40n, newVal: 48n });
    expect(with4.resolve(relo(BPF_CORE_FIELD_BYTE_OFFSET, '0:1'))).toMatchObject({ origSize: 4, newSize: 4 });
    expect(() => with4.resolve(relo(BPF_CORE_FIELD_BYTE_OFFSET, '0:1:4'))).toThrow("access string '0:1:4' does not fit");
    const flexible = relocator([struct('s', 4, member('a', 1, 0), member('v', 4, 32)), array(0)], [struct('s', 8, member('a', 1, 0), member('v', 4, 64)), array(0)]);
    expect(flexible.resolve(relo(BPF_CORE_FIELD_BYTE_OFFSET, '0:1:5'))).toMatchObject({ origVal: 24n, newVal: 28n });
  });

  test('bitfields: load place and shifts', () => {
    const core = relocator([struct('s', 4, member('f', 1, 3, 5))], [struct('s', 16, member('f', 1, 28, 7))]);
    expect(core.resolve(relo(BPF_CORE_FIELD_BYTE_OFFSET, '0:0'))).toMatchObject({ origVal: 0n, newVal: 0n, validate: false });
    expect(core.resolve(relo(BPF_CORE_FIELD_RSHIFT_U64, '0:0'))).toMatchObject({ origVal: 59n, newVal: 57n, validate: true });
    const across = relocator([struct('s', 4, member('f', 1, 3, 5))], [struct('s', 16, member('f', 1, 60, 7))]);
    expect(() => across.resolve(relo(BPF_CORE_FIELD_BYTE_OFFSET, '0:0'))).toThrow("can't be satisfied for bitfield");
    const inside = relocator([struct('s', 4, member('f', 1, 3, 5))], [struct('s', 16, member('f', 1, 40, 7))]);
    expect(inside.resolve(relo(BPF_CORE_FIELD_BYTE_OFFSET, '0:0')).newVal).toBe(4n);
    expect(inside.resolve(relo(BPF_CORE_FIELD_BYTE_SIZE, '0:0')).newVal).toBe(4n);
    expect(inside.resolve(relo(BPF_CORE_FIELD_LSHIFT_U64, '0:0'))).toMatchObject({ origVal: 56n, newVal: 49n });
  });

  test('candidates must agree', () => {
    expect(relocator(local, two(64, 64)).resolve(relo(BPF_CORE_FIELD_BYTE_OFFSET, '0:0')).newVal).toBe(8n);
    expect(() => relocator(local, two(64, 32)).resolve(relo(BPF_CORE_FIELD_BYTE_OFFSET, '0:0'))).toThrow('field offset ambiguity: 32 != 64');
    expect(() => relocator(local, [struct('s', 8), struct('s', 16)]).resolve(relo(BPF_CORE_TYPE_SIZE, '0'))).toThrow('relocation decision ambiguity: success 16 != success 8');
  });
});

describe('types and enumerators', () => {
  test('ids, existence, size, match', () => {
    const core = relocator([struct('s', 4, member('a', 1, 0)), struct('t', 4)], [struct('q', 4), struct('s', 12, member('a', 1, 0), member('b', 1, 32))]);
    expect(core.resolve(relo(BPF_CORE_TYPE_ID_LOCAL, '0'))).toMatchObject({ newVal: 3n, validate: false });
    expect(core.resolve(relo(BPF_CORE_TYPE_ID_TARGET, '0'))).toMatchObject({ origVal: 3n, newVal: 4n, validate: false });
    expect(core.resolve(relo(BPF_CORE_TYPE_SIZE, '0')).newVal).toBe(12n);
    expect(core.resolve(relo(BPF_CORE_TYPE_MATCHES, '0')).newVal).toBe(1n);
    expect(core.resolve(relo(BPF_CORE_TYPE_EXISTS, '0', 4))).toMatchObject({ newVal: 0n, poison: false });
    const differs = relocator([struct('s', 8, member('a', 2, 0))], [struct('s', 4, member('a', 1, 0))]);
    expect(differs.resolve(relo(BPF_CORE_TYPE_MATCHES, '0')).newVal).toBe(0n);
    expect(differs.resolve(relo(BPF_CORE_TYPE_EXISTS, '0')).newVal).toBe(1n);
  });

  test('enumerators by essential name, ENUM and ENUM64 alike', () => {
    const local: BtfType = { kind: BTF_KIND_ENUM, name: 'e', size: 4, signed: false, values: [{ name: 'ONE___old', value: 1n }, { name: 'GONE', value: 2n }] };
    const target: BtfType = { kind: BTF_KIND_ENUM64, name: 'e', size: 8, signed: false, values: [{ name: 'ZERO', value: 0n }, { name: 'ONE', value: 0x1_0000_0001n }] };
    const core = relocator([local], [target]);
    expect(core.resolve(relo(BPF_CORE_ENUMVAL_VALUE, '0'))).toMatchObject({ origVal: 1n, newVal: 0x1_0000_0001n });
    expect(core.resolve(relo(BPF_CORE_ENUMVAL_VALUE, '1')).poison).toBe(true);
    expect(core.resolve(relo(BPF_CORE_ENUMVAL_EXISTS, '1')).newVal).toBe(0n);
  });
});

describe('refuses', () => {
  test.each([
    ['no target BTF', relocator([struct('s', 4, member('a', 1, 0))], undefined), relo(BPF_CORE_FIELD_EXISTS, '0:0'), 'needs the kernel\'s BTF'],
    ['anonymous types', relocator([struct('', 4, member('a', 1, 0))], []), relo(BPF_CORE_FIELD_EXISTS, '0:0'), 'anonymous types'],
    ['unknown kinds', relocator([struct('s', 4)], []), relo(55, '0'), 'unknown kind 55'],
    ['a malformed access string', relocator([struct('s', 4)], []), relo(BPF_CORE_FIELD_EXISTS, '0:x'), "'0:x' does not fit"],
    ['a member that is not there', relocator([struct('s', 4)], []), relo(BPF_CORE_FIELD_EXISTS, '0:0'), 'does not fit type [3] s'],
  ])('%s', (_, core, bad, message) => {
    expect(() => core.resolve(bad)).toThrow(LoadError);
    expect(() => core.resolve(bad)).toThrow(message);
  });
});
