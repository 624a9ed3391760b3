// 64-bit immediates that aren't plain numbers: maps, map values, functions, BTF variables, symbols.
// Reads bpftool's and bpfkit's words (map[id:3], map[fd:3][0]+8, map[idx:0], subprog[+5], btf_id[7, fd:4]), names (map[flows],
// map_value[stats]+8, func callback) and LLVM's "name ll". `ll` after any of them is allowed.

import {
  BPF_PSEUDO_BTF_ID, BPF_PSEUDO_FUNC, BPF_PSEUDO_MAP_FD, BPF_PSEUDO_MAP_IDX, BPF_PSEUDO_MAP_IDX_VALUE, BPF_PSEUDO_MAP_VALUE,
} from '../spec/opcodes.ts';
import { lddwInsns } from '../insn/lddw.ts';
import type { Cursor, Register } from './cursor.ts';
import type { ParsedInsn, Pending } from './parsed.ts';

const complete = (dst: Register, src: number, imm: number, nextImm = 0): ParsedInsn => ({ slots: lddwInsns(dst.reg, src, imm, nextImm) });
const open = (dst: Register, src: number, pending: Pending, nextImm = 0): ParsedInsn => ({ slots: lddwInsns(dst.reg, src, 0, nextImm), pending });

/** "+8" after a map value; 0 when there is none. */
const valueOffset = (cursor: Cursor): number => (cursor.accept('+') ? cursor.u32('the offset in the value') : 0);

const fd = (cursor: Cursor): number => cursor.numberIn('the map', -0x8000_0000, 0x7fff_ffff);

/** "[0]+8" or "+8" after a map: it is the value's address then. */
function valuePart(cursor: Cursor): number | undefined {
  const isElement = cursor.accept('[');
  if (isElement) {
    cursor.numberIn('the element (only element 0 has an address)', 0, 0);
    cursor.expect(']');
  }
  return isElement || cursor.is('+') ? valueOffset(cursor) : undefined;
}

/** After "map[": "fd:3", "id:3", "idx:0" or a name. */
function mapInBrackets(cursor: Cursor, dst: Register, isValue: boolean): ParsedInsn {
  const word = cursor.peek();
  const isNumbered = word.kind === 'word' && ['fd', 'id', 'idx'].includes(word.text) && cursor.is(':', 1);
  const name = cursor.peek().kind === 'word' ? cursor.next() : undefined;
  if (isNumbered) cursor.next();
  const number = isNumbered || name === undefined ? fd(cursor) : undefined;
  cursor.expect(']');
  const offset = valuePart(cursor) ?? (isValue ? 0 : undefined);
  const isIndex = isNumbered && word.text === 'idx';
  if (number !== undefined) {
    if (offset === undefined) return complete(dst, isIndex ? BPF_PSEUDO_MAP_IDX : BPF_PSEUDO_MAP_FD, number);
    return complete(dst, isIndex ? BPF_PSEUDO_MAP_IDX_VALUE : BPF_PSEUDO_MAP_VALUE, number, offset);
  }
  if (offset === undefined) return open(dst, BPF_PSEUDO_MAP_FD, { kind: 'map', name: name ?? word, offset: 0 });
  return open(dst, BPF_PSEUDO_MAP_VALUE, { kind: 'map_value', name: name ?? word, offset }, offset);
}

function bracketed(cursor: Cursor, dst: Register, isValue: boolean): ParsedInsn {
  cursor.next();
  cursor.expect('[');
  return mapInBrackets(cursor, dst, isValue);
}

/** "map_fd 3" or "map_fd flows". */
function mapFd(cursor: Cursor, dst: Register): ParsedInsn {
  cursor.next();
  if (cursor.peek().kind !== 'word') return complete(dst, BPF_PSEUDO_MAP_FD, fd(cursor));
  return open(dst, BPF_PSEUDO_MAP_FD, { kind: 'map', name: cursor.next(), offset: 0 });
}

/** "map_idx 0". */
function mapIndex(cursor: Cursor, dst: Register): ParsedInsn {
  cursor.next();
  return complete(dst, BPF_PSEUDO_MAP_IDX, fd(cursor));
}

/** "subprog[+5]". */
function subprog(cursor: Cursor, dst: Register): ParsedInsn {
  cursor.next();
  cursor.expect('[');
  const imm = cursor.numberIn('the function', -0x8000_0000, 0x7fff_ffff);
  cursor.expect(']');
  return complete(dst, BPF_PSEUDO_FUNC, imm);
}

/** "btf_id[7]" or "btf_id[7, fd:4]". */
function btfVariable(cursor: Cursor, dst: Register): ParsedInsn {
  cursor.next();
  cursor.expect('[');
  const id = cursor.numberIn('the BTF id', -0x8000_0000, 0x7fff_ffff);
  let btfFd = 0;
  if (cursor.accept(',')) {
    cursor.expect('fd');
    cursor.expect(':');
    btfFd = cursor.u32('the BTF file descriptor');
  }
  cursor.expect(']');
  return complete(dst, BPF_PSEUDO_BTF_ID, id, btfFd);
}

function functionAddress(cursor: Cursor, dst: Register): ParsedInsn {
  cursor.next();
  return open(dst, BPF_PSEUDO_FUNC, { kind: 'func', name: cursor.word("a function's label") });
}

const BRACKETED: Readonly<Record<string, (cursor: Cursor, dst: Register) => ParsedInsn>> = {
  map: (cursor, dst) => bracketed(cursor, dst, false),
  map_value: (cursor, dst) => bracketed(cursor, dst, true),
  subprog,
  btf_id: btfVariable,
};
const PREFIXED: Readonly<Record<string, (cursor: Cursor, dst: Register) => ParsedInsn>> = {
  map_fd: mapFd,
  map_idx: mapIndex,
  func: functionAddress,
};

/** "name ll": LLVM's reference to a symbol. */
const isSymbol = (cursor: Cursor): boolean => cursor.is('ll', 1);

const formOf = (cursor: Cursor): ((cursor: Cursor, dst: Register) => ParsedInsn) | undefined => {
  const name = cursor.peek().text;
  if (cursor.is('[', 1)) return Object.hasOwn(BRACKETED, name) ? BRACKETED[name] : undefined;
  if (isSymbol(cursor)) return (at, dst) => open(dst, 0, { kind: 'symbol', name: at.next() });
  return Object.hasOwn(PREFIXED, name) ? PREFIXED[name] : undefined;
};

/** True when the cursor is at one of the forms above. */
export const isPseudoName = (cursor: Cursor): boolean => formOf(cursor) !== undefined;

/** After "r1 =", at a form for which isPseudoName holds. */
export function parsePseudo(cursor: Cursor, dst: Register): ParsedInsn {
  if (!dst.wide) cursor.fail(`a 64-bit load needs all 64 bits: r${dst.reg}`, dst.token);
  const form = formOf(cursor);
  const parsed = form === undefined ? cursor.expected('a 64-bit value') : form(cursor, dst);
  cursor.accept('ll');
  return parsed;
}
