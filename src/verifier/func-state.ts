// One call frame of the verifier's state: eleven registers and a stack.
// Invariant: `regs[i]` are cursors into `regStore`, made once per FuncState; frames are pooled and reused by copying.
// Source: kernel `struct bpf_func_state`, Linux 6.18.

import { MAX_BPF_REG } from '../spec/limits.ts';
import { RegState, RegStore } from './reg-state.ts';
import { StackState } from './stack-state.ts';

/** callsite of the main program's frame. */
export const BPF_MAIN_FUNC = -1;

/** Registers, stack and circumstances of one frame. */
export class FuncState {
  readonly regStore: RegStore = new RegStore(MAX_BPF_REG);
  readonly regs: readonly RegState[] = Array.from({ length: MAX_BPF_REG }, (_, i) => new RegState(this.regStore, i));
  readonly stack: StackState = new StackState();
  /** Instruction index of the call, BPF_MAIN_FUNC for the first frame. */
  callsite = BPF_MAIN_FUNC;
  frameno = 0;
  subprogno = 0;
  inCallbackFn = false;
  inAsyncCallbackFn = false;
  inExceptionCallbackFn = false;
  /** How many entries into asynchronous callbacks led here. */
  asyncEntryCount = 0;
  /** Times the callback was simulated at this call site (depth-first unrolling). */
  callbackDepth = 0;
  /** Range that a callback may return. */
  callbackRetMin = 0;
  callbackRetMax = 0;

  /** Becomes a copy of `from`, stack included. */
  copyFrom(from: FuncState): void {
    this.regStore.copyFrom(from.regStore);
    this.stack.copyFrom(from.stack);
    this.callsite = from.callsite;
    this.frameno = from.frameno;
    this.subprogno = from.subprogno;
    this.inCallbackFn = from.inCallbackFn;
    this.inAsyncCallbackFn = from.inAsyncCallbackFn;
    this.inExceptionCallbackFn = from.inExceptionCallbackFn;
    this.asyncEntryCount = from.asyncEntryCount;
    this.callbackDepth = from.callbackDepth;
    this.callbackRetMin = from.callbackRetMin;
    this.callbackRetMax = from.callbackRetMax;
  }

  /** A fresh frame: registers cleared to NOT_INIT, no stack; `initRegs` of the caller sets fp. */
  reset(callsite: number, frameno: number, subprogno: number): void {
    for (const reg of this.regs) reg.clear();
    this.stack.clear();
    this.callsite = callsite;
    this.frameno = frameno;
    this.subprogno = subprogno;
    this.inCallbackFn = false;
    this.inAsyncCallbackFn = false;
    this.inExceptionCallbackFn = false;
    this.asyncEntryCount = 0;
    this.callbackDepth = 0;
    this.callbackRetMin = 0;
    this.callbackRetMax = 0;
  }
}
