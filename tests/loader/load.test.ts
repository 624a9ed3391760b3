// Loading: what the kernel is asked for, in which order, what is closed again, and (where there is permission) a real kernel's word.

import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { openLinuxKernel, type LinuxKernel } from '../../linux/index.ts';
import { parseBtf } from '../../src/btf/btf.ts';
import { fillMap, dumpMap } from '../../src/loader/map-values.ts';
import { loadObject, ObjectLoader } from '../../src/loader/load.ts';
import { findProgram, type ObjectSpec, type ProgramSpec } from '../../src/loader/object-spec.ts';
import { openObject } from '../../src/loader/open.ts';
import { sanitizeBtf } from '../../src/loader/btf-sanitize.ts';
import type { BtfLoadAttr } from '../../src/spec/syscall.ts';
import { viewOf } from '../../src/util/bytes.ts';
import { BpfSyscallError, ElfError, LoadError, NotSupportedError } from '../../src/util/errors.ts';
import { objectBtf, readObject } from './object-programs.ts';
import { RecordingKernel } from './recording-kernel.ts';

const open = (name: string): ObjectSpec => openObject(readObject(name), { name });
const u32 = (bytes: Uint8Array | undefined): number => (bytes === undefined ? -1 : viewOf(bytes).getUint32(0, true));

describe('on a recording kernel', () => {
  test('globals: contents, frozen constants, values set before and after loading', () => {
    const kernel = new RecordingKernel();
    const object = loadObject(open('globals.bpf.o'), kernel, { globals: { sample_rate: 4, limits: { low: 9 }, 'per_proto[2]': 77, 'limits.name': 'db' } });
    const rodata = kernel.maps.get(object.maps.get('.rodata')?.fd ?? 0);
    expect(rodata?.frozen).toBe(true);
    expect(u32(rodata?.elems.get('00000000'))).toBe(4);
    expect(object.getGlobal('limits')).toEqual({ low: 9, high: 0x1122334455667788n, name: 'db' });
    expect(object.getGlobal('per_proto')).toEqual([0, 0, 77, 0]);
    object.setGlobal('packets', 2n ** 63n);
    expect(object.getGlobal('packets')).toBe(2n ** 63n);
    expect(() => object.setGlobal('sample_rate', 5)).toThrow(BpfSyscallError);
    expect(() => object.getGlobal('nothing')).toThrow("no global variable 'nothing' in the object; there are: level, limits");
    object.close();
    expect(kernel.open.size).toBe(0);
  });

  test('an ObjectSpec loads many times, each with its own values', () => {
    const spec = open('globals.bpf.o');
    const first = loadObject(spec, new RecordingKernel(), { globals: { level: 1 } });
    const second = loadObject(spec, new RecordingKernel());
    expect([first.getGlobal('level'), second.getGlobal('level')]).toEqual([1, -7]);
  });

  test('maps of maps, program arrays, sizes that libbpf adjusts', () => {
    const kernel = new RecordingKernel();
    const object = loadObject(open('maps.bpf.o'), kernel, { maps: { flows: { maxEntries: 5 } } });
    const elems = (name: string): [string, number][] => [...(kernel.maps.get(object.maps.get(name)?.fd ?? 0)?.elems ?? [])].map(([key, value]) => [key, u32(value)]);
    expect(elems('outer')).toEqual([['00000000', object.maps.get('inner_a')?.fd], ['03000000', object.maps.get('inner_b')?.fd]]);
    expect(elems('jumps')).toEqual([['01000000', object.progs.get('tail_target')?.fd]]);
    expect(kernel.maps.get(object.maps.get('flows')?.fd ?? 0)?.attr).toMatchObject({ max_entries: 5, map_name: 'flows', key_size: 16 });
    expect(kernel.maps.get(object.maps.get('outer')?.fd ?? 0)?.attr.btf_fd).toBeUndefined();
    object.close();
    expect(kernel.open.size).toBe(0);
  });

  test('one program alone makes only the maps that it uses', () => {
    const kernel = new RecordingKernel();
    const spec = open('maps.bpf.o');
    const loader = new ObjectLoader(spec, kernel);
    const prog = findProgram(spec, 'tail_target');
    expect(prog === undefined ? 0 : loader.program(prog).insns.length).toBe(2);
    expect(kernel.maps.size).toBe(0);
    loader.close();
  });

  test('a kernel that refuses new BTF kinds gets old ones, or none', () => {
    const kernel = new RecordingKernel();
    const seen: number[][] = [];
    kernel.refuse = (command, attr) => {
      if (command !== 'btfLoad') return;
      const btf = parseBtf((attr as BtfLoadAttr).btf);
      seen.push(Array.from({ length: btf.typeCount }, (_, id) => btf.kind(id)));
      if (seen.at(-1)?.some((kind) => kind > 15)) throw new BpfSyscallError('BPF_BTF_LOAD', 22, 'EINVAL');
    };
    const object = loadObject(open('kinds.bpf.o'), kernel);
    expect(seen).toHaveLength(2);
    expect([16, 17, 18, 19].every((kind) => seen[0]?.includes(kind))).toBe(true);
    expect([...kernel.progs.values()][0]?.func_info_rec_size).toBe(8);
    object.close();
    kernel.refuse = (command) => {
      if (command === 'btfLoad') throw new BpfSyscallError('BPF_BTF_LOAD', 22, 'EINVAL');
    };
    const untyped = loadObject(open('kinds.bpf.o'), kernel);
    expect([...kernel.progs.values()][1]?.func_info).toBeUndefined();
    untyped.close();
  });

  test('a refused program is asked for its log, and everything is closed', () => {
    const kernel = new RecordingKernel();
    kernel.refuse = (command, attr) => {
      if (command === 'progLoad') throw new BpfSyscallError('BPF_PROG_LOAD', 13, 'EACCES', (attr as { log_level: number }).log_level === 1 ? 'the log' : '');
    };
    try {
      loadObject(open('subprogs.bpf.o'), kernel);
      expect.unreachable();
    } catch (error) {
      expect(error).toBeInstanceOf(BpfSyscallError);
      expect((error as BpfSyscallError).log).toBe('the log');
    }
    expect(kernel.open.size).toBe(0);
  });

  test('what can\'t be loaded is said', () => {
    const kernel = new RecordingKernel();
    const load = (name: string, options: Parameters<typeof loadObject>[2]) => () => loadObject(open(name), kernel, options);
    expect(load('externs.bpf.o', { programs: ['needs_config'] })).toThrow(new NotSupportedError("extern symbol 'LINUX_KERNEL_VERSION' of .kconfig (program 'needs_config', instruction 0)"));
    expect(load('externs.bpf.o', { programs: ['needs_nothing'] })).not.toThrow();
    expect(load('subprogs.bpf.o', { programs: ['third'] })).toThrow("no program 'third' in the object; there are: first, second, optional");
    expect(load('subprogs.bpf.o', { maps: { x: {} } })).toThrow("no map 'x' in the object");
    expect(load('globals.bpf.o', { globals: { level: 2 ** 40 } })).toThrow(new LoadError('level: 1099511627776 does not fit in int'));
    expect(load('globals.bpf.o', { globals: { 'per_proto[4]': 1 } })).toThrow('per_proto[4]: __u32[4] has no element 4');
    expect(load('core-fields.bpf.o', {})).toThrow(/program 'fields', instruction \d+: CO-RE relocation <byte_off> .*: needs the kernel's BTF/);
  });

  test('the kernel\'s types come as raw BTF or in an ELF file', () => {
    const loader = new ObjectLoader(open('core-fields.bpf.o'), new RecordingKernel(), { kernelBtf: readObject('core-target.bpf.o') });
    const raw = new ObjectLoader(open('core-fields.bpf.o'), new RecordingKernel(), { kernelBtf: objectBtf('core-target.bpf.o') });
    const prog = loader.spec.programs[0] as ProgramSpec;
    expect(loader.insns(prog)).toEqual(raw.insns(prog));
    expect(() => new ObjectLoader(open('core-fields.bpf.o'), new RecordingKernel(), { kernelBtf: readObject('core-fields.bpf.o').subarray(0, 100) }).insns(prog)).toThrow(ElfError);
  });
});

/** The real kernel; undefined with the reason where it can't be asked. */
async function realKernel(): Promise<{ kernel: LinuxKernel | undefined; reason: string }> {
  try {
    const kernel = await openLinuxKernel();
    kernel.close(kernel.mapCreate({ map_type: 2, key_size: 4, value_size: 4, max_entries: 1 }));
    return { kernel, reason: '' };
  } catch (error) {
    return { kernel: undefined, reason: error instanceof Error ? error.message : String(error) };
  }
}

const { kernel, reason } = await realKernel();

describe.skipIf(kernel === undefined)(`on the running kernel ${reason}`, () => {
  const linux = kernel as LinuxKernel;
  const VMLINUX = '/sys/kernel/btf/vmlinux';
  const kernelBtf = existsSync(VMLINUX) ? () => new Uint8Array(readFileSync(VMLINUX)) : undefined;

  test.each(['globals', 'subprogs', 'maps', 'callbacks', 'legacy-maps', 'kinds', 'globals.clang14', 'maps.clang14', 'callbacks.clang16'])('%s loads', (name) => {
    loadObject(open(`${name}.bpf.o`), linux).close();
  });

  test.each(['core-fields', 'core-types', 'core-fields.clang14', 'core-types.clang16'])('%s loads against another kernel\'s types', (name) => {
    loadObject(open(`${name}.bpf.o`), linux, { kernelBtf: objectBtf('core-target.bpf.o') }).close();
  });

  test.skipIf(kernelBtf === undefined)('core-kernel loads against its own types', () => {
    loadObject(open('core-kernel.bpf.o'), linux, kernelBtf === undefined ? {} : { kernelBtf }).close();
  });

  test.each(['externs', 'basic'] as const)('takes BTF sanitised as "%s"', (level) => {
    for (const name of ['externs', 'kinds', 'maps', 'globals']) {
      const { btf } = open(`${name}.bpf.o`);
      if (btf !== undefined) linux.close(linux.btfLoad({ btf: sanitizeBtf(btf, level) }));
    }
  });

  test('maps and globals hold what was put in', () => {
    const object = loadObject(open('maps.bpf.o'), linux);
    const { btf } = object.spec;
    const json = [{ key: { prefixlen: 8, addr: '10.0.0.0' }, value: 1 }, { key: '192.168.0.0/16', value: 2 }];
    const blocklist = object.maps.get('blocklist');
    const counters = object.maps.get('a_counter_with_a_long_name');
    if (blocklist === undefined || counters === undefined) return expect.unreachable();
    fillMap(linux, blocklist.fd, blocklist.spec, btf, json);
    expect(dumpMap(linux, blocklist.fd, blocklist.spec, btf)).toEqual(expect.arrayContaining([{ key: { prefixlen: 8, addr: [10, 0, 0, 0] }, value: 1 }, { key: { prefixlen: 16, addr: [192, 168, 0, 0] }, value: 2 }]));
    expect(dumpMap(linux, counters.fd, counters.spec, btf)).toHaveLength(4);
    object.close();
    const globals = loadObject(open('globals.bpf.o'), linux, { globals: { mode: 'MODE_DROP' } });
    globals.setGlobal('level', -100);
    expect([globals.getGlobal('mode'), globals.getGlobal('level'), globals.getGlobal('verbose')]).toEqual(['MODE_DROP', -100, false]);
    expect(() => globals.setGlobal('verbose', true)).toThrow(BpfSyscallError);
    globals.close();
  });
});
