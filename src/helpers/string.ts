// Numbers out of text, and comparison of text: bpf_strtol, bpf_strtoul, bpf_strncmp.
// Invariant: at most 63 characters after the sign are looked at; *res is 0 unless a number was read.
// Source: kernel/bpf/helpers.c, lib/kstrtox.c, lib/string.c (strncmp).

import { EINVAL, ERANGE } from '../spec/errno.ts';
import { S64_MAX, U64_MAX, s64 } from '../util/u64.ts';
import type { HelperHost } from '../vm/host.ts';
import { isSpace } from './ctype.ts';
import { helper } from './define.ts';

const MAX_DIGITS = 63;
const BASE_MASK = 0x1fn;
const MINUS = 0x2d;

interface Parsed { readonly value: bigint; readonly negative: boolean; readonly consumed: number }

/** The value of a digit character, 99 for none. */
function digitValue(char: number): number {
  if (char >= 0x30 && char <= 0x39) return char - 0x30;
  const lower = char | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x61 + 10 : 99;
}

const isHexPrefix = (text: Uint8Array): boolean => text[0] === 0x30 && ((text[1] ?? 0) | 0x20) === 0x78;

function guessBase(text: Uint8Array): number {
  if (text[0] !== 0x30) return 10;
  return isHexPrefix(text) && digitValue(text[2] ?? 0) < 16 ? 16 : 8;
}

/** Reads digits from `at`; undefined when the value needs more than 64 bits. */
function readDigits(text: Uint8Array, at: number, base: number): { readonly value: bigint; readonly end: number } | undefined {
  let value = 0n;
  let end = at;
  for (; end < text.length; end++) {
    const digit = digitValue(text[end] as number);
    if (digit >= base) break;
    value = value * BigInt(base) + BigInt(digit);
  }
  return value > U64_MAX ? undefined : { value, end };
}

/** A number with an optional sign, or a negative errno. */
function parseNumber(text: Uint8Array, flags: bigint): Parsed | number {
  const asked = Number(flags & BASE_MASK);
  if (flags > BASE_MASK || ![0, 8, 10, 16].includes(asked)) return -EINVAL;
  let start = 0;
  while (start < text.length && isSpace(text[start] as number)) start++;
  const negative = text[start] === MINUS;
  if (negative) start++;
  if (start >= text.length) return -EINVAL;
  const digits = text.subarray(start, start + MAX_DIGITS);
  const base = asked === 0 ? guessBase(digits) : asked;
  const prefix = base === 16 && isHexPrefix(digits) ? 2 : 0;
  const read = readDigits(digits, prefix, base);
  if (read === undefined) return -ERANGE;
  return read.end === prefix ? -EINVAL : { value: read.value, negative, consumed: start + read.end };
}

/** Parses `len` bytes at `buf`, lets `check` turn the number down, and stores it at `res`. */
function store(host: HelperHost, buf: number, len: number, flags: bigint, res: number, check: (parsed: Parsed) => number): number {
  host.memory.view.setBigUint64(res, 0n, true);
  const parsed = len === 0 ? -EINVAL : parseNumber(host.memory.bytes.slice(buf, buf + len), flags);
  if (typeof parsed === 'number') return parsed;
  const refused = check(parsed);
  if (refused !== 0) return refused;
  host.memory.view.setBigInt64(res, s64(parsed.negative ? -parsed.value : parsed.value), true);
  return parsed.consumed;
}

const fitsSigned = ({ value, negative }: Parsed): number => (value > (negative ? S64_MAX + 1n : S64_MAX) ? -ERANGE : 0);

export const strtol = helper('bpf_strtol', ['ptr', 'u32', 'u64', 'ptr'], 's32', (host, buf, len, flags, res) =>
  store(host, buf, len, flags, res, fitsSigned));

export const strtoul = helper('bpf_strtoul', ['ptr', 'u32', 'u64', 'ptr'], 's32', (host, buf, len, flags, res) =>
  store(host, buf, len, flags, res, ({ negative }) => (negative ? -EINVAL : 0)));

/** -1, 0 or 1, by unsigned bytes, up to the NUL or the size. */
export const strncmp = helper('bpf_strncmp', ['ptr', 'u32', 'ptr'], 's32', ({ memory: { bytes } }, s1, size, s2) => {
  for (let i = 0; i < size; i++) {
    const a = bytes[s1 + i] as number;
    const b = bytes[s2 + i] as number;
    if (a !== b) return a < b ? -1 : 1;
    if (a === 0) return 0;
  }
  return 0;
});
