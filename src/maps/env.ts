// What a map asks of the kernel that it lives in.
// Invariant: everything that needs file descriptors, programs, devices or time comes through here, so maps serve any kernel (and tests).

import type { FunctionTable } from '../vm/executor.ts';
import type { CheckedAttr } from './alloc-check.ts';
import type { MapShape } from './layout.ts';
import type { InstanceEnv } from './map-module.ts';

/** A program as an element of a map holds it. */
export interface ProgRef {
  readonly id: number;
  /** Its entry's slot in the function table. */
  readonly entrySlot: number;
  readonly progType: number;
  readonly expectedAttachType: number;
  /** All programs of one PROG_ARRAY have the same (type, JIT, XDP fragments … as the kernel's bpf_prog_map_compatible compares them). */
  readonly compatibility: string;
  /** Holds the program; the element's removal calls `put`. */
  get(): void;
  put(): void;
}

/** A map as an element of another map holds it; BpfMap is one. */
export interface MapRef {
  readonly id: number;
  /** Offset of its MAP_HEADER. */
  readonly header: number;
  readonly attr: CheckedAttr;
  readonly shape: MapShape;
  /** Set for maps of maps, which can't be inner maps. */
  readonly innerMeta: MapRef | undefined;
  get(): void;
  put(): void;
}

/** The kernel behind a map. Functions that resolve a file descriptor throw BpfSyscallError EBADF or EINVAL. */
export interface MapEnv extends InstanceEnv {
  readonly possibleCpus: number;
  /** One table of functions per kernel and worker; maps put their operations there. */
  readonly table?: FunctionTable;
  /** Offset of a u32 in memory that the kernel increments when every run that was under way has ended: only then freed elements are handed out again. */
  readonly graceCell: number;
  /** Runs `fn` after the current grace period (at once when nothing runs). */
  deferFree(fn: () => void): void;
  newMapId(): number;
  /** The last holder is gone and the memory free: the kernel forgets the id. */
  mapFreed?(id: number): void;
  mapFromFd(fd: number): MapRef;
  progFromFd(fd: number): ProgRef;
  /** Id (not 0) of the perf event behind a descriptor. */
  perfEventFromFd(fd: number): number;
  /** Id (not 0) of the AF_XDP socket behind a descriptor. */
  xskFromFd(fd: number): number;
  deviceExists(ifindex: number): boolean;
}
