// The stack of one frame as the verifier sees it: a type for each byte, and a spilled register for each 8-byte slot.
// Invariant: `allocatedBytes` is a multiple of 8; bytes and slots beyond it are STACK_INVALID / NOT_INIT.
// Byte `fp - 1 - k` has index k, so slot `spi` covers indices 8·spi … 8·spi+7, the highest address first.
// Source: kernel `struct bpf_stack_state`, Linux 6.18.

import { RegState, RegStore } from './reg-state.ts';

export const STACK_INVALID = 0;
export const STACK_SPILL = 1;
export const STACK_MISC = 2;
export const STACK_ZERO = 3;
export const STACK_DYNPTR = 4;
export const STACK_ITER = 5;
export const STACK_IRQ_FLAG = 6;

/** Bytes of a slot (BPF_REG_SIZE). */
export const SLOT_BYTES = 8;
/** MAX_BPF_STACK */
export const STACK_BYTES_MAX = 512;

/** Most frames use no stack: they share these. */
const NO_TYPES = new Uint8Array(0);
const NO_STORE = new RegStore(0);
const MIN_SLOTS = 4;

/** Byte types and spilled registers of one frame. Grows in powers of two of slots; never allocates when nothing grows. */
export class StackState {
  allocatedBytes = 0;
  /** One STACK_* per byte, index k for the byte at fp-1-k. */
  slotTypes: Uint8Array = NO_TYPES;
  #store: RegStore = NO_STORE;
  #cursors: RegState[] = [];

  /** Slots in use. */
  get slots(): number { return this.allocatedBytes >> 3; }

  /** The register spilled to slot `spi` (valid when the slot's first byte is STACK_SPILL). */
  spilled(spi: number): RegState {
    let cursor = this.#cursors[spi];
    if (cursor === undefined) {
      cursor = new RegState(this.#store, spi);
      this.#cursors[spi] = cursor;
    }
    return cursor;
  }

  /** STACK_* of the byte at fp-1-`index`. */
  typeAt(index: number): number { return this.slotTypes[index] as number; }

  /** Makes room for `sizeBytes` (rounded up to 8); new bytes are STACK_INVALID. */
  grow(sizeBytes: number): void {
    const want = (sizeBytes + 7) & ~7;
    if (want <= this.allocatedBytes) return;
    this.#reserve(want >> 3);
    this.slotTypes.fill(STACK_INVALID, this.allocatedBytes, want);
    for (let spi = this.slots; spi < want >> 3; spi++) this.spilled(spi).clear();
    this.allocatedBytes = want;
  }

  /** Becomes a copy of `from`. */
  copyFrom(from: StackState): void {
    this.#reserve(from.slots);
    this.slotTypes.set(from.slotTypes.subarray(0, from.allocatedBytes));
    this.#store.copyFrom(from.#store, from.slots);
    this.allocatedBytes = from.allocatedBytes;
  }

  /** Forgets everything. */
  clear(): void { this.allocatedBytes = 0; }

  #reserve(slots: number): void {
    if (slots <= this.#store.count) return;
    const capacity = Math.min(64, Math.max(MIN_SLOTS, 2 ** Math.ceil(Math.log2(slots))));
    const types = new Uint8Array(capacity * SLOT_BYTES);
    types.set(this.slotTypes.subarray(0, this.allocatedBytes));
    const store = new RegStore(capacity);
    store.copyFrom(this.#store, this.slots);
    this.slotTypes = types;
    this.#store = store;
    this.#cursors = [];
  }
}

/** The slot's first-spilled byte tells whether a register is spilled there (is_spilled_reg). */
export const isSpilledSlot = (stack: StackState, spi: number): boolean => stack.slotTypes[spi * SLOT_BYTES + 7] === STACK_SPILL;
