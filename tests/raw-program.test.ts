// Raw programs: what runs, what is refused before it runs, and what faults while it does.

import { describe, expect, it } from 'vitest';
import { assemble } from '../src/asm/assemble.ts';
import { encodeInsns } from '../src/insn/encode.ts';
import type { FaultKind } from '../src/util/errors.ts';
import { Fault } from '../src/util/errors.ts';
import { fromHex } from '../src/util/bytes.ts';
import { interp } from '../src/interp/interp.ts';
import { jit } from '../src/jit/jit.ts';
import type { Executor } from '../src/vm/executor.ts';
import { RawMachine, runRaw } from '../src/vm/raw-program.ts';

const code = (text: string): Uint8Array => encodeInsns(assemble(text).insns);
const hex = (text: string): Uint8Array => fromHex(text) as Uint8Array;

function faultOf(run: () => unknown): FaultKind | undefined {
  try {
    run();
    return undefined;
  } catch (error) {
    if (error instanceof Fault) return error.kind;
    throw error;
  }
}

describe.each<[string, Executor]>([['interp', interp], ['jit', jit]])('raw programs, %s', (_name, engine) => {
  const run = (text: string, memory = new Uint8Array(0), fuel?: bigint) => runRaw(code(text), memory, { engine, ...(fuel === undefined ? {} : { fuel }) });

  it('gets memory in r1 and its size in r2, and gives both back', () => {
    const memory = Uint8Array.of(1, 2, 3, 4);
    const { r0, memory: after } = run('r0 = *(u8 *)(r1 +2)\n*(u8 *)(r1 +0) = 9\nr0 <<= 8\nr0 |= r2\nexit', memory);
    expect(r0).toBe(0x304n);
    expect([...after]).toEqual([9, 2, 3, 4]);
    expect([...memory]).toEqual([1, 2, 3, 4]);
  });
  it('gives r1 = 0 for no memory, all 64 bits of r0, and zeroed stack', () => {
    expect(run('r0 = r1\nexit').r0).toBe(0n);
    expect(run('r0 = -2\nexit').r0).toBe(0xffff_ffff_ffff_fffen);
    expect(run('r0 = *(u64 *)(r10 -512)\nexit').r0).toBe(0n);
  });
  it('calls functions down to the eighth frame', () => {
    const down = (depth: number) => `r1 = ${depth}\ncall f\nexit\nf:\nr0 = 0\nif r1 == 0 goto +2\nr1 -= 1\ncall f\nr0 += 1\nexit`;
    expect(run(down(6)).r0).toBe(7n);
    expect(faultOf(() => run(down(7)))).toBe('call');
  });

  it.each<[string, string, FaultKind]>([
    ['a load past the memory', 'r0 = *(u8 *)(r1 +4)\nexit', 'memory'],
    ['a wide load over the end', 'r0 = *(u32 *)(r1 +1)\nexit', 'memory'],
    ['a load before the memory', 'r0 = *(u8 *)(r1 -1)\nexit', 'memory'],
    ['a store before the stack', '*(u8 *)(r10 -4097) = 1\nr0 = 0\nexit', 'memory'],
    ['a store above the stack', '*(u8 *)(r10 +0) = 1\nr0 = 0\nexit', 'memory'],
    ['an address of another kernel', 'r1 = 0x10000\nr0 = *(u8 *)(r1 +0)\nexit', 'memory'],
    ['address 0', 'r1 = 0\nr0 = *(u64 *)(r1 +0)\nexit', 'memory'],
    ['an address that wraps', 'r1 = -1\nr0 = *(u64 *)(r1 +0)\nexit', 'memory'],
    ['an atomic outside', 'r2 = 1\nlock *(u64 *)(r1 +0) += r2\nr0 = 0\nexit', 'memory'],
    ['an endless loop', 'goto -1', 'fuel'],
    ['endless recursion', 'call f\nexit\nf:\ncall f\nexit', 'call'],
    ['a helper', 'call 1\nexit', 'call'],
    ['a tail call', 'call 12\nexit', 'call'],
    ['a jump out of the program', 'r0 = 0\ngoto +5\nexit', 'instruction'],
    ['running off the end', 'r0 = 0', 'instruction'],
    ['a packet load', 'r0 = *(u8 *)skb[0]\nexit', 'instruction'],
    ['a jump into another function', 'call f\nr0 = 0\nif r0 == 0 goto f2\nexit\nf:\nr0 = 1\nf2:\nexit', 'instruction'],
  ])('faults on %s', (_what, text, kind) => {
    expect(faultOf(() => run(text, Uint8Array.of(1, 2, 3, 4)))).toBe(kind);
  });
  it.each([
    ['an unknown opcode', 'ff00000000000000 9500000000000000'],
    ['a reserved field', 'b700000100000000 9500000000000000'],
    ['register 11', 'b70b000000000000 9500000000000000'],
    ['half a 64-bit load', '1800000000000000'],
    ['a jump into a 64-bit load', '0500010000000000 1800000000000000 0000000000000000 9500000000000000'],
    ['a map', '1811000003000000 0000000000000000 b700000000000000 9500000000000000'],
    ['no instruction at all', ''],
  ])('refuses %s', (_what, bytes) => {
    expect(faultOf(() => runRaw(hex(bytes), new Uint8Array(0), { engine }))).toBe('instruction');
  });
  it('spends fuel by the block: exactly enough passes, one less does not', () => {
    const loop = 'r0 = 0\nr0 += 1\nif r0 < 10 goto -2\nexit';
    expect(run(loop, undefined, 22n).r0).toBe(10n);
    expect(faultOf(() => run(loop, undefined, 21n))).toBe('fuel');
  });
  it('runs one program after the other on one machine, each from clean memory', () => {
    const machine = new RawMachine();
    for (let i = 0; i < 50; i++) {
      const memory = new Uint8Array(1 + (i % 7) * 100).fill(i);
      const { r0, memory: after } = machine.run(code('r0 = *(u64 *)(r10 -8)\n*(u64 *)(r10 -8) = 5\n*(u8 *)(r1 +0) = 7\nexit'), memory, { engine });
      expect(r0).toBe(0n);
      expect(after.length).toBe(memory.length);
      expect(after[0]).toBe(7);
    }
  });
});
