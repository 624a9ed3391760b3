// A BTF section as it lies in memory: types stay encoded, with one offset per type, and are decoded when asked for.
// Invariant: after `parseBtf` every name offset, type id and size in the section is in range, so that accessors need no checks.
// Source: Documentation/bpf/btf.rst. A full vmlinux BTF (150,000 types) must open in well under 150 ms.

import {
  BTF_HEADER_SIZE, BTF_KIND_ARRAY, BTF_KIND_DATASEC, BTF_KIND_DECL_TAG, BTF_KIND_ENUM, BTF_KIND_ENUM64, BTF_KIND_FLOAT, BTF_KIND_FUNC, BTF_KIND_FUNC_PROTO,
  BTF_KIND_FWD, BTF_KIND_INT, BTF_KIND_STRUCT, BTF_KIND_UNION, BTF_KIND_UNKN, BTF_KIND_VAR, BTF_KINDS, BTF_MAGIC, BTF_TYPE_SIZE, BTF_VERSION,
} from '../spec/btf.ts';
import { BtfError, InternalError } from '../util/errors.ts';
import { cString, viewOf } from '../util/bytes.ts';
import { essentialName, NameIndex } from './name-index.ts';
import type { BtfEnumerator, BtfMember, BtfType } from './types.ts';

const VOID: BtfType = { kind: BTF_KIND_UNKN, name: '' };

/** Where the two parts of a BTF section lie, in bytes from its start. */
export interface BtfLayout { readonly typeStart: number; readonly typeLen: number; readonly strStart: number; readonly strLen: number }

/** A BTF section. Type ids run from 0 (void) to `typeCount - 1`. */
export class Btf {
  /** The section itself; not to be changed. */
  readonly bytes: Uint8Array;
  readonly layout: BtfLayout;
  /** Number of types, void included. */
  readonly typeCount: number;
  readonly #view: DataView;
  readonly #offsets: Uint32Array;
  readonly #decoded = new Map<number, BtfType>();
  #names: NameIndex | undefined;

  /** For `parseBtf`, which has checked everything; `offsets` holds the byte offset of each type, by id. */
  constructor(bytes: Uint8Array, layout: BtfLayout, offsets: Uint32Array) {
    this.bytes = bytes;
    this.layout = layout;
    this.typeCount = offsets.length;
    this.#view = viewOf(bytes);
    this.#offsets = offsets;
  }

  /** True for the ids that this BTF has; 0 (void) included. */
  has(id: number): boolean {
    return id >= 0 && id < this.typeCount;
  }

  /** Byte offset of a type's 12-byte header in the section; throws InternalError for void and ids out of range. */
  offsetOf(id: number): number {
    const offset = this.#offsets[id];
    if (offset === undefined || id === 0) throw new InternalError(`BTF type id ${id} of ${this.typeCount}`);
    return offset;
  }

  /** BTF_KIND_* of a type. */
  kind(id: number): number {
    return id === 0 ? BTF_KIND_UNKN : (this.#info(id) >>> 24) & 0x1f;
  }

  /** Number of members, enumerators, parameters or variables; a FUNC's linkage. */
  vlen(id: number): number {
    return id === 0 ? 0 : this.#info(id) & 0xffff;
  }

  /** The type's flag bit: bitfields in a struct, signed enum, union FWD. */
  kflag(id: number): boolean {
    return id !== 0 && this.#info(id) >>> 31 === 1;
  }

  /** The third word: a size in bytes or the id of another type, by kind. */
  sizeOrType(id: number): number {
    return id === 0 ? 0 : this.#view.getUint32(this.offsetOf(id) + 8, true);
  }

  /** A type's name, '' for anonymous ones. */
  name(id: number): string {
    return id === 0 ? '' : this.string(this.nameOffset(id));
  }

  /** A type's name as an offset into the strings. */
  nameOffset(id: number): number {
    return this.#view.getUint32(this.offsetOf(id), true);
  }

  /** The string at an offset of the string part; '' when it is out of range. */
  string(offset: number): string {
    if (offset >= this.layout.strLen) return '';
    return cString(this.bytes, this.layout.strStart + offset);
  }

  /** The decoded type; decoded once. */
  type(id: number): BtfType {
    if (id === 0) return VOID;
    let type = this.#decoded.get(id);
    if (type === undefined) {
      type = this.#decode(id);
      this.#decoded.set(id, type);
    }
    return type;
  }

  /** Ids of the types with this name, ascending; of one kind when `kind` is given. */
  idsByName(name: string, kind?: number): number[] {
    const ids = this.#index().find(essentialName(name));
    return ids.filter((id) => this.name(id) === name && (kind === undefined || this.kind(id) === kind));
  }

  /** The first type with this name, of one kind when `kind` is given; undefined when there is none. */
  findByName(name: string, kind?: number): number | undefined {
    return this.idsByName(name, kind)[0];
  }

  /** Ids of the types whose name without its flavour (`___…`) is `essential`, ascending. */
  idsByEssentialName(essential: string): number[] {
    return this.#index().find(essential);
  }

  #index(): NameIndex {
    this.#names ??= new NameIndex(this);
    return this.#names;
  }

  #info(id: number): number {
    return this.#view.getUint32(this.offsetOf(id) + 4, true);
  }

  #u32(at: number): number {
    return this.#view.getUint32(at, true);
  }

  #decode(id: number): BtfType {
    const at = this.offsetOf(id) + BTF_TYPE_SIZE;
    const name = this.name(id);
    const word = this.sizeOrType(id);
    const kind = this.kind(id) as BtfType['kind'];
    switch (kind) {
      case BTF_KIND_UNKN: return VOID;
      case BTF_KIND_INT: {
        const data = this.#u32(at);
        return { kind, name, size: word, bits: data & 0xff, offset: (data >>> 16) & 0xff, encoding: (data >>> 24) & 0x0f };
      }
      case BTF_KIND_ARRAY: return { kind, name: '', type: this.#u32(at), indexType: this.#u32(at + 4), nelems: this.#u32(at + 8) };
      case BTF_KIND_STRUCT: case BTF_KIND_UNION: return { kind, name, size: word, kflag: this.kflag(id), members: this.#members(id, at) };
      case BTF_KIND_ENUM: case BTF_KIND_ENUM64: return { kind, name, size: word, signed: this.kflag(id), values: this.#enumerators(id, at) };
      case BTF_KIND_FWD: return { kind, name, isUnion: this.kflag(id) };
      case BTF_KIND_FUNC: return { kind, name, type: word, linkage: this.vlen(id) };
      case BTF_KIND_FUNC_PROTO: return { kind, name: '', type: word, params: this.#items(id, at, 8, (p) => ({ name: this.string(this.#u32(p)), type: this.#u32(p + 4) })) };
      case BTF_KIND_VAR: return { kind, name, type: word, linkage: this.#u32(at) };
      case BTF_KIND_DATASEC: return { kind, name, size: word, vars: this.#items(id, at, 12, (p) => ({ type: this.#u32(p), offset: this.#u32(p + 4), size: this.#u32(p + 8) })) };
      case BTF_KIND_FLOAT: return { kind, name, size: word };
      case BTF_KIND_DECL_TAG: return { kind, name, type: word, componentIdx: this.#view.getInt32(at, true), kflag: this.kflag(id) };
      default: return { kind, name, type: word, kflag: this.kflag(id) };
    }
  }

  #items<T>(id: number, at: number, size: number, read: (at: number) => T): T[] {
    return Array.from({ length: this.vlen(id) }, (_, i) => read(at + i * size));
  }

  #members(id: number, at: number): BtfMember[] {
    const bitfields = this.kflag(id);
    return this.#items(id, at, 12, (m) => {
      const offset = this.#u32(m + 8);
      return { name: this.string(this.#u32(m)), type: this.#u32(m + 4), bitOffset: bitfields ? offset & 0xff_ffff : offset, bitSize: bitfields ? offset >>> 24 : 0 };
    });
  }

  #enumerators(id: number, at: number): BtfEnumerator[] {
    const signed = this.kflag(id);
    const wide = this.kind(id) === BTF_KIND_ENUM64;
    return this.#items(id, at, wide ? 12 : 8, (v) => {
      const raw = BigInt(this.#u32(v + 4)) | (wide ? BigInt(this.#u32(v + 8)) << 32n : 0n);
      return { name: this.string(this.#u32(v)), value: signed ? BigInt.asIntN(wide ? 64 : 32, raw) : raw };
    });
  }
}

function readHeader(bytes: Uint8Array, section: string): BtfLayout {
  const view = viewOf(bytes);
  const fail = (message: string, offset: number): never => {
    throw new BtfError(message, section, offset);
  };
  if (bytes.length < BTF_HEADER_SIZE) fail(`truncated: ${bytes.length} bytes, the header alone has ${BTF_HEADER_SIZE}`, bytes.length);
  const magic = view.getUint16(0, true);
  if (magic === 0x9feb) fail('big-endian BTF', 0);
  if (magic !== BTF_MAGIC) fail(`bad magic 0x${magic.toString(16)}, BTF has 0x${BTF_MAGIC.toString(16)}`, 0);
  if (view.getUint8(2) !== BTF_VERSION) fail(`unknown version ${view.getUint8(2)}`, 2);
  const headerLen = view.getUint32(4, true);
  if (headerLen < BTF_HEADER_SIZE || headerLen > bytes.length) fail(`bad header length ${headerLen}`, 4);
  const [typeOff, typeLen, strOff, strLen] = [8, 12, 16, 20].map((at) => view.getUint32(at, true)) as [number, number, number, number];
  if (typeOff % 4 !== 0) fail(`type part at unaligned offset ${typeOff}`, 8);
  if (headerLen + typeOff + typeLen > bytes.length) fail(`type part of ${typeLen} bytes at ${headerLen + typeOff} reaches beyond the end (${bytes.length})`, 8);
  if (headerLen + strOff + strLen > bytes.length) fail(`string part of ${strLen} bytes at ${headerLen + strOff} reaches beyond the end (${bytes.length})`, 16);
  if (typeOff < strOff + strLen && strOff < typeOff + typeLen) fail('type and string parts overlap', 16);
  const strStart = headerLen + strOff;
  if (strLen === 0) fail('no strings', 20);
  if (bytes[strStart] !== 0 || bytes[strStart + strLen - 1] !== 0) fail('strings do not start and end with NUL', strStart);
  return { typeStart: headerLen + typeOff, typeLen, strStart, strLen };
}

/** Walks the type part once: the offset of each type, with kinds and lengths checked. */
function findTypes(bytes: Uint8Array, layout: BtfLayout, section: string): Uint32Array {
  const view = viewOf(bytes);
  const end = layout.typeStart + layout.typeLen;
  const offsets = new Uint32Array(Math.floor(layout.typeLen / BTF_TYPE_SIZE) + 1);
  let count = 1;
  let at = layout.typeStart;
  while (at < end) {
    if (at + BTF_TYPE_SIZE > end) throw new BtfError(`type ${count} is truncated`, section, at);
    const info = view.getUint32(at + 4, true);
    const kind = (info >>> 24) & 0x1f;
    const row = kind === 0 ? undefined : BTF_KINDS[kind];
    if (row === undefined) throw new BtfError(`type ${count} has unknown kind ${kind}`, section, at + 4);
    if (view.getUint32(at, true) >= layout.strLen) throw new BtfError(`type ${count} has its name at ${view.getUint32(at, true)}, beyond the strings`, section, at);
    offsets[count++] = at;
    at += BTF_TYPE_SIZE + row.fixed + row.perItem * (info & 0xffff);
    if (at > end) throw new BtfError(`type ${count - 1} (${row.name}) reaches beyond the type part`, section, end);
  }
  return offsets.slice(0, count);
}

/** Kinds whose third word is a type id, as a bit set. */
const REFERS = [2, 8, 9, 10, 11, 12, 13, 14, 17, 18].reduce((bits, kind) => bits | (1 << kind), 0);

/** Checks the ids and names inside each type. */
function checkReferences(bytes: Uint8Array, layout: BtfLayout, offsets: Uint32Array, section: string): void {
  const view = viewOf(bytes);
  const count = offsets.length;
  const checkId = (at: number, id: number): void => {
    if (view.getUint32(at, true) >= count) throw new BtfError(`type ${id} refers to type ${view.getUint32(at, true)} of ${count}`, section, at);
  };
  const checkName = (at: number, id: number): void => {
    if (view.getUint32(at, true) >= layout.strLen) throw new BtfError(`type ${id} has a name at ${view.getUint32(at, true)}, beyond the strings`, section, at);
  };
  for (let id = 1; id < count; id++) {
    const at = offsets[id] as number;
    const info = view.getUint32(at + 4, true);
    const kind = (info >>> 24) & 0x1f;
    if (((REFERS >> kind) & 1) === 1) checkId(at + 8, id);
    const start = at + BTF_TYPE_SIZE;
    if (kind === BTF_KIND_ARRAY) {
      checkId(start, id);
      checkId(start + 4, id);
      continue;
    }
    const perItem = BTF_KINDS[kind]?.perItem ?? 0;
    if (perItem === 0) continue;
    const isDatasec = kind === BTF_KIND_DATASEC;
    const hasType = kind !== BTF_KIND_ENUM && kind !== BTF_KIND_ENUM64;
    for (let item = start, left = info & 0xffff; left > 0; left--, item += perItem) {
      if (isDatasec) checkId(item, id);
      else checkName(item, id);
      if (hasType && !isDatasec) checkId(item + 4, id);
    }
  }
}

/** Opens a BTF section (a `.BTF` section or /sys/kernel/btf/vmlinux). Throws BtfError; keeps a view of `bytes`. */
export function parseBtf(bytes: Uint8Array, section = '.BTF'): Btf {
  const layout = readHeader(bytes, section);
  const offsets = findTypes(bytes, layout, section);
  checkReferences(bytes, layout, offsets, section);
  return new Btf(bytes, layout, offsets);
}
