// Model of BLOOM_FILTER: a set of everything that was pushed. Look-ups of other values may find something too.

import { BaseModel, EINVAL, ENOENT, EOPNOTSUPP, hex } from './model.ts';
import type { Found, ProgramView } from './model.ts';

/** BPF_MAP_TYPE_BLOOM_FILTER. */
export class BloomFilterModel extends BaseModel {
  override readonly nextErrno = EOPNOTSUPP;
  override readonly falsePositives = true;
  readonly #seen = new Set<string>();

  override lookup(_key: Uint8Array, value: Uint8Array): Found {
    return { errno: this.#seen.has(hex(value)) ? 0 : ENOENT };
  }
  override update(_key: Uint8Array, value: Uint8Array, flags: bigint): number {
    if (flags !== 0n) return EINVAL;
    this.#seen.add(hex(value));
    return 0;
  }
  override delete(): number {
    return EOPNOTSUPP;
  }
  override keys(): undefined {
    return undefined;
  }
  override get prog(): ProgramView {
    return {
      lookup: () => undefined, update: () => EINVAL, delete: () => EOPNOTSUPP,
      push: (value, flags) => this.update(new Uint8Array(0), value, BigInt(flags >>> 0)),
      pop: () => ({ errno: EOPNOTSUPP }),
      peek: (value) => this.lookup(new Uint8Array(0), value),
    };
  }
}
