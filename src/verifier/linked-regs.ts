// Scalars of one origin (the same id): what a branch teaches about one holds for all, up to a constant that was added.
// Invariant: at most LINKED_REGS_MAX registers are followed; further ones lose their id, so that they can't be wrongly narrowed later.
// Source: behaviour of collect_linked_regs and sync_linked_regs, Linux 6.18.

import { BPF_ADD_CONST, BPF_ADD_CONST32 } from '../spec/limits.ts';
import { BPF_REG_FP } from '../spec/opcodes.ts';
import { SCALAR_VALUE } from '../spec/verifier-types.ts';
import { add32, add64 } from './alu-ranges.ts';
import { regBoundsSync, setVarOff } from './bounds.ts';
import type { InsnAux, VerifierEnv } from './env.ts';
import type { FuncState } from './func-state.ts';
import { LINKED_REGS_MAX, linkedFrameno, linkedIndex, linkedIsReg, linkedReg } from './jmp-history.ts';
import { clearScalarId, markRegKnown, zext32To64 } from './mark-reg.ts';
import { RegState } from './reg-state.ts';
import { isSpilledSlot } from './stack-state.ts';
import { tnumAdd } from './tnum.ts';
import { frameInsnIdx, type VerifierState } from './verifier-state.ts';

const originOf = (id: number): number => (id & ~BPF_ADD_CONST) >>> 0;

/** Appends to `linked` every scalar register that is still read and every spilled scalar that shares `id`, innermost frame first. */
export function collectLinkedRegs(env: VerifierEnv, id: number, linked: number[]): void {
  const { state } = env;
  const origin = originOf(id);
  for (let frameno = state.curframe; frameno >= 0; frameno--) {
    const frame = state.frames[frameno] as FuncState;
    const live = (env.aux[frameInsnIdx(state, frameno)] as InsnAux).liveRegsBefore;
    for (let regno = 0; regno < BPF_REG_FP; regno++) {
      if ((live & (1 << regno)) !== 0) collect(linked, frame.regs[regno] as RegState, origin, linkedReg(frameno, regno, true));
    }
    for (let spi = 0; spi < frame.stack.slots; spi++) {
      if (isSpilledSlot(frame.stack, spi)) collect(linked, frame.stack.spilled(spi), origin, linkedReg(frameno, spi, false));
    }
  }
}

function collect(linked: number[], reg: RegState, origin: number, entry: number): void {
  if (reg.type !== SCALAR_VALUE || originOf(reg.id) !== origin) return;
  if (linked.length < LINKED_REGS_MAX) linked.push(entry);
  else clearScalarId(reg);
}

const delta = new RegState();

/** Gives every linked register the range of `known`, shifted by the difference of the constants added to each. */
export function syncLinkedRegs(state: VerifierState, known: RegState, linked: readonly number[]): void {
  for (const entry of linked) {
    const frame = state.frames[linkedFrameno(entry)] as FuncState;
    const index = linkedIndex(entry);
    const reg = linkedIsReg(entry) ? (frame.regs[index] as RegState) : frame.stack.spilled(index);
    if (reg.type !== SCALAR_VALUE || reg === known || originOf(reg.id) !== originOf(known.id)) continue;
    if (((reg.id | known.id) & BPF_ADD_CONST) === 0 || reg.off === known.off) reg.copyFrom(known);
    else copyShifted(reg, known);
  }
}

/** reg = known + (reg.off - known.off), keeping its own offset and id. */
function copyShifted(reg: RegState, known: RegState): void {
  const { off, id } = reg;
  markRegKnown(delta, BigInt(off) - BigInt(known.off));
  reg.copyFrom(known);
  reg.off = off;
  reg.id = id;
  add32(reg, delta);
  add64(reg, delta);
  tnumAdd(reg.varValue, reg.varMask, delta.varValue, delta.varMask);
  setVarOff(reg);
  if ((known.id & BPF_ADD_CONST32) !== 0) zext32To64(reg);
  regBoundsSync(reg);
}
