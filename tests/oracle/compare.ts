// Runs the oracle's cases through bpfkit's verifier and says how each verdict, message and counter compares with Linux 6.18's.
// Invariant: an exception other than NotSupportedError is an 'error' of ours, never counted as agreement.

import { BpfkitError } from '../../src/util/errors.ts';
import { verifyProgram } from '../../src/verifier/verify.ts';
import type { VerifierMap, VerifyResult } from '../../src/verifier/api.ts';
import { caseProgram, kindAsVerifierMap, kindFd, readMapKinds, type MapKind, type OracleCase } from './cases.ts';

/** How one case came out. `agree` is about the verdict alone. */
export interface Comparison {
  readonly case: OracleCase;
  readonly outcome: 'agree' | 'wrongly accepted' | 'wrongly rejected' | 'error';
  /** Our message (rejects and errors), or ''. */
  readonly message: string;
  readonly sameMessage: boolean;
  readonly sameProcessed: boolean;
  readonly sameErrno: boolean;
  readonly result?: VerifyResult;
}

export const ALL_CAPS = { bpf: true, perfmon: true, netAdmin: true, sysAdmin: true } as const;

/** What was open beside the maps in the process that asked the kernel. */
const STANDARD_STREAMS: ReadonlySet<number> = new Set([0, 1, 2]);

/** Verifies one case with all capabilities on the 6.18 profile. */
export function compareCase(c: OracleCase, kinds: ReadonlyMap<string, MapKind>, logLevel = 0): Comparison {
  const maps = new Map<number, VerifierMap>();
  for (const [name, kind] of kinds) maps.set(kindFd(kind), kindAsVerifierMap(name, kind));
  try {
    const program = caseProgram(c, (name) => fdOf(kinds, name));
    const result = verifyProgram(program, { caps: ALL_CAPS, kernel: 6018, logLevel, mapByFd: (fd) => maps.get(fd) ?? (STANDARD_STREAMS.has(fd) ? 'not a map' : undefined) });
    return judge(c, result);
  } catch (error) {
    const text = error instanceof BpfkitError ? error.message : `UNTYPED ${error instanceof Error ? error.stack ?? error.message : String(error)}`;
    return { case: c, outcome: 'error', message: text, sameMessage: false, sameProcessed: false, sameErrno: false };
  }
}

/** All cases, optionally only those of some program types. */
export function compareAll(cases: readonly OracleCase[]): Comparison[] {
  const kinds = readMapKinds();
  return cases.map((c) => compareCase(c, kinds));
}

function fdOf(kinds: ReadonlyMap<string, MapKind>, name: string): number {
  const kind = kinds.get(name);
  return kind === undefined ? -1 : kindFd(kind);
}

function judge(c: OracleCase, result: VerifyResult): Comparison {
  const kernel = c.kernel_6_18;
  const theirs = kernel.verdict === 'ok' ? 'accept' : 'reject';
  const outcome = result.verdict === theirs ? 'agree' : result.verdict === 'accept' ? 'wrongly accepted' : 'wrongly rejected';
  const rejected = result.verdict === 'reject' ? result : undefined;
  return {
    case: c, outcome, message: rejected?.message ?? '', result,
    sameMessage: rejected !== undefined && rejected.message === (kernel.last_log_line ?? ''),
    sameErrno: rejected !== undefined && rejected.errno === kernel.errno,
    sameProcessed: result.stats.processedInsns === (kernel.processed_insns ?? result.stats.processedInsns),
  };
}
