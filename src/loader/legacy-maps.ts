// Maps of the old kind, in section "maps": one C struct each, told apart by their symbols.
// Invariant: libbpf's struct bpf_map_def (five words) and iproute2's struct bpf_elf_map (nine words) are understood; any other field
// that is not zero is refused, never ignored. libbpf 1.x refuses the section; loaders such as cilium/ebpf and iproute2 still take it.

import type { Btf } from '../btf/btf.ts';
import type { BtfComposite } from '../btf/types.ts';
import { sizeOf } from '../btf/walk.ts';
import { BTF_KIND_STRUCT } from '../spec/btf.ts';
import { BPF_ELF_MAP_SIZE, BPF_MAP_DEF_SIZE, LIBBPF_PIN_BY_NAME, LIBBPF_PIN_NONE } from '../spec/elf-bpf.ts';
import { STT_NOTYPE, STT_OBJECT } from '../elf/constants.ts';
import { ElfError, NotSupportedError } from '../util/errors.ts';
import { viewOf } from '../util/bytes.ts';
import { kernelMapName, type DefinedMap } from './btf-maps.ts';
import type { BpfElf } from './elf-object.ts';

/** Key and value types that BPF_ANNOTATE_KV_PAIR left in a struct `____btf_map_NAME`. */
function annotatedTypes(btf: Btf | undefined, name: string, keySize: number, valueSize: number): { keyTypeId: number; valueTypeId: number } {
  const id = btf?.findByName(`____btf_map_${name}`, BTF_KIND_STRUCT);
  if (btf === undefined || id === undefined) return { keyTypeId: 0, valueTypeId: 0 };
  const [key, value] = (btf.type(id) as BtfComposite).members;
  if (key?.name !== 'key' || value?.name !== 'value' || sizeOf(btf, key.type) !== keySize || sizeOf(btf, value.type) !== valueSize) return { keyTypeId: 0, valueTypeId: 0 };
  return { keyTypeId: key.type, valueTypeId: value.type };
}

/** iproute2's pinning; its other fields (id, inner maps) have no counterpart. */
function readExtraWords(words: readonly number[], defSize: number, name: string): number {
  if (words.every((word) => word === 0)) return LIBBPF_PIN_NONE;
  const [, pinning = 0, ...inner] = words;
  if (defSize !== BPF_ELF_MAP_SIZE || inner.some((word) => word !== 0)) throw new NotSupportedError(`map '${name}': legacy definition with more fields than struct bpf_map_def`);
  return pinning === 0 ? LIBBPF_PIN_NONE : LIBBPF_PIN_BY_NAME;
}

/** The maps of section "maps", by offset. Throws ElfError, NotSupportedError. */
export function legacyMaps(object: BpfElf): DefinedMap[] {
  const section = object.legacyMaps;
  if (section === undefined || section.size === 0) return [];
  const symbols = object.elf.symbols
    .filter((s) => s.section === section.index && s.name !== '' && (s.type === STT_OBJECT || s.type === STT_NOTYPE)).sort((a, b) => a.value - b.value);
  const defSize = section.size / symbols.length;
  if (symbols.length === 0 || !Number.isInteger(defSize) || defSize < BPF_MAP_DEF_SIZE || defSize % 4 !== 0) {
    throw new ElfError(`${symbols.length} maps in ${section.size} bytes: definitions of unequal or too small size`, section.name, section.offset);
  }
  const view = viewOf(section.data);
  return symbols.map((symbol): DefinedMap => {
    const { name, value: offset } = symbol;
    if (offset % defSize !== 0 || offset + defSize > section.size) throw new ElfError(`map '${name}' at offset ${offset}, definitions have ${defSize} bytes`, section.name, section.offset + offset);
    const word = (i: number): number => view.getUint32(offset + 4 * i, true);
    const pinning = readExtraWords(Array.from({ length: (defSize - BPF_MAP_DEF_SIZE) / 4 }, (_, i) => word(5 + i)), defSize, name);
    const spec = {
      name, kernelName: kernelMapName(name), section: section.name, origin: 'legacy' as const, type: word(0), keySize: word(1), valueSize: word(2), maxEntries: word(3),
      flags: word(4), numaNode: 0, mapExtra: 0n, ...annotatedTypes(object.btf, name, word(1), word(2)), pinning, slots: [], frozen: false,
    };
    return { spec, offset, size: defSize, valuesOffset: -1 };
  });
}
