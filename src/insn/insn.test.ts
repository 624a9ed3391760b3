// Decode, encode, blocks and the two dialects on random programs and on examples that a kernel developer can read.

import { assert as check, property, uint8Array } from 'fast-check';
import { describe, expect, test } from 'vitest';
import { INSN_FORMS, randomInsns } from '../../tests/fuzz/random-insn.ts';
import { Random } from '../../tests/fuzz/programs/random.ts';
import { assemble } from '../asm/assemble.ts';
import { DecodeError } from '../util/errors.ts';
import { basicBlocks, blockLeaders, blockOfSlot, insnStarts, subprogStarts } from './blocks.ts';
import { decodeInsns } from './decode.ts';
import { disasmKernel } from './disasm-kernel.ts';
import { disasmLlvm } from './disasm-llvm.ts';
import { disasmProgram, disasmText } from './disasm.ts';
import { encodeInsns } from './encode.ts';
import { jumpTarget } from './fields.ts';
import type { Insn } from './insn.ts';

const SEED = Number(process.env['FUZZ_SEED'] ?? 20_251_122);
const kernelText = (code: number, fields: Partial<Insn> = {}): string => disasmKernel({ code, dst: 1, src: 2, off: 0, imm: 0, ...fields }, undefined);
const insnsOf = (text: string): readonly Insn[] => assemble(text).insns;

describe('decode and encode', () => {
  test('any bytes of whole slots come back unchanged', () => {
    check(
      property(uint8Array({ minLength: 0, maxLength: 400 }), (bytes) => {
        const whole = bytes.subarray(0, bytes.length - (bytes.length % 8));
        expect(encodeInsns(decodeInsns(whole))).toEqual(new Uint8Array(whole));
      }),
      { seed: SEED, numRuns: 2000 },
    );
  });

  test('fields lie where RFC 9669 section 3 says', () => {
    const bytes = Uint8Array.from([0x61, 0xa3, 0xfc, 0xff, 0x78, 0x56, 0x34, 0x92]);
    expect(decodeInsns(bytes)).toEqual([{ code: 0x61, dst: 3, src: 10, off: -4, imm: 0x9234_5678 | 0 }]);
  });

  test('a partial slot is a DecodeError at its offset', () => {
    for (const length of [1, 7, 9, 23]) {
      const decode = (): unknown => decodeInsns(new Uint8Array(length));
      expect(decode).toThrow(DecodeError);
      expect(decode).toThrow(`offset ${length - (length % 8)}`);
    }
  });
});

describe('basic blocks', () => {
  test('a diamond with a call and a 64-bit load in it', () => {
    const insns = insnsOf(`
      r6 = 0x1122334455667788 ll   // 0-1
      if r1 == 0 goto else_        // 2
      call 5                       // 3: doesn't end the block
      goto done                    // 4
    else_:
      r6 = 1                       // 5
    done:
      exit                         // 6
    `);
    expect(basicBlocks(insns)).toEqual([
      { start: 0, end: 3, weight: 2, successors: [1, 2], leaves: false },
      { start: 3, end: 5, weight: 2, successors: [3], leaves: false },
      { start: 5, end: 6, weight: 1, successors: [3], leaves: false },
      { start: 6, end: 7, weight: 1, successors: [], leaves: false },
    ]);
    expect([...blockOfSlot(basicBlocks(insns), insns.length)]).toEqual([0, 0, 0, 1, 1, 2, 3]);
  });

  test('functions start blocks: called ones, and callbacks', () => {
    const insns = insnsOf(`
      call sub
      r2 = func callback ll
      exit
    sub:
      exit
    callback:
      may_goto +0
      gotol -2
    `);
    expect(subprogStarts(insns)).toEqual([0, 4, 5]);
    expect(basicBlocks(insns).map((block) => [block.start, block.successors])).toEqual([[0, []], [4, []], [5, [3]], [6, [2]]]);
  });

  test('jumps out of the program or into a 64-bit load are marked, not followed', () => {
    const outside = insnsOf('goto +7\nexit');
    expect(basicBlocks(outside)[0]).toMatchObject({ successors: [], leaves: true });
    const middle = insnsOf('goto +1\nr1 = 5 ll\nexit');
    expect(basicBlocks(middle)[0]).toMatchObject({ successors: [], leaves: true });
    expect(basicBlocks(insnsOf('r0 = 0'))[0]).toMatchObject({ leaves: true });
    expect(basicBlocks([])).toEqual([]);
  });

  test('on any slots: blocks tile the program, and jumps to instructions land on leaders', () => {
    const random = new Random(SEED);
    for (let round = 0; round < 500; round++) {
      const insns = round % 2 === 0 ? randomInsns(random, 1 + random.below(40)) : decodeInsns(random.bytes(8 * (1 + random.below(40))));
      const blocks = basicBlocks(insns);
      expect(blocks.map((block) => block.start)).toEqual([0, ...blocks.slice(0, -1).map((block) => block.end)]);
      expect(blocks.at(-1)?.end).toBe(insns.length);
      const starts = insnStarts(insns);
      expect(blocks.reduce((sum, block) => sum + block.weight, 0)).toBe(starts.reduce((sum, one) => sum + one, 0));
      const leaders = blockLeaders(insns);
      for (const [at, insn] of insns.entries()) {
        const target = starts[at] === 1 ? jumpTarget(insn, at) : undefined;
        if (target !== undefined && starts[target] === 1) expect(leaders[target]).toBe(1);
      }
    }
  });
});

describe('disassembly', () => {
  test.each([
    ['b7010000fbffffff', 'r1 = -5', 'r1 = -0x5'],
    ['bc21000000000000', 'w1 = w2', 'w1 = w2'],
    ['bf21080000000000', 'r1 = (s8)r2', 'r1 = (s8)r2'],
    ['3f21010000000000', 'r1 s/= r2', 'r1 s/= r2'],
    ['9c21010000000000', 'w1 s%= w2', 'w1 s%= w2'],
    ['c501030005000000', 'if r1 s< 0x5 goto pc+3', 'if r1 s< 0x5 goto +0x3'],
    ['16010300ffffffff', 'if w1 == 0xffffffff goto pc+3', 'if w1 == -0x1 goto +0x3'],
    ['dc01000010000000', 'r1 = be16 r1', 'r1 = be16 r1'],
    ['d701000040000000', 'r1 = bswap64 r1', 'r1 = bswap64 r1'],
    ['6121000000000000', 'r1 = *(u32 *)(r2 +0)', 'w1 = *(u32 *)(r2 + 0x0)'],
    ['79a1e8ff00000000', 'r1 = *(u64 *)(r10 -24)', 'r1 = *(u64 *)(r10 - 0x18)'],
    ['9121080000000000', 'r1 = *(s8 *)(r2 +8)', 'r1 = *(s8 *)(r2 + 0x8)'],
    ['7a0af8ff07000000', '*(u64 *)(r10 -8) = 7', '*(u64 *)(r10 - 0x8) = 0x7'],
    ['db21000000000000', 'lock *(u64 *)(r1 +0) += r2', 'lock *(u64 *)(r1 + 0x0) += r2'],
    ['db1af8ff01000000', 'r1 = atomic64_fetch_add((u64 *)(r10 -8), r1)', 'r1 = atomic_fetch_add((u64 *)(r10 - 0x8), r1)'],
    ['c32104005100 0000', 'r2 = atomic_fetch_and((u32 *)(r1 +4), r2)', 'w2 = atomic_fetch_and((u32 *)(r1 + 0x4), w2)'],
    ['db210800f1000000', 'r0 = atomic64_cmpxchg((u64 *)(r1 +8), r0, r2)', 'r0 = cmpxchg_64(r1 + 0x8, r0, r2)'],
    ['c3210800e1000000', 'r2 = atomic_xchg((u32 *)(r1 +8), r2)', 'w2 = xchg32_32(r1 + 0x8, w2)'],
    ['db21000000010000', 'r1 = load_acquire((u64 *)(r2 +0))', 'r1 = load_acquire((u64 *)(r2 + 0x0))'],
    ['d321fcff10010000', 'store_release((u8 *)(r1 -4), r2)', 'store_release((u8 *)(r1 - 0x4), w2)'],
    ['300000000c000000', 'r0 = *(u8 *)skb[12]', 'r0 = *(u8 *)skb[0xc]'],
    ['4830000000000000', 'r0 = *(u16 *)skb[r3 + 0]', 'r0 = *(u16 *)skb[r3]'],
    ['bf20010000000100', 'r0 = addr_space_cast(r2, 1, 0)', 'r0 = addr_space_cast(r2, 0x1, 0x0)'],
    ['e500010000000000', 'may_goto pc+1', 'may_goto +0x1'],
    ['06000000fdffffff', 'gotol pc-3', 'gotol -0x3'],
    ['8500000001000000', 'call bpf_map_lookup_elem#1', 'call 0x1'],
    ['85000000ffffffff', 'call unknown#-1', 'call -0x1'],
    ['8510000005000000', 'call pc+5', 'call pc+5'],
    ['8520000007000000', 'call kernel-function#7', 'call kernel-function#7'],
    ['9500000000000000', 'exit', 'exit'],
  ])('%s', (hex, kernel, llvm) => {
    const insn = decodeInsns(Uint8Array.from(hex.replace(' ', '').match(/../g) ?? [], (byte) => Number.parseInt(byte, 16)))[0] as Insn;
    expect(disasmKernel(insn, undefined)).toBe(kernel);
    expect(disasmKernel(insn, undefined, { opcodePrefix: true })).toBe(`(${hex.slice(0, 2)}) ${kernel}`);
    expect(disasmLlvm(insn, undefined)).toBe(llvm);
  });

  test('what the kernel has no words for prints as it does there', () => {
    expect(kernelText(0x00)).toBe('BUG_ld_00');
    expect(kernelText(0xe1)).toBe('BUG_ldx_e1');
    expect(kernelText(0x22)).toBe('BUG_st_22');
    expect(kernelText(0xdb, { imm: 0x33 })).toBe('BUG_db');
    expect(kernelText(0xe7)).toBe('r1 (null) 0');
    expect(kernelText(0xf5)).toBe('if r1 (null) 0x0 goto pc+0');
    expect(disasmLlvm({ code: 0xe7, dst: 1, src: 2, off: 0, imm: 0 }, undefined)).toBe('<unknown>');
  });

  test('64-bit immediates: the plain value, hidden map addresses, names from the caller', () => {
    const [insn, next] = insnsOf('r1 = map[fd:3] ll') as [Insn, Insn];
    expect(disasmKernel(insn, next, { opcodePrefix: true })).toBe('(18) r1 = 0x3');
    expect(disasmKernel(insn, next, { allowPtrLeaks: false })).toBe('r1 = 0x0');
    expect(disasmKernel(insn, next, { immName: (_insn, full) => `map[id:${full}]` })).toBe('r1 = map[id:3]');
    expect(disasmKernel({ code: 0x85, dst: 0, src: 2, off: 0, imm: 9 }, undefined, { callName: () => 'bpf_rdonly_cast' })).toBe('call bpf_rdonly_cast#9');
  });

  test('labels: lines before their instruction, jumps and calls by name', () => {
    const insns = insnsOf('call sub\nif r0 == 0 goto +1\nr0 = 1\nexit\nsub: r0 = 0\nexit');
    expect(disasmText(insns, { labels: true })).toBe(
      ['    call func_4', '    if r0 == 0x0 goto L3', '    r0 = 1', 'L3:', '    exit', 'func_4:', '    r0 = 0', '    exit', ''].join('\n'),
    );
    expect(disasmProgram(insns, { labels: true, dialect: 'llvm' })[1]?.text).toBe('if r0 == 0x0 goto +0x1 <L3>');
  });
});

describe('text and back', () => {
  const cases = (['kernel', 'llvm'] as const).flatMap((dialect) =>
    [false, true].flatMap((labels) => [false, true].map((opcodePrefix) => ({ dialect, labels, opcodePrefix, numbers: opcodePrefix }))),
  );

  test.each(cases)('random programs: dialect $dialect, labels $labels, opcodes $opcodePrefix', (options) => {
    const random = new Random(SEED);
    for (let round = 0; round < 300; round++) {
      const insns = randomInsns(random, 1 + random.below(60));
      const text = disasmText(insns, options);
      expect(assemble(text).insns, `seed ${SEED}, round ${round}\n${text}`).toEqual(insns);
    }
  });

  test.each(INSN_FORMS.map((form) => [form.name, form] as const))('%s', (_name, form) => {
    const random = new Random(SEED);
    for (let round = 0; round < 20; round++) {
      const insns = form.make(random);
      for (const dialect of ['kernel', 'llvm'] as const) {
        const text = disasmText(insns, { dialect });
        expect(assemble(text).insns, text).toEqual(insns);
      }
    }
  });
});
