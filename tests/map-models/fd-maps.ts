// Models of the maps that are filled by descriptors: PROG_ARRAY, PERF_EVENT_ARRAY, ARRAY_OF_MAPS, HASH_OF_MAPS, DEVMAP, DEVMAP_HASH, CPUMAP, XSKMAP.
// `idOf` says which id a good descriptor has; all others are bad (EBADF here: the driver offers only good ones and -1).

import { BPF_MAP_TYPE_ARRAY_OF_MAPS, BPF_MAP_TYPE_CPUMAP, BPF_MAP_TYPE_DEVMAP, BPF_MAP_TYPE_PERF_EVENT_ARRAY, BPF_MAP_TYPE_XSKMAP } from '../../src/spec/map-types.ts';
import { BaseModel, E2BIG, EEXIST, EINVAL, ENOENT, ENOTSUPP, EOPNOTSUPP, EXIST, NOEXIST, hex, u32, u32Bytes, unhex } from './model.ts';
import type { Found, MapModel, ModelConfig } from './model.ts';

const EBADF = 9;
const ENODEV = 19;
const EOVERFLOW = 75;
const indices = (config: ModelConfig): Uint8Array[] => Array.from({ length: config.maxEntries }, (_, index) => u32Bytes(index));

/** Arrays of descriptors. */
export class FdArrayModel extends BaseModel {
  override readonly batch: MapModel['batch'];
  readonly #ids = new Map<number, number>();
  readonly #idOf: ReadonlyMap<number, number>;
  constructor(config: ModelConfig, idOf: ReadonlyMap<number, number>) {
    super(config);
    this.#idOf = idOf;
    this.batch = config.type === BPF_MAP_TYPE_ARRAY_OF_MAPS ? { lookup: 'generic', update: true } : {};
  }
  override lookup(key: Uint8Array): Found {
    if (this.config.type === BPF_MAP_TYPE_PERF_EVENT_ARRAY) return { errno: ENOTSUPP };
    if (this.config.type === BPF_MAP_TYPE_XSKMAP) return { errno: EOPNOTSUPP };
    const id = this.#ids.get(u32(key));
    return id === undefined ? { errno: ENOENT } : { errno: 0, value: u32Bytes(id) };
  }
  override update(key: Uint8Array, value: Uint8Array, flags: bigint): number {
    if (this.config.type === BPF_MAP_TYPE_XSKMAP ? flags > 2n : flags !== 0n) return EINVAL;
    if (u32(key) >= this.config.maxEntries) return E2BIG;
    const id = this.#idOf.get(u32(value));
    if (id === undefined) return EBADF;
    this.#ids.set(u32(key), id);
    return 0;
  }
  override delete(key: Uint8Array): number {
    const xsk = this.config.type === BPF_MAP_TYPE_XSKMAP;
    if (u32(key) >= this.config.maxEntries) return xsk ? EINVAL : E2BIG;
    return this.#ids.delete(u32(key)) || xsk ? 0 : ENOENT;
  }
  override keys(): Uint8Array[] {
    return indices(this.config);
  }
}

/** HASH_OF_MAPS. */
export class HashOfMapsModel extends BaseModel {
  override readonly ordered = false;
  override readonly batch: MapModel['batch'] = { lookup: 'hash', lookupAndDelete: 'hash', update: true, delete: true };
  readonly #ids = new Map<string, number>();
  readonly #idOf: ReadonlyMap<number, number>;
  constructor(config: ModelConfig, idOf: ReadonlyMap<number, number>) {
    super(config);
    this.#idOf = idOf;
  }
  override lookup(key: Uint8Array): Found {
    const id = this.#ids.get(hex(key));
    return id === undefined ? { errno: ENOENT } : { errno: 0, value: u32Bytes(id) };
  }
  override update(key: Uint8Array, value: Uint8Array, flags: bigint): number {
    const id = this.#idOf.get(u32(value));
    if (id === undefined) return EBADF;
    const there = this.#ids.has(hex(key));
    if (flags > 2n) return EINVAL;
    if (there && flags === BigInt(NOEXIST)) return EEXIST;
    if (!there && flags === BigInt(EXIST)) return ENOENT;
    if (!there && this.#ids.size >= this.config.maxEntries) return E2BIG;
    this.#ids.set(hex(key), id);
    return 0;
  }
  override delete(key: Uint8Array): number {
    return this.#ids.delete(hex(key)) ? 0 : ENOENT;
  }
  override keys(): Uint8Array[] {
    return [...this.#ids.keys()].map(unhex);
  }
}

/** DEVMAP and CPUMAP without programs: `idOf` are the devices that exist. */
export class RedirectArrayModel extends BaseModel {
  readonly #values = new Map<number, number>();
  readonly #devices: ReadonlyMap<number, number>;
  constructor(config: ModelConfig, devices: ReadonlyMap<number, number>) {
    super(config);
    this.#devices = devices;
  }
  override lookup(key: Uint8Array): Found {
    const first = this.#values.get(u32(key));
    if (first === undefined) return { errno: ENOENT };
    const value = new Uint8Array(this.config.valueSize);
    value.set(u32Bytes(first));
    return { errno: 0, value };
  }
  override update(key: Uint8Array, value: Uint8Array, flags: bigint): number {
    const first = u32(value);
    if (flags > 2n) return EINVAL;
    if (u32(key) >= this.config.maxEntries) return E2BIG;
    if (flags === BigInt(NOEXIST)) return EEXIST;
    if (this.config.type === BPF_MAP_TYPE_CPUMAP) {
      if (first > 16384) return EOVERFLOW;
      if (u32(key) >= this.config.cpus) return ENODEV;
    } else if (this.config.type === BPF_MAP_TYPE_DEVMAP && first !== 0 && !this.#devices.has(first)) return EINVAL;
    if (first === 0) this.#values.delete(u32(key));
    else this.#values.set(u32(key), first);
    return 0;
  }
  override delete(key: Uint8Array): number {
    if (u32(key) >= this.config.maxEntries) return EINVAL;
    this.#values.delete(u32(key));
    return 0;
  }
  override keys(): Uint8Array[] {
    return indices(this.config);
  }
}

/** DEVMAP_HASH without programs. */
export class DevMapHashModel extends BaseModel {
  override readonly ordered = false;
  readonly #values = new Map<string, number>();
  readonly #devices: ReadonlyMap<number, number>;
  constructor(config: ModelConfig, devices: ReadonlyMap<number, number>) {
    super(config);
    this.#devices = devices;
  }
  override lookup(key: Uint8Array): Found {
    const ifindex = this.#values.get(hex(key));
    if (ifindex === undefined) return { errno: ENOENT };
    const value = new Uint8Array(this.config.valueSize);
    value.set(u32Bytes(ifindex));
    return { errno: 0, value };
  }
  override update(key: Uint8Array, value: Uint8Array, flags: bigint): number {
    if (flags > 2n || u32(value) === 0) return EINVAL;
    const there = this.#values.has(hex(key));
    if (there && flags === BigInt(NOEXIST)) return EEXIST;
    if (!this.#devices.has(u32(value))) return EINVAL;
    if (!there && this.#values.size >= this.config.maxEntries) return E2BIG;
    this.#values.set(hex(key), u32(value));
    return 0;
  }
  override delete(key: Uint8Array): number {
    return this.#values.delete(hex(key)) ? 0 : ENOENT;
  }
  override keys(): Uint8Array[] {
    return [...this.#values.keys()].map(unhex);
  }
}
