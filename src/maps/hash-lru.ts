// The LRU maps' replacement: a clock over all elements. A look-up marks an element as referenced; the hand clears marks and takes the first element without one.
// Invariant: the map never holds more than max_entries keys, and an element that was looked up since the hand last passed survives.
// (The kernel keeps active and inactive lists with per-CPU caches; which element it takes is its own affair, that the size is bounded is promised.)

import { i32 } from '../wasm/expr.ts';
import type { Expr } from '../wasm/expr.ts';
import type { Local } from '../wasm/function-builder.ts';
import { call } from '../wasm/refs.ts';
import type { FunctionRef } from '../wasm/refs.ts';
import { emitLock, emitUnlock } from './code.ts';
import type { Code } from './code.ts';
import { emitCount, emitFree } from './hash-alloc.ts';
import { ELEMENT, MARK_FREE, atEnd, hashLayout } from './hash-layout.ts';
import { STATE } from './layout.ts';
import type { MapCode } from './map-module.ts';

/** Defines `evict() → 0`: takes one element out of the map and frees it. Call it without a bucket's lock. */
export function emitEvict(code: MapCode): FunctionRef<readonly [], 'i32'> {
  const { site, shape } = code;
  const free = emitFree(code);
  return code.module.function({ name: 'evict', params: [], result: 'i32' }, (f) => {
    const element = f.local('i32');
    const mark = f.local('i32');
    emitLock(f, shape.shared, site.header, STATE.lruLock);
    f.loop((again) => {
      emitAdvance(f, code, element);
      f.set(mark, i32.load(element, { offset: ELEMENT.mark }));
      f.if(i32.eq(mark, 1), () => f.store32(element, 0, { offset: ELEMENT.mark }));
      f.brIf(again, mark);
      f.brIf(again, i32.eqz(emitTakeOut(f, code, element)));
    });
    emitUnlock(f, shape.shared, site.header, STATE.lruLock);
    f.drop(call(free, element));
    f.return(0);
  });
}

/** `element` becomes the one under the hand; the hand moves on. */
function emitAdvance(f: Code, code: MapCode, element: Local<'i32'>): void {
  const { site, shape } = code;
  const next = f.local('i32');
  f.set(element, i32.load(site.header, { offset: STATE.hand }));
  f.set(next, i32.add(element, hashLayout(shape).elementBytes));
  f.if(i32.eq(next, i32.load(site.header, { offset: STATE.elementsEnd })), () => f.set(next, i32.load(site.header, { offset: STATE.elements })));
  f.store32(site.header, next, { offset: STATE.hand });
}

/** Unlinks `element` from its bucket under the bucket's lock: 1, or 0 when it had left in the meantime. */
function emitTakeOut(f: Code, code: MapCode, element: Local<'i32'>): Expr<'i32'> {
  const { site, shape } = code;
  const layout = hashLayout(shape);
  const taken = f.local('i32', 0);
  const bucket = f.local('i32', i32.add(site.data, i32.mul(i32.and(i32.load(element, { offset: ELEMENT.hash }), layout.buckets - 1), layout.bucketBytes)));
  const [previous, at] = [f.local('i32', bucket), f.local('i32')];
  emitLock(f, shape.shared, bucket, 4);
  f.set(at, i32.load(bucket));
  f.block((gone) => {
    f.while(i32.ne(at, element), () => {
      f.brIf(gone, i32.or(i32.eqz(at), atEnd(shape, at)));
      f.set(previous, at);
      f.set(at, i32.load(at, { offset: ELEMENT.next }));
    });
    f.store32(previous, i32.load(element, { offset: ELEMENT.next }));
    f.store32(element, MARK_FREE, { offset: ELEMENT.mark });
    emitCount(f, code, -1);
    f.set(taken, 1);
  });
  emitUnlock(f, shape.shared, bucket, 4);
  return taken;
}
