// Bytes → JavaScript values by BTF type. Integers up to 32 bits are numbers, 64-bit ones and pointers bigints, bools booleans, enums their
// enumerator's name (a number when none fits), structs and unions objects (anonymous members lifted into the parent), char arrays text when they
// are printable and zero-filled, other arrays arrays. Invariant: decoding ends on any BTF (LoadError on cyclic or oversized types).

import type { Btf } from '../btf/btf.ts';
import { formatType } from '../btf/print.ts';
import type { BtfArray, BtfComposite, BtfEnum, BtfInt, BtfMember } from '../btf/types.ts';
import { isComposite, sizeOf, skipModsAndTypedefs } from '../btf/walk.ts';
import {
  BTF_INT_BOOL, BTF_INT_CHAR, BTF_INT_SIGNED, BTF_KIND_ARRAY, BTF_KIND_DATASEC, BTF_KIND_ENUM, BTF_KIND_ENUM64, BTF_KIND_FLOAT, BTF_KIND_INT, BTF_KIND_PTR,
  BTF_KIND_STRUCT, BTF_KIND_UNION, BTF_KIND_VAR,
} from '../spec/btf.ts';
import { viewOf } from '../util/bytes.ts';
import { LoadError } from '../util/errors.ts';

/** A decoded value. */
export type BtfValue = null | boolean | number | bigint | string | BtfValue[] | { [name: string]: BtfValue };

const DEPTH_MAX = 64;
const NODES_MAX = 4_000_000;

interface Reader { readonly btf: Btf; readonly bytes: Uint8Array; readonly view: DataView; nodes: number }

/** True for an int that C calls char: clang writes no CHAR encoding, so the name counts too. */
export function isCharType(btf: Btf, id: number): boolean {
  const at = skipModsAndTypedefs(btf, id);
  if (btf.kind(at) !== BTF_KIND_INT || btf.sizeOrType(at) !== 1) return false;
  return ((btf.type(at) as BtfInt).encoding & BTF_INT_CHAR) !== 0 || btf.name(at) === 'char';
}

/** Little-endian bits [bitOffset, bitOffset + bitSize) as an unsigned value; bits beyond the end read as 0. */
export function readBits(bytes: Uint8Array, bitOffset: number, bitSize: number): bigint {
  let value = 0n;
  const [first, last] = [bitOffset >> 3, (bitOffset + bitSize - 1) >> 3];
  for (let at = last; at >= first; at--) value = (value << 8n) | BigInt(bytes[at] ?? 0);
  return BigInt.asUintN(bitSize, value >> BigInt(bitOffset & 7));
}

function integer(type: BtfInt, raw: bigint, bitSize: number): BtfValue {
  if ((type.encoding & BTF_INT_BOOL) !== 0) return raw !== 0n;
  const value = (type.encoding & BTF_INT_SIGNED) !== 0 ? BigInt.asIntN(bitSize, raw) : raw;
  return type.size <= 4 ? Number(value) : value;
}

function enumerator(type: BtfEnum, raw: bigint, bitSize: number): BtfValue {
  const value = type.signed ? BigInt.asIntN(bitSize, raw) : raw;
  const found = type.values.find((v) => v.value === value);
  return found !== undefined ? found.name : type.size <= 4 ? Number(value) : value;
}

/** Text when all bytes up to the first NUL are printable ASCII and all behind it are zero. */
function charText(bytes: Uint8Array): string | undefined {
  const end = bytes.indexOf(0);
  const text = end < 0 ? bytes : bytes.subarray(0, end);
  const printable = text.every((byte) => (byte >= 0x20 && byte < 0x7f) || byte === 9 || byte === 10 || byte === 13);
  if (!printable || (end >= 0 && bytes.subarray(end).some((byte) => byte !== 0))) return undefined;
  return String.fromCharCode(...text);
}

function decodeArray(r: Reader, type: BtfArray, at: number, depth: number): BtfValue {
  const size = sizeOf(r.btf, type.type) ?? 0;
  if (size === 0) return [];
  // A flexible array takes what is left of the value.
  const count = Math.min(type.nelems, Math.floor(Math.max(0, r.bytes.length - at) / size));
  if (isCharType(r.btf, type.type)) {
    const text = count > 65_536 ? undefined : charText(r.bytes.subarray(at, at + count));
    if (text !== undefined) return text;
  }
  return Array.from({ length: count }, (_, i) => decode(r, type.type, at + i * size, depth + 1));
}

function decodeMember(r: Reader, out: { [name: string]: BtfValue }, m: BtfMember, at: number, depth: number): void {
  const inner = skipModsAndTypedefs(r.btf, m.type);
  if (m.name === '' && isComposite(r.btf, inner)) decodeMembers(r, out, r.btf.type(inner) as BtfComposite, at + m.bitOffset / 8, depth + 1);
  else if (m.name !== '') out[m.name] = m.bitSize > 0 ? decodeBitfield(r, inner, at * 8 + m.bitOffset, m.bitSize) : decode(r, m.type, at + Math.floor(m.bitOffset / 8), depth + 1);
}

function decodeBitfield(r: Reader, id: number, bitOffset: number, bitSize: number): BtfValue {
  const type = r.btf.type(id);
  const raw = readBits(r.bytes, bitOffset, bitSize);
  if (type.kind === BTF_KIND_INT) return integer(type, raw, bitSize);
  return type.kind === BTF_KIND_ENUM || type.kind === BTF_KIND_ENUM64 ? enumerator(type, raw, bitSize) : raw;
}

function decodeMembers(r: Reader, out: { [name: string]: BtfValue }, type: BtfComposite, at: number, depth: number): void {
  if (depth > DEPTH_MAX) throw new LoadError(`BTF type '${type.name}' is nested too deeply`);
  for (const member of type.members) decodeMember(r, out, member, at, depth);
}

/** Object without a prototype, so that a member called `__proto__` is only a member. */
const emptyObject = (): { [name: string]: BtfValue } => Object.create(null) as { [name: string]: BtfValue };

function decodeFloat(r: Reader, size: number, at: number): BtfValue {
  return size === 4 ? r.view.getFloat32(at, true) : size === 8 ? r.view.getFloat64(at, true) : null;
}

function checkRoom(r: Reader, id: number, at: number): void {
  const size = sizeOf(r.btf, id) ?? 0;
  if (at + size > r.bytes.length) throw new LoadError(`value of ${r.bytes.length} bytes is too short for ${formatType(r.btf, id)} at offset ${at}`);
}

function decode(r: Reader, id: number, at: number, depth: number): BtfValue {
  if (depth > DEPTH_MAX || --r.nodes < 0) throw new LoadError(`BTF type [${id}] is nested too deeply or too large to decode`);
  const typeId = skipModsAndTypedefs(r.btf, id);
  const type = r.btf.type(typeId);
  switch (type.kind) {
    case BTF_KIND_INT: checkRoom(r, typeId, at); return integer(type, readBits(r.bytes, at * 8 + type.offset, type.bits || 1), type.bits || 1);
    case BTF_KIND_PTR: checkRoom(r, typeId, at); return r.view.getBigUint64(at, true);
    case BTF_KIND_ENUM: case BTF_KIND_ENUM64: checkRoom(r, typeId, at); return enumerator(type, readBits(r.bytes, at * 8, type.size * 8), type.size * 8);
    case BTF_KIND_FLOAT: checkRoom(r, typeId, at); return decodeFloat(r, type.size, at);
    case BTF_KIND_ARRAY: return decodeArray(r, type, at, depth);
    case BTF_KIND_VAR: return decode(r, type.type, at, depth + 1);
    case BTF_KIND_STRUCT: case BTF_KIND_UNION: {
      const out = emptyObject();
      decodeMembers(r, out, type, at, depth);
      return out;
    }
    case BTF_KIND_DATASEC: {
      const out = emptyObject();
      for (const v of type.vars) out[r.btf.name(v.type)] = decode(r, v.type, at + v.offset, depth + 1);
      return out;
    }
    default: return null;
  }
}

/** The value of type `id` at the start of `bytes` (copied first when they lie in shared memory). Throws LoadError when they are too few. */
export function decodeValue(btf: Btf, id: number, bytes: Uint8Array): BtfValue {
  return decode({ btf, bytes, view: viewOf(bytes), nodes: NODES_MAX }, id, 0, 0);
}

/** JSON text of a value: bigints as plain numbers, as bpftool prints them; `indent` as of JSON.stringify. */
export function toJson(value: BtfValue, indent = 0): string {
  return write(value, indent, '\n');
}

function write(value: BtfValue, indent: number, newline: string): string {
  if (typeof value === 'bigint') return value.toString();
  if (typeof value === 'number') return Number.isFinite(value) ? String(value) : 'null';
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  const isArray = Array.isArray(value);
  const inner = indent === 0 ? '' : newline + ' '.repeat(indent);
  const items = isArray
    ? value.map((item) => write(item, indent, newline + ' '.repeat(indent)))
    : Object.entries(value).map(([name, item]) => `${JSON.stringify(name)}:${indent === 0 ? '' : ' '}${write(item, indent, newline + ' '.repeat(indent))}`);
  if (items.length === 0) return isArray ? '[]' : '{}';
  const [open, close] = isArray ? ['[', ']'] : ['{', '}'];
  return `${open}${inner}${items.join(`,${inner}`)}${indent === 0 ? '' : newline}${close}`;
}
