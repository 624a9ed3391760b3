// A map of a loaded object with keys and values as JavaScript values, by the map's BTF types; bytes where there are none.
// Per-CPU maps take and give an array with one value per CPU. Works over either kernel: only BpfSyscall is used.

import type { Btf } from '../btf/btf.ts';
import { decodeValue, type BtfValue } from '../loader/btf-values.ts';
import { encodeValue } from '../loader/encode-value.ts';
import type { LoadedMap } from '../loader/load.ts';
import { ENOENT, ENOTSUPP, EOPNOTSUPP } from '../spec/errno.ts';
import {
  BPF_MAP_TYPE_BLOOM_FILTER, BPF_MAP_TYPE_LRU_PERCPU_HASH, BPF_MAP_TYPE_PERCPU_ARRAY, BPF_MAP_TYPE_PERCPU_HASH, BPF_MAP_TYPE_PERF_EVENT_ARRAY,
  BPF_MAP_TYPE_QUEUE, BPF_MAP_TYPE_RINGBUF, BPF_MAP_TYPE_STACK, mapTypeName,
} from '../spec/map-types.ts';
import type { BpfSyscall } from '../spec/syscall.ts';
import { roundUp } from '../util/bytes.ts';
import { BpfSyscallError, LoadError } from '../util/errors.ts';

const PERCPU: ReadonlySet<number> = new Set([BPF_MAP_TYPE_PERCPU_HASH, BPF_MAP_TYPE_LRU_PERCPU_HASH, BPF_MAP_TYPE_PERCPU_ARRAY]);
const WITHOUT_KEYS: ReadonlySet<number> = new Set([BPF_MAP_TYPE_QUEUE, BPF_MAP_TYPE_STACK, BPF_MAP_TYPE_BLOOM_FILTER, BPF_MAP_TYPE_RINGBUF]);
/** Maps whose elements say nothing to a reader outside. */
const OPAQUE: ReadonlySet<number> = new Set([BPF_MAP_TYPE_RINGBUF, BPF_MAP_TYPE_PERF_EVENT_ARRAY, BPF_MAP_TYPE_BLOOM_FILTER]);

/** What is stored or looked up: a value by its BTF type, or bytes of exactly the right length. */
export type MapInput = BtfValue | Uint8Array | readonly unknown[] | { readonly [name: string]: unknown };

/** An element as `entries` gives it; without BTF keys and values are bytes. */
export interface MapEntry { readonly key: BtfValue | Uint8Array; readonly value: BtfValue | Uint8Array | (BtfValue | Uint8Array)[] }

/** Typed access to one map. Errors are BpfSyscallError (with errno) and LoadError (a value that doesn't fit its type, with the field's path). */
export class TypedMap {
  readonly name: string;
  readonly map: LoadedMap;
  readonly #syscall: BpfSyscall;
  readonly #btf: Btf | undefined;
  constructor(map: LoadedMap, syscall: BpfSyscall, btf: Btf | undefined) {
    this.name = map.name;
    this.map = map;
    this.#syscall = syscall;
    this.#btf = btf;
  }

  /** The type's uapi name. */
  get type(): string {
    return mapTypeName(this.map.spec.type);
  }
  get isPercpu(): boolean {
    return PERCPU.has(this.map.spec.type);
  }

  /** The value under a key, undefined when there is none. */
  get(key: MapInput): MapEntry['value'] | undefined {
    const value = new Uint8Array(this.#valueBytes);
    try {
      this.#syscall.mapLookupElem({ map_fd: this.map.fd, key: this.#encodeKey(key), value });
    } catch (error) {
      if (error instanceof BpfSyscallError && error.errno === ENOENT) return undefined;
      throw error;
    }
    return this.#decodeValues(value);
  }

  /** Stores a value; `flags` BPF_ANY 0, BPF_NOEXIST 1, BPF_EXIST 2. Queues and stacks push (key undefined). */
  set(key: MapInput | undefined, value: MapInput, flags = 0n): void {
    this.#syscall.mapUpdateElem({ map_fd: this.map.fd, ...(key === undefined ? {} : { key: this.#encodeKey(key) }), value: this.#encodeValues(value), flags });
  }

  /** Removes an element; false when there was none. */
  delete(key: MapInput): boolean {
    try {
      this.#syscall.mapDeleteElem({ map_fd: this.map.fd, key: this.#encodeKey(key) });
      return true;
    } catch (error) {
      if (error instanceof BpfSyscallError && error.errno === ENOENT) return false;
      throw error;
    }
  }

  /** Takes the next element of a queue or stack; undefined when it is empty. */
  pop(): MapEntry['value'] | undefined {
    const value = new Uint8Array(this.map.spec.valueSize);
    try {
      this.#syscall.mapLookupAndDeleteElem({ map_fd: this.map.fd, value });
    } catch (error) {
      if (error instanceof BpfSyscallError && error.errno === ENOENT) return undefined;
      throw error;
    }
    return this.#decodeOne(value);
  }

  /** Every element in the map's own order. Nothing for maps that can't be walked (queues, ring buffers …). */
  *entries(): Generator<MapEntry> {
    for (const key of this.#keys()) {
      const value = new Uint8Array(this.#valueBytes);
      try {
        this.#syscall.mapLookupElem({ map_fd: this.map.fd, key, value });
      } catch (error) {
        // Gone meanwhile (ENOENT), or a type whose elements can't be read from outside.
        if (error instanceof BpfSyscallError && [ENOENT, ENOTSUPP, EOPNOTSUPP].includes(error.errno)) continue;
        throw error;
      }
      yield { key: this.#decodeKey(key), value: this.#decodeValues(value) };
    }
  }

  /** Decodes an event's bytes as the struct `typeName` of the object's BTF. Throws LoadError when there is no such type. */
  static decodeAs(btf: Btf | undefined, typeName: string, bytes: Uint8Array): BtfValue {
    const id = btf?.findByName(typeName);
    if (btf === undefined || id === undefined) throw new LoadError(`no type '${typeName}' in the object's BTF`);
    return decodeValue(btf, id, bytes);
  }

  *#keys(): Generator<Uint8Array> {
    const { type, keySize } = this.map.spec;
    if (WITHOUT_KEYS.has(type) || OPAQUE.has(type)) return;
    let key: Uint8Array | undefined;
    for (;;) {
      const next = new Uint8Array(keySize);
      try {
        this.#syscall.mapGetNextKey({ map_fd: this.map.fd, key, next_key: next });
      } catch (error) {
        if (error instanceof BpfSyscallError && error.errno === ENOENT) return;
        throw error;
      }
      yield next;
      key = next;
    }
  }

  /** Bytes of a value as the commands copy it. */
  get #valueBytes(): number {
    const { valueSize } = this.map.spec;
    return this.isPercpu ? roundUp(valueSize, 8) * this.#syscall.possibleCpus : valueSize;
  }

  #encodeKey(key: MapInput): Uint8Array {
    return this.#encode(key, this.map.spec.keyTypeId, this.map.spec.keySize, `${this.name} key`);
  }

  #encodeValues(value: MapInput): Uint8Array {
    const { valueSize, valueTypeId } = this.map.spec;
    if (!this.isPercpu) return this.#encode(value, valueTypeId, valueSize, `${this.name} value`);
    if (value instanceof Uint8Array && value.length === this.#valueBytes) return value;
    const bytes = new Uint8Array(this.#valueBytes);
    const perCpu = Array.isArray(value) && value.length === this.#syscall.possibleCpus ? value : Array.from({ length: this.#syscall.possibleCpus }, () => value);
    perCpu.forEach((each, cpu) => bytes.set(this.#encode(each as MapInput, valueTypeId, valueSize, `${this.name} value of CPU ${cpu}`), cpu * roundUp(valueSize, 8)));
    return bytes;
  }

  #encode(value: MapInput, typeId: number, sizeBytes: number, what: string): Uint8Array {
    if (value instanceof Uint8Array) {
      if (value.length !== sizeBytes) throw new LoadError(`${what}: ${value.length} bytes where ${sizeBytes} are needed`);
      return value;
    }
    if (this.#btf === undefined || typeId === 0) throw new LoadError(`${what}: the object has no BTF type for it, so bytes are needed`);
    return encodeValue(this.#btf, typeId, value, what);
  }

  #decodeKey(bytes: Uint8Array): MapEntry['key'] {
    const { keyTypeId } = this.map.spec;
    return this.#btf === undefined || keyTypeId === 0 ? bytes : decodeValue(this.#btf, keyTypeId, bytes);
  }

  #decodeOne(bytes: Uint8Array): BtfValue | Uint8Array {
    const { valueTypeId } = this.map.spec;
    return this.#btf === undefined || valueTypeId === 0 ? bytes : decodeValue(this.#btf, valueTypeId, bytes);
  }

  #decodeValues(bytes: Uint8Array): MapEntry['value'] {
    if (!this.isPercpu) return this.#decodeOne(bytes);
    const stride = roundUp(this.map.spec.valueSize, 8);
    return Array.from({ length: this.#syscall.possibleCpus }, (_, cpu) => this.#decodeOne(bytes.subarray(cpu * stride, cpu * stride + this.map.spec.valueSize)));
  }
}
