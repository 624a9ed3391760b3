// Round trips through the writer, and one test for each way in which a file can be wrong.

import { describe, expect, test } from 'vitest';
import { ElfError } from '../util/errors.ts';
import { SHF_ALLOC, SHF_EXECINSTR, SHT_NOBITS, STB_GLOBAL, STT_FUNC } from './constants.ts';
import { parseElf } from './elf.ts';
import { writeElf } from './write.ts';

const sample = (): Uint8Array => writeElf({
  sections: [
    { name: 'xdp', flags: SHF_ALLOC | SHF_EXECINSTR, data: Uint8Array.of(0xb7, 0, 0, 0, 2, 0, 0, 0, 0x95, 0, 0, 0, 0, 0, 0, 0), relocations: [{ offset: 8, type: 10, symbol: 'callee' }] },
    { name: '.bss', type: SHT_NOBITS, size: 64 },
  ],
  symbols: [{ name: 'prog', section: 'xdp', type: STT_FUNC, bind: STB_GLOBAL, size: 16 }, { name: 'callee', bind: STB_GLOBAL }],
});

/** A copy with `bytes` written at `at`. */
function patched(at: number, ...bytes: number[]): Uint8Array {
  const copy = sample();
  copy.set(bytes, at);
  return copy;
}

const sectionHeader = (index: number): number => {
  const file = sample();
  return Number(new DataView(file.buffer).getBigUint64(0x28, true)) + index * 64;
};

describe('parseElf', () => {
  test('reads back what the writer wrote', () => {
    const elf = parseElf(sample());
    expect(elf.sections.map((s) => s.name)).toEqual(['', 'xdp', '.bss', '.relxdp', '.symtab', '.strtab', '.shstrtab']);
    expect(elf.sections[2]).toMatchObject({ size: 64, type: SHT_NOBITS });
    expect(elf.sections[2]?.data.length).toBe(0);
    expect(elf.symbols[1]).toMatchObject({ name: 'prog', section: 1, size: 16, type: STT_FUNC, bind: STB_GLOBAL });
    expect(elf.relocationSections).toHaveLength(1);
    expect(elf.relocationSections[0]).toMatchObject({ target: 1, relocations: [{ offset: 8, type: 10, symbol: 2, addend: 0n }] });
    expect(elf.machine).toBe(247);
  });

  test.each([
    ['nothing', new Uint8Array(0), 'the file is empty'],
    ['text', Uint8Array.from('hello, world', (c) => c.charCodeAt(0)), 'not an ELF file'],
    ['an archive', Uint8Array.from('!<arch>\nfoo', (c) => c.charCodeAt(0)), 'an archive'],
    ['the first 40 bytes', sample().subarray(0, 40), 'truncated: 40 bytes'],
    ['32-bit', patched(4, 1), '32-bit ELF'],
    ['big-endian', patched(5, 2), 'big-endian ELF'],
    ['no section headers', patched(0x28, 0, 0, 0, 0, 0, 0, 0, 0), 'no section headers'],
    ['section headers beyond the end', patched(0x28, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0), 'section headers at 16777215'],
    ['a section offset of 2^63', patched(sectionHeader(1) + 31, 0x80), 'sh_offset is out of range'],
    ['a section beyond the end', patched(sectionHeader(1) + 34, 1), 'truncated: ends at'],
    ['a symbol table of odd size', patched(sectionHeader(4) + 32, 25), 'not a multiple of 24'],
    ['a symbol table linked to code', patched(sectionHeader(4) + 40, 1), 'section 1 is not a string table'],
    ['relocations of a section that is not there', patched(sectionHeader(3) + 44, 99), 'relocates section 99'],
    ['a name table index out of range', patched(0x3e, 50), 'section name table 50'],
  ])('says what is wrong: %s', (_, bytes, message) => {
    expect(() => parseElf(bytes)).toThrow(ElfError);
    expect(() => parseElf(bytes)).toThrow(message);
  });

  test('every truncation is an ElfError', () => {
    const whole = sample();
    for (let length = 0; length < whole.length; length++) expect(() => parseElf(whole.subarray(0, length))).toThrow(ElfError);
  });
});
