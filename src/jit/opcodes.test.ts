// Every arithmetic, jump, load and store opcode in the JIT, on edge operands, against a meaning written in bigint from RFC 9669.

import { describe, expect, test } from 'vitest';
import { asVerified, miniKernel } from '../../tests/support/mini-kernel.ts';
import type { MiniKernel } from '../../tests/support/mini-kernel.ts';
import type { Insn } from '../insn/insn.ts';
import { CPU, createCpuArea } from '../vm/cpu-area.ts';
import { KernelMemory, toAddr } from '../vm/memory.ts';
import { jit } from './jit.ts';

const insn = (code: number, dst = 0, src = 0, off = 0, imm = 0): Insn => ({ code, dst, src, off, imm });
const EXIT = insn(0x95);
const U64 = 0xffff_ffff_ffff_ffffn;
const EDGES = [0n, 1n, 2n, 3n, 7n, 31n, 32n, 33n, 63n, 64n, 65n, 255n, 0x7fff_ffffn, 0x8000_0000n, 0xffff_ffffn, 0x1_0000_0000n, 0x1_0000_0001n,
  0x1234_5678_9abc_def0n, 0x7fff_ffff_ffff_ffffn, 0x8000_0000_0000_0000n, 0x8000_0000_0000_0001n, 0xffff_ffff_8000_0000n, U64, U64 - 1n];
const IMMS = [0, 1, 2, 7, 31, 255, 0x7fff_ffff, -0x8000_0000, -1, -2, -7];

/** A program that loads r0 and r2 from the context, runs `body` and gives r0. */
function compile(body: readonly Insn[], shared = false): { run: (dst: bigint, src: bigint) => bigint; kernel: MiniKernel } {
  const kernel = miniKernel({ shared });
  const ctx = kernel.memory.alloc(32);
  const program = jit.prepare(asVerified([insn(0x79, 0, 1, 0), insn(0x79, 2, 1, 8), ...body, EXIT]), kernel.env);
  const { view } = kernel.memory;
  return {
    kernel,
    run(dst, src) {
      view.setBigUint64(ctx, dst, true);
      view.setBigUint64(ctx + 8, src, true);
      const low = program.run(ctx);
      const result = view.getBigUint64(kernel.area + CPU.result, true);
      expect(low).toBe(Number(result & 0xffff_ffffn));
      return result;
    },
  };
}

const sx = (bits: number, v: bigint): bigint => BigInt.asIntN(bits, v);
const ux = (bits: number, v: bigint): bigint => BigInt.asUintN(bits, v);
type Meaning = (bits: number, a: bigint, b: bigint) => bigint;
const ALU: [string, number, number, Meaning][] = [
  ['add', 0x00, 0, (_, a, b) => a + b], ['sub', 0x10, 0, (_, a, b) => a - b], ['mul', 0x20, 0, (_, a, b) => a * b],
  ['div', 0x30, 0, (_, a, b) => (b === 0n ? 0n : a / b)], ['sdiv', 0x30, 1, (n, a, b) => (b === 0n ? 0n : sx(n, a) / sx(n, b))],
  ['or', 0x40, 0, (_, a, b) => a | b], ['and', 0x50, 0, (_, a, b) => a & b],
  ['lsh', 0x60, 0, (n, a, b) => a << (b % BigInt(n))], ['rsh', 0x70, 0, (n, a, b) => a >> (b % BigInt(n))],
  ['mod', 0x90, 0, (_, a, b) => (b === 0n ? a : a % b)], ['smod', 0x90, 1, (n, a, b) => (b === 0n ? a : sx(n, a) % sx(n, b))],
  ['xor', 0xa0, 0, (_, a, b) => a ^ b], ['mov', 0xb0, 0, (_, _a, b) => b], ['arsh', 0xc0, 0, (n, a, b) => sx(n, a) >> (b % BigInt(n))],
];
const WIDTHS = [[64, 0x07], [32, 0x04]] as const;

describe.each(WIDTHS)('ALU, %i bits', (bits, cls) => {
  test.each(ALU)('%s', (_name, op, off, meaning) => {
    const inRegister = compile([insn(cls | op | 0x08, 0, 2, off)]);
    const sameRegister = compile([insn(cls | op | 0x08, 0, 0, off)]);
    for (const a of EDGES) {
      expect(sameRegister.run(a, 0n)).toBe(ux(bits, meaning(bits, ux(bits, a), ux(bits, a))));
      for (const b of EDGES) expect(inRegister.run(a, b), `${a} ${b}`).toBe(ux(bits, meaning(bits, ux(bits, a), ux(bits, b))));
    }
    for (const imm of IMMS) {
      const immediate = compile([insn(cls | op, 0, 0, off, imm)]);
      for (const a of EDGES) expect(immediate.run(a, 0n), `${a} imm ${imm}`).toBe(ux(bits, meaning(bits, ux(bits, a), ux(bits, BigInt(imm)))));
    }
  });

  test('neg', () => {
    const { run } = compile([insn(cls | 0x80)]);
    for (const a of EDGES) expect(run(a, 0n)).toBe(ux(bits, -a));
  });

  test.each(bits === 64 ? [8, 16, 32] : [8, 16])('movsx from %i bits', (from) => {
    const { run } = compile([insn(cls | 0xb8, 0, 2, from)]);
    for (const b of EDGES) expect(run(0n, b)).toBe(ux(bits, sx(from, b)));
  });
});

const reversed = (bits: number, v: bigint): bigint => {
  let out = 0n;
  for (let i = 0; i < bits; i += 8) out |= ((v >> BigInt(i)) & 0xffn) << BigInt(bits - 8 - i);
  return out;
};

describe('byte order', () => {
  test.each([16, 32, 64])('%i bits', (bits) => {
    const [le, be, swap] = [0xd4, 0xdc, 0xd7].map((code) => compile([insn(code, 0, 0, 0, bits)]));
    for (const a of EDGES) {
      expect(le?.run(a, 0n)).toBe(ux(bits, a));
      expect(be?.run(a, 0n)).toBe(reversed(bits, a));
      expect(swap?.run(a, 0n)).toBe(reversed(bits, a));
    }
  });
});

const JUMPS: [string, number, (bits: number, a: bigint, b: bigint) => boolean][] = [
  ['jeq', 0x10, (_, a, b) => a === b], ['jne', 0x50, (_, a, b) => a !== b], ['jset', 0x40, (_, a, b) => (a & b) !== 0n],
  ['jgt', 0x20, (_, a, b) => a > b], ['jge', 0x30, (_, a, b) => a >= b], ['jlt', 0xa0, (_, a, b) => a < b], ['jle', 0xb0, (_, a, b) => a <= b],
  ['jsgt', 0x60, (n, a, b) => sx(n, a) > sx(n, b)], ['jsge', 0x70, (n, a, b) => sx(n, a) >= sx(n, b)],
  ['jslt', 0xc0, (n, a, b) => sx(n, a) < sx(n, b)], ['jsle', 0xd0, (n, a, b) => sx(n, a) <= sx(n, b)],
];

/** 1 when taken. */
const around = (jump: Insn): readonly Insn[] => [jump, insn(0xb7, 0, 0, 0, 0), insn(0x05, 0, 0, 1), insn(0xb7, 0, 0, 0, 1)];

describe.each([[64, 0x05], [32, 0x06]] as const)('jumps, %i bits', (bits, cls) => {
  test.each(JUMPS)('%s', (_name, op, meaning) => {
    const inRegister = compile(around(insn(cls | op | 0x08, 0, 2, 2)));
    for (const a of EDGES) for (const b of EDGES) expect(inRegister.run(a, b), `${a} ${b}`).toBe(BigInt(meaning(bits, ux(bits, a), ux(bits, b))));
    for (const imm of IMMS) {
      const immediate = compile(around(insn(cls | op, 0, 0, 2, imm)));
      for (const a of EDGES) expect(immediate.run(a, 0n)).toBe(BigInt(meaning(bits, ux(bits, a), ux(bits, BigInt(imm)))));
    }
  });
});

describe.each([false, true])('memory, shared: %s', (shared) => {
  const SIZES = [['b', 0x10, 8], ['h', 0x08, 16], ['w', 0x00, 32], ['dw', 0x18, 64]] as const;
  test.each(SIZES)('ldx, ldsx, st, stx %s', (_name, size, bits) => {
    // through r10, through a copy of it with positive and with negative offsets; -13 is unaligned
    for (const at of [-512, -16, -13]) {
      const lower = [insn(0xbf, 3, 10), insn(0x07, 3, 0, 0, at - 16)];
      const higher = [insn(0xbf, 3, 10), insn(0x07, 3, 0, 0, at + 16)];
      const forms: [readonly Insn[], number, number][] = [[[], 10, at], [lower, 3, 16], [higher, 3, -16]];
      for (const [setup, base, off] of forms) {
        const stx = compile([...setup, insn(0x63 | size, base, 2, off), insn(0x61 | size, 0, base, off)], shared);
        const clean = compile([...setup, insn(0x7b, base, 0, off), insn(0x63 | size, base, 2, off), insn(0x79, 0, base, off)], shared);
        const signed = bits < 64 ? compile([...setup, insn(0x63 | size, base, 2, off), insn(0x81 | size, 0, base, off)], shared) : undefined;
        const st = compile([...setup, insn(0x62 | size, base, 0, off, -7), insn(0x61 | size, 0, base, off)], shared);
        expect(st.run(0n, 0n)).toBe(ux(bits, -7n));
        for (const v of EDGES) {
          expect(stx.run(0n, v)).toBe(ux(bits, v));
          expect(clean.run(U64, v)).toBe((U64 ^ ux(bits, U64)) | ux(bits, v));
          if (signed !== undefined) expect(signed.run(0n, v)).toBe(ux(64, sx(bits, v)));
        }
      }
    }
  });

  const RMW: [string, number, (a: bigint, b: bigint) => bigint][] = [
    ['add', 0x00, (a, b) => a + b], ['or', 0x40, (a, b) => a | b], ['and', 0x50, (a, b) => a & b], ['xor', 0xa0, (a, b) => a ^ b],
  ];
  /** Runs an atomic on old = r0 (the dst operand) with r2; gives memory, then r2, then r0. */
  const atomic = (code: number, imm: number, at: number): ((old: bigint, src: bigint) => bigint[]) => {
    const reading = [insn(0xbf, 4, 1), insn(0x7b, 10, 0, at), insn(code, 10, 2, at, imm)];
    const programs = [insn(0x79, 0, 10, at), insn(0xbf, 0, 2), insn(0xbf, 0, 0)].map((last) => compile([...reading, last], shared));
    return (old, src) => programs.map((program) => program.run(old, src));
  };
  test.each([-8, -13])('atomics at r10%i', (at) => {
    for (const [bits, code] of [[64, 0xdb], [32, 0xc3]] as const) {
      const low = (old: bigint, v: bigint): bigint => (old & (U64 ^ ux(bits, U64))) | ux(bits, v);
      for (const [, imm, meaning] of RMW) {
        const [plain, fetch] = [atomic(code, imm, at), atomic(code, imm | 1, at)];
        for (const old of EDGES) {
          for (const src of [0n, 1n, 0x8000_0000n, 0x1234_5678_9abc_def0n, U64]) {
            const after = low(old, meaning(old, src));
            expect(plain(old, src)).toEqual([after, src, old]);
            expect(fetch(old, src)).toEqual([after, ux(bits, old), old]);
          }
        }
      }
      const [xchg, cmpxchg] = [atomic(code, 0xe1, at), atomic(code, 0xf1, at)];
      for (const old of EDGES) {
        expect(xchg(old, 0x1234_5678_9abc_def0n)).toEqual([low(old, 0x1234_5678_9abc_def0n), ux(bits, old), old]);
        expect(cmpxchg(old, 77n)).toEqual([low(old, 77n), 77n, ux(bits, old)]);
      }
      const miss = compile([insn(0x7b, 10, 0, at), insn(0xb7, 0, 0, 0, 5), insn(code, 10, 2, at, 0xf1), insn(0x79, 3, 10, at), insn(0x0f, 0, 3)], shared);
      expect(miss.run(9n, 1000n)).toBe(18n);
    }
    for (const [bits, size] of [[8, 0xd3], [16, 0xcb], [32, 0xc3], [64, 0xdb]] as const) {
      const release = compile([insn(0x7b, 10, 0, at), insn(size, 10, 2, at, 0x110), insn(0x79, 0, 10, at)], shared);
      const acquire = compile([insn(0x7b, 10, 2, at), insn(size, 0, 10, at, 0x100)], shared);
      for (const v of EDGES) {
        expect(release.run(U64, v)).toBe((U64 ^ ux(bits, U64)) | ux(bits, v));
        expect(acquire.run(U64, v)).toBe(ux(bits, v));
      }
    }
  });

});

test('memory above 2 GiB: offsets are unsigned', () => {
  const memory = new KernelMemory({ initialPages: 16 });
  memory.alloc(0x8000_0000);
  const area = createCpuArea(memory, 0);
  const ctx = memory.alloc(2 ** 20, 65536);
  expect(ctx).toBeGreaterThan(0x8000_0000);
  const env = { ...miniKernel().env, memory, cpu: new WebAssembly.Global({ value: 'i32', mutable: true }, area | 0) };
  memory.view.setBigUint64(ctx + 8, 42n, true);
  const body = [insn(0x79, 2, 1, 8), insn(0x7b, 10, 2, -8), insn(0xbf, 3, 10), insn(0x79, 0, 3, -8), insn(0x7b, 1, 1, 16), EXIT];
  expect(jit.prepare(asVerified(body), env).run(ctx)).toBe(42);
  expect(memory.view.getBigUint64(ctx + 16, true)).toBe(toAddr(ctx));
});
