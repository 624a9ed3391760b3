// The hash table behind HASH, PERCPU_HASH, LRU_HASH, LRU_PERCPU_HASH, HASH_OF_MAPS and DEVMAP_HASH: buckets of chained elements.
// Invariant: an element's value never moves while a program may hold its address. Preallocated elements are reused at once, as the kernel does (an update of an
// existing key takes the CPU's spare element, the old one becomes the spare); elements of BPF_F_NO_PREALLOC maps only after a grace period (STATE.grace).
// A removed element keeps its `next`, so a walker that stands on it goes on. Source: kernel/bpf/hashtab.c for semantics and errno; the layout is our own.

import { BPF_EXIST, BPF_F_LOCK, BPF_MAP_TYPE_HASH_OF_MAPS, BPF_NOEXIST } from '../spec/map-types.ts';
import { E2BIG, EEXIST, EINVAL, ENOENT } from '../spec/errno.ts';
import { andThen, i32, memoryCopy } from '../wasm/expr.ts';
import type { Expr, Operand } from '../wasm/expr.ts';
import type { FunctionBuilder, Label, Local } from '../wasm/function-builder.ts';
import { call } from '../wasm/refs.ts';
import { emitCopyValue } from './array.ts';
import { bytesAt, cpuNumber, emitEqualLoop, emitHash, emitHashLoop, emitLock, emitStoreBytes, emitUnlock, emitZero, equalBytes } from './code.ts';
import type { ByteSource, Code, MapSite } from './code.ts';
import { emitAllocate, emitCount, emitElementInit, emitFree, isError } from './hash-alloc.ts';
import { ELEMENT, MARK_FREE, atEnd, hashLayout, isLru, isPercpuHash } from './hash-layout.ts';
import { emitEvict } from './hash-lru.ts';
import { STATE, copiedRanges, spinLockOf } from './layout.ts';
import type { MapShape } from './layout.ts';
import type { MapCode } from './map-module.ts';

/** Keys up to this many bytes are hashed and compared by unrolled code. */
const SHORT_KEY_BYTES = 64;

/** A key ready to be looked for: its hash and bucket in locals, and how it compares with an element's key. */
interface Wanted {
  readonly hash: Local<'i32'>;
  readonly bucket: Local<'i32'>;
  equals(f: Code, element: Local<'i32'>): Expr<'i32'>;
  /** Copies the key into an element. */
  store(f: Code, element: Local<'i32'>): void;
}

function wantKey(f: Code, shape: MapShape, site: MapSite, key: ByteSource, address?: Expr<'i32'>): Wanted {
  const layout = hashLayout(shape);
  const long = shape.keySize > SHORT_KEY_BYTES && address !== undefined;
  const hash = long ? f.local('i32', i32.wrap_i64(emitHashLoop(f, address, shape.keySize))) : emitHash(f, key, shape.keySize);
  const bucket = f.local('i32', i32.add(site.data, i32.mul(i32.and(hash, layout.buckets - 1), layout.bucketBytes)));
  const equals = (g: Code, element: Local<'i32'>): Expr<'i32'> => {
    if (!long) return equalBytes(key, shifted(bytesAt(element), ELEMENT.key), shape.keySize);
    const same = g.local('i32', i32.eq(i32.load(element, { offset: ELEMENT.hash }), hash));
    g.if(same, () => g.set(same, emitEqualLoop(g, address, g.local('i32', i32.add(element, ELEMENT.key)), shape.keySize)));
    return same;
  };
  const store = (g: Code, element: Local<'i32'>): void => {
    if (long) g.emit(memoryCopy(i32.add(element, ELEMENT.key), address, shape.keySize));
    else emitStoreBytes(g, element, ELEMENT.key, key, shape.keySize);
  };
  return { hash, bucket, equals, store };
}

const shifted = (source: ByteSource, by: number): ByteSource => ({
  word: (offset, width) => source.word(offset + by, width),
  word64: (offset) => source.word64(offset + by),
});

/** Walks the bucket: `element` becomes the match, or 0. `previous`, if given, becomes the address of the link that points to it. */
function emitFind(f: Code, shape: MapShape, wanted: Wanted, element: Local<'i32'>, previous?: Local<'i32'>): void {
  if (previous !== undefined) f.set(previous, wanted.bucket);
  f.set(element, i32.load(wanted.bucket));
  f.block((found) => {
    f.loop((again) => {
      f.block((missing) => {
        f.brIf(missing, atEnd(shape, element));
        f.brIf(found, wanted.equals(f, element));
        if (previous !== undefined) f.set(previous, element);
        f.set(element, i32.load(element, { offset: ELEMENT.next }));
        f.br(again);
      });
      if (shape.shared && previous === undefined) f.brIf(again, movedAway(shape, wanted, element));
    });
    f.set(element, 0);
  });
}

/** Without the bucket's lock an element can be reused in another bucket under the reader: the chain then ends with another bucket's number, and the search starts anew. */
function movedAway(shape: MapShape, wanted: Wanted, end: Local<'i32'>): Expr<'i32'> {
  const mine = i32.or(i32.shl(i32.and(wanted.hash, hashLayout(shape).buckets - 1), 1), 1);
  return andThen(i32.ne(end, mine), i32.or(i32.mul(end.tee(i32.load(wanted.bucket)), 0), 1));
}

/** The value of an element: its address, this CPU's slot, or (map in map) the inner map's header. */
export function valueOf(shape: MapShape, site: MapSite, element: Expr<'i32'>, cpu: Operand<'i32'> = cpuNumber(site)): Expr<'i32'> {
  const { valueOffset, cpuStride } = hashLayout(shape);
  if (isPercpuHash(shape)) return i32.add(i32.load(element, { offset: valueOffset }), i32.mul(cpu, cpuStride));
  if (shape.mapType === BPF_MAP_TYPE_HASH_OF_MAPS) return i32.load(element, { offset: valueOffset });
  return i32.add(element, valueOffset);
}

/**
 * Look-up in a hash map: sets `result` to the value's offset, or 0. For the JIT to inline: `site` holds constants, `key` may come from locals
 * (keys up to 64 bytes); `address` is the key's place in memory, needed for longer keys.
 */
export function emitHashLookup(f: Code, shape: MapShape, site: MapSite, key: ByteSource, result: Local<'i32'>, address?: Expr<'i32'>): void {
  const wanted = wantKey(f, shape, site, key, address);
  const element = f.local('i32');
  emitFind(f, shape, wanted, element);
  f.set(result, element);
  f.if(element, () => {
    if (isLru(shape)) emitReference(f, element);
    f.set(result, valueOf(shape, site, element));
  });
}

/** The LRU's trace of a look-up; written only when it isn't there, to keep the line clean. */
function emitReference(f: Code, element: Local<'i32'>): void {
  f.if(i32.eqz(i32.load(element, { offset: ELEMENT.mark })), () => f.store32(element, 1, { offset: ELEMENT.mark }));
}

type OpBody = FunctionBuilder<readonly ['i32', 'i32', 'i32'], 'i32'>;

/** All operations of the hash family. */
export function emitHashOps(code: MapCode): void {
  const { shape, site } = code;
  code.op('lookup', (f, key) => {
    const result = f.local('i32');
    emitHashLookup(f, shape, site, bytesAt(key), result, key);
    f.return(result);
  });
  code.op('find', (f, key) => {
    const element = f.local('i32');
    emitFind(f, shape, wantKey(f, shape, site, bytesAt(key), key), element);
    f.return(element);
  });
  emitUpdate(code);
  emitDelete(code);
  emitWalk(code);
  if (isPercpuHash(shape)) emitLookupPercpu(code);
}

function emitLookupPercpu(code: MapCode): void {
  const { shape, site } = code;
  code.op('lookupPercpu', (f, key, cpu) => {
    f.if(i32.ge_u(cpu, shape.cpus), () => f.return(0));
    const element = f.local('i32');
    emitFind(f, shape, wantKey(f, shape, site, bytesAt(key), key), element);
    f.if(i32.eqz(element), () => f.return(0));
    if (isLru(shape)) emitReference(f, element);
    f.return(valueOf(shape, site, element, cpu));
  });
}

function emitUpdate(code: MapCode): void {
  const { shape, site } = code;
  const allocate = emitAllocate(code);
  const free = emitFree(code);
  const evict = isLru(shape) ? emitEvict(code) : undefined;
  code.op('update', (f, key, value, flags) => {
    f.if(i32.gt_u(i32.and(flags, ~BPF_F_LOCK), BPF_EXIST), () => f.return(-EINVAL));
    if (spinLockOf(shape) === undefined) f.if(i32.and(flags, BPF_F_LOCK), () => f.return(-EINVAL));
    const wanted = wantKey(f, shape, site, bytesAt(key), key);
    const [old, previous, fresh] = [f.local('i32'), f.local('i32'), f.local('i32')];
    const fail = (errno: number): void => unlockAndReturn(f, shape, wanted, -errno);
    f.loop((retry) => {
      emitLock(f, shape.shared, wanted.bucket, 4);
      emitFind(f, shape, wanted, old, previous);
      f.if(old, () => {
        f.if(i32.and(flags, BPF_NOEXIST), () => fail(EEXIST));
        emitReplace(f, code, { wanted, old, previous, fresh, value, flags, allocate, free });
        unlockAndReturn(f, shape, wanted, 0);
      });
      f.if(i32.and(flags, BPF_EXIST), () => fail(ENOENT));
      if (shape.noPrealloc) f.if(i32.ge_u(i32.load(site.header, { offset: STATE.count }), shape.maxEntries), () => fail(E2BIG));
      f.set(fresh, call(allocate));
      if (evict !== undefined) emitEvictAndRetry(f, shape, wanted, fresh, evict, retry);
      else f.if(isError(fresh), () => unlockAndReturn(f, shape, wanted, fresh));
    });
    emitInsert(f, code, wanted, fresh, value);
    unlockAndReturn(f, shape, wanted, 0);
  });
}

/** No element left: the clock takes one from another key (without the bucket's lock, which the victim's may be), then all starts again. */
function emitEvictAndRetry(f: OpBody, shape: MapShape, wanted: Wanted, fresh: Local<'i32'>, evict: Parameters<typeof call>[0], retry: Label): void {
  f.if(isError(fresh), () => {
    emitUnlock(f, shape.shared, wanted.bucket, 4);
    f.drop(call(evict));
    f.br(retry);
  });
}

function unlockAndReturn(f: OpBody, shape: MapShape, wanted: Wanted, value: Operand<'i32'>): void {
  emitUnlock(f, shape.shared, wanted.bucket, 4);
  f.return(value);
}

interface Replacement {
  readonly wanted: Wanted;
  readonly old: Local<'i32'>;
  readonly previous: Local<'i32'>;
  readonly fresh: Local<'i32'>;
  readonly value: Expr<'i32'>;
  readonly flags: Expr<'i32'>;
  readonly allocate: ReturnType<typeof emitAllocate>;
  readonly free: ReturnType<typeof emitFree>;
}

/** The key exists: per-CPU values and BPF_F_LOCK write in place; otherwise another element takes the old one's place in the chain. */
function emitReplace(f: OpBody, code: MapCode, r: Replacement): void {
  const { shape, site } = code;
  if (isPercpuHash(shape)) {
    emitCopyValue(f, shape, f.local('i32', valueOf(shape, site, r.old)), r.value);
    return;
  }
  const { valueOffset } = hashLayout(shape);
  if (spinLockOf(shape) !== undefined) {
    f.if(i32.and(r.flags, BPF_F_LOCK), () => {
      emitCopyValue(f, shape, f.local('i32', i32.add(r.old, valueOffset)), r.value, r.flags);
      unlockAndReturn(f, shape, r.wanted, 0);
    });
  }
  if (shape.noPrealloc) {
    f.set(r.fresh, call(r.allocate));
    f.if(isError(r.fresh), () => unlockAndReturn(f, shape, r.wanted, r.fresh));
  } else {
    const spare = f.local('i32', i32.add(i32.load(site.header, { offset: STATE.spare }), i32.shl(cpuNumber(site), 2)));
    f.set(r.fresh, i32.load(spare));
    f.store32(spare, r.old);
    if (isLru(shape)) {
      f.store32(r.fresh, i32.load(r.old, { offset: ELEMENT.mark }), { offset: ELEMENT.mark });
      f.store32(r.old, MARK_FREE, { offset: ELEMENT.mark });
    }
  }
  emitElement(f, code, r.wanted, r.fresh, r.value);
  f.store32(r.fresh, i32.load(r.old, { offset: ELEMENT.next }), { offset: ELEMENT.next });
  f.store32(r.previous, r.fresh);
  if (shape.noPrealloc) f.drop(call(r.free, r.old));
}

/** Writes hash, key and value of an element that isn't in the map yet. */
function emitElement(f: OpBody, code: MapCode, wanted: Wanted, element: Local<'i32'>, value: Expr<'i32'>): void {
  const { shape, site } = code;
  f.store32(element, wanted.hash, { offset: ELEMENT.hash });
  wanted.store(f, element);
  emitElementInit(f, code, element);
  const to = f.local('i32', isPercpuHash(shape) ? valueOf(shape, site, element) : i32.add(element, hashLayout(shape).valueOffset));
  let at = 0;
  for (const [start, end] of copiedRanges(shape)) {
    if (start > at) emitZero(f, to, at, start);
    at = end;
  }
  if (at < shape.valueSize) emitZero(f, to, at, shape.valueSize);
  emitCopyValue(f, shape, to, value);
}

function emitInsert(f: OpBody, code: MapCode, wanted: Wanted, fresh: Local<'i32'>, value: Expr<'i32'>): void {
  const { shape } = code;
  emitElement(f, code, wanted, fresh, value);
  if (isLru(shape)) f.store32(fresh, 0, { offset: ELEMENT.mark });
  f.store32(fresh, i32.load(wanted.bucket), { offset: ELEMENT.next });
  f.store32(wanted.bucket, fresh);
  emitCount(f, code, 1);
}

function emitDelete(code: MapCode): void {
  const { shape, site } = code;
  const free = emitFree(code);
  code.op('delete', (f, key) => {
    const wanted = wantKey(f, shape, site, bytesAt(key), key);
    const [element, previous] = [f.local('i32'), f.local('i32')];
    emitLock(f, shape.shared, wanted.bucket, 4);
    emitFind(f, shape, wanted, element, previous);
    f.if(i32.eqz(element), () => {
      emitUnlock(f, shape.shared, wanted.bucket, 4);
      f.return(-ENOENT);
    });
    f.store32(previous, i32.load(element, { offset: ELEMENT.next }));
    emitCount(f, code, -1);
    emitUnlock(f, shape.shared, wanted.bucket, 4);
    f.drop(call(free, element));
    f.return(0);
  });
}

/** Cursor: u32 next bucket, u32 next element of the current bucket (taken before the callback runs, as the kernel's walk does). */
function emitWalk(code: MapCode): void {
  const { shape, site } = code;
  const layout = hashLayout(shape);
  code.op('walk', (f, cursor, keyOut) => {
    const element = f.local('i32', i32.load(cursor, { offset: 4 }));
    const bucket = f.local('i32', i32.load(cursor));
    f.while(i32.or(i32.eqz(element), atEnd(shape, element)), () => {
      f.if(i32.ge_u(bucket, layout.buckets), () => f.return(0));
      f.set(element, i32.load(i32.add(site.data, i32.mul(bucket, layout.bucketBytes))));
      f.set(bucket, i32.add(bucket, 1));
    });
    f.store32(cursor, bucket);
    f.store32(cursor, i32.load(element, { offset: ELEMENT.next }), { offset: 4 });
    f.store32(keyOut, i32.add(element, ELEMENT.key));
    f.return(valueOf(shape, site, element));
  });
}
