// BPF_PROG_TEST_RUN's rules on sizes and contexts, each run on the simulated kernel and, where there is permission, on the running one.
// Invariant: the expectation stands beside the call, so the simulated kernel is tested without Linux too.
// Source: net/bpf/test_run.c bpf_test_finish, bpf_ctx_init, convert___skb_to_skb, Linux 6.18.

import { afterAll, describe, expect, it } from 'vitest';
import { assemble } from '../src/asm/assemble.ts';
import { encodeInsns } from '../src/insn/encode.ts';
import { SimKernel } from '../src/kernel/sim-kernel.ts';
import { E2BIG, EINVAL, ENOSPC } from '../src/spec/errno.ts';
import { BPF_PROG_TYPE_SCHED_CLS, BPF_PROG_TYPE_SOCKET_FILTER, BPF_PROG_TYPE_XDP } from '../src/spec/prog-types.ts';
import type { BpfSyscall, ProgTestRunAttr } from '../src/spec/syscall.ts';
import { BpfSyscallError, TestRunSpaceError } from '../src/util/errors.ts';
import { viewOf } from '../src/util/bytes.ts';

/** The running kernel, or why it can't be asked. */
async function openHost(): Promise<BpfSyscall | string> {
  try {
    const { openLinuxKernel } = await import('../linux/index.ts');
    const kernel = await openLinuxKernel();
    kernel.progLoad({ prog_type: BPF_PROG_TYPE_SOCKET_FILTER, insns: encodeInsns(assemble('r0 = 0; exit').insns), license: 'GPL' });
    return kernel;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

const host = await openHost();
if (typeof host === 'string') console.log(`test-run on the running kernel skipped: ${host}`);
const SUBJECTS: [string, BpfSyscall][] = [['simulated kernel, JIT', new SimKernel()], ['simulated kernel, interpreter', new SimKernel({ engine: 'interp' })]];
if (typeof host !== 'string') SUBJECTS.push(['running kernel', host]);

const packet = (length: number): Uint8Array => Uint8Array.from({ length }, (_, i) => i & 0x7f);
const WIRE_LEN_AT = 160;
const SKB_MD_BYTES = 192;

describe.each(SUBJECTS)('%s', (_name, kernel) => {
  const load = (prog_type: number, text: string): number => kernel.progLoad({ prog_type, insns: encodeInsns(assemble(text).insns), license: 'GPL' }).fd;
  const xdp = load(BPF_PROG_TYPE_XDP, 'r0 = 2; exit');
  const tc = load(BPF_PROG_TYPE_SCHED_CLS, `r0 = *(u32 *)(r1 + ${WIRE_LEN_AT}); exit`);
  afterAll(() => {
    for (const fd of [xdp, tc]) kernel.close(fd);
  });
  const errnoOf = (attr: ProgTestRunAttr): number => {
    try {
      kernel.progTestRun(attr);
      return 0;
    } catch (error) {
      return error instanceof BpfSyscallError ? error.errno : -1;
    }
  };

  it('reports the packet\'s size where no buffer asks for its bytes', () => {
    expect(kernel.progTestRun({ prog_fd: xdp, data_in: packet(100) })).toMatchObject({ retval: 2, data_size_out: 100 });
  });

  it('fills a packet buffer that is too small, answers ENOSPC and still says what the program returned', () => {
    const out = new Uint8Array(20);
    let thrown: unknown;
    try {
      kernel.progTestRun({ prog_fd: xdp, data_in: packet(100), data_out: out });
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(TestRunSpaceError);
    expect(thrown).toMatchObject({ errno: ENOSPC, partial: { retval: 2, data_size_out: 100 } });
    expect(out).toEqual(packet(100).subarray(0, 20));
  });

  it('fills a context buffer that is too small, and answers ENOSPC', () => {
    expect(errnoOf({ prog_fd: tc, data_in: packet(64), ctx_out: new Uint8Array(8) })).toBe(ENOSPC);
  });

  it('wants an Ethernet header', () => {
    expect(errnoOf({ prog_fd: xdp, data_in: packet(13) })).toBe(EINVAL);
    expect(errnoOf({ prog_fd: xdp, data_in: packet(14) })).toBe(0);
    expect(errnoOf({ prog_fd: tc, data_in: packet(13) })).toBe(EINVAL);
    expect(errnoOf({ prog_fd: tc })).toBe(EINVAL);
  });

  it('takes a longer context if what is beyond __sk_buff is zero', () => {
    const longer = new Uint8Array(SKB_MD_BYTES + 8);
    expect(errnoOf({ prog_fd: tc, data_in: packet(64), ctx_in: longer })).toBe(0);
    longer[SKB_MD_BYTES + 1] = 1;
    expect(errnoOf({ prog_fd: tc, data_in: packet(64), ctx_in: longer })).toBe(E2BIG);
  });

  it('counts the bytes on the wire only for a given context', () => {
    const ctx = new Uint8Array(SKB_MD_BYTES);
    expect(kernel.progTestRun({ prog_fd: tc, data_in: packet(64) }).retval).toBe(0);
    expect(kernel.progTestRun({ prog_fd: tc, data_in: packet(64), ctx_in: ctx }).retval).toBe(64);
    viewOf(ctx).setUint32(WIRE_LEN_AT, 80, true);
    expect(kernel.progTestRun({ prog_fd: tc, data_in: packet(64), ctx_in: ctx }).retval).toBe(80);
    viewOf(ctx).setUint32(WIRE_LEN_AT, 63, true);
    expect(errnoOf({ prog_fd: tc, data_in: packet(64), ctx_in: ctx })).toBe(EINVAL);
  });

  it('refuses context fields that cannot be set, and unknown flags', () => {
    const ctx = new Uint8Array(SKB_MD_BYTES);
    ctx[0] = 1;
    expect(errnoOf({ prog_fd: tc, data_in: packet(64), ctx_in: ctx })).toBe(EINVAL);
    expect(errnoOf({ prog_fd: tc, data_in: packet(64), flags: 1 })).toBe(EINVAL);
    expect(errnoOf({ prog_fd: xdp, data_in: packet(64), flags: 1 })).toBe(EINVAL);
  });
});
