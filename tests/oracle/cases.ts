// The recorded answers of Linux 6.18 to 1,361 verifier tests: reads them from ../shared/oracle and turns each into a Program and its maps.
// Invariant: nothing of the file enters this repository; where it is absent, callers skip and say so.
// Source: ../shared/oracle/README.md.

import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Insn, Program } from '../../src/insn/insn.ts';
import { decodeInsns } from '../../src/insn/decode.ts';
import { fromHex, viewOf } from '../../src/util/bytes.ts';
import { InternalError } from '../../src/util/errors.ts';
import type { VerifierMap } from '../../src/verifier/api.ts';

/** Fields of one line of the file that are used here. */
export interface OracleCase {
  readonly file: string;
  readonly descr: string;
  readonly prog_type: number;
  readonly prog_type_name: string;
  readonly expected_attach_type: number;
  readonly load_flags: number;
  readonly insns: string;
  readonly fixups?: Readonly<Record<string, readonly number[]>>;
  readonly fixup_kfuncs?: unknown;
  readonly btf_types?: string;
  readonly btf_strings?: string;
  readonly func_info?: readonly (readonly [insnOff: number, typeId: number])[];
  readonly attach_func?: string;
  readonly runs: number;
  readonly retvals?: readonly { readonly retval: number; readonly data: string }[];
  readonly kernel_6_18: {
    readonly verdict: 'ok' | 'reject' | 'blocked' | 'setup_error';
    readonly errno?: number;
    readonly last_log_line?: string;
    readonly processed_insns?: number;
    readonly total_states?: number;
    readonly peak_states?: number;
    readonly runs?: readonly { readonly retval?: number; readonly match?: boolean }[];
  };
}

/** One kind of map-kinds.json. */
export interface MapKind {
  readonly fd_slot: number;
  readonly type: number;
  readonly key_size: number;
  readonly value_size: number;
  readonly max_entries: number;
  readonly flags: number;
  readonly btf_key: number;
  readonly btf_value: number;
  readonly elem0?: string;
  readonly inner?: { readonly type: number; readonly key_size: number; readonly value_size: number; readonly max_entries: number };
  readonly error?: string;
}

const DIRECTORY = resolve(import.meta.dirname, '../../../shared/oracle');
const FD_BASE = 100;
const BTF_HEADER_BYTES = 24;
const BTF_VALUE_WITH_LOCK = 3;
const BTF_VALUE_WITH_TIMER = 5;

/** Program types that bpfkit verifies so far, as the file names them. */
export const SPINE_TYPES: ReadonlySet<string> = new Set(['xdp', 'sched_cls', 'sched_act', 'socket_filter']);

/** Where the file lies, or undefined when this checkout has no ../shared. */
export const oraclePath = (): string | undefined => {
  const path = resolve(DIRECTORY, 'test-verifier-6.1.jsonl');
  return existsSync(path) ? path : undefined;
};

/** All cases that have a verdict of 6.18. */
export function readOracle(): OracleCase[] {
  const path = oraclePath();
  if (path === undefined) throw new InternalError('the oracle file is not there');
  const lines = readFileSync(path, 'utf8').split('\n').filter((line) => line !== '');
  const cases = lines.map((line) => JSON.parse(line) as OracleCase);
  return cases.filter((c) => c.kernel_6_18.verdict === 'ok' || c.kernel_6_18.verdict === 'reject');
}

/** The map kinds by name. */
export function readMapKinds(): ReadonlyMap<string, MapKind> {
  const all = JSON.parse(readFileSync(resolve(DIRECTORY, 'map-kinds.json'), 'utf8')) as Record<string, MapKind>;
  return new Map(Object.entries(all).filter(([, kind]) => typeof kind === 'object' && kind.error === undefined));
}

/** The BTF that map kinds with `btf_value` refer to, as a whole section. */
export function readMapBtf(): Uint8Array {
  const all = JSON.parse(readFileSync(resolve(DIRECTORY, 'map-kinds.json'), 'utf8')) as { btf_types: string; btf_strings: string };
  const types = fromHex(all.btf_types) ?? new Uint8Array();
  const strings = fromHex(all.btf_strings) ?? new Uint8Array();
  const bytes = new Uint8Array(BTF_HEADER_BYTES + types.length + strings.length);
  const view = viewOf(bytes);
  view.setUint16(0, 0xeb9f, true);
  view.setUint8(2, 1);
  [BTF_HEADER_BYTES, 0, types.length, types.length, strings.length].forEach((word, i) => view.setUint32(4 + 4 * i, word, true));
  bytes.set(types, BTF_HEADER_BYTES);
  bytes.set(strings, BTF_HEADER_BYTES + types.length);
  return bytes;
}

/** The fd that stands for a map kind in a case's instructions. */
export const kindFd = (kind: MapKind): number => FD_BASE + kind.fd_slot;

/** A map kind as the verifier sees it. */
export function kindAsVerifierMap(name: string, kind: MapKind): VerifierMap {
  const locks = kind.btf_value === BTF_VALUE_WITH_LOCK ? { spinLockOffset: 4 } : {};
  const timers = kind.btf_value === BTF_VALUE_WITH_TIMER ? { timerOffset: 0 } : {};
  const inner = kind.inner;
  return {
    id: kindFd(kind), name: '', mapType: kind.type, keySize: kind.key_size, valueSize: kind.value_size, maxEntries: kind.max_entries,
    mapFlags: kind.flags, ...locks, ...timers,
    ...(inner === undefined ? {} : {
      inner: {
        id: 0, name: '', mapType: inner.type, keySize: inner.key_size, valueSize: inner.value_size, maxEntries: inner.max_entries, mapFlags: 0,
      },
    }),
  };
}

/** The case as a Program, map references filled in with `fdOf(kind name)`. */
export function caseProgram(c: OracleCase, fdOf: (kind: string) => number): Program {
  const bytes = fromHex(c.insns);
  if (bytes === undefined) throw new InternalError(`bad hex in ${c.descr}`);
  const insns: Insn[] = decodeInsns(bytes);
  for (const [kind, places] of Object.entries(c.fixups ?? {})) {
    for (const place of places) insns[place] = { ...(insns[place] as Insn), imm: fdOf(kind) };
  }
  return {
    name: '', type: c.prog_type, expectedAttachType: c.expected_attach_type, insns, license: 'GPL', flags: c.load_flags,
    funcInfo: funcInfo(c.func_info), lineInfo: [],
  };
}

const funcInfo = (records: OracleCase['func_info']): { insnOff: number; typeId: number }[] => (records ?? []).map(([insnOff, typeId]) => ({ insnOff, typeId }));
