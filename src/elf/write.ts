// Writes small ELF64 little-endian relocatable objects: for tests, and for tools that make objects without clang.
// Invariant: what `writeElf` writes, `parseElf` reads back with the same sections, symbols and relocations.

import { viewOf } from '../util/bytes.ts';
import { InternalError } from '../util/errors.ts';
import {
  EHDR_SIZE, ELFCLASS64, ELFDATA2LSB, EM_BPF, ET_REL, REL_SIZE, SHDR_SIZE, SHN_UNDEF, SHT_NOBITS, SHT_PROGBITS, SHT_REL, SHT_STRTAB, SHT_SYMTAB,
  STB_LOCAL, SYM_SIZE,
} from './constants.ts';

/** A section to write; `size` only for SHT_NOBITS. */
export interface ElfSectionSource {
  readonly name: string;
  readonly type?: number;
  readonly flags?: number;
  readonly data?: Uint8Array;
  readonly size?: number;
  readonly relocations?: readonly { readonly offset: number; readonly type: number; readonly symbol: string }[];
}

/** A symbol to write; `section` by name, undefined for an undefined symbol. */
export interface ElfSymbolSource {
  readonly name: string;
  readonly section?: string;
  readonly value?: number;
  readonly size?: number;
  readonly type?: number;
  readonly bind?: number;
  readonly visibility?: number;
}

/** An object to write; `machine` defaults to EM_BPF. */
export interface ElfSource { readonly machine?: number; readonly sections: readonly ElfSectionSource[]; readonly symbols: readonly ElfSymbolSource[] }

interface OutSection { readonly name: string; readonly type: number; readonly flags: number; readonly data: Uint8Array; readonly size: number; readonly link: number; readonly info: number; readonly entrySize: number }

class StringTable {
  readonly #offsets = new Map<string, number>([['', 0]]);
  #text = '\0';
  add(text: string): number {
    const known = this.#offsets.get(text);
    if (known !== undefined) return known;
    const offset = this.#text.length;
    this.#offsets.set(text, offset);
    this.#text += `${text}\0`;
    return offset;
  }
  bytes(): Uint8Array {
    return Uint8Array.from(this.#text, (c) => c.charCodeAt(0));
  }
}

function indexOf(names: readonly string[], name: string): number {
  const index = names.indexOf(name);
  if (index < 0) throw new InternalError(`writeElf: no '${name}'`);
  return index;
}

function symbolTable(symbols: readonly ElfSymbolSource[], sectionNames: readonly string[], strings: StringTable): Uint8Array {
  const bytes = new Uint8Array((symbols.length + 1) * SYM_SIZE);
  const view = viewOf(bytes);
  symbols.forEach((symbol, i) => {
    const at = (i + 1) * SYM_SIZE;
    view.setUint32(at, strings.add(symbol.name), true);
    view.setUint8(at + 4, ((symbol.bind ?? STB_LOCAL) << 4) | (symbol.type ?? 0));
    view.setUint8(at + 5, symbol.visibility ?? 0);
    view.setUint16(at + 6, symbol.section === undefined ? SHN_UNDEF : indexOf(sectionNames, symbol.section), true);
    view.setBigUint64(at + 8, BigInt(symbol.value ?? 0), true);
    view.setBigUint64(at + 16, BigInt(symbol.size ?? 0), true);
  });
  return bytes;
}

function relocationTable(source: ElfSectionSource, symbolNames: readonly string[]): Uint8Array {
  const relocations = source.relocations ?? [];
  const bytes = new Uint8Array(relocations.length * REL_SIZE);
  const view = viewOf(bytes);
  relocations.forEach((relocation, i) => {
    view.setBigUint64(i * REL_SIZE, BigInt(relocation.offset), true);
    view.setUint32(i * REL_SIZE + 8, relocation.type, true);
    view.setUint32(i * REL_SIZE + 12, indexOf(symbolNames, relocation.symbol), true);
  });
  return bytes;
}

function layoutSections(source: ElfSource): OutSection[] {
  const plain = { link: 0, info: 0, entrySize: 0 };
  const empty = new Uint8Array(0);
  const out: OutSection[] = [{ name: '', type: 0, flags: 0, data: empty, size: 0, ...plain }];
  for (const s of source.sections) {
    const data = s.data ?? empty;
    out.push({ name: s.name, type: s.type ?? SHT_PROGBITS, flags: s.flags ?? 0, data, size: s.size ?? data.length, ...plain });
  }
  const names = out.map((s) => s.name);
  const symbolNames = ['', ...source.symbols.map((s) => s.name)];
  const relocated = source.sections.filter((s) => s.relocations !== undefined);
  const symtabIndex = out.length + relocated.length;
  for (const s of relocated) {
    const data = relocationTable(s, symbolNames);
    out.push({ name: `.rel${s.name}`, type: SHT_REL, flags: 0, data, size: data.length, link: symtabIndex, info: indexOf(names, s.name), entrySize: REL_SIZE });
  }
  const strings = new StringTable();
  const symbols = symbolTable(source.symbols, names, strings);
  const locals = source.symbols.filter((s) => (s.bind ?? STB_LOCAL) === STB_LOCAL).length + 1;
  out.push({ name: '.symtab', type: SHT_SYMTAB, flags: 0, data: symbols, size: symbols.length, link: symtabIndex + 1, info: locals, entrySize: SYM_SIZE });
  const text = strings.bytes();
  out.push({ name: '.strtab', type: SHT_STRTAB, flags: 0, data: text, size: text.length, ...plain });
  return out;
}

function writeHeader(view: DataView, machine: number, sectionTable: number, count: number): void {
  view.setUint32(0, 0x464c457f, true);
  view.setUint8(4, ELFCLASS64);
  view.setUint8(5, ELFDATA2LSB);
  view.setUint8(6, 1);
  view.setUint16(0x10, ET_REL, true);
  view.setUint16(0x12, machine, true);
  view.setUint32(0x14, 1, true);
  view.setBigUint64(0x28, BigInt(sectionTable), true);
  view.setUint16(0x34, EHDR_SIZE, true);
  view.setUint16(0x3a, SHDR_SIZE, true);
  view.setUint16(0x3c, count, true);
  view.setUint16(0x3e, count - 1, true);
}

/** The bytes of a relocatable object. Throws InternalError when a symbol or section is named that isn't there. */
export function writeElf(source: ElfSource): Uint8Array {
  const sections = layoutSections(source);
  const names = new StringTable();
  for (const s of [...sections.map((x) => x.name), '.shstrtab']) names.add(s);
  const nameBytes = names.bytes();
  sections.push({ name: '.shstrtab', type: SHT_STRTAB, flags: 0, data: nameBytes, size: nameBytes.length, link: 0, info: 0, entrySize: 0 });
  let offset = EHDR_SIZE;
  const offsets = sections.map((s) => {
    const at = (offset + 7) & ~7;
    offset = at + s.data.length;
    return at;
  });
  const sectionTable = (offset + 7) & ~7;
  const bytes = new Uint8Array(sectionTable + sections.length * SHDR_SIZE);
  const view = viewOf(bytes);
  writeHeader(view, source.machine ?? EM_BPF, sectionTable, sections.length);
  sections.forEach((s, i) => {
    const at = sectionTable + i * SHDR_SIZE;
    bytes.set(s.data, offsets[i]);
    view.setUint32(at, names.add(s.name), true);
    view.setUint32(at + 4, s.type, true);
    view.setBigUint64(at + 8, BigInt(s.flags), true);
    view.setBigUint64(at + 24, BigInt(i === 0 ? 0 : (offsets[i] ?? 0)), true);
    view.setBigUint64(at + 32, BigInt(s.type === SHT_NOBITS ? s.size : s.data.length), true);
    view.setUint32(at + 40, s.link, true);
    view.setUint32(at + 44, s.info, true);
    view.setBigUint64(at + 48, 8n, true);
    view.setBigUint64(at + 56, BigInt(s.entrySize), true);
  });
  return bytes;
}
