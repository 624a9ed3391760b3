// Finds types by name without decoding names: a hash table over the bytes of each type's essential name
// (the name up to `___`, libbpf's "flavour" suffix), so that one index serves both exact and CO-RE look-ups.
// Invariant: `find` gives the ids in ascending order, and only ids whose essential name matches.

import type { Btf } from './btf.ts';

const UNDERSCORE = 0x5f;

/** The name without its flavour: `task_struct___old` → `task_struct`. As libbpf: the last `___` that has a character before and one other than `_` after it. */
export function essentialName(name: string): string {
  for (let i = name.length - 5; i >= 0; i--) {
    if (name.charCodeAt(i) !== UNDERSCORE && name.startsWith('___', i + 1) && name.charCodeAt(i + 4) !== UNDERSCORE) return name.slice(0, i + 1);
  }
  return name;
}

const hashByte = (hash: number, byte: number): number => Math.imul(hash ^ byte, 0x01000193);

/** Open hash with chains, in three typed arrays. */
export class NameIndex {
  readonly #btf: Btf;
  readonly #heads: Uint32Array;
  readonly #next: Uint32Array;
  readonly #mask: number;

  constructor(btf: Btf) {
    this.#btf = btf;
    let size = 64;
    while (size < btf.typeCount) size *= 2;
    this.#mask = size - 1;
    this.#heads = new Uint32Array(size);
    this.#next = new Uint32Array(btf.typeCount);
    // From the last type to the first, so that each chain ascends.
    for (let id = btf.typeCount - 1; id > 0; id--) {
      const offset = btf.nameOffset(id);
      if (offset !== 0) this.#insert(id, this.#hashAt(btf.layout.strStart + offset));
    }
  }

  /** Ids of the types whose essential name is `wanted`, ascending. */
  find(wanted: string): number[] {
    let hash = 0x811c9dc5;
    for (let i = 0; i < wanted.length; i++) hash = hashByte(hash, wanted.charCodeAt(i));
    const ids: number[] = [];
    for (let id = this.#heads[this.#slot(hash)] ?? 0; id !== 0; id = this.#next[id] ?? 0) {
      if (essentialName(this.#btf.name(id)) === wanted) ids.push(id);
    }
    return ids;
  }

  #slot(hash: number): number {
    return (hash ^ (hash >>> 15)) & this.#mask;
  }

  #insert(id: number, hash: number): void {
    const slot = this.#slot(hash);
    this.#next[id] = this.#heads[slot] ?? 0;
    this.#heads[slot] = id;
  }

  #hashAt(start: number): number {
    const bytes = this.#btf.bytes;
    let end = start;
    let flavoured = false;
    for (let run = 0; bytes[end] !== 0; end++) {
      run = bytes[end] === UNDERSCORE ? run + 1 : 0;
      if (run === 3) flavoured = true;
    }
    if (flavoured) end = start + essentialName(this.#btf.string(start - this.#btf.layout.strStart)).length;
    let hash = 0x811c9dc5;
    for (let i = start; i < end; i++) hash = hashByte(hash, bytes[i] as number);
    return hash;
  }
}
