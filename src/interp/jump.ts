// Jumps: the JMP and JMP32 classes but for calls.
// Invariant: an offset counts slots from the next one; the 32-bit class compares the low halves.
// Source: RFC 9669 section 4.3; may_goto: kernel/bpf/verifier.c do_misc_fixups, uapi BPF_JCOND.

import {
  BPF_EXIT, BPF_JA, BPF_JCOND, BPF_JEQ, BPF_JGE, BPF_JGT, BPF_JLE, BPF_JLT, BPF_JMP, BPF_JMP32, BPF_JNE, BPF_JSET, BPF_JSGE, BPF_JSGT,
  BPF_JSLE, BPF_JSLT, BPF_K, BPF_X,
} from '../spec/opcodes.ts';
import type { Frame, Handler, Op } from './frame.ts';

/** Whether the jump is taken; both operands unsigned, of `bits` bits. */
type Condition = (dst: bigint, src: bigint, bits: number) => boolean;

const CONDITIONS: Readonly<Record<number, Condition>> = {
  [BPF_JEQ]: (dst, src) => dst === src,
  [BPF_JNE]: (dst, src) => dst !== src,
  [BPF_JGT]: (dst, src) => dst > src,
  [BPF_JGE]: (dst, src) => dst >= src,
  [BPF_JLT]: (dst, src) => dst < src,
  [BPF_JLE]: (dst, src) => dst <= src,
  [BPF_JSET]: (dst, src) => (dst & src) !== 0n,
  [BPF_JSGT]: (dst, src, bits) => BigInt.asIntN(bits, dst) > BigInt.asIntN(bits, src),
  [BPF_JSGE]: (dst, src, bits) => BigInt.asIntN(bits, dst) >= BigInt.asIntN(bits, src),
  [BPF_JSLT]: (dst, src, bits) => BigInt.asIntN(bits, dst) < BigInt.asIntN(bits, src),
  [BPF_JSLE]: (dst, src, bits) => BigInt.asIntN(bits, dst) <= BigInt.asIntN(bits, src),
};

const source = (frame: Frame, op: Op, from: number): bigint => (from === BPF_X ? frame.reg(op.src) : op.imm64);

const conditional = (taken: Condition, from: number, bits: number): Handler => (frame, op) => {
  const dst = BigInt.asUintN(bits, frame.reg(op.dst));
  if (taken(dst, BigInt.asUintN(bits, source(frame, op, from)), bits)) frame.pc += op.off;
};

/** `may_goto`: jumps once the function's budget of iterations is used up, so that any loop around it ends. */
const mayGoto: Handler = (frame, op) => {
  if (frame.mayGotoLeft === 0) frame.pc += op.off;
  else frame.mayGotoLeft--;
};

function conditionalHandlers(): [number, Handler][] {
  return Object.entries(CONDITIONS).flatMap(([op, taken]) =>
    [BPF_K, BPF_X].flatMap((from): [number, Handler][] => [
      [BPF_JMP | Number(op) | from, conditional(taken, from, 64)],
      [BPF_JMP32 | Number(op) | from, conditional(taken, from, 32)],
    ]));
}

/** Handlers of jumps and exit by opcode. */
export const JUMP_HANDLERS: readonly (readonly [number, Handler])[] = [
  ...conditionalHandlers(),
  [BPF_JMP | BPF_JA, (frame, op) => { frame.pc += op.off; }],
  [BPF_JMP32 | BPF_JA, (frame, op) => { frame.pc += op.imm; }],
  [BPF_JMP | BPF_JCOND, mayGoto],
  [BPF_JMP | BPF_EXIT, (frame) => frame.exit(frame.reg(0))],
];
