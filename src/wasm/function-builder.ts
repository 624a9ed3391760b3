// Builds the body of one WebAssembly function: statements write bytes at once, in the order in which they are called.
// Invariant: blocks nest as JavaScript callbacks nest, so labels are always in scope where they are used inside.
// Statements: set, emit, store, if, loop, block, br, brIf, brTable, return. Raw bytes go to `code` (for code generators).

import { CodeWriter } from './code-writer.ts';
import { INSTRUCTIONS, expr, operand } from './expr.ts';
import type { Expr, MemArg, Operand } from './expr.ts';
import { OP, STORE_OPS, VAL_TYPE_CODE } from './opcodes.ts';
import type { ResultType, ValType } from './opcodes.ts';
import type { FunctionRef, GlobalRef, TableRef } from './refs.ts';

/** A local variable; as an expression it is its value. */
export interface Local<T extends ValType = ValType> extends Expr<T> {
  readonly index: number;
  get(): Expr<T>;
  /** Sets the local and leaves the value. */
  tee(value: Operand<T>): Expr<T>;
}
/** A place that branches go to: the end of a block or the start of a loop. */
export interface Label { readonly depth: number }
/** The parameters of a function as locals. */
export type ParamLocals<P extends readonly ValType[]> = { -readonly [I in keyof P]: Local<P[I]> };

function localAt<T extends ValType>(type: T, index: number): Local<T> {
  const emit = (code: CodeWriter): void => {
    code.byte(OP.local_get);
    code.u32(index);
  };
  const local: Local<T> = {
    type, index, emit,
    get: () => local,
    tee: (value) => expr(type, (code) => {
      operand<T>(value).emit(code);
      code.byte(OP.local_tee);
      code.u32(index);
    }),
  };
  return local;
}

/** The body of a function under construction. */
export class FunctionBuilder<P extends readonly ValType[] = readonly ValType[], R extends ResultType = ResultType> {
  /** The bytes so far, for raw emission; keep `depth` right when opening blocks by hand. */
  readonly code = new CodeWriter();
  readonly params: ParamLocals<P>;
  readonly result: R;
  /** Open blocks around the current place. */
  depth = 0;
  readonly #paramCount: number;
  readonly #localTypes: ValType[] = [];

  constructor(params: P, result: R) {
    this.params = params.map((type, index) => localAt(type, index)) as ParamLocals<P>;
    this.#paramCount = params.length;
    this.result = result;
  }

  /** A new local, 0 at function entry; `initial` is assigned here. */
  local<T extends ValType>(type: T, initial?: Operand<T>): Local<T> {
    const local = localAt(type, this.#paramCount + this.#localTypes.length);
    this.#localTypes.push(type);
    if (initial !== undefined) this.set(local, initial);
    return local;
  }

  set<T extends ValType>(local: Local<T>, value: Operand<T>): void {
    operand<T>(value).emit(this.code);
    this.code.byte(OP.local_set);
    this.code.u32(local.index);
  }

  setGlobal<T extends ValType>(global: GlobalRef<T>, value: Operand<T>): void {
    operand<T>(value).emit(this.code);
    this.code.byte(OP.global_set);
    this.code.u32(global.index);
  }

  /** Runs a statement (a store, a call without result, memoryCopy …). */
  emit(...statements: readonly Expr<'void'>[]): void {
    for (const statement of statements) statement.emit(this.code);
  }

  /** Runs an expression for its effect and drops its value. */
  drop(value: Expr): void {
    value.emit(this.code);
    if (value.type !== 'void') this.code.byte(OP.drop);
  }

  /** `f.store('i32.store8', p, v, { offset })`: any store of the table. */
  store<K extends keyof typeof STORE_OPS>(op: K, address: Operand<'i32'>, value: Operand<(typeof STORE_OPS)[K]['value']>, arg?: MemArg): void {
    const build = INSTRUCTIONS[op] as unknown as (address: Operand<'i32'>, value: unknown, arg?: MemArg) => Expr<'void'>;
    build(address, value, arg).emit(this.code);
  }
  store8(address: Operand<'i32'>, value: Operand<'i32'>, arg?: MemArg): void {
    this.store('i32.store8', address, value, arg);
  }
  store16(address: Operand<'i32'>, value: Operand<'i32'>, arg?: MemArg): void {
    this.store('i32.store16', address, value, arg);
  }
  store32(address: Operand<'i32'>, value: Operand<'i32'>, arg?: MemArg): void {
    this.store('i32.store', address, value, arg);
  }
  store64(address: Operand<'i32'>, value: Operand<'i64'>, arg?: MemArg): void {
    this.store('i64.store', address, value, arg);
  }

  /** Opens a block, loop or if (whose condition is on the stack); close it with `close`. For code that doesn't nest as callbacks do. */
  open(opcode: typeof OP.block | typeof OP.loop | typeof OP.if): Label {
    this.code.byte(opcode);
    this.code.byte(OP.empty_block);
    return { depth: ++this.depth };
  }

  /** Ends the innermost open block, loop or if. */
  close(): void {
    this.code.byte(OP.end);
    this.depth--;
  }

  /** The label passed to the arms ends the `if`. */
  if(condition: Operand<'i32'>, whenTrue: (end: Label) => void, whenFalse?: (end: Label) => void): void {
    operand<'i32'>(condition).emit(this.code);
    const end = this.open(OP.if);
    whenTrue(end);
    if (whenFalse !== undefined) {
      this.code.byte(OP.else);
      whenFalse(end);
    }
    this.close();
  }

  /** Branches to the label go back to the start; falling off the end leaves the loop. */
  loop(body: (again: Label) => void): void {
    body(this.open(OP.loop));
    this.close();
  }

  /** Branches to the label leave the block. */
  block(body: (end: Label) => void): void {
    body(this.open(OP.block));
    this.close();
  }

  /** `while (condition) body`; `again` continues, `end` breaks. */
  while(condition: Operand<'i32'>, body: (again: Label, end: Label) => void): void {
    this.block((end) => this.loop((again) => {
      operand<'i32'>(condition).emit(this.code);
      this.code.op(0x45);
      this.#branch(OP.br_if, end);
      body(again, end);
      this.br(again);
    }));
  }

  #branch(opcode: number, label: Label): void {
    this.code.byte(opcode);
    this.code.u32(this.depth - label.depth);
  }

  br(label: Label): void {
    this.#branch(OP.br, label);
  }

  /** As `brIf`, with the condition on the stack. */
  brIfTrue(label: Label): void {
    this.#branch(OP.br_if, label);
  }

  brIf(label: Label, condition: Operand<'i32'>): void {
    operand<'i32'>(condition).emit(this.code);
    this.#branch(OP.br_if, label);
  }

  /** Goes to `labels[index]`, or to `otherwise` when there is none. */
  brTable(index: Operand<'i32'>, labels: readonly Label[], otherwise: Label): void {
    operand<'i32'>(index).emit(this.code);
    this.code.byte(OP.br_table);
    this.code.u32(labels.length);
    for (const label of [...labels, otherwise]) this.code.u32(this.depth - label.depth);
  }

  return(...value: R extends ValType ? [Operand<R>] : []): void {
    const [given] = value as readonly Operand<ValType>[];
    if (given !== undefined) operand(given).emit(this.code);
    this.code.byte(OP.return);
  }

  /** Leaves this function by calling `fn`, whose result becomes this one's; the frame is given up first. */
  returnCall<Q extends readonly ValType[]>(fn: FunctionRef<Q, R>, ...args: { [I in keyof Q]: Operand<Q[I]> }): void {
    for (const arg of args as readonly Operand<ValType>[]) operand(arg).emit(this.code);
    this.code.byte(OP.return_call);
    fn.emitIndex(this.code);
  }

  /** As `returnCall`, of the function in a table's slot; traps when the slot is empty or of another type. */
  returnCallIndirect(table: TableRef, typeIndex: number, slot: Operand<'i32'>, ...args: readonly Operand<ValType>[]): void {
    for (const arg of args) operand(arg).emit(this.code);
    operand<'i32'>(slot).emit(this.code);
    this.code.byte(OP.return_call_indirect);
    this.code.u32(typeIndex);
    this.code.u32(table.index);
  }

  unreachable(): void {
    this.code.byte(OP.unreachable);
  }

  /** Writes the function as an entry of the code section: size, locals in runs of a type, body, end. */
  encode(out: CodeWriter, importedFunctions: number): void {
    this.code.relocate(importedFunctions);
    const head = new CodeWriter(16);
    const runs = runLengths(this.#localTypes);
    head.u32(runs.length);
    for (const [type, count] of runs) {
      head.u32(count);
      head.byte(VAL_TYPE_CODE[type]);
    }
    out.u32(head.length + this.code.length + 1);
    out.append(head.bytes());
    out.append(this.code.bytes());
    out.byte(OP.end);
  }
}

function runLengths(types: readonly ValType[]): [ValType, number][] {
  const runs: [ValType, number][] = [];
  for (const type of types) {
    const last = runs.at(-1);
    if (last?.[0] === type) last[1]++;
    else runs.push([type, 1]);
  }
  return runs;
}
