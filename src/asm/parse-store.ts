// Stores and atomic operations that have no result: "*(u32 *)(r1 +0) = r2", "lock *(u64 *)(r1 +0) += r2", "store_release(…)".

import { BPF_ADD, BPF_AND, BPF_ATOMIC, BPF_B, BPF_DW, BPF_H, BPF_MEM, BPF_OR, BPF_ST, BPF_STORE_REL, BPF_STX, BPF_XOR } from '../spec/opcodes.ts';
import type { Address, Cursor } from './cursor.ts';
import { sizeBits } from './cursor.ts';
import { single } from './parsed.ts';
import type { ParsedInsn } from './parsed.ts';

const LOCK_OP: ReadonlyMap<string, number> = new Map([['+=', BPF_ADD], ['|=', BPF_OR], ['&=', BPF_AND], ['^=', BPF_XOR]]);

/** An address whose type is unsigned, as everything but a sign-extending load wants. */
export function unsignedAddress(cursor: Cursor): Address {
  const token = cursor.peek(1);
  const address = cursor.address();
  if (address.isSigned) cursor.fail(`only loads sign-extend; write u${sizeBits(address.size)}`, token);
  return address;
}

/** An address of 32 or 64 bits, as atomic read-modify-write has. */
export function atomicAddress(cursor: Cursor): Address {
  const token = cursor.peek(1);
  const address = unsignedAddress(cursor);
  if (address.size === BPF_B || address.size === BPF_H) cursor.fail('atomic operations are 32 or 64 bits wide (u32, u64)', token);
  return address;
}

/** What a store's immediate may be: the 64-bit store sign-extends, narrower ones also take the unsigned spelling. */
function storeImm(cursor: Cursor, size: number): number {
  const max = size === BPF_DW ? 0x7fff_ffff : 0xffff_ffff;
  return cursor.numberIn('the value', -0x8000_0000, max) | 0;
}

/** After the first '*'. */
export function parseStore(cursor: Cursor): ParsedInsn {
  const { size, base, off } = unsignedAddress(cursor);
  cursor.expect('=');
  if (cursor.isRegister()) return single(BPF_STX | BPF_MEM | size, { dst: base, src: cursor.dataRegister(size), off });
  return single(BPF_ST | BPF_MEM | size, { dst: base, off, imm: storeImm(cursor, size) });
}

/** After "lock". */
export function parseLock(cursor: Cursor): ParsedInsn {
  cursor.expect('*');
  const { size, base, off } = atomicAddress(cursor);
  const imm = LOCK_OP.get(cursor.peek().text);
  if (imm === undefined) return cursor.expected("'+=', '|=', '&=' or '^='");
  cursor.next();
  return single(BPF_STX | BPF_ATOMIC | size, { dst: base, src: cursor.dataRegister(size), off, imm });
}

/** After "store_release". */
export function parseStoreRelease(cursor: Cursor): ParsedInsn {
  cursor.expect('(');
  const { size, base, off } = unsignedAddress(cursor);
  cursor.expect(',');
  const src = cursor.dataRegister(size);
  cursor.expect(')');
  return single(BPF_STX | BPF_ATOMIC | size, { dst: base, src, off, imm: BPF_STORE_REL });
}

