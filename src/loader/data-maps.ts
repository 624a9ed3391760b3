// Global variables as maps: each .data*, .rodata* and .bss* section is one ARRAY map of one element.
// Invariant: names, flags and sizes as libbpf 1.x gives them, so that `bpftool map` shows the same. Source: libbpf's
// bpf_object__init_internal_map, internal_map_name, map_is_mmapable.

import type { Btf } from '../btf/btf.ts';
import type { BtfDatasec, BtfVar } from '../btf/types.ts';
import { BTF_KIND_DATASEC, BTF_KIND_VAR, BTF_VAR_STATIC } from '../spec/btf.ts';
import { BPF_OBJ_NAME_LEN } from '../spec/limits.ts';
import { BPF_F_MMAPABLE, BPF_F_RDONLY_PROG, BPF_MAP_TYPE_ARRAY } from '../spec/map-types.ts';
import { LIBBPF_PIN_NONE } from '../spec/elf-bpf.ts';
import { SHN_LORESERVE, SHT_NOBITS, STT_OBJECT, STB_LOCAL } from '../elf/constants.ts';
import type { ElfSection } from '../elf/elf.ts';
import { ElfError } from '../util/errors.ts';
import type { BpfElf, DataOrigin } from './elf-object.ts';
import type { MapSpec, VariableSpec } from './object-spec.ts';

const NAME_MAX = BPF_OBJ_NAME_LEN - 1;

/** Largest .bss that is taken: a map's value can't be larger (KMALLOC_MAX is far below for arrays, 2^30 is what fits a host). */
const BSS_MAX = 1 << 30;

/** Even short suffixes (`.bss`) leave no more room for the object's name than `.rodata` does. */
const SUFFIX_MIN = '.rodata'.length;

/** `flow_tracker` and `.rodata` → `flow_tra.rodata`; sections with a name of their own (`.data.hot`) keep it alone. */
export function internalMapName(objectName: string, section: string): string {
  const suffix = section.slice(0, NAME_MAX);
  const prefix = section.indexOf('.', 1) >= 0 ? '' : objectName.slice(0, NAME_MAX - Math.max(SUFFIX_MIN, suffix.length));
  return `${prefix}${suffix}`.replace(/[^A-Za-z0-9_.]/g, '_');
}

const datasecOf = (btf: Btf | undefined, section: string): number => btf?.findByName(section, BTF_KIND_DATASEC) ?? 0;

/** Only sections with a variable that others can see are mapped into user space. */
function isMmapable(btf: Btf | undefined, datasec: number): boolean {
  if (btf === undefined || datasec === 0) return false;
  return (btf.type(datasec) as BtfDatasec).vars.some((v) => btf.kind(v.type) === BTF_KIND_VAR && (btf.type(v.type) as BtfVar).linkage !== BTF_VAR_STATIC);
}

function contentsOf(section: ElfSection): Uint8Array {
  if (section.type !== SHT_NOBITS) return section.data.slice();
  if (section.size > BSS_MAX) throw new ElfError(`${section.size} bytes of zeroed variables are too many`, section.name, section.offset);
  return new Uint8Array(section.size);
}

function dataMap(object: BpfElf, objectName: string, section: ElfSection, origin: DataOrigin): MapSpec {
  const valueTypeId = datasecOf(object.btf, section.name);
  const readOnly = origin === 'rodata';
  return {
    name: section.name, kernelName: internalMapName(objectName, section.name), section: section.name, origin, type: BPF_MAP_TYPE_ARRAY, keySize: 4,
    valueSize: section.size, maxEntries: 1, flags: (readOnly ? BPF_F_RDONLY_PROG : 0) | (isMmapable(object.btf, valueTypeId) ? BPF_F_MMAPABLE : 0), numaNode: 0, mapExtra: 0n,
    keyTypeId: 0, valueTypeId, pinning: LIBBPF_PIN_NONE, slots: [], contents: contentsOf(section), frozen: readOnly,
  };
}

/** The maps of an object's global variables, in section order. */
export function dataMaps(object: BpfElf, objectName: string): MapSpec[] {
  return object.data.map(({ section, origin }) => dataMap(object, objectName, section, origin));
}

function variablesByBtf(btf: Btf, datasec: number, section: ElfSection): VariableSpec[] {
  return (btf.type(datasec) as BtfDatasec).vars.flatMap((v) => {
    const variable = btf.type(v.type);
    if (variable.kind !== BTF_KIND_VAR || v.offset + v.size > section.size) return [];
    return [{ name: variable.name, map: section.name, offset: v.offset, size: v.size, typeId: variable.type, isStatic: variable.linkage === BTF_VAR_STATIC }];
  });
}

function variablesBySymbol(object: BpfElf, section: ElfSection): VariableSpec[] {
  return object.elf.symbols
    .filter((s) => s.type === STT_OBJECT && s.section === section.index && s.section < SHN_LORESERVE && s.value + s.size <= section.size)
    .map((s) => ({ name: s.name, map: section.name, offset: s.value, size: s.size, typeId: 0, isStatic: s.bind === STB_LOCAL }));
}

/** The variables in an object's data sections: typed by BTF, from symbols where BTF says nothing. */
export function dataVariables(object: BpfElf): VariableSpec[] {
  return object.data.flatMap(({ section }) => {
    const datasec = datasecOf(object.btf, section.name);
    return object.btf === undefined || datasec === 0 ? variablesBySymbol(object, section) : variablesByBtf(object.btf, datasec, section);
  });
}
