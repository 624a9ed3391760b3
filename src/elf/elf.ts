// Reads ELF64 little-endian files: header, sections, symbols, relocations. Knows nothing of BPF.
// Invariant: every offset and size is checked against the file before it is used; what is wrong is said by an ElfError
// with the section's name and the byte offset in the file. Source: System V ABI chapter 4, ELF-64 object file format.

import { ElfError } from '../util/errors.ts';
import { cString, viewOf } from '../util/bytes.ts';
import {
  EHDR_SIZE, ELFCLASS32, ELFCLASS64, ELFDATA2LSB, ELFDATA2MSB, REL_SIZE, RELA_SIZE, SHDR_SIZE, SHN_LORESERVE, SHN_XINDEX, SHT_NOBITS, SHT_NULL,
  SHT_REL, SHT_RELA, SHT_STRTAB, SHT_SYMTAB, SYM_SIZE,
} from './constants.ts';

/** One section. `offset` and `size` in bytes; `data` is a view of the file (empty for SHT_NOBITS, whose `size` is memory only). */
export interface ElfSection {
  readonly index: number;
  readonly name: string;
  /** SHT_* */
  readonly type: number;
  /** SHF_* bits that fit 32 bits. */
  readonly flags: number;
  readonly addr: number;
  readonly offset: number;
  readonly size: number;
  readonly link: number;
  readonly info: number;
  readonly align: number;
  readonly entrySize: number;
  readonly data: Uint8Array;
}

/** One symbol. `section` is an index or one of SHN_UNDEF, SHN_ABS, SHN_COMMON. */
export interface ElfSymbol {
  readonly index: number;
  readonly name: string;
  readonly value: number;
  readonly size: number;
  /** STT_* */
  readonly type: number;
  /** STB_* */
  readonly bind: number;
  /** STV_* */
  readonly visibility: number;
  readonly section: number;
}

/** One relocation: at byte `offset` of its target section. `addend` is 0 for REL, whose addend lies in place. */
export interface ElfRelocation {
  readonly offset: number;
  readonly type: number;
  readonly symbol: number;
  readonly addend: bigint;
}

/** The relocations of one section. */
export interface ElfRelocationSection { readonly section: ElfSection; readonly target: number; readonly relocations: readonly ElfRelocation[] }

/** A whole file. Sections and symbols stand at their own index; index 0 of each is the null entry. */
export interface ElfFile {
  /** ET_* */
  readonly type: number;
  /** EM_* */
  readonly machine: number;
  readonly flags: number;
  readonly sections: readonly ElfSection[];
  readonly symbols: readonly ElfSymbol[];
  readonly relocationSections: readonly ElfRelocationSection[];
  /** False for a file without a symbol table (stripped). */
  readonly hasSymbols: boolean;
}

const ascii = (bytes: Uint8Array): string => String.fromCharCode(...bytes);

function checkIdent(bytes: Uint8Array): void {
  if (bytes.length < 4 || ascii(bytes.subarray(0, 4)) !== '\x7fELF') {
    if (ascii(bytes.subarray(0, 8)) === '!<arch>\n') throw new ElfError('an archive (.a), not an ELF object: take the .o files out of it', '', 0);
    throw new ElfError(bytes.length === 0 ? 'the file is empty' : 'not an ELF file (no \\x7fELF at its start)', '', 0);
  }
  if (bytes.length < EHDR_SIZE) throw new ElfError(`truncated: ${bytes.length} bytes, the file header alone has ${EHDR_SIZE}`, '', bytes.length);
  const [fileClass, data, version] = [bytes[4], bytes[5], bytes[6]];
  if (fileClass === ELFCLASS32) throw new ElfError('32-bit ELF (ELFCLASS32); 64-bit is needed', '', 4);
  if (fileClass !== ELFCLASS64) throw new ElfError(`unknown ELF class ${fileClass}`, '', 4);
  if (data === ELFDATA2MSB) throw new ElfError('big-endian ELF (bpfeb); compile with -target bpfel', '', 5);
  if (data !== ELFDATA2LSB) throw new ElfError(`unknown byte order ${data}`, '', 5);
  if (version !== 1) throw new ElfError(`unknown ELF version ${version}`, '', 6);
}

/** Reads 64-bit file fields that must be a sane file or memory size (below 2^48, so that sums stay exact). */
class Reader {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.view = viewOf(bytes);
  }
  u16(offset: number): number {
    return this.view.getUint16(offset, true);
  }
  u32(offset: number): number {
    return this.view.getUint32(offset, true);
  }
  size(offset: number, section: string, what: string): number {
    const high = this.u32(offset + 4);
    if (high >= 0x10000) throw new ElfError(`${what} is out of range (0x${this.view.getBigUint64(offset, true).toString(16)})`, section, offset);
    return high * 0x1_0000_0000 + this.u32(offset);
  }
}

interface RawSection extends Omit<ElfSection, 'name' | 'data'> { readonly nameOffset: number; readonly headerOffset: number }

function readSectionHeader(r: Reader, at: number, index: number): RawSection {
  const where = `#${index}`;
  return {
    index, headerOffset: at, nameOffset: r.u32(at), type: r.u32(at + 4), flags: r.u32(at + 8), addr: r.size(at + 16, where, 'sh_addr'),
    offset: r.size(at + 24, where, 'sh_offset'), size: r.size(at + 32, where, 'sh_size'), link: r.u32(at + 40), info: r.u32(at + 44),
    align: r.size(at + 48, where, 'sh_addralign'), entrySize: r.size(at + 56, where, 'sh_entsize'),
  };
}

/** The section header table, with the counts that overflow into section 0 (more than 65,279 sections). */
function readSectionHeaders(r: Reader): { headers: RawSection[]; nameTable: number } {
  const start = r.size(0x28, '', 'e_shoff');
  let [entrySize, count, nameTable] = [r.u16(0x3a), r.u16(0x3c), r.u16(0x3e)];
  if (start === 0) throw new ElfError('no section headers', '', 0x28);
  if (entrySize !== SHDR_SIZE) throw new ElfError(`section headers of ${entrySize} bytes instead of ${SHDR_SIZE}`, '', 0x3a);
  const room = Math.floor((r.bytes.length - start) / SHDR_SIZE);
  if (room < 1) throw new ElfError(`truncated: section headers at ${start}, the file ends at ${r.bytes.length}`, '', 0x28);
  const first = readSectionHeader(r, start, 0);
  if (count === 0) count = first.size;
  if (nameTable === SHN_XINDEX) nameTable = first.link;
  if (count > room) throw new ElfError(`truncated: ${count} section headers at ${start}, the file has room for ${room}`, '', 0x3c);
  const headers = Array.from({ length: count }, (_, i) => readSectionHeader(r, start + i * SHDR_SIZE, i));
  return { headers, nameTable };
}

function sectionData(bytes: Uint8Array, raw: RawSection, name: string): Uint8Array {
  if (raw.type === SHT_NOBITS || raw.type === SHT_NULL || raw.size === 0) return new Uint8Array(0);
  const end = raw.offset + raw.size;
  if (end > bytes.length) throw new ElfError(`truncated: ends at ${end}, the file at ${bytes.length}`, name, raw.headerOffset + 24);
  return bytes.subarray(raw.offset, end);
}

function stringAt(table: ElfSection, offset: number, at: number): string {
  if (offset >= table.size && offset !== 0) throw new ElfError(`name at ${offset}, beyond string table '${table.name}' of ${table.size} bytes`, table.name, at);
  return cString(table.data, offset);
}

function checkStringTable(section: ElfSection | undefined, index: number, at: number): ElfSection {
  if (section === undefined || section.type !== SHT_STRTAB) throw new ElfError(`section ${index} is not a string table`, section?.name ?? '', at);
  if (section.size > 0 && section.data[section.size - 1] !== 0) throw new ElfError('string table does not end with NUL', section.name, section.offset + section.size - 1);
  return section;
}

function readSections(r: Reader): ElfSection[] {
  const { headers, nameTable } = readSectionHeaders(r);
  const rawNames = headers[nameTable];
  if (rawNames === undefined) throw new ElfError(`section name table ${nameTable} of ${headers.length} sections`, '', 0x3e);
  const asSection = (raw: RawSection, name: string): ElfSection => ({
    index: raw.index, name, type: raw.type, flags: raw.flags, addr: raw.addr, offset: raw.offset, size: raw.size, link: raw.link, info: raw.info,
    align: raw.align, entrySize: raw.entrySize, data: sectionData(r.bytes, raw, name),
  });
  const names = checkStringTable(asSection(rawNames, '.shstrtab'), nameTable, 0x3e);
  return headers.map((raw) => asSection(raw, stringAt(names, raw.nameOffset, raw.headerOffset)));
}

/** Entries of a table section, with its entry size checked. */
function entryCount(section: ElfSection, entrySize: number): number {
  if (section.entrySize !== entrySize) throw new ElfError(`entries of ${section.entrySize} bytes instead of ${entrySize}`, section.name, section.offset);
  if (section.size % entrySize !== 0) throw new ElfError(`size ${section.size} is not a multiple of ${entrySize}`, section.name, section.offset);
  return section.size / entrySize;
}

function readSymbols(r: Reader, sections: readonly ElfSection[], table: ElfSection): ElfSymbol[] {
  const names = checkStringTable(sections[table.link], table.link, table.offset);
  const readSymbol = (index: number): ElfSymbol => {
    const at = table.offset + index * SYM_SIZE;
    const [info, other, section] = [r.bytes[at + 4] ?? 0, r.bytes[at + 5] ?? 0, r.u16(at + 6)];
    const name = stringAt(names, r.u32(at), at);
    if (section >= sections.length && section < SHN_LORESERVE) throw new ElfError(`symbol '${name}' in section ${section} of ${sections.length}`, table.name, at + 6);
    return {
      index, name, value: r.size(at + 8, table.name, 'st_value'), size: r.size(at + 16, table.name, 'st_size'),
      type: info & 15, bind: info >> 4, visibility: other & 3, section,
    };
  };
  return Array.from({ length: entryCount(table, SYM_SIZE) }, (_, i) => readSymbol(i));
}

function readRelocations(r: Reader, section: ElfSection, symbolCount: number): ElfRelocation[] {
  const size = section.type === SHT_RELA ? RELA_SIZE : REL_SIZE;
  const readOne = (index: number): ElfRelocation => {
    const at = section.offset + index * size;
    const symbol = r.u32(at + 12);
    if (symbol >= symbolCount) throw new ElfError(`relocation ${index} names symbol ${symbol} of ${symbolCount}`, section.name, at + 12);
    const addend = size === RELA_SIZE ? r.view.getBigInt64(at + 16, true) : 0n;
    return { offset: r.size(at, section.name, 'r_offset'), type: r.u32(at + 8), symbol, addend };
  };
  return Array.from({ length: entryCount(section, size) }, (_, i) => readOne(i));
}

/** Reads a 64-bit little-endian ELF file. Throws ElfError for anything else, and for what is truncated or out of range. The result holds views of `bytes`. */
export function parseElf(bytes: Uint8Array): ElfFile {
  checkIdent(bytes);
  const r = new Reader(bytes);
  const sections = readSections(r);
  const table = sections.find((s) => s.type === SHT_SYMTAB);
  const symbols = table === undefined ? [] : readSymbols(r, sections, table);
  const relocationSections = sections.filter((s) => s.type === SHT_REL || s.type === SHT_RELA).map((section): ElfRelocationSection => {
    if (section.info >= sections.length) throw new ElfError(`relocates section ${section.info} of ${sections.length}`, section.name, section.offset);
    return { section, target: section.info, relocations: readRelocations(r, section, symbols.length) };
  });
  return { type: r.u16(0x10), machine: r.u16(0x12), flags: r.u32(0x30), sections, symbols, relocationSections, hasSymbols: table !== undefined };
}
