// What openObject reads out of compiled objects, and what it says of files that are none.

import { describe, expect, test } from 'vitest';
import { formatType } from '../../src/btf/print.ts';
import type { Btf } from '../../src/btf/btf.ts';
import { BTF_KIND_FUNC } from '../../src/spec/btf.ts';
import { defined } from '../../src/util/assert.ts';
import type { BtfFunc } from '../../src/btf/types.ts';
import { writeElf } from '../../src/elf/write.ts';
import { internalMapName } from '../../src/loader/data-maps.ts';
import { findMap, findProgram, type ObjectSpec } from '../../src/loader/object-spec.ts';
import { objectName, openObject } from '../../src/loader/open.ts';
import { BpfkitError, BtfError, ElfError } from '../../src/util/errors.ts';
import { decodeValue } from '../../src/loader/btf-values.ts';
import { readObject } from './object-programs.ts';

const objectTypes = (name: string): Btf => defined(open(name).btf, 'BTF');
const open = (name: string): ObjectSpec => openObject(readObject(name), { name });

describe.each(['', '.clang14', '.clang16'])('objects of clang 19%s', (compiler) => {
  test('subprograms are appended on first use, each program has its own', () => {
    const spec = open(`subprogs${compiler}.bpf.o`);
    expect(spec.programs.map((p) => [p.name, p.section, p.autoload, p.subprogs.map((s) => s.name).join()])).toEqual([
      ['first', 'xdp', true, 'first,classify,mix'], ['second', 'xdp', true, 'second,halve,classify,mix'], ['optional', 'tc', false, 'optional,classify,mix'],
    ]);
    for (const prog of spec.programs) {
      const starts = new Set(prog.subprogs.map((s) => s.insnOff));
      const targets = prog.insns.flatMap((insn, i) => (insn.code === 0x85 && insn.src === 1 ? [i + insn.imm + 1] : []));
      expect(targets.length).toBeGreaterThan(0);
      expect(targets.every((t) => starts.has(t))).toBe(true);
      expect(prog.funcInfo.map((f) => f.insnOff)).toEqual(prog.subprogs.map((s) => s.insnOff));
      expect(prog.subprogs.every((s) => prog.lineInfo.some((l) => l.insnOff === s.insnOff))).toBe(true);
      expect(prog.lineInfo.map((l) => l.insnOff)).toEqual(prog.lineInfo.map((l) => l.insnOff).toSorted((a, b) => a - b));
    }
  });

  test('hidden functions become static, global ones stay', () => {
    const btf = objectTypes(`subprogs${compiler}.bpf.o`);
    const linkage = (name: string): number => (btf.type(btf.findByName(name, BTF_KIND_FUNC) ?? 0) as BtfFunc).linkage;
    expect([linkage('halve'), linkage('classify'), linkage('mix')]).toEqual([0, 1, 0]);
  });

  test('globals: sections, variables, types, initial values', () => {
    const spec = open(`globals${compiler}.bpf.o`);
    expect([spec.name, spec.license, spec.kernelVersion.toString(16)]).toEqual(['globals', 'Dual BSD/GPL', '60c00']);
    expect(spec.maps.map((m) => [m.kernelName, m.origin, m.frozen, m.flags])).toEqual([
      ['globals.data', 'data', false, 0x400], ['globals.rodata', 'rodata', true, 0x480], ['.data.hot', 'data', false, 0x400], ['globals.bss', 'bss', false, 0x400],
    ]);
    const values = Object.fromEntries(spec.variables.filter((v) => !v.isStatic).map((v) => {
      const bytes = findMap(spec, v.map)?.contents?.subarray(v.offset, v.offset + v.size) ?? new Uint8Array(0);
      return [v.name, spec.btf === undefined ? null : decodeValue(spec.btf, v.typeId, bytes)];
    }));
    expect(values).toEqual({
      level: -7, limits: { low: 3, high: 0x1122334455667788n, name: 'web' }, mode: 'MODE_COUNT', sample_rate: 10, verbose: false, hot: 42n, packets: 0n, per_proto: [0, 0, 0, 0],
    });
    const hidden = spec.variables.find((v) => v.name === 'hidden_count');
    expect(hidden).toMatchObject({ isStatic: true, map: '.bss', size: 4 });
    expect(spec.btf === undefined ? '' : formatType(spec.btf, hidden?.typeId ?? 0)).toBe('volatile __u32');
  });

  test('maps of maps and program arrays keep their initial elements', () => {
    const spec = open(`maps${compiler}.bpf.o`);
    expect(findMap(spec, 'outer')).toMatchObject({ type: 12, valueSize: 4, inner: { name: 'outer.inner', type: 2, keySize: 4, valueSize: 8, maxEntries: 2 } });
    expect(findMap(spec, 'outer')?.slots).toEqual([{ index: 0, target: 'map', name: 'inner_a' }, { index: 3, target: 'map', name: 'inner_b' }]);
    expect(findMap(spec, 'jumps')?.slots).toEqual([{ index: 1, target: 'prog', name: 'tail_target' }]);
    expect(findMap(spec, 'a_counter_with_')).toMatchObject({ name: 'a_counter_with_a_long_name', pinning: 1 });
    expect(findMap(spec, 'seen')?.mapExtra).toBe(3n);
  });

  test('callbacks: LDDW of a function with src 4 and a relative offset', () => {
    const prog = findProgram(open(`callbacks${compiler}.bpf.o`), 'total');
    const targets = prog?.insns.flatMap((insn, i) => (insn.code === 0x18 && insn.src === 4 ? [prog.subprogs.find((s) => s.insnOff === i + insn.imm + 1)?.name] : []));
    expect(targets).toEqual(['add_round', 'add_element']);
  });
});

test('legacy maps', () => {
  const spec = open('legacy-maps.bpf.o');
  expect(spec.maps.map((m) => [m.name, m.type, m.keySize, m.valueSize, m.maxEntries, m.flags, m.origin])).toEqual([['old_hash', 1, 4, 8, 16, 1, 'legacy'], ['old_array', 2, 4, 8, 2, 0, 'legacy']]);
  expect(spec.programs[0]?.relocations).toEqual([{ kind: 'map', insnIdx: 5, map: 'old_array' }, { kind: 'map', insnIdx: 19, map: 'old_hash' }]);
  expect(spec.warnings).toHaveLength(1);
});

test('outside symbols are kept by name and section', () => {
  const externs = open('externs.bpf.o').programs.flatMap((p) => p.relocations.filter((r) => r.kind === 'extern'));
  expect(externs.map((r) => (r.kind === 'extern' ? `${r.section} ${r.name}` : ''))).toEqual(['.kconfig LINUX_KERNEL_VERSION', '.ksyms jiffies_64', '.ksyms bpf_rcu_read_lock']);
});

const text = (spec: ObjectSpec): string => JSON.stringify(spec, (_, value: unknown) => (typeof value === 'bigint' ? value.toString() : value));

test('the same bytes give the same spec, and the bytes are not changed', () => {
  const bytes = readObject('globals.bpf.o');
  const before = bytes.slice();
  expect(text(openObject(bytes))).toBe(text(openObject(bytes)));
  expect(bytes).toEqual(before);
});

test.each([['a/b/flow_tracker.bpf.o', 'flow_tracker'], ['x.o', 'x'], ['averyveryverylongname.o', 'averyveryverylo'], ['.hidden', '.hidden']])('object name of %s', (path, name) => {
  expect(objectName(path)).toBe(name);
});

test.each([['flow_tracker', '.rodata', 'flow_tra.rodata'], ['x', '.bss', 'x.bss'], ['core_fields', '.bss', 'core_fie.bss'], ['x', '.data.hot', '.data.hot'], ['a-b', '.data', 'a_b.data']])('map of %s%s', (object, section, name) => {
  expect(internalMapName(object, section)).toBe(name);
});

describe('files that are no BPF objects', () => {
  const code = Uint8Array.of(0xb7, 0, 0, 0, 0, 0, 0, 0, 0x95, 0, 0, 0, 0, 0, 0, 0);
  const xdp = { name: 'xdp', flags: 6, data: code };
  const prog = { name: 'prog', section: 'xdp', type: 2, bind: 1, size: 16 };
  const btfOnly = (data: Uint8Array): Uint8Array => writeElf({ sections: [xdp, { name: '.BTF', data }], symbols: [prog] });
  const call = (symbol: object, imm = -1): Uint8Array => writeElf({
    sections: [{ ...xdp, data: Uint8Array.of(0x85, 0x10, 0, 0, imm & 255, imm >> 8, imm >> 16, imm >> 24, 0x95, 0, 0, 0, 0, 0, 0, 0), relocations: [{ offset: 0, type: 10, symbol: 'target' }] }, { name: '.text', flags: 6, data: code }, { name: '.data', data: new Uint8Array(8) }],
    symbols: [prog, { name: 'fn', section: '.text', type: 2, bind: 1, size: 16 }, { name: 'target', bind: 1, ...symbol }],
  });

  test('a minimal object opens', () => {
    expect(openObject(writeElf({ sections: [xdp], symbols: [prog] })).programs).toMatchObject([{ name: 'prog', type: 6, insns: [{ code: 0xb7 }, { code: 0x95 }] }]);
    expect(openObject(call({ section: '.text' })).programs[0]?.subprogs).toHaveLength(2);
  });

  test.each<[string, Uint8Array, new (...args: never[]) => BpfkitError, string]>([
    ['an x86-64 object', writeElf({ machine: 62, sections: [], symbols: [] }), ElfError, 'compiled for x86-64, not for BPF'],
    ['broken BTF', btfOnly(new Uint8Array(30)), BtfError, 'bad magic'],
    ['half an instruction', writeElf({ sections: [{ ...xdp, data: code.subarray(0, 12) }], symbols: [{ ...prog, size: 12 }] }), ElfError, "function 'prog': 12 bytes at 0 are no whole instructions"],
    ['a function beyond its section', writeElf({ sections: [xdp], symbols: [{ ...prog, size: 24 }] }), ElfError, 'reaches beyond the section'],
    ['overlapping functions', writeElf({ sections: [xdp], symbols: [prog, { ...prog, name: 'other', value: 8, size: 8 }] }), ElfError, "'other' overlaps 'prog'"],
    ['a static program', writeElf({ sections: [xdp], symbols: [{ ...prog, bind: 0 }] }), ElfError, 'static programs are not possible'],
    ['.maps without BTF', writeElf({ sections: [xdp, { name: '.maps', data: new Uint8Array(32) }], symbols: [prog] }), ElfError, 'compile with -g'],
    ['a call into the middle of a function', call({ section: '.text', value: 8 }), ElfError, 'where no function starts'],
    ['a call of data', call({ section: '.data' }), ElfError, 'which is not code'],
    ['a relocation of another kind', writeElf({ sections: [{ ...xdp, relocations: [{ offset: 0, type: 2, symbol: 'prog' }] }], symbols: [prog] }), ElfError, 'relocation R_BPF_64_ABS64 of code'],
    ['a relocation of plain code', writeElf({ sections: [{ ...xdp, relocations: [{ offset: 8, type: 1, symbol: 'prog' }] }], symbols: [prog] }), ElfError, 'neither call nor 64-bit load'],
  ])('%s', (_, bytes, type, message) => {
    expect(() => openObject(bytes)).toThrow(type);
    expect(() => openObject(bytes)).toThrow(message);
  });
});
