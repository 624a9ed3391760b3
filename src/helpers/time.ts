// Helpers that read clocks.
// Invariant: time is what stands in the CPU's cells (virtual, set by whoever runs the program); a helper never looks at a real clock (I1, I10).
// Source: kernel/bpf/helpers.c.

import { CPU } from '../vm/cpu-area.ts';
import type { HelperHost } from '../vm/host.ts';
import { helper } from './define.ts';

/** Nanoseconds of a jiffy (HZ = 250): how far the coarse clock moves at a time. */
const JIFFY_NS = 4_000_000n;

const cell = (host: HelperHost, offset: number): bigint => host.memory.view.getBigUint64(host.cpuArea() + offset, true);

export const ktimeGetNs = helper('bpf_ktime_get_ns', [], 'u64', (host) => cell(host, CPU.ktimeNs));
export const ktimeGetBootNs = helper('bpf_ktime_get_boot_ns', [], 'u64', (host) => cell(host, CPU.bootNs));
export const ktimeGetTaiNs = helper('bpf_ktime_get_tai_ns', [], 'u64', (host) => cell(host, CPU.taiNs));
export const ktimeGetCoarseNs = helper('bpf_ktime_get_coarse_ns', [], 'u64', (host) => {
  const now = cell(host, CPU.ktimeNs);
  return now - (now % JIFFY_NS);
});
export const jiffies64 = helper('bpf_jiffies64', [], 'u64', (host) => cell(host, CPU.jiffies));
