// When a path is pruned because an older state covers it, what is precise in the older state is precise on this path too.
// Source: behaviour of propagate_precision, Linux 6.18.

import { BPF_REG_FP } from '../spec/opcodes.ts';
import { SCALAR_VALUE } from '../spec/verifier-types.ts';
import { markChainPrecisionBatch } from './backtrack.ts';
import type { VerifierEnv } from './env.ts';
import type { FuncState } from './func-state.ts';
import { isSpilledSlot } from './stack-state.ts';
import type { VerifierState } from './verifier-state.ts';

/** Traces the precise scalars of `old` back from the end of `cur`'s path. Returns whether any state gained a mark. */
export function propagatePrecision(env: VerifierEnv, old: VerifierState, cur: VerifierState): boolean {
  for (let frameno = old.curframe; frameno >= 0; frameno--) {
    const names = requestFrame(env, old.frames[frameno] as FuncState, frameno);
    if (names.length > 0) env.log.verbose(env.log.isVerbose ? `frame ${frameno}: propagating ${names.join(',')}\n` : '\n');
  }
  return markChainPrecisionBatch(env, cur);
}

function requestFrame(env: VerifierEnv, frame: FuncState, frameno: number): string[] {
  const names: string[] = [];
  for (let regno = 0; regno < BPF_REG_FP; regno++) {
    const reg = frame.regs[regno];
    if (reg === undefined || reg.type !== SCALAR_VALUE || !reg.precise) continue;
    names.push(`r${regno}`);
    env.bt.setReg(regno, frameno);
  }
  for (let spi = 0; spi < frame.stack.slots; spi++) {
    if (!isSpilledSlot(frame.stack, spi)) continue;
    const reg = frame.stack.spilled(spi);
    if (reg.type !== SCALAR_VALUE || !reg.precise) continue;
    names.push(`fp${(-spi - 1) * 8}`);
    env.bt.setSlot(frameno, spi);
  }
  return names;
}
