// The address of a memory access: what goes on the wasm stack and what into the access's constant offset.
// Invariant: for proved accesses the low half of register + off is the offset in memory, and since memory below 64 KiB is never handed
// out, a non-negative `off` can't wrap: it becomes the constant offset. Raw programs are checked against their ranges first.

import type { CheckedRanges } from '../insn/verified-program.ts';
import { BPF_REG_FP } from '../spec/opcodes.ts';
import { FRAME_BYTES } from '../vm/cpu-area.ts';
import { KERNEL_BASE } from '../vm/memory.ts';
import type { Local } from '../wasm/function-builder.ts';
import { FAULT } from './fault.ts';
import type { Scope } from './scope.ts';

/** One access: `sizeBytes` at register + off, made by the instruction at slot `at`. */
export interface Access { readonly register: number; readonly off: number; readonly sizeBytes: number; readonly at: number }

/** Computes register + off in 64 bits into a scratch local. */
export function wideAddress(s: Scope, { register, off }: Access): Local<'i64'> {
  const wide = s.scratch('i64', 'wide_address');
  s.pushReg(register);
  s.push64(off);
  s.op('i64.add');
  s.popLocal(wide);
  return wide;
}

/** Leaves 1 when [wide, wide + sizeBytes) is not within [start, end). */
function pushOutside(s: Scope, wide: Local<'i64'>, sizeBytes: number, range: { readonly start: number; readonly end: number }): void {
  if (range.end - range.start < sizeBytes) return s.push32(1);
  s.pushLocal(wide);
  s.pushBig(KERNEL_BASE | BigInt(range.start));
  s.op('i64.sub');
  s.pushBig(BigInt(range.end - range.start - sizeBytes));
  s.op('i64.gt_u');
}

function checkRanges(s: Scope, access: Access, ranges: CheckedRanges): Local<'i64'> {
  const wide = wideAddress(s, access);
  pushOutside(s, wide, access.sizeBytes, ranges.stack);
  pushOutside(s, wide, access.sizeBytes, ranges.memory);
  s.op('i32.and');
  s.faultIf(FAULT.memory, access.at, wide);
  return wide;
}

/** Leaves the access's address (i32) on the stack and returns the constant offset that goes with it. */
export function pushAddress(s: Scope, access: Access): number {
  const { checked } = s.unit.parts;
  const { register, off } = access;
  if (checked !== undefined) {
    s.pushLocal(checkRanges(s, access, checked));
    s.op('i32.wrap_i64');
    return 0;
  }
  if (register === BPF_REG_FP && off >= -FRAME_BYTES) {
    s.pushLocal(s.frameStart());
    return off + FRAME_BYTES;
  }
  s.pushReg32(register);
  if (off >= 0) return off;
  s.push32(off);
  s.op('i32.add');
  return 0;
}

/** The access's whole address in a scratch local, for accesses that need it more than once. */
export function addressLocal(s: Scope, access: Access): Local<'i32'> {
  const address = s.scratch('i32', 'address');
  const offset = pushAddress(s, access);
  if (offset !== 0) {
    s.push32(offset);
    s.op('i32.add');
  }
  s.popLocal(address);
  return address;
}
