// bpf_get_prandom_u32: four Tausworthe generators combined (taus113), their state in the CPU's cells.
// Invariant I10: the sequence depends on nothing but the seed; words of state stay at or above their minimum, below which a generator sticks at zero.
// Source: P. L'Ecuyer, "Tables of Maximally Equidistributed Combined LFSR Generators", Math. Comp. 68 (1999); the kernel's prandom uses the same.

import { CPU } from '../vm/cpu-area.ts';
import type { KernelMemory } from '../vm/memory.ts';
import { helper } from './define.ts';

/** One component: state = ((state & mask) << keep) ^ (((state << spread) ^ state) >>> fold); `minimum` is the smallest state that works. */
interface Component { readonly spread: number; readonly fold: number; readonly mask: number; readonly keep: number; readonly minimum: number }

/** The parameters of the four components, in the order of the state's words. */
export const TAUS113: readonly Component[] = [
  { spread: 6, fold: 13, mask: 0xffff_fffe, keep: 18, minimum: 2 },
  { spread: 2, fold: 27, mask: 0xffff_fff8, keep: 2, minimum: 8 },
  { spread: 13, fold: 21, mask: 0xffff_fff0, keep: 7, minimum: 16 },
  { spread: 3, fold: 12, mask: 0xffff_ff80, keep: 13, minimum: 128 },
];

/** The next 32 random bits; moves the state in the CPU area on. */
export function nextPrandom(memory: KernelMemory, cpuArea: number): number {
  const { view } = memory;
  let mixed = 0;
  for (const [index, { spread, fold, mask, keep }] of TAUS113.entries()) {
    const at = cpuArea + CPU.prandom + 4 * index;
    const state = view.getUint32(at, true);
    const next = ((state & mask) << keep) ^ (((state << spread) ^ state) >>> fold);
    view.setUint32(at, next >>> 0, true);
    mixed ^= next;
  }
  return mixed >>> 0;
}

/** Rounds that a fresh state runs before it is used, so that near seeds part ways. */
const WARM_UP = 10;

/** Seeds a CPU's generator from 32 bits (give each CPU its own). */
export function seedPrandom(memory: KernelMemory, cpuArea: number, seed: number): void {
  let word = seed >>> 0;
  for (const [index, { minimum }] of TAUS113.entries()) {
    word = (Math.imul(word, 69069) + 1) >>> 0;
    memory.view.setUint32(cpuArea + CPU.prandom + 4 * index, word < minimum ? word + minimum : word, true);
  }
  for (let round = 0; round < WARM_UP; round++) nextPrandom(memory, cpuArea);
}

export const getPrandomU32 = helper('bpf_get_prandom_u32', [], 'u32', (host) => nextPrandom(host.memory, host.cpuArea()));
