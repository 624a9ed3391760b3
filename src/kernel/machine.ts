// The simulated machine below a kernel: its memory, CPUs, table of functions, clock and grace periods.
// Invariant: one run at a time per machine on this thread; what is freed during a run is reused only after it (RCU's promise to programs).

import { seedPrandom } from '../helpers/prandom.ts';
import { CPU, createCpuArea, stackTop } from '../vm/cpu-area.ts';
import { KernelFunctionTable } from '../vm/function-table.ts';
import { KernelMemory, PAGE_BYTES } from '../vm/memory.ts';
import { VirtualClock } from './clock.ts';

/** How a machine is made. */
export interface MachineOptions {
  /** Simulated CPUs, 1 … 64; per-CPU maps have a slot for each. */
  readonly cpus: number;
  /** Shared memory, for worker threads. */
  readonly shared: boolean;
  /** Seed of bpf_get_prandom_u32. */
  readonly seed: number;
  /** Monotonic time at the start, in ns. */
  readonly startNs: bigint;
  /** Bytes of memory left unused before anything else (a multiple of 64), so that every address is another: tells results that depend on addresses. */
  readonly skipBytes: number;
}

/** Memory, CPUs, clock. */
export class Machine {
  readonly memory: KernelMemory;
  readonly table = new KernelFunctionTable();
  readonly areas: readonly number[];
  readonly cpu: WebAssembly.Global;
  readonly clock: VirtualClock;
  /** Bytes by which stacks and packets lie off the alignment that the allocator gives them: 0 but for `skipBytes`. */
  readonly skewBytes: number;
  /** Offset of the u32 that counts ended grace periods. */
  readonly graceCell: number;
  #running = 0;
  readonly #deferred: (() => void)[] = [];

  constructor(options: MachineOptions) {
    this.memory = new KernelMemory({ shared: options.shared });
    if (options.skipBytes > 0) this.memory.alloc(options.skipBytes);
    this.skewBytes = options.skipBytes % PAGE_BYTES;
    this.areas = Array.from({ length: options.cpus }, (_, cpu) => createCpuArea(this.memory, cpu, this.skewBytes));
    this.cpu = new WebAssembly.Global({ value: 'i32', mutable: true }, (this.areas[0] as number) | 0);
    this.clock = new VirtualClock(this.memory, this.areas, options.startNs);
    this.graceCell = this.memory.alloc(64, 64);
    this.areas.forEach((area, cpu) => seedPrandom(this.memory, area, options.seed + cpu));
  }

  /** Offset of the running CPU's area. */
  get area(): number {
    return Number(this.cpu.value) >>> 0;
  }

  /** Makes `cpu` (0 …) the one that the next run is on. */
  switchTo(cpu: number): void {
    this.cpu.value = (this.areas[cpu] as number) | 0;
  }

  /** Runs `body` as one program run: elements freed meanwhile stay until it ends, and so does the fuel given (undefined: none). */
  run<T>(fuel: bigint | undefined, body: () => T): T {
    const { area } = this;
    this.#running++;
    if (fuel !== undefined) this.memory.view.setBigInt64(area + CPU.fuel, fuel, true);
    try {
      return body();
    } finally {
      if (--this.#running === 0) {
        this.memory.view.setUint32(area + CPU.framePointer, stackTop(area), true);
        this.#endGracePeriod();
      }
    }
  }

  /** Runs `free` when no run is under way. */
  deferFree(free: () => void): void {
    if (this.#running === 0) free();
    else this.#deferred.push(free);
  }

  #endGracePeriod(): void {
    const { view } = this.memory;
    view.setUint32(this.graceCell, view.getUint32(this.graceCell, true) + 1, true);
    if (this.#deferred.length === 0) return;
    for (const free of this.#deferred.splice(0)) free();
  }
}
