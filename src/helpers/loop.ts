// bpf_loop: a bounded loop whose body is a callback.
// Source: kernel/bpf/bpf_iter.c (bpf_loop).

import { E2BIG, EINVAL } from '../spec/errno.ts';
import { BPF_MAX_LOOPS } from '../spec/limits.ts';
import type { HelperHost } from '../vm/host.ts';
import { toAddr } from '../vm/memory.ts';
import { callingHelper } from './define.ts';

function repeat(host: HelperHost, iterations: number, callback: number, ctx: number): number {
  for (let i = 0; i < iterations; i++) {
    if (host.callBack(callback, BigInt(i), toAddr(ctx), 0n, 0n, 0n) !== 0n) return i + 1;
  }
  return iterations;
}

export const loop = callingHelper('bpf_loop', ['u32', 'ptr', 'ptr', 'u64'], 's32', (host, iterations, callback, ctx, flags) => {
  if (flags !== 0n) return -EINVAL;
  return iterations > BPF_MAX_LOOPS ? -E2BIG : repeat(host, iterations, callback, ctx);
});
