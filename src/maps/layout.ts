// Where a map's own words lie: the state block that follows each MAP_HEADER, and the sizes that a map's code is specialised to.
// Invariant: a MapShape and the two offsets (header, data) are all that a map's module depends on, so modules are cached by shape.
// All state cells are u32, little-endian, except the ring buffer's u64 positions.

import { MAP_HEADER } from '../vm/map-header.ts';

/** A run of bytes inside a value that plain copies leave alone (bpf_spin_lock, bpf_timer, kptr …), by the value's BTF. */
export interface SpecialField { readonly kind: 'spin_lock' | 'timer' | 'other'; readonly offset: number; readonly sizeBytes: number }

/** What a map's emitted code is specialised to. Sizes in bytes. */
export interface MapShape {
  readonly mapType: number;
  readonly keySize: number;
  readonly valueSize: number;
  /** After the kernel's rounding. */
  readonly maxEntries: number;
  /** Elements are allocated as they come (BPF_F_NO_PREALLOC). */
  readonly noPrealloc: boolean;
  /** Possible CPUs. */
  readonly cpus: number;
  /** The memory is shared between workers: locks are real. */
  readonly shared: boolean;
  readonly special: readonly SpecialField[];
  /** Bloom filter: number of hash functions and of bits; ring buffer and others: 0. */
  readonly hashCount: number;
  readonly bits: number;
}

/** Byte offsets from the map's header. The block is zeroed when the map is made. */
export const STATE = {
  /** Lock of the free list, the queue, the trie or the ring. */
  lock: MAP_HEADER.sizeBytes,
  freeHead: MAP_HEADER.sizeBytes + 4,
  freeTail: MAP_HEADER.sizeBytes + 8,
  /** Next never-used element, and the end of the block it lies in. */
  fresh: MAP_HEADER.sizeBytes + 12,
  freshEnd: MAP_HEADER.sizeBytes + 16,
  /** Per-CPU values of the next never-used element. */
  freshValues: MAP_HEADER.sizeBytes + 20,
  /** Elements in the map. */
  count: MAP_HEADER.sizeBytes + 24,
  /** LRU: the clock's hand, an element's offset; the first and the end of all elements; the lock of the clock. */
  hand: MAP_HEADER.sizeBytes + 28,
  elements: MAP_HEADER.sizeBytes + 32,
  elementsEnd: MAP_HEADER.sizeBytes + 36,
  lruLock: MAP_HEADER.sizeBytes + 40,
  /** Offset of a u32 per CPU: the spare element that an update of an existing key takes. */
  spare: MAP_HEADER.sizeBytes + 44,
  /** Offset of the kernel's u32 count of grace periods that have ended. */
  grace: MAP_HEADER.sizeBytes + 48,
  /** Queue and stack: index of the next free and of the oldest slot. LPM: root node. */
  head: MAP_HEADER.sizeBytes + 52,
  tail: MAP_HEADER.sizeBytes + 56,
  root: MAP_HEADER.sizeBytes + 52,
  /** Ring buffer: u64 positions, each on its own line as consumers and producers run apart; wake-ups asked for (u32). */
  consumerPos: MAP_HEADER.sizeBytes + 64,
  producerPos: MAP_HEADER.sizeBytes + 128,
  pendingPos: MAP_HEADER.sizeBytes + 136,
  wakeups: MAP_HEADER.sizeBytes + 144,
  dropped: MAP_HEADER.sizeBytes + 148,
  sizeBytes: MAP_HEADER.sizeBytes + 192,
} as const;

const round8 = (size: number): number => Math.ceil(size / 8) * 8;

/** Bytes from one value to the next in arrays, and of a per-CPU value as the system call copies it. */
export const valueStride = (shape: { readonly valueSize: number }): number => round8(shape.valueSize);

/** The spin lock inside the value, if its BTF has one. */
export const spinLockOf = (shape: MapShape): SpecialField | undefined => shape.special.find((field) => field.kind === 'spin_lock');

/** The ranges [start, end) of a value that copies touch: everything but its special fields. */
export function copiedRanges(shape: MapShape): [number, number][] {
  const ranges: [number, number][] = [];
  let start = 0;
  for (const field of [...shape.special].sort((a, b) => a.offset - b.offset)) {
    if (field.offset > start) ranges.push([start, field.offset]);
    start = field.offset + field.sizeBytes;
  }
  if (start < shape.valueSize) ranges.push([start, shape.valueSize]);
  return ranges;
}
