// Opens an object file as clang (or gcc) makes it: ELF in, ObjectSpec out.
// Invariant I4: pure; nothing but the bytes and the options counts. What can't be understood is a typed error (ElfError, BtfError,
// LoadError); what is understood but has no effect is a warning in the spec. Rules as libbpf 1.x.

import { BPF_OBJ_NAME_LEN } from '../spec/limits.ts';
import { BPF_F_SLEEPABLE, BPF_F_XDP_HAS_FRAGS, BPF_PROG_TYPE_UNSPEC } from '../spec/prog-types.ts';
import { secDefOf, secTarget } from '../spec/sec-names.ts';
import { btfMaps } from './btf-maps.ts';
import { dataMaps, dataVariables } from './data-maps.ts';
import { readBpfElf, type BpfElf } from './elf-object.ts';
import { readFunctions, type BpfFunction } from './functions.ts';
import { legacyMaps } from './legacy-maps.ts';
import { linkProgram, type LinkContext } from './link-program.ts';
import type { ObjectSpec, ProgramSpec } from './object-spec.ts';

/** `name`: what libbpf takes from the file's name; it goes into the names of global variables' maps. */
export interface OpenOptions { readonly name?: string }

/** Slots of all programs together; more than any real object has, few enough for a browser. */
const TOTAL_INSNS_MAX = 16_000_000;

/** The object's name as libbpf takes it from a path: up to the first dot, 15 characters. */
export function objectName(path: string): string {
  const base = path.slice(path.lastIndexOf('/') + 1).slice(0, BPF_OBJ_NAME_LEN - 1);
  const dot = base.indexOf('.');
  return dot > 0 ? base.slice(0, dot) : base;
}

function programSpec(context: LinkContext, fn: BpfFunction): ProgramSpec {
  const autoload = !fn.section.name.startsWith('?');
  const section = autoload ? fn.section.name : fn.section.name.slice(1);
  const def = secDefOf(section);
  return {
    name: fn.name, section, autoload, type: def?.progType ?? BPF_PROG_TYPE_UNSPEC, expectedAttachType: def?.attachType ?? 0,
    attachTo: def === undefined ? '' : secTarget(def, section), attachBtf: def?.attachBtf === true,
    flags: (def?.sleepable === true ? BPF_F_SLEEPABLE : 0) | (def?.xdpFrags === true ? BPF_F_XDP_HAS_FRAGS : 0), ...linkProgram(context, fn),
  };
}

function warningsOf(object: BpfElf): string[] {
  const warnings: string[] = [];
  for (const { section } of object.data) {
    if (object.elf.relocationSections.some((r) => r.target === section.index && r.relocations.length > 0)) warnings.push(`relocations in section '${section.name}' are ignored: pointers there stay offsets`);
  }
  if (object.structOps !== undefined) warnings.push(`section '${object.structOps.name}' is ignored: struct_ops maps are not supported yet`);
  if (object.legacyMaps !== undefined) warnings.push("legacy map definitions in section 'maps': libbpf 1.0 and later refuse them");
  return warnings;
}

/** Opens an object. Throws ElfError, BtfError, LoadError or NotSupportedError; never anything else. */
export function openObject(bytes: Uint8Array, options: OpenOptions = {}): ObjectSpec {
  const name = objectName(options.name ?? 'object');
  const object = readBpfElf(bytes);
  const functions = readFunctions(object);
  const definedMaps = [...legacyMaps(object), ...btfMaps(object)];
  const context: LinkContext = { object, functions, definedMaps, budget: { left: TOTAL_INSNS_MAX } };
  const mains = [...functions.values()].flat().filter((fn) => !fn.isSubprog);
  const spec = {
    name, license: object.license, kernelVersion: object.kernelVersion, programs: mains.map((fn) => programSpec(context, fn)),
    maps: [...definedMaps.map((m) => m.spec), ...dataMaps(object, name)], variables: dataVariables(object), warnings: warningsOf(object),
  };
  return object.btf === undefined ? spec : { ...spec, btf: object.btf };
}
