// Directives: raw slots for what no syntax can say, and the ones of compiler output that don't matter here.
//   .insn CODE, DST, SRC, OFF, IMM     one slot, field by field
//   .8byte / .quad / .dword N          one slot, as the 64-bit number that it is in little-endian memory
//   .byte N, N, …                      whole slots, byte by byte
// Of `clang -S` output, alignment, visibility and debug lines are skipped, and so are whole sections that hold no code.

import { decodeInsns } from '../insn/decode.ts';
import { viewOf } from '../util/bytes.ts';
import type { Cursor } from './cursor.ts';
import type { ParsedInsn } from './parsed.ts';
import { slot } from './parsed.ts';

const SKIPPED = new Set([
  '.text', '.globl', '.global', '.weak', '.hidden', '.local', '.protected', '.type', '.size', '.p2align', '.align', '.balign', '.file', '.loc', '.ident',
  '.addrsig', '.addrsig_sym', '.cfi_startproc', '.cfi_endproc', '.cfi_sections', '.cfi_def_cfa', '.cfi_offset',
]);
const COMMENT_SECTION = /^\.(?:debug|BTF|rodata|data|bss|maps|llvm|note|comment)/;

/** What a directive asks for: slots, or where the following text belongs. */
export type DirectiveResult = { readonly insns: readonly ParsedInsn[] } | { readonly section: 'code' | 'other' };

const raw = (bytes: Uint8Array): DirectiveResult => ({ insns: decodeInsns(bytes).map((insn) => ({ slots: [insn] })) });

function insnDirective(cursor: Cursor): DirectiveResult {
  const code = cursor.numberIn('the opcode', 0, 0xff);
  cursor.expect(',');
  const dst = cursor.numberIn('dst', 0, 15);
  cursor.expect(',');
  const src = cursor.numberIn('src', 0, 15);
  cursor.expect(',');
  const off = cursor.numberIn('off', -0x8000, 0x7fff);
  cursor.expect(',');
  const imm = cursor.numberIn('imm', -0x8000_0000, 0xffff_ffff) | 0;
  return { insns: [{ slots: [slot(code, { dst, src, off, imm })] }] };
}

function bytesDirective(cursor: Cursor): DirectiveResult {
  const start = cursor.peek();
  const bytes: number[] = [];
  do bytes.push(cursor.numberIn('a byte', -0x80, 0xff) & 0xff);
  while (cursor.accept(','));
  if (bytes.length % 8 !== 0) cursor.fail(`${bytes.length} bytes are no whole number of 8-byte instructions`, start);
  return raw(Uint8Array.from(bytes));
}

function quadDirective(cursor: Cursor): DirectiveResult {
  const values: bigint[] = [];
  do values.push(cursor.number('a 64-bit number'));
  while (cursor.accept(','));
  const bytes = new Uint8Array(values.length * 8);
  for (const [at, value] of values.entries()) viewOf(bytes).setBigUint64(at * 8, BigInt.asUintN(64, value), true);
  return raw(bytes);
}

function skipRest(cursor: Cursor): void {
  while (!cursor.atEnd) cursor.next();
}

/** `.section name, "flags"`: code when the flags say "x", or when there are none and the name is no data section's. */
function sectionDirective(cursor: Cursor): DirectiveResult {
  const name = cursor.next().text;
  let flags: string | undefined;
  while (!cursor.atEnd) {
    const token = cursor.next();
    if (token.kind === 'string') flags ??= token.text;
  }
  const isCode = flags === undefined ? !COMMENT_SECTION.test(name) : flags.includes('x');
  return { section: isCode ? 'code' : 'other' };
}

/** True when the cursor is at a directive (a name that begins with a dot and is no label). */
export const isDirective = (cursor: Cursor): boolean => cursor.peek().kind === 'word' && cursor.peek().text.startsWith('.') && !cursor.is(':', 1);

/** Reads a directive. */
export function parseDirective(cursor: Cursor): DirectiveResult {
  const token = cursor.next();
  if (token.text === '.section') return sectionDirective(cursor);
  if (token.text === '.text') return { section: 'code' };
  if (SKIPPED.has(token.text)) {
    skipRest(cursor);
    return { insns: [] };
  }
  if (token.text === '.insn') return insnDirective(cursor);
  if (token.text === '.byte') return bytesDirective(cursor);
  if (['.8byte', '.quad', '.dword'].includes(token.text)) return quadDirective(cursor);
  return cursor.fail(`unknown directive '${token.text}' (.insn, .byte, .8byte, .quad)`, token);
}
