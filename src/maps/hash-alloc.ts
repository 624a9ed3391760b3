// Elements of hash maps (and nodes of tries): where new ones come from and where removed ones go.
// Invariant: with preallocation the free list is a stack, elements come back at once (as the kernel's per-CPU free lists do); without it, a queue:
// an element freed in grace period g is handed out only when STATE.grace's counter has left g, so no running program can see it change.

import { E2BIG } from '../spec/errno.ts';
import { i32 } from '../wasm/expr.ts';
import type { Expr } from '../wasm/expr.ts';
import type { Label, Local } from '../wasm/function-builder.ts';
import { call } from '../wasm/refs.ts';
import type { FunctionRef } from '../wasm/refs.ts';
import { cpuNumber, emitLock, emitUnlock, emitZero } from './code.ts';
import type { Code, MapSite } from './code.ts';
import { ELEMENT, MARK_FREE, hashLayout, isLru, isPercpuHash } from './hash-layout.ts';
import { STATE } from './layout.ts';
import type { MapCode } from './map-module.ts';

/** The kernel's count of ended grace periods. */
const graceNow = (site: MapSite): Expr<'i32'> => i32.load(i32.load(site.header, { offset: STATE.grace }));

/** Takes the head of the free list, when there is one that may be reused, and leaves `done`. */
function emitPop(f: Code, code: MapCode, element: Local<'i32'>, done: Label): void {
  const { site, shape } = code;
  const reusable = shape.noPrealloc ? i32.ne(i32.load(element, { offset: ELEMENT.mark }), graceNow(site)) : undefined;
  f.if(element.tee(i32.load(site.header, { offset: STATE.freeHead })), () => {
    const take = (): void => {
      f.store32(site.header, i32.load(element, { offset: ELEMENT.link }), { offset: STATE.freeHead });
      f.br(done);
    };
    if (reusable === undefined) take();
    else f.if(reusable, take);
  });
}

/** Takes the next never-used element of the current block, and for per-CPU maps its values. */
function emitTakeFresh(f: Code, code: MapCode, element: Local<'i32'>, elementBytes: number): void {
  const { site, shape } = code;
  f.set(element, i32.load(site.header, { offset: STATE.fresh }));
  f.store32(site.header, i32.add(element, elementBytes), { offset: STATE.fresh });
  if (!isPercpuHash(shape)) return;
  const layout = hashLayout(shape);
  f.store32(element, i32.load(site.header, { offset: STATE.freshValues }), { offset: layout.valueOffset });
  f.store32(site.header, i32.add(i32.load(site.header, { offset: STATE.freshValues }), layout.valueStride), { offset: STATE.freshValues });
}

const noneFresh = (site: MapSite): Expr<'i32'> =>
  i32.eq(i32.load(site.header, { offset: STATE.fresh }), i32.load(site.header, { offset: STATE.freshEnd }));

/** Defines `allocate() → element | -errno`: -`emptyErrno` when all preallocated elements are in use, -ENOMEM when growing fails. */
export function emitAllocate(code: MapCode, elementBytes = hashLayout(code.shape).elementBytes, emptyErrno: number = E2BIG): FunctionRef<readonly [], 'i32'> {
  const { site, shape, grow } = code;
  return code.once('allocate', () => code.module.function({ name: 'allocate', params: [], result: 'i32' }, (f) => {
    const element = f.local('i32');
    emitLock(f, shape.shared, site.header, STATE.lock);
    f.block((done) => {
      emitPop(f, code, element, done);
      f.if(noneFresh(site), () => {
        f.set(element, grow === undefined ? -emptyErrno : call(grow, site.header));
        f.brIf(done, element);
      });
      emitTakeFresh(f, code, element, elementBytes);
    });
    emitUnlock(f, shape.shared, site.header, STATE.lock);
    f.return(element);
  }));
}

/** Defines `free(element) → 0`: the element has left the map. */
export function emitFree(code: MapCode): FunctionRef<readonly ['i32'], 'i32'> {
  const { site, shape } = code;
  return code.once('free', () => code.module.function({ name: 'free', params: ['i32'], result: 'i32' }, (f, element) => {
    emitLock(f, shape.shared, site.header, STATE.lock);
    if (shape.noPrealloc) emitQueue(f, site, element);
    else {
      if (isLru(shape)) f.store32(element, MARK_FREE, { offset: ELEMENT.mark });
      f.store32(element, i32.load(site.header, { offset: STATE.freeHead }), { offset: ELEMENT.link });
      f.store32(site.header, element, { offset: STATE.freeHead });
    }
    emitUnlock(f, shape.shared, site.header, STATE.lock);
    f.return(0);
  }));
}

/** Appends to the queue of elements that wait for a grace period. */
function emitQueue(f: Code, site: MapSite, element: Expr<'i32'>): void {
  f.store32(element, 0, { offset: ELEMENT.link });
  f.store32(element, graceNow(site), { offset: ELEMENT.mark });
  f.if(i32.load(site.header, { offset: STATE.freeHead }),
    () => f.store32(i32.load(site.header, { offset: STATE.freeTail }), element, { offset: ELEMENT.link }),
    () => f.store32(site.header, element, { offset: STATE.freeHead }));
  f.store32(site.header, element, { offset: STATE.freeTail });
}

/** A per-CPU element starts with zeros on the CPUs that don't write it (the kernel's pcpu_init_value). */
export function emitElementInit(f: Code, code: MapCode, element: Local<'i32'>): void {
  const { shape, site } = code;
  if (!isPercpuHash(shape)) return;
  const layout = hashLayout(shape);
  const values = f.local('i32', i32.load(element, { offset: layout.valueOffset }));
  const slot = f.local('i32', values);
  const end = f.local('i32', i32.add(values, layout.cpuStride * shape.cpus));
  const mine = f.local('i32', i32.add(values, i32.mul(cpuNumber(site), layout.cpuStride)));
  f.loop((again) => {
    if (shape.valueSize < layout.valueStride) emitZero(f, slot, 0, layout.valueStride);
    else f.if(i32.ne(slot, mine), () => emitZero(f, slot, 0, layout.valueStride));
    f.brIf(again, i32.ne(slot.tee(i32.add(slot, layout.cpuStride)), end));
  });
}

/** 1 for a negative errno (-1 … -4095), which no element's offset can be. */
export const isError = (value: Expr<'i32'>): Expr<'i32'> => i32.gt_u(value, -4096);

/** Adds to the number of elements. */
export function emitCount(f: Code, code: MapCode, by: 1 | -1): void {
  const { shape, site } = code;
  if (shape.shared) f.drop(i32.atomic.rmw.add(site.header, by, { offset: STATE.count }));
  else f.store32(site.header, i32.add(i32.load(site.header, { offset: STATE.count }), by), { offset: STATE.count });
}
