// A one-to-one renaming of ids between two states, built up while they are compared.
// Source: behaviour of check_ids and check_scalar_ids, Linux 6.18.

import { BPF_ADD_CONST, BPF_ID_MAP_SIZE } from '../spec/limits.ts';

/** Pairs (id in the old state, id in the current one). */
export class IdMap {
  readonly #old = new Uint32Array(BPF_ID_MAP_SIZE);
  readonly #cur = new Uint32Array(BPF_ID_MAP_SIZE);
  #count = 0;
  #temporary = 0;

  /** Forgets all pairs; ids above `lastId` are free for temporary use. */
  reset(lastId: number): void {
    this.#count = 0;
    this.#temporary = lastId;
  }

  /** Whether `oldId` may be renamed to `curId`: both 0, or paired with each other, or both new. */
  check(oldId: number, curId: number): boolean {
    if ((oldId !== 0) !== (curId !== 0)) return false;
    if (oldId === 0) return true;
    for (let i = 0; i < this.#count; i++) {
      if (this.#old[i] === oldId) return this.#cur[i] === curId;
      if (this.#cur[i] === curId) return false;
    }
    if (this.#count === BPF_ID_MAP_SIZE) return false;
    this.#old[this.#count] = oldId;
    this.#cur[this.#count++] = curId;
    return true;
  }

  /**
   * The same for scalars: an old one that was linked to nothing takes any; a current one without an id is linked to nothing. The id of a sum
   * (BPF_ADD_CONST) must agree with its flag and without.
   */
  checkScalar(oldId: number, curId: number): boolean {
    if (oldId === 0) return true;
    const cur = curId === 0 ? ++this.#temporary : curId;
    if (!this.check(oldId, cur)) return false;
    return (oldId & BPF_ADD_CONST) === 0 || this.check((oldId & ~BPF_ADD_CONST) >>> 0, (cur & ~BPF_ADD_CONST) >>> 0);
  }
}
