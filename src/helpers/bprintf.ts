// Printing by a parsed format: integers, characters, strings, pointers and IP addresses as printk prints them.
// Invariant: the result is the whole text; whoever asked cuts it. %p prints a value made from the pointer that doesn't show it (the kernel
// hashes with a secret; here a fixed mix, so that runs repeat); symbols print as plain addresses, for there is no symbol table yet.
// Source: lib/vsprintf.c (number, string, pointer, ip4_string, ip6_string), kernel/bpf/helpers.c (bpf_bprintf_prepare).

import { EINVAL, ENOSPC } from '../spec/errno.ts';
import { MAX_BPRINTF_BIN_ARGS } from '../spec/limits.ts';
import { roundUp } from '../util/bytes.ts';
import { u64 } from '../util/u64.ts';
import type { HelperHost } from '../vm/host.ts';
import { parseFormat } from './bprintf-parse.ts';
import type { Conversion, Padding } from './bprintf-parse.ts';
import { USER_END, readKernel, readString, readUser } from './probe.ts';

const latin1 = (text: string): Uint8Array => Uint8Array.from(text, (char) => char.charCodeAt(0));

/** `body` in a field: spaces around it, or zeros between its sign and its digits. */
function pad(sign: string, body: string, { left, zero, width }: Padding): string {
  const missing = Math.max(0, width - sign.length - body.length);
  if (left) return sign + body + ' '.repeat(missing);
  return zero ? sign + '0'.repeat(missing) + body : ' '.repeat(missing) + sign + body;
}

function formatInteger(arg: bigint, how: Conversion & { readonly kind: 'int' }, padding: Padding): string {
  const value = how.signed ? BigInt.asIntN(how.bits, arg) : BigInt.asUintN(how.bits, arg);
  const digits = (value < 0n ? -value : value).toString(how.base);
  const positive = padding.plus ? '+' : padding.space ? ' ' : '';
  const sign = value < 0n ? '-' : how.signed ? positive : '';
  return pad(sign, how.upper ? digits.toUpperCase() : digits, padding);
}

/** A pointer: sixteen digits, unless a width is given. */
const formatPointer = (value: bigint, padding: Padding): string =>
  pad('', value.toString(16), padding.width === 0 ? { ...padding, width: 16, zero: true } : padding);

/** 32 bits that stand for a pointer in logs; 0 and error pointers print as they are. */
function hashedPointer(value: bigint): bigint {
  if (value === 0n || value > u64(-4096n)) return value;
  const mixed = u64((value ^ (value >> 29n)) * 0x9e37_79b9_7f4a_7c15n);
  return mixed >> 32n;
}

function formatIp4(address: Uint8Array, plain: boolean): string {
  return Array.from(address, (byte) => String(byte).padStart(plain ? 3 : 1, '0')).join('.');
}

function formatIp6(address: Uint8Array, plain: boolean): string {
  const digits = Array.from(address, (byte) => byte.toString(16).padStart(2, '0')).join('');
  return plain ? digits : (digits.match(/.{4}/g) ?? []).join(':');
}

/** The conversions of one call: prints each and keeps count of the binary arguments' bytes. */
class Printer {
  readonly #host: HelperHost;
  #used = 0;
  constructor(host: HelperHost) {
    this.#host = host;
  }

  /** The text of one argument, or -ENOSPC. */
  print(arg: bigint, conversion: Conversion, padding: Padding): Uint8Array | number {
    switch (conversion.kind) {
      case 'int': return this.#word(conversion.bits / 8, formatInteger(arg, conversion, padding));
      case 'hashed': return this.#word(8, formatPointer(hashedPointer(arg), padding));
      case 'raw': return this.#word(8, formatPointer(arg, padding));
      case 'symbol': return this.#word(8, `0x${arg.toString(16)}`);
      case 'backtrace': return this.#bytes(latin1(`0x${arg.toString(16)}`), 1);
      case 'char': return this.#char(Number(arg & 0xffn), padding);
      case 'string': return this.#string(arg, conversion.from, padding);
      default: return this.#ip(arg, conversion.version, conversion.plain);
    }
  }

  #word(sizeBytes: number, text: string): Uint8Array | number {
    const start = roundUp(this.#used, 4);
    if (start + sizeBytes > MAX_BPRINTF_BIN_ARGS) return -ENOSPC;
    this.#used = start + sizeBytes;
    return latin1(text);
  }

  /** Text that is stored as it is, with a NUL after it; `least` bytes must be free. */
  #bytes(text: Uint8Array, least: number): Uint8Array | number {
    if (this.#used + least > MAX_BPRINTF_BIN_ARGS) return -ENOSPC;
    this.#used += text.length + 1;
    return text;
  }

  #char(char: number, { left, width }: Padding): Uint8Array | number {
    if (this.#used >= MAX_BPRINTF_BIN_ARGS) return -ENOSPC;
    this.#used++;
    const spaces = Math.max(0, width - 1);
    const text = new Uint8Array(spaces + 1).fill(0x20);
    text[left ? 0 : spaces] = char;
    return text;
  }

  #string(addr: bigint, from: 'either' | 'kernel' | 'user', padding: Padding): Uint8Array | number {
    const room = MAX_BPRINTF_BIN_ARGS - this.#used;
    if (room <= 0) return -ENOSPC;
    const read = from === 'user' || (from === 'either' && addr < USER_END) ? readUser : readKernel;
    const found = readString(this.#host, read, addr, room);
    const text = typeof found === 'number' ? new Uint8Array(0) : found.slice(0, -1);
    this.#used += text.length + 1;
    if (from !== 'either') return text;
    const spaces = new Uint8Array(Math.max(0, padding.width - text.length)).fill(0x20);
    return padding.left ? joined([text, spaces]) : joined([spaces, text]);
  }

  #ip(addr: bigint, version: 4 | 6, plain: boolean): Uint8Array | number {
    const size = version === 4 ? 4 : 16;
    const found = readKernel(this.#host, addr, size);
    const address = typeof found === 'number' ? new Uint8Array(size) : found;
    return this.#bytes(latin1(version === 4 ? formatIp4(address, plain) : formatIp6(address, plain)), size);
  }
}

/** Several runs of bytes as one. */
function joined(parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/**
 * The text that `format` (up to its NUL, which must be there) gives with these arguments, without a NUL; or -EINVAL for a format
 * outside the subset or too few arguments, -ENOSPC when strings and values don't fit the kernel's 512 bytes.
 */
export function bprintf(host: HelperHost, format: Uint8Array, args: readonly bigint[]): Uint8Array | number {
  const length = format.indexOf(0);
  if (length < 0) return -EINVAL;
  const pieces = parseFormat(format.subarray(0, length), args.length);
  if (typeof pieces === 'number') return pieces;
  const printer = new Printer(host);
  const out: Uint8Array[] = [];
  let next = 0;
  for (const piece of pieces) {
    const text = 'start' in piece ? format.subarray(piece.start, piece.end) : printer.print(args[next++] as bigint, piece.conversion, piece.padding);
    if (typeof text === 'number') return text;
    out.push(text);
  }
  return joined(out);
}
