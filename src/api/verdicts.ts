// What a packet program's return value means at its hook: its name, and whether and how much of the packet goes on.
// Source: net/core/dev.c (XDP, TC), net/core/sock.c sk_filter_trim_cap; uapi/linux/bpf.h, pkt_cls.h.

import { TC_ACT_NAMES, TC_ACT_OK, TC_ACT_PIPE, TC_ACT_RECLASSIFY, TC_ACT_REDIRECT, TC_ACT_UNSPEC, XDP_ACTION_NAMES, XDP_PASS, XDP_REDIRECT, XDP_TX } from '../spec/packet-verdicts.ts';
import { BPF_PROG_TYPE_SCHED_ACT, BPF_PROG_TYPE_SCHED_CLS, BPF_PROG_TYPE_SOCKET_FILTER, BPF_PROG_TYPE_XDP } from '../spec/prog-types.ts';

/** A hook's reading of return values. */
export interface VerdictReader {
  /** Name to count by. */
  name(retval: number): string;
  /** Bytes of the packet that go on: 0 none, Infinity all. */
  keeps(retval: number): number;
}

const all = (kept: readonly number[]) => (retval: number): number => (kept.includes(retval | 0) ? Number.POSITIVE_INFINITY : 0);

const XDP: VerdictReader = {
  name: (retval) => XDP_ACTION_NAMES[retval] ?? `XDP_ABORTED (invalid action ${retval})`,
  keeps: all([XDP_PASS, XDP_TX, XDP_REDIRECT]),
};

const TC: VerdictReader = {
  name: (retval) => ((retval | 0) === TC_ACT_UNSPEC ? 'TC_ACT_UNSPEC' : (TC_ACT_NAMES[retval] ?? `TC_ACT_UNSPEC (invalid action ${retval | 0})`)),
  keeps: (retval) => ((retval | 0) === TC_ACT_UNSPEC || TC_ACT_NAMES[retval] === undefined ? Number.POSITIVE_INFINITY : all([TC_ACT_OK, TC_ACT_RECLASSIFY, TC_ACT_PIPE, TC_ACT_REDIRECT])(retval)),
};

const SOCKET_FILTER: VerdictReader = {
  name: (retval) => (retval === 0 ? 'drop' : retval === 0xffff_ffff ? 'keep' : `keep ${retval} bytes`),
  keeps: (retval) => (retval === 0xffff_ffff ? Number.POSITIVE_INFINITY : retval),
};

/** By program type; types that aren't here see no packets. */
export const VERDICT_READERS: ReadonlyMap<number, VerdictReader> = new Map([
  [BPF_PROG_TYPE_XDP, XDP], [BPF_PROG_TYPE_SCHED_CLS, TC], [BPF_PROG_TYPE_SCHED_ACT, TC], [BPF_PROG_TYPE_SOCKET_FILTER, SOCKET_FILTER],
]);
