// Ring buffer helpers: all of their work is the map's own operations.
// Invariant: bpf_ringbuf_submit and _discard are given only a record, whose header leads back to its map.
// Source: kernel/bpf/ringbuf.c; vm/executor.ts RingbufOps.

import { EINVAL } from '../spec/errno.ts';
import { defined } from '../util/assert.ts';
import type { RingbufOps } from '../vm/executor.ts';
import type { HelperHost } from '../vm/host.ts';
import { helper } from './define.ts';

/** Flags in 31 bits; what doesn't fit becomes a number with every bit set, which is refused or (after the record is made) ignored. */
const flags32 = (flags: bigint): number => (flags > 0x7fff_ffffn ? -1 : Number(flags));

const opsOf = (host: HelperHost, map: number): RingbufOps => defined(host.mapAt(map).ringbuf, 'ring buffer operations');

/** The ring that a record lies in. */
const ringOf = (host: HelperHost, sample: number): RingbufOps => opsOf(host, host.memory.view.getUint32(sample - 4, true));

export const ringbufReserve = helper('bpf_ringbuf_reserve', ['ptr', 'u64', 'u64'], 'ptr', (host, map, size, flags) =>
  (flags !== 0n || size > 0x7fff_ffffn ? 0 : opsOf(host, map).reserve(Number(size))));

export const ringbufSubmit = helper('bpf_ringbuf_submit', ['ptr', 'u64'], 'void', (host, sample, flags) => {
  ringOf(host, sample).submit(sample, Number(flags & 0x7fff_ffffn));
});

export const ringbufDiscard = helper('bpf_ringbuf_discard', ['ptr', 'u64'], 'void', (host, sample, flags) => {
  ringOf(host, sample).discard(sample, Number(flags & 0x7fff_ffffn));
});

export const ringbufOutput = helper('bpf_ringbuf_output', ['ptr', 'ptr', 'u32', 'u64'], 's32', (host, map, data, size, flags) => {
  const bits = flags32(flags);
  return bits < 0 ? -EINVAL : opsOf(host, map).output(data, size, bits);
});

export const ringbufQuery = helper('bpf_ringbuf_query', ['ptr', 'u64'], 'u64', (host, map, what) =>
  BigInt.asUintN(64, opsOf(host, map).query(flags32(what))));
