// Helpers on maps: look-up, update, delete, the queue operations and the walk over all elements.
// Invariant: everything about a map is its own operations' business (vm/executor.ts MapOps); here only arguments are brought into their form.
// The executors may call the operations directly; then these are the same calls by a longer way.
// Source: kernel/bpf/helpers.c, kernel/bpf/bpf_iter.c (bpf_for_each_map_elem).

import { EINVAL } from '../spec/errno.ts';
import type { HelperHost } from '../vm/host.ts';
import { toAddr } from '../vm/memory.ts';
import { callingHelper, helper } from './define.ts';

/** Flags as map operations take them: -1, which they all refuse, for those that need more than 31 bits. */
const opFlags = (flags: bigint): number => (flags > 0x7fff_ffffn ? -1 : Number(flags));

export const mapLookupElem = helper('bpf_map_lookup_elem', ['ptr', 'ptr'], 'ptr', (host, map, key) => host.mapAt(map).ops.lookup(key));

export const mapUpdateElem = helper('bpf_map_update_elem', ['ptr', 'ptr', 'ptr', 'u64'], 's32', (host, map, key, value, flags) =>
  host.mapAt(map).ops.update(key, value, opFlags(flags)));

export const mapDeleteElem = helper('bpf_map_delete_elem', ['ptr', 'ptr'], 's32', (host, map, key) => host.mapAt(map).ops.delete(key));

export const mapPushElem = helper('bpf_map_push_elem', ['ptr', 'ptr', 'u64'], 's32', (host, map, value, flags) =>
  host.mapAt(map).ops.push(value, opFlags(flags)));

export const mapPopElem = helper('bpf_map_pop_elem', ['ptr', 'ptr'], 's32', (host, map, value) => host.mapAt(map).ops.pop(value));

export const mapPeekElem = helper('bpf_map_peek_elem', ['ptr', 'ptr'], 's32', (host, map, value) => host.mapAt(map).ops.peek(value));

export const mapLookupPercpuElem = helper('bpf_map_lookup_percpu_elem', ['ptr', 'ptr', 'u32'], 'ptr', (host, map, key, cpu) =>
  host.mapAt(map).ops.lookupPercpu(key, cpu));

const CURSOR_BYTES = 16;

/** Calls the callback for each element until it returns nonzero; the number of elements it was called for. */
function walkMap(host: HelperHost, map: number, callback: number, callbackCtx: number): number {
  const { ops } = host.mapAt(map);
  const cursor = host.memory.alloc(CURSOR_BYTES + 8);
  const keyCell = cursor + CURSOR_BYTES;
  let visited = 0;
  try {
    for (let value = ops.walk(cursor, keyCell); value !== 0; value = ops.walk(cursor, keyCell)) {
      visited++;
      const key = host.memory.view.getUint32(keyCell, true);
      if (host.callBack(callback, toAddr(map), toAddr(key), toAddr(value), toAddr(callbackCtx), 0n) !== 0n) break;
    }
  } finally {
    host.memory.free(cursor, CURSOR_BYTES + 8);
  }
  return visited;
}

export const forEachMapElem = callingHelper('bpf_for_each_map_elem', ['ptr', 'ptr', 'ptr', 'u64'], 's32',
  (host, map, callback, callbackCtx, flags) => (flags === 0n ? walkMap(host, map, callback, callbackCtx) : -EINVAL));
