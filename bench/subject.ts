// One program in one kernel, ready to be run and timed.

import type { BenchMaps } from './maps.ts';

/** Where a program runs: bpfkit's two executors, or the JIT of the machine's Linux. */
export type BenchEngine = 'jit' | 'interp' | 'kernel';

/** The verdict that no benchmark gives: its run came to nothing. */
export const XDP_ABORTED = 0;

/** What one run over each packet gave: sum of the verdicts, runs that aborted, checksum of the packets as they came out. */
export interface PassResult { readonly verdicts: number; readonly aborted: number; readonly packets: number }

/** A loaded program. */
export interface Subject {
  readonly engine: BenchEngine;
  readonly maps: BenchMaps;
  /** Runs so far that the program's own count should show. */
  readonly runs: bigint;
  /** Runs each packet once. */
  pass(): PassResult;
  /** Untimed runs until the engine has settled. */
  warmUp(): void;
  /** Measures for about `ms` milliseconds; ns per run of each window. */
  measure(ms: number): number[];
  close(): void;
}

/** Best and median of many windows, ns per run. */
export interface Figure { readonly best: number; readonly median: number; readonly windows: number }

/** Sums up windows; there must be at least one. */
export function figureOf(samples: readonly number[]): Figure {
  const sorted = [...samples].sort((a, b) => a - b);
  return { best: sorted[0] as number, median: sorted[sorted.length >> 1] as number, windows: sorted.length };
}
