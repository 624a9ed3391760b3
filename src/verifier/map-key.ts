// A map key on the stack whose value is known: an array look-up with it can't fail when it is in range.
// Invariant: a key that is relied on is marked precise, so that pruning doesn't take another key for it.
// Source: behaviour of get_constant_map_key, Linux 6.18.

import { PTR_TO_STACK, SCALAR_VALUE } from '../spec/verifier-types.ts';
import { markChainPrecisionBatch } from './backtrack.ts';
import type { VerifierEnv } from './env.ts';
import type { FuncState } from './func-state.ts';
import type { RegState } from './reg-state.ts';
import { isSpilledSlot, SLOT_BYTES, STACK_SPILL, STACK_ZERO, type StackState } from './stack-state.ts';

/** Bytes of type `type` from stack index `index` upwards in address, within its slot. */
function runLength(stack: StackState, index: number, type: number): number {
  let length = 0;
  for (let at = index; at >= index - (index % SLOT_BYTES) && stack.typeAt(at) === type; at--) length++;
  return length;
}

/** The value of the key of `keySizeBytes` that `key` points to, as a signed 64-bit number; undefined when it isn't known. */
export function constantMapKey(env: VerifierEnv, key: RegState, keySizeBytes: number): bigint | undefined {
  if (!env.bpfCapable || key.type !== PTR_TO_STACK || !key.isConst) return undefined;
  const { stack } = env.state.frames[key.frameno] as FuncState;
  const index = -(key.off + Number(BigInt.asIntN(32, key.varValue))) - 1;
  if (runLength(stack, index, STACK_ZERO) >= keySizeBytes) return 0n;
  const spi = Math.floor(index / SLOT_BYTES);
  if (!isSpilledSlot(stack, spi) || runLength(stack, index, STACK_SPILL) !== keySizeBytes) return undefined;
  const spilled = stack.spilled(spi);
  if (spilled.type !== SCALAR_VALUE || !spilled.isConst) return undefined;
  env.bt.setSlot(key.frameno, spi);
  markChainPrecisionBatch(env, env.state);
  return BigInt.asIntN(64, spilled.varValue);
}
