// Elements of maps as JavaScript values and JSON, typed by BTF: for filling a map from a file and for dumping it as bpftool does.
// JSON taken: `[{"key": …, "value": …}]` (bpftool's dump; per-CPU maps `"values": [{"cpu": 0, "value": …}]`, or one `"value"` for every CPU);
// `{"10.0.0.0/8": …}`, keys as text; for arrays, queues, stacks and bloom filters a plain list of values. Without BTF, numbers
// (little-endian), lists of bytes, addresses and `hex:` text, and dumps are lists of "0x…" bytes. Errors are LoadErrors with the field's path.

import type { Btf } from '../btf/btf.ts';
import { ENOENT } from '../spec/errno.ts';
import {
  BPF_MAP_TYPE_ARENA, BPF_MAP_TYPE_ARRAY, BPF_MAP_TYPE_BLOOM_FILTER, BPF_MAP_TYPE_PERCPU_ARRAY, BPF_MAP_TYPE_QUEUE, BPF_MAP_TYPE_RINGBUF, BPF_MAP_TYPE_STACK,
  BPF_MAP_TYPE_USER_RINGBUF, MAP_TYPES,
} from '../spec/map-types.ts';
import type { BpfSyscall } from '../spec/syscall.ts';
import { fromHex, roundUp, viewOf } from '../util/bytes.ts';
import { BpfSyscallError, LoadError } from '../util/errors.ts';
import { parseAddress, parseCidr } from './addresses.ts';
import { decodeValue, type BtfValue } from './btf-values.ts';
import { encodeValue, toInteger } from './encode-value.ts';
import type { MapSpec } from './object-spec.ts';

/** An element as bytes; no key for queues, stacks and bloom filters. */
export interface MapElement { readonly key: Uint8Array | undefined; readonly value: Uint8Array }

const KEYLESS: ReadonlySet<number> = new Set([BPF_MAP_TYPE_QUEUE, BPF_MAP_TYPE_STACK, BPF_MAP_TYPE_BLOOM_FILTER]);
const INDEXED: ReadonlySet<number> = new Set([BPF_MAP_TYPE_ARRAY, BPF_MAP_TYPE_PERCPU_ARRAY]);
const NOT_ITERABLE: ReadonlySet<number> = new Set([...KEYLESS, BPF_MAP_TYPE_RINGBUF, BPF_MAP_TYPE_USER_RINGBUF, BPF_MAP_TYPE_ARENA]);

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> => typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array);

function fail(path: string, message: string): never {
  throw new LoadError(`${path}: ${message}`);
}

/** Bytes of a text that is an address, a prefix or `hex:`; undefined for other text. */
function textBytes(text: string): Uint8Array | undefined {
  if (text.startsWith('hex:')) return fromHex(text.slice(4));
  const prefix = parseCidr(text);
  if (prefix === undefined) return parseAddress(text);
  const bytes = new Uint8Array(4 + prefix.address.length);
  viewOf(bytes).setUint32(0, prefix.prefixLen, true);
  bytes.set(prefix.address, 4);
  return bytes;
}

function numberBytes(number: bigint, size: number, path: string): Uint8Array {
  if (size > 8) fail(path, `a number for ${size} bytes: write a list of bytes or "hex:…"`);
  if (number >= 1n << BigInt(8 * size) || number < -(1n << BigInt(8 * size - 1))) fail(path, `${number} does not fit in ${size} bytes`);
  return Uint8Array.from({ length: size }, (_, i) => Number((number >> BigInt(8 * i)) & 0xffn));
}

/** A value without type: exactly `size` bytes. */
function encodeUntyped(value: unknown, size: number, path: string): Uint8Array {
  const number = toInteger(value);
  if (number !== undefined) return numberBytes(number, size, path);
  const bytes = value instanceof Uint8Array ? value : typeof value === 'string' ? textBytes(value) : Array.isArray(value) ? value.map((item, i) => byteOf(item, `${path}[${i}]`)) : undefined;
  if (bytes === undefined) return fail(path, 'the map has no BTF types: write a number, a list of bytes, an address, or "hex:…"');
  if (bytes.length !== size) fail(path, `${bytes.length} bytes, the map has ${size}`);
  return Uint8Array.from(bytes);
}

function byteOf(value: unknown, path: string): number {
  const number = toInteger(value);
  return number !== undefined && number >= 0n && number <= 255n ? Number(number) : fail(path, 'is not a byte');
}

const rawBytes = (bytes: Uint8Array): BtfValue => Array.from(bytes, (byte) => `0x${byte.toString(16).padStart(2, '0')}`);

/** Converts one map's keys and values. */
export class MapValues {
  readonly spec: MapSpec;
  readonly #btf: Btf | undefined;
  readonly #cpus: number;
  readonly #perCpu: boolean;

  /** `possibleCpus`: slots of a per-CPU value. */
  constructor(spec: MapSpec, btf: Btf | undefined, possibleCpus: number) {
    this.spec = spec;
    this.#btf = btf;
    this.#cpus = possibleCpus;
    this.#perCpu = MAP_TYPES[spec.type]?.perCpu === true;
  }

  /** Bytes that a look-up fills: value_size, or a slot of 8-byte multiples for each possible CPU. */
  get valueBytes(): number {
    return this.#perCpu ? this.#slot * this.#cpus : this.spec.valueSize;
  }

  get #slot(): number {
    return roundUp(this.spec.valueSize, 8);
  }

  /** A key's bytes. */
  encodeKey(value: unknown, path = '.key'): Uint8Array {
    return this.#encode(this.spec.keyTypeId, this.spec.keySize, value, path);
  }

  /** A value's bytes; for per-CPU maps `value` goes to every CPU, `[{cpu, value}]` (under `values` in JSON) to those named. */
  encodeValue(value: unknown, path = '.value'): Uint8Array {
    if (!this.#perCpu) return this.#encode(this.spec.valueTypeId, this.spec.valueSize, value, path);
    const bytes = new Uint8Array(this.valueBytes);
    for (let cpu = 0; cpu < this.#cpus; cpu++) bytes.set(this.#encode(this.spec.valueTypeId, this.spec.valueSize, value, path), cpu * this.#slot);
    return bytes;
  }

  #encodePerCpu(values: unknown, path: string): Uint8Array {
    if (!this.#perCpu || !Array.isArray(values)) return fail(path, this.#perCpu ? 'is not a list of {"cpu", "value"}' : "is for per-CPU maps; use 'value'");
    const bytes = new Uint8Array(this.valueBytes);
    values.forEach((item: unknown, i) => {
      const cpu = isObject(item) ? toInteger(item['cpu'] ?? i) : undefined;
      if (!isObject(item) || cpu === undefined || cpu < 0n || cpu >= BigInt(this.#cpus)) return fail(`${path}[${i}]`, `is not {"cpu": 0 to ${this.#cpus - 1}, "value": …}`);
      return bytes.set(this.#encode(this.spec.valueTypeId, this.spec.valueSize, item['value'], `${path}[${i}].value`), Number(cpu) * this.#slot);
    });
    return bytes;
  }

  #encode(typeId: number, size: number, value: unknown, path: string): Uint8Array {
    if (this.#btf === undefined || typeId === 0) return encodeUntyped(value, size, path);
    const bytes = encodeValue(this.#btf, typeId, value, path);
    return bytes.length === size ? bytes : fail(path, `its BTF type has ${bytes.length} bytes, the map ${size}`);
  }

  /** A key from its bytes. */
  decodeKey(bytes: Uint8Array): BtfValue {
    return this.#decode(this.spec.keyTypeId, bytes);
  }

  /** A value from its bytes; for per-CPU maps a list of `{cpu, value}`. */
  decodeValue(bytes: Uint8Array): BtfValue {
    if (!this.#perCpu) return this.#decode(this.spec.valueTypeId, bytes);
    return Array.from({ length: this.#cpus }, (_, cpu) => ({ cpu, value: this.#decode(this.spec.valueTypeId, bytes.subarray(cpu * this.#slot, cpu * this.#slot + this.spec.valueSize)) }));
  }

  #decode(typeId: number, bytes: Uint8Array): BtfValue {
    return this.#btf === undefined || typeId === 0 ? rawBytes(bytes) : decodeValue(this.#btf, typeId, bytes);
  }

  /** The element as bpftool prints it. */
  decodeElement(key: Uint8Array, value: Uint8Array): BtfValue {
    return this.#perCpu ? { key: this.decodeKey(key), values: this.decodeValue(value) } : { key: this.decodeKey(key), value: this.decodeValue(value) };
  }

  /** Elements out of parsed JSON; see the head of this file for the forms. */
  elementsFromJson(json: unknown): MapElement[] {
    const { name, type } = this.spec;
    if (MAP_TYPES[type]?.mapInMap === true) fail(name, 'maps of maps can\'t be filled from JSON');
    if (isObject(json)) return Object.entries(json).map(([key, value]) => ({ key: this.encodeKey(key, `${name}["${key}"]`), value: this.encodeValue(value, `${name}["${key}"]`) }));
    if (!Array.isArray(json)) return fail(name, 'is neither a list nor an object');
    return json.map((item: unknown, i) => this.#elementFromJson(item, i, `${name}[${i}]`));
  }

  #elementFromJson(item: unknown, index: number, path: string): MapElement {
    if (isObject(item) && 'key' in item && ('value' in item || 'values' in item)) {
      const value = 'values' in item ? this.#encodePerCpu(item['values'], `${path}.values`) : this.encodeValue(item['value'], `${path}.value`);
      return { key: this.encodeKey(item['key'], `${path}.key`), value };
    }
    if (KEYLESS.has(this.spec.type)) return { key: undefined, value: this.encodeValue(isObject(item) && 'value' in item ? item['value'] : item, path) };
    if (INDEXED.has(this.spec.type)) return { key: numberBytes(BigInt(index), 4, path), value: this.encodeValue(item, path) };
    return fail(path, 'is not {"key": …, "value": …}');
  }
}

/** Puts parsed JSON into a map. Throws LoadError with the path of the value that doesn't fit, or of the element that the kernel refuses. */
export function fillMap(syscall: BpfSyscall, fd: number, spec: MapSpec, btf: Btf | undefined, json: unknown): void {
  const values = new MapValues(spec, btf, syscall.possibleCpus);
  values.elementsFromJson(json).forEach(({ key, value }, i) => {
    try {
      syscall.mapUpdateElem({ map_fd: fd, ...(key === undefined ? {} : { key }), value, flags: 0n });
    } catch (error) {
      throw error instanceof BpfSyscallError ? new LoadError(`${spec.name}[${i}]: ${error.message}`) : error;
    }
  });
}

/** A map's elements as bpftool dumps them, in the kernel's order; undefined for maps that can't be walked (queues, ring buffers …). */
export function dumpMap(syscall: BpfSyscall, fd: number, spec: MapSpec, btf: Btf | undefined): BtfValue[] | undefined {
  if (NOT_ITERABLE.has(spec.type)) return undefined;
  const values = new MapValues(spec, btf, syscall.possibleCpus);
  const elements: BtfValue[] = [];
  for (const key of keysOf(syscall, fd, spec)) {
    const value = new Uint8Array(values.valueBytes);
    if (orMissing(() => syscall.mapLookupElem({ map_fd: fd, key, value }))) elements.push(values.decodeElement(key, value));
  }
  return elements;
}

/** Each key once; bounded even if a hash is changed while it is walked. */
function* keysOf(syscall: BpfSyscall, fd: number, spec: MapSpec): Generator<Uint8Array> {
  let key: Uint8Array | undefined;
  for (let left = 2 * spec.maxEntries + 16; left > 0; left--) {
    const next = new Uint8Array(spec.keySize);
    const from = key;
    if (!orMissing(() => syscall.mapGetNextKey({ map_fd: fd, key: from, next_key: next }))) return;
    yield next;
    key = next;
  }
}

/** Runs a look-up; false for ENOENT. */
function orMissing(lookUp: () => void): boolean {
  try {
    lookUp();
    return true;
  } catch (error) {
    if (error instanceof BpfSyscallError && error.errno === ENOENT) return false;
    throw error;
  }
}
