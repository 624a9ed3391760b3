// Packet loads in called functions: where the packet is too short they return 0 to the caller, and the caller is checked with that.
// Verdicts, messages and counters follow Linux 6.18.44's logs of generated programs; these small ones are never asked of it (it may crash).

import { describe, expect, it } from 'vitest';
import { encodeBtf } from '../btf/encode.ts';
import { parseBtf } from '../btf/btf.ts';
import { BTF_KIND_FUNC, BTF_KIND_FUNC_PROTO, BTF_KIND_INT } from '../spec/btf.ts';
import { BPF_PROG_TYPE_SOCKET_FILTER } from '../spec/prog-types.ts';
import type { VerifyResult } from './api.ts';
import { verifyProgram } from './verify.ts';
import { testOptions, testProgram } from './verify.testkit.ts';

/** `int main(void)` is type 3, `static int f(void)` type 4. */
const BTF = parseBtf(encodeBtf([
  { kind: BTF_KIND_INT, name: 'int', size: 4, encoding: 1, offset: 0, bits: 32 },
  { kind: BTF_KIND_FUNC_PROTO, name: '', type: 1, params: [] },
  { kind: BTF_KIND_FUNC, name: 'main', type: 2, linkage: 1 },
  { kind: BTF_KIND_FUNC, name: 'f', type: 2, linkage: 0 },
]));

/** Verifies main, and f which starts at instruction `start`. */
function verify(start: number, text: string, logLevel = 0): VerifyResult {
  const funcInfo = [{ insnOff: 0, typeId: 3 }, { insnOff: start, typeId: 4 }];
  return verifyProgram(testProgram(text, BPF_PROG_TYPE_SOCKET_FILTER, { funcInfo }), testOptions({ btf: BTF, logLevel }));
}

const judge = (start: number, text: string): string => {
  const result = verify(start, text);
  return result.verdict === 'accept' ? `accept ${result.stats.processedInsns}` : result.message;
};

/** Writes at r10 + (r0 - 8), where f returns -1 … after the packet was read. */
const WRITE_BY_RESULT = (adjust: string): string => `
  call pc+6
  ${adjust}
  r1 = r10
  r1 += r0
  *(u8 *)(r1 + 0) = 1
  r0 = 0
  exit
  r6 = r1
  r0 = *(u8 *)skb[14]
  r0 = -8
  exit
`;

describe('a packet load in a called function', () => {
  it('also returns 0', () => {
    expect(judge(7, WRITE_BY_RESULT('r9 = 0'))).toBe('invalid write to stack R1 off=0 size=1');
  });

  it('is followed by the path on which it worked', () => {
    expect(judge(7, WRITE_BY_RESULT('r0 += -8'))).toBe('accept 17');
    expect(judge(7, WRITE_BY_RESULT('r0 += -505'))).toBe('invalid write to stack R1 off=-513 size=1');
  });

  it('is walked backwards over when the caller needs a number from before the call', () => {
    const text = 'r8 = -8\ncall pc+5\nr1 = r10\nr1 += r8\n*(u8 *)(r1 + 0) = 1\nr0 = 0\nexit\nr6 = r1\nr0 = *(u8 *)skb[14]\nr0 = 1\nexit';
    const result = verify(7, text, 2);
    expect(result.verdict).toBe('accept');
    const precise = result.log.split('\n').filter((line) => line.startsWith('mark_precise: '));
    expect(precise).toContain('mark_precise: frame0: regs=r8 stack= before 0: (b7) r8 = -8');
    expect(precise).toContain('mark_precise: frame1: regs= stack= before 7: (bf) r6 = r1');
  });

  it('ends the program in the main function', () => {
    expect(judge(4, 'r6 = r1\nr0 = *(u8 *)skb[14]\ncall pc+1\nexit\nr0 = 0\nexit')).toBe('accept 6');
  });
});
