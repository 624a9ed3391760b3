// The words that emitted map code is written in: where a map lies, how a key is read, copying, comparing and hashing bytes, spin locks.
// Invariant: nothing here knows a map type; sizes are compile-time constants, so short copies and compares are unrolled.
// The same emitters serve the map's own module (outlined) and a program that inlines a look-up (JIT).

import { CPU } from '../vm/cpu-area.ts';
import { andThen, i32, i64, memoryCopy, memoryFill, operand } from '../wasm/expr.ts';
import type { Expr, Operand } from '../wasm/expr.ts';
import type { FunctionBuilder, Local } from '../wasm/function-builder.ts';

/** A function under construction, whatever its signature. */
export type Code = Omit<FunctionBuilder, 'params' | 'result' | 'return' | 'returnCall' | 'returnCallIndirect' | 'encode'>;

/** Where a map's code finds the map: constants in an inlined look-up, imported globals in the map's own module. */
export interface MapSite {
  /** Offset of the MAP_HEADER. */
  readonly header: Operand<'i32'>;
  /** Offset of the first value, bucket or slot (MAP_HEADER.data). */
  readonly data: Operand<'i32'>;
  /** Offset of the running CPU's area. */
  readonly cpu: Expr<'i32'>;
}

/** A key (or value) as emitted code reads it; `offset` and `width` in bytes. Keys in memory use `bytesAt`, the JIT may give words held in locals. */
export interface ByteSource {
  word(offset: number, width: 1 | 2 | 4): Expr<'i32'>;
  word64(offset: number): Expr<'i64'>;
}

/** Bytes in memory at `address`, which is computed anew for each word: give a local. No alignment is assumed. */
export const bytesAt = (address: Expr<'i32'>): ByteSource => ({
  word: (offset, width) => (width === 4 ? i32.load(address, { offset, align: 1 }) : width === 2 ? i32.load16_u(address, { offset, align: 1 }) : i32.load8_u(address, { offset })),
  word64: (offset) => i64.load(address, { offset, align: 1 }),
});

/** One unrolled piece of a run of bytes. */
export interface Piece { readonly offset: number; readonly width: 1 | 2 | 4 | 8 }

/** The pieces of bytes [start, end): eights first, then what is left. */
export function piecesOf(start: number, end: number): Piece[] {
  const pieces: Piece[] = [];
  for (let offset = start; offset < end;) {
    const left = end - offset;
    const width = left >= 8 ? 8 : left >= 4 ? 4 : left >= 2 ? 2 : 1;
    pieces.push({ offset, width });
    offset += width;
  }
  return pieces;
}

const UNROLL_BYTES = 128;

/** Copies bytes [start, end) from `from` to `to`, the same range in both. */
export function emitCopy(f: Code, to: Expr<'i32'>, from: Expr<'i32'>, start: number, end: number): void {
  if (end - start > UNROLL_BYTES) {
    f.emit(memoryCopy(i32.add(to, start), i32.add(from, start), end - start));
    return;
  }
  const source = bytesAt(from);
  for (const { offset, width } of piecesOf(start, end)) {
    if (width === 8) f.store64(to, source.word64(offset), { offset, align: 1 });
    else if (width === 4) f.store32(to, source.word(offset, 4), { offset, align: 1 });
    else if (width === 2) f.store16(to, source.word(offset, 2), { offset, align: 1 });
    else f.store8(to, source.word(offset, 1), { offset });
  }
}

/** Sets bytes [start, end) at `to` to zero. */
export function emitZero(f: Code, to: Expr<'i32'>, start: number, end: number): void {
  if (end - start > UNROLL_BYTES) {
    f.emit(memoryFill(i32.add(to, start), 0, end - start));
    return;
  }
  for (const { offset, width } of piecesOf(start, end)) {
    if (width === 8) f.store64(to, 0n, { offset, align: 1 });
    else if (width === 4) f.store32(to, 0, { offset, align: 1 });
    else if (width === 2) f.store16(to, 0, { offset, align: 1 });
    else f.store8(to, 0, { offset });
  }
}

/** Copies a key from any source to memory. */
export function emitStoreBytes(f: Code, to: Expr<'i32'>, toOffset: number, source: ByteSource, sizeBytes: number): void {
  for (const { offset, width } of piecesOf(0, sizeBytes)) {
    const arg = { offset: toOffset + offset, align: 1 };
    if (width === 8) f.store64(to, source.word64(offset), arg);
    else if (width === 4) f.store32(to, source.word(offset, 4), arg);
    else if (width === 2) f.store16(to, source.word(offset, 2), arg);
    else f.store8(to, source.word(offset, 1), arg);
  }
}

/** A piece, zero-extended to 64 bits. */
export const pieceWord = (source: ByteSource, piece: Piece): Expr<'i64'> =>
  piece.width === 8 ? source.word64(piece.offset) : i64.extend_i32_u(source.word(piece.offset, piece.width));

/** 1 when `sizeBytes` bytes of the two are the same: word by word, and no further than the first difference of 16 bytes. */
export function equalBytes(a: ByteSource, b: ByteSource, sizeBytes: number): Expr<'i32'> {
  const pieces = piecesOf(0, sizeBytes);
  const only = pieces[0];
  if (pieces.length === 1 && only !== undefined && only.width !== 8) return i32.eq(a.word(only.offset, only.width), b.word(only.offset, only.width));
  let all: Expr<'i32'> | undefined;
  for (let at = pieces.length - (pieces.length % 2 === 0 ? 2 : 1); at >= 0; at -= 2) {
    const pair = pieces.slice(at, at + 2).map((piece) => i64.xor(pieceWord(a, piece), pieceWord(b, piece)));
    const [first, second] = pair as [Expr<'i64'>, Expr<'i64'> | undefined];
    const same = i64.eqz(second === undefined ? first : i64.or(first, second));
    all = all === undefined ? same : andThen(same, all);
  }
  return all ?? operand<'i32'>(1);
}

const K64 = -0x61c8864680b583ebn;

/** A well-mixed 32-bit hash of `sizeBytes` bytes, in a new local. Multiply and xor-shift per word; iteration order of maps depends on nothing else. */
export function emitHash(f: Code, source: ByteSource, sizeBytes: number): Local<'i32'> {
  if (sizeBytes <= 4 && sizeBytes !== 3) return emitHash32(f, source.word(0, sizeBytes as 1 | 2 | 4));
  const h = f.local('i64', BigInt(sizeBytes));
  for (const piece of piecesOf(0, sizeBytes)) {
    f.set(h, i64.mul(i64.xor(h, pieceWord(source, piece)), K64));
    f.set(h, i64.xor(h, i64.shr_u(h, 32n)));
  }
  f.set(h, i64.mul(h, K64));
  return f.local('i32', i32.wrap_i64(i64.shr_u(h, 32n)));
}

function emitHash32(f: Code, word: Expr<'i32'>): Local<'i32'> {
  const h = f.local('i32', i32.mul(word, 0x9e3779b1 | 0));
  f.set(h, i32.mul(i32.xor(h, i32.shr_u(h, 15)), 0x85ebca6b | 0));
  f.set(h, i32.xor(h, i32.shr_u(h, 13)));
  return h;
}

/** As `emitHash`, for long values: a loop over 8-byte words. `address` is a local. */
export function emitHashLoop(f: Code, address: Expr<'i32'>, sizeBytes: number): Local<'i64'> {
  const h = f.local('i64', BigInt(sizeBytes));
  const at = f.local('i32', address);
  const words = Math.floor(sizeBytes / 8);
  const mix = (word: Expr<'i64'>): void => {
    f.set(h, i64.mul(i64.xor(h, word), K64));
    f.set(h, i64.xor(h, i64.shr_u(h, 32n)));
  };
  if (words > 0) {
    const end = f.local('i32', i32.add(address, words * 8));
    f.loop((again) => {
      mix(i64.load(at, { align: 1 }));
      f.brIf(again, i32.ne(at.tee(i32.add(at, 8)), end));
    });
  }
  for (const piece of piecesOf(0, sizeBytes % 8)) mix(pieceWord(bytesAt(at), piece));
  f.set(h, i64.mul(h, K64));
  return h;
}

/** 1 when two long runs of bytes are equal: a loop over 8-byte words, then the rest. Both addresses are locals. */
export function emitEqualLoop(f: Code, a: Expr<'i32'>, b: Expr<'i32'>, sizeBytes: number): Local<'i32'> {
  const at = f.local('i32', 0);
  const same = f.local('i32', 0);
  const words = Math.floor(sizeBytes / 8) * 8;
  f.block((differ) => {
    f.loop((again) => {
      f.brIf(differ, i64.ne(i64.load(i32.add(a, at), { align: 1 }), i64.load(i32.add(b, at), { align: 1 })));
      f.brIf(again, i32.lt_u(at.tee(i32.add(at, 8)), words));
    });
    for (const { offset, width } of piecesOf(words, sizeBytes)) {
      f.brIf(differ, i32.ne(bytesAt(a).word(offset, width as 1 | 2 | 4), bytesAt(b).word(offset, width as 1 | 2 | 4)));
    }
    f.set(same, 1);
  });
  return same;
}

/** The running CPU's number. */
export const cpuNumber = (site: MapSite): Expr<'i32'> => i32.load(site.cpu, { offset: CPU.id });

/** Takes a spin lock (a zeroed u32); emits nothing where the memory has one user at a time. */
export function emitLock(f: Code, shared: boolean, address: Operand<'i32'>, offset = 0): void {
  if (!shared) return;
  f.loop((again) => f.brIf(again, i32.atomic.rmw.cmpxchg(address, 0, 1, { offset })));
}

/** Gives a spin lock back. */
export function emitUnlock(f: Code, shared: boolean, address: Operand<'i32'>, offset = 0): void {
  if (shared) f.store('i32.atomic.store', address, 0, { offset });
}
