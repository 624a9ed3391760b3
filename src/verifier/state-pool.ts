// Copying and recycling of states: frames come from a pool, so that exploring allocates next to nothing.
// Invariant: a released frame is referenced by no state; what is copied shares nothing mutable.
// Source: behaviour of copy_verifier_state and free_verifier_state, Linux 6.18.

import { FuncState } from './func-state.ts';
import { VerifierState } from './verifier-state.ts';

/** Frames that are free to be used again. */
export class FramePool {
  readonly #free: FuncState[] = [];

  /** A frame with any content. */
  take(): FuncState { return this.#free.pop() ?? new FuncState(); }

  /** Gives a frame back. */
  release(frame: FuncState): void { this.#free.push(frame); }

  /** Gives all frames of a state back. */
  releaseState(state: VerifierState): void {
    for (const frame of state.frames) this.release(frame);
    state.frames = [];
  }

  /** Makes `to` a copy of `from`, reusing its frames. */
  copy(to: VerifierState, from: VerifierState): void {
    while (to.frames.length > from.frames.length) this.release(to.frames.pop() as FuncState);
    for (let i = 0; i < from.frames.length; i++) {
      const frame = (to.frames[i] ??= this.take());
      frame.copyFrom(from.frames[i] as FuncState);
    }
    to.refs = from.refs.slice();
    to.jmpHistory = from.jmpHistory.slice();
    copyScalars(to, from);
  }

  /** A fresh copy of a state. */
  clone(from: VerifierState): VerifierState {
    const state = new VerifierState();
    this.copy(state, from);
    return state;
  }
}

function copyScalars(to: VerifierState, from: VerifierState): void {
  to.parent = from.parent;
  to.branches = from.branches;
  to.insnIdx = from.insnIdx;
  to.curframe = from.curframe;
  to.activeLocks = from.activeLocks;
  to.activePreemptLocks = from.activePreemptLocks;
  to.activeIrqId = from.activeIrqId;
  to.activeLockId = from.activeLockId;
  to.activeLockPtr = from.activeLockPtr;
  to.activeRcuLock = from.activeRcuLock;
  to.speculative = from.speculative;
  to.inSleepable = from.inSleepable;
  to.cleaned = from.cleaned;
  to.firstInsnIdx = from.firstInsnIdx;
  to.lastInsnIdx = from.lastInsnIdx;
  to.equalState = from.equalState;
  to.dfsDepth = from.dfsDepth;
  to.callbackUnrollDepth = from.callbackUnrollDepth;
  to.mayGotoDepth = from.mayGotoDepth;
}
