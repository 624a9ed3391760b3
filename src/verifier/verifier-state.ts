// The whole state of a path: its frames, the references it holds, and where it came from.
// Invariant: a state that is pushed or remembered shares nothing mutable with the current one; copying goes through `copyVerifierState`.
// Source: kernel `struct bpf_verifier_state`, Linux 6.18.

import type { FuncState } from './func-state.ts';
import type { RegState } from './reg-state.ts';

/** REF_TYPE_PTR: an acquired object; REF_TYPE_IRQ, REF_TYPE_LOCK, REF_TYPE_RES_LOCK …: held context. */
export const REF_TYPE_PTR = 2;
export const REF_TYPE_IRQ = 4;
export const REF_TYPE_LOCK = 8;

/** A reference that the program must release. `lockPtr` is the identity of a lock's owner (map index or BTF type). */
export interface ReferenceState { readonly type: number; readonly id: number; readonly insnIdx: number; readonly lockPtr: number }

/** Jump history: instruction, its predecessor, INSN_F_* flags, and registers linked at a conditional jump (packed, 0 none). */
export interface JmpHistoryEntry { idx: number; prevIdx: number; flags: number; linkedRegs: bigint }

/** The state of the path under examination, or a remembered one. */
export class VerifierState {
  frames: FuncState[] = [];
  parent: VerifierState | undefined = undefined;
  refs: ReferenceState[] = [];
  branches = 0;
  insnIdx = 0;
  curframe = 0;
  activeLocks = 0;
  activePreemptLocks = 0;
  activeIrqId = 0;
  activeLockId = 0;
  activeLockPtr = 0;
  activeRcuLock = false;
  speculative = false;
  inSleepable = false;
  cleaned = false;
  firstInsnIdx = 0;
  lastInsnIdx = 0;
  equalState: VerifierState | undefined = undefined;
  jmpHistory: JmpHistoryEntry[] = [];
  dfsDepth = 0;
  callbackUnrollDepth = 0;
  mayGotoDepth = 0;

  /** The frame being executed. */
  get frame(): FuncState { return this.frames[this.curframe] as FuncState; }
  /** Registers of the frame being executed. */
  get regs(): readonly RegState[] { return this.frame.regs; }
}

/** The instruction that frame `frameno` of a state is at: the call into the next frame, or the state's own. */
export const frameInsnIdx = (state: VerifierState, frameno: number): number =>
  frameno === state.curframe ? state.insnIdx : (state.frames[frameno + 1] as FuncState).callsite;
