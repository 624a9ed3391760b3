// BPF_MAP_TYPE_BLOOM_FILTER: a bit set; a value sets (push) or tests (peek) as many bits as there are hash functions.
// Invariant: what was pushed is always found. Which other values are found too depends on the hash function, which is not the kernel's.
// Source: kernel/bpf/bloom_filter.c for sizes and errno; bits chosen by double hashing (Kirsch, Mitzenmacher 2006).

import { EINVAL, ENOENT, EOPNOTSUPP } from '../spec/errno.ts';
import { i32, i64 } from '../wasm/expr.ts';
import type { Expr } from '../wasm/expr.ts';
import { BpfMap, flagsAsI32 } from './bpf-map.ts';
import type { MapSetup } from './bpf-map.ts';
import { emitHashLoop } from './code.ts';
import type { Code } from './code.ts';
import type { MapCode } from './map-module.ts';

const DEFAULT_HASHES = 5;

/** Hash functions and bits (a power of two, 64 … 2^32) for a filter's `map_extra` and `max_entries`, as the kernel sizes it. */
export function bloomSize(mapExtra: bigint, maxEntries: number): { hashCount: number; bits: number } {
  const hashCount = Number(mapExtra & 0xfn) || DEFAULT_HASHES;
  const product = maxEntries * hashCount;
  const wanted = Math.floor(product / 5) * 7;
  if (product > 0xffff_ffff || wanted > 2 ** 31) return { hashCount, bits: 2 ** 32 };
  return { hashCount, bits: Math.max(64, 2 ** Math.ceil(Math.log2(Math.max(wanted, 1)))) };
}

/** Calls `visit` in the emitted code for each of the value's bits: the byte's address and the bit's mask. */
function eachBit(f: Code, { shape, site }: MapCode, value: Expr<'i32'>, visit: (byte: Expr<'i32'>, mask: Expr<'i32'>) => void): void {
  const hash = emitHashLoop(f, value, shape.valueSize);
  const bit = f.local('i32', i32.wrap_i64(hash));
  const step = f.local('i32', i32.or(i32.wrap_i64(i64.shr_u(hash, 32n)), 1));
  const left = f.local('i32', shape.hashCount);
  const byte = f.local('i32');
  const mask = f.local('i32');
  f.loop((again) => {
    f.set(mask, i32.and(bit, (shape.bits - 1) | 0));
    f.set(byte, i32.add(site.data, i32.shr_u(mask, 3)));
    f.set(mask, i32.shl(1, i32.and(mask, 7)));
    visit(byte, mask);
    f.set(bit, i32.add(bit, step));
    f.brIf(again, left.tee(i32.sub(left, 1)));
  });
}

/** All operations of BLOOM_FILTER. */
export function emitBloomOps(code: MapCode): void {
  code.op('push', (f, value, flags) => {
    f.if(flags, () => f.return(-EINVAL));
    eachBit(f, code, value, (byte, mask) => {
      if (code.shape.shared) f.drop(i32.atomic.rmw8.or_u(byte, mask));
      else f.store8(byte, i32.or(i32.load8_u(byte), mask));
    });
    f.return(0);
  });
  code.op('peek', (f, value) => {
    eachBit(f, code, value, (byte, mask) => f.if(i32.eqz(i32.and(i32.load8_u(byte), mask)), () => f.return(-ENOENT)));
    f.return(0);
  });
  code.op('pop', (f) => f.return(-EOPNOTSUPP));
  code.op('delete', (f) => f.return(-EOPNOTSUPP));
}

/** BLOOM_FILTER from outside: an update pushes, a look-up tests the value that it is given. */
export class BloomFilterMap extends BpfMap {
  constructor(setup: MapSetup) {
    super(setup, { emit: emitBloomOps, dataBytes: setup.shape.bits / 8 });
  }
  protected override get lookupReadsValue(): boolean {
    return true;
  }
  protected override sysLookup(_key: Uint8Array, value: Uint8Array): number {
    return this.runtime.ops.peek(this.putValue(value));
  }
  protected override sysUpdate(_key: Uint8Array, value: Uint8Array, flags: bigint): number {
    return this.runtime.ops.push(this.putValue(value), flagsAsI32(flags));
  }
  protected override sysDelete(): number {
    return -EOPNOTSUPP;
  }
  protected override sysNextKey(): number {
    return -EOPNOTSUPP;
  }
}
