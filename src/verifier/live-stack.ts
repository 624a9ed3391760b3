// Which stack slots may still be read, learned while paths are walked: for each chain of calls, what each instruction reads and surely writes.
// Invariant: read sets only grow, write sets only shrink; after `update` every remembered state without open branches may be queried.
// Slots are bits of a 64-bit mask, kept as two 32-bit halves.
// Source: behaviour of kernel/bpf/liveness.c, Linux 6.18.

import { insnSuccessors } from './cfg.ts';
import type { InsnAux, SubprogInfo, VerifierEnv } from './env.ts';
import type { FuncState } from './func-state.ts';
import { stackMaskText } from './stack-mask.ts';
import type { VerifierState } from './verifier-state.ts';

const MAX_FRAMES = 8;

/** Masks of one frame for each instruction of a function, two words each. */
class FrameMasks {
  readonly mayRead: Uint32Array;
  readonly mustWrite: Uint32Array;
  /** Written on every path from here on. */
  readonly mustWriteAcc: Uint32Array;
  readonly liveBefore: Uint32Array;
  constructor(insns: number) {
    this.mayRead = new Uint32Array(2 * insns);
    this.mustWrite = new Uint32Array(2 * insns);
    this.mustWriteAcc = new Uint32Array(2 * insns);
    this.liveBefore = new Uint32Array(2 * insns);
  }
}

/** A function as reached by one chain of calls. */
class FuncInstance {
  readonly subprogno: number;
  readonly start: number;
  readonly insns: number;
  /** Call sites that lead here, outermost first; empty for a function that is walked on its own. */
  readonly callsites: readonly number[];
  /** The caller's instance. */
  readonly outer: FuncInstance | undefined;
  readonly frames: (FrameMasks | undefined)[] = [];
  readonly mustWriteSet: Uint8Array;
  readonly callees = new Map<number, FuncInstance>();
  updated = false;
  mustWriteDropped = false;
  constructor(env: VerifierEnv, subprogno: number, callsite: number, outer: FuncInstance | undefined) {
    this.subprogno = subprogno;
    this.start = (env.subprogs[subprogno] as SubprogInfo).start;
    this.insns = env.subprogEnd(subprogno) - this.start;
    this.callsites = outer === undefined ? [] : [...outer.callsites, callsite];
    this.outer = outer;
    this.mustWriteSet = new Uint8Array(this.insns);
  }

  /** Frame number of this function. */
  get depth(): number { return this.callsites.length; }

  masks(frameno: number): FrameMasks { return (this.frames[frameno] ??= new FrameMasks(this.insns)); }

  isLiveBefore(insnIdx: number, frameno: number, spi: number): boolean {
    const masks = this.frames[frameno];
    if (masks === undefined) return false;
    return ((masks.liveBefore[2 * (insnIdx - this.start) + (spi >> 5)] as number) & (1 << (spi & 31))) !== 0;
  }
}

/** The stack liveness of one verification. */
export class LiveStack {
  readonly #env: VerifierEnv;
  readonly #postorder: Int32Array;
  readonly #entries = new Map<number, FuncInstance>();
  readonly #next = new Int32Array(2);
  readonly #writes = new Uint32Array(2 * MAX_FRAMES);
  #writeInsn = 0;
  #current: FuncInstance | undefined = undefined;
  readonly #query: FuncInstance[] = [];
  #queryInsn = 0;
  constructor(env: VerifierEnv, postorder: Int32Array) {
    this.#env = env;
    this.#postorder = postorder;
  }

  /** To be called whenever the current state's chain of calls changes. */
  resetCallchain(): void { this.#current = undefined; }

  /** Before an instruction is checked: forgets the writes of the previous one. */
  beginInsn(insnIdx: number): void {
    const instance = (this.#current ??= this.#instanceOf(this.#env.state, this.#env.state.curframe));
    this.#writeInsn = insnIdx;
    this.#writes.fill(0, 0, 2 * instance.depth + 2);
  }

  /** The instruction surely overwrites the whole slot. */
  markWrite(frameno: number, spi: number): void {
    const at = 2 * frameno + (spi >> 5);
    this.#writes[at] = (this.#writes[at] as number) | (1 << (spi & 31));
  }

  /** Instruction `insnIdx` of the current function may read the slot. */
  markRead(frameno: number, insnIdx: number, spi: number): void {
    const instance = (this.#current ??= this.#instanceOf(this.#env.state, this.#env.state.curframe));
    const bit = 1 << (spi & 31);
    this.#addReads(instance, frameno, insnIdx, spi < 32 ? bit : 0, spi < 32 ? 0 : bit);
  }

  /** After an instruction was checked: what it wrote this time limits what it surely writes. */
  endInsn(): void {
    if (this.#current !== undefined) this.#commit(this.#current);
  }

  /** At the end of a path or function: brings the marks of the current chain of calls up to date. */
  update(): void {
    this.resetCallchain();
    for (let frameno = this.#env.state.curframe; frameno >= 0; frameno--) {
      const instance = this.#instanceOf(this.#env.state, frameno);
      if (!instance.updated) continue;
      this.#solve(instance);
      instance.updated = false;
      instance.mustWriteDropped = false;
    }
  }

  /** Prepares `isAlive` for a state. */
  prepareQuery(state: VerifierState): void {
    this.#query.length = 0;
    for (let frameno = 0; frameno <= state.curframe; frameno++) this.#query.push(this.#instanceOf(state, frameno));
    this.#queryInsn = state.insnIdx;
  }

  /** Whether the slot may be read from the queried state on: in its function, or after the calls that lead there return. */
  isAlive(frameno: number, spi: number): boolean {
    const innermost = this.#query[this.#query.length - 1] as FuncInstance;
    if (innermost.isLiveBefore(this.#queryInsn, frameno, spi)) return true;
    for (let i = frameno; i < this.#query.length - 1; i++) {
      const callsite = innermost.callsites[i] as number;
      const again = (this.#env.aux[callsite] as InsnAux).callsCallback;
      if ((this.#query[i] as FuncInstance).isLiveBefore(again ? callsite : callsite + 1, frameno, spi)) return true;
    }
    return false;
  }

  #instanceOf(state: VerifierState, frameno: number): FuncInstance {
    const { subprogno } = state.frames[0] as FuncState;
    let instance = this.#entries.get(subprogno);
    if (instance === undefined) {
      instance = new FuncInstance(this.#env, subprogno, -1, undefined);
      this.#entries.set(subprogno, instance);
    }
    for (let i = 1; i <= frameno; i++) instance = this.#callee(instance, state.frames[i] as FuncState);
    return instance;
  }

  #callee(caller: FuncInstance, frame: FuncState): FuncInstance {
    // A call site that calls back may enter different functions: both belong to the key.
    const key = frame.callsite * 512 + frame.subprogno;
    let instance = caller.callees.get(key);
    if (instance === undefined) {
      instance = new FuncInstance(this.#env, frame.subprogno, frame.callsite, caller);
      caller.callees.set(key, instance);
    }
    return instance;
  }

  #addReads(instance: FuncInstance, frameno: number, insnIdx: number, low: number, high: number): void {
    const masks = instance.masks(frameno);
    const at = 2 * (insnIdx - instance.start);
    const { mayRead, liveBefore } = masks;
    const newLow = ((mayRead[at] as number) | low) >>> 0;
    const newHigh = ((mayRead[at + 1] as number) | high) >>> 0;
    if (newLow === mayRead[at] && newHigh === mayRead[at + 1]) return;
    mayRead[at] = newLow;
    mayRead[at + 1] = newHigh;
    if ((newLow & ~(liveBefore[at] as number)) !== 0 || (newHigh & ~(liveBefore[at + 1] as number)) !== 0) instance.updated = true;
  }

  #commit(instance: FuncInstance): void {
    const index = this.#writeInsn - instance.start;
    const seen = instance.mustWriteSet[index] === 1;
    for (let frameno = 0; frameno <= instance.depth; frameno++) {
      const low = this.#writes[2 * frameno] as number;
      const high = this.#writes[2 * frameno + 1] as number;
      if ((low | high) === 0 && (!seen || instance.frames[frameno] === undefined)) continue;
      this.#limitWrites(instance, frameno, 2 * index, seen, low, high);
    }
    instance.mustWriteSet[index] = 1;
  }

  #limitWrites(instance: FuncInstance, frameno: number, at: number, seen: boolean, low: number, high: number): void {
    const { mustWrite } = instance.masks(frameno);
    const oldLow = mustWrite[at] as number;
    const oldHigh = mustWrite[at + 1] as number;
    const newLow = seen ? (low & oldLow) >>> 0 : low;
    const newHigh = seen ? (high & oldHigh) >>> 0 : high;
    if (newLow === oldLow && newHigh === oldHigh) return;
    mustWrite[at] = newLow;
    mustWrite[at + 1] = newHigh;
    instance.updated = true;
    if ((oldLow & ~newLow) !== 0 || (oldHigh & ~newHigh) !== 0) instance.mustWriteDropped = true;
  }

  #solve(instance: FuncInstance): void {
    if (instance.mustWriteDropped) for (const masks of instance.frames) masks?.mustWriteAcc.fill(0);
    const from = (this.#env.subprogs[instance.subprogno] as SubprogInfo).postorderStart;
    const to = this.#env.subprogs[instance.subprogno + 1]?.postorderStart ?? this.#postorder.length;
    let rounds = 0;
    for (let changed = true; changed;) {
      changed = false;
      rounds++;
      for (let frameno = 0; frameno <= instance.depth; frameno++) {
        const masks = instance.frames[frameno];
        if (masks === undefined) continue;
        for (let i = from; i < to; i++) if (this.#step(instance, frameno, masks, this.#postorder[i] as number)) changed = true;
      }
    }
    if (this.#env.log.isVerbose) this.#env.log.verbose(`${chainText(instance)} live stack update done in ${rounds} iterations\n`);
    if (instance.outer !== undefined) this.#toCaller(instance, instance.outer);
  }

  #step(instance: FuncInstance, frameno: number, masks: FrameMasks, insnIdx: number): boolean {
    const count = insnSuccessors(this.#env, insnIdx, this.#next);
    if (count === 0) return false;
    const at = 2 * (insnIdx - instance.start);
    let changed = false;
    const old = [0, 0, 0, 0];
    for (let half = 0; half < 2; half++) {
      let after = 0;
      let written = 0xffff_ffff;
      for (let i = 0; i < count; i++) {
        const successor = 2 * ((this.#next[i] as number) - instance.start) + half;
        after |= masks.liveBefore[successor] as number;
        written &= masks.mustWriteAcc[successor] as number;
      }
      const mustWrite = masks.mustWrite[at + half] as number;
      written = (written | mustWrite) >>> 0;
      const before = ((after & ~mustWrite) | (masks.mayRead[at + half] as number)) >>> 0;
      old[half] = masks.liveBefore[at + half] as number;
      old[2 + half] = masks.mustWriteAcc[at + half] as number;
      if (before !== old[half] || written !== old[2 + half]) changed = true;
      masks.liveBefore[at + half] = before;
      masks.mustWriteAcc[at + half] = written;
    }
    if (changed && this.#env.log.isVerbose) this.#logStep(instance, frameno, masks, insnIdx, old);
    return changed;
  }

  #logStep(instance: FuncInstance, frameno: number, masks: FrameMasks, insnIdx: number, old: readonly number[]): void {
    const at = 2 * (insnIdx - instance.start);
    const touches = (masks.mayRead[at] as number) | (masks.mayRead[at + 1] as number) | (masks.mustWrite[at] as number) | (masks.mustWrite[at + 1] as number);
    if (touches === 0 && insnIdx !== instance.start && !(this.#env.aux[insnIdx] as InsnAux).prunePoint) return;
    const where = `${chainText(instance)} frame ${frameno} insn ${insnIdx} `;
    const log = (word: string, oldLow: number, oldHigh: number, now: Uint32Array): void => {
      const text = changeText(word, wide(oldLow, oldHigh), wide(now[at] as number, now[at + 1] as number));
      if (text !== '') this.#env.log.verbose(`${where}${text}\n`);
    };
    log('live', old[0] as number, old[1] as number, masks.liveBefore);
    log('written', old[2] as number, old[3] as number, masks.mustWriteAcc);
  }

  /** What the function reads and surely writes of its callers' frames becomes what the call instruction does. */
  #toCaller(instance: FuncInstance, outer: FuncInstance): void {
    const callsite = instance.callsites[instance.callsites.length - 1] as number;
    this.#writeInsn = callsite;
    this.#writes.fill(0, 0, 2 * outer.depth + 2);
    for (let frameno = 0; frameno < instance.depth; frameno++) {
      const masks = instance.frames[frameno];
      if (masks === undefined) continue;
      this.#writes[2 * frameno] = (this.#writes[2 * frameno] as number) | (masks.mustWriteAcc[0] as number);
      this.#writes[2 * frameno + 1] = (this.#writes[2 * frameno + 1] as number) | (masks.mustWriteAcc[1] as number);
      this.#addReads(outer, frameno, callsite, masks.liveBefore[0] as number, masks.liveBefore[1] as number);
    }
    this.#commit(outer);
  }
}

const chainText = (instance: FuncInstance): string => `(${[...instance.callsites, instance.start].join(',')})`;
const wide = (low: number, high: number): bigint => (BigInt(high) << 32n) | BigInt(low);

function changeText(word: string, old: bigint, now: bigint): string {
  const gained = now & ~old;
  const lost = old & ~now;
  return `${gained !== 0n ? `+${word} ${stackMaskText(gained)} ` : ''}${lost !== 0n ? `-${word} ${stackMaskText(lost)}` : ''}`;
}
