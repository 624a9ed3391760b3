// The virtual clock: what bpf_ktime_get_ns and its kin read, kept in each CPU's cells so that programs read it without leaving wasm.
// Invariant I10: time moves only when someone sets or advances it; on a capture it is the packet's timestamp.

import { CPU } from '../vm/cpu-area.ts';
import type { KernelMemory } from '../vm/memory.ts';

const NS_PER_JIFFY = 4_000_000n; // HZ = 250, Debian's
/** TAI is ahead of UTC by this much since 2017. */
const TAI_AHEAD_NS = 37_000_000_000n;
/** Where jiffies start: the kernel lets them wrap five minutes after boot. */
const INITIAL_JIFFIES = 0xffff_ffffn - 300n * 250n + 1n;

/** Sets every CPU's time cells. `ns` is monotonic time; boot time is the same, as the simulated machine never sleeps. */
export class VirtualClock {
  readonly #memory: KernelMemory;
  readonly #areas: readonly number[];
  #ns = 0n;
  /** The jiffy that `#ns` lies in, so that a packet's time costs no division. */
  #jiffyStartNs = 1n;
  #jiffyEndNs = 0n;
  constructor(memory: KernelMemory, areas: readonly number[], startNs: bigint) {
    this.#memory = memory;
    this.#areas = areas;
    this.set(startNs);
  }

  /** Monotonic time in ns. */
  get ns(): bigint {
    return this.#ns;
  }

  /** Sets the time, in ns since boot (for captures: since the epoch). */
  set(ns: bigint): void {
    this.#ns = ns;
    const { view } = this.#memory;
    for (const area of this.#areas) {
      view.setBigUint64(area + CPU.ktimeNs, ns, true);
      view.setBigUint64(area + CPU.bootNs, ns, true);
      view.setBigUint64(area + CPU.taiNs, ns + TAI_AHEAD_NS, true);
    }
    if (ns < this.#jiffyStartNs || ns >= this.#jiffyEndNs) this.#setJiffies(ns / NS_PER_JIFFY);
  }

  #setJiffies(jiffies: bigint): void {
    this.#jiffyStartNs = jiffies * NS_PER_JIFFY;
    this.#jiffyEndNs = this.#jiffyStartNs + NS_PER_JIFFY;
    for (const area of this.#areas) this.#memory.view.setBigUint64(area + CPU.jiffies, INITIAL_JIFFIES + jiffies, true);
  }

  /** Moves the time on. */
  advance(ns: bigint): void {
    this.set(this.#ns + ns);
  }
}
