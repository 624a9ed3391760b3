// Context rules as a running 6.18 answers them (each line was asked of one), and the conversion to the kernel-side record.

import { describe, expect, it } from 'vitest';
import { BPF_XDP_DEVMAP } from './attach-types.ts';
import type { CtxRequest } from './context.ts';
import { checkCtxAccess, convertCtxAccess, ctxAccessOf, ctxFieldAt, SK_BUFF, SK_BUFF_MD, XDP_BUFF, XDP_MD } from './context.ts';
import { BPF_PROG_TYPE_CGROUP_SKB, BPF_PROG_TYPE_SCHED_CLS, BPF_PROG_TYPE_SOCKET_FILTER, BPF_PROG_TYPE_XDP } from './prog-types.ts';
import { PTR_TO_PACKET, PTR_TO_PACKET_END, PTR_TO_SOCK_COMMON_OR_NULL, SCALAR_VALUE } from './verifier-types.ts';

const ask = (type: number, offset: number, sizeBytes: number, more: Partial<CtxRequest> = {}): number | undefined => {
  const access = ctxAccessOf(type);
  if (access === undefined) return undefined;
  const request = { offset, sizeBytes, write: false, ldsx: false, expectedAttachType: 0, capBpf: true, ...more };
  return checkCtxAccess(access, request)?.regType;
};

describe('xdp_md', () => {
  it('is read whole, never written', () => {
    expect(ask(BPF_PROG_TYPE_XDP, 0, 4)).toBe(PTR_TO_PACKET);
    expect(ask(BPF_PROG_TYPE_XDP, 4, 4)).toBe(PTR_TO_PACKET_END);
    expect(ask(BPF_PROG_TYPE_XDP, 0, 4, { ldsx: true })).toBeUndefined();
    expect(ask(BPF_PROG_TYPE_XDP, 12, 4, { ldsx: true })).toBe(SCALAR_VALUE);
    expect(ask(BPF_PROG_TYPE_XDP, 12, 2)).toBeUndefined();
    expect(ask(BPF_PROG_TYPE_XDP, 12, 4, { write: true })).toBeUndefined();
    expect(ask(BPF_PROG_TYPE_XDP, 24, 4)).toBeUndefined();
  });

  it('has egress_ifindex only on a devmap', () => {
    expect(ask(BPF_PROG_TYPE_XDP, 20, 4)).toBeUndefined();
    expect(ask(BPF_PROG_TYPE_XDP, 20, 4, { expectedAttachType: BPF_XDP_DEVMAP })).toBe(SCALAR_VALUE);
  });
});

describe('__sk_buff', () => {
  it('gives packet pointers to TC and none to socket filters', () => {
    expect(ask(BPF_PROG_TYPE_SCHED_CLS, 76, 4)).toBe(PTR_TO_PACKET);
    expect(ask(BPF_PROG_TYPE_SOCKET_FILTER, 76, 4)).toBeUndefined();
    expect(ask(BPF_PROG_TYPE_CGROUP_SKB, 76, 4, { capBpf: false })).toBeUndefined();
    expect(ask(BPF_PROG_TYPE_SOCKET_FILTER, 168, 8)).toBe(PTR_TO_SOCK_COMMON_OR_NULL);
    expect(ask(BPF_PROG_TYPE_SOCKET_FILTER, 168, 4)).toBeUndefined();
  });

  it('is read narrowly, written whole', () => {
    expect(ask(BPF_PROG_TYPE_SOCKET_FILTER, 0, 1)).toBe(SCALAR_VALUE);
    expect(ask(BPF_PROG_TYPE_SOCKET_FILTER, 1, 2)).toBeUndefined();
    expect(ask(BPF_PROG_TYPE_SOCKET_FILTER, 0, 8)).toBeUndefined();
    expect(ask(BPF_PROG_TYPE_SCHED_CLS, 8, 4, { write: true })).toBe(SCALAR_VALUE);
    expect(ask(BPF_PROG_TYPE_SCHED_CLS, 8, 2, { write: true })).toBeUndefined();
    expect(ask(BPF_PROG_TYPE_SOCKET_FILTER, 8, 4, { write: true })).toBeUndefined();
  });

  it('lets cb be used in any width', () => {
    expect(ask(BPF_PROG_TYPE_SOCKET_FILTER, 48, 8, { write: true })).toBe(SCALAR_VALUE);
    expect(ask(BPF_PROG_TYPE_SOCKET_FILTER, 67, 1, { write: true })).toBe(SCALAR_VALUE);
    expect(ask(BPF_PROG_TYPE_SOCKET_FILTER, 64, 8)).toBeUndefined();
  });

  it('keeps its padding to itself', () => {
    expect(ask(BPF_PROG_TYPE_SCHED_CLS, 180, 1)).toBe(SCALAR_VALUE);
    expect(ask(BPF_PROG_TYPE_SCHED_CLS, 181, 1)).toBeUndefined();
    expect(ask(BPF_PROG_TYPE_SCHED_CLS, 184, 8)).toBe(SCALAR_VALUE);
    expect(ask(BPF_PROG_TYPE_SCHED_CLS, 184, 8, { write: true })).toBeUndefined();
  });
});

describe('conversion', () => {
  const at = (struct: typeof XDP_MD | typeof SK_BUFF_MD, offset: number, size: number, write = false): object | undefined => {
    const field = ctxFieldAt(struct, offset);
    return field === undefined ? undefined : convertCtxAccess(field, offset, size, write);
  };

  it('widens pointers, keeps narrow loads narrow, narrows stores to the kernel\'s field', () => {
    expect(at(XDP_MD, 4, 4)).toEqual({ offset: XDP_BUFF.data_end, sizeBytes: 8 });
    expect(at(SK_BUFF_MD, 17, 1)).toEqual({ offset: SK_BUFF.protocol + 1, sizeBytes: 1 });
    expect(at(SK_BUFF_MD, 44, 4, true)).toEqual({ offset: SK_BUFF.tc_index, sizeBytes: 2 });
    expect(at(SK_BUFF_MD, 44, 4)).toEqual({ offset: SK_BUFF.tc_index, sizeBytes: 4 });
    expect(at(SK_BUFF_MD, 56, 8, true)).toEqual({ offset: SK_BUFF.cb + 8, sizeBytes: 8 });
  });
});
