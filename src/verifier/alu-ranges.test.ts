// Ranges of arithmetic: whatever two values meet, the result's register contains theirs. Seeded random registers around random values.

import { describe, expect, it } from 'vitest';
import { BPF_ADD, BPF_AND, BPF_ARSH, BPF_DIV, BPF_LSH, BPF_MUL, BPF_NEG, BPF_OR, BPF_RSH, BPF_SUB, BPF_XOR } from '../spec/opcodes.ts';
import { rangeOp } from './alu-ranges.ts';
import { regBoundsSync } from './bounds.ts';
import { coerceRegToSize, coerceRegToSizeSx, coerceSubregToSizeSx, markRegKnown, zext32To64 } from './mark-reg.ts';
import { RegState } from './reg-state.ts';
import { SCALAR_VALUE } from '../spec/verifier-types.ts';
import { contains, describeReg, interesting, Random, registerAround } from './values.testkit.ts';

const SEED = 0x5eed;
const ROUNDS = 4000;
const u64 = (word: bigint): bigint => BigInt.asUintN(64, word);
const u32 = (word: bigint): bigint => BigInt.asUintN(32, word);
const s32 = (word: bigint): bigint => BigInt.asIntN(32, word);

type Concrete = (a: bigint, b: bigint) => bigint;
const OPS: readonly (readonly [string, number, Concrete, Concrete])[] = [
  ['add', BPF_ADD, (a, b) => a + b, (a, b) => a + b],
  ['sub', BPF_SUB, (a, b) => a - b, (a, b) => a - b],
  ['mul', BPF_MUL, (a, b) => a * b, (a, b) => a * b],
  ['and', BPF_AND, (a, b) => a & b, (a, b) => a & b],
  ['or', BPF_OR, (a, b) => a | b, (a, b) => a | b],
  ['xor', BPF_XOR, (a, b) => a ^ b, (a, b) => a ^ b],
  ['neg', BPF_NEG, (a) => -a, (a) => -a],
];
const SHIFTS: readonly (readonly [string, number, Concrete, Concrete])[] = [
  ['lsh', BPF_LSH, (a, b) => a << b, (a, b) => a << b],
  ['rsh', BPF_RSH, (a, b) => a >> b, (a, b) => u32(a) >> b],
  ['arsh', BPF_ARSH, (a, b) => BigInt.asIntN(64, a) >> b, (a, b) => s32(a) >> b],
];

function apply(op: number, alu32: boolean, dst: RegState, src: RegState): RegState {
  const result = new RegState();
  result.copyFrom(dst);
  const range = rangeOp(op, alu32, src);
  if (range === undefined) throw new TypeError('no range');
  range(result, src);
  if (alu32) zext32To64(result);
  regBoundsSync(result);
  return result;
}

function constant(value: bigint): RegState {
  const reg = new RegState();
  reg.type = SCALAR_VALUE;
  markRegKnown(reg, value);
  return reg;
}

describe.each(OPS)('%s', (_name, op, concrete64, concrete32) => {
  it.each([false, true])('contains every result (32 bits: %s)', (alu32) => {
    const random = new Random(SEED + op);
    for (let round = 0; round < ROUNDS; round++) {
      const a = interesting(random);
      const b = interesting(random);
      const dst = registerAround(random, a);
      const src = registerAround(random, b);
      const expected = alu32 ? u32(concrete32(u32(a), u32(b))) : u64(concrete64(a, b));
      const result = apply(op, alu32, dst, src);
      if (!contains(result, expected)) {
        expect.fail(`${a} op ${b} = ${expected}\n dst ${describeReg(dst)}\n src ${describeReg(src)}\n got ${describeReg(result)}`);
      }
    }
  });
});

describe.each(SHIFTS)('%s by a constant', (_name, op, concrete64, concrete32) => {
  it.each([false, true])('contains every result (32 bits: %s)', (alu32) => {
    const random = new Random(SEED + op);
    for (let round = 0; round < ROUNDS; round++) {
      const a = interesting(random);
      const shift = BigInt(random.below(alu32 ? 32 : 64));
      const dst = registerAround(random, a);
      const expected = alu32 ? u32(concrete32(u32(a), shift)) : u64(concrete64(a, shift));
      const result = apply(op, alu32, dst, constant(shift));
      if (!contains(result, expected)) expect.fail(`${a} by ${shift} = ${expected}\n dst ${describeReg(dst)}\n got ${describeReg(result)}`);
    }
  });
  it('has no range for an unknown or too large count', () => {
    expect(rangeOp(op, false, registerAround(new Random(1), 3n))?.name ?? 'none').toBeDefined();
    expect(rangeOp(op, false, constant(64n))).toBeUndefined();
    expect(rangeOp(op, true, constant(32n))).toBeUndefined();
  });
});

describe('changes of width', () => {
  it.each([1, 2, 4])('truncation to and extension from %s bytes contain the result', (sizeBytes) => {
    const random = new Random(SEED + sizeBytes);
    for (let round = 0; round < ROUNDS; round++) {
      const value = interesting(random);
      const reg = registerAround(random, value);
      const truncated = new RegState();
      truncated.copyFrom(reg);
      coerceRegToSize(truncated, sizeBytes);
      const extended = new RegState();
      extended.copyFrom(reg);
      coerceRegToSizeSx(extended, sizeBytes);
      if (!contains(truncated, BigInt.asUintN(sizeBytes * 8, value))) expect.fail(`zext ${value}: ${describeReg(reg)} → ${describeReg(truncated)}`);
      if (!contains(extended, u64(BigInt.asIntN(sizeBytes * 8, value)))) expect.fail(`sext ${value}: ${describeReg(reg)} → ${describeReg(extended)}`);
      if (sizeBytes === 4) continue;
      const subreg = new RegState();
      subreg.copyFrom(reg);
      coerceSubregToSizeSx(subreg, sizeBytes);
      zext32To64(subreg);
      regBoundsSync(subreg);
      if (!contains(subreg, u32(BigInt.asIntN(sizeBytes * 8, value)))) expect.fail(`sext32 ${value}: ${describeReg(reg)} → ${describeReg(subreg)}`);
    }
  });
});

describe('exact cases of Linux 6.18', () => {
  it('keeps a wrapped range when both ends wrap', () => {
    const dst = constant(0xffff_ffff_ffff_fff0n);
    dst.umaxValue = 0xffff_ffff_ffff_fff8n;
    dst.varMask = 0xfn;
    dst.varValue = 0xffff_ffff_ffff_fff0n;
    dst.smaxValue = -8n;
    dst.u32MaxValue = 0xffff_fff8;
    dst.s32MaxValue = -8;
    const result = apply(BPF_ADD, false, dst, constant(0x20n));
    expect([result.uminValue, result.umaxValue]).toEqual([0x10n, 0x18n]);
  });
  it('has no range for division', () => {
    expect(rangeOp(BPF_DIV, false, constant(3n))).toBeUndefined();
  });
});
