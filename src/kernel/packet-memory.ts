// Where packets lie while programs look at them: one region of linear memory per kind of hook, big enough for any packet and its growth.
// Invariant: packet bytes are written and read in bulk; addresses in context records are KERNEL_BASE | offset.

import { CPU } from '../vm/cpu-area.ts';
import { toAddr, toOffset, type KernelMemory } from '../vm/memory.ts';

/** A region that grows to the largest packet seen. */
export class PacketMemory {
  readonly #memory: KernelMemory;
  #start = 0;
  #sizeBytes = 0;
  constructor(memory: KernelMemory) {
    this.#memory = memory;
  }

  /** Offset of a region of at least `sizeBytes`; its former contents are lost when it has to grow. */
  reserve(sizeBytes: number): number {
    if (sizeBytes > this.#sizeBytes) {
      if (this.#sizeBytes > 0) this.#memory.free(this.#start, this.#sizeBytes, 64);
      this.#sizeBytes = Math.max(sizeBytes, 2 * this.#sizeBytes);
      this.#start = this.#memory.alloc(this.#sizeBytes, 64);
    }
    return this.#start;
  }
}

/** A context record in memory: u32 fields and u64 addresses at the byte offsets that spec/context.ts names. */
export class ContextRecord {
  readonly offset: number;
  readonly #memory: KernelMemory;
  readonly #sizeBytes: number;
  constructor(memory: KernelMemory, sizeBytes: number) {
    this.#memory = memory;
    this.#sizeBytes = sizeBytes;
    this.offset = memory.alloc(sizeBytes, 64);
  }
  clear(): void {
    this.#memory.bytes.fill(0, this.offset, this.offset + this.#sizeBytes);
  }
  getU32(field: number): number {
    return this.#memory.view.getUint32(this.offset + field, true);
  }
  setU32(field: number, value: number): void {
    this.#memory.view.setUint32(this.offset + field, value, true);
  }
  getU64(field: number): bigint {
    return this.#memory.view.getBigUint64(this.offset + field, true);
  }
  setU64(field: number, value: bigint): void {
    this.#memory.view.setBigUint64(this.offset + field, value, true);
  }
  setBytes(field: number, bytes: Uint8Array): void {
    this.#memory.bytes.set(bytes, this.offset + field);
  }
  /** A copy of `length` bytes of the record. */
  bytes(field: number, length: number): Uint8Array {
    return this.#memory.bytes.slice(this.offset + field, this.offset + field + length);
  }
  /** The memory offset that an address field holds. */
  pointer(field: number): number {
    return toOffset(this.getU64(field));
  }
  setPointer(field: number, offset: number): void {
    this.setU64(field, toAddr(offset));
  }
}

/** Where a redirecting program wants its packet: what bpf_redirect and bpf_redirect_map left in the CPU's cells. */
export interface RedirectTarget {
  /** The redirect map, 0 for bpf_redirect. */
  readonly mapId: number;
  /** ifindex, or key in the map. */
  readonly index: number;
  readonly flags: bigint;
}

/** Reads the redirect decision of the last run on the CPU whose area is given. */
export function readRedirect(memory: KernelMemory, area: number): RedirectTarget {
  const { view } = memory;
  return {
    mapId: view.getUint32(area + CPU.redirectMapId, true),
    index: view.getUint32(area + CPU.redirectIndex, true),
    flags: view.getBigUint64(area + CPU.redirectFlags, true),
  };
}

/** Forgets the redirect decision, as the kernel does before each packet. */
export function clearRedirect(memory: KernelMemory, area: number): void {
  memory.bytes.fill(0, area + CPU.redirectMapId, area + CPU.redirectValue + 8);
}
