// Filling and summing up maps through the bpf() seam, the same way for every kernel below it.

import { BPF_MAP_TYPE_LRU_PERCPU_HASH, BPF_MAP_TYPE_PERCPU_ARRAY, BPF_MAP_TYPE_PERCPU_HASH } from '../src/spec/map-types.ts';
import { ENOENT } from '../src/spec/errno.ts';
import { BpfSyscallError, toJson, type BpfSyscall, type BtfValue, type LoadedMap, type LoadedObject } from '../src/index.ts';
import { roundUp, viewOf } from '../src/util/bytes.ts';
import { defined } from '../src/util/assert.ts';

const PERCPU: ReadonlySet<number> = new Set([BPF_MAP_TYPE_PERCPU_ARRAY, BPF_MAP_TYPE_PERCPU_HASH, BPF_MAP_TYPE_LRU_PERCPU_HASH]);

/** Little-endian u32 words as bytes: keys and values of most maps. */
export function words(...values: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(4 * values.length);
  values.forEach((value, i) => viewOf(bytes).setUint32(4 * i, value, true));
  return bytes;
}

/** A u32 or u16 in network order. */
export function networkOrder(value: number, sizeBytes: 2 | 4): Uint8Array {
  const bytes = new Uint8Array(sizeBytes);
  if (sizeBytes === 2) viewOf(bytes).setUint16(0, value);
  else viewOf(bytes).setUint32(0, value >>> 0);
  return bytes;
}

/** Byte strings one after the other. */
export const joined = (...parts: readonly (Uint8Array | readonly number[])[]): Uint8Array => Uint8Array.from(parts.flatMap((part) => [...part]));

/** The maps and globals of one loaded program, on whichever kernel. */
export class BenchMaps {
  readonly #kernel: BpfSyscall;
  readonly #object: LoadedObject;
  constructor(kernel: BpfSyscall, object: LoadedObject) {
    this.#kernel = kernel;
    this.#object = object;
  }

  #map(name: string): LoadedMap {
    return defined(this.#object.maps.get(name), `map '${name}' of a benchmark`);
  }

  /** Puts an element in, whether or not it is there. */
  put(name: string, key: Uint8Array, value: Uint8Array): void {
    this.#kernel.mapUpdateElem({ map_fd: this.#map(name).fd, key, value, flags: 0n });
  }

  /** Sets a global variable. */
  setGlobal(name: string, value: Uint8Array): void {
    this.#object.setGlobal(name, value);
  }

  /** A global number. */
  global(name: string): bigint {
    return BigInt(this.#object.getGlobal(name) as bigint | number);
  }

  /** A global of any type as JSON text. */
  globalText(name: string): string {
    return toJson(this.#object.getGlobal(name) as BtfValue);
  }

  /** Each key and value; values of per-CPU maps as u64 words summed over the CPUs. */
  *elements(name: string): Generator<readonly [key: Uint8Array, value: Uint8Array]> {
    const { fd, spec } = this.#map(name);
    let key: Uint8Array | undefined;
    for (;;) {
      const next = new Uint8Array(spec.keySize);
      if (!this.#nextKey(fd, key, next)) return;
      yield [next, this.#value(fd, spec, next)];
      key = next;
    }
  }

  #nextKey(fd: number, key: Uint8Array | undefined, next: Uint8Array): boolean {
    try {
      this.#kernel.mapGetNextKey({ map_fd: fd, key, next_key: next });
      return true;
    } catch (error) {
      if (error instanceof BpfSyscallError && error.errno === ENOENT) return false;
      throw error;
    }
  }

  #value(fd: number, spec: LoadedMap['spec'], key: Uint8Array): Uint8Array {
    if (!PERCPU.has(spec.type)) {
      const value = new Uint8Array(spec.valueSize);
      this.#kernel.mapLookupElem({ map_fd: fd, key, value });
      return value;
    }
    const slotBytes = roundUp(spec.valueSize, 8);
    const slots = new Uint8Array(slotBytes * this.#kernel.possibleCpus);
    this.#kernel.mapLookupElem({ map_fd: fd, key, value: slots });
    return sumOfSlots(slots, slotBytes);
  }
}

function sumOfSlots(slots: Uint8Array, slotBytes: number): Uint8Array {
  const total = new Uint8Array(slotBytes);
  for (let at = 0; at < slots.length; at += 8) {
    const to = at % slotBytes;
    viewOf(total).setBigUint64(to, viewOf(total).getBigUint64(to, true) + viewOf(slots).getBigUint64(at, true), true);
  }
  return total;
}

/** FNV-1a over bytes, going on from `state`. */
export function fnv(bytes: Uint8Array, state = 0x811c_9dc5): number {
  let hash = state;
  for (let i = 0; i < bytes.length; i++) hash = Math.imul(hash ^ (bytes[i] as number), 0x0100_0193);
  return hash >>> 0;
}

/** Number of elements and a checksum of keys and values that doesn't depend on their order. */
export function contents(maps: BenchMaps, name: string): string {
  let [count, checksum] = [0, 0n];
  for (const [key, value] of maps.elements(name)) {
    count++;
    checksum += BigInt(fnv(value, fnv(key)));
  }
  return `${name}: ${count} elements, checksum ${checksum.toString(16)}`;
}
