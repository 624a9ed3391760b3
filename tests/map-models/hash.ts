// Models of HASH, LRU_HASH, PERCPU_HASH and LRU_PERCPU_HASH: a JavaScript Map from hexadecimal key to values per CPU (one "CPU" where values aren't per CPU).

import { BPF_MAP_TYPE_LRU_HASH, BPF_MAP_TYPE_LRU_PERCPU_HASH, BPF_MAP_TYPE_PERCPU_HASH } from '../../src/spec/map-types.ts';
import { BaseModel, E2BIG, EEXIST, EINVAL, ENOENT, EXIST, NOEXIST, hex, round8, unhex } from './model.ts';
import type { Found, MapModel, ModelConfig, ProgramView } from './model.ts';

/** The hash family. */
export class HashModel extends BaseModel {
  override readonly ordered = false;
  override readonly evicts: boolean;
  override readonly batch: MapModel['batch'] = { lookup: 'hash', lookupAndDelete: 'hash', update: true, delete: true };
  readonly values = new Map<string, Uint8Array[]>();
  readonly percpu: boolean;

  constructor(config: ModelConfig) {
    super(config);
    this.percpu = config.type === BPF_MAP_TYPE_PERCPU_HASH || config.type === BPF_MAP_TYPE_LRU_PERCPU_HASH;
    this.evicts = config.type === BPF_MAP_TYPE_LRU_HASH || config.type === BPF_MAP_TYPE_LRU_PERCPU_HASH;
  }
  override get userValueSize(): number {
    return this.percpu ? round8(this.config.valueSize) * this.config.cpus : this.config.valueSize;
  }
  #refuse(key: Uint8Array, flags: number | bigint): number {
    const there = this.values.has(hex(key));
    if (flags < 0 || flags > 2) return EINVAL;
    if (there && Number(flags) === NOEXIST) return EEXIST;
    if (!there && Number(flags) === EXIST) return ENOENT;
    return !there && !this.evicts && this.values.size >= this.config.maxEntries ? E2BIG : 0;
  }
  override lookup(key: Uint8Array): Found {
    const slots = this.values.get(hex(key));
    return slots === undefined ? { errno: ENOENT } : { errno: 0, value: new Uint8Array(Buffer.concat(slots)) };
  }
  override update(key: Uint8Array, value: Uint8Array, flags: bigint): number {
    const errno = this.#refuse(key, flags);
    if (errno !== 0) return errno;
    const stride = this.percpu ? round8(this.config.valueSize) : value.length;
    this.values.set(hex(key), Array.from({ length: this.percpu ? this.config.cpus : 1 }, (_, cpu) => value.slice(cpu * stride, (cpu + 1) * stride)));
    return 0;
  }
  override delete(key: Uint8Array): number {
    return this.values.delete(hex(key)) ? 0 : ENOENT;
  }
  override lookupAndDelete(key: Uint8Array): Found {
    const found = this.lookup(key);
    this.delete(key);
    return found;
  }
  override keys(): Uint8Array[] {
    return [...this.values.keys()].map(unhex);
  }
  override retain(keys: readonly Uint8Array[]): void {
    const left = new Set(keys.map(hex));
    for (const key of this.values.keys()) if (!left.has(key)) this.values.delete(key);
  }

  #slot(key: Uint8Array, cpu: number): Uint8Array | undefined {
    return this.values.get(hex(key))?.[this.percpu ? cpu : 0]?.subarray(0, this.config.valueSize);
  }
  #progUpdate(key: Uint8Array, value: Uint8Array, flags: number, cpu: number): number {
    const errno = this.#refuse(key, flags);
    if (errno !== 0) return errno;
    if (!this.percpu) this.values.set(hex(key), [value.slice()]);
    else {
      const fresh = (): Uint8Array[] => Array.from({ length: this.config.cpus }, () => new Uint8Array(round8(this.config.valueSize)));
      const slots = this.values.get(hex(key)) ?? fresh();
      slots[cpu]?.set(value);
      this.values.set(hex(key), slots);
    }
    return 0;
  }
  override get prog(): ProgramView {
    return {
      lookup: (key, cpu) => this.#slot(key, cpu),
      ...(this.percpu ? { lookupPercpu: (key: Uint8Array, cpu: number) => (cpu < this.config.cpus ? this.#slot(key, cpu) : undefined) } : {}),
      update: (key, value, flags, cpu) => this.#progUpdate(key, value, flags, cpu),
      delete: (key) => this.delete(key),
    };
  }
}
