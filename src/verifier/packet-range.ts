// Comparisons of packet pointers: how many bytes behind a pointer are proved to lie in the packet.
// Invariant: `extra` of a packet pointer is the number of bytes from its base (offset 0) that may be accessed, for all pointers of the same id.
// Source: behaviour of try_match_pkt_pointers, find_good_pkt_pointers and mark_pkt_end, Linux 6.18.

import type { Insn } from '../insn/insn.ts';
import { MAX_PACKET_OFF } from '../spec/limits.ts';
import { BPF_JGE, BPF_JGT, BPF_JLE, BPF_JLT, BPF_JMP32, BPF_X, insnClass, insnOp, insnSrc } from '../spec/opcodes.ts';
import { PTR_TO_PACKET, PTR_TO_PACKET_END, PTR_TO_PACKET_META } from '../spec/verifier-types.ts';
import { AT_PKT_END, BEYOND_PKT_END, flipOp } from './branch-taken.ts';
import type { VerifierEnv } from './env.ts';
import { forEachReg } from './refs.ts';
import type { RegState } from './reg-state.ts';
import type { VerifierState } from './verifier-state.ts';

/** xdp->data as it was loaded: the end of the metadata. */
const isUnmovedPacket = (reg: RegState): boolean => reg.type === PTR_TO_PACKET && reg.id === 0 && reg.off === 0 && reg.isConst && reg.varValue === 0n;

/** A moved pointer and the end that bounds it: packet with pkt_end, metadata with data. */
const isBounded = (pointer: RegState, end: RegState): boolean =>
  (pointer.type === PTR_TO_PACKET && end.type === PTR_TO_PACKET_END) || (pointer.type === PTR_TO_PACKET_META && isUnmovedPacket(end));

/**
 * Learns from `if (pkt op pkt_end)` in either order. The current state is the one that falls through, `other` the one that jumps.
 * False when the comparison is none of packet pointers.
 */
export function tryMatchPktPointers(env: VerifierEnv, insn: Insn, other: VerifierState): boolean {
  if (insnSrc(insn.code) !== BPF_X || insnClass(insn.code) === BPF_JMP32) return false;
  let op = insnOp(insn.code);
  if (op !== BPF_JGT && op !== BPF_JLT && op !== BPF_JGE && op !== BPF_JLE) return false;
  let regno = insn.dst;
  const dst = env.regs[insn.dst] as RegState;
  const src = env.regs[insn.src] as RegState;
  if (!isBounded(dst, src)) {
    if (!isBounded(src, dst)) return false;
    regno = insn.src;
    op = flipOp(op);
  }
  // Now it reads `pointer op end`; "inside" is the state in which pointer ≤ end (or < end).
  const insideJumps = op === BPF_JLT || op === BPF_JLE;
  const inside = insideJumps ? other : env.state;
  const outside = insideJumps ? env.state : other;
  const strictlyInside = op === BPF_JLT || op === BPF_JGE;
  const pointer = env.regs[regno] as RegState;
  findGoodPktPointers(inside, pointer, strictlyInside);
  markPktEnd(outside, regno, !strictlyInside);
  return true;
}

/** In `state` pointer ≤ end, or (strictly) pointer < end: everything of the same id may access so many bytes. */
function findGoodPktPointers(state: VerifierState, pointer: RegState, strictly: boolean): void {
  const { type, id, off } = pointer;
  if (off < 0 || (off === 0 && strictly)) return;
  const limit = BigInt(MAX_PACKET_OFF);
  if (pointer.umaxValue > limit || pointer.umaxValue + BigInt(off) > limit) return;
  const range = strictly ? off + 1 : off;
  forEachReg(state, (reg) => {
    if (reg.type === type && reg.id === id && reg.extra < range) reg.extra = range;
  });
}

/** In `state` the pointer is beyond the end, or at least at it. */
function markPktEnd(state: VerifierState, regno: number, beyond: boolean): void {
  const reg = state.regs[regno] as RegState;
  if (reg.type === PTR_TO_PACKET) reg.extra = beyond ? BEYOND_PKT_END : AT_PKT_END;
}
