// JavaScript (or parsed JSON) values → bytes by BTF type, for `--map`, `--set` and the typed API.
// Taken: numbers, bigints, and text of numbers (`"0xff"`, needed beyond 2^53); enumerators by name; text for char arrays; objects for structs and
// unions (missing members are zero); arrays (missing elements are zero); `hex:0a0b…` and Uint8Array of exactly the type's size for anything.
// IPv4, IPv6 and MAC text fit anything but text of exactly 4, 16 or 6 bytes, in network order; a CIDR prefix fits an LPM key: a 4-byte prefix length,
// then the address. What does not fit is a LoadError with the path of the field: `.key.addr[3]: 300 does not fit in unsigned char`.

import type { Btf } from '../btf/btf.ts';
import { formatType } from '../btf/print.ts';
import type { BtfArray, BtfComposite, BtfEnum, BtfInt, BtfMember } from '../btf/types.ts';
import { findMember, sizeOf, skipModsAndTypedefs } from '../btf/walk.ts';
import {
  BTF_INT_BOOL, BTF_INT_SIGNED, BTF_KIND_ARRAY, BTF_KIND_DATASEC, BTF_KIND_ENUM, BTF_KIND_ENUM64, BTF_KIND_FLOAT, BTF_KIND_INT, BTF_KIND_PTR, BTF_KIND_STRUCT,
  BTF_KIND_UNION, BTF_KIND_VAR,
} from '../spec/btf.ts';
import { fromHex, viewOf } from '../util/bytes.ts';
import { LoadError } from '../util/errors.ts';
import { parseAddress, parseCidr } from './addresses.ts';
import { isCharType, readBits } from './btf-values.ts';

interface Writer { readonly btf: Btf; readonly bytes: Uint8Array }

const fail = (path: string, message: string): never => {
  throw new LoadError(`${path}: ${message}`);
};

/** A value for messages, cut short. */
function show(value: unknown): string {
  const text = typeof value === 'bigint' ? value.toString() : typeof value === 'string' ? `'${value}'` : typeof value === 'object' ? (Array.isArray(value) ? 'an array' : 'an object') : String(value);
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}

/** A whole number out of a number, bigint, boolean or text; undefined for anything else. */
export function toInteger(value: unknown): bigint | undefined {
  if (typeof value === 'bigint') return value;
  if (typeof value === 'boolean') return value ? 1n : 0n;
  if (typeof value === 'number') return Number.isSafeInteger(value) ? BigInt(value) : undefined;
  if (typeof value !== 'string') return undefined;
  const match = /^\s*(-?)(0[xX][0-9a-fA-F]+|0[bB][01]+|\d+)\s*$/.exec(value);
  return match === null ? undefined : (match[1] === '-' ? -1n : 1n) * BigInt(match[2] ?? '0');
}

function writeBits(bytes: Uint8Array, bitOffset: number, bitSize: number, value: bigint): void {
  let bits = BigInt.asUintN(bitSize, value) << BigInt(bitOffset & 7);
  const mask = ((1n << BigInt(bitSize)) - 1n) << BigInt(bitOffset & 7);
  for (let at = bitOffset >> 3, left = mask; left > 0n; at++, left >>= 8n, bits >>= 8n) {
    const keep = ~Number(left & 0xffn) & 0xff;
    bytes[at] = ((bytes[at] ?? 0) & keep) | Number(bits & left & 0xffn);
  }
}

/** Writes an integer of `bitSize` bits, checked against its range. */
function putInteger(w: Writer, id: number, value: unknown, bitOffset: number, bitSize: number, signed: boolean, path: string): void {
  const number = toInteger(value);
  if (number === undefined) {
    const unsafe = typeof value === 'number' && Number.isInteger(value);
    return fail(path, unsafe ? `${value} is not exact beyond 2^53: write it as text ("…")` : `${show(value)} is not a number for ${formatType(w.btf, id)}`);
  }
  const [min, max] = signed ? [-(1n << BigInt(bitSize - 1)), (1n << BigInt(bitSize - 1)) - 1n] : [0n, (1n << BigInt(bitSize)) - 1n];
  if (number < min || number > max) fail(path, `${number} does not fit in ${formatType(w.btf, id)}${bitSize < (sizeOf(w.btf, id) ?? 0) * 8 ? ` of ${bitSize} bits` : ''}`);
  writeBits(w.bytes, bitOffset, bitSize, number);
}

function putInt(w: Writer, id: number, type: BtfInt, value: unknown, bitOffset: number, bitSize: number, path: string): void {
  const isBool = (type.encoding & BTF_INT_BOOL) !== 0;
  if (isBool && (value === 'true' || value === 'false')) return putInt(w, id, type, value === 'true', bitOffset, bitSize, path);
  if (isBool && toInteger(value) !== 0n && toInteger(value) !== 1n) fail(path, `${show(value)} is neither true nor false`);
  if (typeof value === 'string' && value.length === 1 && isCharType(w.btf, id) && !/\d/.test(value)) return writeBits(w.bytes, bitOffset, bitSize, BigInt(value.charCodeAt(0)));
  return putInteger(w, id, value, bitOffset, bitSize, (type.encoding & BTF_INT_SIGNED) !== 0, path);
}

function putEnum(w: Writer, id: number, type: BtfEnum, value: unknown, bitOffset: number, bitSize: number, path: string): void {
  const named = typeof value === 'string' ? type.values.find((v) => v.name === value) : undefined;
  if (named === undefined && toInteger(value) === undefined) fail(path, `${show(value)} is not one of ${type.values.slice(0, 12).map((v) => v.name).join(', ')}`);
  putInteger(w, id, named?.value ?? value, bitOffset, bitSize, type.signed, path);
}

/** Text into a char array; the rest is zero. Longer text than fits is refused, one without room for its NUL is not. */
function putText(w: Writer, type: BtfArray, text: string, at: number, path: string): void {
  const bytes = new TextEncoder().encode(text);
  if (bytes.length > type.nelems) fail(path, `${show(text)} has ${bytes.length} bytes, there is room for ${type.nelems}`);
  w.bytes.fill(0, at, at + type.nelems).set(bytes, at);
}

function putArray(w: Writer, id: number, type: BtfArray, value: unknown, at: number, path: string): void {
  if (typeof value === 'string' && isCharType(w.btf, type.type)) return putText(w, type, value, at, path);
  if (!Array.isArray(value)) return fail(path, `${show(value)} is not an array for ${formatType(w.btf, id)}`);
  if (value.length > type.nelems) fail(path, `${value.length} elements, ${formatType(w.btf, id)} has ${type.nelems}`);
  const size = sizeOf(w.btf, type.type) ?? 0;
  value.forEach((item, i) => put(w, type.type, item, at + i * size, `${path}[${i}]`));
}

function putMember(w: Writer, member: BtfMember, bitOffset: number, value: unknown, path: string): void {
  const id = skipModsAndTypedefs(w.btf, member.type);
  if (member.bitSize === 0) return put(w, member.type, value, bitOffset / 8, path);
  const type = w.btf.type(id);
  if (type.kind === BTF_KIND_INT) return putInt(w, id, type, value, bitOffset, member.bitSize, path);
  if (type.kind === BTF_KIND_ENUM || type.kind === BTF_KIND_ENUM64) return putEnum(w, id, type, value, bitOffset, member.bitSize, path);
  return fail(path, 'a bitfield of unknown kind');
}

function memberNames(btf: Btf, type: BtfComposite, depth = 0): string[] {
  return type.members.flatMap((m) => {
    if (m.name !== '') return [m.name];
    const inner = btf.type(skipModsAndTypedefs(btf, m.type));
    return depth < 8 && (inner.kind === BTF_KIND_STRUCT || inner.kind === BTF_KIND_UNION) ? memberNames(btf, inner, depth + 1) : [];
  });
}

function putComposite(w: Writer, id: number, type: BtfComposite, value: unknown, at: number, path: string): void {
  if (typeof value === 'string' && putPrefix(w, type, value, at)) return;
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return fail(path, `${show(value)} is not an object for ${formatType(w.btf, id)}`);
  for (const [name, item] of Object.entries(value)) {
    const found = findMember(w.btf, id, name);
    if (found === undefined) fail(`${path}.${name}`, `${formatType(w.btf, id)} has no such member; it has ${memberNames(w.btf, type).slice(0, 20).join(', ')}`);
    else putMember(w, found.member, at * 8 + found.bitOffset, item, `${path}.${name}`);
  }
}

/** `10.0.0.0/8` into an LPM key: 4 bytes of prefix length, then as many bytes as the address has. */
function putPrefix(w: Writer, type: BtfComposite, text: string, at: number): boolean {
  const prefix = parseCidr(text);
  const first = type.members[0];
  if (prefix === undefined || first === undefined || sizeOf(w.btf, first.type) !== 4 || type.size !== 4 + prefix.address.length) return false;
  viewOf(w.bytes).setUint32(at, prefix.prefixLen, true);
  w.bytes.set(prefix.address, at + 4);
  return true;
}

/** Bytes, `hex:` text and addresses, which fit any type of their size; false when the value is none of them. */
function putRaw(w: Writer, id: number, value: unknown, at: number, size: number, path: string): boolean {
  const isHex = typeof value === 'string' && value.startsWith('hex:');
  const bytes = value instanceof Uint8Array ? value : isHex ? fromHex(value.slice(4)) : undefined;
  if (isHex && bytes === undefined) fail(path, `${show(value)} is not hexadecimal`);
  if (bytes !== undefined) {
    if (bytes.length !== size) fail(path, `${bytes.length} bytes, ${formatType(w.btf, id)} has ${size}`);
    w.bytes.set(bytes, at);
    return true;
  }
  if (typeof value !== 'string' || isText(w.btf, id)) return false;
  const address = parseAddress(value);
  if (address === undefined) return false;
  if (address.length !== size) fail(path, `${show(value)} is an address of ${address.length} bytes, ${formatType(w.btf, id)} has ${size}`);
  w.bytes.set(address, at);
  return true;
}

const isText = (btf: Btf, id: number): boolean => btf.kind(id) === BTF_KIND_ARRAY && isCharType(btf, (btf.type(id) as BtfArray).type);

function put(w: Writer, typeId: number, value: unknown, at: number, path: string): void {
  const id = skipModsAndTypedefs(w.btf, typeId);
  const size = sizeOf(w.btf, id);
  if (size === undefined || at + size > w.bytes.length) return fail(path, `no value of ${formatType(w.btf, typeId)} can be written here`);
  if (putRaw(w, id, value, at, size, path)) return;
  const type = w.btf.type(id);
  switch (type.kind) {
    case BTF_KIND_INT: return putInt(w, id, type, value, at * 8 + type.offset, type.bits, path);
    case BTF_KIND_PTR: return putInteger(w, id, value, at * 8, 64, false, path);
    case BTF_KIND_ENUM: case BTF_KIND_ENUM64: return putEnum(w, id, type, value, at * 8, type.size * 8, path);
    case BTF_KIND_FLOAT: return putFloat(w, type.size, value, at, path);
    case BTF_KIND_ARRAY: return putArray(w, id, type, value, at, path);
    case BTF_KIND_VAR: return put(w, type.type, value, at, path);
    case BTF_KIND_STRUCT: case BTF_KIND_UNION: return putComposite(w, id, type, value, at, path);
    case BTF_KIND_DATASEC: return putVariables(w, id, value, at, path);
    default: return fail(path, `no value of ${formatType(w.btf, typeId)} can be written`);
  }
}

function putFloat(w: Writer, size: number, value: unknown, at: number, path: string): void {
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
  if (typeof number !== 'number' || Number.isNaN(number)) return fail(path, `${show(value)} is not a number`);
  if (size === 4) return viewOf(w.bytes).setFloat32(at, number, true);
  if (size === 8) return viewOf(w.bytes).setFloat64(at, number, true);
  return fail(path, `floating-point numbers of ${size} bytes can't be written`);
}

function putVariables(w: Writer, id: number, value: unknown, at: number, path: string): void {
  const section = w.btf.type(id);
  if (typeof value !== 'object' || value === null || !('vars' in section)) return fail(path, `${show(value)} is not an object of variables`);
  for (const [name, item] of Object.entries(value)) {
    const variable = section.vars.find((v) => w.btf.name(v.type) === name);
    if (variable === undefined) fail(`${path}.${name}`, 'no such variable');
    else put(w, variable.type, item, at + variable.offset, `${path}.${name}`);
  }
}

/** Writes `value` as type `id` to `bytes` at `at`; bytes that the value doesn't name stay as they are. Throws LoadError with the path. */
export function writeValue(btf: Btf, id: number, value: unknown, bytes: Uint8Array, at: number, path: string): void {
  put({ btf, bytes }, id, value, at, path);
}

/** `value` as type `id`, in new bytes of the type's size. Throws LoadError with the path. */
export function encodeValue(btf: Btf, id: number, value: unknown, path = ''): Uint8Array {
  const size = sizeOf(btf, id);
  if (size === undefined || size > 1 << 30) return fail(path, `${formatType(btf, id)} has no size`);
  const bytes = new Uint8Array(size);
  writeValue(btf, id, value, bytes, 0, path);
  return bytes;
}

/** The unsigned integer in 1 to 8 little-endian bytes. */
export const littleEndian = (bytes: Uint8Array): bigint => readBits(bytes, 0, bytes.length * 8);
