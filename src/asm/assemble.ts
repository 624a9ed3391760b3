// Text → instruction slots: the kernel's dialect (bpftool), LLVM's (clang -S, llvm-objdump) and their mixtures; whole verifier logs too.
// Invariant: any text gives either a program or one AsmError that holds every complaint (up to MAX_DIAGNOSTICS) in order of place; nothing hangs.
// Two passes: statements to slots, then labels and names into the slots.

import { BPF_CALL, BPF_JMP, BPF_PSEUDO_CALL, BPF_PSEUDO_FUNC, BPF_PSEUDO_KFUNC_CALL, BPF_PSEUDO_MAP_FD } from '../spec/opcodes.ts';
import { helperByName } from '../spec/helpers.ts';
import type { Insn } from '../insn/insn.ts';
import { AsmError } from '../util/errors.ts';
import type { AsmDiagnostic } from '../util/errors.ts';
import { Cursor } from './cursor.ts';
import { isDirective, parseDirective } from './directives.ts';
import { complaint, lex } from './lexer.ts';
import type { Statement, Token } from './lexer.ts';
import { Labels } from './labels.ts';
import { parseAssign } from './parse-assign.ts';
import type { AssignContext } from './parse-assign.ts';
import { JUMP_STATEMENTS } from './parse-jump.ts';
import { parseLock, parseStore, parseStoreRelease } from './parse-store.ts';
import type { ParsedInsn, Pending } from './parsed.ts';
import { isVerifierLog, logStatements } from './verifier-log.ts';

/** How to read. */
export interface AsmOptions {
  /** 'kernel': "r1 = 0x5" is a 64-bit load, as in a verifier log without opcodes. Default 'auto': it is a move. */
  readonly dialect?: 'auto' | 'kernel';
  /** Takes r11 … r15 too, for tests of the verifier. */
  readonly anyRegister?: boolean;
  /** File descriptors (or indexes) of maps by name; a name that isn't there stays a reference with imm 0. */
  readonly maps?: Readonly<Record<string, number>>;
  /** BTF ids of kfuncs by name. */
  readonly kfuncs?: Readonly<Record<string, number>>;
}

/** A name that the text uses and the program doesn't define; the slot at `at` has it. `offset` in bytes, of map values. */
export interface AsmReference { readonly at: number; readonly kind: 'map' | 'map_value' | 'kfunc' | 'symbol'; readonly name: string; readonly offset: number }

/** An assembled program. */
export interface AsmProgram {
  readonly insns: readonly Insn[];
  /** First slot by label. */
  readonly labels: ReadonlyMap<string, number>;
  /** Source line (from 1) of each slot. */
  readonly lines: readonly number[];
  readonly references: readonly AsmReference[];
}

/** More complaints than this are not collected. */
export const MAX_DIAGNOSTICS = 200;

interface Placed { readonly at: number; readonly pending: Pending }

class Assembler {
  readonly #options: AsmOptions;
  readonly #insns: Insn[] = [];
  readonly #lines: number[] = [];
  readonly #labels = new Labels();
  readonly #placed: Placed[] = [];
  readonly #references: AsmReference[] = [];
  readonly #diagnostics: AsmDiagnostic[] = [];
  #inCode = true;

  constructor(options: AsmOptions) {
    this.#options = options;
  }

  run(text: string): AsmProgram {
    for (const statement of this.#statements(text)) {
      if (this.#diagnostics.length >= MAX_DIAGNOSTICS) break;
      if (statement.comment) this.#checkComment(statement);
      else this.#guard(() => this.#statement(this.#cursor(statement), statement.bytes));
    }
    for (const placed of this.#placed) this.#guard(() => this.#resolve(placed));
    if (this.#diagnostics.length > 0) throw new AsmError(this.#sorted());
    return { insns: this.#insns, labels: this.#labels.named(), lines: this.#lines, references: this.#references };
  }

  #statements(text: string): readonly Statement[] {
    if (!isVerifierLog(text)) return lex(text);
    const { statements, complaints } = logStatements(text);
    this.#diagnostics.push(...complaints);
    return statements;
  }

  #cursor(statement: Statement): Cursor {
    return new Cursor(statement.tokens, this.#options.anyRegister === true);
  }

  #sorted(): AsmDiagnostic[] {
    return this.#diagnostics.sort((a, b) => a.line - b.line || a.column - b.column).slice(0, MAX_DIAGNOSTICS);
  }

  #guard(work: () => void): void {
    try {
      work();
    } catch (error) {
      if (!(error instanceof AsmError)) throw error;
      this.#diagnostics.push(...error.diagnostics);
    }
  }

  /** "r0 = 0 ; exit" would lose its exit silently: a comment that reads as an instruction is a complaint. */
  #checkComment(statement: Statement): void {
    if (!this.#inCode) return;
    const cursor = this.#cursor(statement);
    try {
      this.#instruction(cursor);
      cursor.end();
    } catch (error) {
      if (error instanceof AsmError) return;
      throw error;
    }
    const first = statement.tokens[0] as Token;
    this.#diagnostics.push(complaint(first, "' ;' starts a comment, but this is an instruction: put it on a line of its own, or use '//' for a comment"));
  }

  #statement(cursor: Cursor, bytes: string): void {
    const start = cursor.peek();
    if (!this.#inCode && !cursor.is('.section') && !cursor.is('.text')) return undefined;
    if (isDirective(cursor)) return this.#directive(cursor, start);
    while (this.#label(cursor));
    if (cursor.atEnd) return undefined;
    if (isDirective(cursor)) return this.#directive(cursor, start);
    const parsed = this.#instruction(cursor);
    cursor.end();
    return this.#emit(LOCAL_CALL.test(bytes) ? asLocalCall(parsed) : parsed, start.line);
  }

  #directive(cursor: Cursor, start: Token): void {
    const result = parseDirective(cursor);
    cursor.end();
    if ('section' in result) this.#inCode = result.section === 'code';
    else for (const parsed of result.insns) this.#emit(parsed, start.line);
  }

  /** Reads "name:" or "12:"; numbers may repeat ("1: … goto 1b"), names may not. */
  #label(cursor: Cursor): boolean {
    const token = cursor.peek();
    if ((token.kind !== 'word' && token.kind !== 'number') || !cursor.is(':', 1)) return false;
    cursor.next();
    cursor.next();
    if (token.kind === 'number') this.#labels.defineNumber(token, this.#insns.length);
    else this.#labels.define(token, this.#insns.length);
    return true;
  }

  #instruction(cursor: Cursor): ParsedInsn {
    const opcode = readOpcode(cursor);
    const context: AssignContext = { opcode, kernelOnly: this.#options.dialect === 'kernel' };
    const start = cursor.peek();
    const parsed = parseInstruction(cursor, context);
    const code = (parsed.slots[0] as Insn).code;
    if (opcode !== undefined && opcode !== code) {
      cursor.fail(`the opcode before it says ${hexByte(opcode)}, the text means ${hexByte(code)}`, start);
    }
    return parsed;
  }

  #emit(parsed: ParsedInsn, line: number): void {
    if (parsed.pending !== undefined) this.#placed.push({ at: this.#insns.length, pending: parsed.pending });
    for (const insn of parsed.slots) {
      this.#insns.push(insn);
      this.#lines.push(line);
    }
  }

  #patch(at: number, fields: Partial<Insn>): void {
    this.#insns[at] = { ...(this.#insns[at] as Insn), ...fields };
  }

  #resolve({ at, pending }: Placed): void {
    const { name } = pending;
    if (pending.kind === 'jump') return this.#jump(at, pending.field, name);
    if (pending.kind === 'call') return this.#call(at, name, pending.id);
    if (pending.kind === 'map' || pending.kind === 'map_value') return this.#map(at, pending.kind, name, pending.offset);
    if (pending.kind === 'kfunc') return this.#kfunc(at, name, undefined);
    const target = this.#labels.find(name, at);
    if (target !== undefined) return this.#patch(at, { src: BPF_PSEUDO_FUNC, imm: target - at - 1 });
    if (pending.kind === 'func') throw undefinedLabel(name);
    return this.#symbol(at, name);
  }

  #jump(at: number, field: 'off' | 'imm', name: Token): void {
    const target = this.#labels.find(name, at);
    if (target === undefined) throw undefinedLabel(name);
    const distance = target - at - 1;
    if (field === 'off' && (distance < -0x8000 || distance > 0x7fff)) {
      throw new AsmError([complaint(name, `'${name.text}' is ${distance} instructions away, too far for 16 bits (use gotol)`)]);
    }
    this.#patch(at, { [field]: distance });
  }

  #call(at: number, name: Token, id: number | undefined): void {
    const target = id === undefined ? this.#labels.find(name, at) : undefined;
    const helper = helperByName(name.text) ?? helperByName(`bpf_${name.text}`);
    const isLocal = target !== undefined || helper !== undefined;
    if (isLocal && this.#insns[at]?.off !== 0) throw new AsmError([complaint(name, `fd_array is for kfuncs; '${name.text}' isn't one`)]);
    if (target !== undefined) return this.#patch(at, { src: BPF_PSEUDO_CALL, imm: target - at - 1 });
    if (helper === undefined) return this.#kfunc(at, name, id);
    if (id !== undefined && id !== helper.id) throw new AsmError([complaint(name, `${helper.name} is helper ${helper.id}, not ${id}`)]);
    return this.#patch(at, { imm: helper.id });
  }

  #kfunc(at: number, name: Token, id: number | undefined): void {
    const kfuncs = this.#options.kfuncs ?? {};
    const known = id ?? (Object.hasOwn(kfuncs, name.text) ? kfuncs[name.text] : undefined);
    const isDeclared = this.#insns[at]?.src === BPF_PSEUDO_KFUNC_CALL;
    if (known === undefined && !isDeclared) {
      throw new AsmError([complaint(name, `no label, helper or kfunc is called '${name.text}' (a kfunc to be resolved later: call kfunc ${name.text})`)]);
    }
    this.#patch(at, { src: BPF_PSEUDO_KFUNC_CALL, imm: known ?? 0 });
    this.#references.push({ at, kind: 'kfunc', name: name.text, offset: 0 });
  }

  #fdOf(name: string): number {
    const maps = this.#options.maps ?? {};
    return Object.hasOwn(maps, name) ? (maps[name] ?? 0) : 0;
  }

  #map(at: number, kind: 'map' | 'map_value', name: Token, offset: number): void {
    this.#patch(at, { imm: this.#fdOf(name.text) });
    this.#references.push({ at, kind, name: name.text, offset });
  }

  /** LLVM's "r1 = flows ll": a map if the caller gave one of that name. */
  #symbol(at: number, name: Token): void {
    if (Object.hasOwn(this.#options.maps ?? {}, name.text)) this.#patch(at, { src: BPF_PSEUDO_MAP_FD, imm: this.#fdOf(name.text) });
    this.#references.push({ at, kind: 'symbol', name: name.text, offset: 0 });
  }
}

/** Bytes of a call of a function of the program, beside which LLVM prints "call 0x6" as it does for helper 6. */
const LOCAL_CALL = /^85 10 /;

function asLocalCall(parsed: ParsedInsn): ParsedInsn {
  const [call] = parsed.slots;
  const isPlainCall = call !== undefined && call.code === (BPF_JMP | BPF_CALL) && parsed.pending === undefined;
  return isPlainCall ? { ...parsed, slots: [{ ...call, src: BPF_PSEUDO_CALL }] } : parsed;
}

const hexByte = (code: number): string => `0x${code.toString(16).padStart(2, '0')}`;

const undefinedLabel = (name: Token): AsmError => new AsmError([complaint(name, `there is no label '${name.text}'`)]);

/** "(b7)" before an instruction, as verifier logs have it; undefined when there is none. */
function readOpcode(cursor: Cursor): number | undefined {
  const token = cursor.peek(1);
  if (!cursor.is('(') || !cursor.is(')', 2) || !/^[0-9a-f]{2}$/.test(token.kind === 'bad' ? badText(token) : token.text)) return undefined;
  cursor.next();
  cursor.next();
  cursor.next();
  return Number.parseInt(token.kind === 'bad' ? badText(token) : token.text, 16);
}

/** "(6f)" lexes as a numeric label, "(18)" as a number, "(b7)" as a word, "(5d)" as a bad number: its text is in the complaint. */
const badText = (token: Token): string => /^'([0-9a-f]{2})'/.exec(token.text)?.[1] ?? '';

const STORE_STATEMENTS: Readonly<Record<string, (cursor: Cursor) => ParsedInsn>> = { lock: parseLock, store_release: parseStoreRelease };

function parseInstruction(cursor: Cursor, context: AssignContext): ParsedInsn {
  if (cursor.isRegister()) return parseAssign(cursor, context);
  if (cursor.accept('*')) return parseStore(cursor);
  const name = cursor.peek().kind === 'word' ? cursor.peek().text : '';
  const statement = Object.hasOwn(JUMP_STATEMENTS, name) ? JUMP_STATEMENTS[name] : Object.hasOwn(STORE_STATEMENTS, name) ? STORE_STATEMENTS[name] : undefined;
  if (statement === undefined) return cursor.expected('an instruction');
  cursor.next();
  return statement(cursor);
}

/** Assembles a program. Throws AsmError with all complaints. */
export const assemble = (text: string, options: AsmOptions = {}): AsmProgram => new Assembler(options).run(text);
