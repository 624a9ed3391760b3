// What is being traced backwards for precision: registers and stack slots of each frame, as bit masks.
// Source: behaviour of the kernel's `struct backtrack_state`, Linux 6.18.

import { MAX_CALL_FRAMES } from '../spec/limits.ts';
import { stackMaskText } from './stack-mask.ts';

/** Registers and stack slots, frame by frame, whose precision is still to be traced. */
export class Backtrack {
  frame = 0;
  readonly regs = new Uint32Array(MAX_CALL_FRAMES);
  readonly #slotsLow = new Uint32Array(MAX_CALL_FRAMES);
  readonly #slotsHigh = new Uint32Array(MAX_CALL_FRAMES);

  get isEmpty(): boolean {
    for (let i = 0; i <= this.frame; i++) {
      if (((this.regs[i] as number) | (this.#slotsLow[i] as number) | (this.#slotsHigh[i] as number)) !== 0) return false;
    }
    return true;
  }

  reset(): void {
    this.frame = 0;
    this.regs.fill(0);
    this.#slotsLow.fill(0);
    this.#slotsHigh.fill(0);
  }

  get regMask(): number { return this.regs[this.frame] as number; }
  hasReg(regno: number, frame = this.frame): boolean { return ((this.regs[frame] as number) & (1 << regno)) !== 0; }
  setReg(regno: number, frame = this.frame): void { this.regs[frame] = (this.regs[frame] as number) | (1 << regno); }
  clearReg(regno: number, frame = this.frame): void { this.regs[frame] = (this.regs[frame] as number) & ~(1 << regno); }

  hasSlots(frame = this.frame): boolean { return ((this.#slotsLow[frame] as number) | (this.#slotsHigh[frame] as number)) !== 0; }
  hasSlot(frame: number, spi: number): boolean { return ((this.#half(spi)[frame] as number) & (1 << (spi & 31))) !== 0; }
  setSlot(frame: number, spi: number): void {
    const half = this.#half(spi);
    half[frame] = (half[frame] as number) | (1 << (spi & 31));
  }
  clearSlot(frame: number, spi: number): void {
    const half = this.#half(spi);
    half[frame] = (half[frame] as number) & ~(1 << (spi & 31));
  }

  /** "r1,r6" of a frame. */
  regText(frame = this.frame): string {
    const names: string[] = [];
    for (let regno = 0; regno < 32; regno++) if (this.hasReg(regno, frame)) names.push(`r${regno}`);
    return names.join(',');
  }

  /** "-8,-16" of a frame. */
  stackText(frame = this.frame): string {
    return stackMaskText(this.stackMask(frame));
  }

  /** Slots of a frame as a 64-bit mask. */
  stackMask(frame = this.frame): bigint { return (BigInt(this.#slotsHigh[frame] as number) << 32n) | BigInt(this.#slotsLow[frame] as number); }

  #half(spi: number): Uint32Array { return spi < 32 ? this.#slotsLow : this.#slotsHigh; }
}
