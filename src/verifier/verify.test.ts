// Whole programs: verdict, message and counters as Linux 6.18 gives them (each was asked of a running 6.18.y).

import { describe, expect, it } from 'vitest';
import { EBADF, EINVAL } from '../spec/errno.ts';
import { BPF_PROG_TYPE_KPROBE, BPF_PROG_TYPE_SCHED_CLS, BPF_PROG_TYPE_SOCKET_FILTER } from '../spec/prog-types.ts';
import { NotSupportedError } from '../util/errors.ts';
import type { VerifyResult } from './api.ts';
import { verifyText } from './verify.testkit.ts';

/** The message, or 'accept' and the number of instructions processed. */
function judge(text: string, type?: number): string {
  const result = verifyText(text, type);
  return result.verdict === 'accept' ? `accept ${result.stats.processedInsns}` : result.message;
}

const LOOKUP = `
  *(u64 *)(r10 - 8) = 0
  r2 = r10
  r2 += -8
  r1 = map_fd 10
  call bpf_map_lookup_elem
`;

describe('straight lines', () => {
  it('accepts a constant', () => expect(judge('r0 = 2\nexit')).toBe('accept 2'));
  it('wants r0', () => expect(judge('exit')).toBe('R0 !read_ok'));
  it('wants registers written before they are read', () => expect(judge('r0 = r3\nexit')).toBe('R3 !read_ok'));
  it('keeps the frame pointer read-only', () => expect(judge('r10 = 0\nr0 = 0\nexit')).toBe('frame pointer is read only'));
  it('finds unreachable code', () => expect(judge('r0 = 0\nexit\nr0 = 1\nexit')).toBe('unreachable insn 2'));
  it('wants an end', () => expect(judge('r0 = 0')).toBe('last insn is not an exit or jmp'));
});

describe('the stack', () => {
  it('reads what was written', () => expect(judge('*(u64 *)(r10 - 8) = 5\nr0 = *(u64 *)(r10 - 8)\nexit')).toBe('accept 3'));
  it('ends at 512 bytes', () => expect(judge('*(u64 *)(r10 - 520) = 0\nr0 = 0\nexit')).toBe('invalid write to stack R10 off=-520 size=8'));
  it('is aligned', () => expect(judge('*(u64 *)(r10 - 12) = 0\nr0 = 0\nexit')).toBe('misaligned stack access off 0+0+-12 size 8'));
  it('keeps pointers whole', () => {
    expect(judge('*(u64 *)(r10 - 8) = r1\nr0 = *(u32 *)(r10 - 8)\nexit')).toBe('invalid size of register fill');
  });
});

describe('the context', () => {
  it('has fields', () => expect(judge('r0 = *(u32 *)(r1 + 12)\nexit')).toBe('accept 2'));
  it('has no others', () => expect(judge('r0 = *(u32 *)(r1 + 24)\nexit')).toBe('invalid bpf_context access off=24 size=4'));
  it('differs by program type', () => {
    expect(judge('r0 = *(u32 *)(r1 + 76)\nr0 = 0\nexit', BPF_PROG_TYPE_SOCKET_FILTER)).toBe('invalid bpf_context access off=76 size=4');
    expect(judge('r0 = *(u32 *)(r1 + 76)\nr0 = 0\nexit', BPF_PROG_TYPE_SCHED_CLS)).toBe('accept 3');
  });
  it('is read by pointers that were not moved', () => {
    expect(judge('r1 += 4\nr0 = *(u32 *)(r1 + 0)\nexit')).toBe('dereference of modified ctx ptr R1 off=4 disallowed');
  });
});

describe('packets', () => {
  const head = 'r2 = *(u32 *)(r1 + 0)\nr3 = *(u32 *)(r1 + 4)\nr4 = r2\nr4 += 14\n';
  it('are read within what was compared', () => {
    expect(judge(`${head}if r4 > r3 goto out\nr0 = *(u16 *)(r2 + 12)\nexit\nout:\nr0 = 0\nexit`)).toBe('accept 9');
  });
  it('are not read beyond it', () => {
    expect(judge(`${head}if r4 > r3 goto out\nr0 = *(u16 *)(r2 + 13)\nexit\nout:\nr0 = 0\nexit`)).toBe('R2 offset is outside of the packet');
  });
});

describe('maps', () => {
  it('give values that may be NULL', () => {
    expect(judge(`${LOOKUP}r0 = *(u64 *)(r0 + 0)\nexit`)).toBe("R0 invalid mem access 'map_value_or_null'");
    expect(judge(`${LOOKUP}if r0 == 0 goto out\nr0 = *(u64 *)(r0 + 40)\nout:\nexit`)).toBe('accept 9');
  });
  it('have values of a size', () => {
    expect(judge(`${LOOKUP}if r0 == 0 goto out\nr0 = *(u64 *)(r0 + 44)\nout:\nexit`)).toBe('R0 min value is outside of the allowed memory range');
  });
  it('are known constants when frozen', () => {
    const text = 'r1 = map[fd:12][0]+4\nr0 = *(u16 *)(r1 + 1)\nif r0 == 0x605 goto ok\nr0 = *(u64 *)(r1 + 100)\nok:\nexit';
    expect(judge(text)).toBe('accept 4');
  });
  it('are read-only when they say so', () => {
    expect(judge('r1 = map[fd:12][0]+0\n*(u32 *)(r1 + 0) = 1\nr0 = 0\nexit')).toBe('write into map forbidden, value_size=48 off=0 size=4');
  });
});

describe('loops', () => {
  it('that end are walked', () => expect(judge('r0 = 0\nagain:\nr0 += 1\nif r0 < 10 goto again\nexit')).toBe('accept 22'));
  it('that do not are found', () => {
    const result = verifyText('r0 = 0\nagain:\nr1 = 0\nif r0 < 10 goto again\nexit', undefined, { logLevel: 1 });
    expect(result.verdict).toBe('reject');
    expect(result.log).toContain('infinite loop detected at insn');
  });
  it('that run too long are given up', () => {
    expect(judge('r0 = 0\nagain:\nr0 += 1\nif r0 < 1000000 goto again\nexit')).toBe('BPF program is too large. Processed 1000001 insn');
  }, 120_000);
});

describe('functions', () => {
  it('are walked in their own frame', () => expect(judge('r1 = 1\ncall f\nexit\nf:\nr0 = r1\nr0 += 1\nexit')).toBe('accept 6'));
  it('may not give out their stack', () => {
    expect(judge('call f\nr0 = 0\nexit\nf:\nr0 = r10\nexit')).toBe('cannot return stack pointer to the caller');
  });
  it('share 512 bytes of stack', () => {
    const text = '*(u64 *)(r10 - 304) = 0\ncall f\nr0 = 0\nexit\nf:\n*(u64 *)(r10 - 304) = 0\nr0 = 0\nexit';
    expect(judge(text)).toBe('combined stack size of 2 calls is 608. Too large');
  });
  it('may not call themselves for ever', () => expect(judge('call f\nexit\nf:\ncall f\nexit')).toBe('the call stack of 9 frames is too deep'));
});

describe('a map load', () => {
  const refused = (there: 'not a map' | undefined): unknown => {
    const { verdict, errno, message } = verifyText('r1 = map_fd 99\nr0 = 0\nexit', undefined, { mapByFd: () => there }) as Extract<VerifyResult, { verdict: 'reject' }>;
    return { verdict, errno, message };
  };
  const message = 'fd 99 is not pointing to valid bpf_map';
  it('of a descriptor that is not open', () => expect(refused(undefined)).toEqual({ verdict: 'reject', errno: EBADF, message }));
  it('of a descriptor of something else', () => expect(refused('not a map')).toEqual({ verdict: 'reject', errno: EINVAL, message }));
});

describe('what is not supported', () => {
  it('is an error, by name', () => {
    expect(() => judge('r0 = 0\nexit', BPF_PROG_TYPE_KPROBE)).toThrow(NotSupportedError);
    expect(() => judge('r0 = 0\nexit', BPF_PROG_TYPE_KPROBE)).toThrow('BPF_PROG_TYPE_KPROBE');
  });
  it('is another version\'s verdict: its rules are not these', () => {
    expect(() => verifyText('r0 = 0\nexit', undefined, { kernel: 5010 })).toThrow('not supported yet: the verifier of Linux 5.10');
  });
});

describe('the log', () => {
  it('ends with the statistics', () => {
    const { log } = verifyText('r0 = 0\nexit', undefined, { logLevel: 4 });
    expect(log.split('\n')[1]).toBe('stack depth 0');
    expect(log).toMatch(/processed 2 insns \(limit 1000000\) max_states_per_insn 0 total_states 0 peak_states 0 mark_read 0\n$/);
  });
  it('shows every instruction at level 2', () => {
    const { log } = verifyText('r0 = 7\nexit', undefined, { logLevel: 2 });
    expect(log.split('\n')).toEqual([
      'func#0 @0', 'Live regs before insn:', '      0: .......... (b7) r0 = 7', '      1: 0......... (95) exit',
      '0: R1=ctx() R10=fp0', '0: (b7) r0 = 7                        ; R0=7', '1: (95) exit',
      'processed 2 insns (limit 1000000) max_states_per_insn 0 total_states 0 peak_states 0 mark_read 0', '',
    ]);
  });
  it('shows the failing path alone at level 1', () => {
    const text = 'r2 = *(u32 *)(r1 + 12)\nif r2 == 1 goto bad\nr0 = 0\nexit\nbad:\nexit';
    const { log } = verifyText(text, undefined, { logLevel: 1 });
    expect(log).toContain('R0 !read_ok');
    expect(log).not.toContain('2: (b7) r0 = 0');
  });
});
