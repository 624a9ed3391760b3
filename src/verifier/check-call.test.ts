// Helper calls, from the prototype to the result: each program is small, and each message is what Linux 6.18 says of it.

import { describe, expect, it } from 'vitest';
import type { Insn } from '../insn/insn.ts';
import {
  BPF_FUNC_get_current_comm, BPF_FUNC_get_prandom_u32, BPF_FUNC_map_lookup_elem, BPF_FUNC_map_update_elem, BPF_FUNC_ringbuf_reserve,
  BPF_FUNC_ringbuf_submit, BPF_FUNC_skb_pull_data, BPF_FUNC_sk_lookup_tcp, BPF_FUNC_spin_lock, BPF_FUNC_tail_call, BPF_FUNC_trace_printk,
  BPF_FUNC_xdp_adjust_head,
} from '../spec/helpers.ts';
import { BPF_PROG_TYPE_SCHED_CLS, BPF_PROG_TYPE_SOCKET_FILTER, BPF_PROG_TYPE_XDP } from '../spec/prog-types.ts';
import type { VerifierMap } from './api.ts';
import { isValidFormat } from './const-str.ts';
import { verifyProgram } from './verify.ts';

const insn = (code: number, dst = 0, src = 0, off = 0, imm = 0): Insn => ({ code, dst, src, off, imm });
const mov = (dst: number, imm: number): Insn => insn(0xb7, dst, 0, 0, imm);
const movReg = (dst: number, src: number): Insn => insn(0xbf, dst, src);
const add = (dst: number, imm: number): Insn => insn(0x07, dst, 0, 0, imm);
const load = (dst: number, src: number, off: number): Insn => insn(0x61, dst, src, off);
const store = (dst: number, off: number, imm: number): Insn => insn(0x7a, dst, 0, off, imm);
const jeq0 = (dst: number, off: number): Insn => insn(0x15, dst, 0, off, 0);
const call = (id: number): Insn => insn(0x85, 0, 0, 0, id);
const exit = insn(0x95);
const fp = (dst: number, off: number): Insn[] => [movReg(dst, 10), add(dst, off)];
const ldMap = (dst: number, fd: number): Insn[] => [insn(0x18, dst, 1, 0, fd), insn(0)];

const HASH = 10;
const RINGBUF = 11;
const PROGS = 12;
const ARRAY = 13;
const LOCKED = 14;
const RDONLY = 15;
const map = (mapType: number, keySize: number, valueSize: number, more: Partial<VerifierMap> = {}): VerifierMap => ({
  id: 1, name: '', mapType, keySize, valueSize, maxEntries: 4, mapFlags: 0, ...more,
});
const MAPS = new Map<number, VerifierMap>([
  [HASH, map(1, 4, 16)], [RINGBUF, map(27, 0, 0, { maxEntries: 4096 })], [PROGS, map(3, 4, 4)], [ARRAY, map(2, 4, 16)],
  [LOCKED, map(1, 4, 16, { spinLockOffset: 4 })], [RDONLY, map(1, 4, 16, { mapFlags: 128 })],
]);

function verdict(type: number, insns: readonly Insn[], license = 'GPL'): string {
  const prog = { name: '', type, expectedAttachType: 0, insns, license, flags: 0, funcInfo: [], lineInfo: [] };
  const caps = { bpf: true, perfmon: true, netAdmin: true, sysAdmin: true };
  const result = verifyProgram(prog, { caps, kernel: 6018, logLevel: 1, mapByFd: (fd) => MAPS.get(fd) });
  return result.verdict === 'accept' ? 'accept' : result.message;
}

const END = [mov(0, 0), exit];
const lookup = (fd: number, key = 0): Insn[] => [insn(0x62, 10, 0, -8, key), ...fp(2, -8), ...ldMap(1, fd), call(BPF_FUNC_map_lookup_elem)];
const reserve = [...ldMap(1, RINGBUF), mov(2, 8), mov(3, 0), call(BPF_FUNC_ringbuf_reserve)];

describe('which helper may be called', () => {
  it.each([
    ['a number that is no helper', BPF_PROG_TYPE_XDP, [call(9999), ...END], 'GPL', 'invalid func unknown#9999'],
    ['one of another program type', BPF_PROG_TYPE_SOCKET_FILTER, [mov(2, 0), call(BPF_FUNC_xdp_adjust_head), ...END], 'GPL',
      'program of this type cannot use helper bpf_xdp_adjust_head#44'],
    ['a GPL-only one', BPF_PROG_TYPE_XDP, [...fp(1, -8), mov(2, 8), call(BPF_FUNC_trace_printk), ...END], 'MIT',
      'cannot call GPL-restricted function from non-GPL compatible program'],
  ] as const)('%s', (_name, type, insns, license, message) => {
    expect(verdict(type, insns, license)).toBe(message);
  });
});

describe('arguments', () => {
  it.each([
    ['an uninitialised register', [...ldMap(1, HASH), call(BPF_FUNC_map_lookup_elem), ...END], 'R2 !read_ok'],
    ['a wrong type', [mov(1, 0), ...fp(2, -4), call(BPF_FUNC_map_lookup_elem), ...END], 'R1 type=scalar expected=map_ptr'],
    ['a scalar for memory', [...ldMap(1, HASH), mov(2, 1), call(BPF_FUNC_map_lookup_elem), ...END],
      'R2 type=scalar expected=fp, pkt, pkt_meta, map_key, map_value, mem, ringbuf_mem, buf, trusted_ptr_'],
    ['a key beyond the stack', [...ldMap(1, HASH), movReg(2, 10), call(BPF_FUNC_map_lookup_elem), ...END], 'invalid read from stack R2 off=0 size=4'],
    ['a size that may be negative', [...fp(1, -8), call(BPF_FUNC_get_prandom_u32), movReg(2, 0), ...fp(1, -8), call(BPF_FUNC_trace_printk), ...END],
      "R2 min value is negative, either use unsigned or 'var &= const'"],
    ['a size of zero', [...fp(1, -8), mov(2, 0), call(BPF_FUNC_trace_printk), ...END], 'R2 invalid zero-sized read: u64=[0,0]'],
    ['a size without bound', [call(BPF_FUNC_get_prandom_u32), movReg(2, 0), insn(0x77, 2, 0, 0, 1), insn(0x47, 2, 0, 0, 1), ...fp(1, -8), call(BPF_FUNC_trace_printk), ...END],
      "R2 unbounded memory access, use 'var &= const' or 'if (var < const)'"],
    ['a map of a wrong type', [insn(0x62, 10, 0, -4, 0), ...fp(2, -4), ...ldMap(1, PROGS), call(BPF_FUNC_map_lookup_elem), ...END],
      'cannot pass map_type 3 into func bpf_map_lookup_elem#1'],
    ['a write to a read-only map', [store(10, -16, 0), store(10, -8, 0), insn(0x62, 10, 0, -20, 0), ...fp(2, -20), ...fp(3, -16), mov(4, 0), ...ldMap(1, RDONLY),
      call(BPF_FUNC_map_update_elem), ...END], 'write into map forbidden'],
    ['memory that the helper fills', [...fp(1, -16), mov(2, 16), call(BPF_FUNC_get_current_comm), load(0, 10, -16), exit], 'accept'],
  ] as const)('%s', (_name, insns, message) => {
    expect(verdict(BPF_PROG_TYPE_XDP, insns)).toBe(message);
  });
});

describe('results', () => {
  it.each([
    ['a map value without a NULL check', [...lookup(HASH), load(0, 0, 0), exit], "R0 invalid mem access 'map_value_or_null'"],
    ['a map value with one', [...lookup(HASH), jeq0(0, 1), load(0, 0, 0), ...END], 'accept'],
    ['an array element of a known index', [...lookup(ARRAY, 3), load(0, 0, 0), ...END], 'accept'],
    ['an array element out of range', [...lookup(ARRAY, 4), load(0, 0, 0), ...END], "R0 invalid mem access 'map_value_or_null'"],
    ['arithmetic before the check', [...lookup(HASH), add(0, 4), ...END], 'R0 pointer arithmetic on map_value_or_null prohibited, null-check it first'],
    ['r1 after a call', [call(BPF_FUNC_get_prandom_u32), movReg(0, 1), exit], 'R1 !read_ok'],
  ] as const)('%s', (_name, insns, message) => {
    expect(verdict(BPF_PROG_TYPE_XDP, insns)).toBe(message);
  });

  it('a packet pointer after the packet may have moved', () => {
    const insns = [movReg(6, 1), load(7, 6, 76), mov(2, 0), call(BPF_FUNC_skb_pull_data), load(0, 7, 0), exit];
    expect(verdict(BPF_PROG_TYPE_SCHED_CLS, insns)).toBe("R7 invalid mem access 'scalar'");
  });
});

describe('references', () => {
  const socket = [movReg(6, 1), store(10, -16, 0), store(10, -8, 0), movReg(1, 6), ...fp(2, -16), mov(3, 12), mov(4, 0), mov(5, 0), call(BPF_FUNC_sk_lookup_tcp)];
  it.each([
    ['never released', BPF_PROG_TYPE_XDP, [...reserve, ...END], 'BPF_EXIT instruction in main prog would lead to reference leak'],
    ['released once', BPF_PROG_TYPE_XDP, [...reserve, jeq0(0, 3), movReg(1, 0), mov(2, 0), call(BPF_FUNC_ringbuf_submit), ...END], 'accept'],
    ['released without a NULL check', BPF_PROG_TYPE_XDP, [...reserve, movReg(1, 0), mov(2, 0), call(BPF_FUNC_ringbuf_submit), ...END],
      'R1 type=ringbuf_mem_or_null expected=ringbuf_mem'],
    ['released not at its start', BPF_PROG_TYPE_XDP, [...reserve, jeq0(0, 4), movReg(1, 0), add(1, 4), mov(2, 0), call(BPF_FUNC_ringbuf_submit), ...END],
      'R1 must have zero offset when passed to release func or trusted arg to kfunc'],
    ['a socket that leaks', BPF_PROG_TYPE_SCHED_CLS, [...socket, ...END], 'BPF_EXIT instruction in main prog would lead to reference leak'],
    ['held across a tail call', BPF_PROG_TYPE_XDP, [movReg(6, 1), ...reserve, movReg(1, 6), ...ldMap(2, PROGS), mov(3, 0), call(BPF_FUNC_tail_call), ...END],
      'tail_call would lead to reference leak'],
  ] as const)('%s', (_name, type, insns, message) => {
    expect(verdict(type, insns)).toBe(message);
  });
});

describe('locks', () => {
  const locked = (...then: Insn[]): Insn[] => [...lookup(LOCKED), jeq0(0, then.length + 4), movReg(6, 0), movReg(1, 6), add(1, 4), call(BPF_FUNC_spin_lock), ...then, ...END];
  it.each([
    ['left locked', locked(), 'BPF_EXIT instruction in main prog cannot be used inside bpf_spin_lock-ed region'],
    ['a call while locked', locked(call(BPF_FUNC_get_prandom_u32)), 'function calls are not allowed while holding a lock'],
    ['a load of the lock', [...lookup(LOCKED), jeq0(0, 1), load(0, 0, 4), ...END], 'bpf_spin_lock cannot be accessed directly by load/store'],
    ['not at the lock', [...lookup(LOCKED), jeq0(0, 2), movReg(1, 0), call(BPF_FUNC_spin_lock), ...END], "off 0 doesn't point to 'struct bpf_spin_lock' that is at 4"],
  ] as const)('%s', (_name, insns, message) => {
    expect(verdict(BPF_PROG_TYPE_SCHED_CLS, insns)).toBe(message);
  });
});

describe('formats of bpf_snprintf', () => {
  it.each([
    ['%d %s', 2, true], ['%d %s', 1, false], ['100%%', 0, true], ['%pI4 %pi6', 2, true], ['%pX', 1, false], ['%5lld %-08x', 2, true], ['%f', 1, false],
    ['%ps;%pS %pK', 3, true], ['%pks', 1, true], ['%sx', 1, false], ['\u0001', 0, false], ['%', 1, false],
  ])('%s with %i arguments', (format, args, valid) => {
    expect(isValidFormat(format, args)).toBe(valid);
  });
});
