// The same objects through llvm-readelf and bpftool: sections, symbols, relocations and every BTF type must be read alike.
// Skipped, with the reason in the test's name, where the tool is not installed.

import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { BtfType } from '../../src/btf/types.ts';
import { parseElf } from '../../src/elf/elf.ts';
import { BTF_KINDS } from '../../src/spec/btf.ts';
import { OBJECTS, objectBtf, readObject } from './object-programs.ts';

const works = (tool: string): boolean => spawnSync(tool, ['--version']).status === 0 || spawnSync(tool, ['version']).status === 0;
const output = (tool: string, ...args: string[]): unknown => JSON.parse(spawnSync(tool, args, { encoding: 'utf8', maxBuffer: 1 << 26 }).stdout);
const objects = readdirSync(OBJECTS).filter((name) => name.endsWith('.bpf.o'));

interface Named { readonly Name: { readonly Name: string } }
interface ReadelfSection extends Named { readonly Type: { readonly Value: number }; readonly Flags: { readonly Value: number }; readonly Offset: number; readonly Size: number; readonly Link: number; readonly Info: number }
interface ReadelfSymbol extends Named { readonly Value: number; readonly Size: number; readonly Binding: { readonly Value: number }; readonly Type: { readonly Value: number } }
interface ReadelfRelocation { readonly Offset: number; readonly Type: { readonly Value: number } }
interface Readelf {
  readonly Sections: { readonly Section: ReadelfSection }[];
  readonly Symbols: { readonly Symbol: ReadelfSymbol }[];
  readonly Relocations: { readonly Relocs: { readonly Relocation: ReadelfRelocation }[] }[];
}

const readelf = works('llvm-readelf-19');
describe.skipIf(!readelf)(`as llvm-readelf-19 reads them${readelf ? '' : ' (not installed)'}`, () => {
  test.each(objects)('%s', (name) => {
    const [theirs] = output('llvm-readelf-19', '-S', '-s', '-r', '--elf-output-style=JSON', OBJECTS + name) as [Readelf];
    const elf = parseElf(readObject(name));
    expect(elf.sections.map((s) => [s.name, s.type, s.flags, s.offset, s.size, s.link, s.info])).toEqual(
      theirs.Sections.map(({ Section: s }) => [s.Name.Name, s.Type.Value, s.Flags.Value, s.Offset, s.Size, s.Link, s.Info]));
    // readelf shows a section symbol by its section's name.
    expect(elf.symbols.map((s) => [s.type === 3 ? (elf.sections[s.section]?.name ?? '') : s.name, s.value, s.size, s.bind, s.type])).toEqual(
      theirs.Symbols.map(({ Symbol: s }) => [s.Name.Name, s.Value, s.Size, s.Binding.Value, s.Type.Value]));
    expect(elf.relocationSections.flatMap((r) => r.relocations.map((x) => [x.offset, x.type]))).toEqual(
      theirs.Relocations.flatMap((r) => r.Relocs.map(({ Relocation: x }) => [x.Offset, x.Type.Value])));
  });
});

interface BpftoolType {
  readonly kind: string; readonly name: string; readonly size?: number; readonly type_id?: number; readonly ret_type_id?: number; readonly nr_elems?: number;
  readonly members?: { readonly name: string; readonly type_id: number; readonly bits_offset: number; readonly bitfield_size?: number }[];
  readonly values?: { readonly name: string; readonly val: number }[];
  readonly params?: { readonly name: string; readonly type_id: number }[];
  readonly vars?: { readonly type_id: number; readonly size: number }[];
}

const named = (name: string): string => (name === '' ? '(anon)' : name);

/** What both sides say of a type. */
function summary(type: BtfType): unknown[] {
  const items = 'members' in type ? type.members.map((m) => [named(m.name), m.type, m.bitOffset, m.bitSize])
    : 'values' in type ? type.values.map((v) => [named(v.name), Number(v.value)])
    : 'params' in type ? type.params.map((p) => [named(p.name), p.type]) : 'vars' in type ? type.vars.map((v) => [v.type, v.size]) : [];
  return [BTF_KINDS[type.kind].name, named(type.name), 'size' in type ? type.size : 0, 'type' in type ? type.type : 0, 'nelems' in type ? type.nelems : 0, items];
}

function theirSummary(t: BpftoolType): unknown[] {
  const items = t.members?.map((m) => [m.name, m.type_id, m.bits_offset, m.bitfield_size ?? 0]) ?? t.values?.map((v) => [v.name, v.val]) ?? t.params?.map((p) => [p.name, p.type_id]) ?? t.vars?.map((v) => [v.type_id, v.size]) ?? [];
  return [t.kind, t.name, t.size ?? 0, t.type_id ?? t.ret_type_id ?? 0, t.nr_elems ?? 0, items];
}

const bpftool = works('bpftool');
describe.skipIf(!bpftool)(`as bpftool reads their BTF${bpftool ? '' : ' (not installed)'}`, () => {
  test.each(objects)('%s', (name) => {
    const theirs = output('bpftool', '-j', 'btf', 'dump', 'file', OBJECTS + name, 'format', 'raw') as { readonly types: BpftoolType[] };
    const btf = objectBtf(name);
    expect(btf.typeCount).toBe(theirs.types.length + 1);
    theirs.types.forEach((type, i) => expect(summary(btf.type(i + 1))).toEqual(theirSummary(type)));
  });
});
