// What executors are given after verification.

import { describe, expect, it } from 'vitest';
import type { VerifiedParts } from '../insn/verified-program.ts';
import { disasmText } from '../insn/disasm.ts';
import { SK_BUFF, XDP_BUFF } from '../spec/context.ts';
import { BPF_PROG_TYPE_SCHED_CLS, BPF_PROG_TYPE_XDP } from '../spec/prog-types.ts';
import { verifyText } from './verify.testkit.ts';

function parts(text: string, type = BPF_PROG_TYPE_XDP): VerifiedParts {
  const result = verifyText(text, type);
  if (result.verdict !== 'accept') throw new TypeError(result.message);
  return result.program.parts;
}

const lines = (text: string, type?: number): string[] => disasmText(parts(text, type).insns).trim().split('\n');

describe('context accesses', () => {
  it('go to the kernel-side record', () => {
    expect(lines('r0 = *(u32 *)(r1 + 12)\nexit')).toEqual([`r0 = *(u32 *)(r1 +${XDP_BUFF.ingress_ifindex})`, 'exit']);
  });
  it('load whole addresses for packet pointers', () => {
    expect(lines('r2 = *(u32 *)(r1 + 4)\nr0 = 0\nexit')[0]).toBe(`r2 = *(u64 *)(r1 +${XDP_BUFF.data_end})`);
  });
  it('stay narrow', () => {
    expect(lines('r0 = *(u8 *)(r1 + 8)\nexit', BPF_PROG_TYPE_SCHED_CLS)[0]).toBe(`r0 = *(u8 *)(r1 +${SK_BUFF.mark})`);
  });
  it('store two bytes where the kernel has two, and nothing that is too large', () => {
    const code = lines('r2 = 3\n*(u32 *)(r1 + 12) = r2\nr0 = 0\nexit', BPF_PROG_TYPE_SCHED_CLS);
    expect(code.slice(1, 3)).toEqual(['if r2 >= 0xffff goto pc+1', `*(u16 *)(r1 +${SK_BUFF.queue_mapping}) = r2`]);
  });
});

describe('dead code', () => {
  it('is removed, and the jump over it too', () => {
    expect(lines('r0 = 1\nif r0 == 1 goto ok\nr0 = 5\nok:\nexit')).toEqual(['r0 = 1', 'exit']);
  });
  it('takes its functions along', () => {
    const { subprogs } = parts('r0 = 0\nif r0 == 0 goto out\ncall f\nout:\nexit\nf:\nr0 = 1\nexit');
    expect(subprogs.map((subprog) => [subprog.start, subprog.end])).toEqual([[0, 2]]);
  });
  it('leaves jumps that are taken both ways in place', () => {
    const code = lines('r0 = *(u32 *)(r1 + 12)\nif r0 > 5 goto big\nr0 = 1\nexit\nbig:\nr0 = 2\nexit');
    expect(code[1]).toBe('if r0 > 0x5 goto pc+2');
  });
});

describe('maps', () => {
  it('are named by index, in order of first use', () => {
    const { insns, maps, facts } = parts('r1 = map_fd 11\nr2 = map[fd:12][0]+8\nr3 = map_fd 11\nr0 = 0\nexit');
    expect(maps).toEqual([11, 12]);
    expect(insns.filter((insn) => insn.code === 0x18).map(({ src, imm }) => [src, imm])).toEqual([[1, 0], [2, 1], [1, 0]]);
    expect(insns[3]?.imm).toBe(8);
    expect(facts[2]?.mapIndex).toBe(1);
  });
});

describe('facts', () => {
  it('say what memory an access is to', () => {
    const { facts } = parts('*(u64 *)(r10 - 8) = 0\nr0 = *(u32 *)(r1 + 12)\nexit');
    expect(facts.map((fact) => fact.memory)).toEqual(['stack', 'ctx', undefined]);
  });
  it('tell when the stack may be read without having been written', () => {
    expect(parts('r0 = *(u64 *)(r10 - 8)\nr0 = 0\nexit').readsUninitStack).toBe(true);
    expect(parts('*(u64 *)(r10 - 8) = 1\nr0 = *(u64 *)(r10 - 8)\nexit').readsUninitStack).toBe(false);
  });
  it('give each function its stack', () => {
    const { subprogs } = parts('*(u64 *)(r10 - 16) = 0\ncall f\nexit\nf:\n*(u64 *)(r10 - 32) = 0\nr0 = 0\nexit');
    expect(subprogs.map((subprog) => subprog.stackDepthBytes)).toEqual([16, 32]);
  });
});
