// Instruction slots → bytes.
// Invariant: fields in range are kept exactly; out-of-range fields are our own bug (the assembler and the builder check a user's values).
// Source: RFC 9669 section 3.1, little-endian.

import { assert } from '../util/assert.ts';
import { viewOf } from '../util/bytes.ts';
import { INSN_BYTES } from './decode.ts';
import type { Insn } from './insn.ts';

const inRange = (value: number, min: number, max: number): boolean => Number.isInteger(value) && value >= min && value <= max;

/** True when every field of the slot can be encoded: code 0–255, registers 0–15, off signed 16 bits, imm signed 32 bits. */
export const isEncodable = (insn: Insn): boolean =>
  inRange(insn.code, 0, 0xff) && inRange(insn.dst, 0, 15) && inRange(insn.src, 0, 15) &&
  inRange(insn.off, -0x8000, 0x7fff) && inRange(insn.imm, -0x8000_0000, 0x7fff_ffff);

/** The program's bytes, 8 a slot, little-endian. Throws InternalError on a field out of range. */
export function encodeInsns(insns: readonly Insn[]): Uint8Array {
  const bytes = new Uint8Array(insns.length * INSN_BYTES);
  const view = viewOf(bytes);
  for (const [at, insn] of insns.entries()) {
    assert(isEncodable(insn), `an instruction that can be encoded (slot ${at}: ${JSON.stringify(insn)})`);
    view.setUint8(at * INSN_BYTES, insn.code);
    view.setUint8(at * INSN_BYTES + 1, (insn.src << 4) | insn.dst);
    view.setInt16(at * INSN_BYTES + 2, insn.off, true);
    view.setInt32(at * INSN_BYTES + 4, insn.imm, true);
  }
  return bytes;
}
