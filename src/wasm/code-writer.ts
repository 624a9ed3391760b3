// A growable buffer of WebAssembly code bytes: opcodes, LEB128 numbers and the places where function indices are filled in later.
// Invariant: `bytes()` of a finished writer holds exactly what was written, in order.
// Source: WebAssembly Core Specification 3.0, section 5.2 (values).

/** A call of a function that the module itself defines: its index moves with every import, so five bytes are patched when the module is encoded. */
export interface CallRelocation { readonly at: number; readonly definedIndex: number }

/** Appends bytes and LEB128 numbers. All integers are given as JavaScript numbers, 64-bit ones as bigint. */
export class CodeWriter {
  #buffer: Uint8Array;
  #length = 0;
  readonly relocations: CallRelocation[] = [];

  constructor(capacityBytes = 256) {
    this.#buffer = new Uint8Array(capacityBytes);
  }

  /** Bytes written so far. */
  get length(): number {
    return this.#length;
  }

  /** A view of what was written; invalid after the next write. */
  bytes(): Uint8Array {
    return this.#buffer.subarray(0, this.#length);
  }

  #reserve(more: number): void {
    const want = this.#length + more;
    if (want <= this.#buffer.length) return;
    const grown = new Uint8Array(Math.max(want, this.#buffer.length * 2));
    grown.set(this.bytes());
    this.#buffer = grown;
  }

  byte(value: number): void {
    if (this.#length === this.#buffer.length) this.#reserve(1);
    this.#buffer[this.#length++] = value;
  }

  append(bytes: ArrayLike<number>): void {
    this.#reserve(bytes.length);
    this.#buffer.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  /** An opcode of the table: one byte, or a prefix byte and a LEB128 sub-opcode. */
  op(code: number): void {
    if (code < 0x100) return this.byte(code);
    this.byte(code >>> 8);
    this.u32(code & 0xff);
  }

  /** Unsigned LEB128 of 0 … 2^32-1. */
  u32(value: number): void {
    let rest = value >>> 0;
    while (rest >= 0x80) {
      this.byte((rest & 0x7f) | 0x80);
      rest >>>= 7;
    }
    this.byte(rest);
  }

  /** Signed LEB128 of a 32-bit integer; as an i64 immediate it is that integer sign-extended. */
  s32(value: number): void {
    let rest = value | 0;
    for (;;) {
      const low = rest & 0x7f;
      rest >>= 7;
      if ((rest === 0 && (low & 0x40) === 0) || (rest === -1 && (low & 0x40) !== 0)) return this.byte(low);
      this.byte(low | 0x80);
    }
  }

  /** Signed LEB128 of a 64-bit integer; wraps. */
  s64(value: bigint): void {
    let rest = BigInt.asIntN(64, value);
    for (;;) {
      const low = Number(rest & 0x7fn);
      rest >>= 7n;
      if ((rest === 0n && (low & 0x40) === 0) || (rest === -1n && (low & 0x40) !== 0)) return this.byte(low);
      this.byte(low | 0x80);
    }
  }

  /** Length-prefixed UTF-8; names here are ASCII or whatever a program's BTF holds. */
  name(text: string): void {
    const utf8 = new TextEncoder().encode(text);
    this.u32(utf8.length);
    this.append(utf8);
  }

  /** The index of a function that the module defines, to be patched. */
  definedFunction(definedIndex: number): void {
    this.relocations.push({ at: this.#length, definedIndex });
    this.append(FIVE_ZEROS);
  }

  /** Fills in the relocated indices, now that the number of imported functions is known. */
  relocate(importedFunctions: number): void {
    for (const { at, definedIndex } of this.relocations) patchU32(this.#buffer, at, importedFunctions + definedIndex);
  }
}

const FIVE_ZEROS = [0, 0, 0, 0, 0];

/** A LEB128 number padded to five bytes, so that it can be written before its value is known. */
function patchU32(buffer: Uint8Array, at: number, value: number): void {
  for (let i = 0; i < 4; i++) buffer[at + i] = ((value >>> (7 * i)) & 0x7f) | 0x80;
  buffer[at + 4] = value >>> 28;
}
