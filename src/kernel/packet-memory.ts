// Where packets lie while programs look at them: one region of linear memory per kind of hook, big enough for any packet and its growth.
// Invariant: packet bytes are written and read in bulk; their records are vm/context.ts's.

import { CPU } from '../vm/cpu-area.ts';
import type { KernelMemory } from '../vm/memory.ts';
import type { Machine } from './machine.ts';

/** A region that grows to the largest packet seen. */
export class PacketMemory {
  readonly #machine: Machine;
  #start = 0;
  #sizeBytes = 0;
  constructor(machine: Machine) {
    this.#machine = machine;
  }

  /** Offset of a region of at least `sizeBytes`; its former contents are lost when it has to grow. */
  reserve(sizeBytes: number): number {
    const { memory, skewBytes } = this.#machine;
    if (sizeBytes > this.#sizeBytes) {
      if (this.#sizeBytes > 0) memory.free(this.#start, skewBytes + this.#sizeBytes, 64);
      this.#sizeBytes = Math.max(sizeBytes, 2 * this.#sizeBytes);
      this.#start = memory.alloc(skewBytes + this.#sizeBytes, 64);
    }
    return this.#start + skewBytes;
  }
}

/** Forgets the redirect decision, as the kernel does before each packet. */
export function clearRedirect(memory: KernelMemory, area: number): void {
  memory.bytes.fill(0, area + CPU.redirectMapId, area + CPU.redirectValue + 8);
}
