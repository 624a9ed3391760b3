// Tristate numbers: every operation contains every concrete result, exhaustively over four adjacent bits at the low, middle and high end.

import { describe, expect, it } from 'vitest';
import {
  bitLength, tn, tnumAdd, tnumAnd, tnumArshift, tnumCast, tnumIn, tnumIntersect, tnumIsAligned, tnumLshift, tnumMul, tnumNeg, tnumOr, tnumOverlap,
  tnumRange, tnumRshift, tnumStep, tnumString, tnumSub, tnumUnion, tnumXor,
} from './tnum.ts';

type Tnum = readonly [value: bigint, mask: bigint];
const U64 = (word: bigint): bigint => BigInt.asUintN(64, word);

function fourBitTnums(at: bigint): Tnum[] {
  const all: Tnum[] = [];
  for (let mask = 0n; mask < 16n; mask++) for (let value = 0n; value < 16n; value++) if ((value & mask) === 0n) all.push([value << at, mask << at]);
  return all;
}

function members([value, mask]: Tnum): bigint[] {
  const all: bigint[] = [];
  let bits = 0n;
  do {
    all.push(value | bits);
    bits = (bits - mask) & mask;
  } while (bits !== 0n);
  return all;
}

const resultHas = (value: bigint): boolean => (value & ~tn.mask & U64(-1n)) === tn.value;

const BINARY: readonly (readonly [string, (av: bigint, am: bigint, bv: bigint, bm: bigint) => void, (a: bigint, b: bigint) => bigint])[] = [
  ['add', tnumAdd, (a, b) => U64(a + b)], ['sub', tnumSub, (a, b) => U64(a - b)], ['and', tnumAnd, (a, b) => a & b], ['or', tnumOr, (a, b) => a | b],
  ['xor', tnumXor, (a, b) => a ^ b], ['mul', tnumMul, (a, b) => U64(a * b)],
];

describe.each([0n, 30n, 60n])('four bits at bit %s', (at) => {
  const all = fourBitTnums(at);
  it.each(BINARY)('%s contains every result and keeps value and mask apart', (_name, op, concrete) => {
    let missing = 0;
    for (const a of all) {
      for (const b of all) {
        op(a[0], a[1], b[0], b[1]);
        if ((tn.value & tn.mask) !== 0n) missing++;
        for (const x of members(a)) for (const y of members(b)) if (!resultHas(concrete(x, y))) missing++;
      }
    }
    expect(missing).toBe(0);
  });

  it('shifts, negation and casts contain every result', () => {
    let missing = 0;
    for (const a of all) {
      for (const shift of [0n, 1n, 3n, 31n, 63n]) {
        tnumLshift(a[0], a[1], shift);
        for (const x of members(a)) if (!resultHas(U64(x << shift))) missing++;
        tnumRshift(a[0], a[1], shift);
        for (const x of members(a)) if (!resultHas(x >> shift)) missing++;
        tnumArshift(a[0], a[1], shift, 64);
        for (const x of members(a)) if (!resultHas(U64(BigInt.asIntN(64, x) >> shift))) missing++;
        tnumArshift(a[0], a[1], shift & 31n, 32);
        for (const x of members(a)) if (!resultHas(BigInt.asUintN(32, BigInt.asIntN(32, x) >> (shift & 31n)))) missing++;
      }
      tnumNeg(a[0], a[1]);
      for (const x of members(a)) if (!resultHas(U64(-x))) missing++;
      tnumCast(a[0], a[1], 4);
      for (const x of members(a)) if (!resultHas(BigInt.asUintN(32, x))) missing++;
    }
    expect(missing).toBe(0);
  });

  it('union, intersection, overlap and membership agree with the sets', () => {
    let wrong = 0;
    for (const a of all) {
      for (const b of all) {
        const inA = new Set(members(a));
        const common = members(b).filter((x) => inA.has(x));
        if (tnumOverlap(a[0], a[1], b[0], b[1]) !== common.length > 0) wrong++;
        if (tnumIn(a[0], a[1], b[0], b[1]) !== (common.length === members(b).length)) wrong++;
        tnumUnion(a[0], a[1], b[0], b[1]);
        if (![...members(a), ...members(b)].every(resultHas)) wrong++;
        if (common.length === 0) continue;
        tnumIntersect(a[0], a[1], b[0], b[1]);
        if (!common.every(resultHas)) wrong++;
      }
    }
    expect(wrong).toBe(0);
  });
});

describe('ranges', () => {
  it('are the smallest tnum of a common prefix', () => {
    tnumRange(0x10n, 0x17n);
    expect([tn.value, tn.mask]).toEqual([0x10n, 7n]);
    tnumRange(5n, 5n);
    expect([tn.value, tn.mask]).toEqual([5n, 0n]);
    tnumRange(0n, U64(-1n));
    expect([tn.value, tn.mask]).toEqual([0n, U64(-1n)]);
  });
  it('bitLength counts like fls64', () => {
    expect([0n, 1n, 0xffff_ffffn, 0x1_0000_0000n, U64(-1n)].map(bitLength)).toEqual([0, 1, 32, 33, 64]);
  });
});

describe('multiplication', () => {
  // Before 6.18 a partial product was added as fully unknown: (x0)*(11) gave xxx0.
  it('takes the union of adding and not adding a partial product', () => {
    tnumMul(0b01n, 0b10n, 0b11n, 0n);
    expect([tn.value, tn.mask]).toEqual([0b0001n, 0b1010n]);
  });
});

describe('printing and alignment', () => {
  it.each([
    [0n, 0xffn, '(0x0; 0xff)'], [0x10n, 0xfn, '(0x10; 0xf)'], [42n, 0n, '42'], [0x10000n, 0n, '0x10000'], [0n, 0n, '0'],
  ])('%s/%s reads %s', (value, mask, text) => {
    expect(tnumString(value, mask)).toBe(text);
  });
  it('is aligned when no member has a low bit', () => {
    expect([tnumIsAligned(0n, 0xf8n, 8n), tnumIsAligned(0n, 0xfcn, 8n), tnumIsAligned(4n, 0n, 4n), tnumIsAligned(1n, 0n, 0n)]).toEqual([true, false, true, true]);
  });
});

describe('stepping through members', () => {
  it('goes to the next member, exhaustively over four bits', () => {
    let wrong = 0;
    for (const [value, mask] of fourBitTnums(0n)) {
      const all = members([value, mask]).sort((a, b) => Number(a - b));
      for (let after = 0n; after < 20n; after++) {
        const next = all.find((member) => member > after) ?? (all.at(-1) as bigint);
        if (tnumStep(value, mask, after) !== next) wrong++;
      }
    }
    expect(wrong).toBe(0);
  });
});
