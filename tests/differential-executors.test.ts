// The interpreter and the JIT on the same random raw programs: result, memory, and the Fault with its words must be the same (invariant I6).
// Programs are unverified: arithmetic of every kind, loads and stores that mostly hit, atomics, jumps anywhere, calls, under a fuel limit.
// DIFFERENTIAL_RUNS sets how many (default 1,500); the fuzzer (tools/fuzz.ts) runs verified programs with helpers and maps.

import { describe, expect, test } from 'vitest';
import { basicBlocks } from '../src/insn/blocks.ts';
import { encodeInsns } from '../src/insn/encode.ts';
import type { Insn } from '../src/insn/insn.ts';
import { lddwInsns } from '../src/insn/lddw.ts';
import { interp } from '../src/interp/interp.ts';
import { dominance } from '../src/jit/dominators.ts';
import { flowGraph } from '../src/jit/flow-graph.ts';
import { jit } from '../src/jit/jit.ts';
import * as op from '../src/spec/opcodes.ts';
import { toHex } from '../src/util/bytes.ts';
import { Fault } from '../src/util/errors.ts';
import type { Executor } from '../src/vm/executor.ts';
import { RawMachine } from '../src/vm/raw-program.ts';
import { Random } from './fuzz/programs/random.ts';

const RUNS = Number(process.env['DIFFERENTIAL_RUNS'] ?? 1500);
const MEMORY_BYTES = 64;
const insn = (code: number, fields: Partial<Omit<Insn, 'code'>> = {}): Insn => ({ code, dst: 0, src: 0, off: 0, imm: 0, ...fields });

const BINARY = [op.BPF_ADD, op.BPF_SUB, op.BPF_MUL, op.BPF_OR, op.BPF_AND, op.BPF_LSH, op.BPF_RSH, op.BPF_XOR, op.BPF_MOV, op.BPF_ARSH];
const JUMPS = [
  op.BPF_JEQ, op.BPF_JGT, op.BPF_JGE, op.BPF_JSET, op.BPF_JNE, op.BPF_JSGT, op.BPF_JSGE, op.BPF_JLT, op.BPF_JLE, op.BPF_JSLT, op.BPF_JSLE,
];
const SIZES = [op.BPF_B, op.BPF_H, op.BPF_W, op.BPF_DW];
const FETCHABLE = [op.BPF_ADD, op.BPF_AND, op.BPF_OR, op.BPF_XOR];

/** r0 … r8: r9 keeps the address of the memory, r10 is the frame. */
const scratch = (r: Random): number => r.below(9);
const anyReg = (r: Random): number => r.below(11);
const aluClass = (r: Random): number => r.pick([op.BPF_ALU, op.BPF_ALU64]);

function arithmetic(r: Random): Insn[] {
  const cls = aluClass(r);
  const from = r.pick([op.BPF_K, op.BPF_X]);
  const bits = cls === op.BPF_ALU ? 32 : 64;
  const division = r.chance(20);
  const operation = division ? r.pick([op.BPF_DIV, op.BPF_MOD]) : r.pick(BINARY);
  const shift = [op.BPF_LSH, op.BPF_RSH, op.BPF_ARSH].includes(operation);
  const off = division ? r.below(2) : operation === op.BPF_MOV && from === op.BPF_X ? r.pick(bits === 32 ? [0, 8, 16] : [0, 8, 16, 32]) : 0;
  const imm = shift ? r.below(bits) : division ? r.imm() || 1 : r.imm();
  return [from === op.BPF_K ? insn(cls | operation, { dst: scratch(r), off, imm }) : insn(cls | operation | from, { dst: scratch(r), src: anyReg(r), off })];
}

function unary(r: Random): Insn[] {
  const byteOrder = [op.BPF_ALU | op.BPF_END | op.BPF_TO_LE, op.BPF_ALU | op.BPF_END | op.BPF_TO_BE, op.BPF_ALU64 | op.BPF_END];
  if (r.chance(50)) return [insn(r.pick(byteOrder), { dst: scratch(r), imm: r.pick([16, 32, 64]) })];
  if (r.chance(50)) return [insn(aluClass(r) | op.BPF_NEG, { dst: scratch(r) })];
  return lddwInsns(scratch(r), 0, r.imm(), r.imm());
}

/** Mostly inside the memory or the frame; now and then beside it, or through a register that holds anything. */
function place(r: Random, size: number): { readonly base: number; readonly off: number } {
  if (r.chance(2)) return { base: anyReg(r), off: r.between(-600, 600) };
  const bytes = op.sizeBytes(size);
  const slack = r.chance(3) ? 8 : 0;
  return r.chance(50) ? { base: 9, off: r.between(-slack, MEMORY_BYTES - bytes + slack) } : { base: 10, off: r.between(-64, -bytes + slack) };
}

function memory(r: Random): Insn[] {
  const size = r.pick(SIZES);
  const { base, off } = place(r, size);
  const kind = r.below(4);
  if (kind === 0) return [insn(op.BPF_ST | op.BPF_MEM | size, { dst: base, off, imm: r.imm() })];
  if (kind === 1) return [insn(op.BPF_STX | op.BPF_MEM | size, { dst: base, src: anyReg(r), off })];
  const mode = size !== op.BPF_DW && r.chance(40) ? op.BPF_MEMSX : op.BPF_MEM;
  return [insn(op.BPF_LDX | mode | size, { dst: scratch(r), src: base, off })];
}

function atomic(r: Random): Insn[] {
  const size = r.pick([op.BPF_W, op.BPF_DW]);
  if (r.chance(25)) {
    const anySize = r.pick(SIZES);
    const { base, off } = place(r, anySize);
    const code = op.BPF_STX | op.BPF_ATOMIC | anySize;
    return [r.chance(50) ? insn(code, { dst: scratch(r), src: base, off, imm: op.BPF_LOAD_ACQ }) : insn(code, { dst: base, src: anyReg(r), off, imm: op.BPF_STORE_REL })];
  }
  const { base, off } = place(r, size);
  const imm = r.pick([r.pick(FETCHABLE), r.pick(FETCHABLE) | op.BPF_FETCH, op.BPF_XCHG, op.BPF_CMPXCHG]);
  return [insn(op.BPF_STX | op.BPF_ATOMIC | size, { dst: base, src: scratch(r), off, imm })];
}

/** A jump whose target is filled in later: `imm` or `off` counts pieces, not slots. */
interface Piece { readonly insns: readonly Insn[]; readonly jump?: number }

function jump(r: Random, at: number, count: number): Piece {
  const far = r.chance(20) ? r.between(-8, -1) : r.between(1, 6);
  const target = Math.min(Math.max(at + far, 0), count - 1);
  const kind = r.below(12);
  if (kind === 0) return { insns: [insn(op.BPF_JMP | op.BPF_JA)], jump: target };
  if (kind === 1) return { insns: [insn(op.BPF_JMP32 | op.BPF_JA)], jump: target };
  if (kind === 2) return { insns: [insn(op.BPF_JMP | op.BPF_JCOND)], jump: target };
  const code = r.pick([op.BPF_JMP, op.BPF_JMP32]) | r.pick(JUMPS);
  return r.chance(50) ? { insns: [insn(code, { dst: anyReg(r), imm: r.imm() })], jump: target } : { insns: [insn(code | op.BPF_X, { dst: anyReg(r), src: anyReg(r) })], jump: target };
}

function piece(r: Random, at: number, count: number): Piece {
  const draw = r.below(100);
  if (draw < 22) return jump(r, at, count);
  if (draw < 60) return { insns: arithmetic(r) };
  if (draw < 68) return { insns: unary(r) };
  return { insns: draw < 90 ? memory(r) : atomic(r) };
}

/** One function: r9 = r1, constants in the other registers (but for a callee's arguments), `count` pieces, exit. Calls are pointed somewhere later. */
function functionBody(r: Random, isMain: boolean, calls: boolean): Insn[] {
  const count = r.between(4, 40);
  const pieces: Piece[] = Array.from({ length: count - 1 }, (_, at) =>
    calls && r.chance(5) ? { insns: [insn(0xbf, { dst: 1, src: 9 }), insn(0x85, { src: 1 })] } : piece(r, at, count));
  pieces.push({ insns: [insn(0x95)] });
  const starts: number[] = [];
  let length = 0;
  for (const { insns } of pieces) {
    starts.push(length);
    length += insns.length;
  }
  const body = pieces.flatMap(({ insns, jump: to }, at) => {
    const [first] = insns;
    if (to === undefined || first === undefined) return insns;
    const relative = (starts[to] as number) - (starts[at] as number) - 1;
    return [first.code === (op.BPF_JMP32 | op.BPF_JA) ? { ...first, imm: relative } : { ...first, off: relative }];
  });
  const keep = [insn(0xbf, { dst: 9, src: 1 })];
  const given = isMain ? [0, 1, 2, 3, 4, 5, 6, 7, 8] : [0, 6, 7, 8];
  return [...keep, ...given.flatMap((dst) => lddwInsns(dst, 0, r.imm(), r.chance(50) ? r.imm() : 0)), ...body];
}

/** A program of one to three functions; each called one gets the memory's address in r1 (and may call further, itself too). */
function program(seed: number): Insn[] {
  const r = new Random(seed);
  const count = r.pick([1, 1, 2, 3]);
  const functions = Array.from({ length: count }, (_, index) => functionBody(r, index === 0, count > 1));
  const starts = functions.map((_, index) => functions.slice(0, index).reduce((sum, body) => sum + body.length, 0));
  return functions.flat().map((one, at) => (one.code === 0x85 ? { ...one, imm: (starts[1 + r.below(count - 1)] as number) - at - 1 } : one));
}

interface Outcome { readonly r0?: bigint; readonly memory?: string; readonly fault?: string }

function outcome(machine: RawMachine, engine: Executor, bytes: Uint8Array, memoryIn: Uint8Array): Outcome {
  try {
    const { r0, memory: after } = machine.run(bytes, memoryIn, { engine, fuel: 3000n });
    return { r0, memory: toHex(after) };
  } catch (error) {
    if (error instanceof Fault) return { fault: `${error.kind}: ${error.message}` };
    throw error;
  }
}

describe('interpreter and JIT', () => {
  test(`agree on ${RUNS} random raw programs`, () => {
    const tally = { finished: 0, fuel: 0, memory: 0, call: 0, irreducible: 0 };
    for (let seed = 1; seed <= RUNS; seed++) {
      const insns = program(seed);
      const bytes = encodeInsns(insns);
      const given = new Random(seed ^ 0x5eed).bytes(MEMORY_BYTES);
      // Machines of their own: addresses, which programs can see, are the same in both.
      const [a, b] = [interp, jit].map((engine) => outcome(new RawMachine(), engine, bytes, given));
      expect(b, `seed ${seed}\n${toHex(bytes)}`).toEqual(a);
      const kind = a?.fault?.split(':')[0] ?? 'finished';
      if (kind in tally) tally[kind as keyof typeof tally]++;
      else expect(`seed ${seed}: ${a?.fault}`).toBe('a program that starts');
      if (!dominance(flowGraph(insns, basicBlocks(insns))).reducible) tally.irreducible++;
    }
    expect(tally.finished).toBeGreaterThan(RUNS / 5);
    for (const count of [tally.fuel, tally.memory]) expect(count).toBeGreaterThan(RUNS / 200);
    if (process.env['DIFFERENTIAL_RUNS'] !== undefined) console.log(tally);
  }, 3_600_000);
});
