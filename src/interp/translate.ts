// Three rules for turning an address into a memory offset: believe the verifier, check against two ranges, check against the kernel's regions.
// Invariant: a rule either gives an offset whose whole access may be made, or throws Fault 'memory'.
// Source: design.md section 4, "One linear memory"; invariant I7 for the checking rule.

import type { CheckedRanges } from '../insn/verified-program.ts';
import { Fault } from '../util/errors.ts';
import { FRAME_BYTES, stackTop } from '../vm/cpu-area.ts';
import { KERNEL_BASE, toOffset } from '../vm/memory.ts';
import { cpuArea } from './frame.ts';
import type { Frame, Translate } from './frame.ts';

/** Whether a program may access `sizeBytes` bytes at `offset` now: context, current packet, map values, ring records …; its stack is checked before. */
export type RegionCheck = (offset: number, sizeBytes: number, write: boolean) => boolean;

const inside = (offset: number, size: number, range: { readonly start: number; readonly end: number }): boolean =>
  offset >= range.start && offset + size <= range.end;

function outside(frame: Frame, addr: bigint, size: number, write: boolean): Fault {
  return new Fault('memory', `${write ? 'store' : 'load'} of ${size} bytes at 0x${addr.toString(16)}, instruction ${frame.pc - 1}`);
}

const isKernelAddress = (addr: bigint): boolean => addr >> 32n === KERNEL_BASE >> 32n;

/** The verifier proved it: the low half is the offset. */
export const proved: Translate = (_frame, addr) => toOffset(addr);

/** For raw programs: the access must lie in the stack or in the memory that the program was given. */
export const withinRanges = (ranges: CheckedRanges): Translate => (frame, addr, size, write) => {
  const offset = toOffset(addr);
  if (isKernelAddress(addr) && (inside(offset, size, ranges.stack) || inside(offset, size, ranges.memory))) return offset;
  throw outside(frame, addr, size, write);
};

/** For soundness tests: the access must lie in this frame or its callers', or in a region that the kernel names. */
export const withinRegions = (mayAccess: RegionCheck): Translate => (frame, addr, size, write) => {
  const offset = toOffset(addr);
  const frames = { start: frame.framePointer - FRAME_BYTES, end: stackTop(cpuArea(frame.prog.env)) };
  if (isKernelAddress(addr) && (inside(offset, size, frames) || mayAccess(offset, size, write))) return offset;
  throw outside(frame, addr, size, write);
};
