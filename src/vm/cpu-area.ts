// What each simulated CPU keeps in the linear memory: the cells that programs and helpers read without leaving wasm, and the BPF stack.
// Invariant: offsets are from the area's start; areas are 64-byte aligned so that CPUs never share a cache line.

import type { KernelMemory } from './memory.ts';

/** Byte offsets of the cells within a CPU's area. All little-endian. */
export const CPU = {
  /** u32 logical CPU number */
  id: 0,
  /** u32 NUMA node */
  numaNode: 4,
  /** u64 CLOCK_MONOTONIC in ns: what bpf_ktime_get_ns returns */
  ktimeNs: 8,
  /** u64 CLOCK_BOOTTIME in ns */
  bootNs: 16,
  /** u64 CLOCK_TAI in ns */
  taiNs: 24,
  /** u64 jiffies (HZ = 250) */
  jiffies: 32,
  /** s64 instructions left before Fault 'fuel'; charged per basic block */
  fuel: 40,
  /** u32 tail calls made in this run, at most 33 */
  tailCalls: 48,
  /** u32 offset of the lowest stack frame in use; JavaScript helpers that call back start their frames below it */
  framePointer: 52,
  /** 4 × u32 state of the pseudo-random generator (taus113, as the kernel's prandom) */
  prandom: 56,
  /** u64 pid_tgid, u64 uid_gid, 16 bytes comm of the current task */
  pidTgid: 72,
  uidGid: 80,
  comm: 88,
  /** redirect decision of this run: u32 map id (0 none), u32 ifindex or key, u64 flags, u32 offset of the target value */
  redirectMapId: 104,
  redirectIndex: 108,
  redirectFlags: 112,
  redirectValue: 120,
  /** 20 bytes struct bpf_redir_neigh that bpf_redirect_neigh was given (redirectFlags has BPF_F_NEXTHOP) */
  redirectNexthop: 136,
  /** u64 value of r0 at exit, for callers that take only i32 from wasm */
  result: 128,
  /** first byte of the stack */
  stack: 1024,
} as const;

/** Room for 34 programs chained by tail calls, each 8 frames of 512 bytes, and callbacks nested in them. */
export const STACK_BYTES = 256 * 1024;
export const CPU_AREA_BYTES = CPU.stack + STACK_BYTES;
/** Bytes of one frame: each bpf-to-bpf call moves the frame pointer down by this much, in every executor. */
export const FRAME_BYTES = 512;

/** Allocates a CPU's area, `skewBytes` (a multiple of 64) into its block, and writes its number. Returns the area's offset. */
export function createCpuArea(memory: KernelMemory, cpuId: number, skewBytes = 0): number {
  const area = memory.alloc(skewBytes + CPU_AREA_BYTES, 64) + skewBytes;
  memory.view.setUint32(area + CPU.id, cpuId, true);
  memory.view.setUint32(area + CPU.framePointer, stackTop(area), true);
  return area;
}

/** The offset that r10 holds in a program's first frame. */
export const stackTop = (area: number): number => area + CPU_AREA_BYTES;
