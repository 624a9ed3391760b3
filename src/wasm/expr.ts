// Typed WebAssembly expressions: small values that know their type and how to write themselves.
// Invariant: an expression is a recipe, not a result: used twice, it is computed twice (keep a shared one in a local).
// The builders `i32`, `i64`, `v128`, `i8x16` carry the specification's names: i64.load32_u(p), i64.atomic.rmw.add(p, v), i32.wrap_i64(x).

import type { CodeWriter } from './code-writer.ts';
import { CMPXCHG_OPS, LOAD_OPS, OP, PLAIN_OPS, RMW_OPS, STORE_OPS, VAL_TYPE_CODE } from './opcodes.ts';
import type { ResultType, ValType } from './opcodes.ts';
import { InternalError } from '../util/errors.ts';

/** A computation that leaves a value of type `T`; 'void' for a statement such as a store (run it with `f.emit`). */
export interface Expr<T extends ResultType = ResultType> {
  readonly type: T;
  readonly emit: (code: CodeWriter) => void;
}
/** What an operand may be given as: an expression, or a literal (number for i32, bigint for i64). */
export type Operand<T extends ValType> = Expr<T> | (T extends 'i32' ? number : T extends 'i64' ? bigint : never);
/** Memory immediate: constant byte offset 0 … 2^32-1, and the alignment hint in bytes (default: natural; a hint only, except for atomics). */
export interface MemArg { readonly offset?: number; readonly align?: number }

/** An expression of a type, written by `emit`. */
export const expr = <T extends ResultType>(type: T, emit: (code: CodeWriter) => void): Expr<T> => ({ type, emit });

const constI32 = (value: number): Expr<'i32'> => expr('i32', (code) => {
  code.byte(OP.i32_const);
  code.s32(value);
});
const constI64 = (value: bigint): Expr<'i64'> => expr('i64', (code) => {
  code.byte(OP.i64_const);
  code.s64(value);
});

/** The expression for an operand, literals included. */
export function operand<T extends ValType>(value: Operand<T>): Expr<T>;
export function operand(value: Expr | number | bigint): Expr {
  if (typeof value === 'number') return constI32(value);
  if (typeof value === 'bigint') return constI64(value);
  return value;
}

/** Writes a memory immediate. `align` in bytes, a power of two. */
export function emitMemArg(code: CodeWriter, alignBytes: number, offset: number): void {
  code.u32(31 - Math.clz32(alignBytes));
  code.u32(offset);
}

type AnyOperand = Expr | number | bigint;
const toExpr = operand as unknown as (value: AnyOperand) => Expr;

function inOrder(type: ResultType, operands: readonly AnyOperand[], last: (code: CodeWriter) => void): Expr {
  const parts = operands.map(toExpr);
  return expr(type, (code) => {
    for (const part of parts) part.emit(code);
    last(code);
  });
}

function memoryOp(type: ResultType, row: { code: number; widthBytes: number }, operands: readonly AnyOperand[], arg: MemArg = {}): Expr {
  return inOrder(type, operands, (code) => {
    code.op(row.code);
    emitMemArg(code, arg.align ?? row.widthBytes, arg.offset ?? 0);
  });
}

type Plain = typeof PLAIN_OPS;
type Loads = typeof LOAD_OPS;
type Stores = typeof STORE_OPS;
type Rmws = typeof RMW_OPS;
type Cmpxchgs = typeof CMPXCHG_OPS;

type Operands<A extends readonly ValType[]> = { -readonly [I in keyof A]: Operand<A[I]> };
type Signatures = {
  [K in keyof Plain]: (...args: Operands<Plain[K]['args']>) => Expr<Plain[K]['result']>;
} & {
  [K in keyof Loads]: (address: Operand<'i32'>, arg?: MemArg) => Expr<Loads[K]['result']>;
} & {
  [K in keyof Stores]: (address: Operand<'i32'>, value: Operand<Stores[K]['value']>, arg?: MemArg) => Expr<'void'>;
} & {
  [K in keyof Rmws]: (address: Operand<'i32'>, value: Operand<Rmws[K]['result']>, arg?: MemArg) => Expr<Rmws[K]['result']>;
} & {
  [K in keyof Cmpxchgs]: (
    address: Operand<'i32'>, expected: Operand<Cmpxchgs[K]['result']>, replacement: Operand<Cmpxchgs[K]['result']>, arg?: MemArg,
  ) => Expr<Cmpxchgs[K]['result']>;
};

/** `{ 'i32.atomic.rmw.add': F }` seen from 'i32' is `{ atomic: { rmw: { add: F } } }`. */
type Under<Prefix extends string> = {
  [K in keyof Signatures as K extends `${Prefix}.${infer Rest}` ? (Rest extends `${infer Head}.${string}` ? Head : Rest) : never]:
    K extends `${Prefix}.${infer Rest}` ? (Rest extends `${infer Head}.${string}` ? Under<`${Prefix}.${Head}`> : Signatures[K]) : never;
};

function builders(): Record<string, (...args: never[]) => Expr> {
  const all: Record<string, (...args: never[]) => Expr> = {};
  for (const [name, row] of Object.entries(PLAIN_OPS)) all[name] = (...args: AnyOperand[]) => inOrder(row.result, args, (code) => code.op(row.code));
  for (const [name, row] of Object.entries(LOAD_OPS)) all[name] = (address: AnyOperand, arg?: MemArg) => memoryOp(row.result, row, [address], arg);
  for (const [name, row] of Object.entries(STORE_OPS)) all[name] = (address: AnyOperand, value: AnyOperand, arg?: MemArg) => memoryOp('void', row, [address, value], arg);
  for (const [name, row] of Object.entries(RMW_OPS)) all[name] = (address: AnyOperand, value: AnyOperand, arg?: MemArg) => memoryOp(row.result, row, [address, value], arg);
  for (const [name, row] of Object.entries(CMPXCHG_OPS)) {
    all[name] = (address: AnyOperand, expected: AnyOperand, value: AnyOperand, arg?: MemArg) => memoryOp(row.result, row, [address, expected, value], arg);
  }
  return all;
}

/** Every table instruction as a function, by its full name ('i64.atomic.rmw32.add_u'). */
export const INSTRUCTIONS = builders() as unknown as Signatures;

function nest<P extends string>(prefix: P): Under<P> {
  const root: Record<string, unknown> = {};
  for (const [name, build] of Object.entries(INSTRUCTIONS)) {
    if (!name.startsWith(`${prefix}.`)) continue;
    const path = name.split('.').slice(1);
    let node = root;
    for (const step of path.slice(0, -1)) node = (node[step] ??= {}) as Record<string, unknown>;
    node[path.at(-1) as string] = build;
  }
  return root as Under<P>;
}

/** 32-bit integers; addresses and conditions are i32. `const` takes -2^31 … 2^32-1. */
export const i32 = Object.assign(nest('i32'), { const: constI32 });
/** 64-bit integers. `const` wraps any bigint. */
export const i64 = Object.assign(nest('i64'), { const: constI64 });
/** 128-bit vectors. `const` takes 16 bytes. */
export const v128 = Object.assign(nest('v128'), {
  const(bytes: ArrayLike<number>): Expr<'v128'> {
    if (bytes.length !== 16) throw new InternalError(`v128.const of ${bytes.length} bytes`);
    return expr('v128', (code) => {
      code.op(OP.v128_const);
      code.append(bytes);
    });
  },
});
/** Vectors as 16 bytes each. */
export const i8x16 = nest('i8x16');
/** Vectors as two 64-bit integers. */
export const i64x2 = nest('i64x2');

/** `condition` not zero ? `whenTrue` : `whenFalse`; both are computed. */
export function select<T extends 'i32' | 'i64'>(condition: Operand<'i32'>, whenTrue: Operand<T>, whenFalse: Operand<T>): Expr<T> {
  const a = operand<T>(whenTrue);
  return inOrder(a.type, [a, operand<T>(whenFalse), condition], (code) => code.byte(OP.select)) as Expr<T>;
}

/** `condition` not zero ? `whenTrue` : `whenFalse`; only one is computed. The arms must not branch to labels outside. */
export function either<T extends ValType>(condition: Operand<'i32'>, whenTrue: Operand<T>, whenFalse: Operand<T>): Expr<T> {
  const [test, yes, no] = [operand<'i32'>(condition), operand<T>(whenTrue), operand<T>(whenFalse)];
  return expr(yes.type, (code) => {
    test.emit(code);
    code.byte(OP.if);
    code.byte(VAL_TYPE_CODE[yes.type]);
    yes.emit(code);
    code.byte(OP.else);
    no.emit(code);
    code.byte(OP.end);
  });
}

/** `a && b` as 0 or 1; b is only computed when a is not zero. */
export const andThen = (a: Operand<'i32'>, b: Operand<'i32'>): Expr<'i32'> => either<'i32'>(a, i32.ne(b, 0), 0);
/** `a || b` as 0 or 1; b is only computed when a is zero. */
export const orElse = (a: Operand<'i32'>, b: Operand<'i32'>): Expr<'i32'> => either<'i32'>(a, 1, i32.ne(b, 0));

/** Size of the memory in 64 KiB pages. */
export const memorySize = (): Expr<'i32'> => expr('i32', (code) => {
  code.byte(OP.memory_size);
  code.byte(0);
});
/** Copies `length` bytes (ranges may overlap); traps when a range leaves the memory. */
export const memoryCopy = (to: Operand<'i32'>, from: Operand<'i32'>, length: Operand<'i32'>): Expr<'void'> => inOrder('void', [to, from, length], (code) => {
  code.op(OP.memory_copy);
  code.append([0, 0]);
}) as Expr<'void'>;
/** Sets `length` bytes to `value`; traps when the range leaves the memory. */
export const memoryFill = (to: Operand<'i32'>, value: Operand<'i32'>, length: Operand<'i32'>): Expr<'void'> => inOrder('void', [to, value, length], (code) => {
  code.op(OP.memory_fill);
  code.byte(0);
}) as Expr<'void'>;
/** A full fence between threads. */
export const atomicFence = (): Expr<'void'> => expr('void', (code) => {
  code.op(OP.atomic_fence);
  code.byte(0);
});
