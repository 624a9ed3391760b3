// Bytes → instruction slots.
// Invariant: every 8-byte slot decodes, known opcode or not (whether it means something is the verifier's question), and
// encodeInsns(decodeInsns(bytes)) gives the same bytes.
// Source: RFC 9669 section 3.1; little-endian programs only (uapi `struct bpf_insn` with the destination in the low half of byte 1).

import { viewOf } from '../util/bytes.ts';
import { DecodeError } from '../util/errors.ts';
import type { Insn } from './insn.ts';

/** Bytes of one instruction slot. */
export const INSN_BYTES = 8;

/** The slot at byte `offset` of a little-endian program; the caller has checked that 8 bytes are there. */
export function decodeInsn(view: DataView, offset: number): Insn {
  const regs = view.getUint8(offset + 1);
  return {
    code: view.getUint8(offset),
    dst: regs & 0x0f,
    src: regs >> 4,
    off: view.getInt16(offset + 2, true),
    imm: view.getInt32(offset + 4, true),
  };
}

/** All slots of a little-endian program. Throws DecodeError when the length is no multiple of 8. */
export function decodeInsns(bytes: Uint8Array): Insn[] {
  if (bytes.length % INSN_BYTES !== 0) {
    const whole = bytes.length - (bytes.length % INSN_BYTES);
    throw new DecodeError(`${bytes.length} bytes are no whole number of 8-byte instructions`, whole);
  }
  const view = viewOf(bytes);
  const insns: Insn[] = [];
  for (let offset = 0; offset < bytes.length; offset += INSN_BYTES) insns.push(decodeInsn(view, offset));
  return insns;
}
