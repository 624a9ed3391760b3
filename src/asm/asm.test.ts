// The assembler: both dialects, labels, directives, and complaints at the right place; the builder gives the same slots as the text.

import { describe, expect, test } from 'vitest';
import { fuzzAsm, fuzzInsns } from '../../tests/fuzz/asm.ts';
import { disasmText } from '../insn/disasm.ts';
import { encodeInsns } from '../insn/encode.ts';
import { BPF_ADD, BPF_DIV, BPF_DW, BPF_FETCH, BPF_JEQ, BPF_JNE, BPF_REG_0, BPF_REG_1, BPF_REG_2, BPF_REG_10, BPF_TO_BE, BPF_W } from '../spec/opcodes.ts';
import { BPF_FUNC_map_lookup_elem } from '../spec/helpers.ts';
import { toHex } from '../util/bytes.ts';
import { AsmError } from '../util/errors.ts';
import { assemble, MAX_DIAGNOSTICS } from './assemble.ts';
import type { AsmOptions } from './assemble.ts';
import * as b from './builder.ts';

const hex = (text: string, options: AsmOptions = {}): string => toHex(encodeInsns(assemble(text, options).insns));

/** The complaints as "line:column: message" lines; fails when there are none. */
function complaints(text: string, options: AsmOptions = {}): string[] {
  try {
    assemble(text, options);
  } catch (error) {
    if (error instanceof AsmError) return error.message.split('\n');
    throw error;
  }
  return expect.fail(`accepted: ${text}`);
}

describe('one grammar for both dialects', () => {
  test.each([
    ['r1 = *(u32 *)(r2 +4)', 'r1 = *(u32 *)(r2 + 0x4)'],
    ['r1 = *(u32 *)(r2 +4)', 'w1 = *(u32 *)(r2 + 0x4)'],
    ['*(u64 *)(r10 -24) = r1', '*(u64*)(r10 - 0x18) = r1'],
    ['if r1 > 0xfffffffb goto pc+2', 'if r1 > -0x5 goto +0x2 <LBB0_3>'],
    ['goto pc-2', 'goto -2 <.text+0x18>'],
    ['r1 = atomic64_fetch_add((u64 *)(r10 -8), r1)', 'r1 = atomic_fetch_add((u64 *)(r10 - 0x8), r1)'],
    ['r1 = atomic64_xchg((u64 *)(r10 -8), r1)', 'r1 = xchg_64(r10 - 0x8, r1)'],
    ['r0 = atomic_cmpxchg((u32 *)(r10 -8), r0, r3)', 'w0 = cmpxchg32_32(r10 - 0x8, w0, w3)'],
    ['call bpf_map_lookup_elem#1', 'call 0x1'],
    ['call map_lookup_elem', 'call 1'],
    ['r0 = *(u16 *)skb[r3 + 0]', 'r0 = *(u16 *)skb[r3]'],
    ['(18) r1 = 0x5', 'r1 = 0x5 ll'],
    ['(b7) r1 = 5', 'r1 = 0x5'],
    ['w1 = 0xffffffff', 'w1 = -1'],
    ['r1 = 0xffffffff', 'r1 = 4294967295 ll'],
  ])('%s  is  %s', (kernel, llvm) => {
    expect(hex(kernel)).toBe(hex(llvm));
  });

  test("hexadecimal moves are the kernel's 64-bit loads when the text is known to be the kernel's", () => {
    expect(hex('r1 = 0x5')).toBe('b701000005000000');
    expect(hex('r1 = 0x5', { dialect: 'kernel' })).toBe('18010000050000000000000000000000');
    expect(hex('r1 = 5', { dialect: 'kernel' })).toBe('b701000005000000');
  });

  test("a verifier log's and objdump's columns are skipped", () => {
    const log = '; int x = 1; @ prog.c:3\n0: (b7) r0 = 0                         ; R0_w=0\n1: (95) exit\n';
    expect(hex(log)).toBe('b7000000000000009500000000000000');
    const dump = '0000000000000000 <prog>:\n       0:\tb7 00 00 00 00 00 00 00\tr0 = 0x0\n       1:\t18 01 00 00 01 00 00 00 00 00 00 00 00 00 00 00\tr1 = 0x1 ll\n       3:\t95 00 00 00 00 00 00 00\texit\n';
    expect(hex(dump)).toBe('b700000000000000180100000100000000000000000000009500000000000000');
  });

  test('the whole of what llvm-objdump prints is read, relocations too', () => {
    const dump = '\nprog.o:\tfile format elf64-bpf\n\nDisassembly of section xdp:\n\n0000000000000000 <prog>:\n'
      + '       0:\t18 01 00 00 00 00 00 00 00 00 00 00 00 00 00 00\tr1 = 0x0 ll\n\t\t0000000000000000:  R_BPF_64_64\tflows\n'
      + '       2:\t85 00 00 00 06 00 00 00\tcall 0x6\n       3:\t85 10 00 00 ff ff ff ff\tcall -0x1\n       4:\t95 00 00 00 00 00 00 00\texit\n';
    expect(hex(dump)).toBe('18010000000000000000000000000000850000000600000085100000ffffffff9500000000000000');
    expect(hex('\nprog.o:\tfile format elf64-bpf\n\nDisassembly of section xdp:\n\n<prog>:\n\tr0 = 0x0\n\texit\n')).toBe(hex('r0 = 0; exit'));
  });

  test('the whole of a verifier log is read: each instruction once, in the order of the program', () => {
    const log = [
      'func#0 @0', 'func#1 @4', 'Live regs before insn:', '      0: .1........ (bf) r6 = r1', '0: R1=ctx() R10=fp0', '; return f(); @ prog.c:3',
      '0: (bf) r6 = r1                       ; R1=ctx() R6=ctx()', '1: (85) call pc+2', 'caller:', ' R6=ctx() R10=fp0', 'callee:', ' frame1: R10=fp0',
      '4: frame1: R10=fp0', '4: (b7) r0 = 1                        ; frame1: R0=1', '5: (95) exit', 'returning from callee:', ' frame1: R0=1 R10=fp0', 'to caller at 2:', ' R0=1 R10=fp0', '',
      'from 5 to 2: R0=1 R6=ctx() R10=fp0', '2: R0=1 R6=ctx() R10=fp0', '2: (18) r1 = 0x5', '2: (18) r1 = 0x5', '',
      'processed 7 insns (limit 1000000) max_states_per_insn 0 total_states 0 peak_states 0 mark_read 0',
    ].join('\n');
    expect(hex(log)).toBe(hex('r6 = r1\ncall pc+2\nr1 = 5 ll\nr0 = 1\nexit'));
    expect(complaints(log.replaceAll('(bf) r6 = r1', 'gone'))).toEqual(['8:1: the log has no instruction 0: the verifier did not get there']);
    expect(complaints(log.replace('(95) exit', '(95) what'))).toEqual([expect.stringMatching(/^15:9: expected an instruction/)]);
  });

  test('comments and separators', () => {
    expect(hex('r0 = 0; exit; // one\n# two\n/* three\n lines */ exit // four\n')).toBe(hex('r0 = 0\nexit\nexit'));
    expect(complaints('r0 = 0 ; exit')).toEqual([expect.stringMatching(/^1:10: ' ;' starts a comment/)]);
    expect(hex('r0 = 0 ; sets the verdict')).toBe(hex('r0 = 0'));
    expect(complaints('r0 = 0 /* open')).toEqual(["1:8: '/*' without '*/'"]);
  });
});

describe('labels and names', () => {
  test('forward, backward, numeric, and of functions', () => {
    const { insns, labels } = assemble('start: if r1 == 0 goto out\n1: r1 += -1\nif r1 != 0 goto 1b\ngotol out\ncall sub\nout: exit\nsub:\nr0 = 1; exit');
    expect(disasmText(insns)).toBe(
      ['if r1 == 0x0 goto pc+4', 'r1 += -1', 'if r1 != 0x0 goto pc-2', 'gotol pc+1', 'call pc+1', 'exit', 'r0 = 1', 'exit', ''].join('\n'),
    );
    expect([...labels]).toEqual([['start', 0], ['out', 5], ['sub', 6]]);
  });

  test('maps, functions, BTF variables and kfuncs', () => {
    const text = 'r1 = map[flows]\nr2 = map_value[stats]+8\nr3 = map_fd 7\nr4 = func cb ll\nr5 = flows ll\ncall kfunc bpf_foo\nexit\ncb: exit';
    const { insns, references } = assemble(text, { maps: { flows: 3, stats: 4 }, kfuncs: { bpf_foo: 99 } });
    expect(disasmText(insns)).toBe(
      ['r1 = map[fd:3]', 'r2 = map[fd:4][0]+8', 'r3 = map[fd:7]', 'r4 = subprog[+5]', 'r5 = map[fd:3]', 'call kernel-function#99', 'exit', 'exit', ''].join('\n'),
    );
    expect(references).toEqual([
      { at: 0, kind: 'map', name: 'flows', offset: 0 },
      { at: 2, kind: 'map_value', name: 'stats', offset: 8 },
      { at: 8, kind: 'symbol', name: 'flows', offset: 0 },
      { at: 10, kind: 'kfunc', name: 'bpf_foo', offset: 0 },
    ]);
    expect(assemble(text).references).toHaveLength(4);
  });

  test('source lines by slot', () => {
    expect(assemble('\nr0 = 1 ll\n\nexit').lines).toEqual([2, 2, 4]);
  });
});

describe('directives', () => {
  test('raw slots', () => {
    expect(hex('.insn 0xb7, 1, 0, 0, 0xffffffff')).toBe('b7010000ffffffff');
    expect(hex('.byte 0x95,0,0,0,0,0,0,0\n.8byte 0x95')).toBe('95000000000000009500000000000000');
    expect(complaints('.byte 1, 2')).toEqual(['1:7: 2 bytes are no whole number of 8-byte instructions']);
  });

  test("a compiler's other sections and directives are skipped", () => {
    const text = '\t.text\n\t.globl f\n\t.p2align 3\n\t.type f,@function\nf:\n\tr0 = 1\n\texit\n.Lend:\n\t.size f, .Lend-f\n\t.section .BTF,"",@progbits\n\t.long 5\n\t.section xdp,"ax",@progbits\nr0 = 2\nexit';
    expect(hex(text)).toBe(hex('r0 = 1; exit; r0 = 2; exit'));
  });
});

describe('complaints', () => {
  test('all of them, each at its place', () => {
    expect(complaints(['r0 = ', '  r1 += w2', 'r11 = 1', 'goto nowhere', 'x: exit', 'x: exit', 'if r1 = 2 goto x', 'r0 = 1 1', 'call no_such'].join('\n'))).toEqual([
      '1:6: expected a number, found the end of the line',
      '2:9: r1 and w2 differ in width',
      '3:1: there is no register r11 (r0 … r10)',
      "4:6: there is no label 'nowhere'",
      "6:1: label 'x' is already defined in line 5",
      "7:7: expected a comparison (==, !=, >, >=, <, <=, s>, s>=, s<, s<=, &), found '='",
      "8:8: expected the end of the line, found '1'",
      "9:6: no label, helper or kfunc is called 'no_such' (a kfunc to be resolved later: call kfunc no_such)",
    ]);
  });

  test.each([
    ['r1 += 0xffffffff', /^1:7: 4294967295 doesn't fit a sign-extended 32-bit immediate/],
    ['w1 += 0x100000000', /^1:7: .*32 bits/],
    ['*(u64 *)(r1 +0) = 0xffffffff', /^1:19: the value 4294967295 is out of range/],
    ['r1 = *(u32 *)(r2 +40000)', /^1:18: the offset 40000 is out of range/],
    ['r1 = 0x1ffffffffffffffff ll', /^1:6: .*doesn't fit 64 bits/],
    ['r1 = 5abc', /^1:6: '5abc' is no number/],
    ['r1 = r2 ^ r3', /^1:9: unexpected character '\^'/],
    ['w1 = *(u64 *)(r2 +0)', /^1:1: a u64 load needs all 64 bits/],
    ['r1 = *(s64 *)(r2 +0)', /^1:8: 's64' is no type/],
    ['*(s8 *)(r1 +0) = 1', /^1:3: only loads sign-extend/],
    ['lock *(u8 *)(r1 +0) += r2', /^1:8: atomic operations are 32 or 64 bits wide/],
    ['r1 = atomic64_xchg((u64 *)(r2 +0), r3)', /^1:1: the result must go to r3/],
    ['r1 = atomic64_cmpxchg((u64 *)(r2 +0), r0, r3)', /^1:1: the result must go to r0/],
    ['r1 = be16 r2', /^1:11: a byte swap works on one 64-bit register/],
    ['r1 = -r2', /^1:7: only a register itself can be negated/],
    ['w1 = (s32)w2', /^1:7: no sign extension from 's32' to 32 bits/],
    ['(bf) r1 = 5', /^1:6: the opcode before it says 0xbf, the text means 0xb7/],
    ['call bpf_map_lookup_elem#2', /^1:6: bpf_map_lookup_elem is helper 1, not 2/],
    ['r1 = name', /^1:6: 'name' is no value/],
    ['constructor', /^1:1: expected an instruction/],
    ['.nope', /^1:1: unknown directive/],
  ])('%s', (text, message) => {
    expect(complaints(text)).toEqual([expect.stringMatching(message)]);
  });

  test('a jump too far for 16 bits says what to do', () => {
    const far = `goto out\n${'r0 = 0\n'.repeat(40_000)}out: exit`;
    expect(complaints(far)).toEqual(["1:6: 'out' is 40000 instructions away, too far for 16 bits (use gotol)"]);
    expect(assemble(far.replace('goto', 'gotol')).insns[0]?.imm).toBe(40_000);
  });

  test('their number is bounded', () => {
    expect(complaints('?\n'.repeat(5000))).toHaveLength(MAX_DIAGNOSTICS);
  });
});

describe('registers beyond r10', () => {
  test('only when asked for', () => {
    expect(hex('r11 = r15', { anyRegister: true })).toBe('bffb000000000000');
  });
});

describe('builder', () => {
  test('gives the slots that the text gives', () => {
    const built = b.build([
      b.mov64Imm(BPF_REG_0, -1),
      b.ldxMem(BPF_W, BPF_REG_2, BPF_REG_1, 4),
      b.jmpImm(BPF_JNE, BPF_REG_2, 7, 'out'),
      b.alu32Imm(BPF_DIV, BPF_REG_2, 3, 1),
      b.stMem(BPF_DW, BPF_REG_10, -8, 5),
      b.atomicOp(BPF_DW, BPF_ADD | BPF_FETCH, BPF_REG_10, BPF_REG_2, -8),
      b.endian(BPF_TO_BE, BPF_REG_2, 16),
      b.ldImm64(BPF_REG_1, 0x1_0000_0000n),
      b.ldMapFd(BPF_REG_1, 3),
      b.ldFunc(BPF_REG_2, 'sub'),
      b.emitCall(BPF_FUNC_map_lookup_elem),
      b.callRel('sub'),
      b.jmp32Reg(BPF_JEQ, BPF_REG_1, BPF_REG_2, 1),
      b.mayGoto('out'),
      b.label('out'),
      b.exitInsn(),
      b.label('sub'),
      b.exitInsn(),
    ]);
    expect(built).toEqual(
      assemble(`
        r0 = -1
        r2 = *(u32 *)(r1 +4)
        if r2 != 7 goto out
        w2 s/= 3
        *(u64 *)(r10 -8) = 5
        r2 = atomic64_fetch_add((u64 *)(r10 -8), r2)
        r2 = be16 r2
        r1 = 0x100000000 ll
        r1 = map_fd 3
        r2 = func sub
        call bpf_map_lookup_elem
        call sub
        if w1 == w2 goto +1
        may_goto out
      out: exit
      sub: exit
      `).insns,
    );
  });

  test('complains with the place in the list', () => {
    expect(() => b.build([b.exitInsn(), b.jmpA('nowhere')])).toThrow("2:1: there is no label 'nowhere'");
    expect(() => b.build([b.label('x'), b.label('x')])).toThrow("2:1: label 'x' is already defined");
    expect(() => b.build([b.mov64Imm(0, 2 ** 31)])).toThrow('1:1: a field is out of range');
  });
});

describe('garbage', () => {
  const seed = Number(process.env['FUZZ_SEED'] ?? 1);
  test(`mutated text and bytes bring typed errors only (seed ${seed})`, () => {
    const text = fuzzAsm(seed, 5000);
    expect(text.accepted).toBeGreaterThan(500);
    expect(text.rejected).toBeGreaterThan(2000);
    expect(fuzzInsns(seed, 5000).accepted).toBeGreaterThan(2000);
  });

  test('long repetitive texts take linear time', () => {
    for (const piece of [';', ' ;', 'x;', '/*', '1:', '(', 'goto 1b\n1:\n', '#', '0', 'r', '"', '-', ':', 'a:a ']) {
      const start = performance.now();
      try {
        assemble(piece.repeat(Math.floor(400_000 / piece.length)));
      } catch (error) {
        expect(error).toBeInstanceOf(AsmError);
      }
      expect(performance.now() - start, piece).toBeLessThan(2000);
    }
  });
});
