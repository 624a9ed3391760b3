// LPM_TRIE from outside: the bpf() commands on prefixes.
// Invariant: keys come in postorder, longer prefixes before the ones that cover them, as the kernel's walk gives them.
// Source: kernel/bpf/lpm_trie.c (trie_get_next_key).

import { ENOENT, ENOMEM } from '../spec/errno.ts';
import { viewOf } from '../util/bytes.ts';
import { BpfSyscallError } from '../util/errors.ts';
import { BpfMap } from './bpf-map.ts';
import type { BatchSupport, MapSetup } from './bpf-map.ts';
import { STATE } from './layout.ts';
import { LPM_KEY_DATA, LPM_NODE, emitLpmOps, lpmLayout } from './lpm.ts';

/** BPF_MAP_TYPE_LPM_TRIE. */
export class LpmTrieMap extends BpfMap {
  readonly layout: ReturnType<typeof lpmLayout>;
  readonly #chunks: number[] = [];

  constructor(setup: MapSetup) {
    super(setup, { emit: emitLpmOps, dataBytes: 0 });
    this.layout = lpmLayout(setup.shape);
  }

  protected override grow(): number {
    const bytes = this.layout.chunkNodes * this.layout.nodeBytes;
    try {
      const chunk = this.env.memory.alloc(bytes, 8);
      this.#chunks.push(chunk);
      this.setState(STATE.fresh, chunk);
      this.setState(STATE.freshEnd, chunk + bytes);
      return 0;
    } catch (error) {
      if (error instanceof BpfSyscallError) return -ENOMEM;
      throw error;
    }
  }
  protected override freeMemory(): void {
    for (const chunk of this.#chunks) this.env.memory.free(chunk, this.layout.chunkNodes * this.layout.nodeBytes, 8);
  }

  /** Prefixes in the map. */
  get count(): number {
    return this.state(STATE.count);
  }
  protected override get batch(): BatchSupport {
    return { lookup: 'generic', update: true, delete: true };
  }

  #word(at: number): number {
    return this.env.memory.view.getUint32(at, true);
  }
  #child(node: number, side: number): number {
    return this.#word(node + LPM_NODE.child + 4 * side);
  }
  #isIntermediate(node: number): boolean {
    return this.#word(node + LPM_NODE.intermediate) !== 0;
  }

  /** The nodes from the root to the one that holds exactly this key's prefix; undefined when there is none. */
  #pathTo(key: Uint8Array): number[] | undefined {
    const wanted = viewOf(key).getUint32(0, true);
    if (wanted > this.layout.dataSize * 8) return undefined;
    const path: number[] = [];
    for (let node = this.state(STATE.root); node !== 0;) {
      path.push(node);
      const length = this.#word(node + LPM_NODE.prefixlen);
      if (this.#commonBits(node, key) < length || length > wanted) return undefined;
      if (length === wanted) return this.#isIntermediate(node) ? undefined : path;
      node = this.#child(node, ((key[LPM_KEY_DATA + (length >> 3)] ?? 0) >> (7 - (length & 7))) & 1);
    }
    return undefined;
  }

  #commonBits(node: number, key: Uint8Array): number {
    for (let i = 0; i < this.layout.dataSize; i++) {
      const differ = this.env.memory.view.getUint8(node + LPM_NODE.data + i) ^ (key[LPM_KEY_DATA + i] ?? 0);
      if (differ !== 0) return i * 8 + Math.clz32(differ) - 24;
    }
    return this.layout.dataSize * 8;
  }

  protected override sysNextKey(key: Uint8Array | undefined, next: Uint8Array): number {
    const root = this.state(STATE.root);
    if (root === 0) return -ENOENT;
    const path = key === undefined ? undefined : this.#pathTo(key);
    const node = path === undefined ? this.#firstBelow(root) : this.#after(path);
    if (node === 0) return -ENOENT;
    viewOf(next).setUint32(0, this.#word(node + LPM_NODE.prefixlen), true);
    next.set(this.env.memory.bytes.subarray(node + LPM_NODE.data, node + LPM_NODE.data + this.layout.dataSize), LPM_KEY_DATA);
    return 0;
  }

  /** What follows the last node of `path` in postorder, 0 at the end. */
  #after(path: number[]): number {
    for (let depth = path.length - 1; depth > 0; depth--) {
      const [node = 0, parent = 0] = [path[depth], path[depth - 1]];
      const right = this.#child(parent, 1);
      if (this.#child(parent, 0) === node && right !== 0) return this.#firstBelow(right);
      if (!this.#isIntermediate(parent)) return parent;
    }
    return 0;
  }

  /** The first prefix in postorder at or below a node. */
  #firstBelow(top: number): number {
    let last = 0;
    for (let node = top; node !== 0;) {
      if (!this.#isIntermediate(node)) last = node;
      const left = this.#child(node, 0);
      node = left !== 0 || this.#isIntermediate(node) ? left : this.#child(node, 1);
    }
    return last;
  }
}
