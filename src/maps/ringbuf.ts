// BPF_MAP_TYPE_RINGBUF: records behind 8-byte headers in a ring that many producers fill and one consumer drains.
// Invariant: positions only grow (u64); a record lies at position & (size - 1). The kernel maps its pages twice so that a record that wraps is contiguous;
// here the data area has as much slack behind it, and a record runs on into the slack: nobody else's record can lie in the bytes it leaves unused at the start.
// Header: u32 length with BUSY and DISCARD bits, then a u32 that leads back to the map (the kernel: a page offset; here: the MAP_HEADER's offset).
// Source: kernel/bpf/ringbuf.c; Documentation/bpf/ringbuf.rst; Linux 6.18.

import { EAGAIN, EINVAL } from '../spec/errno.ts';
import { MAP_HEADER } from '../vm/map-header.ts';
import { andThen, either, i32, i64, memoryCopy } from '../wasm/expr.ts';
import type { Expr } from '../wasm/expr.ts';
import type { Local } from '../wasm/function-builder.ts';
import { call } from '../wasm/refs.ts';
import type { FunctionRef } from '../wasm/refs.ts';
import { emitLock, emitUnlock } from './code.ts';
import type { Code } from './code.ts';
import { STATE } from './layout.ts';
import type { MapCode } from './map-module.ts';

/** The uapi's numbers. */
export const BPF_RINGBUF_BUSY_BIT = 0x8000_0000;
export const BPF_RINGBUF_DISCARD_BIT = 0x4000_0000;
export const BPF_RINGBUF_HDR_SZ = 8;
export const BPF_RB_NO_WAKEUP = 1;
export const BPF_RB_FORCE_WAKEUP = 2;
export const BPF_RB_AVAIL_DATA = 0;
export const BPF_RB_RING_SIZE = 1;
export const BPF_RB_CONS_POS = 2;
export const BPF_RB_PROD_POS = 3;
/** A record is shorter than this. */
const RINGBUF_MAX_RECORD_BYTES = 0x3fff_ffff;

type Reserve = FunctionRef<readonly ['i32'], 'i32'>;
type Commit = FunctionRef<readonly ['i32', 'i32', 'i32'], 'void'>;

const position = (header: Expr<'i32'>, cell: number): Expr<'i64'> => i64.load(header, { offset: cell });
/** The header word of the record at a position. */
const recordAt = (data: Expr<'i32'>, at: Expr<'i64'>, maxEntries: number): Expr<'i32'> => i32.add(data, i32.and(i32.wrap_i64(at), maxEntries - 1));

/** Moves the pending position past records that have ended, up to the oldest busy one. */
function emitSkipEnded(f: Code, code: MapCode, pending: Local<'i64'>, producer: Local<'i64'>): void {
  const { shape } = code;
  const word = f.local('i32');
  f.while(i64.ne(pending, producer), (_again, end) => {
    f.set(word, i32.load(recordAt(code.site.data, pending, shape.maxEntries)));
    f.brIf(end, i32.lt_s(word, 0));
    const length = i32.add(i32.and(word, ~BPF_RINGBUF_DISCARD_BIT), BPF_RINGBUF_HDR_SZ + 7);
    f.set(pending, i64.add(pending, i64.extend_i32_u(i32.and(length, -8))));
  });
}

function emitReserve(code: MapCode): Reserve {
  const { shape } = code;
  const { header, data } = code.site;
  return code.module.function({ exportName: 'ringbufReserve', params: ['i32'], result: 'i32' }, (f, size) => {
    f.if(i32.gt_u(size, RINGBUF_MAX_RECORD_BYTES), () => f.return(0));
    const length = f.local('i32', i32.and(i32.add(size, BPF_RINGBUF_HDR_SZ + 7), -8));
    f.if(i32.gt_u(length, shape.maxEntries), () => f.return(0));
    emitLock(f, shape.shared, header, STATE.lock);
    const [consumer, producer, pending] = [f.local('i64', position(header, STATE.consumerPos)), f.local('i64', position(header, STATE.producerPos)), f.local('i64', position(header, STATE.pendingPos))];
    const next = f.local('i64', i64.add(producer, i64.extend_i32_u(length)));
    emitSkipEnded(f, code, pending, producer);
    f.store64(header, pending, { offset: STATE.pendingPos });
    const limit = i64.const(BigInt(shape.maxEntries - 1));
    f.if(i32.or(i64.gt_u(i64.sub(next, consumer), limit), i64.gt_u(i64.sub(next, pending), limit)), () => {
      f.store32(header, i32.add(i32.load(header, { offset: STATE.dropped }), 1), { offset: STATE.dropped });
      emitUnlock(f, shape.shared, header, STATE.lock);
      f.return(0);
    });
    const record = f.local('i32', recordAt(data, producer, shape.maxEntries));
    f.store32(record, i32.or(size, BPF_RINGBUF_BUSY_BIT | 0));
    f.store32(record, header, { offset: 4 });
    if (shape.shared) f.store('i64.atomic.store', header, next, { offset: STATE.producerPos });
    else f.store64(header, next, { offset: STATE.producerPos });
    emitUnlock(f, shape.shared, header, STATE.lock);
    f.return(i32.add(record, BPF_RINGBUF_HDR_SZ));
  });
}

/** Ends a record: its busy bit goes, and the consumer is woken when it has been waiting for this record, or as the flags say. */
function emitCommit(code: MapCode): Commit {
  const { shape } = code;
  return code.module.function({ name: 'commit', params: ['i32', 'i32', 'i32'], result: 'void' }, (f, sample, flags, discardBit) => {
    const record = f.local('i32', i32.sub(sample, BPF_RINGBUF_HDR_SZ));
    const header = f.local('i32', i32.load(record, { offset: 4 }));
    const word = f.local('i32', i32.or(i32.xor(i32.load(record), BPF_RINGBUF_BUSY_BIT | 0), discardBit));
    if (shape.shared) f.store('i32.atomic.store', record, word);
    else f.store32(record, word);
    const size = i32.load(header, { offset: MAP_HEADER.maxEntries });
    const place = i32.sub(record, i32.load(header, { offset: MAP_HEADER.data }));
    const waiting = i32.eq(place, i32.and(i32.wrap_i64(position(header, STATE.consumerPos)), i32.sub(size, 1)));
    const wake = either<'i32'>(i32.and(flags, BPF_RB_FORCE_WAKEUP), 1, andThen(waiting, i32.eqz(i32.and(flags, BPF_RB_NO_WAKEUP))));
    f.if(wake, () => {
      if (shape.shared) f.drop(i32.atomic.rmw.add(header, 1, { offset: STATE.wakeups }));
      else f.store32(header, i32.add(i32.load(header, { offset: STATE.wakeups }), 1), { offset: STATE.wakeups });
    });
  });
}

/** All operations of RINGBUF: the plain ones refuse, those of RingbufOps are exports of their own. */
export function emitRingbufOps(code: MapCode): void {
  const reserve = emitReserve(code);
  const commit = emitCommit(code);
  const { module, shape } = code;
  const { header } = code.site;
  module.function({ exportName: 'ringbufSubmit', params: ['i32', 'i32'], result: 'void' }, (f, sample, flags) => f.emit(call(commit, sample, flags, 0)));
  module.function({ exportName: 'ringbufDiscard', params: ['i32', 'i32'], result: 'void' }, (f, sample, flags) => f.emit(call(commit, sample, flags, BPF_RINGBUF_DISCARD_BIT)));
  module.function({ exportName: 'ringbufOutput', params: ['i32', 'i32', 'i32'], result: 'i32' }, (f, data, size, flags) => {
    f.if(i32.and(flags, ~(BPF_RB_NO_WAKEUP | BPF_RB_FORCE_WAKEUP)), () => f.return(-EINVAL));
    const sample = f.local('i32', call(reserve, size));
    f.if(i32.eqz(sample), () => f.return(-EAGAIN));
    f.emit(memoryCopy(sample, data, size), call(commit, sample, flags, 0));
    f.return(0);
  });
  module.function({ exportName: 'ringbufQuery', params: ['i32'], result: 'i64' }, (f, flags) => {
    const [consumer, producer] = [position(header, STATE.consumerPos), position(header, STATE.producerPos)];
    f.if(i32.eq(flags, BPF_RB_AVAIL_DATA), () => f.return(i64.sub(producer, consumer)));
    f.if(i32.eq(flags, BPF_RB_RING_SIZE), () => f.return(BigInt(shape.maxEntries)));
    f.if(i32.eq(flags, BPF_RB_CONS_POS), () => f.return(consumer));
    f.if(i32.eq(flags, BPF_RB_PROD_POS), () => f.return(producer));
    f.return(0n);
  });
}
