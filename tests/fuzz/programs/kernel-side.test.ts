// Which programs are kept from a real kernel: an abnormal return (tail call, LD_ABS, LD_IND) beside a bpf-to-bpf call crashes Linux 6.18.44.

import { describe, expect, it } from 'vitest';
import type { Insn } from '../../../src/insn/insn.ts';
import { crashesHosts } from './kernel-side.ts';

const insn = (code: number, src = 0, imm = 0): Insn => ({ code, dst: 0, src, off: 0, imm });
const PSEUDO_CALL = insn(0x85, 1, 1);
const EXIT = insn(0x95);
const ABNORMAL: readonly (readonly [string, Insn])[] = [
  ['bpf_tail_call', insn(0x85, 0, 12)], ['LD_ABS of a word', insn(0x20)], ['LD_ABS of two bytes', insn(0x28)], ['LD_ABS of a byte', insn(0x30)],
  ['LD_IND of a word', insn(0x40)], ['LD_IND of two bytes', insn(0x48)], ['LD_IND of a byte', insn(0x50)],
];

describe('crashesHosts', () => {
  it.each(ABNORMAL)('holds back %s beside a call, in any order', (_name, abnormal) => {
    expect(crashesHosts({ insns: [PSEUDO_CALL, EXIT, abnormal, EXIT] })).toBe(true);
    expect(crashesHosts({ insns: [abnormal, PSEUDO_CALL, EXIT, EXIT] })).toBe(true);
  });

  it.each(ABNORMAL)('lets %s alone through', (_name, abnormal) => {
    expect(crashesHosts({ insns: [abnormal, EXIT] })).toBe(false);
  });

  it('lets calls, LDDW and helper calls through', () => {
    expect(crashesHosts({ insns: [PSEUDO_CALL, insn(0x18, 1), insn(0), insn(0x85, 0, 1), EXIT, EXIT] })).toBe(false);
  });
});
