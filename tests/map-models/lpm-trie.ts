// Model of LPM_TRIE: a list of prefixes as strings of 0 and 1; look-ups scan all of it.

import { BaseModel, EEXIST, EINVAL, ENOENT, ENOSPC, EXIST, NOEXIST, u32 } from './model.ts';
import type { Found, MapModel, ProgramView } from './model.ts';

interface Row { readonly bits: string; readonly key: Uint8Array; readonly value: Uint8Array }

const allBits = (key: Uint8Array): string => [...key.subarray(4)].map((byte) => byte.toString(2).padStart(8, '0')).join('');
const prefixBits = (key: Uint8Array): string => allBits(key).slice(0, u32(key));

/** Postorder of a binary trie: what lies below comes first, 0 before 1. */
function postorder(a: Row, b: Row): number {
  if (a.bits.startsWith(b.bits)) return -1;
  if (b.bits.startsWith(a.bits)) return 1;
  return a.bits < b.bits ? -1 : 1;
}

/** BPF_MAP_TYPE_LPM_TRIE. */
export class LpmTrieModel extends BaseModel {
  override readonly batch: MapModel['batch'] = { lookup: 'generic', update: true, delete: true };
  #rows: Row[] = [];

  #tooLong(key: Uint8Array): boolean {
    return u32(key) > (this.config.keySize - 4) * 8;
  }
  #exact(key: Uint8Array): Row | undefined {
    return this.#rows.find((row) => row.bits === prefixBits(key));
  }
  override lookup(key: Uint8Array): Found {
    if (this.#tooLong(key)) return { errno: ENOENT };
    const covering = this.#rows.filter((row) => prefixBits(key).startsWith(row.bits));
    const best = covering.sort((a, b) => b.bits.length - a.bits.length)[0];
    return best === undefined ? { errno: ENOENT } : { errno: 0, value: best.value };
  }
  override update(key: Uint8Array, value: Uint8Array, flags: bigint): number {
    if (flags > 2n || this.#tooLong(key)) return EINVAL;
    const old = this.#exact(key);
    if (old !== undefined && flags === BigInt(NOEXIST)) return EEXIST;
    if (old === undefined && flags === BigInt(EXIST)) return ENOENT;
    if (old === undefined && this.#rows.length >= this.config.maxEntries) return ENOSPC;
    this.#rows = this.#rows.filter((row) => row !== old);
    this.#rows.push({ bits: prefixBits(key), key: key.slice(), value: value.slice() });
    return 0;
  }
  override delete(key: Uint8Array): number {
    if (this.#tooLong(key)) return EINVAL;
    const old = this.#exact(key);
    this.#rows = this.#rows.filter((row) => row !== old);
    return old === undefined ? ENOENT : 0;
  }
  override keys(): Uint8Array[] {
    return this.#rows.toSorted(postorder).map((row) => row.key);
  }
  override get prog(): ProgramView {
    return {
      lookup: (key) => this.lookup(key).value,
      update: (key, value, flags) => this.update(key, value, BigInt(flags >>> 0)),
      delete: (key) => this.delete(key),
    };
  }
}
