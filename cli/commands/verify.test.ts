// When a refused BPF_PROG_LOAD is the verifier's verdict, and when it is none.

import { expect, test } from 'vitest';
import { BpfSyscallError } from '../../src/util/errors.ts';
import { judge } from './verify.ts';

const LOG = "0: R1=ctx() R10=fp0\nR0 !read_ok\nprocessed 1 insns (limit 1000000) max_states_per_insn 0 total_states 0 peak_states 0 mark_read 0\n";
const refused = (errno: number, log: string): BpfSyscallError => new BpfSyscallError('BPF_PROG_LOAD', errno, 'refused', log);

test('a log is the verifier speaking: its last line before the statistics', () => {
  expect(judge(refused(13, ''), LOG)).toEqual({ verdict: 'reject', errno: 13, message: 'R0 !read_ok', log: LOG });
});

test('without a log nobody decided', () => {
  expect(judge(refused(1, ''), '')).toMatchObject({ verdict: 'error', errno: 1, message: 'BPF_PROG_LOAD: refused' });
});

test('a log too long for its buffer says nothing of the program, which may have been accepted', () => {
  expect(judge(refused(28, LOG), LOG)).toMatchObject({ verdict: 'error', errno: 28, message: 'BPF_PROG_LOAD: refused' });
});
