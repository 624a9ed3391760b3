// BPF_PROG_LOAD: reads the attributes, verifies, prepares the executor's form.
// Invariant: a program object exists only for what the verifier accepted; a reject carries errno, message and log.
// Source: kernel/bpf/syscall.c bpf_prog_load; verifier.c bpf_check; log.c bpf_vlog_finalize.

import type { Btf } from '../btf/btf.ts';
import { decodeInsns } from '../insn/decode.ts';
import { isLddw } from '../insn/fields.ts';
import type { FuncInfo, Insn, LineInfo, Program } from '../insn/insn.ts';
import type { BpfMap } from '../maps/bpf-map.ts';
import { E2BIG, EINVAL, ENOSPC, EPERM } from '../spec/errno.ts';
import { BPF_COMPLEXITY_LIMIT_INSNS, BPF_LOG_FIXED, BPF_LOG_STATS, BPF_MAXINSNS } from '../spec/limits.ts';
import { BPF_PSEUDO_MAP_FD, BPF_PSEUDO_MAP_IDX, BPF_PSEUDO_MAP_IDX_VALUE, BPF_PSEUDO_MAP_VALUE } from '../spec/opcodes.ts';
import { NET_ADMIN_PROG_TYPES, PERFMON_PROG_TYPES, progTypeName, UNPRIVILEGED_PROG_TYPES } from '../spec/prog-types.ts';
import type { ProgLoadAttr } from '../spec/syscall.ts';
import { viewOf } from '../util/bytes.ts';
import { BpfSyscallError } from '../util/errors.ts';
import type { Capabilities, VerifierMap, VerifierOptions, VerifyResult } from '../verifier/api.ts';
import { verifyProgram } from '../verifier/verify.ts';
import { mapFacts } from './map-facts.ts';

const COMMAND = 'BPF_PROG_LOAD';
const FUNC_INFO_BYTES = 8;
const LINE_INFO_BYTES = 16;

/** What loading needs of the kernel. */
export interface LoadContext {
  readonly caps: Capabilities;
  readonly kernel: number;
  mapByFd(fd: number): BpfMap | 'not a map' | undefined;
  btfByFd(fd: number): Btf;
  /** Nanoseconds of a clock for `verification time`, or undefined to leave that line out. */
  readonly nowNs?: (() => bigint) | undefined;
}

/** A verified program and its log, cut to the caller's buffer. */
export interface Loaded { readonly result: Extract<VerifyResult, { verdict: 'accept' }>; readonly log: string }

/** Verifies what `attr` describes. Throws BpfSyscallError with the verifier's errno, message and log. */
export function verifyForLoad(attr: ProgLoadAttr, context: LoadContext): Loaded {
  checkAttr(attr, context.caps);
  const program = programOf(attr);
  const level = attr.log_level ?? 0;
  const started = context.nowNs?.();
  const result = verifyProgram(program, verifierOptions(attr, context, level));
  const time = started === undefined || context.nowNs === undefined ? '' : timeLine(level, context.nowNs() - started);
  const { log, overflow } = fitLog(withTime(result.log, time), level, attr.log_size);
  if (overflow) throw new BpfSyscallError(COMMAND, ENOSPC, 'ENOSPC: the verifier log does not fit log_size', log);
  if (result.verdict === 'reject') throw new BpfSyscallError(COMMAND, result.errno, result.message, log);
  return { result, log };
}

function checkAttr(attr: ProgLoadAttr, caps: Capabilities): void {
  const count = attr.insns.length / 8;
  if (count === 0 || count > (caps.bpf ? BPF_COMPLEXITY_LIMIT_INSNS : BPF_MAXINSNS)) throw new BpfSyscallError(COMMAND, E2BIG, `E2BIG: ${count} instructions`);
  checkCapabilities(attr.prog_type, caps);
  if (!Number.isInteger(count)) throw new BpfSyscallError(COMMAND, EINVAL, 'EINVAL: insns is no whole number of 8-byte instructions');
}

/** As with kernel.unprivileged_bpf_disabled=0: some types are for everyone, the others need what they can do harm with. */
function checkCapabilities(type: number, { bpf, netAdmin, perfmon, sysAdmin }: Capabilities): void {
  const lacks = (needed: ReadonlySet<number>, has: boolean, name: string): void => {
    if (needed.has(type) && !has && !sysAdmin) throw new BpfSyscallError(COMMAND, EPERM, `EPERM: ${progTypeName(type)} needs ${name}`);
  };
  if (!bpf && !sysAdmin && !UNPRIVILEGED_PROG_TYPES.has(type)) throw new BpfSyscallError(COMMAND, EPERM, `EPERM: ${progTypeName(type)} needs CAP_BPF`);
  lacks(NET_ADMIN_PROG_TYPES, netAdmin, 'CAP_NET_ADMIN');
  lacks(PERFMON_PROG_TYPES, perfmon, 'CAP_PERFMON');
}

/** The Program of an attribute block; fd_array references become plain descriptors. */
function programOf(attr: ProgLoadAttr): Program {
  return {
    name: attr.prog_name ?? '', type: attr.prog_type, expectedAttachType: attr.expected_attach_type ?? 0,
    insns: resolveFdArray(decodeInsns(attr.insns), attr.fd_array), license: attr.license, flags: attr.prog_flags ?? 0,
    funcInfo: funcInfo(attr.func_info, attr.func_info_rec_size ?? FUNC_INFO_BYTES),
    lineInfo: lineInfo(attr.line_info, attr.line_info_rec_size ?? LINE_INFO_BYTES),
  };
}

function resolveFdArray(insns: readonly Insn[], fds: readonly number[] | undefined): readonly Insn[] {
  if (fds === undefined) return insns;
  const plain = new Map([[BPF_PSEUDO_MAP_IDX, BPF_PSEUDO_MAP_FD], [BPF_PSEUDO_MAP_IDX_VALUE, BPF_PSEUDO_MAP_VALUE]]);
  return insns.map((insn) => {
    const src = isLddw(insn) ? plain.get(insn.src) : undefined;
    const fd = fds[insn.imm];
    return src === undefined || fd === undefined ? insn : { ...insn, src, imm: fd };
  });
}

function funcInfo(records: Uint8Array | undefined, recordBytes: number): FuncInfo[] {
  return eachRecord(records, recordBytes, (view, at) => ({ insnOff: view.getUint32(at, true), typeId: view.getUint32(at + 4, true) }));
}

function lineInfo(records: Uint8Array | undefined, recordBytes: number): LineInfo[] {
  return eachRecord(records, recordBytes, (view, at) => {
    const place = view.getUint32(at + 12, true);
    return {
      insnOff: view.getUint32(at, true), fileNameOff: view.getUint32(at + 4, true), lineOff: view.getUint32(at + 8, true),
      line: place >>> 10, column: place & 0x3ff,
    };
  });
}

function eachRecord<T>(records: Uint8Array | undefined, recordBytes: number, read: (view: DataView, at: number) => T): T[] {
  if (records === undefined || records.length === 0) return [];
  const view = viewOf(records);
  return Array.from({ length: Math.floor(records.length / recordBytes) }, (_, i) => read(view, i * recordBytes));
}

function verifierOptions(attr: ProgLoadAttr, context: LoadContext, logLevel: number): VerifierOptions {
  const facts = new Map<BpfMap, VerifierMap>();
  const mapByFd = (fd: number): ReturnType<VerifierOptions['mapByFd']> => {
    const map = context.mapByFd(fd);
    if (map === undefined || map === 'not a map') return map;
    const known = facts.get(map) ?? mapFacts(map);
    facts.set(map, known);
    return known;
  };
  const btf = (attr.prog_btf_fd ?? 0) === 0 ? {} : { btf: context.btfByFd(attr.prog_btf_fd as number) };
  return { caps: context.caps, kernel: context.kernel, logLevel, mapByFd, ...btf };
}

const timeLine = (level: number, ns: bigint): string => ((level & BPF_LOG_STATS) === 0 ? '' : `verification time ${ns / 1000n} usec\n`);

/** The verifier has no clock and prints a time of 0; where the kernel has one, its own stands there. */
function withTime(log: string, line: string): string {
  if (line === '') return log;
  const zero = timeLine(BPF_LOG_STATS, 0n);
  const at = log.lastIndexOf(zero);
  return at < 0 ? log : log.slice(0, at) + line + log.slice(at + zero.length);
}

/** What of a log fits the caller's buffer with its NUL: the end of it, or with BPF_LOG_FIXED the beginning. */
function fitLog(log: string, level: number, sizeBytes: number | undefined): { log: string; overflow: boolean } {
  if (level === 0) return { log: '', overflow: false };
  if (sizeBytes === undefined || log.length < sizeBytes) return { log, overflow: false };
  const fits = (level & BPF_LOG_FIXED) !== 0 ? log.slice(0, sizeBytes - 1) : log.slice(log.length - sizeBytes + 1);
  return { log: fits, overflow: true };
}
