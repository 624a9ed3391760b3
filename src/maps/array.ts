// BPF_MAP_TYPE_ARRAY and PERCPU_ARRAY: values side by side, found by index; per-CPU arrays hold one whole array per CPU, each starting on its own 64-byte line.
// Invariant: every element exists from the start and never moves. Key: u32 index.
// Source: Documentation/bpf/map_array.rst; kernel/bpf/arraymap.c for errno.

import { BPF_EXIST, BPF_F_LOCK, BPF_MAP_TYPE_PERCPU_ARRAY, BPF_NOEXIST } from '../spec/map-types.ts';
import { E2BIG, EEXIST, EINVAL } from '../spec/errno.ts';
import { i32, select } from '../wasm/expr.ts';
import type { Expr } from '../wasm/expr.ts';
import type { Local } from '../wasm/function-builder.ts';
import { bytesAt, cpuNumber, emitCopy, emitLock, emitUnlock } from './code.ts';
import type { ByteSource, Code, MapSite } from './code.ts';
import { copiedRanges, spinLockOf, valueStride } from './layout.ts';
import type { MapShape } from './layout.ts';
import type { MapCode } from './map-module.ts';

/** Bytes from one CPU's array to the next CPU's. */
export const cpuArrayBytes = (shape: MapShape): number => Math.ceil((shape.maxEntries * valueStride(shape)) / 64) * 64;

/** Bytes of all values. */
export const arrayBytes = (shape: MapShape): number =>
  shape.mapType === BPF_MAP_TYPE_PERCPU_ARRAY ? cpuArrayBytes(shape) * shape.cpus : shape.maxEntries * valueStride(shape);

/** The value's address for an index known to be in range. */
function valueAt(shape: MapShape, site: MapSite, index: Expr<'i32'>, cpu: Expr<'i32'> | undefined): Expr<'i32'> {
  const inArray = i32.add(site.data, i32.mul(index, valueStride(shape)));
  return cpu === undefined ? inArray : i32.add(inArray, i32.mul(cpu, cpuArrayBytes(shape)));
}

/**
 * Look-up in an ARRAY: sets `result` to the value's offset, or 0. For the JIT to inline: `site` holds constants, `key` may come from locals.
 * With a constant index below max_entries the engine folds it to a constant.
 */
export function emitArrayLookup(f: Code, shape: MapShape, site: MapSite, key: ByteSource, result: Local<'i32'>): void {
  const index = f.local('i32', key.word(0, 4));
  f.set(result, select<'i32'>(i32.lt_u(index, shape.maxEntries), valueAt(shape, site, index, undefined), 0));
}

/** Look-up in a PERCPU_ARRAY of the running CPU's value, or of `cpu`'s (which must be below `shape.cpus`). */
export function emitPercpuArrayLookup(f: Code, shape: MapShape, site: MapSite, key: ByteSource, result: Local<'i32'>, cpu: Expr<'i32'> = cpuNumber(site)): void {
  const index = f.local('i32', key.word(0, 4));
  f.set(result, select<'i32'>(i32.lt_u(index, shape.maxEntries), valueAt(shape, site, index, cpu), 0));
}

/** Copies a value over another as an update does: special fields stay, with BPF_F_LOCK under the value's own spin lock. */
export function emitCopyValue(f: Code, shape: MapShape, to: Expr<'i32'>, from: Expr<'i32'>, flags?: Expr<'i32'>): void {
  const lock = flags === undefined || !shape.shared ? undefined : spinLockOf(shape);
  const locked = (emit: typeof emitLock): void => {
    if (lock !== undefined && flags !== undefined) f.if(i32.and(flags, BPF_F_LOCK), () => emit(f, true, to, lock.offset));
  };
  locked(emitLock);
  for (const [start, end] of copiedRanges(shape)) emitCopy(f, to, from, start, end);
  locked(emitUnlock);
}

/** All operations of ARRAY and PERCPU_ARRAY. */
export function emitArrayOps(code: MapCode): void {
  const { shape, site } = code;
  const percpu = shape.mapType === BPF_MAP_TYPE_PERCPU_ARRAY;
  const lookup = (f: Code, key: Expr<'i32'>): Local<'i32'> => {
    const value = f.local('i32');
    (percpu ? emitPercpuArrayLookup : emitArrayLookup)(f, shape, site, bytesAt(key), value);
    return value;
  };
  code.op('lookup', (f, key) => f.return(lookup(f, key)));
  code.op('update', (f, key, value, flags) => {
    f.if(i32.gt_u(i32.and(flags, ~BPF_F_LOCK), BPF_EXIST), () => f.return(-EINVAL));
    const to = lookup(f, key);
    f.if(i32.eqz(to), () => f.return(-E2BIG));
    f.if(i32.and(flags, BPF_NOEXIST), () => f.return(-EEXIST));
    if (spinLockOf(shape) === undefined) f.if(i32.and(flags, BPF_F_LOCK), () => f.return(-EINVAL));
    emitCopyValue(f, shape, to, value, flags);
    f.return(0);
  });
  code.op('delete', (f) => f.return(-EINVAL));
  if (percpu) {
    code.op('lookupPercpu', (f, key, cpu) => {
      f.if(i32.ge_u(cpu, shape.cpus), () => f.return(0));
      const value = f.local('i32');
      emitPercpuArrayLookup(f, shape, site, bytesAt(key), value, cpu);
      f.return(value);
    });
  }
  emitArrayWalk(code, (f, key) => lookup(f, key));
}

/** Walking by index; the cursor's first word is the next index, its second the key that the callback sees. */
function emitArrayWalk(code: MapCode, lookup: (f: Code, key: Expr<'i32'>) => Expr<'i32'>): void {
  code.op('walk', (f, cursor, keyOut) => {
    f.store32(cursor, i32.load(cursor), { offset: 4 });
    f.store32(cursor, i32.add(i32.load(cursor), 1));
    f.store32(keyOut, i32.add(cursor, 4));
    f.return(lookup(f, f.local('i32', i32.add(cursor, 4))));
  });
}
