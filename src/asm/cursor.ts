// A reader over one statement's tokens: expect, accept, and the operands that many statements share (registers, numbers, addresses).
// Invariant: every failure is an AsmError with the place of the token at fault; the last token is 'end', and the cursor never passes it.

import { AsmError } from '../util/errors.ts';
import { BPF_B, BPF_DW, BPF_H, BPF_W } from '../spec/opcodes.ts';
import { byWord, SIGNED_SIZE_WORD, SIZE_WORD } from '../insn/words.ts';
import { complaint } from './lexer.ts';
import type { Token } from './lexer.ts';

/** A register as written: r (64 bits) or w (the low 32 bits), 0–15. */
export interface Register { readonly reg: number; readonly wide: boolean; readonly token: Token }
/** A memory operand: width (BPF_W …), sign extension, base register, signed 16-bit offset. */
export interface Address { readonly size: number; readonly isSigned: boolean; readonly base: number; readonly off: number }

const UNSIGNED = byWord(SIZE_WORD);
const SIGNED = byWord(SIGNED_SIZE_WORD);
const REGISTER = /^([rw])(\d{1,2})$/;
/** r0 … r10; what else four bits can say is for tests of the verifier (option anyRegister). */
const LAST_REGISTER = 10;

const describe = (token: Token): string => (token.kind === 'end' ? 'the end of the line' : `'${token.text.slice(0, 40)}'`);

export class Cursor {
  readonly #tokens: readonly Token[];
  readonly #anyRegister: boolean;
  #at = 0;

  constructor(tokens: readonly Token[], anyRegister: boolean) {
    this.#tokens = tokens;
    this.#anyRegister = anyRegister;
  }

  /** The token `ahead` of the current one. */
  peek(ahead = 0): Token {
    return this.#tokens[Math.min(this.#at + ahead, this.#tokens.length - 1)] as Token;
  }

  next(): Token {
    const token = this.peek();
    if (this.#at < this.#tokens.length - 1) this.#at++;
    return token;
  }

  get atEnd(): boolean {
    return this.peek().kind === 'end';
  }

  /** Throws the complaint at `token` (default: the current one). */
  fail(message: string, token: Token = this.peek()): never {
    throw new AsmError([complaint(token, message)]);
  }

  /** Throws "expected …, found …". */
  expected(what: string): never {
    const token = this.peek();
    if (token.kind === 'bad') this.fail(token.text, token);
    return this.fail(`expected ${what}, found ${describe(token)}`, token);
  }

  /** True when the current token is this operator or word. */
  is(text: string, ahead = 0): boolean {
    const token = this.peek(ahead);
    return (token.kind === 'op' || token.kind === 'word') && token.text === text;
  }

  accept(text: string): boolean {
    if (!this.is(text)) return false;
    this.next();
    return true;
  }

  expect(text: string): Token {
    if (!this.is(text)) this.expected(`'${text}'`);
    return this.next();
  }

  word(what: string): Token {
    if (this.peek().kind !== 'word') this.expected(what);
    return this.next();
  }

  end(): void {
    if (!this.atEnd) this.expected('the end of the line');
  }

  /** A number with an optional sign, at most 64 bits wide (-2^63 … 2^64-1). */
  number(what: string): bigint {
    const first = this.peek();
    const negative = this.accept('-');
    if (!negative) this.accept('+');
    if (this.peek().kind !== 'number') this.expected(what);
    const value = negative ? -this.next().value : this.next().value;
    if (value < -(2n ** 63n) || value >= 2n ** 64n) this.fail(`${value} doesn't fit 64 bits`, first);
    return value;
  }

  /** A number in [min, max]. */
  numberIn(what: string, min: number, max: number): number {
    const first = this.peek();
    const value = this.number(what);
    if (value < min || value > max) this.fail(`${what} ${value} is out of range (${min} … ${max})`, first);
    return Number(value);
  }

  /** An unsigned 32-bit number, wrapped to the signed field that holds it. */
  u32(what: string): number {
    return this.numberIn(what, 0, 0xffff_ffff) | 0;
  }

  isRegister(ahead = 0): boolean {
    const token = this.peek(ahead);
    return token.kind === 'word' && REGISTER.test(token.text);
  }

  register(what = 'a register'): Register {
    const token = this.peek();
    const parts = token.kind === 'word' ? REGISTER.exec(token.text) : null;
    if (parts === null) return this.expected(what);
    const reg = Number(parts[2]);
    if (reg > (this.#anyRegister ? 15 : LAST_REGISTER)) this.fail(`there is no register ${token.text} (r0 … r${LAST_REGISTER})`);
    return { reg, wide: parts[1] === 'r', token: this.next() };
  }

  /** A 64-bit register, written with r. */
  wideRegister(what = 'a register'): number {
    const register = this.register(what);
    if (!register.wide) this.fail(`${register.token.text} is a 32-bit register; r${register.reg} is wanted here`, register.token);
    return register.reg;
  }

  /** A data register for an operand of this width: r or w up to 32 bits, r alone for 64. */
  dataRegister(size: number): number {
    return size === BPF_DW ? this.wideRegister() : this.register().reg;
  }

  /** "(u32 *)" or "(s8*)"; `star` reads the dereferencing star before it. */
  cast(): { size: number; isSigned: boolean } {
    this.expect('(');
    const token = this.word('a type (u8 … u64, s8 … s32)');
    const size = UNSIGNED.get(token.text) ?? SIGNED.get(token.text);
    if (size === undefined) this.fail(`'${token.text}' is no type (u8, u16, u32, u64, s8, s16, s32)`, token);
    this.expect('*');
    this.expect(')');
    return { size, isSigned: SIGNED.has(token.text) };
  }

  /** "r2 +8", "r2 - 0x18" or "r2", the base and offset of an address. */
  baseOffset(): { base: number; off: number } {
    const base = this.wideRegister('a base register');
    if (!this.is('+') && !this.is('-')) return { base, off: 0 };
    // "r2 + -4" is LLVM's inline assembly after substitution.
    if (this.is('+') && this.is('-', 1)) this.next();
    return { base, off: this.numberIn('the offset', -0x8000, 0x7fff) };
  }

  /** "(u32 *)(r2 +8)". */
  address(): Address {
    const { size, isSigned } = this.cast();
    this.expect('(');
    const { base, off } = this.baseOffset();
    this.expect(')');
    return { size, isSigned, base, off };
  }
}

/** Bits of a width, for messages. */
export const sizeBits = (size: number): number => ({ [BPF_B]: 8, [BPF_H]: 16, [BPF_W]: 32, [BPF_DW]: 64 })[size] ?? 0;
