// LD_ABS and LD_IND on a packet laid out by hand: 4 bytes of head room, 16 bytes of packet with the network header at 6.

import { describe, expect, it } from 'vitest';
import { asVerified, miniKernel } from '../../tests/support/mini-kernel.ts';
import type { Insn } from '../insn/insn.ts';
import { ldImm64 } from '../insn/lddw.ts';
import { SK_BUFF } from '../spec/context.ts';
import { CPU } from '../vm/cpu-area.ts';
import { SkBuff } from '../vm/context.ts';
import { interp } from './interp.ts';

const insn = (code: number, dst: number, src: number, off: number, imm: number): Insn => ({ code, dst, src, off, imm });
const EXIT = insn(0x95, 0, 0, 0, 0);
const [B, H, W] = [0x10, 0x08, 0x00];
const [ABS, IND] = [0x20, 0x40];
const NET = -0x10_0000;
const LL = -0x20_0000;

/** r0 after a load at `offset`; r0 = 99 where the program went on after a failed load, which must not be. */
function load(mode: number, size: number, offset: number, index = 0n): bigint {
  const kernel = miniKernel();
  const head = kernel.memory.alloc(64);
  kernel.memory.bytes.set(Uint8Array.from({ length: 64 }, (_, i) => 0xf0 + i), head);
  const skb = new SkBuff(kernel.memory, kernel.memory.alloc(SK_BUFF.sizeBytes));
  skb.init({ head, bufferBytes: 64, headroom: 4, dataLength: 16, etherType: 0x0800, macOffset: -2, networkOffset: 6 });
  const prog = [insn(0xbf, 6, 1, 0, 0), ...ldImm64(2, index), insn(mode | size, 0, mode === IND ? 2 : 0, 0, offset), insn(0x07, 0, 0, 0, 0x100), EXIT];
  const run = interp.prepare(asVerified(prog), kernel.env);
  run.run(skb.record);
  return kernel.memory.view.getBigUint64(kernel.area + CPU.result, true);
}
/** A loaded value as it comes out of `load`, which adds 0x100 to loads that succeed. */
const ok = (value: bigint): bigint => value + 0x100n;

describe('packet loads', () => {
  it('turn network order into host order', () => {
    expect(load(ABS, B, 0)).toBe(ok(0xf4n));
    expect(load(ABS, H, 0)).toBe(ok(0xf4f5n));
    expect(load(ABS, W, 1)).toBe(ok(0xf5f6_f7f8n));
  });
  it('add a register, of which the low 32 bits count, signed', () => {
    expect(load(IND, B, 2, 3n)).toBe(ok(0xf9n));
    expect(load(IND, B, 2, 0x7_0000_0003n)).toBe(ok(0xf9n));
    expect(load(IND, B, 5, 0xffff_ffff_ffff_ffffn)).toBe(ok(0xf8n));
  });
  it('end the program with 0 beyond the packet', () => {
    expect(load(ABS, B, 15)).toBe(ok(0x03n));
    for (const [size, offset] of [[B, 16], [H, 15], [W, 13], [W, 0x7fff_ffff], [B, -1]] as const) expect(load(ABS, size, offset)).toBe(0n);
  });
  it('start at the network header from SKF_NET_OFF on', () => {
    expect(load(ABS, B, NET)).toBe(ok(0xfan));
    expect(load(ABS, H, NET + 8)).toBe(ok(0x0203n));
    expect(load(ABS, B, NET + 10)).toBe(0n);
    expect(load(IND, B, NET, 1n)).toBe(ok(0xfbn));
  });
  it('start at the link-layer header from SKF_LL_OFF on, down to the head of the buffer', () => {
    expect(load(ABS, B, LL)).toBe(ok(0xf2n));
    expect(load(IND, B, LL, 5n)).toBe(ok(0xf7n));
    expect(load(ABS, B, LL - 1)).toBe(0n);
  });
});
