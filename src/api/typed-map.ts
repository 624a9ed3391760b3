// A map of a loaded object with keys and values as JavaScript values, by the map's BTF types (loader/map-values.ts says which forms).
// Works over either kernel: only BpfSyscall is used.

import type { Btf } from '../btf/btf.ts';
import { decodeValue, type BtfValue } from '../loader/btf-values.ts';
import type { LoadedMap } from '../loader/load.ts';
import { dumpMap, fillMap, MapValues } from '../loader/map-values.ts';
import { ENOENT } from '../spec/errno.ts';
import { mapTypeName } from '../spec/map-types.ts';
import type { BpfSyscall } from '../spec/syscall.ts';
import { BpfSyscallError, LoadError } from '../util/errors.ts';

/** What is stored or looked up: a value by its BTF type, text of an address or prefix, or bytes. */
export type MapInput = BtfValue | Uint8Array | readonly unknown[] | { readonly [name: string]: unknown };

/** An element as `entries` gives it; a per-CPU map's value is a list of `{ cpu, value }`. */
export interface MapEntry { readonly key: BtfValue; readonly value: BtfValue }

/** Typed access to one map. Errors are BpfSyscallError (with errno) and LoadError (a value that doesn't fit its type, with the field's path). */
export class TypedMap {
  readonly name: string;
  readonly map: LoadedMap;
  readonly #syscall: BpfSyscall;
  readonly #btf: Btf | undefined;
  readonly #values: MapValues;
  constructor(map: LoadedMap, syscall: BpfSyscall, btf: Btf | undefined) {
    this.name = map.name;
    this.map = map;
    this.#syscall = syscall;
    this.#btf = btf;
    this.#values = new MapValues(map.spec, btf, syscall.possibleCpus);
  }

  /** The type's uapi name. */
  get type(): string {
    return mapTypeName(this.map.spec.type);
  }

  /** The value under a key, undefined when there is none. */
  get(key: MapInput): BtfValue | undefined {
    const value = new Uint8Array(this.#values.valueBytes);
    const found = this.#found(() => this.#syscall.mapLookupElem({ map_fd: this.map.fd, key: this.#values.encodeKey(key), value }));
    return found ? this.#values.decodeValue(value) : undefined;
  }

  /** Stores a value (in a per-CPU map for every CPU); `flags` BPF_ANY 0, BPF_NOEXIST 1, BPF_EXIST 2. */
  set(key: MapInput, value: MapInput, flags = 0n): void {
    this.#syscall.mapUpdateElem({ map_fd: this.map.fd, key: this.#values.encodeKey(key), value: this.#values.encodeValue(value), flags });
  }

  /** Removes an element; false when there was none. */
  delete(key: MapInput): boolean {
    return this.#found(() => this.#syscall.mapDeleteElem({ map_fd: this.map.fd, key: this.#values.encodeKey(key) }));
  }

  /** Puts an element into a queue, stack or bloom filter. */
  push(value: MapInput, flags = 0n): void {
    this.#syscall.mapUpdateElem({ map_fd: this.map.fd, value: this.#values.encodeValue(value), flags });
  }

  /** Takes the next element of a queue or stack; undefined when it is empty. */
  pop(): BtfValue | undefined {
    const value = new Uint8Array(this.#values.valueBytes);
    return this.#found(() => this.#syscall.mapLookupAndDeleteElem({ map_fd: this.map.fd, value })) ? this.#values.decodeValue(value) : undefined;
  }

  /** Every element in the map's own order; nothing for maps that can't be walked (queues, ring buffers …). */
  entries(): MapEntry[] {
    return this.dump().map((element) => ({ key: element['key'] ?? null, value: element['value'] ?? element['values'] ?? null }));
  }

  /** Every element as bpftool prints it: `{ key, value }`, or `{ key, values: [{ cpu, value }] }`. */
  dump(): { [name: string]: BtfValue }[] {
    return (dumpMap(this.#syscall, this.map.fd, this.map.spec, this.#btf) ?? []) as { [name: string]: BtfValue }[];
  }

  /** Fills the map from parsed JSON in any of the forms of loader/map-values.ts. */
  fill(json: unknown): void {
    fillMap(this.#syscall, this.map.fd, this.map.spec, this.#btf, json);
  }

  #found(command: () => void): boolean {
    try {
      command();
      return true;
    } catch (error) {
      if (error instanceof BpfSyscallError && error.errno === ENOENT) return false;
      throw error;
    }
  }
}

/** Decodes an event's bytes as the type `typeName` of the object's BTF. Throws LoadError when there is no such type. */
export function decodeAs(btf: Btf | undefined, typeName: string, bytes: Uint8Array): BtfValue {
  const id = btf?.findByName(typeName);
  if (btf === undefined || id === undefined) throw new LoadError(`no type '${typeName}' in the object's BTF`);
  return decodeValue(btf, id, bytes);
}
