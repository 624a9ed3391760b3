// Calls of map operations: inlined where the map is known and its look-up short, else a direct call of the map's own wasm function, else
// an indirect call through the map's header.
// Invariant: r1 is the map's header, keys and values are memory offsets, flags that don't fit in 31 bits are passed as -1.
// Source: vm/executor.ts MapOps, vm/map-header.ts.

import { emitArrayLookup, emitPercpuArrayLookup } from '../maps/array.ts';
import { bytesAt } from '../maps/code.ts';
import type { MapShape } from '../maps/layout.ts';
import {
  BPF_FUNC_map_delete_elem, BPF_FUNC_map_lookup_elem, BPF_FUNC_map_lookup_percpu_elem, BPF_FUNC_map_peek_elem, BPF_FUNC_map_pop_elem,
  BPF_FUNC_map_push_elem, BPF_FUNC_map_update_elem,
} from '../spec/helpers.ts';
import { BPF_MAP_TYPE_ARRAY, BPF_MAP_TYPE_PERCPU_ARRAY } from '../spec/map-types.ts';
import type { MapOps, MapRuntime } from '../vm/executor.ts';
import { MAP_HEADER, MAP_OP_SLOTS } from '../vm/map-header.ts';
import { i32, i64, select } from '../wasm/expr.ts';
import type { Expr } from '../wasm/expr.ts';
import type { FunctionRef } from '../wasm/refs.ts';
import { call, callIndirect } from '../wasm/refs.ts';
import { mapOpParams } from './imports.ts';
import { addressOf } from './scope.ts';
import type { Scope } from './scope.ts';

/** A map helper's operation, what its arguments from r2 on are, and its result. */
interface MapCall { readonly op: keyof MapOps; readonly args: readonly ('low' | 'flags')[]; readonly result: 'ptr' | 's32' }

const MAP_CALLS: Readonly<Record<number, MapCall>> = {
  [BPF_FUNC_map_lookup_elem]: { op: 'lookup', args: ['low'], result: 'ptr' },
  [BPF_FUNC_map_update_elem]: { op: 'update', args: ['low', 'low', 'flags'], result: 's32' },
  [BPF_FUNC_map_delete_elem]: { op: 'delete', args: ['low'], result: 's32' },
  [BPF_FUNC_map_push_elem]: { op: 'push', args: ['low', 'flags'], result: 's32' },
  [BPF_FUNC_map_pop_elem]: { op: 'pop', args: ['low'], result: 's32' },
  [BPF_FUNC_map_peek_elem]: { op: 'peek', args: ['low'], result: 's32' },
  [BPF_FUNC_map_lookup_percpu_elem]: { op: 'lookupPercpu', args: ['low', 'low'], result: 'ptr' },
};

const flagsArg = (flags: Expr<'i64'>): Expr<'i32'> => select<'i32'>(i64.gt_u(flags, 0x7fff_ffffn), -1, i32.wrap_i64(flags));

/** The map's shape as far as a look-up by index depends on it, from its header. */
function shapeOf(s: Scope, map: MapRuntime): MapShape {
  const { memory } = s.unit.env;
  const word = (offset: number): number => memory.view.getUint32(map.header + offset, true);
  return {
    mapType: map.mapType, keySize: word(MAP_HEADER.keySize), valueSize: word(MAP_HEADER.valueSize), maxEntries: word(MAP_HEADER.maxEntries),
    noPrealloc: false, cpus: 1, shared: memory.shared, special: [], hashCount: 0, bits: 0,
  };
}

/** The offset of the value found, when the look-up is short enough to stand in the program. */
function inlineLookup(s: Scope, mapIndex: number): Expr<'i32'> | undefined {
  const map = s.unit.env.maps[mapIndex];
  if (map === undefined || (map.mapType !== BPF_MAP_TYPE_ARRAY && map.mapType !== BPF_MAP_TYPE_PERCPU_ARRAY)) return undefined;
  const data = s.unit.env.memory.view.getUint32(map.header + MAP_HEADER.data, true);
  const site = { header: map.header, data, cpu: s.cpu() };
  const value = s.scratch('i32', 'map_value');
  const emit = map.mapType === BPF_MAP_TYPE_ARRAY ? emitArrayLookup : emitPercpuArrayLookup;
  emit(s.f, shapeOf(s, map), site, bytesAt(s.reg32(2)), value);
  return value;
}

function outlined(s: Scope, { op }: MapCall, args: readonly Expr<'i32'>[], mapIndex: number | undefined): Expr<'i32'> {
  if (mapIndex !== undefined) return call(s.unit.imports.mapOp(mapIndex, op) as FunctionRef<readonly 'i32'[], 'i32'>, ...args);
  const slot = i32.add(i32.load(s.reg32(1), { offset: MAP_HEADER.opsSlot }), MAP_OP_SLOTS.indexOf(op));
  return callIndirect(s.unit.table, s.unit.module.type(mapOpParams(op), 'i32'), 'i32', slot, ...args);
}

/** The value of r0 after a map helper's call, or undefined when `helper` is none. */
export function lowerMapCall(s: Scope, helper: number, mapIndex: number | undefined): Expr<'i64'> | undefined {
  const row = MAP_CALLS[helper];
  if (row === undefined) return undefined;
  const args = row.args.map((kind, index) => (kind === 'flags' ? flagsArg(s.reg(index + 2)) : s.reg32(index + 2)));
  const inlined = row.op === 'lookup' && mapIndex !== undefined ? inlineLookup(s, mapIndex) : undefined;
  const result = inlined ?? outlined(s, row, args, mapIndex);
  return row.result === 'ptr' ? addressOf(result, s.scratch('i32', 'found')) : i64.extend_i32_s(result);
}
