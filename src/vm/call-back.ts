// How a kernel calls a program's callback on behalf of a helper (bpf_loop, bpf_for_each_map_elem, timers).
// Invariant: the callback's frame lies one FRAME_BYTES below the caller's, and the cell is as before when the callback returns or faults,
// so that each iteration of a helper starts at the same place.

import { InternalError } from '../util/errors.ts';
import { CPU, FRAME_BYTES } from './cpu-area.ts';
import type { FunctionTable } from './executor.ts';
import type { KernelMemory } from './memory.ts';

/** The arguments r1 … r5 of a callback. */
export type CallbackArgs = readonly [bigint, bigint, bigint, bigint, bigint];

/** Calls the function in `slot` on the CPU whose area is given; returns r0 (unsigned). Faults of the program pass through. */
export function callBackAt(memory: KernelMemory, area: number, table: FunctionTable, slot: number, args: CallbackArgs): bigint {
  const fn = table.get(slot);
  if (fn === undefined) throw new InternalError(`callback slot ${slot} is empty`);
  const caller = memory.view.getUint32(area + CPU.framePointer, true);
  try {
    return BigInt.asUintN(64, fn(...args, caller - FRAME_BYTES));
  } finally {
    memory.view.setUint32(area + CPU.framePointer, caller, true);
  }
}
