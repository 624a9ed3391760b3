// The hash family from outside: HASH, PERCPU_HASH, LRU_HASH, LRU_PERCPU_HASH, and the block of memory that their elements lie in.
// Invariant: the data block is buckets, then the spares' offsets, then the preallocated elements and per-CPU values; later chunks are blocks of their own.
// Source: kernel/bpf/hashtab.c (htab_map_get_next_key, __htab_map_lookup_and_delete_batch …).

import { BPF_EXIST, BPF_F_LOCK } from '../spec/map-types.ts';
import { EFAULT, EINVAL, ENOENT, ENOMEM, ENOSPC } from '../spec/errno.ts';
import type { MapBatchResult } from '../spec/syscall.ts';
import { viewOf } from '../util/bytes.ts';
import { BpfSyscallError } from '../util/errors.ts';
import { copyPercpuIn, copyPercpuOut } from './array-map.ts';
import { BpfMap, store } from './bpf-map.ts';
import type { BatchArgs, BatchSupport, MapSetup } from './bpf-map.ts';
import { commandError } from './command-error.ts';
import { emitHashOps } from './hash.ts';
import { ELEMENT, MARK_FREE, hashLayout, isLru, isPercpuHash } from './hash-layout.ts';
import type { HashLayout } from './hash-layout.ts';
import { STATE, spinLockOf, valueStride } from './layout.ts';
import type { MapShape } from './layout.ts';

const align64 = (size: number): number => Math.ceil(size / 64) * 64;

/** Where the parts of the data block begin, in bytes from its start. */
function blockLayout(shape: MapShape): { spares: number; elements: number; spareElements: number; values: number; sizeBytes: number } {
  const layout = hashLayout(shape);
  const spareElements = shape.noPrealloc || isPercpuHash(shape) ? 0 : shape.cpus;
  const spares = align64(layout.buckets * layout.bucketBytes);
  const elements = align64(spares + 4 * spareElements);
  const values = align64(elements + (shape.noPrealloc ? 0 : (shape.maxEntries + spareElements) * layout.elementBytes));
  return { spares, elements, spareElements, values, sizeBytes: values + (shape.noPrealloc ? 0 : valuesBytes(shape, layout)) };
}

const valuesBytes = (shape: MapShape, layout: HashLayout): number => (isPercpuHash(shape) ? layout.cpuStride * shape.cpus : 0);

/** HASH, LRU_HASH, and the base of the others. */
export class HashMap extends BpfMap {
  readonly layout: HashLayout;
  readonly #chunks: number[] = [];

  constructor(setup: MapSetup) {
    super(setup, { emit: emitHashOps, dataBytes: blockLayout(setup.shape).sizeBytes });
    this.layout = hashLayout(setup.shape);
    if (setup.shape.shared) this.#markBucketEnds();
    if (!setup.shape.noPrealloc) this.#placeElements();
  }

  /** In shared memory an empty bucket holds its own number, odd, so that readers notice when they have strayed into another chain. */
  #markBucketEnds(): void {
    const { view } = this.env.memory;
    for (let i = 0; i < this.layout.buckets; i++) view.setUint32(this.data + i * this.layout.bucketBytes, ((i << 1) | 1) >>> 0, true);
  }

  #placeElements(): void {
    const block = blockLayout(this.shape);
    const elements = this.data + block.elements;
    const spares = elements + this.shape.maxEntries * this.layout.elementBytes;
    this.setState(STATE.fresh, elements);
    this.setState(STATE.freshEnd, spares);
    this.setState(STATE.freshValues, this.data + block.values);
    this.setState(STATE.spare, this.data + block.spares);
    this.setState(STATE.hand, elements);
    this.setState(STATE.elements, elements);
    this.setState(STATE.elementsEnd, spares + block.spareElements * this.layout.elementBytes);
    const { view } = this.env.memory;
    for (let cpu = 0; cpu < block.spareElements; cpu++) {
      const spare = spares + cpu * this.layout.elementBytes;
      view.setUint32(this.data + block.spares + 4 * cpu, spare, true);
      if (isLru(this.shape)) view.setUint32(spare + ELEMENT.mark, MARK_FREE, true);
    }
  }

  #chunkBytes(): number {
    return align64(this.layout.chunkElements * this.layout.elementBytes) + valuesBytes(this.shape, this.layout);
  }

  protected override grow(): number {
    try {
      const chunk = this.env.memory.alloc(this.#chunkBytes(), 64);
      this.#chunks.push(chunk);
      this.setState(STATE.fresh, chunk);
      this.setState(STATE.freshEnd, chunk + this.layout.chunkElements * this.layout.elementBytes);
      this.setState(STATE.freshValues, chunk + align64(this.layout.chunkElements * this.layout.elementBytes));
      return 0;
    } catch (error) {
      if (error instanceof BpfSyscallError) return -ENOMEM;
      throw error;
    }
  }

  protected override freeMemory(): void {
    for (const chunk of this.#chunks) this.env.memory.free(chunk, this.#chunkBytes(), 64);
  }

  protected override get batch(): BatchSupport {
    return { lookup: 'hash', lookupAndDelete: 'hash', update: true, delete: true };
  }

  /** Elements in the map. */
  get count(): number {
    return this.state(STATE.count);
  }

  /** Copies an element's value as commands see it. */
  protected copyElement(element: number, value: Uint8Array): void {
    this.takeValue(element + this.layout.valueOffset, value);
  }

  protected override sysLookup(key: Uint8Array, value: Uint8Array): number {
    const element = this.instance.find(this.putKey(key));
    if (element === 0) return -ENOENT;
    this.copyElement(element, value);
    return 0;
  }
  protected override sysLookupAndDelete(key: Uint8Array, value: Uint8Array, _flags: bigint): number {
    const missing = this.sysLookup(key, value);
    return missing !== 0 ? missing : this.sysDelete(key);
  }

  protected override sysNextKey(key: Uint8Array | undefined, next: Uint8Array): number {
    const element = key === undefined ? 0 : this.instance.find(this.putKey(key));
    let following = element === 0 ? 0 : this.#link(element);
    let bucket = element === 0 ? 0 : (this.env.memory.view.getUint32(element + ELEMENT.hash, true) & (this.layout.buckets - 1)) + 1;
    while (following === 0 && bucket < this.layout.buckets) following = this.#link(this.data + bucket++ * this.layout.bucketBytes);
    if (following === 0) return -ENOENT;
    next.set(this.#keyOf(following));
    return 0;
  }

  /** The element that a link names, 0 at the end of a chain. */
  #link(at: number): number {
    const link = this.env.memory.view.getUint32(at, true);
    return (link & 1) !== 0 ? 0 : link;
  }
  #keyOf(element: number): Uint8Array {
    return this.env.memory.bytes.slice(element + ELEMENT.key, element + ELEMENT.key + this.shape.keySize);
  }
  #bucketElements(bucket: number): number[] {
    const elements: number[] = [];
    for (let at = this.#link(this.data + bucket * this.layout.bucketBytes); at !== 0; at = this.#link(at)) elements.push(at);
    return elements;
  }

  /** Offsets of all elements, bucket by bucket. */
  protected allElements(): number[] {
    return Array.from({ length: this.layout.buckets }, (_, bucket) => this.#bucketElements(bucket)).flat();
  }

  protected override hashBatch(args: BatchArgs, deletes: boolean): MapBatchResult {
    const command = deletes ? 'BPF_MAP_LOOKUP_AND_DELETE_BATCH' : 'BPF_MAP_LOOKUP_BATCH';
    const elemFlags = args.elem_flags ?? 0n;
    if ((elemFlags & ~BigInt(BPF_F_LOCK)) !== 0n || (elemFlags !== 0n && spinLockOf(this.shape) === undefined)) throw commandError(command, EINVAL);
    if ((args.flags ?? 0n) !== 0n) throw commandError(command, EINVAL);
    if (args.count === 0) return { count: 0, errno: 0 };
    if (args.in_batch !== undefined && args.in_batch.length < 4) throw commandError(command, EFAULT);
    const from = args.in_batch === undefined ? 0 : viewOf(args.in_batch).getUint32(0, true);
    if (from >= this.layout.buckets) return { count: 0, errno: ENOENT };
    return this.#walkBuckets(args, from, deletes);
  }

  #walkBuckets(args: BatchArgs, from: number, deletes: boolean): MapBatchResult {
    let bucket = from;
    let count = 0;
    let errno = 0;
    for (; bucket < this.layout.buckets; bucket++) {
      const elements = this.#bucketElements(bucket);
      if (elements.length > args.count - count) {
        if (count === 0) errno = ENOSPC;
        break;
      }
      if (!this.#copyBucket(args, elements, count, deletes)) return { count: 0, errno: EFAULT };
      count += elements.length;
    }
    if (bucket >= this.layout.buckets) errno = ENOENT;
    if (args.out_batch === undefined || args.out_batch.length < 4) return { count, errno: EFAULT };
    viewOf(args.out_batch).setUint32(0, bucket, true);
    return { count, errno };
  }

  #copyBucket(args: BatchArgs, elements: readonly number[], at: number, deletes: boolean): boolean {
    let index = at;
    for (const element of elements) {
      const key = this.#keyOf(element);
      const value = new Uint8Array(this.userValueSize);
      this.copyElement(element, value);
      if (!store(args.keys, index, key) || !store(args.values, index, value)) return false;
      if (deletes) this.sysDelete(key);
      index++;
    }
    return true;
  }
}

/** PERCPU_HASH and LRU_PERCPU_HASH: commands carry one value per possible CPU. */
export class PercpuHashMap extends HashMap {
  override get userValueSize(): number {
    return valueStride(this.shape) * this.shape.cpus;
  }
  #slot(element: number, cpu: number): number {
    return this.env.memory.view.getUint32(element + this.layout.valueOffset, true) + cpu * this.layout.cpuStride;
  }
  protected override copyElement(element: number, value: Uint8Array): void {
    copyPercpuOut(this, (cpu) => this.#slot(element, cpu), value);
  }
  /** The operation makes or finds the element and checks the flags; then every CPU's value is written. */
  protected override sysUpdate(key: Uint8Array, value: Uint8Array, flags: bigint): number {
    if (flags > BPF_EXIST) return -EINVAL;
    const at = this.putKey(key);
    const result = this.runtime.ops.update(at, this.putValue(value), Number(flags));
    if (result !== 0) return result;
    const element = this.instance.find(at);
    copyPercpuIn(this, (cpu) => this.#slot(element, cpu), value);
    return 0;
  }
}
