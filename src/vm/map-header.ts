// The few words of a map that live in linear memory, where programs and emitted code find them.
// Invariant: LDDW of a map loads the address of this header; all fields are u32, little-endian.

/** Byte offsets within a map's header. */
export const MAP_HEADER = {
  id: 0,
  mapType: 4,
  keySize: 8,
  valueSize: 12,
  maxEntries: 16,
  mapFlags: 20,
  /** First of the map's consecutive slots in the function table: MAP_OP_SLOTS order */
  opsSlot: 24,
  /** Offset of the first value or bucket, type-specific */
  data: 28,
  sizeBytes: 64,
} as const;

/** The order of a map's operations in the function table, from `opsSlot`. */
export const MAP_OP_SLOTS = ['lookup', 'update', 'delete', 'push', 'pop', 'peek', 'lookupPercpu', 'walk'] as const;
/** What follows MAP_OP_SLOTS in a ring buffer's slots: reserve (i32) → i32, submit and discard (i32, i32), output (i32, i32, i32) → i32, query (i32) → i64. */
export const RINGBUF_OP_SLOTS = ['ringbufReserve', 'ringbufSubmit', 'ringbufDiscard', 'ringbufOutput', 'ringbufQuery'] as const;
