// For tests of the verifier's values: seeded random numbers, interesting values, registers around a concrete value, and membership.
// Invariant: the same seed gives the same registers; a made register always contains the value it was made around.

import { SCALAR_VALUE } from '../spec/verifier-types.ts';
import { U64_MAX } from '../util/u64.ts';
import { regBoundsSync } from './bounds.ts';
import { markRegUnknownImprecise } from './mark-reg.ts';
import { RegState } from './reg-state.ts';

/** A small seeded generator (mulberry32). */
export class Random {
  #state: number;
  constructor(seed: number) {
    this.#state = seed >>> 0;
  }
  /** 0 … 2^32-1 */
  u32(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = this.#state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return (t ^ (t >>> 14)) >>> 0;
  }
  /** 0 … n-1 */
  below(n: number): number { return this.u32() % n; }
  u64(): bigint { return (BigInt(this.u32()) << 32n) | BigInt(this.u32()); }
  pick<T>(items: readonly T[]): T { return items[this.below(items.length)] as T; }
}

const EDGES = [0n, 1n, 2n, 7n, 0x7fn, 0x80n, 0xffn, 0x100n, 0x7fffn, 0x8000n, 0xffffn, 0x7fff_fffen, 0x7fff_ffffn, 0x8000_0000n, 0xffff_ffffn, 0x1_0000_0000n,
  0x7fff_ffff_ffff_ffffn, 0x8000_0000_0000_0000n, 0xffff_ffff_8000_0000n, 0xffff_ffff_7fff_ffffn, U64_MAX - 1n, U64_MAX];

/** An edge of some width, a neighbour of one, a small number, or anything. */
export function interesting(random: Random): bigint {
  const kind = random.below(4);
  if (kind === 0) return random.pick(EDGES);
  if (kind === 1) return BigInt.asUintN(64, random.pick(EDGES) + BigInt(random.below(5) - 2));
  if (kind === 2) return BigInt(random.below(40));
  return random.u64() >> BigInt(random.below(64));
}

const bigMin = (a: bigint, b: bigint): bigint => (a < b ? a : b);
const bigMax = (a: bigint, b: bigint): bigint => (a > b ? a : b);

/** A scalar register of random looseness that contains `value` (u64), with tnum and bounds in step. */
export function registerAround(random: Random, value: bigint): RegState {
  const reg = new RegState();
  markRegUnknownImprecise(reg);
  const mask = random.pick([0n, 0xfn, 0xffn << BigInt(random.below(57)), U64_MAX, random.u64() & random.u64(), 1n << BigInt(random.below(64))]);
  reg.varMask = mask;
  reg.varValue = value & ~mask & U64_MAX;
  const other = interesting(random);
  if (random.below(2) === 0) setBounds64(reg, value, other);
  if (random.below(2) === 0) setBounds32(reg, Number(value & 0xffff_ffffn), Number(interesting(random) & 0xffff_ffffn));
  reg.type = SCALAR_VALUE;
  regBoundsSync(reg);
  return reg;
}

function setBounds64(reg: RegState, a: bigint, b: bigint): void {
  reg.uminValue = bigMin(a, b);
  reg.umaxValue = bigMax(a, b);
  const sa = BigInt.asIntN(64, a);
  const sb = BigInt.asIntN(64, b);
  reg.sminValue = bigMin(sa, sb);
  reg.smaxValue = bigMax(sa, sb);
}

function setBounds32(reg: RegState, a: number, b: number): void {
  reg.u32MinValue = Math.min(a, b);
  reg.u32MaxValue = Math.max(a, b);
  reg.s32MinValue = Math.min(a | 0, b | 0);
  reg.s32MaxValue = Math.max(a | 0, b | 0);
}

/** Whether every view of the register admits `value` (u64). */
export function contains(reg: RegState, value: bigint): boolean {
  const signed = BigInt.asIntN(64, value);
  const half = Number(value & 0xffff_ffffn);
  return (value & ~reg.varMask & U64_MAX) === reg.varValue && value >= reg.uminValue && value <= reg.umaxValue && signed >= reg.sminValue
    && signed <= reg.smaxValue && half >= reg.u32MinValue && half <= reg.u32MaxValue && (half | 0) >= reg.s32MinValue && (half | 0) <= reg.s32MaxValue;
}

/** The register's nine views in words, for a failing test's message. */
export function describeReg(reg: RegState): string {
  return `u64=[${reg.uminValue},${reg.umaxValue}] s64=[${reg.sminValue},${reg.smaxValue}] u32=[${reg.u32MinValue},${reg.u32MaxValue}] `
    + `s32=[${reg.s32MinValue},${reg.s32MaxValue}] var_off=(0x${reg.varValue.toString(16)}; 0x${reg.varMask.toString(16)})`;
}
