// RINGBUF from outside: the consumer. Element commands don't exist for this type.
// Invariant: records are given in the order in which they were reserved; the consumer stops at the first that is still busy.
// Source: kernel/bpf/ringbuf.c; libbpf's ringbuf.c for how a consumer walks.

import { ENOTSUPP } from '../spec/errno.ts';
import type { RingbufOps } from '../vm/executor.ts';
import { BpfMap } from './bpf-map.ts';
import type { MapSetup } from './bpf-map.ts';
import { STATE } from './layout.ts';
import { BPF_RINGBUF_BUSY_BIT, BPF_RINGBUF_DISCARD_BIT, BPF_RINGBUF_HDR_SZ, emitRingbufOps } from './ringbuf.ts';

/** BPF_MAP_TYPE_RINGBUF. */
export class RingbufMap extends BpfMap {
  constructor(setup: MapSetup) {
    super(setup, { emit: emitRingbufOps, dataBytes: 2 * setup.shape.maxEntries, dataAlign: 4096 });
  }

  protected override extraOps(): { ringbuf: RingbufOps } {
    const { exports } = this.instance;
    const reserve = exports['ringbufReserve'] as (size: number) => number;
    const query = exports['ringbufQuery'] as (flags: number) => bigint;
    return {
      ringbuf: {
        reserve: (size) => reserve(size) >>> 0,
        submit: exports['ringbufSubmit'] as RingbufOps['submit'],
        discard: exports['ringbufDiscard'] as RingbufOps['discard'],
        output: exports['ringbufOutput'] as RingbufOps['output'],
        query: (flags) => BigInt.asUintN(64, query(flags)),
      },
    };
  }
  /** What the ring buffer helpers call. */
  get ringbuf(): RingbufOps {
    return this.runtime.ringbuf as RingbufOps;
  }

  /** Bytes between consumer and producer, busy and discarded records included. */
  get availableBytes(): number {
    const { view } = this.env.memory;
    return Number(view.getBigUint64(this.header + STATE.producerPos, true) - view.getBigUint64(this.header + STATE.consumerPos, true));
  }
  /** How often a producer wanted the consumer woken since the map was made; wraps at 2^32. */
  get wakeups(): number {
    return this.state(STATE.wakeups);
  }
  /** Reservations that found no room; wraps at 2^32. */
  get dropped(): number {
    return this.state(STATE.dropped);
  }

  /** Gives each finished record to `callback` (a copy) and makes its room free; at most `limit` records. Returns how many were given. */
  consume(callback: (record: Uint8Array) => void, limit = Infinity): number {
    let count = 0;
    while (count < limit && this.availableBytes > 0) {
      const { view, bytes } = this.env.memory;
      const position = view.getBigUint64(this.header + STATE.consumerPos, true);
      const record = this.data + Number(position & BigInt(this.shape.maxEntries - 1));
      const word = view.getUint32(record, true);
      if ((word & BPF_RINGBUF_BUSY_BIT) !== 0) break;
      const length = word & ~BPF_RINGBUF_DISCARD_BIT;
      const start = record + BPF_RINGBUF_HDR_SZ;
      const data = (word & BPF_RINGBUF_DISCARD_BIT) === 0 ? bytes.slice(start, start + length) : undefined;
      const taken = BigInt(Math.ceil((length + BPF_RINGBUF_HDR_SZ) / 8) * 8);
      view.setBigUint64(this.header + STATE.consumerPos, position + taken, true);
      if (data === undefined) continue;
      callback(data);
      count++;
    }
    return count;
  }

  protected override sysLookup(): number {
    return -ENOTSUPP;
  }
  protected override sysUpdate(): number {
    return -ENOTSUPP;
  }
  protected override sysDelete(): number {
    return -ENOTSUPP;
  }
  protected override sysNextKey(): number {
    return -ENOTSUPP;
  }
}
