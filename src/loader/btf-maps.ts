// Maps defined through BTF in section .maps: `struct { __uint(type, …); __type(key, …); … } name SEC(".maps")`.
// Invariant: a definition is taken whole or refused with a LoadError that names the map and the field; the fields are libbpf 1.x's.
// Source: libbpf's parse_btf_map_def and bpf_object__collect_map_relos.

import type { Btf } from '../btf/btf.ts';
import type { BtfArray, BtfComposite, BtfDatasec, BtfEnum, BtfMember, BtfReference, BtfVar } from '../btf/types.ts';
import { isEnum, sizeOf, skipMods, skipModsAndTypedefs } from '../btf/walk.ts';
import {
  BTF_KIND_ARRAY, BTF_KIND_DATASEC, BTF_KIND_FUNC_PROTO, BTF_KIND_PTR, BTF_KIND_STRUCT, BTF_KIND_VAR, BTF_VAR_GLOBAL_ALLOCATED,
} from '../spec/btf.ts';
import { LIBBPF_PIN_BY_NAME, LIBBPF_PIN_NONE } from '../spec/elf-bpf.ts';
import { BPF_OBJ_NAME_LEN } from '../spec/limits.ts';
import { BPF_MAP_TYPE_PROG_ARRAY, BPF_MAP_TYPE_UNSPEC, MAP_TYPES } from '../spec/map-types.ts';
import type { ElfSection } from '../elf/elf.ts';
import { ElfError, LoadError } from '../util/errors.ts';
import { relocationsOf, sectionOf, symbolName, type BpfElf } from './elf-object.ts';
import type { MapSlot, MapSpec } from './object-spec.ts';

/** A definition while its fields are read. */
interface Draft {
  readonly name: string;
  readonly isInner: boolean;
  type: number;
  keySize: number;
  valueSize: number;
  maxEntries: number;
  flags: number;
  numaNode: number;
  mapExtra: bigint;
  keyTypeId: number;
  valueTypeId: number;
  pinning: number;
  inner: MapSpec | undefined;
  /** Byte offset of `values` in the definition, -1 without. */
  valuesOffset: number;
}

/** A defined map, where its definition lies in .maps, and where its initial elements start. */
export interface DefinedMap { readonly spec: MapSpec; readonly offset: number; readonly size: number; readonly valuesOffset: number }

const fail = (draft: Draft, field: string, message: string): never => {
  throw new LoadError(`map '${draft.name}': ${field === '' ? '' : `'${field}' `}${message}`);
};

/** `__uint(name, value)` is a pointer to an array of `value` elements; `__ulong` an enum of one value. */
function fieldNumber(btf: Btf, draft: Draft, member: BtfMember): bigint {
  const id = skipModsAndTypedefs(btf, member.type);
  if (isEnum(btf, id)) {
    const value = (btf.type(id) as BtfEnum).values[0];
    if (value !== undefined) return BigInt.asUintN(64, value.value);
  }
  if (btf.kind(id) === BTF_KIND_PTR) {
    const array = skipModsAndTypedefs(btf, (btf.type(id) as BtfReference).type);
    if (btf.kind(array) === BTF_KIND_ARRAY) return BigInt((btf.type(array) as BtfArray).nelems);
  }
  return fail(draft, member.name, 'is not a number: write it with __uint or __ulong');
}

/** `__type(name, T)` is a pointer to T; gives T's id and size. */
function fieldType(btf: Btf, draft: Draft, member: BtfMember): { id: number; size: number } {
  const pointer = skipModsAndTypedefs(btf, member.type);
  if (btf.kind(pointer) !== BTF_KIND_PTR) fail(draft, member.name, 'is not a type: write it with __type');
  const id = (btf.type(pointer) as BtfReference).type;
  const size = sizeOf(btf, id);
  return size === undefined ? fail(draft, member.name, `has a type without size ([${id}])`) : { id, size };
}

function setSize(draft: Draft, field: 'keySize' | 'valueSize', name: string, size: number): void {
  if (draft[field] !== 0 && draft[field] !== size) fail(draft, name, `says ${size} bytes, another field ${draft[field]}`);
  draft[field] = size;
}

type ReadField = (btf: Btf, draft: Draft, member: BtfMember, isLast: boolean) => void;

const number = (btf: Btf, draft: Draft, member: BtfMember): number => Number(fieldNumber(btf, draft, member));

const FIELDS: ReadonlyMap<string, ReadField> = new Map<string, ReadField>([
  ['type', (btf, d, m) => { d.type = number(btf, d, m); }],
  ['max_entries', (btf, d, m) => { d.maxEntries = number(btf, d, m); }],
  ['map_flags', (btf, d, m) => { d.flags = number(btf, d, m); }],
  ['numa_node', (btf, d, m) => { d.numaNode = number(btf, d, m); }],
  ['map_extra', (btf, d, m) => { d.mapExtra = fieldNumber(btf, d, m); }],
  ['key_size', (btf, d, m) => setSize(d, 'keySize', 'key_size', number(btf, d, m))],
  ['value_size', (btf, d, m) => setSize(d, 'valueSize', 'value_size', number(btf, d, m))],
  ['key', (btf, d, m) => {
    const { id, size } = fieldType(btf, d, m);
    setSize(d, 'keySize', 'key', size);
    d.keyTypeId = id;
  }],
  ['value', (btf, d, m) => {
    const { id, size } = fieldType(btf, d, m);
    setSize(d, 'valueSize', 'value', size);
    d.valueTypeId = id;
  }],
  ['values', readValues],
  ['pinning', (btf, d, m) => {
    if (d.isInner) fail(d, 'pinning', 'is not for inner maps');
    d.pinning = number(btf, d, m);
    if (d.pinning !== LIBBPF_PIN_NONE && d.pinning !== LIBBPF_PIN_BY_NAME) fail(d, 'pinning', `has unknown value ${d.pinning}`);
  }],
]);

/** `__array(values, …)`: the inner map's definition, or the type of the programs of a PROG_ARRAY. */
function readValues(btf: Btf, draft: Draft, member: BtfMember, isLast: boolean): void {
  const isMapInMap = MAP_TYPES[draft.type]?.mapInMap === true;
  if (!isMapInMap && draft.type !== BPF_MAP_TYPE_PROG_ARRAY) fail(draft, 'values', 'is for maps of maps and PROG_ARRAY only (after `type`)');
  if (draft.isInner) fail(draft, 'values', 'is not for inner maps');
  if (!isLast) fail(draft, 'values', 'must be the last field');
  setSize(draft, 'valueSize', 'values', 4);
  const array = skipModsAndTypedefs(btf, member.type);
  if (btf.kind(array) !== BTF_KIND_ARRAY || (btf.type(array) as BtfArray).nelems !== 0) fail(draft, 'values', 'is not an array without length: write it with __array');
  const pointer = skipMods(btf, (btf.type(array) as BtfArray).type);
  if (btf.kind(pointer) !== BTF_KIND_PTR) fail(draft, 'values', 'is not an array of pointers');
  const target = skipModsAndTypedefs(btf, (btf.type(pointer) as BtfReference).type);
  draft.valuesOffset = member.bitOffset / 8;
  if (!isMapInMap) {
    if (btf.kind(target) !== BTF_KIND_FUNC_PROTO) fail(draft, 'values', 'of a PROG_ARRAY must be functions: __array(values, void (void))');
    return;
  }
  if (btf.kind(target) !== BTF_KIND_STRUCT) fail(draft, 'values', 'is not an array of map definitions');
  draft.inner = finish(readDefinition(btf, target, `${draft.name}.inner`, true), '.maps', []);
}

function readDefinition(btf: Btf, structId: number, name: string, isInner: boolean): Draft {
  const draft: Draft = {
    name, isInner, type: BPF_MAP_TYPE_UNSPEC, keySize: 0, valueSize: 0, maxEntries: 0, flags: 0, numaNode: 0, mapExtra: 0n, keyTypeId: 0, valueTypeId: 0,
    pinning: LIBBPF_PIN_NONE, inner: undefined, valuesOffset: -1,
  };
  const { members } = btf.type(structId) as BtfComposite;
  members.forEach((member, i) => {
    const read = FIELDS.get(member.name) ?? fail(draft, member.name, 'is not a field of map definitions');
    read(btf, draft, member, i === members.length - 1);
  });
  if (draft.type === BPF_MAP_TYPE_UNSPEC) fail(draft, '', 'no type given');
  return draft;
}

/** The kernel's form of a map's name. */
export const kernelMapName = (name: string): string => name.slice(0, BPF_OBJ_NAME_LEN - 1);

function finish(d: Draft, section: string, slots: readonly MapSlot[]): MapSpec {
  const spec = {
    name: d.name, kernelName: kernelMapName(d.name), section, origin: 'defined' as const, type: d.type, keySize: d.keySize, valueSize: d.valueSize,
    maxEntries: d.maxEntries, flags: d.flags, numaNode: d.numaNode, mapExtra: d.mapExtra, keyTypeId: d.keyTypeId, valueTypeId: d.valueTypeId, pinning: d.pinning,
    slots, frozen: false,
  };
  return d.inner === undefined ? spec : { ...spec, inner: d.inner };
}

/** The initial elements of one map: relocations of its `values`, each 8 bytes one slot. */
function readSlots(object: BpfElf, section: ElfSection, draft: Draft, start: number, end: number): MapSlot[] {
  return relocationsOf(object, section).flatMap(({ relocation, symbol, table }) => {
    const at = relocation.offset;
    if (at < start || at >= end) return [];
    const place = at - start - draft.valuesOffset;
    if (draft.valuesOffset < 0 || place < 0 || place % 8 !== 0) throw new ElfError(`map '${draft.name}': relocation at ${at} is not in its 'values'`, table, section.offset + at);
    const target = draft.type === BPF_MAP_TYPE_PROG_ARRAY ? 'prog' as const : 'map' as const;
    if (target === 'map' && sectionOf(object, symbol)?.index !== section.index) fail(draft, 'values', `holds '${symbolName(object, symbol)}', which is not a map in .maps`);
    return [{ index: place / 8, target, name: symbol.name }];
  });
}

function readVariable(object: BpfElf, btf: Btf, section: ElfSection, v: { type: number; offset: number; size: number }): DefinedMap {
  const variable = btf.type(v.type) as BtfVar;
  const at = section.offset + v.offset;
  if (btf.kind(v.type) !== BTF_KIND_VAR || variable.name === '') throw new ElfError('a map definition is not a named variable', '.maps', at);
  if (v.offset + v.size > section.size) throw new ElfError(`map '${variable.name}': definition reaches beyond the section`, '.maps', at);
  if (variable.linkage !== BTF_VAR_GLOBAL_ALLOCATED) throw new LoadError(`map '${variable.name}': static and extern maps are not possible`);
  const structId = skipModsAndTypedefs(btf, variable.type);
  if (btf.kind(structId) !== BTF_KIND_STRUCT) throw new LoadError(`map '${variable.name}': its definition is not a struct`);
  const draft = readDefinition(btf, structId, variable.name, false);
  const spec = finish(draft, '.maps', readSlots(object, section, draft, v.offset, v.offset + v.size));
  return { spec, offset: v.offset, size: v.size, valuesOffset: draft.valuesOffset };
}

/** The maps of section .maps, in the order of their definitions. Throws LoadError, ElfError. */
export function btfMaps(object: BpfElf): DefinedMap[] {
  const { maps: section, btf } = object;
  if (section === undefined || section.size === 0) return [];
  if (btf === undefined) throw new ElfError('maps are defined through BTF, but the object has none: compile with -g', '.maps', section.offset);
  const datasec = btf.findByName('.maps', BTF_KIND_DATASEC);
  if (datasec === undefined) throw new ElfError('BTF has no section .maps: compile with -g', '.maps', section.offset);
  return (btf.type(datasec) as BtfDatasec).vars.map((v) => readVariable(object, btf, section, v));
}
