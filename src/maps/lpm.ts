// BPF_MAP_TYPE_LPM_TRIE: a path-compressed binary trie of prefixes.
// Invariant: an intermediate node (made where two prefixes part, or left by a deletion) has exactly two children; a node is never changed but for its children and flag,
// an update puts another node in its place, so a program keeps the value that it looked up. Nodes are reused after a grace period.
// Key: u32 prefix length in bits, then the bytes in network order. Source: kernel/bpf/lpm_trie.c for semantics and errno (ENOSPC when full).

import { BPF_EXIST, BPF_NOEXIST } from '../spec/map-types.ts';
import { EEXIST, EINVAL, ENOENT, ENOSPC } from '../spec/errno.ts';
import { andThen, i32, i64, orElse } from '../wasm/expr.ts';
import type { Expr } from '../wasm/expr.ts';
import type { FunctionBuilder, Local } from '../wasm/function-builder.ts';
import { call } from '../wasm/refs.ts';
import type { FunctionRef } from '../wasm/refs.ts';
import { bytesAt, emitCopy, emitLock, emitUnlock, pieceWord, piecesOf } from './code.ts';
import type { Code } from './code.ts';
import { emitAllocate, emitFree, isError } from './hash-alloc.ts';
import { STATE, valueStride } from './layout.ts';
import type { MapShape } from './layout.ts';
import type { MapCode } from './map-module.ts';

/** Byte offsets within a node. Then the key's bytes, a mask of as many bytes (0xff under the prefix), the value: each on a multiple of 8. */
export const LPM_NODE = {
  /** u32 nodes whose next bit is 0 and 1 */
  child: 0,
  /** as in hash-layout's ELEMENT: the allocator's words */
  link: 8,
  mark: 12,
  prefixlen: 16,
  /** u32 1: an intermediate node, without value */
  intermediate: 20,
  data: 24,
} as const;

/** Where a key's bytes begin. */
export const LPM_KEY_DATA = 4;

const round8 = (size: number): number => Math.ceil(size / 8) * 8;

/** Sizes in bytes. */
export function lpmLayout(shape: MapShape): { dataSize: number; mask: number; value: number; nodeBytes: number; chunkNodes: number } {
  const dataSize = shape.keySize - LPM_KEY_DATA;
  const mask = LPM_NODE.data + round8(dataSize);
  const value = mask + round8(dataSize);
  const nodeBytes = value + valueStride(shape);
  return { dataSize, mask, value, nodeBytes, chunkNodes: Math.max(1, Math.min(Math.floor(65536 / nodeBytes), 2 * shape.maxEntries)) };
}

/** The bit of a key or node that decides between the children of a node with this prefix length. `data` is where its bytes begin. */
const bitAt = (data: Expr<'i32'>, offset: number, prefixlen: Expr<'i32'>): Expr<'i32'> =>
  i32.and(i32.shr_u(i32.load8_u(i32.add(data, i32.shr_u(prefixlen, 3)), { offset }), i32.xor(i32.and(prefixlen, 7), 7)), 1);

const prefixOf = (node: Expr<'i32'>): Expr<'i32'> => i32.load(node, { offset: LPM_NODE.prefixlen });
/** The place of the link to the child on one side. */
const childLink = (node: Expr<'i32'>, side: Expr<'i32'>): Expr<'i32'> => i32.add(node, i32.shl(side, 2));

/** 1 when the key's bytes agree with the node's under the node's mask. */
function underMask(shape: MapShape, node: Expr<'i32'>, key: Expr<'i32'>): Expr<'i32'> {
  const { dataSize, mask } = lpmLayout(shape);
  const [ours, theirs] = [bytesAt(node), bytesAt(key)];
  let all: Expr<'i32'> | undefined;
  for (const piece of piecesOf(0, dataSize).toReversed()) {
    const at = (base: number): typeof piece => ({ offset: base + piece.offset, width: piece.width });
    const differ = i64.and(i64.xor(pieceWord(ours, at(LPM_NODE.data)), pieceWord(theirs, at(LPM_KEY_DATA))), pieceWord(ours, at(mask)));
    all = all === undefined ? i64.eqz(differ) : andThen(i64.eqz(differ), all);
  }
  return all ?? i32.const(1);
}

/** Look-up: the longest prefix in the map that covers the key, which itself counts only up to its own length. */
function emitLookup(code: MapCode): void {
  const { shape, site } = code;
  const layout = lpmLayout(shape);
  code.op('lookup', (f, key) => {
    const [node, found, wanted, length] = [f.local('i32'), f.local('i32'), f.local('i32', i32.load(key, { align: 1 })), f.local('i32')];
    f.if(i32.gt_u(wanted, layout.dataSize * 8), () => f.return(0));
    f.set(node, i32.load(site.header, { offset: STATE.root }));
    f.while(node, (again, end) => {
      f.set(length, prefixOf(node));
      f.brIf(end, i32.gt_u(length, wanted));
      f.brIf(end, i32.eqz(underMask(shape, node, key)));
      f.if(i32.eqz(i32.load(node, { offset: LPM_NODE.intermediate })), () => f.set(found, node));
      f.brIf(end, i32.eq(length, layout.dataSize * 8));
      f.set(node, i32.load(childLink(node, bitAt(key, LPM_KEY_DATA, length))));
      f.br(again);
    });
    f.if(found, () => f.set(found, i32.add(found, layout.value)));
    f.return(found);
  });
}

type Matcher = FunctionRef<readonly ['i32', 'i32'], 'i32'>;

/** Defines `match(node, key) → bits`: how many leading bits agree, at most either prefix length. */
function emitMatch(code: MapCode): Matcher {
  return code.once('match', () => code.module.function({ name: 'match', params: ['i32', 'i32'], result: 'i32' }, (f, node, key) => {
    const { dataSize } = lpmLayout(code.shape);
    const [at, differ, limit, own] = [f.local('i32', 0), f.local('i32'), f.local('i32', i32.load(key, { align: 1 })), f.local('i32', prefixOf(node))];
    f.if(i32.lt_u(own, limit), () => f.set(limit, own));
    f.loop((again) => {
      f.set(differ, i32.xor(i32.load8_u(i32.add(node, at), { offset: LPM_NODE.data }), i32.load8_u(i32.add(key, at), { offset: LPM_KEY_DATA })));
      f.if(differ, () => {
        f.set(at, i32.add(i32.shl(at, 3), i32.sub(i32.clz(differ), 24)));
        f.if(i32.lt_u(at, limit), () => f.set(limit, at));
        f.return(limit);
      });
      f.brIf(again, i32.lt_u(at.tee(i32.add(at, 1)), dataSize));
    });
    f.return(limit);
  }));
}

interface Descent { readonly node: Local<'i32'>; readonly slot: Local<'i32'>; readonly matched: Local<'i32'>; readonly parent: Local<'i32'>; readonly parentSlot: Local<'i32'> }

/** Goes down to where the key belongs: `node` is the first one that isn't a proper prefix of it, or 0; `slot` the place of the link to it. */
function emitDescend(f: Code, code: MapCode, key: Expr<'i32'>): Descent {
  const { site } = code;
  const descent: Descent = { node: f.local('i32'), slot: f.local('i32'), matched: f.local('i32'), parent: f.local('i32', 0), parentSlot: f.local('i32', 0) };
  const { node, slot, matched, parent, parentSlot } = descent;
  const length = f.local('i32');
  f.set(slot, i32.add(site.header, STATE.root));
  f.while(node.tee(i32.load(slot)), (_again, end) => {
    f.set(matched, call(emitMatch(code), node, key));
    f.set(length, prefixOf(node));
    f.brIf(end, orElse(i32.ne(matched, length), i32.eq(length, i32.load(key, { align: 1 }))));
    f.set(parent, node);
    f.set(parentSlot, slot);
    f.set(slot, childLink(node, bitAt(key, LPM_KEY_DATA, length)));
  });
  return descent;
}

/** Fills a new node from the key; its mask too. */
function emitNode(f: Code, shape: MapShape, node: Local<'i32'>, data: Expr<'i32'>, dataOffset: number, prefixlen: Expr<'i32'>, intermediate: 0 | 1): void {
  const { dataSize, mask } = lpmLayout(shape);
  f.store32(node, prefixlen, { offset: LPM_NODE.prefixlen });
  f.store32(node, intermediate, { offset: LPM_NODE.intermediate });
  f.store64(node, 0n, { offset: LPM_NODE.child });
  emitCopy(f, f.local('i32', i32.add(node, LPM_NODE.data)), f.local('i32', i32.add(data, dataOffset)), 0, dataSize);
  const [at, bits] = [f.local('i32', 0), f.local('i32')];
  f.loop((again) => {
    f.set(bits, i32.sub(prefixlen, i32.shl(at, 3)));
    f.if(i32.ge_s(bits, 8), () => f.set(bits, 0xff),
      () => f.if(i32.gt_s(bits, 0), () => f.set(bits, i32.and(i32.shr_u(0xff00, bits), 0xff)), () => f.set(bits, 0)));
    f.store8(i32.add(node, at), bits, { offset: mask });
    f.brIf(again, i32.lt_u(at.tee(i32.add(at, 1)), dataSize));
  });
}

type UpdateBody = FunctionBuilder<readonly ['i32', 'i32', 'i32'], 'i32'>;

function emitUpdate(code: MapCode): void {
  const { shape, site } = code;
  const layout = lpmLayout(shape);
  const allocate = emitAllocate(code, layout.nodeBytes);
  code.op('update', (f, key, value, flags) => {
    f.if(i32.gt_u(flags, BPF_EXIST), () => f.return(-EINVAL));
    const wanted = f.local('i32', i32.load(key, { align: 1 }));
    f.if(i32.gt_u(wanted, layout.dataSize * 8), () => f.return(-EINVAL));
    emitLock(f, shape.shared, site.header, STATE.lruLock);
    const at = emitDescend(f, code, key);
    const adds = emitMayStore(f, code, at, flags);
    const fresh = f.local('i32', call(allocate));
    f.if(isError(fresh), () => leave(f, code, fresh));
    emitNode(f, shape, fresh, key, LPM_KEY_DATA, wanted, 0);
    emitCopy(f, f.local('i32', i32.add(fresh, layout.value)), value, 0, shape.valueSize);
    emitAttach(f, code, fresh, at, wanted, key);
    f.store32(site.header, i32.add(i32.load(site.header, { offset: STATE.count }), adds), { offset: STATE.count });
    leave(f, code, 0);
  });
}

function leave(f: UpdateBody, { shape, site }: MapCode, result: Expr<'i32'> | number): void {
  emitUnlock(f, shape.shared, site.header, STATE.lruLock);
  f.return(result);
}

/** The flags and the size allow it: 1 when a prefix is added, 0 when one is replaced. */
function emitMayStore(f: UpdateBody, code: MapCode, { node, matched }: Descent, flags: Local<'i32'>): Local<'i32'> {
  const { shape, site } = code;
  const adds = f.local('i32', 1);
  f.if(andThen(node, i32.eq(prefixOf(node), matched)), () => f.set(adds, i32.load(node, { offset: LPM_NODE.intermediate })));
  f.if(adds, () => {
    f.if(i32.eq(flags, BPF_EXIST), () => leave(f, code, -ENOENT));
    f.if(i32.ge_u(i32.load(site.header, { offset: STATE.count }), shape.maxEntries), () => leave(f, code, -ENOSPC));
  }, () => f.if(i32.eq(flags, BPF_NOEXIST), () => leave(f, code, -EEXIST)));
  return adds;
}

/** Puts the new node into an empty place, into the place of the node for the same prefix, above a longer prefix, or beside one. */
function emitAttach(f: UpdateBody, code: MapCode, fresh: Local<'i32'>, at: Descent, wanted: Local<'i32'>, key: Local<'i32'>): void {
  const { node, slot, matched } = at;
  f.block((done) => {
    f.block((empty) => {
      f.brIf(empty, i32.eqz(node));
      f.if(i32.eq(prefixOf(node), matched), () => {
        f.store64(fresh, i64.load(node, { offset: LPM_NODE.child }), { offset: LPM_NODE.child });
        f.store32(slot, fresh);
        f.drop(call(emitFree(code), node));
        f.br(done);
      });
      f.if(i32.ne(matched, wanted), () => {
        emitFork(f, code, fresh, at, key);
        f.br(done);
      });
      f.store32(childLink(fresh, bitAt(node, LPM_NODE.data, matched)), node);
    });
    f.store32(slot, fresh);
  });
}

/** The new prefix and the node part below both: an intermediate node takes them as its children. */
function emitFork(f: UpdateBody, code: MapCode, fresh: Local<'i32'>, { node, slot, matched }: Descent, key: Local<'i32'>): void {
  const { shape } = code;
  const fork = f.local('i32', call(emitAllocate(code)));
  f.if(isError(fork), () => {
    f.drop(call(emitFree(code), fresh));
    leave(f, code, fork);
  });
  emitNode(f, shape, fork, node, LPM_NODE.data, matched, 1);
  const side = f.local('i32', bitAt(key, LPM_KEY_DATA, matched));
  f.store32(childLink(fork, side), fresh);
  f.store32(childLink(fork, i32.xor(side, 1)), node);
  f.store32(slot, fork);
}

function emitDelete(code: MapCode): void {
  const { shape, site } = code;
  code.op('delete', (f, key) => {
    const wanted = f.local('i32', i32.load(key, { align: 1 }));
    f.if(i32.gt_u(wanted, lpmLayout(shape).dataSize * 8), () => f.return(-EINVAL));
    emitLock(f, shape.shared, site.header, STATE.lruLock);
    const at = emitDescend(f, code, key);
    const { node, matched } = at;
    const exact = andThen(node, andThen(i32.eq(prefixOf(node), wanted), andThen(i32.eq(prefixOf(node), matched), i32.eqz(i32.load(node, { offset: LPM_NODE.intermediate })))));
    f.if(i32.eqz(exact), () => {
      emitUnlock(f, shape.shared, site.header, STATE.lruLock);
      f.return(-ENOENT);
    });
    f.store32(site.header, i32.sub(i32.load(site.header, { offset: STATE.count }), 1), { offset: STATE.count });
    emitDetach(f, code, at);
    emitUnlock(f, shape.shared, site.header, STATE.lruLock);
    f.return(0);
  });
}

/** Takes a node out: with two children it stays as an intermediate one; a leaf under an intermediate parent takes the parent with it. */
function emitDetach(f: Code, code: MapCode, { node, slot, parent, parentSlot }: Descent): void {
  const free = emitFree(code);
  const [left, right] = [f.local('i32', i32.load(node)), f.local('i32', i32.load(node, { offset: 4 }))];
  f.block((done) => {
    f.if(andThen(left, right), () => {
      f.store32(node, 1, { offset: LPM_NODE.intermediate });
      f.br(done);
    });
    f.if(andThen(parent, andThen(i32.load(parent, { offset: LPM_NODE.intermediate }), i32.eqz(i32.or(left, right)))), () => {
      f.store32(parentSlot, i32.load(i32.add(parent, i32.xor(i32.sub(slot, parent), 4))));
      f.drop(call(free, parent));
      f.drop(call(free, node));
      f.br(done);
    });
    f.store32(slot, i32.or(left, right));
    f.drop(call(free, node));
  });
}

/** All operations of LPM_TRIE. */
export function emitLpmOps(code: MapCode): void {
  emitLookup(code);
  emitUpdate(code);
  emitDelete(code);
}
