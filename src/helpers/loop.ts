// bpf_loop: a bounded loop whose body is a callback.
// Source: kernel/bpf/bpf_iter.c (bpf_loop).

import { E2BIG, EINVAL } from '../spec/errno.ts';
import { BPF_MAX_LOOPS } from '../spec/limits.ts';
import { u64 } from '../util/u64.ts';
import type { HelperHost } from '../vm/host.ts';
import { toAddr } from '../vm/memory.ts';
import { callingHelper } from './define.ts';

function repeat(host: HelperHost, iterations: number, callback: number, ctx: number): bigint {
  for (let i = 0; i < iterations; i++) {
    if (host.callBack(callback, BigInt(i), toAddr(ctx), 0n, 0n, 0n) !== 0n) return BigInt(i + 1);
  }
  return BigInt(iterations);
}

/**
 * -E2BIG comes without its upper half: Linux inlines calls whose flags are known to be 0, and that code sets 32 bits (0xfffffff9).
 * -EINVAL, from the function itself, has all 64.
 */
export const loop = callingHelper('bpf_loop', ['u32', 'ptr', 'ptr', 'u64'], 'u64', (host, iterations, callback, ctx, flags) => {
  if (flags !== 0n) return u64(BigInt(-EINVAL));
  return iterations > BPF_MAX_LOOPS ? BigInt(-E2BIG >>> 0) : repeat(host, iterations, callback, ctx);
});
