// Arrays of u32 slots that user space fills by descriptor: PROG_ARRAY, PERF_EVENT_ARRAY, ARRAY_OF_MAPS, XSKMAP; and arrays of small structures: DEVMAP, CPUMAP.
// Invariant: 0 in a slot (in a structure: in its first word) means empty. What programs read: function-table slots, event ids, inner map headers, structures.
// Source: kernel/bpf/arraymap.c, devmap.c, cpumap.c; net/xdp/xskmap.c.

import { BPF_MAP_TYPE_ARRAY_OF_MAPS, BPF_MAP_TYPE_CPUMAP, BPF_MAP_TYPE_DEVMAP, BPF_MAP_TYPE_DEVMAP_HASH, BPF_MAP_TYPE_XSKMAP } from '../spec/map-types.ts';
import { i32, select } from '../wasm/expr.ts';
import type { Expr } from '../wasm/expr.ts';
import type { Local } from '../wasm/function-builder.ts';
import { bytesAt } from './code.ts';
import type { ByteSource, Code, MapSite } from './code.ts';
import type { MapShape } from './layout.ts';
import type { MapCode } from './map-module.ts';

/** struct bpf_devmap_val { ifindex; prog id } and struct bpf_cpumap_val { qsize; prog id } as the kernel keeps them, whatever the map's value_size. */
export const REDIRECT_VALUE_BYTES = 8;

const isStructArray = (type: number): boolean => type === BPF_MAP_TYPE_DEVMAP || type === BPF_MAP_TYPE_CPUMAP || type === BPF_MAP_TYPE_DEVMAP_HASH;

/** Bytes of one slot. */
export const slotBytes = (shape: MapShape): number => (isStructArray(shape.mapType) ? REDIRECT_VALUE_BYTES : 4);

/**
 * Look-up by index: of an ARRAY_OF_MAPS the inner map's header, of the structure arrays and XSKMAP the slot's own address when it isn't empty; 0 else.
 * For the JIT to inline.
 */
export function emitSlotLookup(f: Code, shape: MapShape, site: MapSite, key: ByteSource, result: Local<'i32'>): void {
  const index = f.local('i32', key.word(0, 4));
  f.set(result, 0);
  f.if(i32.lt_u(index, shape.maxEntries), () => {
    const slot = f.local('i32', i32.add(site.data, i32.mul(index, slotBytes(shape))));
    const held: Expr<'i32'> = i32.load(slot);
    f.set(result, shape.mapType === BPF_MAP_TYPE_ARRAY_OF_MAPS ? held : select<'i32'>(held, slot, 0));
  });
}

/** Operations of all these types: programs look up, and change nothing. Look-ups in PROG_ARRAY and PERF_EVENT_ARRAY find nothing, as in the kernel. */
export function emitSlotOps(code: MapCode): void {
  const { shape, site } = code;
  const readable = isStructArray(shape.mapType) || shape.mapType === BPF_MAP_TYPE_ARRAY_OF_MAPS || shape.mapType === BPF_MAP_TYPE_XSKMAP;
  if (!readable) return;
  code.op('lookup', (f, key) => {
    const result = f.local('i32');
    emitSlotLookup(f, shape, site, bytesAt(key), result);
    f.return(result);
  });
}
