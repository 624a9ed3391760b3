// The format strings that bpf_trace_printk, bpf_snprintf and their kin take: a subset of printk's, checked as a whole before anything is printed.
// Invariant: what parses here prints; the binary arguments of one call fill at most 512 bytes (-ENOSPC), laid out as the kernel does.
// Source: kernel/bpf/helpers.c (bpf_bprintf_prepare), lib/vsprintf.c (bstr_printf swallows letters and digits after a pointer's).

import { EINVAL } from '../spec/errno.ts';
import { isAlnum, isAsciiControl, isDigit, isPunct, isSpace } from './ctype.ts';

/** What stands before a conversion: %-08x. */
export interface Padding { readonly left: boolean; readonly zero: boolean; readonly plus: boolean; readonly space: boolean; readonly width: number }

/** How an argument is read and printed. 'hashed', 'raw' and 'symbol' are pointers as %p, %px and %ps print them. */
export type Conversion =
  | { readonly kind: 'int'; readonly base: 10 | 16; readonly signed: boolean; readonly upper: boolean; readonly bits: 32 | 64 }
  | { readonly kind: 'hashed' | 'raw' | 'symbol' | 'backtrace' | 'char' }
  | { readonly kind: 'string'; readonly from: 'either' | 'kernel' | 'user' }
  | { readonly kind: 'ip'; readonly version: 4 | 6; readonly plain: boolean };

/** Literal bytes [start, end) of the format, or one argument. */
export type FormatPiece = { readonly start: number; readonly end: number } | { readonly conversion: Conversion; readonly padding: Padding };

const ch = (char: string): number => char.charCodeAt(0);
const PERCENT = ch('%');
const FLAGS: readonly number[] = ['0', '+', '-', ' '].map(ch);

interface Parsed<T> { readonly value: T; readonly next: number }

function parsePadding(format: Uint8Array, at: number): Parsed<Padding> {
  let next = at;
  const seen = new Set<number>();
  for (; FLAGS.includes(format[next] as number); next++) seen.add(format[next] as number);
  let width = 0;
  for (; isDigit(format[next] ?? 0); next++) width = width * 10 + (format[next] as number) - 0x30;
  return { value: { left: seen.has(ch('-')), zero: seen.has(ch('0')), plus: seen.has(ch('+')), space: seen.has(ch(' ')), width: Math.min(width, 0x7fff) }, next };
}

/** White space, punctuation or the end: what may follow a bare %p or a %s. */
const endsWord = (char: number | undefined): boolean => char === undefined || isSpace(char) || isPunct(char);

function skipAlnum(format: Uint8Array, at: number): number {
  let next = at;
  while (isAlnum(format[next] ?? 0)) next++;
  return next;
}

const POINTERS: ReadonlyMap<number, Conversion> = new Map([
  [ch('K'), { kind: 'hashed' }], [ch('x'), { kind: 'raw' }], [ch('s'), { kind: 'symbol' }], [ch('S'), { kind: 'symbol' }], [ch('B'), { kind: 'backtrace' }],
]);

/** A pointer's conversion; `at` is after the p. */
function parsePointer(format: Uint8Array, at: number): Parsed<Conversion> | undefined {
  const [first, second] = [format[at], format[at + 1]];
  if (endsWord(first)) return { value: { kind: 'hashed' }, next: at };
  if ((first === ch('k') || first === ch('u')) && second === ch('s')) {
    return endsWord(format[at + 2]) ? { value: { kind: 'string', from: first === ch('k') ? 'kernel' : 'user' }, next: at + 2 } : undefined;
  }
  const pointer = POINTERS.get(first as number);
  if (pointer !== undefined) return { value: pointer, next: skipAlnum(format, at + 1) };
  return parseIp(format, at);
}

function parseIp(format: Uint8Array, at: number): Parsed<Conversion> | undefined {
  const [first, second] = [format[at], format[at + 1]];
  if ((first !== ch('i') && first !== ch('I')) || (second !== ch('4') && second !== ch('6'))) return undefined;
  const value: Conversion = { kind: 'ip', version: second === ch('4') ? 4 : 6, plain: first === ch('i') };
  return { value, next: skipAlnum(format, at + 2) };
}

function parseInteger(format: Uint8Array, at: number): Parsed<Conversion> | undefined {
  let next = at;
  while (next < at + 2 && format[next] === ch('l')) next++;
  const letter = String.fromCharCode(format[next] ?? 0);
  if (!'iduxX'.includes(letter)) return undefined;
  const hex = letter === 'x' || letter === 'X';
  const value: Conversion = { kind: 'int', base: hex ? 16 : 10, signed: letter === 'i' || letter === 'd', upper: letter === 'X', bits: next === at ? 32 : 64 };
  return { value, next: next + 1 };
}

function parseConversion(format: Uint8Array, at: number): Parsed<Conversion> | undefined {
  if (format[at] === ch('p')) return parsePointer(format, at + 1);
  if (format[at] === ch('s')) return endsWord(format[at + 1]) ? { value: { kind: 'string', from: 'either' }, next: at + 1 } : undefined;
  if (format[at] === ch('c')) return { value: { kind: 'char' }, next: at + 1 };
  return parseInteger(format, at);
}

/**
 * Takes a format (without its NUL) apart. Returns its pieces in order, or -EINVAL where it holds a control character, a conversion outside
 * the subset, or more conversions than `argCount`.
 */
export function parseFormat(format: Uint8Array, argCount: number): FormatPiece[] | number {
  const pieces: FormatPiece[] = [];
  let args = 0;
  let at = 0;
  while (at < format.length) {
    if (isAsciiControl(format[at] as number)) return -EINVAL;
    const isPercent = format[at] === PERCENT;
    if (!isPercent || format[at + 1] === PERCENT) {
      pieces.push({ start: at, end: at + 1 });
      at += isPercent ? 2 : 1;
      continue;
    }
    const padding = parsePadding(format, at + 1);
    const conversion = args < argCount ? parseConversion(format, padding.next) : undefined;
    if (conversion === undefined) return -EINVAL;
    args++;
    pieces.push({ conversion: conversion.value, padding: padding.value });
    at = conversion.next;
  }
  return pieces;
}
