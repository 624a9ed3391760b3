// BPF_PROG_TEST_RUN for packet programs: sizes, contexts in and out, repeats, as the kernel has them.
// Invariant: repeats run on the same packet without restoring it, as in the kernel; a packet buffer that is too small is filled and ENOSPC.
// Source: net/bpf/test_run.c bpf_prog_test_run_xdp, bpf_prog_test_run_skb, Linux 6.18.

import { BPF_XDP_CPUMAP, BPF_XDP_DEVMAP } from '../spec/attach-types.ts';
import { SK_BUFF } from '../spec/context.ts';
import { E2BIG, EINVAL, ENODEV, ENOSPC, ENOTSUPP, errnoName } from '../spec/errno.ts';
import { BPF_PROG_TYPE_SCHED_ACT, BPF_PROG_TYPE_SCHED_CLS, BPF_PROG_TYPE_SOCKET_FILTER, BPF_PROG_TYPE_XDP } from '../spec/prog-types.ts';
import type { ProgTestRunAttr, ProgTestRunResult } from '../spec/syscall.ts';
import { viewOf } from '../util/bytes.ts';
import { BpfSyscallError, NotSupportedError, TestRunSpaceError } from '../util/errors.ts';
import type { SkbHook } from './hooks/skb.ts';
import { XDP_MAX_LINEAR, type XdpHook } from './hooks/xdp.ts';
import { ETH_HLEN, XDP_PACKET_HEADROOM } from '../spec/limits.ts';
import type { Machine } from './machine.ts';
import type { SimNet } from './net.ts';
import type { SimProg } from './sim-prog.ts';

const COMMAND = 'BPF_PROG_TEST_RUN';
const BPF_F_TEST_XDP_LIVE_FRAMES = 2;
const BPF_F_TEST_SKB_CHECKSUM_COMPLETE = 4;
const XDP_MD_BYTES = 24;
const SKB_MD_BYTES = 192;
/** XDP metadata: at most this much, and room must stay for struct xdp_frame in front of it. */
const XDP_META_MAX = 252;
const XDP_FRAME_BYTES = 40;
/** One page less NET_SKB_PAD and skb_shared_info. */
const SKB_MAX_LINEAR = 4096 - 64 - 320;
const GSO_MAX_SEGS = 65535;
const GSO_LEGACY_MAX_SIZE = 65536;

/** What a test run needs of its kernel. */
export interface TestRunContext {
  readonly machine: Machine;
  readonly net: SimNet;
  readonly xdp: XdpHook;
  readonly skb: SkbHook;
  readonly fuel: bigint | undefined;
  readonly nowNs: (() => bigint) | undefined;
}

/** An outcome before it is copied to the caller's buffers. */
interface Outcome { readonly retval: number; readonly durationNs: number; readonly data: Uint8Array; readonly ctx: Uint8Array | undefined }

const fail = (errno: number, why: string): never => {
  throw new BpfSyscallError(COMMAND, errno, `${errnoName(errno)}: ${why}`);
};

/** Runs the program once or `repeat` times. Throws BpfSyscallError; NotSupportedError for live frames and multi-buffer packets. */
export function progTestRun(prog: SimProg, attr: ProgTestRunAttr, context: TestRunContext): ProgTestRunResult {
  const run = RUNNERS.get(prog.progType);
  if (run === undefined) return fail(ENOTSUPP, 'programs of this type cannot be test-run');
  const outcome = run(prog, attr, context);
  return finish(attr, outcome);
}

type Runner = (prog: SimProg, attr: ProgTestRunAttr, context: TestRunContext) => Outcome;

const RUNNERS: ReadonlyMap<number, Runner> = new Map<number, Runner>([
  [BPF_PROG_TYPE_XDP, runXdp],
  [BPF_PROG_TYPE_SCHED_CLS, runSkb],
  [BPF_PROG_TYPE_SCHED_ACT, runSkb],
  [BPF_PROG_TYPE_SOCKET_FILTER, runSkb],
]);

function finish(attr: ProgTestRunAttr, outcome: Outcome): ProgTestRunResult {
  const { data_out: out, ctx_out: ctxOut } = attr;
  const data = outcome.data.length;
  const result = (ctxBytes: number): ProgTestRunResult =>
    ({ retval: outcome.retval, duration: outcome.durationNs, data_size_out: data, ctx_size_out: ctxBytes });
  if (out !== undefined) out.set(outcome.data.subarray(0, out.length));
  if (out !== undefined && out.length > 0 && data > out.length) {
    throw new TestRunSpaceError(ENOSPC, `ENOSPC: the packet is ${data} bytes long, data_out has room for ${out.length}`, result(0));
  }
  if (ctxOut === undefined || ctxOut.length === 0 || outcome.ctx === undefined) return result(0);
  const ctx = outcome.ctx.length;
  ctxOut.set(outcome.ctx.subarray(0, ctxOut.length));
  if (ctx > ctxOut.length) throw new TestRunSpaceError(ENOSPC, `ENOSPC: the context is ${ctx} bytes long, ctx_out has room for ${ctxOut.length}`, result(ctx));
  return result(ctx);
}

/** The caller's context, zero-extended to its type's size; undefined without one. Bytes beyond the type must be zero (E2BIG). */
function contextIn(attr: ProgTestRunAttr, sizeBytes: number): Uint8Array | undefined {
  // An empty buffer is the null pointer of the system call.
  if ((attr.ctx_in?.length ?? 0) === 0 && (attr.ctx_out?.length ?? 0) === 0) return undefined;
  const given = attr.ctx_in ?? new Uint8Array(0);
  if (given.subarray(sizeBytes).some((byte) => byte !== 0)) return fail(E2BIG, `ctx_in has non-zero bytes beyond ${sizeBytes}`);
  const bytes = new Uint8Array(sizeBytes);
  bytes.set(given.subarray(0, sizeBytes));
  return bytes;
}

function repeatRun(prog: SimProg, ctx: number, attr: ProgTestRunAttr, context: TestRunContext): { retval: number; durationNs: number } {
  const repeat = Math.max(1, attr.repeat ?? 1);
  const started = context.nowNs?.() ?? 0n;
  let retval = 0;
  for (let i = 0; i < repeat; i++) retval = context.machine.run(context.fuel, () => prog.executable.run(ctx));
  const elapsed = (context.nowNs?.() ?? 0n) - started;
  return { retval, durationNs: Number(elapsed / BigInt(repeat)) };
}

function runXdp(prog: SimProg, attr: ProgTestRunAttr, context: TestRunContext): Outcome {
  const data = attr.data_in ?? new Uint8Array(0);
  const flags = attr.flags ?? 0;
  if (prog.expectedAttachType === BPF_XDP_DEVMAP || prog.expectedAttachType === BPF_XDP_CPUMAP) return fail(EINVAL, 'programs for map elements cannot be test-run');
  if ((flags & BPF_F_TEST_XDP_LIVE_FRAMES) !== 0) throw new NotSupportedError('BPF_F_TEST_XDP_LIVE_FRAMES');
  if (flags !== 0 || (attr.batch_size ?? 0) !== 0) return fail(EINVAL, 'unknown flags, or batch_size without BPF_F_TEST_XDP_LIVE_FRAMES');
  const md = contextIn(attr, XDP_MD_BYTES);
  const { metaBytes, linearBytes, ifindex, rxQueue } = xdpContext(md, data.length, context.net);
  if (data.length - metaBytes < ETH_HLEN) return fail(EINVAL, `data_in of ${data.length} bytes is shorter than an Ethernet header`);
  if (data.length > linearBytes || linearBytes > XDP_MAX_LINEAR + metaBytes) {
    throw new NotSupportedError(`XDP packets of several buffers: ${data.length} bytes of which ${Math.min(linearBytes, XDP_MAX_LINEAR)} are linear (ctx_in's data_end, at most ${XDP_MAX_LINEAR})`);
  }
  context.xdp.put(data, { ifindex, rxQueue }, metaBytes);
  const { retval, durationNs } = repeatRun(prog, context.xdp.context, attr, context);
  const out = context.xdp.packet(true);
  if (md !== undefined) {
    viewOf(md).setUint32(0, context.xdp.metaBytes, true);
    viewOf(md).setUint32(4, out.length, true);
  }
  return { retval, durationNs, data: out, ctx: md };
}

function xdpContext(md: Uint8Array | undefined, dataBytes: number, net: SimNet): { metaBytes: number; linearBytes: number; ifindex: number; rxQueue: number } {
  if (md === undefined) return { metaBytes: 0, linearBytes: dataBytes, ifindex: 1, rxQueue: 0 };
  const u32 = (at: number): number => viewOf(md).getUint32(at, true);
  const [data, dataEnd, dataMeta, ingress, rxQueue, egress] = [u32(0), u32(4), u32(8), u32(12), u32(16), u32(20)] as const;
  if (dataMeta !== 0 || dataEnd > dataBytes || data > dataEnd) return fail(EINVAL, 'ctx_in: data_meta must be 0, data ≤ data_end ≤ data_size_in');
  if (data % 4 !== 0 || data > XDP_META_MAX || data > XDP_PACKET_HEADROOM - XDP_FRAME_BYTES) return fail(EINVAL, `ctx_in: ${data} bytes of metadata`);
  if (egress !== 0 || (ingress === 0 && rxQueue !== 0)) return fail(EINVAL, 'ctx_in: egress_ifindex, or rx_queue_index without ingress_ifindex');
  if (ingress !== 0 && net.device(ingress) === undefined) return fail(ENODEV, `ctx_in: no device ${ingress}`);
  if (rxQueue !== 0) return fail(EINVAL, `ctx_in: no receive queue ${rxQueue}`);
  return { metaBytes: data, linearBytes: dataEnd, ifindex: ingress === 0 ? 1 : ingress, rxQueue };
}

/** User-side __sk_buff fields that ctx_in may set and ctx_out reports: offset, bytes, kernel-side offset. */
const SKB_CTX = [
  [8, 4, SK_BUFF.mark], [32, 4, SK_BUFF.priority], [36, 4, SK_BUFF.ingress_ifindex], [40, 4, SK_BUFF.ifindex], [48, 20, SK_BUFF.cb],
  [152, 8, SK_BUFF.tstamp], [160, 4, SK_BUFF.wire_len], [164, 4, SK_BUFF.gso_segs], [176, 4, SK_BUFF.gso_size], [184, 8, SK_BUFF.hwtstamp],
] as const;
const IFINDEX_AT = 40;
const WIRE_LEN_AT = 160;
const GSO_SEGS_AT = 164;

function runSkb(prog: SimProg, attr: ProgTestRunAttr, context: TestRunContext): Outcome {
  const data = attr.data_in ?? new Uint8Array(0);
  if (((attr.flags ?? 0) & ~BPF_F_TEST_SKB_CHECKSUM_COMPLETE) !== 0 || (attr.cpu ?? 0) !== 0 || (attr.batch_size ?? 0) !== 0) return fail(EINVAL, 'unknown flags, cpu or batch_size');
  if (data.length < ETH_HLEN || data.length > SKB_MAX_LINEAR) return fail(EINVAL, `data_in of ${data.length} bytes: ${ETH_HLEN} to ${SKB_MAX_LINEAR} are allowed`);
  const md = contextIn(attr, SKB_MD_BYTES);
  const linkLayer = prog.progType !== BPF_PROG_TYPE_SOCKET_FILTER;
  const ifindex = md === undefined ? 1 : Math.max(1, viewOf(md).getUint32(IFINDEX_AT, true));
  const device = context.net.device(ifindex) ?? fail(ENODEV, `ctx_in: no device ${ifindex}`);
  context.skb.put(data, { device, linkLayer, ingressIfindex: 0, untag: false });
  checkHeader(data);
  if (md !== undefined) skbContextIn(md, context.skb);
  else context.skb.buff.setU32(SK_BUFF.wire_len, 0); // Only a given context makes the kernel count the link's bytes.
  const { retval, durationNs } = repeatRun(prog, context.skb.context, attr, context);
  if (!linkLayer) context.skb.pushZeroedLinkLayer();
  if (md !== undefined) skbContextOut(md, context.skb);
  return { retval, durationNs, data: context.skb.packet(), ctx: md };
}

/** IPv4 and IPv6 packets must hold their header. */
function checkHeader(data: Uint8Array): void {
  const type = viewOf(data).getUint16(12);
  const need = type === 0x0800 ? 20 : type === 0x86dd ? 40 : 0;
  if (data.length - ETH_HLEN < need) fail(EINVAL, `data_in of ${data.length} bytes is too short for its IP header`);
}

const isInCtx = (at: number): boolean => SKB_CTX.some(([offset, size]) => at >= offset && at < offset + size);

function skbContextIn(md: Uint8Array, skb: SkbHook): void {
  const view = viewOf(md);
  if (md.some((byte, at) => byte !== 0 && !isInCtx(at))) fail(EINVAL, 'ctx_in sets a field of __sk_buff that cannot be set');
  const wireLen = view.getUint32(WIRE_LEN_AT, true);
  const length = skb.buff.u32(SK_BUFF.len);
  if (wireLen !== 0 && (wireLen < length || wireLen > GSO_LEGACY_MAX_SIZE)) fail(EINVAL, `ctx_in: wire_len ${wireLen}`);
  if (view.getUint32(GSO_SEGS_AT, true) > GSO_MAX_SEGS) fail(EINVAL, 'ctx_in: gso_segs over 65535');
  const { buff } = skb;
  const ifindex = buff.u32(SK_BUFF.ifindex);
  for (const [offset, size, kernelOffset] of SKB_CTX) buff.setBytes(kernelOffset, md.subarray(offset, offset + size));
  buff.setU32(SK_BUFF.ifindex, ifindex);
  if (wireLen === 0) buff.setU32(SK_BUFF.wire_len, length);
}

function skbContextOut(md: Uint8Array, skb: SkbHook): void {
  for (const [offset, size, kernelOffset] of SKB_CTX) md.set(skb.buff.bytes(kernelOffset, size), offset);
}
