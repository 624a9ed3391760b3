// Global variables by name: initial values before loading, present values afterwards.
// Invariant: each map's contents are copied once, so that an ObjectSpec can be loaded many times with different values.

import type { Btf } from '../btf/btf.ts';
import { formatType } from '../btf/print.ts';
import { findMember, sizeOf, skipModsAndTypedefs } from '../btf/walk.ts';
import type { BpfSyscall } from '../spec/syscall.ts';
import { LoadError } from '../util/errors.ts';
import { decodeValue, type BtfValue } from './btf-values.ts';
import { littleEndian, toInteger, writeValue } from './encode-value.ts';
import { u32Bytes } from './create-map.ts';
import type { ObjectSpec, VariableSpec } from './object-spec.ts';

/** What a variable may be set to: a value of its BTF type (see encode-value.ts), or its bytes. */
export type GlobalValue = BtfValue | Uint8Array | readonly unknown[] | { readonly [name: string]: unknown };

/** Splits `limits.names[2].len` into a variable's name and the path inside it. */
function splitPath(text: string): { name: string; path: (string | number)[] } {
  const parts = text.match(/[^.[\]]+|\[\d+\]/g) ?? [];
  const path = parts.slice(1).map((part) => (part.startsWith('[') ? Number(part.slice(1, -1)) : part));
  return { name: parts[0] ?? '', path };
}

/** Where a path inside a variable leads: the type there, its offset in bytes, and (for bitfields) the member to set through its struct. */
function follow(btf: Btf, typeId: number, path: readonly (string | number)[], text: string): { typeId: number; offset: number; bitfield: string | undefined } {
  let [at, offset] = [typeId, 0];
  for (const [i, step] of path.entries()) {
    const id = skipModsAndTypedefs(btf, at);
    const type = btf.type(id);
    if (typeof step === 'number') {
      if (!('nelems' in type) || step >= type.nelems) throw new LoadError(`${text}: ${formatType(btf, at)} has no element ${step}`);
      offset += step * (sizeOf(btf, type.type) ?? 0);
      at = type.type;
      continue;
    }
    const found = findMember(btf, id, step);
    if (found === undefined) throw new LoadError(`${text}: ${formatType(btf, at)} has no member '${step}'`);
    if (found.member.bitSize > 0 && i === path.length - 1) return { typeId: id, offset, bitfield: step };
    offset += found.bitOffset / 8;
    at = found.member.type;
  }
  return { typeId: at, offset, bitfield: undefined };
}

/** The variables of one object that is being loaded. */
export class GlobalVariables {
  readonly #spec: ObjectSpec;
  readonly #contents = new Map<string, Uint8Array>();

  /** Throws LoadError for unknown names and values that don't fit. */
  constructor(spec: ObjectSpec, initial: Readonly<Record<string, GlobalValue>>) {
    this.#spec = spec;
    for (const [name, value] of Object.entries(initial)) this.#put(name, value, (map) => this.contents(map));
  }

  /** The initial bytes of a map of variables. */
  contents(map: string): Uint8Array {
    let bytes = this.#contents.get(map);
    if (bytes === undefined) {
      const spec = this.#spec.maps.find((m) => m.name === map);
      bytes = spec?.contents?.slice() ?? new Uint8Array(spec?.valueSize ?? 0);
      this.#contents.set(map, bytes);
    }
    return bytes;
  }

  /** A variable's present value: by its type, without BTF a number for 1 to 8 bytes and else its bytes as numbers. */
  read(name: string, syscall: BpfSyscall, fdOf: (map: string) => number): BtfValue {
    const variable = this.#find(name);
    const bytes = this.#fetch(variable.map, syscall, fdOf(variable.map)).subarray(variable.offset, variable.offset + variable.size);
    if (this.#spec.btf !== undefined && variable.typeId !== 0) return decodeValue(this.#spec.btf, variable.typeId, bytes);
    return bytes.length <= 4 ? Number(littleEndian(bytes)) : bytes.length <= 8 ? littleEndian(bytes) : [...bytes];
  }

  /** Changes a variable in its map; the map's other bytes are read and written back. */
  write(name: string, value: GlobalValue, syscall: BpfSyscall, fdOf: (map: string) => number): void {
    let fetched: { map: string; bytes: Uint8Array } | undefined;
    this.#put(name, value, (map) => {
      fetched = { map, bytes: this.#fetch(map, syscall, fdOf(map)) };
      return fetched.bytes;
    });
    if (fetched !== undefined) syscall.mapUpdateElem({ map_fd: fdOf(fetched.map), key: u32Bytes(0), value: fetched.bytes, flags: 0n });
  }

  #fetch(map: string, syscall: BpfSyscall, fd: number): Uint8Array {
    const value = new Uint8Array(this.#spec.maps.find((m) => m.name === map)?.valueSize ?? 0);
    syscall.mapLookupElem({ map_fd: fd, key: u32Bytes(0), value });
    return value;
  }

  #find(name: string): VariableSpec {
    const found = this.#spec.variables.filter((v) => v.name === name);
    const [variable] = found.filter((v) => !v.isStatic).concat(found);
    if (variable !== undefined) return variable;
    const names = this.#spec.variables.filter((v) => !v.isStatic).map((v) => v.name);
    throw new LoadError(`no global variable '${name}' in the object${names.length === 0 ? '' : `; there are: ${names.join(', ')}`}`);
  }

  #put(text: string, value: GlobalValue, bytesOf: (map: string) => Uint8Array): void {
    const exact = this.#spec.variables.some((v) => v.name === text);
    const { name, path } = exact ? { name: text, path: [] } : splitPath(text);
    const variable = this.#find(name);
    const bytes = bytesOf(variable.map);
    if (variable.offset + variable.size > bytes.length) throw new LoadError(`${name}: lies beyond its section '${variable.map}'`);
    if (this.#spec.btf !== undefined && variable.typeId !== 0) return writeTyped(this.#spec.btf, variable, path, text, value, bytes);
    if (path.length > 0) throw new LoadError(`${text}: without BTF only whole variables can be set`);
    return writeUntyped(variable, value, bytes);
  }
}

function writeTyped(btf: Btf, variable: VariableSpec, path: readonly (string | number)[], text: string, value: unknown, bytes: Uint8Array): void {
  const place = follow(btf, variable.typeId, path, text);
  writeValue(btf, place.typeId, place.bitfield === undefined ? value : { [place.bitfield]: value }, bytes, variable.offset + place.offset, text);
}

function writeUntyped(variable: VariableSpec, value: unknown, bytes: Uint8Array): void {
  const { name, size, offset } = variable;
  if (value instanceof Uint8Array && value.length === size) return bytes.set(value, offset);
  const number = toInteger(value);
  if (number === undefined || size > 8) throw new LoadError(`${name}: without BTF only whole numbers up to 8 bytes can be set`);
  if (number >= 1n << BigInt(8 * size) || number < -(1n << BigInt(8 * size - 1))) throw new LoadError(`${name}: ${number} does not fit in ${size} bytes`);
  for (let i = 0; i < size; i++) bytes[offset + i] = Number((number >> BigInt(8 * i)) & 0xffn);
}
