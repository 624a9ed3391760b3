// Text → statements of tokens, each token with its place.
// Invariant: never throws and is linear in the text; what it can't read becomes a 'bad' token that the parser complains about.
// One line is one statement; ';' right after a token also ends one ("r0 = 0; exit"), while ';' after white space, or first in a line, starts
// a comment (verifier logs: "r0 = 0   ; R0_w=0"). Other comments: '//', '#' (except in "name#12"), '/* … */'.
// llvm-objdump's headings and its columns (address, bytes) at the start of a line are skipped.

import type { AsmDiagnostic } from '../util/errors.ts';

/** 'word' is a name or register, 'op' punctuation or an operator; `bad` tokens hold the complaint in `text`. */
export type TokenKind = 'word' | 'number' | 'op' | 'string' | 'bad' | 'end';

/** `line` and `column` count from 1; `value` is a number's. */
export interface Token { readonly kind: TokenKind; readonly text: string; readonly value: bigint; readonly line: number; readonly column: number }

/** Tokens up to a line's or statement's end; the last one is of kind 'end'. `comment` marks what a ';' made a comment; `bytes` is objdump's column, '' without. */
export interface Statement { readonly tokens: readonly Token[]; readonly comment: boolean; readonly bytes: string }

const SPACE = /[ \t\r\f\v\u00a0]+/y;
const WORD = /[A-Za-z_.$][\w.$]*/y;
const NUMERIC_LABEL = /\d{1,9}[fb](?![\w.])/y;
const NUMBER = /0[xX][0-9a-fA-F]{1,40}(?![\w.])|0[bB][01]{1,80}(?![\w.])|\d{1,40}(?![\w.])/y;
const SIGNED_OP = /s(?:>>=|>=|<=|\/=|%=|>|<)/y;
const OP = /<<=|>>=|\+=|-=|\*=|\/=|\|=|&=|\^=|%=|==|!=|<=|>=|[=<>&+\-*()[\],:@{}]/y;
const STRING = /"(?:[^"\\\n]|\\.)*"/y;
/** objdump: "       3:\tb7 00 00 00 00 00 00 00\t". */
const DUMP_BYTES = /[ \t]*\d+:[ \t]+(?:[0-9a-f]{2} ){7}[0-9a-f]{2}(?: (?:[0-9a-f]{2} ){7}[0-9a-f]{2})?[ \t]/y;
/** objdump: "0000000000000018 <LBB0_2>:", without the address under --no-leading-addr. */
const DUMP_LABEL = /[ \t]*(?:[0-9a-f]{8,16} )?<([A-Za-z_.$][\w.$]*)>:/y;
/** objdump's headings and, with -r, relocations: "x.o:\tfile format elf64-bpf", "Disassembly of section xdp:", "\t\t0000000000000060:  R_BPF_64_64\tflows". */
const DUMP_HEADING = /(?:[^\n]*:[ \t]+file format \w[\w-]*|Disassembly of section [^\n]*:|[ \t]+[0-9a-f]{8,16}:[ \t]+R_BPF_\w+[^\n]*)(?=[ \t\r]*(?:\n|$))/y;
const BAD_NUMBER = /[\w.]+/y;

class Lexer {
  readonly #text: string;
  #at = 0;
  #line = 1;
  #lineStart = 0;
  #tokens: Token[] = [];
  readonly #statements: Statement[] = [];
  #inComment = false;
  #lineIsEmpty = true;
  #bytes = '';

  constructor(text: string) {
    this.#text = text;
  }

  run(): Statement[] {
    this.#startLine();
    while (this.#at < this.#text.length) this.#step();
    this.#endStatement();
    return this.#statements;
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    return pattern.exec(this.#text)?.[0];
  }

  #push(kind: TokenKind, text: string, length: number, value = 0n): void {
    this.#tokens.push({ kind, text, value, line: this.#line, column: this.#at - this.#lineStart + 1 });
    this.#at += length;
    this.#lineIsEmpty = false;
  }

  #endStatement(): void {
    if (this.#tokens.length > 0) {
      this.#push('end', '', 0);
      this.#statements.push({ tokens: this.#tokens, comment: this.#inComment, bytes: this.#bytes });
    }
    this.#tokens = [];
    this.#inComment = false;
  }

  #newLine(): void {
    this.#endStatement();
    this.#at++;
    this.#nextLine();
    this.#startLine();
  }

  #nextLine(): void {
    this.#line++;
    this.#lineStart = this.#at;
    this.#lineIsEmpty = true;
  }

  /** Skips or rewrites what a dump has at the start of a line. */
  #startLine(): void {
    this.#bytes = '';
    DUMP_LABEL.lastIndex = this.#at;
    const label = DUMP_LABEL.exec(this.#text);
    if (label !== null) {
      this.#push('word', label[1] as string, label[0].length - 1);
      this.#push('op', ':', 1);
      return;
    }
    const bytes = this.#match(DUMP_BYTES);
    if (bytes !== undefined) this.#bytes = bytes.slice(bytes.indexOf(':') + 1).trim();
    this.#at += (bytes ?? this.#match(DUMP_HEADING))?.length ?? 0;
  }

  #step(): void {
    const char = this.#text[this.#at] as string;
    if (char === '\n') return this.#newLine();
    const space = this.#match(SPACE);
    if (space !== undefined) {
      this.#at += space.length;
      return undefined;
    }
    if (char === ';') return this.#semicolon();
    if (this.#text.startsWith('//', this.#at) || (char === '#' && !this.#isCallNumber())) return this.#skipLine();
    if (this.#text.startsWith('/*', this.#at)) return this.#inComment ? this.#skipLine() : this.#blockComment();
    return this.#token(char);
  }

  #skipLine(): void {
    const end = this.#text.indexOf('\n', this.#at);
    this.#at = end < 0 ? this.#text.length : end;
  }

  #semicolon(): void {
    const first = this.#tokens.length === 0;
    const afterSpace = this.#at > this.#lineStart && /\s/.test(this.#text[this.#at - 1] as string);
    if (this.#inComment || this.#lineIsEmpty) return this.#skipLine();
    this.#endStatement();
    this.#at++;
    // The comment's tokens are kept: the assembler complains when they would have been an instruction.
    this.#inComment = afterSpace && !first;
    return undefined;
  }

  #blockComment(): void {
    const end = this.#text.indexOf('*/', this.#at + 2);
    if (end < 0) {
      this.#push('bad', "'/*' without '*/'", this.#text.length - this.#at);
      return;
    }
    while (this.#at < end + 2) {
      const isNewline = this.#text[this.#at] === '\n';
      this.#at++;
      if (isNewline) this.#nextLine();
    }
  }

  /** True for the '#' of "bpf_map_lookup_elem#1". */
  #isCallNumber(): boolean {
    const before = this.#tokens.at(-1);
    const touches = before !== undefined && before.kind === 'word' && /\w/.test(this.#text[this.#at - 1] ?? ' ');
    return touches && /^-?\d/.test(this.#text.slice(this.#at + 1, this.#at + 3));
  }

  #token(char: string): void {
    const signedOp = this.#match(SIGNED_OP);
    if (signedOp !== undefined) return this.#push('op', signedOp, signedOp.length);
    const word = this.#match(NUMERIC_LABEL) ?? this.#match(WORD);
    if (word !== undefined) return this.#word(word);
    const number = this.#match(NUMBER);
    if (number !== undefined) return this.#push('number', number, number.length, BigInt(number));
    if (char === '#') return this.#push('op', '#', 1);
    const op = this.#match(OP);
    if (op !== undefined) return this.#push('op', op, op.length);
    const quoted = this.#match(STRING);
    if (quoted !== undefined) return this.#push('string', quoted.slice(1, -1), quoted.length);
    return this.#bad(char);
  }

  /** Kernel selftests write unique labels as "l0_%=". */
  #word(word: string): void {
    const length = word.endsWith('_') && this.#text.startsWith('%=', this.#at + word.length) ? word.length + 2 : word.length;
    this.#push('word', word, length);
  }

  #bad(char: string): void {
    const number = /[0-9]/.test(char) ? this.#match(BAD_NUMBER) : undefined;
    if (number === undefined) this.#push('bad', `unexpected character '${char}'`, 1);
    else this.#push('bad', `'${number.slice(0, 40)}' is no number`, number.length);
  }
}

/** The text's statements in order; empty ones are left out. */
export const lex = (text: string): Statement[] => new Lexer(text).run();

/** A complaint at a token. */
export const complaint = (token: Token, message: string): AsmDiagnostic => ({ line: token.line, column: token.column, message });
