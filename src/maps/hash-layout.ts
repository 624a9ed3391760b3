// How a hash map's buckets and elements lie in memory.
// Invariant: an element begins with its `next` link, so the address of a bucket and of an element both serve as "the place of a link".

import { BPF_MAP_TYPE_LRU_HASH, BPF_MAP_TYPE_LRU_PERCPU_HASH, BPF_MAP_TYPE_PERCPU_HASH } from '../spec/map-types.ts';
import { i32 } from '../wasm/expr.ts';
import type { Expr } from '../wasm/expr.ts';
import { valueStride } from './layout.ts';
import type { MapShape } from './layout.ts';

/** Byte offsets within an element; the key follows, then the value on the next multiple of 8 (of per-CPU maps: the u32 offset of CPU 0's value). */
export const ELEMENT = {
  /** u32 next element of the bucket; 0 (plain memory) or an odd number naming the bucket (shared) at the end */
  next: 0,
  hash: 4,
  /** u32 next on the free list */
  link: 8,
  /** u32 LRU: 0 not referenced, 1 referenced, 2 not in the map. No preallocation: the grace period in which it was freed */
  mark: 12,
  key: 16,
} as const;

/** An element that is not in an LRU map has this mark. */
export const MARK_FREE = 2;
/** Values are per CPU. */
export const isPercpuHash = (shape: MapShape): boolean => shape.mapType === BPF_MAP_TYPE_PERCPU_HASH || shape.mapType === BPF_MAP_TYPE_LRU_PERCPU_HASH;
/** Full maps evict instead of refusing. */
export const isLru = (shape: MapShape): boolean => shape.mapType === BPF_MAP_TYPE_LRU_HASH || shape.mapType === BPF_MAP_TYPE_LRU_PERCPU_HASH;

/** Sizes of a hash map's parts, in bytes and counts. */
export interface HashLayout {
  readonly buckets: number;
  readonly bucketBytes: number;
  readonly valueOffset: number;
  readonly elementBytes: number;
  /** Elements of the first block: all and the spares, or one chunk. */
  readonly chunkElements: number;
  /** Per-CPU maps: bytes of one value, and from one CPU's values of a chunk to the next CPU's. */
  readonly valueStride: number;
  readonly cpuStride: number;
}

const CHUNK_BYTES = 65536;

/** The layout that follows from a shape. */
export function hashLayout(shape: MapShape): HashLayout {
  const valueOffset = ELEMENT.key + Math.ceil(shape.keySize / 8) * 8;
  const percpu = isPercpuHash(shape);
  const elementBytes = valueOffset + (percpu ? 8 : valueStride(shape));
  const stride = valueStride(shape);
  const chunk = Math.max(1, Math.floor(CHUNK_BYTES / (percpu ? Math.max(stride, elementBytes) : elementBytes)));
  const chunkElements = shape.noPrealloc ? Math.min(chunk, shape.maxEntries) : shape.maxEntries;
  return {
    buckets: 2 ** Math.ceil(Math.log2(shape.maxEntries)),
    bucketBytes: shape.shared ? 8 : 4,
    valueOffset, elementBytes, chunkElements, valueStride: stride,
    cpuStride: Math.ceil((chunkElements * stride) / 64) * 64,
  };
}

/** 1 at the end of a chain. */
export const atEnd = (shape: MapShape, link: Expr<'i32'>): Expr<'i32'> => (shape.shared ? i32.and(link, 1) : i32.eqz(link));
