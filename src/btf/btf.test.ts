// BTF: every kind there and back, names, walks, printing, and what is wrong with broken sections.

import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import {
  BTF_INT_BOOL, BTF_INT_SIGNED, BTF_KIND_ARRAY, BTF_KIND_CONST, BTF_KIND_DATASEC, BTF_KIND_DECL_TAG, BTF_KIND_ENUM, BTF_KIND_ENUM64, BTF_KIND_FLOAT, BTF_KIND_FUNC,
  BTF_KIND_FUNC_PROTO, BTF_KIND_FWD, BTF_KIND_INT, BTF_KIND_MAX, BTF_KIND_PTR, BTF_KIND_RESTRICT, BTF_KIND_STRUCT, BTF_KIND_TYPEDEF, BTF_KIND_TYPE_TAG, BTF_KIND_UNION,
  BTF_KIND_VAR, BTF_KIND_VOLATILE,
} from '../spec/btf.ts';
import { BtfError } from '../util/errors.ts';
import { parseBtf } from './btf.ts';
import { encodeBtf } from './encode.ts';
import { parseBtfExt } from './ext.ts';
import { essentialName } from './name-index.ts';
import { formatDefinition, formatType } from './print.ts';
import type { BtfType } from './types.ts';
import { alignOf, findMember, sizeOf, skipModsAndTypedefs } from './walk.ts';

const int = (name: string, size: number, encoding = 0): BtfType => ({ kind: BTF_KIND_INT, name, size, bits: size * 8, offset: 0, encoding });

/** One type of each kind; ids are the positions from 1. */
const ALL: BtfType[] = [
  int('int', 4, BTF_INT_SIGNED), // 1
  { kind: BTF_KIND_PTR, name: '', type: 5 },
  { kind: BTF_KIND_ARRAY, name: '', type: 1, indexType: 1, nelems: 3 },
  int('_Bool', 1, BTF_INT_BOOL),
  { // 5
    kind: BTF_KIND_STRUCT, name: 'node', size: 32, kflag: true, members: [
      { name: 'next', type: 2, bitOffset: 0, bitSize: 0 }, { name: '', type: 6, bitOffset: 64, bitSize: 0 }, { name: 'low', type: 1, bitOffset: 192, bitSize: 5 },
      { name: 'high', type: 1, bitOffset: 197, bitSize: 27 },
    ],
  },
  { kind: BTF_KIND_UNION, name: '', size: 12, kflag: false, members: [{ name: 'items', type: 3, bitOffset: 0, bitSize: 0 }, { name: 'flag', type: 4, bitOffset: 32, bitSize: 0 }] },
  { kind: BTF_KIND_ENUM, name: 'color', size: 4, signed: true, values: [{ name: 'RED', value: -1n }, { name: 'BLUE', value: 7n }] },
  { kind: BTF_KIND_FWD, name: 'later', isUnion: true },
  { kind: BTF_KIND_TYPEDEF, name: 'node_t', type: 5 },
  { kind: BTF_KIND_VOLATILE, name: '', type: 9 }, // 10
  { kind: BTF_KIND_CONST, name: '', type: 10 },
  { kind: BTF_KIND_RESTRICT, name: '', type: 2 },
  { kind: BTF_KIND_FUNC, name: 'work', type: 14, linkage: 1 },
  { kind: BTF_KIND_FUNC_PROTO, name: '', type: 1, params: [{ name: 'a', type: 12 }, { name: '', type: 0 }] },
  { kind: BTF_KIND_VAR, name: 'count', type: 1, linkage: 0 }, // 15
  { kind: BTF_KIND_DATASEC, name: '.data', size: 4, vars: [{ type: 15, offset: 0, size: 4 }] },
  { kind: BTF_KIND_FLOAT, name: 'double', size: 8 },
  { kind: BTF_KIND_DECL_TAG, name: 'tag', type: 5, componentIdx: -1, kflag: false },
  { kind: BTF_KIND_TYPE_TAG, name: 'user', type: 1, kflag: false },
  { kind: BTF_KIND_ENUM64, name: 'wide', size: 8, signed: false, values: [{ name: 'MAX', value: 0xffff_ffff_ffff_ffffn }] }, // 20
];

const all = parseBtf(encodeBtf(ALL));

/** The sample with one word changed. */
function word(at: number, value: number): Uint8Array {
  const bytes = encodeBtf(ALL);
  new DataView(bytes.buffer).setUint32(at, value, true);
  return bytes;
}

/** A .BTF.ext with these words as func_info. */
const ext = (...words: number[]): Uint8Array => new Uint8Array(Uint32Array.from([0x0001eb9f, 24, 0, words.length * 4, words.length * 4, 0, ...words]).buffer);

describe('Btf', () => {
  test('every kind comes back as it was', () => {
    expect(new Set(ALL.map((t) => t.kind)).size).toBe(BTF_KIND_MAX);
    expect(all.typeCount).toBe(ALL.length + 1);
    // `toMatchObject`: references carry a kflag that their sources may leave out; -1 is kept for component indexes.
    ALL.forEach((type, i) => expect(all.type(i + 1)).toMatchObject(type.kind === BTF_KIND_DECL_TAG ? { ...type, componentIdx: -1 } : type));
  });

  test('finds types by name, kind and essential name', () => {
    expect(all.findByName('node')).toBe(5);
    expect(all.findByName('node', BTF_KIND_UNION)).toBeUndefined();
    expect(all.findByName('nothing')).toBeUndefined();
    const flavours = parseBtf(encodeBtf([int('sk', 4), int('sk___old', 4), int('sk___', 4), int('a___b___c', 4), int('sk___new', 4)]));
    expect(flavours.idsByEssentialName('sk')).toEqual([1, 2, 5]);
    expect(flavours.idsByEssentialName('a___b')).toEqual([4]);
    expect(flavours.idsByName('sk___old')).toEqual([2]);
    expect(flavours.idsByName('a___b___c')).toEqual([4]);
  });

  test.each([['task_struct', 'task_struct'], ['a___b', 'a'], ['___b', '___b'], ['a____b', 'a____b'], ['a___', 'a___'], ['a___b___c', 'a___b'], ['', '']])('essential name of %j is %j', (name, essential) => {
    expect(essentialName(name)).toBe(essential);
  });

  test('walks typedefs and modifiers, sizes, alignments, members', () => {
    expect(skipModsAndTypedefs(all, 11)).toBe(5);
    expect([1, 2, 3, 5, 11, 7, 16, 17, 20].map((id) => sizeOf(all, id))).toEqual([4, 8, 12, 32, 32, 4, 4, 8, 8]);
    expect([0, 8, 13, 14].map((id) => sizeOf(all, id))).toEqual([undefined, undefined, undefined, undefined]);
    expect(alignOf(all, 9)).toBe(8);
    expect(findMember(all, 11, 'flag')).toMatchObject({ bitOffset: 96, owner: 6 });
    expect(findMember(all, 9, 'high')).toMatchObject({ bitOffset: 197, member: { bitSize: 27 } });
    expect(findMember(all, 5, 'none')).toBeUndefined();
  });

  test('prints types as C', () => {
    expect(formatType(all, 2)).toBe('struct node *');
    expect(formatType(all, 3, 'x')).toBe('int x[3]');
    expect(formatType(all, 11, 'p')).toBe('const volatile node_t p');
    expect(formatType(all, 14)).toBe('int (struct node *restrict a, ...)');
    expect(formatType(all, 13)).toBe('int work(struct node *restrict a, ...)');
    expect(formatType(all, 15)).toBe('static int count');
    expect(formatDefinition(all, 5)).toBe(['struct node {', '\tstruct node *next; /* 0 */', '\tunion {', '\t\tint items[3]; /* 8 */', '\t\t_Bool flag; /* 12 */', '\t}; /* 8 */', '\tint low:5; /* 24:0 */', '\tint high:27; /* 24:5 */', '};'].join('\n'));
    expect(formatDefinition(all, 7)).toBe('enum color {\n\tRED = -1,\n\tBLUE = 7,\n};');
  });

  test('cyclic types end', () => {
    const cyclic = parseBtf(encodeBtf([
      { kind: BTF_KIND_TYPEDEF, name: 'loop', type: 1 }, { kind: BTF_KIND_ARRAY, name: '', type: 2, indexType: 1, nelems: 9 },
      { kind: BTF_KIND_STRUCT, name: '', size: 8, kflag: false, members: [{ name: '', type: 3, bitOffset: 0, bitSize: 0 }, { name: '', type: 3, bitOffset: 8, bitSize: 0 }] },
      { kind: BTF_KIND_FUNC_PROTO, name: '', type: 4, params: Array.from({ length: 8 }, () => ({ name: 'p', type: 4 })) },
    ]));
    expect(skipModsAndTypedefs(cyclic, 1)).toBe(0);
    expect(sizeOf(cyclic, 2)).toBeUndefined();
    expect(findMember(cyclic, 3, 'x')).toBeUndefined();
    expect(alignOf(cyclic, 3)).toBe(1);
    expect(formatType(cyclic, 4).length).toBeLessThan(1_000_000);
    expect(formatDefinition(cyclic, 3)).toContain('...');
  });
});

describe('parseBtf says what is wrong:', () => {
  test.each([
    ['empty', new Uint8Array(0), 'truncated'],
    ['magic', word(0, 0x0100eb9e), 'bad magic 0xeb9e'],
    ['big-endian', Uint8Array.from([0xeb, 0x9f, 1, 0, ...new Uint8Array(40)]), 'big-endian BTF'],
    ['version', word(0, 0x0007eb9f), 'unknown version 7'],
    ['header length', word(4, 8), 'bad header length 8'],
    ['types beyond the end', word(12, 1 << 20), 'reaches beyond the end'],
    ['overlap', word(8, 4), 'overlap'],
    ['kind', word(24 + 4, 31 << 24), 'unknown kind 31'],
    ['name', word(24, 99_999), 'beyond the strings'],
    ['type id', word(24 + 16 + 8, 400), 'type 2 refers to type 400 of 21'],
  ])('%s', (_, bytes, message) => {
    expect(() => parseBtf(bytes)).toThrow(BtfError);
    expect(() => parseBtf(bytes)).toThrow(message);
  });

  test('any truncation', () => {
    const whole = encodeBtf(ALL);
    for (let length = 0; length < whole.length; length++) expect(() => parseBtf(whole.subarray(0, length))).toThrow(BtfError);
  });

  test('.BTF.ext', () => {
    const name = all.nameOffset(5);
    expect(parseBtfExt(ext(8, name, 1, 16, 13), all).funcInfo.get('node')).toEqual([{ insnOff: 16, typeId: 13 }]);
    expect(() => parseBtfExt(ext(4, name, 1, 16), all)).toThrow('record size 4');
    expect(() => parseBtfExt(ext(8, name, 9, 16, 13), all)).toThrow('9 records of 8 bytes reach beyond the end');
    expect(() => parseBtfExt(ext(8, name, 1, 16, 99), all)).toThrow('type 99 of 21');
    expect(() => parseBtfExt(ext(8, name, 0), all)).toThrow('section without records');
  });
});

const VMLINUX = '/sys/kernel/btf/vmlinux';

test.skipIf(!existsSync(VMLINUX))('a whole vmlinux opens fast (skipped where the system has no /sys/kernel/btf)', () => {
  const bytes = new Uint8Array(readFileSync(VMLINUX));
  const start = performance.now();
  const btf = parseBtf(bytes, 'vmlinux');
  const id = btf.findByName('task_struct', BTF_KIND_STRUCT);
  expect(performance.now() - start).toBeLessThan(600);
  expect(btf.typeCount).toBeGreaterThan(10_000);
  expect(findMember(btf, id ?? 0, 'pid')).toBeDefined();
});
