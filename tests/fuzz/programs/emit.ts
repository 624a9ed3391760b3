// A program under construction: instructions with jump targets by label, resolved at the end.
// Invariant: maps are named by their index in FUZZ_MAPS in an LDDW's imm (src 1 or 2); loaders put file descriptors there.

import type { Insn } from '../../../src/insn/insn.ts';
import * as op from '../../../src/spec/opcodes.ts';

/** A jump's or call's target. */
export interface Label { at: number; used: boolean }

type Pending = { readonly at: number; readonly label: Label; readonly field: 'off' | 'imm' };

/** Collects instructions; `finish` resolves labels. Names follow the kernel's macros in camelCase. */
export class Emit {
  readonly insns: Insn[] = [];
  readonly #pending: Pending[] = [];

  insn(code: number, dst = 0, src = 0, off = 0, imm = 0): void {
    this.insns.push({ code, dst, src, off, imm });
  }
  alu64Imm(operation: number, dst: number, imm: number, off = 0): void {
    this.insn(op.BPF_ALU64 | operation | op.BPF_K, dst, 0, off, imm);
  }
  alu64Reg(operation: number, dst: number, src: number, off = 0): void {
    this.insn(op.BPF_ALU64 | operation | op.BPF_X, dst, src, off);
  }
  alu32Imm(operation: number, dst: number, imm: number, off = 0): void {
    this.insn(op.BPF_ALU | operation | op.BPF_K, dst, 0, off, imm);
  }
  alu32Reg(operation: number, dst: number, src: number, off = 0): void {
    this.insn(op.BPF_ALU | operation | op.BPF_X, dst, src, off);
  }
  mov64Imm(dst: number, imm: number): void {
    this.alu64Imm(op.BPF_MOV, dst, imm);
  }
  mov64Reg(dst: number, src: number): void {
    this.alu64Reg(op.BPF_MOV, dst, src);
  }
  ldxMem(size: number, dst: number, src: number, off: number): void {
    this.insn(op.BPF_LDX | op.BPF_MEM | size, dst, src, off);
  }
  stxMem(size: number, dst: number, src: number, off: number): void {
    this.insn(op.BPF_STX | op.BPF_MEM | size, dst, src, off);
  }
  stMem(size: number, dst: number, off: number, imm: number): void {
    this.insn(op.BPF_ST | op.BPF_MEM | size, dst, 0, off, imm);
  }
  lddw(dst: number, src: number, imm: number, nextImm = 0): void {
    this.insn(op.BPF_LD | op.BPF_IMM | op.BPF_DW, dst, src, 0, imm);
    this.insn(0, 0, 0, 0, nextImm);
  }
  call(helper: number): void {
    this.insn(op.BPF_JMP | op.BPF_CALL, 0, 0, 0, helper);
  }
  exit(): void {
    this.insn(op.BPF_JMP | op.BPF_EXIT);
  }

  label(): Label {
    return { at: -1, used: false };
  }
  place(label: Label): void {
    label.at = this.insns.length;
  }
  jmpImm(operation: number, dst: number, imm: number, target: Label, jmpClass: number = op.BPF_JMP): void {
    this.#pending.push({ at: this.insns.length, label: target, field: 'off' });
    this.insn(jmpClass | operation | op.BPF_K, dst, 0, 0, imm);
  }
  jmpReg(operation: number, dst: number, src: number, target: Label, jmpClass: number = op.BPF_JMP): void {
    this.#pending.push({ at: this.insns.length, label: target, field: 'off' });
    this.insn(jmpClass | operation | op.BPF_X, dst, src);
  }
  ja(target: Label): void {
    this.#pending.push({ at: this.insns.length, label: target, field: 'off' });
    this.insn(op.BPF_JMP | op.BPF_JA);
  }
  gotol(target: Label): void {
    this.#pending.push({ at: this.insns.length, label: target, field: 'imm' });
    this.insn(op.BPF_JMP32 | op.BPF_JA);
  }
  mayGoto(target: Label): void {
    this.#pending.push({ at: this.insns.length, label: target, field: 'off' });
    this.insn(op.BPF_JMP | op.BPF_JCOND);
  }
  callLabel(target: Label): void {
    target.used = true;
    this.#pending.push({ at: this.insns.length, label: target, field: 'imm' });
    this.insn(op.BPF_JMP | op.BPF_CALL, 0, op.BPF_PSEUDO_CALL);
  }
  /** LDDW of a function's address (src 4). */
  funcAddress(dst: number, target: Label): void {
    target.used = true;
    this.#pending.push({ at: this.insns.length, label: target, field: 'imm' });
    this.lddw(dst, op.BPF_PSEUDO_FUNC, 0);
  }

  /** The instructions, jumps resolved. */
  finish(): Insn[] {
    for (const { at, label, field } of this.#pending) {
      this.insns[at] = { ...(this.insns[at] as Insn), [field]: label.at - at - 1 };
    }
    return this.insns;
  }
}
