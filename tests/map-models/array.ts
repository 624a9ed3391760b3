// Models of ARRAY and PERCPU_ARRAY: a JavaScript array of values (per CPU).

import { BaseModel, E2BIG, EEXIST, EINVAL, ENOENT, NOEXIST, round8, u32, u32Bytes } from './model.ts';
import type { Found, MapModel, ModelConfig, ProgramView } from './model.ts';

const LOCK = 4;

/** A program's flags: the index is looked at before BPF_F_LOCK, which needs a spin lock in the value. */
function programErrno(flags: number, inRange: boolean): number {
  if (((flags & ~LOCK) >>> 0) > 2) return EINVAL;
  if (!inRange) return E2BIG;
  if ((flags & NOEXIST) !== 0) return EEXIST;
  return (flags & LOCK) !== 0 ? EINVAL : 0;
}

/** BPF_MAP_TYPE_ARRAY. */
export class ArrayModel extends BaseModel {
  override readonly batch: MapModel['batch'] = { lookup: 'generic', update: true };
  readonly values: Uint8Array[];
  constructor(config: ModelConfig) {
    super(config);
    this.values = Array.from({ length: config.maxEntries }, () => new Uint8Array(config.valueSize));
  }
  override lookup(key: Uint8Array): Found {
    const value = this.values[u32(key)];
    return value === undefined ? { errno: ENOENT } : { errno: 0, value };
  }
  override update(key: Uint8Array, value: Uint8Array, flags: bigint): number {
    if (flags > 2n) return EINVAL;
    if (u32(key) >= this.values.length) return E2BIG;
    if (flags === BigInt(NOEXIST)) return EEXIST;
    this.values[u32(key)] = value.slice();
    return 0;
  }
  override delete(): number {
    return EINVAL;
  }
  override keys(): Uint8Array[] {
    return this.values.map((_, index) => u32Bytes(index));
  }
  override get prog(): ProgramView {
    return {
      lookup: (key) => this.values[u32(key)],
      update: (key, value, flags) => programErrno(flags, u32(key) < this.values.length) || this.update(key, value, BigInt(flags >>> 0)),
      delete: () => EINVAL,
    };
  }
}

/** BPF_MAP_TYPE_PERCPU_ARRAY. */
export class PercpuArrayModel extends BaseModel {
  override readonly batch: MapModel['batch'] = { lookup: 'generic', update: true };
  /** By index, then CPU; padded to 8 bytes. */
  readonly values: Uint8Array[][];
  constructor(config: ModelConfig) {
    super(config);
    this.values = Array.from({ length: config.maxEntries }, () => Array.from({ length: config.cpus }, () => new Uint8Array(round8(config.valueSize))));
  }
  override get userValueSize(): number {
    return round8(this.config.valueSize) * this.config.cpus;
  }
  override lookup(key: Uint8Array): Found {
    const slots = this.values[u32(key)];
    return slots === undefined ? { errno: ENOENT } : { errno: 0, value: new Uint8Array(Buffer.concat(slots)) };
  }
  override update(key: Uint8Array, value: Uint8Array, flags: bigint): number {
    if (flags > 2n) return EINVAL;
    if (u32(key) >= this.values.length) return E2BIG;
    if (flags === BigInt(NOEXIST)) return EEXIST;
    const stride = round8(this.config.valueSize);
    this.values[u32(key)] = Array.from({ length: this.config.cpus }, (_, cpu) => value.slice(cpu * stride, (cpu + 1) * stride));
    return 0;
  }
  override delete(): number {
    return EINVAL;
  }
  override keys(): Uint8Array[] {
    return this.values.map((_, index) => u32Bytes(index));
  }
  #slot(key: Uint8Array, cpu: number): Uint8Array | undefined {
    return this.values[u32(key)]?.[cpu]?.subarray(0, this.config.valueSize);
  }
  override get prog(): ProgramView {
    return {
      lookup: (key, cpu) => this.#slot(key, cpu),
      lookupPercpu: (key, cpu) => this.#slot(key, cpu),
      update: (key, value, flags, cpu) => {
        const slot = this.#slot(key, cpu);
        const errno = programErrno(flags, slot !== undefined);
        if (errno === 0) slot?.set(value);
        return errno;
      },
      delete: () => EINVAL,
    };
  }
}
