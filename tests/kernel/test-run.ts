// BPF_PROG_TEST_RUN's rules as cases: a small program, a call, and what comes of it. The same calls go to the simulated kernel and to the real one.
// Left out: duration.

import { assemble } from '../../src/asm/assemble.ts';
import { encodeInsns } from '../../src/insn/encode.ts';
import { BPF_PROG_TYPE_SCHED_CLS, BPF_PROG_TYPE_SOCKET_FILTER, BPF_PROG_TYPE_XDP } from '../../src/spec/prog-types.ts';
import type { BpfSyscall, ProgTestRunAttr } from '../../src/spec/syscall.ts';
import { toHex } from '../../src/util/bytes.ts';
import { BpfSyscallError, TestRunSpaceError } from '../../src/util/errors.ts';

const TYPES = { xdp: BPF_PROG_TYPE_XDP, tc: BPF_PROG_TYPE_SCHED_CLS, socket: BPF_PROG_TYPE_SOCKET_FILTER } as const;

/** One call. `out` and `ctxOut` are sizes of the caller's buffers. */
export interface TestRunCase {
  readonly name: string;
  readonly type: keyof typeof TYPES;
  readonly text: string;
  readonly data?: Uint8Array;
  readonly out?: number;
  readonly ctx?: Uint8Array;
  readonly ctxOut?: number;
  readonly more?: Partial<ProgTestRunAttr>;
  readonly flags?: number;
}

/** What a kernel answered, for comparison: errno 0 when it ran. Buffers as they are afterwards. */
export interface TestRunAnswer {
  readonly errno: number;
  readonly retval?: number;
  readonly sizes?: readonly [data: number, ctx: number];
  readonly data: string;
  readonly ctx: string;
}

const FILL = 0xee;

/** Loads the case's program and makes the call. */
export function askTestRun(sys: BpfSyscall, one: TestRunCase): TestRunAnswer {
  const { fd } = sys.progLoad({ prog_type: TYPES[one.type], insns: encodeInsns(assemble(one.text).insns), license: 'GPL', log_level: 1, prog_flags: one.flags ?? 0 });
  const out = one.out === undefined ? undefined : new Uint8Array(one.out).fill(FILL);
  const ctxOut = one.ctxOut === undefined ? undefined : new Uint8Array(one.ctxOut).fill(FILL);
  const buffers = (): Pick<TestRunAnswer, 'data' | 'ctx'> => ({ data: toHex(out ?? new Uint8Array(0)), ctx: toHex(ctxOut ?? new Uint8Array(0)) });
  try {
    const { retval, data_size_out: dataBytes, ctx_size_out: ctxBytes } = sys.progTestRun({
      prog_fd: fd, ...(one.data === undefined ? {} : { data_in: one.data }), ...(out === undefined ? {} : { data_out: out }),
      ...(one.ctx === undefined ? {} : { ctx_in: one.ctx }), ...(ctxOut === undefined ? {} : { ctx_out: ctxOut }), ...one.more,
    });
    return { errno: 0, retval, sizes: [dataBytes, ctxBytes], ...buffers() };
  } catch (error) {
    if (error instanceof TestRunSpaceError) return { errno: error.errno, retval: error.partial.retval, sizes: [error.partial.data_size_out, error.partial.ctx_size_out], ...buffers() };
    if (error instanceof BpfSyscallError) return { errno: error.errno, ...buffers() };
    throw error;
  } finally {
    sys.close(fd);
  }
}

/** An Ethernet frame with an EtherType and counting bytes behind. */
function frame(length: number, etherType = 0x88b5): Uint8Array {
  const bytes = Uint8Array.from({ length }, (_, i) => i & 0xff);
  if (length >= 14) bytes.set([etherType >> 8, etherType & 0xff], 12);
  return bytes;
}

function words(sizeBytes: number, fields: Readonly<Record<number, number>>): Uint8Array {
  const bytes = new Uint8Array(sizeBytes);
  const view = new DataView(bytes.buffer);
  for (const [at, value] of Object.entries(fields)) view.setUint32(Number(at), value, true);
  return bytes;
}

const RETURN = (value: number): string => `r0 = ${value}\nexit\n`;
/** data_end - data */
const XDP_LENGTH = 'r2 = *(u32 *)(r1 +0)\nr0 = *(u32 *)(r1 +4)\nr0 -= r2\nexit\n';
/** data - data_meta */
const XDP_META = 'r2 = *(u32 *)(r1 +8)\nr0 = *(u32 *)(r1 +0)\nr0 -= r2\nexit\n';
const XDP_FIELD = (offset: number): string => `r0 = *(u32 *)(r1 +${offset})\nexit\n`;
/** Adds 1 to the packet's first byte and returns it. */
const XDP_COUNT = 'r2 = *(u32 *)(r1 +0)\nr3 = *(u32 *)(r1 +4)\nr4 = r2\nr4 += 14\nif r4 > r3 goto pc+4\nr0 = *(u8 *)(r2 +0)\nr0 += 1\n*(u8 *)(r2 +0) = r0\nexit\nr0 = 0\nexit\n';
const XDP_ADJUST = (helper: string, by: number): string => `r2 = ${by}\ncall ${helper}\nexit\n`;
const SKB_FIELD = (offset: number, size = 'u32'): string => `r0 = *(${size} *)(r1 +${offset})\nexit\n`;
const SKB_SET = (fields: Readonly<Record<number, number>>): string => `${Object.entries(fields).map(([at, value]) => `r2 = ${value}\n*(u32 *)(r1 +${at}) = r2\n`).join('')}r0 = 0\nexit\n`;

const SKB_BYTES = 192;
const XDP_BYTES = 24;

const sizes = (type: TestRunCase['type'], lengths: readonly number[], etherType: number): TestRunCase[] =>
  lengths.map((length) => ({ name: `data_in of ${length} bytes, EtherType ${etherType.toString(16)}`, type, text: RETURN(2), data: frame(length, etherType), out: 4096 }));

const XDP_CASES: readonly TestRunCase[] = [
  { name: 'no data', type: 'xdp', text: RETURN(1) },
  { name: 'no data_out', type: 'xdp', text: RETURN(1), data: frame(60) },
  ...sizes('xdp', [1, 13, 14, 15, 60, 3000, 3400], 0x0800),
  ...[0, 1, 13, 59, 60, 61, 200].map((out): TestRunCase => ({ name: `data_out of ${out} bytes for 60`, type: 'xdp', text: RETURN(3), data: frame(60), out })),
  { name: 'length', type: 'xdp', text: XDP_LENGTH, data: frame(99), out: 99 },
  ...[0, 1, 2, 10].map((repeat): TestRunCase => ({ name: `repeat ${repeat}`, type: 'xdp', text: XDP_COUNT, data: frame(20), out: 20, more: { repeat } })),
  ...[-14, -40, -200, 4, 46, 47, 60].map((by): TestRunCase => ({ name: `adjust_head ${by}`, type: 'xdp', text: XDP_ADJUST('bpf_xdp_adjust_head', by), data: frame(60), out: 400 })),
  ...[-46, -47, 1, 100, 400].map((by): TestRunCase => ({ name: `adjust_tail ${by}`, type: 'xdp', text: XDP_ADJUST('bpf_xdp_adjust_tail', by), data: frame(60), out: 600 })),
  ...[-4, -32, -252, -256, -3, 4].map((by): TestRunCase => ({ name: `adjust_meta ${by}`, type: 'xdp', text: XDP_ADJUST('bpf_xdp_adjust_meta', by), data: frame(60), out: 600, ctx: words(XDP_BYTES, { 4: 60 }), ctxOut: XDP_BYTES })),
  { name: 'ctx_in: the whole packet', type: 'xdp', text: XDP_LENGTH, data: frame(60), out: 60, ctx: words(XDP_BYTES, { 4: 60 }), ctxOut: XDP_BYTES },
  ...[4, 8, 32, 60].map((meta): TestRunCase => ({ name: `ctx_in: ${meta} bytes of metadata`, type: 'xdp', text: XDP_META, data: frame(100), out: 200, ctx: words(XDP_BYTES, { 0: meta, 4: 100 }), ctxOut: XDP_BYTES })),
  ...[1, 2, 3, 6, 86, 88, 100, 252, 256].map((meta): TestRunCase => ({ name: `ctx_in: ${meta} bytes of metadata that may not be`, type: 'xdp', text: XDP_META, data: frame(100), out: 200, ctx: words(XDP_BYTES, { 0: meta, 4: 100 }), ctxOut: XDP_BYTES })),
  ...[252, 256, 260].map((meta): TestRunCase => ({ name: `ctx_in: ${meta} bytes of metadata, a long packet`, type: 'xdp', text: XDP_META, data: frame(400), out: 600, ctx: words(XDP_BYTES, { 0: meta, 4: 400 }), ctxOut: XDP_BYTES })),
  { name: 'ctx_in: data behind data_end', type: 'xdp', text: RETURN(1), data: frame(100), ctx: words(XDP_BYTES, { 0: 64, 4: 60 }) },
  { name: 'ctx_in: data_end behind the data', type: 'xdp', text: RETURN(1), data: frame(100), ctx: words(XDP_BYTES, { 4: 101 }) },
  { name: 'ctx_in: data_meta', type: 'xdp', text: RETURN(1), data: frame(100), ctx: words(XDP_BYTES, { 4: 100, 8: 4 }) },
  { name: 'ctx_in: a device', type: 'xdp', text: XDP_FIELD(12), data: frame(60), ctx: words(XDP_BYTES, { 4: 60, 12: 1 }), ctxOut: XDP_BYTES },
  { name: 'ctx_in: no such device', type: 'xdp', text: XDP_FIELD(12), data: frame(60), ctx: words(XDP_BYTES, { 4: 60, 12: 9999 }) },
  { name: 'ctx_in: a queue of a device', type: 'xdp', text: XDP_FIELD(16), data: frame(60), ctx: words(XDP_BYTES, { 4: 60, 12: 1, 16: 9 }) },
  { name: 'ctx_in: a queue without device', type: 'xdp', text: RETURN(1), data: frame(60), ctx: words(XDP_BYTES, { 4: 60, 16: 1 }) },
  { name: 'ctx_in: egress_ifindex', type: 'xdp', text: RETURN(1), data: frame(60), ctx: words(XDP_BYTES, { 4: 60, 20: 1 }) },
  { name: 'ctx_in: shorter than the structure', type: 'xdp', text: XDP_LENGTH, data: frame(60), ctx: words(8, { 4: 60 }), ctxOut: 8 },
  { name: 'ctx_in: longer, the rest zero', type: 'xdp', text: XDP_LENGTH, data: frame(60), ctx: words(64, { 4: 60 }), ctxOut: 64 },
  { name: 'ctx_in: longer, the rest not zero', type: 'xdp', text: RETURN(1), data: frame(60), ctx: words(64, { 4: 60, 40: 1 }) },
  { name: 'ctx_out too small', type: 'xdp', text: RETURN(1), data: frame(60), out: 60, ctx: words(XDP_BYTES, { 4: 60 }), ctxOut: 12 },
  { name: 'ctx_in empty', type: 'xdp', text: XDP_LENGTH, data: frame(60), out: 60, ctx: new Uint8Array(0) },
  { name: 'ctx_out empty', type: 'xdp', text: XDP_LENGTH, data: frame(60), out: 60, ctxOut: 0 },
  { name: 'ctx_out alone', type: 'xdp', text: XDP_LENGTH, data: frame(60), out: 60, ctxOut: XDP_BYTES },
  { name: 'ctx_in all zero', type: 'xdp', text: XDP_LENGTH, data: frame(60), out: 60, ctx: words(XDP_BYTES, {}), ctxOut: XDP_BYTES },
  ...[13, 14, 40].map((linear): TestRunCase => ({ name: `ctx_in: ${linear} linear bytes of 60`, type: 'xdp', text: XDP_LENGTH, data: frame(60), out: 60, ctx: words(XDP_BYTES, { 4: linear }), ctxOut: XDP_BYTES })),
  ...[3520, 3521, 4000, 9000].map((length): TestRunCase => ({ name: `data_in of ${length} bytes`, type: 'xdp', text: XDP_LENGTH, data: frame(length), out: 10_000 })),
  { name: 'ingress_ifindex', type: 'xdp', text: XDP_FIELD(12), data: frame(60) },
  { name: 'unknown flag', type: 'xdp', text: RETURN(1), data: frame(60), more: { flags: 1 } },
  { name: 'batch_size without live frames', type: 'xdp', text: RETURN(1), data: frame(60), more: { batch_size: 4 } },
  { name: 'cpu', type: 'xdp', text: RETURN(1), data: frame(60), more: { cpu: 1 } },
];

/** Settable fields of __sk_buff by offset: mark, priority, ifindex, cb, tstamp, wire_len, gso_segs, gso_size, hwtstamp. */
const SETTABLE: readonly (readonly [number, number])[] = [[8, 77], [32, 78], [40, 1], [48, 1], [52, 2], [56, 3], [60, 4], [64, 5], [152, 1000], [160, 100], [164, 3], [176, 50], [184, 6]];
const READABLE = [0, 4, 8, 12, 16, 20, 24, 28, 32, 36, 40, 44, 48, 64, 68, 72, 160, 164, 176];

const SKB_CASES: readonly TestRunCase[] = (['tc', 'socket'] as const).flatMap((type): TestRunCase[] => [
  { name: 'no data', type, text: RETURN(1) },
  { name: 'no data_out', type, text: RETURN(1), data: frame(60) },
  ...sizes(type, [1, 13, 14, 15, 33, 34, 60, 3000, 3584, 3776], 0x0800),
  ...sizes(type, [14, 53, 54, 60], 0x86dd),
  ...sizes(type, [14, 18, 60], 0x8100),
  ...[0, 1, 59, 60, 200].map((out): TestRunCase => ({ name: `data_out of ${out} bytes for 60`, type, text: RETURN(3), data: frame(60), out })),
  ...[0, 1, 2, 10].map((repeat): TestRunCase => ({ name: `repeat ${repeat}`, type, text: 'r0 = *(u32 *)(r1 +48)\nr0 += 1\n*(u32 *)(r1 +48) = r0\nexit\n', data: frame(20), out: 20, more: { repeat } })),
  ...READABLE.filter((at) => type === 'tc' || (at !== 72 && at !== 160)).map((at): TestRunCase => ({ name: `field at ${at}`, type, text: SKB_FIELD(at), data: frame(60, 0x0800) })),
  ...READABLE.filter((at) => type === 'tc' || (at !== 72 && at !== 160)).map((at): TestRunCase => ({ name: `field at ${at}, ctx_in`, type, text: SKB_FIELD(at), data: frame(60, 0x0800), ctx: words(SKB_BYTES, { 8: 77, 48: 5, 160: 90 }) })),
  ...SETTABLE.map(([at, value]): TestRunCase => ({ name: `ctx_in sets ${at}`, type, text: RETURN(0), data: frame(60, 0x0800), out: 60, ctx: words(SKB_BYTES, { [at]: value }), ctxOut: SKB_BYTES })),
  ...[0, 4, 12, 16, 20, 24, 28, 36, 44, 68, 72, 76, 80, 84, 88, 92, 108, 128, 140, 144, 168, 180].map((at): TestRunCase => ({ name: `ctx_in may not set ${at}`, type, text: RETURN(0), data: frame(60, 0x0800), ctx: words(SKB_BYTES, { [at]: 1 }), ctxOut: SKB_BYTES })),
  { name: 'ctx_in: no such device', type, text: RETURN(0), data: frame(60), ctx: words(SKB_BYTES, { 40: 9999 }) },
  { name: 'ctx_in: wire_len too small', type, text: RETURN(0), data: frame(60), ctx: words(SKB_BYTES, { 160: 20 }) },
  { name: 'ctx_in: wire_len too large', type, text: RETURN(0), data: frame(60), ctx: words(SKB_BYTES, { 160: 70_000 }) },
  { name: 'ctx_in: gso_segs too large', type, text: RETURN(0), data: frame(60), ctx: words(SKB_BYTES, { 164: 65_536 }) },
  { name: 'ctx_in short', type, text: SKB_FIELD(8), data: frame(60), ctx: words(12, { 8: 9 }), ctxOut: 12 },
  { name: 'ctx_in long, zero', type, text: SKB_FIELD(8), data: frame(60), ctx: words(256, { 8: 9 }), ctxOut: 256 },
  { name: 'ctx_in long, not zero', type, text: SKB_FIELD(8), data: frame(60), ctx: words(256, { 8: 9, 200: 1 }) },
  { name: 'ctx_out alone', type, text: RETURN(0), data: frame(60, 0x0800), ctxOut: SKB_BYTES },
  { name: 'ctx_out empty', type, text: RETURN(0), data: frame(60, 0x0800), ctxOut: 0 },
  { name: 'ctx_in empty', type, text: RETURN(0), data: frame(60, 0x0800), ctx: new Uint8Array(0), ctxOut: SKB_BYTES },
  { name: 'ctx_out too small', type, text: RETURN(0), data: frame(60, 0x0800), out: 60, ctx: words(SKB_BYTES, {}), ctxOut: 16 },
  { name: 'a program sets cb', type, text: SKB_SET({ 48: 1, 64: 2 }), data: frame(60), ctx: words(SKB_BYTES, {}), ctxOut: SKB_BYTES },
  { name: 'unknown flag', type, text: RETURN(0), data: frame(60), more: { flags: 2 } },
  { name: 'cpu', type, text: RETURN(0), data: frame(60), more: { cpu: 1 } },
  { name: 'batch_size', type, text: RETURN(0), data: frame(60), more: { batch_size: 1 } },
]);

const TC_CASES: readonly TestRunCase[] = [
  { name: 'sets mark, priority, tc_index, tc_classid', type: 'tc', text: SKB_SET({ 8: 5, 32: 6, 44: 7, 72: 8 }), data: frame(60, 0x0800), ctx: words(SKB_BYTES, {}), ctxOut: SKB_BYTES },
  { name: 'change_tail', type: 'tc', text: 'r2 = 100\nr3 = 0\ncall bpf_skb_change_tail\nexit\n', data: frame(60, 0x0800), out: 200, ctx: words(SKB_BYTES, {}), ctxOut: SKB_BYTES },
  { name: 'change_head', type: 'tc', text: 'r2 = 14\nr3 = 0\ncall bpf_skb_change_head\nexit\n', data: frame(60, 0x0800), out: 200 },
  { name: 'vlan_push', type: 'tc', text: 'r2 = 129\nr3 = 42\ncall bpf_skb_vlan_push\nexit\n', data: frame(60, 0x0800), out: 200 },
  { name: 'checksum complete', type: 'tc', text: RETURN(0), data: frame(60, 0x0800), out: 60, more: { flags: 4 } },
];

/** Every case. */
export const TEST_RUN_CASES: readonly TestRunCase[] = [...XDP_CASES, ...SKB_CASES, ...TC_CASES];
