// What a loader makes of an object, in a form that compares across loaders: map file descriptors are replaced by the order of first use.
// Used by the tests against libbpf's recorded answers (tests/objects/libbpf.json, see tests/objects/record-libbpf.sh).

import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseBtf, type Btf } from '../../src/btf/btf.ts';
import { parseElf } from '../../src/elf/elf.ts';
import { toHex, viewOf } from '../../src/util/bytes.ts';

export const OBJECTS = fileURLToPath(new URL('../objects/', import.meta.url));

/** The bytes of tests/objects/NAME. */
export const readObject = (name: string): Uint8Array => new Uint8Array(readFileSync(OBJECTS + name));

/** The BTF section of tests/objects/NAME. */
export function objectBtf(name: string): Btf {
  const section = parseElf(readObject(name)).sections.find((s) => s.name === '.BTF');
  return parseBtf(section?.data ?? new Uint8Array(0));
}

/** Instruction bytes as hex, with each map's fd replaced by its rank of first use. */
export function normalizeInsns(bytes: Uint8Array): string {
  const copy = bytes.slice();
  const view = viewOf(copy);
  const ranks = new Map<number, number>();
  for (let at = 0; at + 16 <= copy.length; at += 8) {
    if (copy[at] !== 0x18) continue;
    const src = (copy[at + 1] as number) >> 4;
    const fd = view.getInt32(at + 4, true);
    if (src === 1 || src === 2) {
      if (!ranks.has(fd)) ranks.set(fd, ranks.size);
      view.setInt32(at + 4, ranks.get(fd) as number, true);
    }
    at += 8;
  }
  return toHex(copy);
}
