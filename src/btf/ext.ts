// Reads .BTF.ext: which instruction belongs to which function and source line, and which must be relocated for CO-RE.
// Invariant: records come out per ELF section, with instruction offsets in bytes from that section's start, as in the file.
// Source: Documentation/bpf/btf.rst section 4; records may be longer than what is known, never shorter.

import { BTF_MAGIC, BTF_VERSION } from '../spec/btf.ts';
import { BtfError } from '../util/errors.ts';
import { viewOf } from '../util/bytes.ts';
import type { Btf } from './btf.ts';

/** The function that starts at byte `insnOff` of its section. */
export interface BtfExtFuncInfo { readonly insnOff: number; readonly typeId: number }

/** The source line of the instructions from byte `insnOff` on; strings as offsets into the BTF; line and column from 1. */
export interface BtfExtLineInfo { readonly insnOff: number; readonly fileNameOff: number; readonly lineOff: number; readonly line: number; readonly column: number }

/** One CO-RE relocation; `kind` is BPF_CORE_*, `accessStr` as clang wrote it (`0:1:2`). */
export interface CoreRelo { readonly insnOff: number; readonly typeId: number; readonly accessStr: string; readonly kind: number }

/** .BTF.ext, each list by section name. */
export interface BtfExt {
  readonly funcInfo: ReadonlyMap<string, readonly BtfExtFuncInfo[]>;
  readonly lineInfo: ReadonlyMap<string, readonly BtfExtLineInfo[]>;
  readonly coreRelos: ReadonlyMap<string, readonly CoreRelo[]>;
}

const SECTION = '.BTF.ext';

const fail = (message: string, offset: number): never => {
  throw new BtfError(message, SECTION, offset);
};

interface Part { readonly what: string; readonly start: number; readonly end: number; readonly minRecord: number }

function readPart<T>(view: DataView, btf: Btf, part: Part, read: (at: number) => T): Map<string, T[]> {
  const bySection = new Map<string, T[]>();
  if (part.end === part.start) return bySection;
  if (part.end - part.start < 4) fail(`${part.what}: no record size`, part.start);
  const recordSize = view.getUint32(part.start, true);
  if (recordSize < part.minRecord || recordSize % 4 !== 0 || recordSize > 4096) fail(`${part.what}: record size ${recordSize}`, part.start);
  let at = part.start + 4;
  while (at < part.end) {
    if (at + 8 > part.end) fail(`${part.what}: section header is truncated`, at);
    const nameOff = view.getUint32(at, true);
    const count = view.getUint32(at + 4, true);
    if (nameOff >= btf.layout.strLen) fail(`${part.what}: section name at ${nameOff}, beyond the strings`, at);
    if (count === 0) fail(`${part.what}: section without records`, at + 4);
    at += 8;
    if (count * recordSize > part.end - at) fail(`${part.what}: ${count} records of ${recordSize} bytes reach beyond the end`, at);
    const name = btf.string(nameOff);
    const list = bySection.get(name) ?? [];
    bySection.set(name, list);
    for (let i = 0; i < count; i++, at += recordSize) list.push(read(at));
  }
  return bySection;
}

/** Reads a .BTF.ext section; its strings and types are those of `btf`. Throws BtfError. */
export function parseBtfExt(bytes: Uint8Array, btf: Btf): BtfExt {
  const view = viewOf(bytes);
  if (bytes.length < 24) fail(`truncated: ${bytes.length} bytes, the header alone has 24`, bytes.length);
  if (view.getUint16(0, true) !== BTF_MAGIC) fail(`bad magic 0x${view.getUint16(0, true).toString(16)}`, 0);
  if (view.getUint8(2) !== BTF_VERSION) fail(`unknown version ${view.getUint8(2)}`, 2);
  const headerLen = view.getUint32(4, true);
  if (headerLen < 24 || headerLen > bytes.length) fail(`bad header length ${headerLen}`, 4);
  const part = (what: string, field: number, minRecord: number): Part => {
    if (field + 8 > headerLen) return { what, start: 0, end: 0, minRecord };
    const start = headerLen + view.getUint32(field, true);
    const end = start + view.getUint32(field + 4, true);
    if (end > bytes.length || start % 4 !== 0) fail(`${what}: bytes ${start} to ${end} of ${bytes.length}`, field);
    return { what, start, end, minRecord };
  };
  const u32 = (at: number): number => view.getUint32(at, true);
  const typeId = (at: number): number => (btf.has(u32(at)) ? u32(at) : fail(`type ${u32(at)} of ${btf.typeCount}`, at));
  return {
    funcInfo: readPart(view, btf, part('func_info', 8, 8), (at) => ({ insnOff: u32(at), typeId: typeId(at + 4) })),
    lineInfo: readPart(view, btf, part('line_info', 16, 16), (at) => ({
      insnOff: u32(at), fileNameOff: u32(at + 4), lineOff: u32(at + 8), line: u32(at + 12) >>> 10, column: u32(at + 12) & 0x3ff,
    })),
    coreRelos: readPart(view, btf, part('core_relo', 24, 16), (at) => ({ insnOff: u32(at), typeId: typeId(at + 4), accessStr: btf.string(u32(at + 8)), kind: u32(at + 12) })),
  };
}
