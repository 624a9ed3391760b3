// Jumps and calls: goto, gotol, may_goto, if … goto, call, callx, exit, in both dialects.
// Invariant: a target is "pc+5", "+0x5", either followed by objdump's "<name>", or a label; relative ones count slots from the next one.

import {
  BPF_CALL, BPF_EXIT, BPF_JA, BPF_JCOND, BPF_JMP, BPF_JMP32, BPF_K, BPF_PSEUDO_CALL, BPF_PSEUDO_KFUNC_CALL, BPF_X,
} from '../spec/opcodes.ts';
import { byWord, JMP_WORD } from '../insn/words.ts';
import type { Cursor } from './cursor.ts';
import { single, slot } from './parsed.ts';
import type { ParsedInsn } from './parsed.ts';

const JMP_OP = byWord(JMP_WORD);

/** Skips objdump's "<name>" or "<.text+0x18>" after a relative target. */
function skipTargetName(cursor: Cursor): void {
  if (!cursor.accept('<')) return;
  while (!cursor.atEnd && !cursor.is('>')) cursor.next();
  cursor.expect('>');
}

/** The instruction `insn` with its target read into `field`. */
function withTarget(cursor: Cursor, code: number, fields: { dst?: number; src?: number; imm?: number }, field: 'off' | 'imm'): ParsedInsn {
  const limit = field === 'off' ? 0x8000 : 0x8000_0000;
  const isPc = cursor.is('pc') && (cursor.is('+', 1) || cursor.is('-', 1));
  if (isPc) cursor.next();
  if (isPc || cursor.is('+') || cursor.is('-')) {
    const distance = cursor.numberIn('the jump', -limit, limit - 1);
    skipTargetName(cursor);
    return single(code, { ...fields, [field]: distance });
  }
  const name = cursor.word("a jump target (a label, 'pc+N' or '+N')");
  return { slots: [slot(code, fields)], pending: { kind: 'jump', field, name } };
}

/** After "if": "r1 == 0x5 goto +2". */
export function parseIf(cursor: Cursor): ParsedInsn {
  const left = cursor.register();
  const op = JMP_OP.get(cursor.peek().text);
  if (op === undefined) return cursor.expected("a comparison (==, !=, >, >=, <, <=, s>, s>=, s<, s<=, &)");
  cursor.next();
  const base = (left.wide ? BPF_JMP : BPF_JMP32) | op;
  if (!cursor.isRegister()) {
    // The kernel prints a jump's immediate unsigned, LLVM with its sign.
    const imm = cursor.numberIn('the immediate', -0x8000_0000, 0xffff_ffff) | 0;
    cursor.expect('goto');
    return withTarget(cursor, base | BPF_K, { dst: left.reg, imm }, 'off');
  }
  const right = cursor.register();
  if (right.wide !== left.wide) cursor.fail(`${left.token.text} and ${right.token.text} differ in width`, right.token);
  cursor.expect('goto');
  return withTarget(cursor, base | BPF_X, { dst: left.reg, src: right.reg }, 'off');
}

/** "fd_array[2]" after a kfunc: its module; 0 when there is none. */
function moduleIndex(cursor: Cursor): number {
  if (!cursor.accept('fd_array')) return 0;
  cursor.expect('[');
  const off = cursor.numberIn('the index in fd_array', -0x8000, 0x7fff);
  cursor.expect(']');
  return off;
}

function callName(cursor: Cursor): ParsedInsn {
  let name = cursor.next();
  // The kernel's placeholder for a kfunc it has no name for.
  const isPlaceholder = name.text === 'kernel' && cursor.is('-') && cursor.is('function', 1);
  if (isPlaceholder) {
    cursor.next();
    name = { ...cursor.next(), text: 'kernel-function' };
  }
  const id = cursor.accept('#') ? cursor.numberIn('the call number', -0x8000_0000, 0x7fff_ffff) : undefined;
  if (id !== undefined && name.text === 'unknown') return single(BPF_JMP | BPF_CALL, { imm: id });
  const off = moduleIndex(cursor);
  if (id !== undefined && isPlaceholder) return single(BPF_JMP | BPF_CALL, { src: BPF_PSEUDO_KFUNC_CALL, off, imm: id });
  return { slots: [slot(BPF_JMP | BPF_CALL, { off })], pending: { kind: 'call', name, id } };
}

/** After "call": "bpf_map_lookup_elem#1", "1", "pc+5", "label", "kfunc bpf_iter_num_new". */
export function parseCall(cursor: Cursor): ParsedInsn {
  if (cursor.is('kfunc') && cursor.peek(1).kind === 'word') {
    cursor.next();
    const name = cursor.next();
    const off = moduleIndex(cursor);
    return { slots: [slot(BPF_JMP | BPF_CALL, { src: BPF_PSEUDO_KFUNC_CALL, off })], pending: { kind: 'kfunc', name } };
  }
  if (cursor.is('pc') && (cursor.is('+', 1) || cursor.is('-', 1))) {
    cursor.next();
    const imm = cursor.numberIn('the call', -0x8000_0000, 0x7fff_ffff);
    return single(BPF_JMP | BPF_CALL, { src: BPF_PSEUDO_CALL, imm });
  }
  if (cursor.peek().kind === 'word') return callName(cursor);
  const imm = cursor.numberIn('a helper (name or number), a label or pc+N', -0x8000_0000, 0x7fff_ffff);
  skipTargetName(cursor);
  return single(BPF_JMP | BPF_CALL, { imm });
}

/** Jump and call statements by their first word. */
export const JUMP_STATEMENTS: Readonly<Record<string, (cursor: Cursor) => ParsedInsn>> = {
  goto: (cursor) => withTarget(cursor, BPF_JMP | BPF_JA, {}, 'off'),
  gotol: (cursor) => withTarget(cursor, BPF_JMP32 | BPF_JA, {}, 'imm'),
  may_goto: (cursor) => withTarget(cursor, BPF_JMP | BPF_JCOND, {}, 'off'),
  if: parseIf,
  call: parseCall,
  callx: (cursor) => single(BPF_JMP | BPF_CALL | BPF_X, { dst: cursor.wideRegister() }),
  exit: () => single(BPF_JMP | BPF_EXIT),
};
