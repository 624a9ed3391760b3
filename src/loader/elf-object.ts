// An ELF file seen as a BPF object: which section is code, data, maps, license.
// Invariant: only relocatable files of machine BPF pass; sections are told apart by name, type and flags exactly as libbpf 1.x does.

import { parseBtf, type Btf } from '../btf/btf.ts';
import { parseBtfExt, type BtfExt } from '../btf/ext.ts';
import {
  ELF_MACHINES, EM_BPF, ET_REL, SHF_EXECINSTR, SHN_LORESERVE, SHN_UNDEF, SHT_NOBITS, SHT_PROGBITS, STT_SECTION,
} from '../elf/constants.ts';
import { parseElf, type ElfFile, type ElfRelocation, type ElfSection, type ElfSymbol } from '../elf/elf.ts';
import { ElfError } from '../util/errors.ts';
import { cString, viewOf } from '../util/bytes.ts';
import { fixupBtf } from './btf-fixup.ts';

/** What a section of global variables becomes. */
export type DataOrigin = 'data' | 'rodata' | 'bss';

/** A BPF object's parts, by role. */
export interface BpfElf {
  readonly elf: ElfFile;
  readonly code: readonly ElfSection[];
  readonly data: readonly { readonly section: ElfSection; readonly origin: DataOrigin }[];
  readonly maps: ElfSection | undefined;
  readonly legacyMaps: ElfSection | undefined;
  readonly license: string;
  readonly kernelVersion: number;
  readonly btf: Btf | undefined;
  readonly btfExt: BtfExt | undefined;
  readonly structOps: ElfSection | undefined;
}

const isNamed = (name: string, base: string): boolean => name === base || name.startsWith(`${base}.`);

function dataOrigin(section: ElfSection): DataOrigin | undefined {
  if (section.type === SHT_NOBITS) return isNamed(section.name, '.bss') ? 'bss' : undefined;
  if (section.type !== SHT_PROGBITS) return undefined;
  if (isNamed(section.name, '.data')) return 'data';
  return isNamed(section.name, '.rodata') ? 'rodata' : undefined;
}

const isCode = (section: ElfSection): boolean => section.type === SHT_PROGBITS && section.size > 0 && (section.flags & SHF_EXECINSTR) !== 0;

function checkMachine(elf: ElfFile): void {
  if (elf.machine !== EM_BPF && elf.machine !== 0) {
    const name = ELF_MACHINES.get(elf.machine) ?? `machine ${elf.machine}`;
    throw new ElfError(`compiled for ${name}, not for BPF; compile with clang -target bpf`, '', 0x12);
  }
  if (elf.type !== ET_REL) throw new ElfError(`file type ${elf.type}, not a relocatable object (.o)`, '', 0x10);
}

function readLicense(section: ElfSection | undefined): string {
  return section === undefined ? '' : cString(section.data);
}

function readVersion(section: ElfSection | undefined): number {
  if (section === undefined) return 0;
  if (section.data.length !== 4) throw new ElfError(`${section.data.length} bytes, a version has 4`, section.name, section.offset);
  return viewOf(section.data).getUint32(0, true);
}

/** Opens an object's ELF and BTF. Throws ElfError and BtfError. */
export function readBpfElf(bytes: Uint8Array): BpfElf {
  const elf = parseElf(bytes);
  checkMachine(elf);
  const byName = (name: string): ElfSection | undefined => elf.sections.find((s) => s.name === name && s.type === SHT_PROGBITS);
  const code = elf.sections.filter(isCode);
  if (!elf.hasSymbols) throw new ElfError('no symbol table: the object was stripped (strip debug information only, with llvm-strip -g)', '', 0);
  const btfSection = byName('.BTF');
  const btf = btfSection === undefined ? undefined : fixupBtf(parseBtf(btfSection.data.slice()), elf);
  const extSection = byName('.BTF.ext');
  return {
    elf, code, btf,
    btfExt: extSection === undefined || btf === undefined ? undefined : parseBtfExt(extSection.data, btf),
    data: elf.sections.flatMap((section) => {
      const origin = isCode(section) ? undefined : dataOrigin(section);
      return origin === undefined || section.size === 0 ? [] : [{ section, origin }];
    }),
    maps: byName('.maps'), legacyMaps: byName('maps'), license: readLicense(byName('license')), kernelVersion: readVersion(byName('version')),
    structOps: elf.sections.find((s) => isNamed(s.name, '.struct_ops')),
  };
}

/** The relocations of one section, with their symbols. */
export function relocationsOf(object: BpfElf, section: ElfSection): { readonly relocation: ElfRelocation; readonly symbol: ElfSymbol; readonly table: string }[] {
  return object.elf.relocationSections.filter((r) => r.target === section.index).flatMap((r) =>
    r.relocations.map((relocation) => ({ relocation, symbol: symbolAt(object, relocation.symbol, r.section), table: r.section.name })));
}

function symbolAt(object: BpfElf, index: number, table: ElfSection): ElfSymbol {
  const symbol = object.elf.symbols[index];
  if (symbol === undefined) throw new ElfError(`no symbol ${index}`, table.name, table.offset);
  return symbol;
}

/** A symbol's section; undefined for undefined, absolute and common symbols. */
export function sectionOf(object: BpfElf, symbol: ElfSymbol): ElfSection | undefined {
  return symbol.section === SHN_UNDEF || symbol.section >= SHN_LORESERVE ? undefined : object.elf.sections[symbol.section];
}

/** A symbol's name for messages: section symbols have their section's. */
export function symbolName(object: BpfElf, symbol: ElfSymbol): string {
  return symbol.type === STT_SECTION ? (sectionOf(object, symbol)?.name ?? '') : symbol.name;
}
