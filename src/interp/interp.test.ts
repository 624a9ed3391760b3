// Jumps, memory, atomics, calls and fuel in the interpreter, each on a program small enough to read.

import { describe, expect, it } from 'vitest';
import { asVerified, miniKernel } from '../../tests/support/mini-kernel.ts';
import type { MiniKernel } from '../../tests/support/mini-kernel.ts';
import type { Insn } from '../insn/insn.ts';
import { ldImm64, lddwInsns } from '../insn/lddw.ts';
import type { VerifiedParts } from '../insn/verified-program.ts';
import { Fault, NotSupportedError } from '../util/errors.ts';
import { CPU, stackTop } from '../vm/cpu-area.ts';
import type { MapRuntime } from '../vm/executor.ts';
import { MAP_HEADER } from '../vm/map-header.ts';
import { KERNEL_BASE, toAddr } from '../vm/memory.ts';
import { checkingInterp } from './checking.ts';
import { interp } from './interp.ts';

const insn = (code: number, dst: number, src: number, off: number, imm: number): Insn => ({ code, dst, src, off, imm });
const EXIT = insn(0x95, 0, 0, 0, 0);
const mov = (dst: number, imm: number): Insn => insn(0xb7, dst, 0, 0, imm);

function runIn(kernel: MiniKernel, insns: readonly Insn[], ctx = 0, parts: Partial<VerifiedParts> = {}): bigint {
  const run = interp.prepare(asVerified(insns, parts), kernel.env);
  run.run(ctx);
  return kernel.memory.view.getBigUint64(kernel.area + CPU.result, true);
}
const result = (insns: readonly Insn[]): bigint => runIn(miniKernel(), insns);

/** 1 if the jump is taken, else 0. */
const taken = (jump: Insn, dst: bigint, src: bigint): bigint =>
  result([...ldImm64(2, dst), ...ldImm64(3, src), mov(0, 1), { ...jump, dst: 2, src: (jump.code & 8) === 0 ? 0 : 3, off: 1 }, mov(0, 0), EXIT]);

const M1 = 0xffff_ffff_ffff_ffffn;

describe('jumps', () => {
  /** name, opcode (register source), dst, src, taken? */
  const rows: [string, number, bigint, bigint, boolean][] = [
    ['jeq', 0x1d, M1, M1, true], ['jeq differs above bit 31', 0x1d, 1n, 0x1_0000_0001n, false],
    ['jeq32 ignores the high half', 0x1e, 1n, 0x1_0000_0001n, true],
    ['jgt is unsigned', 0x2d, M1, 1n, true], ['jgt equal', 0x2d, 1n, 1n, false], ['jgt32', 0x2e, 0x1_0000_0000n, 1n, false],
    ['jge equal', 0x3d, 1n, 1n, true], ['jge32', 0x3e, 0xffff_ffffn, 1n, true],
    ['jset', 0x4d, 6n, 8n, false], ['jset hit', 0x4d, 6n, 2n, true], ['jset32 of a high bit', 0x4e, 0x1_0000_0000n, 0x1_0000_0000n, false],
    ['jne', 0x5d, 1n, 2n, true], ['jne32', 0x5e, 1n, 0x1_0000_0001n, false],
    ['jsgt', 0x6d, 1n, M1, true], ['jsgt of a negative', 0x6d, M1, 1n, false], ['jsgt32', 0x6e, 1n, 0xffff_ffffn, true],
    ['jsge equal', 0x7d, M1, M1, true], ['jsge32', 0x7e, 0x8000_0000n, 0n, false],
    ['jlt', 0xad, 1n, M1, true], ['jlt32', 0xae, 0x1_0000_0000n, 1n, true],
    ['jle equal', 0xbd, 5n, 5n, true], ['jle32', 0xbe, 6n, 5n, false],
    ['jslt', 0xcd, M1, 0n, true], ['jslt32', 0xce, 0xffff_ffffn, 0n, true], ['jslt32 high half', 0xce, M1 << 32n, 0n, false],
    ['jsle', 0xdd, M1, M1, true], ['jsle32', 0xde, 1n, 0xffff_ffffn, false],
  ];
  it.each(rows)('%s', (_name, code, dst, src, expected) => {
    expect(taken(insn(code, 0, 0, 0, 0), dst, src)).toBe(expected ? 1n : 0n);
  });
  it('compares with a sign-extended immediate', () => {
    expect(taken(insn(0x15, 0, 0, 0, -1), M1, 0n)).toBe(1n);
    expect(taken(insn(0x15, 0, 0, 0, -1), 0xffff_ffffn, 0n)).toBe(0n);
    expect(taken(insn(0x16, 0, 0, 0, -1), 0xffff_ffffn, 0n)).toBe(1n);
    expect(taken(insn(0x25, 0, 0, 0, -1), 0xffff_ffffn, 0n)).toBe(0n);
  });
  it('goto takes off, gotol takes imm, and both go back', () => {
    expect(result([mov(0, 7), insn(0x05, 0, 0, 1, 0), mov(0, 8), EXIT])).toBe(7n);
    expect(result([mov(0, 7), insn(0x06, 0, 0, 0, 1), mov(0, 8), EXIT])).toBe(7n);
    expect(result([mov(0, 0), insn(0x07, 0, 0, 0, 1), insn(0xa5, 0, 0, -2, 10), EXIT])).toBe(10n);
  });
  it('may_goto lets 8388608 iterations pass, together over all of a function', () => {
    const one = [mov(0, 0), insn(0xe5, 0, 0, 2, 0), insn(0x07, 0, 0, 0, 1), insn(0x05, 0, 0, -3, 0), EXIT];
    expect(result(one)).toBe(8_388_608n);
    const two = [mov(0, 0), insn(0xe5, 0, 0, 3, 0), insn(0xe5, 0, 0, 2, 0), insn(0x07, 0, 0, 0, 1), insn(0x05, 0, 0, -4, 0), EXIT];
    expect(result(two)).toBe(4_194_304n);
  }, 120_000);
});

describe('loads and stores', () => {
  it.each([
    ['u8', 0x71, 0x88n], ['u16', 0x69, 0x8788n], ['u32', 0x61, 0x8586_8788n], ['u64', 0x79, 0x8182_8384_8586_8788n],
    ['s8', 0x91, 0xffff_ffff_ffff_ff88n], ['s16', 0x89, 0xffff_ffff_ffff_8788n], ['s32', 0x81, 0xffff_ffff_8586_8788n],
  ])('ldx %s', (_name, code, expected) => {
    expect(result([...ldImm64(1, 0x8182_8384_8586_8788n), insn(0x7b, 10, 1, -8, 0), insn(code, 0, 10, -8, 0), EXIT])).toBe(expected);
  });
  it.each([
    ['u8', 0x72, 0xffff_ffff_ffff_ff85n], ['u16', 0x6a, 0xffff_ffff_ffff_f685n], ['u32', 0x62, 0xffff_ffff_8004_f685n], ['u64', 0x7a, 0xffff_ffff_8004_f685n],
  ])('st %s', (_name, code, expected) => {
    expect(result([insn(0x7a, 10, 0, -8, -1), insn(code, 10, 0, -8, -2147158395), insn(0x79, 0, 10, -8, 0), EXIT])).toBe(expected);
  });
  it('stx truncates, unaligned works', () => {
    expect(result([...ldImm64(1, 0x1122_3344_5566_7788n), insn(0x63, 10, 1, -7, 0), insn(0x79, 0, 10, -8, 0), EXIT])).toBe(0x55_6677_8800n);
  });
  it('reads zero from stack that was never written, again on a second run', () => {
    const kernel = miniKernel();
    const prog = [insn(0x79, 0, 10, -16, 0), insn(0x7a, 10, 0, -16, 5), EXIT];
    expect(runIn(kernel, prog)).toBe(0n);
    expect(runIn(kernel, prog)).toBe(0n);
  });
  it('a probe load reads 0 from addresses that are none', () => {
    for (const bad of [0n, 8n, KERNEL_BASE, KERNEL_BASE | 0xffffn, KERNEL_BASE | 0xffff_fffen, 0xffff_8881_0001_0000n, M1]) {
      const prog = [...ldImm64(1, bad), mov(0, 7), insn(0x79, 0, 1, 0, 0), EXIT];
      expect(runIn(miniKernel(), prog, 0, { facts: prog.map((_, at) => (at === 3 ? { probe: true } : {})) })).toBe(0n);
    }
    const good = [insn(0x7a, 10, 0, -8, 9), insn(0x79, 0, 10, -8, 0), EXIT];
    expect(runIn(miniKernel(), good, 0, { facts: [{}, { probe: true }, {}] })).toBe(9n);
  });
  it('loads 64-bit constants, map and value addresses', () => {
    expect(result([...ldImm64(0, 0xfedc_ba98_7654_3210n), EXIT])).toBe(0xfedc_ba98_7654_3210n);
    const kernel = miniKernel();
    kernel.maps.push({ id: 1, header: 0x20000, mapType: 2, valuesOffset: 0x20100, ops: {} as MapRuntime['ops'] });
    expect(runIn(kernel, [...lddwInsns(0, 1, 0, 0), EXIT])).toBe(toAddr(0x20000));
    expect(runIn(kernel, [...lddwInsns(0, 2, 0, 24), EXIT])).toBe(toAddr(0x20118));
  });
});

describe('atomics', () => {
  const OLD = 0x1111_1111_2222_2222n;
  const SRC = 0x0f0f_0f0f_3333_3333n;
  /** [memory, r1, r0] after `op` on [r10 - 8] = OLD with r1 = SRC, r0 as given. */
  function atomic(code: number, imm: number, r0 = 0n, shared = false): bigint[] {
    const kernel = miniKernel({ shared });
    const out = kernel.memory.alloc(24);
    runIn(kernel, [
      ...ldImm64(6, toAddr(out)), ...ldImm64(2, OLD), insn(0x7b, 10, 2, -8, 0), ...ldImm64(0, r0), ...ldImm64(1, SRC), insn(code, 10, 1, -8, imm),
      insn(0x79, 2, 10, -8, 0), insn(0x7b, 6, 2, 0, 0), insn(0x7b, 6, 1, 8, 0), insn(0x7b, 6, 0, 16, 0), EXIT,
    ]);
    return [0, 8, 16].map((at) => kernel.memory.view.getBigUint64(out + at, true));
  }
  const rows: [string, number, number, bigint, bigint, bigint][] = [
    ['add64', 0xdb, 0x00, OLD + SRC, SRC, 0n], ['add64 fetch', 0xdb, 0x01, OLD + SRC, OLD, 0n],
    ['or64', 0xdb, 0x40, OLD | SRC, SRC, 0n], ['or64 fetch', 0xdb, 0x41, OLD | SRC, OLD, 0n],
    ['and64', 0xdb, 0x50, OLD & SRC, SRC, 0n], ['and64 fetch', 0xdb, 0x51, OLD & SRC, OLD, 0n],
    ['xor64', 0xdb, 0xa0, OLD ^ SRC, SRC, 0n], ['xor64 fetch', 0xdb, 0xa1, OLD ^ SRC, OLD, 0n],
    ['xchg64', 0xdb, 0xe1, SRC, OLD, 0n],
    ['add32', 0xc3, 0x00, 0x1111_1111_5555_5555n, SRC, 0n], ['add32 fetch', 0xc3, 0x01, 0x1111_1111_5555_5555n, 0x2222_2222n, 0n],
    ['or32 fetch', 0xc3, 0x41, 0x1111_1111_3333_3333n, 0x2222_2222n, 0n], ['and32 fetch', 0xc3, 0x51, 0x1111_1111_2222_2222n, 0x2222_2222n, 0n],
    ['xor32', 0xc3, 0xa0, 0x1111_1111_1111_1111n, SRC, 0n], ['xchg32', 0xc3, 0xe1, 0x1111_1111_3333_3333n, 0x2222_2222n, 0n],
  ];
  it.each(rows)('%s', (_name, code, imm, memory, r1, r0) => {
    expect(atomic(code, imm)).toEqual([memory, r1, r0]);
    expect(atomic(code, imm, 0n, true)).toEqual([memory, r1, r0]);
  });
  it('cmpxchg stores on a match and always gives the old value in r0', () => {
    expect(atomic(0xdb, 0xf1, OLD)).toEqual([SRC, SRC, OLD]);
    expect(atomic(0xdb, 0xf1, OLD + 1n)).toEqual([OLD, SRC, OLD]);
    expect(atomic(0xc3, 0xf1, 0x7777_7777_2222_2222n)).toEqual([0x1111_1111_3333_3333n, SRC, 0x2222_2222n]);
    expect(atomic(0xc3, 0xf1, 0n, true)).toEqual([OLD, SRC, 0x2222_2222n]);
  });
  it.each([[0xd3, 0x33n, 0xffn], [0xcb, 0x3333n, 0xffffn], [0xc3, 0x3333_3333n, 0xffff_ffffn], [0xdb, SRC, M1]])(
    'store_release and load_acquire, opcode %i', (code, low, mask) => {
      expect(atomic(code, 0x110)).toEqual([(OLD & ~mask) | low, SRC, 0n]);
      const loaded = result([...ldImm64(2, OLD), insn(0x7b, 10, 2, -8, 0), insn(code, 0, 10, -8, 0x100), EXIT]);
      expect(loaded).toBe(OLD & mask);
    });
});

describe('calls', () => {
  it('bpf-to-bpf: arguments in, r0 out, r6 kept, a frame of its own', () => {
    // main: r6 = 5; [r10-8] = 1; r0 = f(3); r0 += r6; r0 += [r10-8]      f: r6 = 100; [r10-8] = 50; r0 = r1 * 2
    expect(result([
      mov(6, 5), insn(0x7a, 10, 0, -8, 1), mov(1, 3), insn(0x85, 0, 1, 0, 4), insn(0x0f, 0, 6, 0, 0), insn(0x79, 1, 10, -8, 0), insn(0x0f, 0, 1, 0, 0), EXIT,
      mov(6, 100), insn(0x7a, 10, 0, -8, 50), insn(0xbf, 0, 1, 0, 0), insn(0x27, 0, 0, 0, 2), EXIT,
    ])).toBe(12n);
  });
  it('deeper frames lie 512 bytes lower', () => {
    expect(result([insn(0xbf, 1, 10, 0, 0), insn(0x85, 0, 1, 0, 1), EXIT, insn(0xbf, 0, 1, 0, 0), insn(0x1f, 0, 10, 0, 0), EXIT])).toBe(512n);
  });
  it('helpers: each kind of argument and result', () => {
    const seen: unknown[] = [];
    const add = (id: number, kind: 'ptr' | 'u32' | 's32' | 'u64' | 'void', value: number | bigint | undefined) =>
      [id, { name: `h${id}`, args: ['ptr', 'u32', 's32', 'u64'], result: kind, call: (_host: unknown, ...args: unknown[]) => { seen.push(args); return value; } }] as const;
    const call = (id: number): bigint => {
      const helpers = [add(901, 'ptr', 0x10010), add(902, 'u32', -1), add(903, 's32', -1), add(904, 'u64', -1n), add(905, 'void', undefined), add(906, 'ptr', 0)];
      const args = [...ldImm64(1, toAddr(0x12340)), ...ldImm64(2, M1), ...ldImm64(3, 0xffff_fffen), ...ldImm64(4, M1)];
      return runIn(miniKernel({ helpers: helpers as never }), [...args, insn(0x85, 0, 0, 0, id), EXIT]);
    };
    expect(call(901)).toBe(toAddr(0x10010));
    expect(call(902)).toBe(0xffff_ffffn);
    expect(call(903)).toBe(M1);
    expect(call(904)).toBe(M1);
    expect(call(905)).toBe(0n);
    expect(call(906)).toBe(0n);
    expect(seen[0]).toEqual([0x12340, 0xffff_ffff, -2, M1]);
  });
  it('names a helper or kernel function that it cannot call', () => {
    const prepare = (op: Insn) => () => interp.prepare(asVerified([op, EXIT]), miniKernel().env);
    expect(prepare(insn(0x85, 0, 0, 0, 1))).toThrow('not supported yet: helper bpf_map_lookup_elem');
    expect(prepare(insn(0x85, 0, 2, 0, 77))).toThrow(NotSupportedError);
  });
  it('calls back through the table, below the frame of the caller', () => {
    const helper = {
      name: 'twice', args: ['ptr'] as const, result: 'u64' as const, callsBack: true,
      call: (host: MiniKernel['host'], slot: number) => host.callBack(slot, 1n, 0n, 0n, 0n, 0n) + host.callBack(slot, 2n, 0n, 0n, 0n, 0n) * 1000n,
    };
    const kernel = miniKernel({ helpers: [[900, helper as never]] });
    // callback(x): [r10-8] = x (which must not touch the caller's), return x + 10
    const got = runIn(kernel, [
      insn(0x7a, 10, 0, -8, 77), ...lddwInsns(1, 4, 5, 0), insn(0x85, 0, 0, 0, 900), insn(0x79, 1, 10, -8, 0), insn(0x0f, 0, 1, 0, 0), EXIT,
      insn(0x7b, 10, 1, -8, 0), insn(0xbf, 0, 1, 0, 0), insn(0x07, 0, 0, 0, 10), EXIT,
    ]);
    expect(got).toBe(11n + 12_000n + 77n);
    expect(kernel.memory.view.getUint32(kernel.area + CPU.framePointer, true)).toBe(stackTop(kernel.area));
  });
});

describe('tail calls', () => {
  function withProgArray(kernel: MiniKernel, entries: number): { header: number; set: (index: number, slot: number) => void } {
    const header = kernel.memory.alloc(MAP_HEADER.sizeBytes);
    const data = kernel.memory.alloc(4 * entries);
    kernel.memory.view.setUint32(header + MAP_HEADER.maxEntries, entries, true);
    kernel.memory.view.setUint32(header + MAP_HEADER.data, data, true);
    kernel.maps.push({ id: 7, header, mapType: 3, valuesOffset: undefined, ops: {} as MapRuntime['ops'] });
    return { header, set: (index, slot) => kernel.memory.view.setUint32(data + 4 * index, slot, true) };
  }
  /** r6 = ctx; for each index in turn, tail call; then r0 = 99. */
  const caller = (index: number): Insn[] => [insn(0xbf, 6, 1, 0, 0), ...lddwInsns(2, 1, 0, 0), mov(3, index), insn(0x85, 0, 0, 0, 12), mov(0, 99), EXIT];

  it('enters the other program with the context, and its result is the result', () => {
    const kernel = miniKernel();
    const array = withProgArray(kernel, 2);
    const ctx = kernel.memory.alloc(8);
    kernel.memory.view.setUint32(ctx, 41, true);
    const target = interp.prepare(asVerified([insn(0x61, 0, 1, 0, 0), insn(0x07, 0, 0, 0, 1), EXIT]), kernel.env);
    array.set(1, target.entrySlot);
    expect(runIn(kernel, caller(1), ctx)).toBe(42n);
    expect(kernel.memory.view.getUint32(kernel.area + CPU.tailCalls, true)).toBe(1);
  });
  it('goes on when the element is empty or the index too big, without counting', () => {
    const kernel = miniKernel();
    withProgArray(kernel, 2);
    for (const index of [0, 1, 2, -1]) expect(runIn(kernel, caller(index))).toBe(99n);
    expect(kernel.memory.view.getUint32(kernel.area + CPU.tailCalls, true)).toBe(0);
  });
  it('stops after 33', () => {
    const kernel = miniKernel();
    const array = withProgArray(kernel, 1);
    const counter = kernel.memory.alloc(8);
    const self = [insn(0xbf, 6, 1, 0, 0), insn(0x61, 0, 1, 0, 0), insn(0x07, 0, 0, 0, 1), insn(0x63, 1, 0, 0, 0), ...caller(0).slice(1)];
    const program = interp.prepare(asVerified(self), kernel.env);
    array.set(0, program.entrySlot);
    expect(program.run(counter)).toBe(99);
    expect(kernel.memory.view.getUint32(counter, true)).toBe(34);
    expect(program.run(counter)).toBe(99);
    expect(kernel.memory.view.getUint32(counter, true)).toBe(68);
  });
});

describe('fuel', () => {
  const loop = [mov(0, 0), insn(0x07, 0, 0, 0, 1), insn(0xa5, 0, 0, -2, 10), EXIT];
  it('is charged by basic blocks: 1 + 10 × 2 + 1', () => {
    const kernel = miniKernel({ fuel: 22n });
    expect(runIn(kernel, loop)).toBe(10n);
    expect(kernel.memory.view.getBigInt64(kernel.area + CPU.fuel, true)).toBe(0n);
  });
  it('one less is a Fault, and the cell keeps the debt', () => {
    const kernel = miniKernel({ fuel: 21n });
    expect(() => runIn(kernel, loop)).toThrow(Fault);
    expect(kernel.memory.view.getBigInt64(kernel.area + CPU.fuel, true)).toBe(-1n);
  });
});

describe('the checking interpreter', () => {
  const kernel = miniKernel();
  const buffer = kernel.memory.alloc(64);
  const mayAccess = (offset: number, size: number, write: boolean): boolean => !write && offset >= buffer && offset + size <= buffer + 64;
  const check = (insns: readonly Insn[]) => (): number => checkingInterp(mayAccess).prepare(asVerified(insns), kernel.env).run(buffer);

  it('lets stack and named regions pass', () => {
    expect(check([insn(0x79, 0, 1, 56, 0), insn(0x7b, 10, 0, -512, 0), EXIT])()).toBe(0);
  });
  it.each([
    ['past the region', insn(0x79, 0, 1, 57, 0)], ['a store where only loads are', insn(0x7b, 1, 10, 0, 0)],
    ['above the first frame', insn(0x79, 0, 10, 0, 0)], ['below the frame', insn(0x79, 0, 10, -513, 0)],
  ])('faults %s', (_name, op) => {
    expect(check([op, mov(0, 0), EXIT])).toThrow(Fault);
  });
});

describe('fuel beyond 32 bits', () => {
  it.each<[bigint, bigint]>([[0x1_0000_0000n, 0xffff_fffen], [0x5_0000_0001n, 0x4_ffff_ffffn], [2n, 0n]])('%i less 2', (fuel, left) => {
    const kernel = miniKernel({ fuel });
    runIn(kernel, [mov(0, 0), EXIT]);
    expect(kernel.memory.view.getBigInt64(kernel.area + CPU.fuel, true)).toBe(left);
  });
  it.each<[bigint, bigint]>([[1n, -1n], [-5n, -7n]])('%i less 2 is a Fault', (fuel, left) => {
    const kernel = miniKernel({ fuel });
    expect(() => runIn(kernel, [mov(0, 0), EXIT])).toThrow(Fault);
    expect(kernel.memory.view.getBigInt64(kernel.area + CPU.fuel, true)).toBe(left);
  });
});
