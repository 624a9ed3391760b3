// The same objects through libbpf: maps, program types and every instruction after relocation must be the same.
// tests/objects/libbpf.txt holds libbpf 1.1's answers (record-libbpf.sh renews it). What libbpf refuses is listed here with the reason.

import { describe, expect, test } from 'vitest';
import { encodeInsns } from '../../src/insn/encode.ts';
import { ObjectLoader } from '../../src/loader/load.ts';
import { openObject } from '../../src/loader/open.ts';
import { fromHex } from '../../src/util/bytes.ts';
import { normalizeInsns, objectBtf, readObject } from './object-programs.ts';
import { RecordingKernel } from './recording-kernel.ts';

/** Objects and programs that libbpf and bpfkit treat differently on purpose. */
const DIFFERENT = new Map([
  ['legacy-maps.bpf.o', 'libbpf 1.0 dropped legacy map definitions'],
  ['externs.bpf.o', 'libbpf makes a map of .kconfig; externs are not supported here yet'],
]);

interface Recorded { readonly name: string; readonly maps: string[]; readonly progs: { readonly head: string; readonly insns: string }[] }

function readRecorded(): Recorded[] {
  const objects: Recorded[] = [];
  for (const line of new TextDecoder().decode(readObject('libbpf.txt')).trim().split('\n')) {
    const [word = '', ...rest] = line.split(' ');
    if (word === 'object') objects.push({ name: rest[0] ?? '', maps: [], progs: [] });
    else if (word === 'map') objects.at(-1)?.maps.push(rest.join(' '));
    else if (word === 'prog') objects.at(-1)?.progs.push({ head: rest.slice(0, 4).join(' '), insns: rest[5] ?? '' });
  }
  return objects;
}

const hexFlags = (flags: number): string => (flags === 0 ? '0' : `0x${flags.toString(16)}`);

describe('libbpf 1.1 and bpfkit agree on', () => {
  for (const recorded of readRecorded()) {
    const reason = DIFFERENT.get(recorded.name);
    test.skipIf(reason !== undefined)(reason === undefined ? recorded.name : `${recorded.name} (${reason})`, () => {
      const spec = openObject(readObject(recorded.name), { name: recorded.name });
      const loader = new ObjectLoader(spec, new RecordingKernel(), { kernelBtf: () => objectBtf('core-target.bpf.o') });
      const withoutTypes = new Set([3, 12, 13]);
      const maps = spec.maps.map((m) => [m.origin === 'defined' ? m.name : m.kernelName, m.type, m.keySize, m.valueSize, m.maxEntries, withoutTypes.has(m.type) ? 0 : m.valueTypeId, hexFlags(m.flags), m.mapExtra].join(' '));
      expect(maps).toEqual(recorded.maps);
      expect(spec.programs.map((p) => [p.name, p.section, p.type, p.expectedAttachType].join(' '))).toEqual(recorded.progs.map((p) => p.head));
      for (const [i, prog] of spec.programs.entries()) {
        const theirs = fromHex(recorded.progs[i]?.insns ?? '') ?? new Uint8Array(0);
        expect({ prog: prog.name, insns: normalizeInsns(encodeInsns(loader.insns(prog))) }).toEqual({ prog: prog.name, insns: normalizeInsns(theirs) });
      }
    });
  }
});
