// Small damage to a valid program, of the kinds that programmers and compilers do: the source of rejected programs with deep reasons.

import type { Insn } from '../../../src/insn/insn.ts';
import * as op from '../../../src/spec/opcodes.ts';
import type { Random } from './random.ts';

type Mutation = (insns: Insn[], at: number, r: Random) => void;

const change = (insns: Insn[], at: number, fields: Partial<Insn>): void => {
  const changed = { ...(insns[at] as Insn), ...fields };
  insns[at] = { ...changed, off: (changed.off << 16) >> 16 };
};

const isJump = (insn: Insn): boolean => {
  const cls = op.insnClass(insn.code);
  return (cls === op.BPF_JMP || cls === op.BPF_JMP32) && op.insnOp(insn.code) !== op.BPF_CALL && op.insnOp(insn.code) !== op.BPF_EXIT;
};

const MUTATIONS: readonly Mutation[] = [
  (insns, at, r) => change(insns, at, { dst: r.below(11) }),
  (insns, at, r) => change(insns, at, { src: r.below(11) }),
  (insns, at, r) => change(insns, at, { off: (insns[at] as Insn).off + r.pick([-8, -4, -1, 1, 4, 8, 64]) }),
  (insns, at, r) => change(insns, at, { off: r.pick([0, -1, -512, -520, 512, 32767, -32768, 16, -16]) }),
  (insns, at, r) => change(insns, at, { imm: r.imm() }),
  (insns, at, r) => change(insns, at, { code: ((insns[at] as Insn).code & 0x07) | (r.below(32) << 3) }),
  (insns, at, r) => change(insns, at, { code: r.below(256) }),
  (insns, at) => change(insns, at, { code: op.BPF_ALU64 | op.BPF_MOV | op.BPF_K, src: 0, off: 0 }),
  (insns, at) => void insns.splice(at, 1),
  (insns, at) => insns.splice(at, 0, insns[at] as Insn),
  (insns, at, r) => {
    const other = r.below(insns.length);
    const kept = insns[at] as Insn;
    insns[at] = insns[other] as Insn;
    insns[other] = kept;
  },
  // An unchecked pointer: the branch that guarded it is gone.
  (insns, at, r) => {
    const jump = nextJump(insns, at);
    if (jump !== undefined) change(insns, jump, r.chance(50) ? { off: 0 } : { code: op.BPF_JMP | op.BPF_JA, dst: 0, src: 0, imm: 0, off: 0 });
  },
  // A guard the wrong way round or off by a few.
  (insns, at, r) => {
    const jump = nextJump(insns, at);
    if (jump !== undefined) change(insns, jump, { code: ((insns[jump] as Insn).code & 0x0f) | (r.below(14) << 4) });
  },
  (insns, at, r) => {
    const jump = nextJump(insns, at);
    if (jump !== undefined) change(insns, jump, { off: (insns[jump] as Insn).off + r.pick([-1, 1, 2, -3, 100, -100]) });
  },
  // Another helper, or one that does not exist.
  (insns, at, r) => {
    const call = insns.findIndex((insn, i) => i >= at && insn.code === (op.BPF_JMP | op.BPF_CALL));
    if (call >= 0) change(insns, call, { imm: r.chance(90) ? r.between(1, 211) : r.imm() });
  },
  (insns, at) => void insns.splice(at),
];

function nextJump(insns: readonly Insn[], from: number): number | undefined {
  for (let at = from; at < insns.length; at++) if (isJump(insns[at] as Insn)) return at;
  return undefined;
}

/** A damaged copy: mostly one mutation, sometimes up to three. */
export function mutate(insns: readonly Insn[], r: Random): Insn[] {
  const copy = [...insns];
  for (let count = r.chance(75) ? 1 : r.between(2, 3); count > 0 && copy.length > 1; count--) {
    r.pick(MUTATIONS)(copy, r.below(copy.length), r);
  }
  return copy;
}
