// Makes an object's BTF digestible for a kernel: always without outside symbols, and for older kernels without the newer kinds.
// Invariant: type ids and the positions of types stay as they are (each replacement has its original's length), because maps,
// func_info and line_info refer to them. Source: libbpf's bpf_object__sanitize_btf and collect_externs; the kernel's btf.c.

import { parseBtf, type Btf } from '../btf/btf.ts';
import {
  BTF_FUNC_EXTERN, BTF_KIND_CONST, BTF_KIND_DATASEC, BTF_KIND_DECL_TAG, BTF_KIND_ENUM, BTF_KIND_ENUM64, BTF_KIND_FLOAT, BTF_KIND_FUNC, BTF_KIND_INT, BTF_KIND_PTR,
  BTF_KIND_STRUCT, BTF_KIND_TYPE_TAG, BTF_KIND_UNION, BTF_KIND_VAR, BTF_TYPE_SIZE, BTF_VAR_GLOBAL_EXTERN,
} from '../spec/btf.ts';
import { viewOf } from '../util/bytes.ts';

/** 'externs': what every kernel needs; 'basic': only kinds of Linux 5.0 (no FLOAT, tags, ENUM64, global functions, signed enums). */
export type SanitizeLevel = 'externs' | 'basic';

/** Rewrites type headers in place. */
class Rewriter {
  readonly btf: Btf;
  readonly view: DataView;
  constructor(btf: Btf) {
    this.btf = btf;
    this.view = viewOf(btf.bytes);
  }
  header(id: number, kind: number, vlen: number, kflag = false): void {
    this.view.setUint32(this.btf.offsetOf(id) + 4, (((kflag ? 1 : 0) << 31) | (kind << 24) | vlen) >>> 0, true);
  }
  /** The third word, then the words behind the header. */
  words(id: number, ...words: number[]): void {
    words.forEach((word, i) => this.view.setUint32(this.btf.offsetOf(id) + 8 + 4 * i, word, true));
  }
  unnamed(id: number): void {
    this.view.setUint32(this.btf.offsetOf(id), 0, true);
  }
  word(id: number, index: number): number {
    return this.view.getUint32(this.btf.offsetOf(id) + BTF_TYPE_SIZE + 4 * index, true);
  }
}

const INT_OF_4_BYTES = 32;

/** Extern functions become anonymous pointers to their type, extern variables ints: sized, and without linkage. */
function replaceExtern(w: Rewriter, id: number): boolean {
  const kind = w.btf.kind(id);
  if (kind === BTF_KIND_FUNC && w.btf.vlen(id) === BTF_FUNC_EXTERN) {
    w.header(id, BTF_KIND_PTR, 0);
    w.unnamed(id);
    return true;
  }
  if (kind !== BTF_KIND_VAR || w.word(id, 0) !== BTF_VAR_GLOBAL_EXTERN) return false;
  w.header(id, BTF_KIND_INT, 0);
  w.words(id, 4, INT_OF_4_BYTES);
  return true;
}

/** A section of externs, or one that the file doesn't have, becomes a struct of as many members. */
function replaceDatasec(w: Rewriter, id: number, externs: ReadonlySet<number>): void {
  const count = w.btf.vlen(id);
  const members = Array.from({ length: count }, (_, i) => w.word(id, 3 * i));
  if (w.btf.sizeOrType(id) !== 0 && !members.some((type) => externs.has(type))) return;
  w.header(id, BTF_KIND_STRUCT, count);
  w.unnamed(id);
  w.words(id, 8 * count, ...members.flatMap((type, i) => [0, sizedMember(w, type, externs), 64 * i]));
}

/** Members must have a size: a replaced extern has one, a variable is stood in for by its type. */
const sizedMember = (w: Rewriter, type: number, externs: ReadonlySet<number>): number => {
  if (externs.has(type)) return type;
  return w.btf.kind(type) === BTF_KIND_VAR ? w.btf.sizeOrType(type) : type;
};

function replaceNewKind(w: Rewriter, id: number, anInt: number): void {
  const { btf } = w;
  const vlen = btf.vlen(id);
  switch (btf.kind(id)) {
    case BTF_KIND_FUNC: return w.header(id, BTF_KIND_FUNC, 0);
    case BTF_KIND_FLOAT: return w.header(id, BTF_KIND_STRUCT, 0);
    case BTF_KIND_ENUM: return w.header(id, BTF_KIND_ENUM, vlen);
    case BTF_KIND_TYPE_TAG:
      w.header(id, BTF_KIND_CONST, 0);
      return w.unnamed(id);
    case BTF_KIND_DECL_TAG:
      w.header(id, BTF_KIND_INT, 0);
      return w.words(id, 1, 8);
    case BTF_KIND_ENUM64:
      w.header(id, BTF_KIND_UNION, vlen);
      for (let i = 0; i < vlen; i++) w.view.setUint32(btf.offsetOf(id) + BTF_TYPE_SIZE + 12 * i + 4, anInt, true);
      for (let i = 0; i < vlen; i++) w.view.setUint32(btf.offsetOf(id) + BTF_TYPE_SIZE + 12 * i + 8, 0, true);
      return undefined;
    default: return undefined;
  }
}

function allIds(btf: Btf): number[] {
  return Array.from({ length: btf.typeCount - 1 }, (_, i) => i + 1);
}

/** A copy of the BTF that a kernel takes. */
export function sanitizeBtf(source: Btf, level: SanitizeLevel): Uint8Array {
  const btf = parseBtf(source.bytes.slice());
  const w = new Rewriter(btf);
  const ids = allIds(btf);
  const externs = new Set(ids.filter((id) => replaceExtern(w, id)));
  for (const id of ids) if (btf.kind(id) === BTF_KIND_DATASEC) replaceDatasec(w, id, externs);
  if (level === 'basic') {
    const anInt = ids.find((id) => btf.kind(id) === BTF_KIND_INT) ?? 0;
    for (const id of ids) replaceNewKind(w, id, anInt);
  }
  return btf.bytes;
}
