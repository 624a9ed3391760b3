// Helper cases: a small program in the kernel's dialect, a packet, and what comes back: verdict, packet, and an array map that it wrote to.
// The same case runs on any BpfSyscall, the simulated kernel or a real one; answers of Linux 6.18 stand in recorded.json.

import { assemble } from '../../src/asm/assemble.ts';
import { encodeBtf } from '../../src/btf/encode.ts';
import type { BtfType } from '../../src/btf/types.ts';
import { subprogStarts } from '../../src/insn/blocks.ts';
import { encodeInsns } from '../../src/insn/encode.ts';
import type { Insn } from '../../src/insn/insn.ts';
import { BTF_KIND_FUNC, BTF_KIND_FUNC_PROTO, BTF_KIND_INT, BTF_KIND_PTR } from '../../src/spec/btf.ts';
import { BPF_F_RDONLY_PROG, BPF_MAP_TYPE_ARRAY } from '../../src/spec/map-types.ts';
import { BPF_PROG_TYPE_SCHED_CLS, BPF_PROG_TYPE_SOCKET_FILTER, BPF_PROG_TYPE_XDP } from '../../src/spec/prog-types.ts';
import type { BpfSyscall, MapCreateAttr, ProgLoadAttr } from '../../src/spec/syscall.ts';
import { toHex } from '../../src/util/bytes.ts';
import { BpfSyscallError } from '../../src/util/errors.ts';

const TYPES = { xdp: BPF_PROG_TYPE_XDP, tc: BPF_PROG_TYPE_SCHED_CLS, filter: BPF_PROG_TYPE_SOCKET_FILTER } as const;

/** A case. `text` may name the maps out (array, 1 × 256 bytes), fmt (frozen, holds `fmt` with its NUL) and those of `maps`. */
export interface HelperCase {
  readonly name: string;
  readonly type: keyof typeof TYPES;
  readonly text: string;
  readonly packet?: Uint8Array;
  readonly fmt?: string;
  readonly maps?: Readonly<Record<string, MapCreateAttr>>;
}

/** What a run gave: retval (signed), the packet ('same' when nothing changed) and the map `out` without its trailing zeros, both in hex; or why it didn't run. */
export type CaseResult = { readonly retval: number; readonly packet: string; readonly out: string } | { readonly error: string };

const OUT_BYTES = 256;
const withoutTail = (hex: string): string => hex.replace(/(00)+$/, '');

function formatMap(kernel: BpfSyscall, text: string): number {
  const bytes = new Uint8Array([...new TextEncoder().encode(text), 0]);
  const fd = kernel.mapCreate({ map_type: BPF_MAP_TYPE_ARRAY, key_size: 4, value_size: bytes.length, max_entries: 1, map_flags: BPF_F_RDONLY_PROG });
  kernel.mapUpdateElem({ map_fd: fd, key: new Uint8Array(4), value: bytes });
  kernel.mapFreeze({ map_fd: fd });
  return fd;
}

function makeMaps(kernel: BpfSyscall, { fmt, maps = {} }: HelperCase): Record<string, number> {
  const fds: Record<string, number> = {};
  fds['out'] = kernel.mapCreate({ map_type: BPF_MAP_TYPE_ARRAY, key_size: 4, value_size: OUT_BYTES, max_entries: 1 });
  if (fmt !== undefined) fds['fmt'] = formatMap(kernel, fmt);
  for (const [name, attr] of Object.entries(maps)) fds[name] = kernel.mapCreate(attr);
  return fds;
}

function runLoaded(kernel: BpfSyscall, prog: number, out: number, packet: Uint8Array): CaseResult {
  const dataOut = new Uint8Array(20_000);
  const { retval, data_size_out: size } = kernel.progTestRun({ prog_fd: prog, data_in: packet, data_out: dataOut, repeat: 1 });
  const value = new Uint8Array(OUT_BYTES);
  kernel.mapLookupElem({ map_fd: out, key: new Uint8Array(4), value });
  const after = toHex(dataOut.subarray(0, size));
  return { retval: retval | 0, packet: after === toHex(packet) ? 'same' : after, out: withoutTail(toHex(value)) };
}

/** Types for a program with callbacks: an int, a pointer, and one static function for each that starts at `starts`. */
function functionTypes(starts: readonly number[]): BtfType[] {
  const int: BtfType = { kind: BTF_KIND_INT, name: 'int', size: 4, bits: 32, offset: 0, encoding: 1 };
  const pointer: BtfType = { kind: BTF_KIND_PTR, name: '', type: 0 };
  const proto: BtfType = { kind: BTF_KIND_FUNC_PROTO, name: '', type: 1, params: [{ name: 'ctx', type: 2 }] };
  return [int, pointer, proto, ...starts.map((start): BtfType => ({ kind: BTF_KIND_FUNC, name: `func_${start}`, type: 3, linkage: 0 }))];
}

/** What BPF_PROG_LOAD wants beside the instructions when a program has callbacks. */
function functionInfo(kernel: BpfSyscall, insns: readonly Insn[], fds: number[]): Partial<ProgLoadAttr> {
  const starts = subprogStarts(insns);
  if (starts.length === 1) return {};
  const btf = kernel.btfLoad({ btf: encodeBtf(functionTypes(starts)) });
  fds.push(btf);
  const info = new DataView(new ArrayBuffer(8 * starts.length));
  for (const [index, start] of starts.entries()) {
    info.setUint32(8 * index, start, true);
    info.setUint32(8 * index + 4, 4 + index, true);
  }
  return { prog_btf_fd: btf, func_info_rec_size: 8, func_info: new Uint8Array(info.buffer) };
}

/** Runs a case on a kernel; its descriptors are closed afterwards. */
export function runCase(kernel: BpfSyscall, helperCase: HelperCase): CaseResult {
  const maps = makeMaps(kernel, helperCase);
  const fds = Object.values(maps);
  try {
    const { insns } = assemble(helperCase.text, { maps });
    const functions = functionInfo(kernel, insns, fds);
    const { fd } = kernel.progLoad({ prog_type: TYPES[helperCase.type], insns: encodeInsns(insns), license: 'GPL', log_level: 1, ...functions });
    fds.push(fd);
    return runLoaded(kernel, fd, maps['out'] as number, helperCase.packet ?? new Uint8Array(64));
  } catch (error) {
    if (!(error instanceof BpfSyscallError)) throw error;
    return { error: error.log === '' ? error.message : `${error.log.trim().split('\n').at(-2) ?? error.message}` };
  } finally {
    for (const fd of fds) kernel.close(fd);
  }
}

/** An argument of `call`: 'ctx' (kept in r6), a number, 'fp-16', 'out+8', 'fmt', 'map:name', a label '&callback', or a register. */
export type Arg = string | number | bigint;

function setArg(reg: number, arg: Arg): string {
  if (typeof arg !== 'string') return `r${reg} = ${arg}${BigInt.asIntN(32, BigInt(arg)) === BigInt(arg) ? '' : ' ll'}`;
  if (arg === 'ctx') return `r${reg} = r6`;
  if (arg.startsWith('fp')) return `r${reg} = r10\nr${reg} += ${arg.slice(2)}`;
  if (arg.startsWith('map:')) return `r${reg} = map_fd ${arg.slice(4)}`;
  if (arg.startsWith('&')) return `r${reg} = func ${arg.slice(1)}`;
  const value = /^(out|fmt)(\+\d+)?$/.exec(arg);
  return value === null ? `r${reg} = ${arg}` : `r${reg} = map_value[${value[1]}]${value[2] ?? ''}`;
}

/** A helper call with its arguments. */
export const call = (helper: string, ...args: Arg[]): string => [...args.map((arg, index) => setArg(index + 1, arg)), `call ${helper}`].join('\n');

/** Keeps r0 in the map `out`, at a byte offset. */
export const keep = (offset: number): string => `r1 = map_value[out]+${offset}\n*(u64 *)(r1 +0) = r0`;

/** Keeps u32 fields of the context in the map `out`, one after the other from `offset`. */
export const keepFields = (offset: number, ...fields: number[]): string =>
  fields.map((field, index) => `r2 = *(u32 *)(r6 +${field})\nr1 = map_value[out]+${offset + 4 * index}\n*(u32 *)(r1 +0) = r2`).join('\n');

/** A program: r6 = ctx, the lines, and exit with r0 as it is. */
export const program = (...lines: string[]): string => `r6 = r1\n${lines.join('\n')}\nexit\n`;

/** A program that calls one helper and returns its result. */
export const oneCall = (helper: string, ...args: Arg[]): string => program(call(helper, ...args));
