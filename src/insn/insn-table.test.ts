// Every row of the instruction table: prints as its `syntax` says, reads back in both dialects, and is reached by the random generator.

import { describe, expect, test } from 'vitest';
import { Random } from '../../tests/fuzz/programs/random.ts';
import { INSN_FORMS } from '../../tests/fuzz/random-insn.ts';
import { assemble } from '../asm/assemble.ts';
import { INSN_TABLE, insnRowOf } from '../spec/insn-table.ts';
import type { InsnRow } from '../spec/insn-table.ts';
import { disasmKernel } from './disasm-kernel.ts';
import { disasmText } from './disasm.ts';
import type { Insn } from './insn.ts';
import { fullImm } from './lddw.ts';

const signed = (value: number): string => (value < 0 ? `${value}` : `+${value}`);

function slotsOf(row: InsnRow, random: Random): Insn[] {
  const insn = {
    code: row.code,
    dst: row.dst === 'reg' ? random.below(11) : row.dst,
    src: row.src === 'reg' ? random.below(11) : row.src,
    off: row.off === 'off' ? random.between(-0x8000, 0x7fff) : row.off,
    imm: row.imm === 'imm' ? random.u32() | 0 : row.imm,
  };
  return row.slots === 2 ? [insn, { code: 0, dst: 0, src: 0, off: 0, imm: nextImm(row, random) }] : [insn];
}

/** Only values (plain, of maps) and a BTF object's descriptor use the upper half. */
const nextImm = (row: InsnRow, random: Random): number => (row.src === 1 || row.src === 4 || row.src === 5 ? 0 : random.u32() | 0);

function expected(row: InsnRow, insn: Insn): string {
  return row.syntax
    .replaceAll('{dst}', `${insn.dst}`).replaceAll('{src}', `${insn.src}`).replaceAll('{off}', signed(insn.off))
    .replaceAll('{imm.hex}', `0x${(insn.imm >>> 0).toString(16)}`).replaceAll('{imm.hi}', `${insn.imm >>> 16}`).replaceAll('{imm.lo}', `${insn.imm & 0xffff}`)
    .replaceAll('pc{imm}', `pc${signed(insn.imm)}`).replaceAll('{imm}', `${insn.imm}`);
}

describe.each(INSN_TABLE.map((row) => [row.name, row] as const))('%s', (_name, row) => {
  test('text and back', () => {
    const random = new Random(row.code * 7 + 1);
    for (let round = 0; round < 20; round++) {
      const slots = slotsOf(row, random);
      const insn = slots[0] as Insn;
      expect(insnRowOf(insn)).toBe(row);
      for (const dialect of ['kernel', 'llvm'] as const) expect(assemble(disasmText(slots, { dialect })).insns).toEqual(slots);
      if (row.slots === 2) expect(disasmKernel(insn, slots[1])).toBe(`r${insn.dst} = 0x${fullImm(insn, slots[1]).toString(16)}`);
      else if ((row.code & 0xf7) !== 0x85) expect(disasmKernel(insn, undefined)).toBe(expected(row, insn));
    }
  });
});

test('the random generator reaches every row, and makes nothing else', () => {
  const random = new Random(1);
  const reached = new Set<string>();
  for (const form of INSN_FORMS) {
    for (let times = 0; times < 50; times++) {
      const row = insnRowOf(form.make(random)[0] as Insn);
      expect(row, form.name).toBeDefined();
      reached.add(row?.name ?? '');
    }
  }
  expect(INSN_TABLE.filter((row) => !reached.has(row.name)).map((row) => row.name)).toEqual([]);
});
