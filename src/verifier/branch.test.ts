// Conditional jumps: a decided jump agrees with every pair of values, and refinement keeps every pair on the branch that it takes.

import { describe, expect, it } from 'vitest';
import { BPF_JEQ, BPF_JGE, BPF_JGT, BPF_JLE, BPF_JLT, BPF_JNE, BPF_JSET, BPF_JSGE, BPF_JSGT, BPF_JSLE, BPF_JSLT } from '../spec/opcodes.ts';
import { SCALAR_VALUE } from '../spec/verifier-types.ts';
import type { BoundsEnv } from './bounds.ts';
import { regSetMinMax } from './branch-refine.ts';
import { isBranchTaken } from './branch-taken.ts';
import { markRegKnown } from './mark-reg.ts';
import { RegState } from './reg-state.ts';
import { contains, describeReg, interesting, Random, registerAround } from './values.testkit.ts';

const SEED = 0xb2a7c4;
const ROUNDS = 3000;
const signed = (word: bigint, is32: boolean): bigint => BigInt.asIntN(is32 ? 32 : 64, word);
const cut = (word: bigint, is32: boolean): bigint => BigInt.asUintN(is32 ? 32 : 64, word);

const OPS: readonly (readonly [string, number, (a: bigint, b: bigint, is32: boolean) => boolean])[] = [
  ['jeq', BPF_JEQ, (a, b) => a === b], ['jne', BPF_JNE, (a, b) => a !== b], ['jset', BPF_JSET, (a, b) => (a & b) !== 0n],
  ['jgt', BPF_JGT, (a, b) => a > b], ['jge', BPF_JGE, (a, b) => a >= b], ['jlt', BPF_JLT, (a, b) => a < b], ['jle', BPF_JLE, (a, b) => a <= b],
  ['jsgt', BPF_JSGT, (a, b, w) => signed(a, w) > signed(b, w)], ['jsge', BPF_JSGE, (a, b, w) => signed(a, w) >= signed(b, w)],
  ['jslt', BPF_JSLT, (a, b, w) => signed(a, w) < signed(b, w)], ['jsle', BPF_JSLE, (a, b, w) => signed(a, w) <= signed(b, w)],
];

/** An environment whose sanity check says nothing: on the branch that isn't taken bounds may contradict each other. */
const quiet: BoundsEnv = { testRegInvariants: false, reject: () => expect.fail('rejected'), log: { verbose: () => {} } };

function copyOf(reg: RegState): RegState {
  const copy = new RegState();
  copy.copyFrom(reg);
  return copy;
}

function operand(random: Random, value: bigint): RegState {
  if (random.below(3) !== 0) return registerAround(random, value);
  const reg = new RegState();
  reg.type = SCALAR_VALUE;
  markRegKnown(reg, value);
  return reg;
}

describe.each(OPS)('%s', (_name, op, holds) => {
  it.each([false, true])('decides and refines soundly (32 bits: %s)', (is32) => {
    const random = new Random(SEED + op);
    let decided = 0;
    for (let round = 0; round < ROUNDS; round++) {
      const a = interesting(random);
      const b = random.below(3) === 0 ? a : interesting(random);
      const regA = operand(random, a);
      const regB = operand(random, b);
      const takes = holds(cut(a, is32), cut(b, is32), is32);
      const context = `${a} ? ${b} (${takes})\n a ${describeReg(regA)}\n b ${describeReg(regB)}`;
      const taken = isBranchTaken(regA, regB, op, is32);
      if (taken >= 0) {
        decided++;
        if ((taken === 1) !== takes) expect.fail(`decided wrongly: ${context}`);
        continue;
      }
      const [trueA, trueB, falseA, falseB] = [copyOf(regA), copyOf(regB), copyOf(regA), copyOf(regB)];
      regSetMinMax(quiet, trueA, trueB, falseA, falseB, op, is32);
      const [keptA, keptB] = takes ? [trueA, trueB] : [falseA, falseB];
      if (!contains(keptA, a)) expect.fail(`lost a: ${context}\n to ${describeReg(keptA)}`);
      if (!contains(keptB, b)) expect.fail(`lost b: ${context}\n to ${describeReg(keptB)}`);
    }
    expect(decided).toBeGreaterThan(0);
  });
});

describe('what a branch teaches', () => {
  it('shortens a range by a constant at its end', () => {
    const reg = registerAround(new Random(1), 0n);
    markRegKnown(reg, 0n);
    reg.umaxValue = 10n;
    reg.smaxValue = 10n;
    reg.u32MaxValue = 10;
    reg.s32MaxValue = 10;
    reg.varMask = 0xfn;
    const zero = operand(new Random(3), 0n);
    markRegKnown(zero, 0n);
    const jumps = copyOf(reg);
    const falls = copyOf(reg);
    regSetMinMax(quiet, jumps, copyOf(zero), falls, copyOf(zero), BPF_JEQ, false);
    expect([jumps.uminValue, jumps.umaxValue]).toEqual([0n, 0n]);
    expect([falls.uminValue, falls.umaxValue]).toEqual([1n, 10n]);
  });
});
