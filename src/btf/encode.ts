// Writes a BTF section from decoded types: for tests, for objects made without clang, and for the kernel's own types.
// Invariant: `parseBtf(encodeBtf(types)).type(i + 1)` equals `types[i]`. Source: Documentation/bpf/btf.rst.

import {
  BTF_HEADER_SIZE, BTF_KIND_ARRAY, BTF_KIND_DATASEC, BTF_KIND_DECL_TAG, BTF_KIND_ENUM, BTF_KIND_ENUM64, BTF_KIND_FLOAT, BTF_KIND_FUNC, BTF_KIND_FUNC_PROTO,
  BTF_KIND_FWD, BTF_KIND_INT, BTF_KIND_STRUCT, BTF_KIND_UNION, BTF_KIND_UNKN, BTF_KIND_VAR, BTF_MAGIC, BTF_VERSION,
} from '../spec/btf.ts';
import { InternalError } from '../util/errors.ts';
import { viewOf } from '../util/bytes.ts';
import type { BtfType } from './types.ts';

/** What stands after a type's name: flag, vlen, third word, and the words that follow. */
interface Encoded { readonly kflag: boolean; readonly vlen: number; readonly word: number; readonly rest: readonly number[] }

type AddString = (text: string) => number;

const plain = (word: number, vlen = 0, rest: readonly number[] = [], kflag = false): Encoded => ({ kflag, vlen, word, rest });

function encodeType(type: BtfType, add: AddString): Encoded {
  switch (type.kind) {
    case BTF_KIND_UNKN: throw new InternalError('encodeBtf: void has no encoding, it is type 0');
    case BTF_KIND_INT: return plain(type.size, 0, [(type.encoding << 24) | (type.offset << 16) | type.bits]);
    case BTF_KIND_ARRAY: return plain(0, 0, [type.type, type.indexType, type.nelems]);
    case BTF_KIND_STRUCT: case BTF_KIND_UNION: {
      const rest = type.members.flatMap((m) => [add(m.name), m.type, type.kflag ? ((m.bitSize << 24) | m.bitOffset) >>> 0 : m.bitOffset]);
      return plain(type.size, type.members.length, rest, type.kflag);
    }
    case BTF_KIND_ENUM: return plain(type.size, type.values.length, type.values.flatMap((v) => [add(v.name), Number(BigInt.asUintN(32, v.value))]), type.signed);
    case BTF_KIND_ENUM64: {
      const rest = type.values.flatMap((v) => [add(v.name), Number(BigInt.asUintN(32, v.value)), Number(BigInt.asUintN(32, v.value >> 32n))]);
      return plain(type.size, type.values.length, rest, type.signed);
    }
    case BTF_KIND_FWD: return plain(0, 0, [], type.isUnion);
    case BTF_KIND_FUNC: return plain(type.type, type.linkage);
    case BTF_KIND_FUNC_PROTO: return plain(type.type, type.params.length, type.params.flatMap((p) => [add(p.name), p.type]));
    case BTF_KIND_VAR: return plain(type.type, 0, [type.linkage]);
    case BTF_KIND_DATASEC: return plain(type.size, type.vars.length, type.vars.flatMap((v) => [v.type, v.offset, v.size]));
    case BTF_KIND_FLOAT: return plain(type.size);
    case BTF_KIND_DECL_TAG: return plain(type.type, 0, [type.componentIdx], type.kflag ?? false);
    default: return plain(type.type, 0, [], type.kflag ?? false);
  }
}

/** The bytes of a BTF section in which `types[i]` has id i + 1. */
export function encodeBtf(types: readonly BtfType[]): Uint8Array {
  const offsets = new Map<string, number>([['', 0]]);
  let text = '\0';
  const add: AddString = (string) => {
    const known = offsets.get(string);
    if (known !== undefined) return known;
    const offset = text.length;
    offsets.set(string, offset);
    text += `${string}\0`;
    return offset;
  };
  const words: number[] = [];
  for (const type of types) {
    const nameOffset = add(type.name);
    const { kflag, vlen, word, rest } = encodeType(type, add);
    words.push(nameOffset, (((kflag ? 1 : 0) << 31) | (type.kind << 24) | vlen) >>> 0, word, ...rest);
  }
  return layOut(words, text);
}

function layOut(words: readonly number[], text: string): Uint8Array {
  const typeLen = words.length * 4;
  const bytes = new Uint8Array(BTF_HEADER_SIZE + typeLen + text.length);
  const view = viewOf(bytes);
  view.setUint16(0, BTF_MAGIC, true);
  view.setUint8(2, BTF_VERSION);
  [BTF_HEADER_SIZE, 0, typeLen, typeLen, text.length].forEach((word, i) => view.setUint32(4 + 4 * i, word, true));
  words.forEach((word, i) => view.setUint32(BTF_HEADER_SIZE + 4 * i, word, true));
  for (let i = 0; i < text.length; i++) bytes[BTF_HEADER_SIZE + typeLen + i] = text.charCodeAt(i);
  return bytes;
}
