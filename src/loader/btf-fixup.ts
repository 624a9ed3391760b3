// Completes an object's BTF: compilers leave section sizes and variable offsets at zero for the loader, which takes them from ELF.
// Invariant: afterwards every DATASEC that exists in the file has its size, and its variables their offsets, in ascending order
// (the kernel refuses others). Hidden functions become static, so that the verifier doesn't check them on their own.
// Source: libbpf's btf_fixup_datasec and mark_btf_static.

import type { Btf } from '../btf/btf.ts';
import { BTF_FUNC_STATIC, BTF_KIND_DATASEC, BTF_KIND_FUNC, BTF_KIND_VAR, BTF_TYPE_SIZE, BTF_VAR_STATIC } from '../spec/btf.ts';
import { STB_LOCAL, STT_FUNC, STV_HIDDEN, STV_INTERNAL } from '../elf/constants.ts';
import type { ElfFile, ElfSection } from '../elf/elf.ts';
import { viewOf } from '../util/bytes.ts';

const SECINFO_SIZE = 12;

/** Writes into `btf`, which must be the caller's own copy with nothing decoded yet, and returns it. */
export function fixupBtf(btf: Btf, elf: ElfFile): Btf {
  const view = viewOf(btf.bytes);
  const hidden = hiddenFunctions(elf);
  for (let id = 1; id < btf.typeCount; id++) {
    const kind = btf.kind(id);
    if (kind === BTF_KIND_FUNC && hidden.size > 0 && hidden.has(btf.name(id))) view.setUint32(btf.offsetOf(id) + 4, (BTF_KIND_FUNC << 24) | BTF_FUNC_STATIC, true);
    if (kind !== BTF_KIND_DATASEC) continue;
    const section = elf.sections.find((s) => s.name === btf.name(id));
    if (section !== undefined) fixupDatasec(btf, view, id, elf, section);
  }
  return btf;
}

const isHidden = (visibility: number): boolean => visibility === STV_HIDDEN || visibility === STV_INTERNAL;

function hiddenFunctions(elf: ElfFile): Set<string> {
  return new Set(elf.symbols.filter((s) => s.type === STT_FUNC && s.bind !== STB_LOCAL && isHidden(s.visibility)).map((s) => s.name));
}

function fixupDatasec(btf: Btf, view: DataView, id: number, elf: ElfFile, section: ElfSection): void {
  const at = btf.offsetOf(id);
  if (view.getUint32(at + 8, true) === 0) view.setUint32(at + 8, section.size, true);
  const start = at + BTF_TYPE_SIZE;
  const offsets = new Map(elf.symbols.filter((s) => s.section === section.index && s.name !== '').map((s) => [s.name, s.value]));
  const records = Array.from({ length: btf.vlen(id) }, (_, i) => {
    const record = start + i * SECINFO_SIZE;
    const type = view.getUint32(record, true);
    const own = view.getUint32(record + 4, true);
    // Static variables carry their offset; global ones are found by their symbol.
    const offset = isStaticVar(btf, view, type) ? own : (offsets.get(btf.name(type)) ?? own);
    return { type, offset, size: view.getUint32(record + 8, true) };
  });
  records.sort((a, b) => a.offset - b.offset);
  records.forEach((record, i) => [record.type, record.offset, record.size].forEach((word, j) => view.setUint32(start + i * SECINFO_SIZE + 4 * j, word, true)));
}

function isStaticVar(btf: Btf, view: DataView, id: number): boolean {
  return btf.kind(id) === BTF_KIND_VAR && view.getUint32(btf.offsetOf(id) + BTF_TYPE_SIZE, true) === BTF_VAR_STATIC;
}
