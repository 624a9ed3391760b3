// Bytes in and out: little-endian views, hexadecimal text, NUL-terminated names.
// Invariant: nothing here depends on the host's byte order (design: only DataView touches guest memory).

const HEX_BYTE = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

/** A DataView of exactly these bytes. */
export const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** Lower-case hexadecimal, two digits a byte, no separators. */
export function toHex(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += HEX_BYTE[byte];
  return text;
}

/** Bytes from hexadecimal text; white space between bytes is skipped. Undefined when the text is no hexadecimal. */
export function fromHex(text: string): Uint8Array | undefined {
  const digits = text.replace(/\s+/g, '');
  if (digits.length % 2 !== 0 || !/^[0-9a-fA-F]*$/.test(digits)) return undefined;
  const bytes = new Uint8Array(digits.length / 2);
  for (let i = 0; i < bytes.length; i++) bytes[i] = Number.parseInt(digits.slice(2 * i, 2 * i + 2), 16);
  return bytes;
}

/** The text up to the first NUL in `bytes` from `offset`, as Latin-1 (section, symbol and type names are ASCII). */
export function cString(bytes: Uint8Array, offset = 0): string {
  let end = offset;
  while (end < bytes.length && bytes[end] !== 0) end++;
  let text = '';
  for (let i = offset; i < end; i++) text += String.fromCharCode(bytes[i] as number);
  return text;
}

/** `value` rounded up to a multiple of `align`, a power of two; for values below 2^31. */
export const roundUp = (value: number, align: number): number => (value + align - 1) & -align;
