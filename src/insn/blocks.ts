// Basic blocks: the one definition that fuel charging (interpreter, JIT), control-flow structuring and control-flow checks share.
// Invariant: a leader is slot 0, a subprogram's first slot, a jump target, or the slot after a branch (goto, gotol, conditional jump,
// may_goto, exit); a call does not end a block, and a 64-bit immediate load is never cut in two.
// Both executors charge `weight` on entry of a block, so that they run out of fuel at the same place (invariant I6).

import { fallsThrough, isBranch, isLddw, isPseudoCall, isPseudoFunc, jumpTarget } from './fields.ts';
import type { Insn } from './insn.ts';

/** Slots [start, end) that run from first to last. */
export interface BasicBlock {
  readonly start: number;
  readonly end: number;
  /** Instructions in the block; a 64-bit immediate load counts as one. What a run pays in fuel for entering it. */
  readonly weight: number;
  /** Indexes of the blocks that may follow: first the fall-through, then the jump's target; each block once; targets outside the program are left out. */
  readonly successors: readonly number[];
  /** True when control may run past the program's last slot, or jump outside it or into the middle of a 64-bit load (never in a verified program). */
  readonly leaves: boolean;
}

/** One byte a slot: 1 where an instruction begins, 0 in the second slot of a 64-bit immediate load. */
export function insnStarts(insns: readonly Insn[]): Uint8Array {
  const starts = new Uint8Array(insns.length);
  for (let at = 0; at < insns.length; at++) {
    starts[at] = 1;
    if (isLddw(insns[at] as Insn)) at++;
  }
  return starts;
}

/** First slots of the program's functions, ascending: 0, targets of bpf-to-bpf calls and of callback addresses that lie in the program. */
export function subprogStarts(insns: readonly Insn[]): number[] {
  const starts = insnStarts(insns);
  const found = new Set<number>(insns.length > 0 ? [0] : []);
  for (const [at, insn] of insns.entries()) {
    if (starts[at] !== 1 || (!isPseudoCall(insn) && !isPseudoFunc(insn))) continue;
    const target = at + 1 + insn.imm;
    if (target >= 0 && target < insns.length) found.add(target);
  }
  return [...found].sort((a, b) => a - b);
}

/** One byte a slot: 1 where a basic block begins. */
export function blockLeaders(insns: readonly Insn[]): Uint8Array {
  const starts = insnStarts(insns);
  const leaders = new Uint8Array(insns.length);
  const mark = (at: number): void => {
    if (starts[at] === 1) leaders[at] = 1;
  };
  for (const at of subprogStarts(insns)) mark(at);
  for (const [at, insn] of insns.entries()) {
    if (starts[at] !== 1 || !isBranch(insn)) continue;
    mark(at + 1);
    const target = jumpTarget(insn, at);
    if (target !== undefined) mark(target);
  }
  return leaders;
}

/** For each slot the index of its block in `blocks`, 0-based. */
export function blockOfSlot(blocks: readonly BasicBlock[], slots: number): Int32Array {
  const owner = new Int32Array(slots);
  for (const [index, block] of blocks.entries()) owner.fill(index, block.start, block.end);
  return owner;
}

interface Span { readonly start: number; readonly end: number; readonly weight: number; readonly last: number }

function spansOf(insns: readonly Insn[]): Span[] {
  const leaders = blockLeaders(insns);
  const spans: Span[] = [];
  let at = 0;
  while (at < insns.length) {
    const start = at;
    let last = at;
    let weight = 0;
    do {
      last = at;
      weight++;
      at += isLddw(insns[at] as Insn) ? 2 : 1;
    } while (at < insns.length && leaders[at] !== 1);
    spans.push({ start, end: Math.min(at, insns.length), weight, last });
  }
  return spans;
}

/** The program's basic blocks in order of place; works on unverified programs too, and never throws. */
export function basicBlocks(insns: readonly Insn[]): BasicBlock[] {
  const spans = spansOf(insns);
  const indexOfStart = new Map(spans.map((span, index) => [span.start, index]));
  return spans.map(({ start, end, weight, last }) => {
    const insn = insns[last] as Insn;
    const wanted = fallsThrough(insn) ? [end] : [];
    const target = jumpTarget(insn, last);
    if (target !== undefined) wanted.push(target);
    const successors = wanted.map((slot) => indexOfStart.get(slot)).filter((index) => index !== undefined);
    return { start, end, weight, successors: [...new Set(successors)], leaves: successors.length < wanted.length };
  });
}
