// The pieces that generated programs are made of. Each starts and ends in the same state, so they can stand in any order:
//   r6 = ctx · r7, r8, r9 = scalars · fp-8 … fp-64 = eight initialised scalar slots · r0 … r5 = anything.
// Invariant: scalars never hold pointer bits, time, randomness or a CPU's number, so that results can be compared across executors and kernels.

import * as op from '../../../src/spec/opcodes.ts';
import * as fn from '../../../src/spec/helpers.ts';
import type { Emit, Label } from './emit.ts';
import { FUZZ_MAPS, mapIndex, QUEUE_MAPS, VALUE_MAPS } from './maps.ts';
import type { Random } from './random.ts';

/** Where snippets stand: the emitter, the random source, and what the surrounding program allows. */
export interface Scene {
  readonly e: Emit;
  readonly r: Random;
  /** skb program (TC or socket filter) rather than XDP. */
  readonly skb: boolean;
  readonly tc: boolean;
  /** Functions that snippets may call, filled by the generator. */
  readonly subprogs: Label[];
  readonly callbacks: Label[];
  /** In a subprogram r6 may not be the context. */
  readonly hasCtx: boolean;
}

export type Snippet = (s: Scene) => void;

export const CTX = 6;
export const SCALARS = [7, 8, 9] as const;
const KEY_OFF = -128;
const VALUE_OFF = -192;
const BUFFER_OFF = -320;
const SIZES = [op.BPF_B, op.BPF_H, op.BPF_W, op.BPF_DW] as const;
const ALU_OPS = [op.BPF_ADD, op.BPF_SUB, op.BPF_MUL, op.BPF_DIV, op.BPF_OR, op.BPF_AND, op.BPF_LSH, op.BPF_RSH, op.BPF_MOD, op.BPF_XOR, op.BPF_MOV, op.BPF_ARSH] as const;
const JUMPS = [op.BPF_JEQ, op.BPF_JGT, op.BPF_JGE, op.BPF_JSET, op.BPF_JNE, op.BPF_JSGT, op.BPF_JSGE, op.BPF_JLT, op.BPF_JLE, op.BPF_JSLT, op.BPF_JSLE] as const;

/** Maps that bpf_map_update_elem and bpf_map_delete_elem may change. */
const WRITABLE = VALUE_MAPS.filter((index) => FUZZ_MAPS[index]?.name !== 'array_ro');

const isShift = (operation: number): boolean => operation === op.BPF_LSH || operation === op.BPF_RSH || operation === op.BPF_ARSH;
const isDivision = (operation: number): boolean => operation === op.BPF_DIV || operation === op.BPF_MOD;
const scalar = (s: Scene): number => s.r.pick(SCALARS);
const slot = (s: Scene): number => -8 * s.r.between(1, 8);

/** One arithmetic instruction on scalars, 64 or 32 bits, signed variants included. */
export const alu: Snippet = (s) => {
  const operation = s.r.pick(ALU_OPS);
  const wide = s.r.chance(60);
  const signed = isDivision(operation) && s.r.chance(40) ? 1 : 0;
  const dst = scalar(s);
  if (s.r.chance(50)) {
    const off = operation === op.BPF_MOV && s.r.chance(50) ? s.r.pick(wide ? [8, 16, 32] : [8, 16]) : signed;
    if (wide) s.e.alu64Reg(operation, dst, scalar(s), off);
    else s.e.alu32Reg(operation, dst, scalar(s), off);
    return;
  }
  let imm = s.r.imm();
  if (isShift(operation)) imm = s.r.below(wide ? 64 : 32);
  if (isDivision(operation) && imm === 0) imm = 7;
  if (wide) s.e.alu64Imm(operation, dst, imm, signed);
  else s.e.alu32Imm(operation, dst, imm, signed);
};

/** Negation and byte order. */
export const unary: Snippet = (s) => {
  const dst = scalar(s);
  switch (s.r.below(4)) {
    case 0: s.e.alu64Imm(op.BPF_NEG, dst, 0); break;
    case 1: s.e.alu32Imm(op.BPF_NEG, dst, 0); break;
    case 2: s.e.insn(op.BPF_ALU | op.BPF_END | s.r.pick([op.BPF_TO_LE, op.BPF_TO_BE]), dst, 0, 0, s.r.pick([16, 32, 64])); break;
    default: s.e.insn(op.BPF_ALU64 | op.BPF_END, dst, 0, 0, s.r.pick([16, 32, 64]));
  }
};

/** A 64-bit immediate into a scalar. */
export const wideImmediate: Snippet = (s) => s.e.lddw(scalar(s), 0, s.r.u32() | 0, s.r.chance(50) ? s.r.imm() : 0);

/** Stores and loads of the scalar slots in every width. */
export const stackAccess: Snippet = (s) => {
  const size = s.r.pick(SIZES);
  const within = slot(s) + s.r.below(8 / op.sizeBytes(size) || 1) * op.sizeBytes(size);
  switch (s.r.below(4)) {
    case 0: s.e.stxMem(size, 10, scalar(s), within); break;
    case 1: s.e.stMem(size, 10, within, s.r.imm()); break;
    case 2: s.e.ldxMem(size, scalar(s), 10, within); break;
    default: s.e.insn(op.BPF_LDX | op.BPF_MEMSX | s.r.pick([op.BPF_B, op.BPF_H, op.BPF_W]), scalar(s), 10, slot(s), 0);
  }
};

/** Atomics on a stack slot or, through r1, on whatever the caller put there. */
function atomicOn(s: Scene, base: number, offset: number): void {
  const size = s.r.pick([op.BPF_W, op.BPF_DW]);
  const code = op.BPF_STX | op.BPF_ATOMIC | size;
  const arithmetic = s.r.pick([op.BPF_ADD, op.BPF_AND, op.BPF_OR, op.BPF_XOR]);
  switch (s.r.below(6)) {
    case 0: s.e.insn(code, base, scalar(s), offset, arithmetic); break;
    case 1: s.e.insn(code, base, scalar(s), offset, arithmetic | op.BPF_FETCH); break;
    case 2: s.e.insn(code, base, scalar(s), offset, op.BPF_XCHG); break;
    case 3:
      s.e.mov64Reg(0, scalar(s));
      s.e.insn(code, base, scalar(s), offset, op.BPF_CMPXCHG);
      s.e.alu64Reg(op.BPF_XOR, scalar(s), 0);
      break;
    case 4: s.e.insn(op.BPF_STX | op.BPF_ATOMIC | s.r.pick(SIZES), scalar(s), base, offset, op.BPF_LOAD_ACQ); break;
    default: s.e.insn(op.BPF_STX | op.BPF_ATOMIC | s.r.pick(SIZES), base, scalar(s), offset, op.BPF_STORE_REL);
  }
}
export const atomicOnStack: Snippet = (s) => atomicOn(s, 10, slot(s));

/** Context fields that have the same value in every kernel's test run. */
const XDP_FIELDS = [12, 16] as const;
const SKB_FIELDS = [0, 4, 8, 12, 16, 20, 24, 28, 32, 36, 40, 48, 52, 56, 60, 64] as const;
export const contextField: Snippet = (s) => {
  if (!s.hasCtx) return alu(s);
  if (!s.skb) return s.e.ldxMem(op.BPF_W, scalar(s), CTX, s.r.pick(XDP_FIELDS));
  const field = s.r.pick(SKB_FIELDS);
  const size = s.r.chance(70) ? op.BPF_W : s.r.pick([op.BPF_B, op.BPF_H]);
  if (s.r.chance(25) && field >= 48) return s.e.stxMem(op.BPF_W, CTX, scalar(s), field);
  s.e.ldxMem(size, scalar(s), CTX, field);
};

/** Packet bytes read or written behind a check against data_end. */
export const packetAccess: Snippet = (s) => {
  if (!s.hasCtx || (s.skb && !s.tc)) return legacyLoad(s);
  const [dataAt, endAt] = s.skb ? [76, 80] : [0, 4];
  const length = s.r.between(1, 40);
  const out = s.e.label();
  s.e.ldxMem(op.BPF_W, 2, CTX, dataAt as number);
  s.e.ldxMem(op.BPF_W, 3, CTX, endAt as number);
  const variable = s.r.chance(30);
  if (variable) {
    s.e.mov64Reg(4, scalar(s));
    s.e.alu64Imm(op.BPF_AND, 4, s.r.pick([7, 15, 31]));
    s.e.alu64Reg(op.BPF_ADD, 2, 4);
  }
  s.e.mov64Reg(1, 2);
  s.e.alu64Imm(op.BPF_ADD, 1, length);
  if (s.r.chance(50)) s.e.jmpReg(op.BPF_JGT, 1, 3, out);
  else s.e.jmpReg(op.BPF_JLT, 3, 1, out);
  for (let accesses = s.r.between(1, 3); accesses > 0; accesses--) {
    const sizes = SIZES.filter((size) => op.sizeBytes(size) <= length);
    const size = s.r.pick(sizes);
    const off = s.r.below(length - op.sizeBytes(size) + 1);
    if (s.r.chance(70)) s.e.ldxMem(size, scalar(s), 2, off);
    else s.e.stxMem(size, 2, scalar(s), off);
  }
  s.e.place(out);
};

/** BPF_LD_ABS and BPF_LD_IND. Out of the packet they end the program with 0. */
export function legacyLoad(s: Scene): void {
  if (!s.skb || !s.hasCtx) return alu(s);
  const size = s.r.pick([op.BPF_B, op.BPF_H, op.BPF_W]);
  const off = s.r.chance(85) ? s.r.below(48) : s.r.imm();
  if (s.r.chance(60)) {
    s.e.insn(op.BPF_LD | op.BPF_ABS | size, 0, 0, 0, off);
  } else {
    const index = scalar(s);
    s.e.alu64Imm(op.BPF_AND, index, 15);
    s.e.insn(op.BPF_LD | op.BPF_IND | size, 0, index, 0, off);
  }
  s.e.alu64Reg(op.BPF_XOR, scalar(s), 0);
}

/** Writes a key for `map` at its place on the stack: few different ones, so that look-ups hit. LPM keys start with their prefix length. */
function putKey(s: Scene, index: number): void {
  const map = FUZZ_MAPS[index];
  const isLpm = map?.name === 'lpm';
  s.e.stMem(op.BPF_W, 10, KEY_OFF, isLpm ? s.r.below(33) : s.r.below(s.r.chance(85) ? 4 : 20));
  s.e.stMem(op.BPF_W, 10, KEY_OFF + 4, isLpm ? s.r.pick([0, 0x0100_000a, 0x0200_000a]) : s.r.below(2));
}

function putValue(s: Scene): void {
  for (let at = 0; at < 32; at += 8) {
    if (s.r.chance(50)) s.e.stxMem(op.BPF_DW, 10, scalar(s), VALUE_OFF + at);
    else s.e.stMem(op.BPF_DW, 10, VALUE_OFF + at, s.r.imm());
  }
}

function keyPointer(s: Scene, register: number, offset = KEY_OFF): void {
  s.e.mov64Reg(register, 10);
  s.e.alu64Imm(op.BPF_ADD, register, offset);
}

/** Reads and writes a map value through r0, at constant and bounded variable offsets. */
function useValue(s: Scene, valueSize: number, readable: boolean, writable: boolean): void {
  for (let accesses = s.r.between(1, 3); accesses > 0; accesses--) {
    const size = s.r.pick(SIZES.filter((each) => op.sizeBytes(each) <= valueSize));
    const bytes = op.sizeBytes(size);
    const off = s.r.below(Math.floor(valueSize / bytes)) * bytes;
    if (valueSize >= 16 && s.r.chance(20)) {
      s.e.mov64Reg(1, scalar(s));
      s.e.alu64Imm(op.BPF_AND, 1, 7);
      s.e.mov64Reg(2, 0);
      s.e.alu64Reg(op.BPF_ADD, 2, 1);
      if (readable) s.e.ldxMem(op.BPF_B, scalar(s), 2, s.r.below(8));
    } else if (valueSize >= 16 && readable && writable && s.r.chance(25)) {
      atomicOn(s, 0, s.r.pick([0, 8]));
      return;
    } else if (readable && (s.r.chance(50) || !writable)) {
      s.e.ldxMem(size, scalar(s), 0, off);
    } else if (writable) {
      s.e.stxMem(size, 0, scalar(s), off);
    }
  }
}

/** Look-up, null check, use. */
export const mapLookup: Snippet = (s) => {
  const index = s.r.pick(VALUE_MAPS);
  const map = FUZZ_MAPS[index];
  const out = s.e.label();
  putKey(s, index);
  s.e.lddw(1, op.BPF_PSEUDO_MAP_FD, index);
  keyPointer(s, 2);
  if (map?.name.includes('percpu') === true && s.r.chance(20)) {
    s.e.mov64Imm(3, s.r.below(3));
    s.e.call(fn.BPF_FUNC_map_lookup_percpu_elem);
  } else {
    s.e.call(fn.BPF_FUNC_map_lookup_elem);
  }
  s.e.jmpImm(op.BPF_JEQ, 0, 0, out);
  useValue(s, map?.valueSize ?? 8, map?.name !== 'array_wo', map?.name !== 'array_ro');
  s.e.place(out);
};

/** Direct access to the value of an array with one element (LDDW with src 2), as globals are. */
export const mapDirectValue: Snippet = (s) => {
  const [name, size] = s.r.chance(15) ? (['array1', 1] as const) : (['global', 48] as const);
  s.e.lddw(0, op.BPF_PSEUDO_MAP_VALUE, mapIndex(name), size === 1 ? 0 : s.r.pick([0, 8, 16]));
  useValue(s, size, true, true);
};

export const mapUpdate: Snippet = (s) => {
  const index = s.r.pick(s.r.chance(97) ? WRITABLE : VALUE_MAPS);
  putKey(s, index);
  putValue(s);
  s.e.lddw(1, op.BPF_PSEUDO_MAP_FD, index);
  keyPointer(s, 2);
  keyPointer(s, 3, VALUE_OFF);
  s.e.mov64Imm(4, s.r.pick([0, 0, 0, 1, 2, 3, -1]));
  s.e.call(fn.BPF_FUNC_map_update_elem);
  s.e.alu64Reg(op.BPF_XOR, scalar(s), 0);
};

export const mapDelete: Snippet = (s) => {
  const index = s.r.pick(s.r.chance(97) ? WRITABLE : VALUE_MAPS);
  putKey(s, index);
  s.e.lddw(1, op.BPF_PSEUDO_MAP_FD, index);
  keyPointer(s, 2);
  s.e.call(fn.BPF_FUNC_map_delete_elem);
  s.e.alu64Reg(op.BPF_ADD, scalar(s), 0);
};

/** push, pop and peek of queue, stack and bloom filter. */
export const mapQueue: Snippet = (s) => {
  const index = s.r.pick(QUEUE_MAPS);
  const bloom = FUZZ_MAPS[index]?.name === 'bloom';
  putValue(s);
  s.e.lddw(1, op.BPF_PSEUDO_MAP_FD, index);
  keyPointer(s, 2, VALUE_OFF);
  if (s.r.chance(50)) {
    s.e.mov64Imm(3, s.r.pick([0, 0, 0, 2, 1]));
    s.e.call(fn.BPF_FUNC_map_push_elem);
    s.e.alu64Reg(op.BPF_ADD, scalar(s), 0);
  } else {
    s.e.call(bloom || s.r.chance(50) ? fn.BPF_FUNC_map_peek_elem : fn.BPF_FUNC_map_pop_elem);
    if (bloom) return;
    s.e.alu64Reg(op.BPF_ADD, scalar(s), 0);
    s.e.ldxMem(op.BPF_DW, scalar(s), 10, VALUE_OFF);
  }
};

/** A look-up in a map of maps, then in the inner map. */
export const mapInMap: Snippet = (s) => {
  const outer = mapIndex(s.r.pick(['array_of_maps', 'hash_of_maps']));
  const inner = FUZZ_MAPS[FUZZ_MAPS[outer]?.inner ?? 0];
  const out = s.e.label();
  putKey(s, outer);
  s.e.lddw(1, op.BPF_PSEUDO_MAP_FD, outer);
  keyPointer(s, 2);
  s.e.call(fn.BPF_FUNC_map_lookup_elem);
  s.e.jmpImm(op.BPF_JEQ, 0, 0, out);
  s.e.mov64Reg(1, 0);
  putKey(s, FUZZ_MAPS[outer]?.inner ?? 0);
  keyPointer(s, 2);
  s.e.call(fn.BPF_FUNC_map_lookup_elem);
  s.e.jmpImm(op.BPF_JEQ, 0, 0, out);
  useValue(s, inner?.valueSize ?? 8, true, true);
  s.e.place(out);
};

/** Reserve, fill, submit or discard; or output from the stack. */
export const ringbuf: Snippet = (s) => {
  const index = mapIndex('ringbuf');
  const size = s.r.pick([8, 16, 24, 40, 256]);
  if (s.r.chance(30)) {
    putValue(s);
    s.e.lddw(1, op.BPF_PSEUDO_MAP_FD, index);
    keyPointer(s, 2, VALUE_OFF);
    s.e.mov64Imm(3, s.r.pick([8, 16, 32]));
    s.e.mov64Imm(4, s.r.pick([0, 1, 2]));
    s.e.call(fn.BPF_FUNC_ringbuf_output);
    s.e.alu64Reg(op.BPF_ADD, scalar(s), 0);
    return;
  }
  const out = s.e.label();
  s.e.lddw(1, op.BPF_PSEUDO_MAP_FD, index);
  s.e.mov64Imm(2, size);
  s.e.mov64Imm(3, 0);
  s.e.call(fn.BPF_FUNC_ringbuf_reserve);
  s.e.jmpImm(op.BPF_JEQ, 0, 0, out);
  for (let at = 0; at < Math.min(size, 40); at += 8) s.e.stxMem(op.BPF_DW, 0, scalar(s), at);
  s.e.mov64Reg(1, 0);
  s.e.mov64Imm(2, s.r.pick([0, 1, 2]));
  s.e.call(s.r.chance(70) ? fn.BPF_FUNC_ringbuf_submit : fn.BPF_FUNC_ringbuf_discard);
  s.e.place(out);
};

/** bpf_redirect_map on the redirect maps (XDP), and bpf_tail_call. */
export const redirectOrTailCall: Snippet = (s) => {
  if (!s.hasCtx) return alu(s);
  if (!s.skb && s.r.chance(60)) {
    s.e.lddw(1, op.BPF_PSEUDO_MAP_FD, mapIndex(s.r.pick(['devmap', 'devmap_hash', 'cpumap', 'xskmap'])));
    s.e.mov64Imm(2, s.r.below(6));
    s.e.mov64Imm(3, s.r.pick([0, 1, 2, 3, 8]));
    s.e.call(fn.BPF_FUNC_redirect_map);
    s.e.alu64Reg(op.BPF_ADD, scalar(s), 0);
    return;
  }
  s.e.mov64Reg(1, CTX);
  s.e.lddw(2, op.BPF_PSEUDO_MAP_FD, mapIndex('prog_array'));
  if (s.r.chance(50)) s.e.mov64Imm(3, s.r.pick([0, 1, 2, 3, 4, -1]));
  else s.e.mov64Reg(3, scalar(s));
  s.e.call(fn.BPF_FUNC_tail_call);
};

/** A forward branch with both arms filled. */
export const branch = (body: Snippet): Snippet => (s) => {
  const otherwise = s.e.label();
  const out = s.e.label();
  const jmpClass = s.r.chance(60) ? op.BPF_JMP : op.BPF_JMP32;
  if (s.r.chance(60)) s.e.jmpImm(s.r.pick(JUMPS), scalar(s), s.r.imm(), otherwise, jmpClass);
  else s.e.jmpReg(s.r.pick(JUMPS), scalar(s), scalar(s), otherwise, jmpClass);
  body(s);
  if (s.r.chance(50)) {
    if (s.r.chance(80)) s.e.ja(out);
    else s.e.gotol(out);
    s.e.place(otherwise);
    body(s);
    s.e.place(out);
  } else {
    s.e.place(otherwise);
    s.e.place(out);
  }
};

/** A loop with a constant bound on a counter in the stack slot fp-72, or one that may_goto bounds. */
export const loop = (body: Snippet): Snippet => (s) => {
  const again = s.e.label();
  const out = s.e.label();
  const bounded = s.r.chance(70);
  s.e.stMem(op.BPF_DW, 10, -72, 0);
  s.e.place(again);
  if (!bounded) s.e.mayGoto(out);
  body(s);
  s.e.ldxMem(op.BPF_DW, 1, 10, -72);
  s.e.alu64Imm(op.BPF_ADD, 1, 1);
  s.e.stxMem(op.BPF_DW, 10, 1, -72);
  s.e.jmpImm(op.BPF_JLT, 1, s.r.between(2, 6), again);
  s.e.place(out);
};

/** A bpf-to-bpf call with scalar arguments (and the context as r1), or bpf_loop with a callback. */
export const callSubprog: Snippet = (s) => {
  if (s.r.chance(30) && s.callbacks.length > 0) {
    s.e.mov64Imm(1, s.r.between(0, 5));
    s.e.funcAddress(2, s.r.pick(s.callbacks));
    s.e.mov64Reg(3, 10);
    s.e.alu64Imm(op.BPF_ADD, 3, -64);
    s.e.mov64Imm(4, 0);
    s.e.call(fn.BPF_FUNC_loop);
    s.e.alu64Reg(op.BPF_ADD, scalar(s), 0);
    return;
  }
  if (s.subprogs.length === 0 || !s.hasCtx) return alu(s);
  s.e.mov64Reg(1, CTX);
  s.e.mov64Reg(2, scalar(s));
  s.e.mov64Reg(3, scalar(s));
  s.e.callLabel(s.r.pick(s.subprogs));
  s.e.alu64Reg(op.BPF_ADD, scalar(s), 0);
};

export { BUFFER_OFF, KEY_OFF, VALUE_OFF };
