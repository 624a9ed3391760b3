// Random legal instructions, one form per shape that the instruction set has, and programs of them whose jumps stay inside.
// Invariant: every unused field is 0 and every used one covers its whole range, so that text and bytes must agree in all of them.
// Source: RFC 9669 section 4 and 5; uapi/linux/bpf.h of 6.18 for the forms after it.

import { fallsThrough, isBranch, isPseudoCall, isPseudoFunc } from '../../src/insn/fields.ts';
import type { Insn } from '../../src/insn/insn.ts';
import { lddwInsns } from '../../src/insn/lddw.ts';
import { __BPF_FUNC_MAX_ID } from '../../src/spec/helpers.ts';
import * as op from '../../src/spec/opcodes.ts';
import type { Random } from './programs/random.ts';

/** One shape of instruction: how it is called in failures, and a random one of it. */
export interface InsnForm { readonly name: string; readonly make: (r: Random) => readonly Insn[] }

const ALU_OPS = [
  op.BPF_ADD, op.BPF_SUB, op.BPF_MUL, op.BPF_DIV, op.BPF_OR, op.BPF_AND, op.BPF_LSH, op.BPF_RSH, op.BPF_MOD, op.BPF_XOR, op.BPF_MOV, op.BPF_ARSH,
];
const JMP_OPS = [
  op.BPF_JEQ, op.BPF_JGT, op.BPF_JGE, op.BPF_JSET, op.BPF_JNE, op.BPF_JSGT, op.BPF_JSGE, op.BPF_JLT, op.BPF_JLE, op.BPF_JSLT, op.BPF_JSLE,
];
const SIZES = [op.BPF_B, op.BPF_H, op.BPF_W, op.BPF_DW];
const FETCHABLE = [op.BPF_ADD, op.BPF_AND, op.BPF_OR, op.BPF_XOR];

const one = (code: number, fields: Partial<Omit<Insn, 'code'>>): Insn[] => [{ code, dst: 0, src: 0, off: 0, imm: 0, ...fields }];
/** `| 0`: no minus zero. */
const imm32 = (r: Random): number => r.imm() | 0;
const reg = (r: Random): number => r.below(11);
const off = (r: Random): number => r.pick([r.between(-0x8000, 0x7fff), r.between(-64, 64), -0x8000, 0x7fff, 0]);

function* aluForms(): Generator<InsnForm> {
  for (const cls of [op.BPF_ALU, op.BPF_ALU64]) {
    for (const operation of ALU_OPS) {
      const signed = operation === op.BPF_DIV || operation === op.BPF_MOD ? [0, 1] : [0];
      for (const signedOff of signed) {
        const name = `alu ${cls.toString(16)} ${operation.toString(16)} off ${signedOff}`;
        yield { name: `${name} K`, make: (r) => one(cls | operation | op.BPF_K, { dst: reg(r), imm: imm32(r), off: signedOff }) };
        yield { name: `${name} X`, make: (r) => one(cls | operation | op.BPF_X, { dst: reg(r), src: reg(r), off: signedOff }) };
      }
    }
    yield { name: `neg ${cls}`, make: (r) => one(cls | op.BPF_NEG, { dst: reg(r) }) };
    for (const bits of cls === op.BPF_ALU ? [8, 16] : [8, 16, 32]) {
      yield { name: `movsx ${cls} ${bits}`, make: (r) => one(cls | op.BPF_MOV | op.BPF_X, { dst: reg(r), src: reg(r), off: bits }) };
    }
  }
  for (const code of [op.BPF_ALU | op.BPF_TO_LE, op.BPF_ALU | op.BPF_TO_BE, op.BPF_ALU64 | op.BPF_TO_LE]) {
    yield { name: `end ${code}`, make: (r) => one(code | op.BPF_END, { dst: reg(r), imm: r.pick([16, 32, 64]) }) };
  }
  yield {
    name: 'addr_space_cast',
    make: (r) => one(op.BPF_ALU64 | op.BPF_MOV | op.BPF_X, { dst: reg(r), src: reg(r), off: op.BPF_ADDR_SPACE_CAST, imm: r.u32() | 0 }),
  };
}

function* memoryForms(): Generator<InsnForm> {
  for (const size of SIZES) {
    yield { name: `ldx ${size}`, make: (r) => one(op.BPF_LDX | op.BPF_MEM | size, { dst: reg(r), src: reg(r), off: off(r) }) };
    yield { name: `stx ${size}`, make: (r) => one(op.BPF_STX | op.BPF_MEM | size, { dst: reg(r), src: reg(r), off: off(r) }) };
    yield { name: `st ${size}`, make: (r) => one(op.BPF_ST | op.BPF_MEM | size, { dst: reg(r), off: off(r), imm: imm32(r) }) };
    for (const imm of [op.BPF_LOAD_ACQ, op.BPF_STORE_REL]) {
      yield { name: `atomic ${imm} ${size}`, make: (r) => one(op.BPF_STX | op.BPF_ATOMIC | size, { dst: reg(r), src: reg(r), off: off(r), imm }) };
    }
    if (size === op.BPF_DW) continue;
    yield { name: `ldsx ${size}`, make: (r) => one(op.BPF_LDX | op.BPF_MEMSX | size, { dst: reg(r), src: reg(r), off: off(r) }) };
    yield { name: `ld_abs ${size}`, make: (r) => one(op.BPF_LD | op.BPF_ABS | size, { imm: imm32(r) }) };
    yield { name: `ld_ind ${size}`, make: (r) => one(op.BPF_LD | op.BPF_IND | size, { src: reg(r), imm: r.pick([0, imm32(r)]) }) };
  }
  const kinds = [...FETCHABLE, ...FETCHABLE.map((kind) => kind | op.BPF_FETCH), op.BPF_XCHG, op.BPF_CMPXCHG];
  for (const size of [op.BPF_W, op.BPF_DW]) {
    for (const imm of kinds) {
      yield { name: `atomic ${imm} ${size}`, make: (r) => one(op.BPF_STX | op.BPF_ATOMIC | size, { dst: reg(r), src: reg(r), off: off(r), imm }) };
    }
  }
}

function* lddwForms(): Generator<InsnForm> {
  yield { name: 'lddw 0', make: (r) => lddwInsns(reg(r), 0, imm32(r), r.pick([0, -1, imm32(r)])) };
  for (const src of [op.BPF_PSEUDO_MAP_FD, op.BPF_PSEUDO_MAP_IDX]) {
    yield { name: `lddw ${src}`, make: (r) => lddwInsns(reg(r), src, r.below(1000), 0) };
  }
  for (const src of [op.BPF_PSEUDO_MAP_VALUE, op.BPF_PSEUDO_MAP_IDX_VALUE, op.BPF_PSEUDO_BTF_ID]) {
    yield { name: `lddw ${src}`, make: (r) => lddwInsns(reg(r), src, r.below(1000), r.u32()) };
  }
  yield { name: 'lddw func', make: (r) => lddwInsns(reg(r), op.BPF_PSEUDO_FUNC, 0, 0) };
}

function* jumpForms(): Generator<InsnForm> {
  for (const cls of [op.BPF_JMP, op.BPF_JMP32]) {
    for (const operation of JMP_OPS) {
      yield { name: `jmp ${cls} ${operation} K`, make: (r) => one(cls | operation | op.BPF_K, { dst: reg(r), imm: imm32(r), off: off(r) }) };
      yield { name: `jmp ${cls} ${operation} X`, make: (r) => one(cls | operation | op.BPF_X, { dst: reg(r), src: reg(r), off: off(r) }) };
    }
  }
  yield { name: 'goto', make: (r) => one(op.BPF_JMP | op.BPF_JA, { off: off(r) }) };
  yield { name: 'gotol', make: (r) => one(op.BPF_JMP32 | op.BPF_JA, { imm: imm32(r) }) };
  yield { name: 'may_goto', make: (r) => one(op.BPF_JMP | op.BPF_JCOND, { off: off(r) }) };
  yield { name: 'exit', make: () => one(op.BPF_JMP | op.BPF_EXIT, {}) };
  yield { name: 'call helper', make: (r) => one(op.BPF_JMP | op.BPF_CALL, { imm: r.between(1, __BPF_FUNC_MAX_ID - 1) }) };
  yield { name: 'call pseudo', make: () => one(op.BPF_JMP | op.BPF_CALL, { src: op.BPF_PSEUDO_CALL }) };
  yield { name: 'call kfunc', make: (r) => one(op.BPF_JMP | op.BPF_CALL, { src: op.BPF_PSEUDO_KFUNC_CALL, off: r.pick([0, r.below(8)]), imm: r.below(200_000) }) };
}

/** Every form, each name once. */
export const INSN_FORMS: readonly InsnForm[] = [...aluForms(), ...memoryForms(), ...lddwForms(), ...jumpForms()];

function inside(r: Random, starts: readonly number[], at: number): number {
  // The distance must fit 16 bits also in long programs.
  const near = starts.filter((slot) => Math.abs(slot - at) < 0x7000);
  return r.pick(near) - at - 1;
}

/** Moves every relative target onto the first slot of an instruction. */
function aim(insns: Insn[], starts: readonly number[], r: Random): void {
  for (const at of starts) {
    const insn = insns[at] as Insn;
    if (isPseudoCall(insn) || isPseudoFunc(insn) || insn.code === (op.BPF_JMP32 | op.BPF_JA)) insns[at] = { ...insn, imm: inside(r, starts, at) };
    else if (isBranch(insn) && insn.code !== (op.BPF_JMP | op.BPF_EXIT)) insns[at] = { ...insn, off: inside(r, starts, at) };
  }
}

/** `count` random instructions; jumps and calls lead to instructions of the program. Ends in exit. */
export function randomInsns(r: Random, count: number): Insn[] {
  const insns: Insn[] = [];
  const starts: number[] = [];
  const add = (slots: readonly Insn[]): void => {
    starts.push(insns.length);
    insns.push(...slots);
  };
  for (let i = 0; i < count; i++) add(r.pick(INSN_FORMS).make(r));
  if (insns.length === 0 || fallsThrough(insns.at(-1) as Insn)) add([{ code: op.BPF_JMP | op.BPF_EXIT, dst: 0, src: 0, off: 0, imm: 0 }]);
  aim(insns, starts, r);
  return insns;
}
