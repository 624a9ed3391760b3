// What a helper is to an executor, and what a helper written in JavaScript may ask of the kernel it runs in.
// Invariant: helpers reach memory, maps, time and devices only through HelperHost, so the same helper serves every kernel (I1).

import type { KernelMemory } from './memory.ts';
import type { MapRuntime } from './executor.ts';

/**
 * How an argument or result crosses between a program and JavaScript. Everything but 'u64' crosses as a number (i32 in wasm):
 * 'ptr' a memory offset (0 NULL; also contexts, maps as header offsets, and callbacks as table slots), 'u32', 's32' the low half.
 * Results: 's32' is sign-extended into r0, 'u32' zero-extended, 'ptr' becomes an address (0 stays 0), 'void' leaves r0 = 0.
 */
export type CrossingKind = 'ptr' | 'u32' | 's32' | 'u64';
export type ResultKind = CrossingKind | 'void';

/** A helper in JavaScript. `args` has as many entries as the helper has arguments; each is given as number or, for 'u64', bigint (unsigned). */
export interface HelperImpl {
  readonly name: string;
  readonly args: readonly CrossingKind[];
  readonly result: ResultKind;
  readonly call: (host: HelperHost, ...args: never[]) => number | bigint | void;
  /** The helper calls back into the program (bpf_loop and the like): executors store the frame pointer in the CPU's cell before it. */
  readonly callsBack?: boolean;
}

/** A packet or event written to a perf buffer or ring buffer, as consumers outside get it. */
export interface PerfEvent { readonly mapId: number; readonly cpu: number; readonly data: Uint8Array }

/** The kernel as a helper sees it, for the CPU and program now running. */
export interface HelperHost {
  readonly memory: KernelMemory;
  /** Offset of the running CPU's area. */
  cpuArea(): number;
  readonly cpuCount: number;
  /** The map whose header is at this offset. InternalError if there is none. */
  mapAt(header: number): MapRuntime;
  mapById(id: number): MapRuntime | undefined;
  /** Calls the callback in a table slot with r1 … r5; returns r0. */
  callBack(slot: number, r1: bigint, r2: bigint, r3: bigint, r4: bigint, r5: bigint): bigint;
  /** One line of the trace pipe, as bpf_trace_printk writes it. */
  printk(text: string): void;
  /** Writes a perf event to `index` of a PERF_EVENT_ARRAY; returns 0 or negative errno. */
  perfOutput(map: MapRuntime, index: number, data: Uint8Array): number;
  /** A copy of the current task's user memory, undefined where nothing is mapped; absent in kernels without tasks. */
  readUser?(addr: bigint, sizeBytes: number): Uint8Array | undefined;
  /** Named host services that only some kernels have (network devices, FIB, sockets): undefined where absent. */
  readonly net: NetHost | undefined;
}

/** Network services behind helpers: devices by index, the FIB, checksums need none of it. */
export interface NetHost {
  deviceExists(ifindex: number): boolean;
  mtu(ifindex: number): number | undefined;
  /** bpf_fib_lookup on the simulated routing table; params at this offset, read and written in place. Returns BPF_FIB_LKUP_RET_* or negative errno. */
  fibLookup(params: number, plen: number, flags: number): number;
  /**
   * Sends a copy of the packet whose SK_BUFF record is at `skb` out of (with BPF_F_INGRESS: into) a device that exists; returns 0 or negative errno.
   * Absent: bpf_clone_redirect to an existing device throws NotSupportedError.
   */
  transmit?(skb: number, ifindex: number, flags: number): number;
}
