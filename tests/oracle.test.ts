// Linux 6.18's recorded answers to the verifier's own tests: verdicts, messages, counters, and what the accepted programs returned.
// Invariant: the figures are exact, so that a gain must be written down as well as a loss; whatever is left out stands here by name.
// Source: ../shared/oracle (test data under GPL-2.0: read from there, never copied); skipped where it isn't.

import { beforeAll, describe, expect, it } from 'vitest';
import { oraclePath, readMapKinds, readOracle, SPINE_TYPES, type MapKind, type OracleCase } from './oracle/cases.ts';
import { compareAll, type Comparison } from './oracle/compare.ts';
import { POINTER_VALUE, runCase, type Engine } from './oracle/run.ts';

const absent = oraclePath() === undefined;
if (absent) console.log('oracle tests skipped: ../shared/oracle is not there');

const nameOf = (c: OracleCase): string => `${c.file}: ${c.descr}`;

const KERNEL_BTF = 'not supported yet: loads through a pointer to a map (kernel BTF)';
const KERNEL_OBJECTS = 'not supported yet: the result of bpf_skc_to_tcp_sock (kernel objects)';
const SK_STORAGE = 'not supported yet: map type BPF_MAP_TYPE_SK_STORAGE';

/** Cases without a verdict of ours, and why. */
const ERRORS: Readonly<Record<string, string>> = {
  'map_ptr.c: bpf_map_ptr: read non-existent field rejected': KERNEL_BTF,
  'map_ptr.c: bpf_map_ptr: read ops field accepted': KERNEL_BTF,
  'ref_tracking.c: reference tracking: bpf_sk_release(btf_tcp_sock)': KERNEL_OBJECTS,
  'ref_tracking.c: reference tracking: use ptr from bpf_skc_to_tcp_sock() after release': KERNEL_OBJECTS,
  'sock.c: mark null check on return value of bpf_skc_to helpers': KERNEL_OBJECTS,
};

/** Accepted cases that can't be run, and why. */
const NOT_RUN: Readonly<Record<string, string>> = {
  'map_ptr.c: bpf_map_ptr: read ops field accepted': KERNEL_BTF,
  'ref_tracking.c: reference tracking: bpf_sk_release(btf_tcp_sock)': KERNEL_OBJECTS,
  'sock.c: sk_storage_get(map, skb->sk, NULL, 0): value == NULL': SK_STORAGE,
  'sock.c: sk_storage_get(map, skb->sk, &stack_value, 1): stack_value': SK_STORAGE,
};

describe.skipIf(absent)('verdicts on XDP, TC and socket filters', () => {
  let results: Comparison[] = [];
  const count = (test: (result: Comparison) => boolean): number => results.filter(test).length;
  beforeAll(() => {
    results = compareAll(readOracle().filter((c) => SPINE_TYPES.has(c.prog_type_name)));
  });

  it('accepts nothing that Linux rejects, and rejects nothing that it accepts', () => {
    expect(results.filter((r) => r.outcome === 'wrongly accepted').map((r) => nameOf(r.case))).toEqual([]);
    expect(results.filter((r) => r.outcome === 'wrongly rejected').map((r) => nameOf(r.case))).toEqual([]);
  });

  it('agrees on 976 of 981; the others are errors, by name', () => {
    expect(results.length).toBe(981);
    expect(count((r) => r.outcome === 'agree')).toBe(976);
    expect(Object.fromEntries(results.filter((r) => r.outcome === 'error').map((r) => [nameOf(r.case), r.message]))).toEqual(ERRORS);
  });

  it('says and counts the same', () => {
    const agree = results.filter((r) => r.outcome === 'agree');
    expect(agree.filter((r) => !r.sameProcessed).map((r) => nameOf(r.case))).toEqual([]);
    const rejects = agree.filter((r) => r.case.kernel_6_18.verdict === 'reject');
    expect(rejects.length).toBe(414);
    expect(rejects.filter((r) => !r.sameMessage).map((r) => nameOf(r.case))).toEqual([]);
    expect(rejects.filter((r) => !r.sameErrno).map((r) => nameOf(r.case))).toEqual([]);
  });
});

describe.skipIf(absent)('all program types', () => {
  it('accepts nothing that Linux rejects', () => {
    const results = compareAll(readOracle());
    expect(results.length).toBe(1319);
    expect(results.filter((r) => r.outcome === 'wrongly accepted').map((r) => nameOf(r.case))).toEqual([]);
    expect(results.filter((r) => r.message.startsWith('UNTYPED')).map((r) => `${nameOf(r.case)}: ${r.message}`)).toEqual([]);
  });
});

describe.skipIf(absent)('what accepted programs return', () => {
  const cases = absent ? [] : readOracle().filter((c) => SPINE_TYPES.has(c.prog_type_name) && (c.kernel_6_18.runs ?? []).length > 0);
  const kinds: ReadonlyMap<string, MapKind> = absent ? new Map() : readMapKinds();

  it.each<[Engine, boolean]>([['jit', false], ['interp', false], ['jit', true], ['interp', true]])('as on Linux, under the %s (shared memory: %s)', (engine, shared) => {
    const wrong: Record<string, unknown> = {};
    const notRun: Record<string, string> = {};
    for (const c of cases) {
      const answer = runCase(c, kinds, engine, shared);
      if ('error' in answer) notRun[nameOf(c)] = answer.error;
      else if (!sameReturns(c, answer.retvals)) wrong[nameOf(c)] = { ours: answer.retvals, linux: c.kernel_6_18.runs };
    }
    expect(cases.length).toBe(560);
    expect(wrong).toEqual({});
    expect(notRun).toEqual(NOT_RUN);
  });
});

function sameReturns(c: OracleCase, ours: readonly number[]): boolean {
  const theirs = c.kernel_6_18.runs ?? [];
  return ours.length === theirs.length && theirs.every((run, i) => c.retvals?.[i]?.retval === POINTER_VALUE || run.retval === ours[i]);
}
