// Decoded values as text for people: byte arrays as hex, addresses and prefixes as they are written, big-endian fields as the numbers they mean.
// Invariant: for reading only. What programs read back (JSON) stays bpftool's; nothing here is parsed again.
// What counts as an address is decided by the type's name (__be32, __be16) or, for bytes, by length and the member's name.

import type { Btf } from '../btf/btf.ts';
import type { BtfArray } from '../btf/types.ts';
import { findMember, skipModsAndTypedefs, skipMods, sizeOf, isComposite } from '../btf/walk.ts';
import { decodeValue, toJson, type BtfValue } from '../loader/btf-values.ts';
import { BTF_KIND_ARRAY, BTF_KIND_DATASEC, BTF_KIND_INT, BTF_KIND_TYPEDEF, BTF_KIND_VAR } from '../spec/btf.ts';

const ADDRESS_NAME = /addr|^ip|ip[46]?$|src|dst|source|dest|gateway|host/i;
const IPV4_BYTES = 4;
const MAC_BYTES = 6;
const IPV6_BYTES = 16;

/** One line for a decoded value of BTF type `typeId` (0: no type). `name` is the member or variable that holds it. */
export function showValue(btf: Btf | undefined, typeId: number, value: BtfValue, name = ''): string {
  const bytes = untypedBytes(value);
  if (bytes !== undefined) return `0x${hex(bytes)}`;
  if (btf === undefined || typeId === 0) return plain(value);
  const id = skipModsAndTypedefs(btf, typeId);
  if (typeof value === 'number' || typeof value === 'bigint') return showNumber(btf, typeId, value, name);
  if (Array.isArray(value)) return showArray(btf, id, value, name);
  if (typeof value === 'object' && value !== null) return showMembers(btf, id, value);
  return plain(value);
}

/** A key of an LPM trie as a prefix (`10.0.0.0/8`), or undefined when its data is no IPv4 or IPv6 address. */
export function showPrefix(key: BtfValue): string | undefined {
  if (typeof key !== 'object' || key === null || Array.isArray(key)) return undefined;
  const [length, data, ...more] = Object.values(key);
  if (typeof length !== 'number' || more.length > 0) return undefined;
  const bytes = byteValues(data) ?? (typeof data === 'number' ? numberBytes(data, IPV4_BYTES) : undefined);
  if (bytes?.length === IPV4_BYTES) return `${bytes.join('.')}/${length}`;
  return bytes?.length === IPV6_BYTES ? `${ipv6(bytes)}/${length}` : undefined;
}

/** What `toJson` gives for a value of this type whose bytes are all zero; to tell unused elements of arrays. */
export function zeroJson(btf: Btf | undefined, typeId: number, sizeBytes: number): string {
  const zero = new Uint8Array(sizeBytes);
  return toJson(btf === undefined || typeId === 0 ? Array.from(zero, () => '0x00') : decodeValue(btf, typeId, zero));
}

function showNumber(btf: Btf, typeId: number, value: number | bigint, name: string): string {
  const order = bigEndianName(btf, typeId);
  if (order === undefined) return value.toString();
  const bytes = numberBytes(value, sizeOf(btf, typeId) ?? 0);
  if (order === '__be32' && ADDRESS_NAME.test(name)) return bytes.join('.');
  return bytes.reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n).toString();
}

/** __be16, __be32 or __be64 when the type is one through typedefs. */
function bigEndianName(btf: Btf, typeId: number): string | undefined {
  let id = skipMods(btf, typeId);
  for (let depth = 0; depth < 32 && btf.kind(id) === BTF_KIND_TYPEDEF; depth++) {
    if (/^__be(16|32|64)$/.test(btf.name(id))) return btf.name(id);
    id = skipMods(btf, btf.sizeOrType(id));
  }
  return undefined;
}

/** Little-endian bytes of a number. */
const numberBytes = (value: number | bigint, size: number): number[] => Array.from({ length: size }, (_, i) => Number((BigInt(value) >> BigInt(8 * i)) & 0xffn));

function showArray(btf: Btf, id: number, values: readonly BtfValue[], name: string): string {
  const element = btf.kind(id) === BTF_KIND_ARRAY ? (btf.type(id) as BtfArray).type : 0;
  const inner = element === 0 ? 0 : skipModsAndTypedefs(btf, element);
  const bytes = inner !== 0 && btf.kind(inner) === BTF_KIND_INT && sizeOf(btf, inner) === 1 ? byteValues(values) : undefined;
  return bytes === undefined ? `[${values.map((value) => showValue(btf, element, value, name)).join(', ')}]` : showBytes(bytes, name);
}

function showBytes(bytes: readonly number[], name: string): string {
  if (bytes.length === MAC_BYTES) return bytes.map((byte) => byte.toString(16).padStart(2, '0')).join(':');
  if (!ADDRESS_NAME.test(name)) return `0x${hex(bytes)}`;
  if (bytes.length === IPV4_BYTES) return bytes.join('.');
  if (bytes.length !== IPV6_BYTES) return `0x${hex(bytes)}`;
  // Programs for both families keep an IPv4 address in the first four of sixteen bytes.
  const holdsIpv4 = bytes.slice(IPV4_BYTES).every((byte) => byte === 0) && bytes.slice(0, IPV4_BYTES).some((byte) => byte !== 0);
  return holdsIpv4 ? bytes.slice(0, IPV4_BYTES).join('.') : ipv6(bytes);
}

function showMembers(btf: Btf, id: number, value: { readonly [name: string]: BtfValue }): string {
  const parts = Object.entries(value).map(([name, item]) => `${name}: ${showValue(btf, memberType(btf, id, name), item, name)}`);
  return `{${parts.join(', ')}}`;
}

function memberType(btf: Btf, id: number, name: string): number {
  if (isComposite(btf, id)) return findMember(btf, id, name)?.member.type ?? 0;
  const type = btf.type(id);
  if (type.kind !== BTF_KIND_DATASEC) return 0;
  const variable = type.vars.map((each) => btf.type(each.type)).find((each) => each.kind === BTF_KIND_VAR && each.name === name);
  return variable?.kind === BTF_KIND_VAR ? variable.type : 0;
}

function plain(value: BtfValue): string {
  if (Array.isArray(value)) return `[${value.map(plain).join(', ')}]`;
  if (typeof value !== 'object' || value === null) return toJson(value);
  return `{${Object.entries(value).map(([name, item]) => `${name}: ${plain(item)}`).join(', ')}}`;
}

/** Bytes of a value without type, which stands as a list of "0x…". */
function untypedBytes(value: BtfValue): number[] | undefined {
  if (!Array.isArray(value) || value.length === 0) return undefined;
  const bytes = value.map((item) => (typeof item === 'string' && /^0x[0-9a-f]{2}$/.test(item) ? Number(item) : -1));
  return bytes.includes(-1) ? undefined : bytes;
}

const byteValues = (value: BtfValue | readonly BtfValue[] | undefined): number[] | undefined =>
  Array.isArray(value) && value.every((item) => typeof item === 'number') ? value.map((item) => Number(item) & 0xff) : undefined;

const hex = (bytes: readonly number[]): string => bytes.map((byte) => byte.toString(16).padStart(2, '0')).join('');

/** RFC 5952: lower case, no leading zeros, the longest run of two or more zero groups as `::`. */
function ipv6(bytes: readonly number[]): string {
  const groups = Array.from({ length: 8 }, (_, i) => (((bytes[2 * i] as number) << 8) | (bytes[2 * i + 1] as number)).toString(16)).join(':');
  const runs = [...groups.matchAll(/(?:^|(?<=:))0(?::0)+(?=:|$)/g)].sort((a, b) => b[0].length - a[0].length);
  const [longest] = runs;
  if (longest === undefined) return groups;
  const [before, after] = [groups.slice(0, longest.index), groups.slice(longest.index + longest[0].length)];
  return `${before.replace(/:$/, '')}::${after.replace(/^:/, '')}`;
}
