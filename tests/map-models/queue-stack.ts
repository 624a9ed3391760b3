// Models of QUEUE and STACK: a JavaScript array, oldest first.

import { BPF_MAP_TYPE_QUEUE } from '../../src/spec/map-types.ts';
import { BaseModel, E2BIG, EINVAL, ENOENT, EXIST } from './model.ts';
import type { Found, ProgramView } from './model.ts';

/** BPF_MAP_TYPE_QUEUE and BPF_MAP_TYPE_STACK. */
export class QueueStackModel extends BaseModel {
  override readonly nextErrno = EINVAL;
  readonly #values: Uint8Array[] = [];

  #peek(): Found {
    const value = this.config.type === BPF_MAP_TYPE_QUEUE ? this.#values[0] : this.#values.at(-1);
    return value === undefined ? { errno: ENOENT } : { errno: 0, value };
  }
  #pop(): Found {
    const found = this.#peek();
    if (this.config.type === BPF_MAP_TYPE_QUEUE) this.#values.shift();
    else this.#values.pop();
    return found;
  }
  #push(value: Uint8Array, flags: bigint): number {
    if (flags !== 0n && flags !== BigInt(EXIST)) return EINVAL;
    if (this.#values.length === this.config.maxEntries) {
      if (flags === 0n) return E2BIG;
      this.#values.shift();
    }
    this.#values.push(value.slice());
    return 0;
  }
  override lookup(): Found {
    return this.#peek();
  }
  override update(_key: Uint8Array, value: Uint8Array, flags: bigint): number {
    return this.#push(value, flags);
  }
  override delete(): number {
    return EINVAL;
  }
  override lookupAndDelete(): Found {
    return this.#pop();
  }
  override keys(): undefined {
    return undefined;
  }
  override get prog(): ProgramView {
    return {
      lookup: () => undefined, update: () => EINVAL, delete: () => EINVAL,
      push: (value, flags) => this.#push(value, BigInt(flags >>> 0)), pop: () => this.#pop(), peek: () => this.#peek(),
    };
  }
}
