// Arithmetic, one row per case: what RFC 9669 sections 4.1 and 4.2 say, worked out by hand.

import { describe, expect, it } from 'vitest';
import { asVerified, miniKernel } from '../../tests/support/mini-kernel.ts';
import type { Insn } from '../insn/insn.ts';
import { ldImm64 } from '../insn/lddw.ts';
import { CPU } from '../vm/cpu-area.ts';
import { interp } from './interp.ts';

const insn = (code: number, dst: number, src: number, off: number, imm: number): Insn => ({ code, dst, src, off, imm });
const EXIT = insn(0x95, 0, 0, 0, 0);

/** r0 after `op` on r0 = dst, r1 = src. */
function evaluate(op: Insn, dst: bigint, src: bigint): bigint {
  const kernel = miniKernel();
  const run = interp.prepare(asVerified([...ldImm64(0, dst), ...ldImm64(1, src), op, EXIT]), kernel.env);
  run.run(0);
  run.dispose();
  return kernel.memory.view.getBigUint64(kernel.area + CPU.result, true);
}

const M1 = 0xffff_ffff_ffff_ffffn;
const MIN64 = 0x8000_0000_0000_0000n;

/** name, opcode (register source), off, dst, src, result */
const REGISTER_ROWS: readonly [string, number, number, bigint, bigint, bigint][] = [
  ['add64 wraps', 0x0f, 0, M1, 2n, 1n],
  ['add32 drops the high half', 0x0c, 0, 0xaaaa_aaaa_ffff_ffffn, 0xbbbb_bbbb_0000_0001n, 0n],
  ['sub64 borrows', 0x1f, 0, 1n, 2n, M1],
  ['sub32', 0x1c, 0, 1n, 2n, 0xffff_ffffn],
  ['mul64 wraps', 0x2f, 0, 0x1_0000_0001n, 0x1_0000_0001n, 0x2_0000_0001n],
  ['mul32', 0x2c, 0, 0xffff_ffffn, 0xffff_ffffn, 1n],
  ['div64 is unsigned', 0x3f, 0, M1, 2n, 0x7fff_ffff_ffff_ffffn],
  ['div64 by zero', 0x3f, 0, 77n, 0n, 0n],
  ['div32 looks at the low half', 0x3c, 0, 0x5_0000_0009n, 0x7_0000_0002n, 4n],
  ['div32 by a zero low half', 0x3c, 0, 9n, 0x7_0000_0000n, 0n],
  ['sdiv64', 0x3f, 1, 0xffff_ffff_ffff_fff3n, 3n, 0xffff_ffff_ffff_fffcn],
  ['sdiv64 MIN / -1', 0x3f, 1, MIN64, M1, MIN64],
  ['sdiv64 by zero', 0x3f, 1, M1, 0n, 0n],
  ['sdiv32', 0x3c, 1, 0xffff_fff3n, 3n, 0xffff_fffcn],
  ['sdiv32 MIN / -1', 0x3c, 1, 0x8000_0000n, 0xffff_ffffn, 0x8000_0000n],
  ['sdiv32 rounds to zero', 0x3c, 1, 7n, 0xffff_fffen, 0xffff_fffdn],
  ['mod64', 0x9f, 0, M1, 10n, 5n],
  ['mod64 by zero keeps dst', 0x9f, 0, 0x1_2345_6789n, 0n, 0x1_2345_6789n],
  ['mod32 by zero keeps the low half', 0x9c, 0, 0x1_2345_6789n, 0n, 0x2345_6789n],
  ['smod64', 0x9f, 1, 0xffff_ffff_ffff_fff3n, 3n, M1],
  ['smod64 MIN % -1', 0x9f, 1, MIN64, M1, 0n],
  ['smod32 takes the sign of the dividend', 0x9c, 1, 0xffff_fff3n, 3n, 0xffff_ffffn],
  ['smod32 MIN % -1', 0x9c, 1, 0x8000_0000n, 0xffff_ffffn, 0n],
  ['smod32 by zero', 0x9c, 1, 0x9_ffff_ffffn, 0n, 0xffff_ffffn],
  ['or64', 0x4f, 0, 0xf0f0_0000_0000_0000n, 0x0fn, 0xf0f0_0000_0000_000fn],
  ['or32', 0x4c, 0, 0xf0f0_0000_0000_0000n, 0x0fn, 0x0fn],
  ['and64', 0x5f, 0, M1, 0x1234_0000_0000_5678n, 0x1234_0000_0000_5678n],
  ['and32', 0x5c, 0, M1, 0x1234_0000_f000_5678n, 0xf000_5678n],
  ['xor64', 0xaf, 0, M1, 0xffn, 0xffff_ffff_ffff_ff00n],
  ['xor32', 0xac, 0, M1, 0xffn, 0xffff_ff00n],
  ['lsh64 masks to 6 bits', 0x6f, 0, 3n, 65n, 6n],
  ['lsh64 by 63', 0x6f, 0, 3n, 63n, MIN64],
  ['lsh32 masks to 5 bits', 0x6c, 0, 3n, 33n, 6n],
  ['rsh64', 0x7f, 0, MIN64, 63n, 1n],
  ['rsh64 masks', 0x7f, 0, MIN64, 64n, MIN64],
  ['rsh32 shifts zeros in', 0x7c, 0, 0xff_8000_0000n, 31n, 1n],
  ['arsh64', 0xcf, 0, MIN64, 63n, M1],
  ['arsh32 extends from bit 31', 0xcc, 0, 0x8000_0000n, 31n, 0xffff_ffffn],
  ['arsh32 masks', 0xcc, 0, 0x8000_0000n, 32n, 0x8000_0000n],
  ['mov64', 0xbf, 0, 5n, M1, M1],
  ['mov32 zero-extends', 0xbc, 0, M1, 0xdead_beef_8765_4321n, 0x8765_4321n],
  ['movsx64 from 8', 0xbf, 8, 0n, 0x180n, 0xffff_ffff_ffff_ff80n],
  ['movsx64 from 16', 0xbf, 16, 0n, 0x1_7fffn, 0x7fffn],
  ['movsx64 from 32', 0xbf, 32, 0n, 0x8000_0000n, 0xffff_ffff_8000_0000n],
  ['movsx32 from 8', 0xbc, 8, 0n, 0x80n, 0xffff_ff80n],
  ['movsx32 from 16', 0xbc, 16, 0n, 0x8000n, 0xffff_8000n],
];

/** name, opcode, off, dst, imm, result */
const IMMEDIATE_ROWS: readonly [string, number, number, bigint, number, bigint][] = [
  ['add64 sign-extends imm', 0x07, 0, 1n, -1, 0n],
  ['add32 with a negative imm', 0x04, 0, 0n, -1, 0xffff_ffffn],
  ['mul64 by -1', 0x27, 0, 5n, -1, 0xffff_ffff_ffff_fffbn],
  ['div64 by a sign-extended imm', 0x37, 0, M1, -1, 1n],
  ['div32 by imm', 0x34, 0, 100n, -1, 0n],
  ['sdiv64 by imm', 0x37, 1, 100n, -7, 0xffff_ffff_ffff_fff2n],
  ['smod64 by imm', 0x97, 1, 100n, -7, 2n],
  ['sdiv32 by imm', 0x34, 1, 0xffff_ff9cn, 7, 0xffff_fff2n],
  ['mov64 imm', 0xb7, 0, 0n, -2, 0xffff_ffff_ffff_fffen],
  ['mov32 imm', 0xb4, 0, M1, -2, 0xffff_fffen],
  ['or64 imm', 0x47, 0, 0n, -256, 0xffff_ffff_ffff_ff00n],
  ['and32 imm', 0x54, 0, M1, -256, 0xffff_ff00n],
  ['neg64', 0x87, 0, 1n, 0, M1],
  ['neg64 MIN', 0x87, 0, MIN64, 0, MIN64],
  ['neg32', 0x84, 0, 0x1_0000_0001n, 0, 0xffff_ffffn],
  ['le16', 0xd4, 0, 0x1122_3344_5566_7788n, 16, 0x7788n],
  ['le32', 0xd4, 0, 0x1122_3344_5566_7788n, 32, 0x5566_7788n],
  ['le64', 0xd4, 0, 0x1122_3344_5566_7788n, 64, 0x1122_3344_5566_7788n],
  ['be16', 0xdc, 0, 0x1122_3344_5566_7788n, 16, 0x8877n],
  ['be32', 0xdc, 0, 0x1122_3344_5566_7788n, 32, 0x8877_6655n],
  ['be64', 0xdc, 0, 0x1122_3344_5566_7788n, 64, 0x8877_6655_4433_2211n],
  ['bswap16', 0xd7, 0, 0x1122_3344_5566_7788n, 16, 0x8877n],
  ['bswap32', 0xd7, 0, 0x1122_3344_5566_7788n, 32, 0x8877_6655n],
  ['bswap64', 0xd7, 0, 0x1122_3344_5566_7788n, 64, 0x8877_6655_4433_2211n],
];

describe('arithmetic', () => {
  it.each(REGISTER_ROWS)('%s', (_name, code, off, dst, src, result) => {
    expect(evaluate(insn(code, 0, 1, off, 0), dst, src)).toBe(result);
  });
  it.each(IMMEDIATE_ROWS)('%s', (_name, code, off, dst, imm, result) => {
    expect(evaluate(insn(code, 0, 0, off, imm), dst, 0n)).toBe(result);
  });
  it('names arena casts as not supported', () => {
    const cast = insn(0xbf, 0, 1, 1, 1);
    expect(() => interp.prepare(asVerified([cast, EXIT]), miniKernel().env)).toThrow('not supported yet: addr_space_cast');
  });
});
