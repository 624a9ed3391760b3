// Handles of a module's functions, globals and tables, and the expressions that call and read them.
// Invariant: an imported function knows its index at once; a defined one is patched in when the module is encoded (imports come first).

import type { CodeWriter } from './code-writer.ts';
import { expr, operand } from './expr.ts';
import type { Expr, Operand } from './expr.ts';
import { OP } from './opcodes.ts';
import type { ResultType, ValType } from './opcodes.ts';

/** A function of the module, imported or defined. */
export interface FunctionRef<P extends readonly ValType[] = readonly ValType[], R extends ResultType = ResultType> {
  readonly params: P;
  readonly result: R;
  readonly imported: boolean;
  /** Among the imported or among the defined functions. */
  readonly ordinal: number;
  readonly emitIndex: (code: CodeWriter) => void;
}
/** A global; as an expression it is its value. */
export interface GlobalRef<T extends ValType = ValType> extends Expr<T> { readonly index: number }
/** A table of functions. */
export interface TableRef { readonly index: number }

/** Calls `fn`; the expression is its result, or a statement when it has none. */
export function call<P extends readonly ValType[], R extends ResultType>(fn: FunctionRef<P, R>, ...args: { [I in keyof P]: Operand<P[I]> }): Expr<R> {
  const parts = (args as readonly Operand<ValType>[]).map((arg) => operand(arg));
  return expr(fn.result, (code) => {
    for (const part of parts) part.emit(code);
    code.byte(OP.call);
    fn.emitIndex(code);
  });
}

/** Calls the function in a table's slot; `typeIndex` from `ModuleBuilder.type`. Traps when the slot is empty or of another type. */
export function callIndirect<R extends ResultType>(table: TableRef, typeIndex: number, result: R, slot: Operand<'i32'>, ...args: readonly Operand<ValType>[]): Expr<R> {
  const parts = args.map((arg) => operand(arg));
  const index = operand<'i32'>(slot);
  return expr(result, (code) => {
    for (const part of parts) part.emit(code);
    index.emit(code);
    code.byte(OP.call_indirect);
    code.u32(typeIndex);
    code.u32(table.index);
  });
}
