// One BPF function while it is turned into a wasm function: where its registers live, and the program-wide unit that it belongs to.
// Invariant: r0 … r9 are i64 locals (r1 … r5 the parameters); r10 is never written, it is KERNEL_BASE | the frame-pointer parameter.
// Lowering writes bytes at once: `push…` leaves a value on the wasm stack, `pop…` takes it.

import type { BasicBlock } from '../insn/blocks.ts';
import type { Insn } from '../insn/insn.ts';
import type { InsnFact, VerifiedParts, VerifiedSubprog } from '../insn/verified-program.ts';
import { BPF_REG_FP } from '../spec/opcodes.ts';
import { defined } from '../util/assert.ts';
import type { ExecEnv } from '../vm/executor.ts';
import { KERNEL_BASE } from '../vm/memory.ts';
import type { CodeWriter } from '../wasm/code-writer.ts';
import { expr, i32, i64 } from '../wasm/expr.ts';
import type { Expr } from '../wasm/expr.ts';
import type { FunctionBuilder, Local } from '../wasm/function-builder.ts';
import { emitMemArg } from '../wasm/expr.ts';
import { CMPXCHG_OPS, LOAD_OPS, OP, PLAIN_OPS, RMW_OPS, STORE_OPS, VAL_TYPE_CODE } from '../wasm/opcodes.ts';
import type { ValType } from '../wasm/opcodes.ts';
import type { DeclaredFunction, ModuleBuilder } from '../wasm/module-builder.ts';
import type { FunctionRef, GlobalRef, TableRef } from '../wasm/refs.ts';
import type { ImportTable } from './imports.ts';

/** Parameters of every BPF function in wasm: r1 … r5, and the offset that is r10. */
export const PROGRAM_PARAMS = ['i64', 'i64', 'i64', 'i64', 'i64', 'i32'] as const;
/** A BPF function in wasm. */
export type ProgramFunctionRef = DeclaredFunction<typeof PROGRAM_PARAMS, 'i64'>;

/** What a program's functions share while it is compiled. */
export interface Unit {
  readonly parts: VerifiedParts;
  readonly env: ExecEnv;
  readonly blocks: readonly BasicBlock[];
  readonly module: ModuleBuilder;
  readonly imports: ImportTable;
  readonly table: TableRef;
  /** Wasm type of a BPF function, for indirect tail calls. */
  readonly programType: number;
  readonly cpu: GlobalRef<'i32'>;
  /** Throws a Fault: its FAULT number, the instruction, the address. */
  readonly fault: FunctionRef<readonly ['i32', 'i32', 'i64'], 'void'>;
  /** One per subprogram. */
  readonly functions: readonly ProgramFunctionRef[];
  /** Table slot of subprogram 0; the others follow. */
  readonly firstSlot: number;
}

const CODES = Object.fromEntries(
  [PLAIN_OPS, LOAD_OPS, STORE_OPS, RMW_OPS, CMPXCHG_OPS].flatMap((table) => Object.entries(table).map(([name, row]) => [name, row.code])),
) as Record<string, number>;
/** The instructions that lowering writes by name. */
export type OpName = keyof typeof PLAIN_OPS;
/** Loads, stores and atomics by name. */
export type MemoryOpName = keyof typeof LOAD_OPS | keyof typeof STORE_OPS | keyof typeof RMW_OPS | keyof typeof CMPXCHG_OPS;

/** A function under construction. */
export class Scope {
  readonly unit: Unit;
  readonly subprog: VerifiedSubprog;
  readonly f: FunctionBuilder<typeof PROGRAM_PARAMS, 'i64'>;
  readonly code: CodeWriter;
  /** Offset of r10, as given. */
  readonly framePointer: Local<'i32'>;
  readonly #registers: readonly Local<'i64'>[];
  readonly #shared = new Map<string, Local>();

  constructor(unit: Unit, subprog: VerifiedSubprog, fn: ProgramFunctionRef) {
    this.unit = unit;
    this.subprog = subprog;
    this.f = fn.builder;
    this.code = fn.builder.code;
    const [r1, r2, r3, r4, r5, framePointer] = fn.builder.params;
    const [r0, r6, r7, r8, r9] = Array.from({ length: 5 }, () => this.f.local('i64')) as [Local<'i64'>, Local<'i64'>, Local<'i64'>, Local<'i64'>, Local<'i64'>];
    this.#registers = [r0, r1, r2, r3, r4, r5, r6, r7, r8, r9];
    this.framePointer = framePointer;
  }

  insn(at: number): Insn {
    return this.unit.parts.insns[at] as Insn;
  }

  fact(at: number): InsnFact {
    return this.unit.parts.facts[at] ?? NO_FACT;
  }

  /** A scratch local of this function, the same for the same name; holds nothing across instructions unless its user says so. */
  scratch<T extends ValType>(type: T, name: string): Local<T> {
    const known = this.#shared.get(name);
    if (known !== undefined) return known as Local<T>;
    const made = this.f.local(type);
    this.#shared.set(name, made);
    return made;
  }

  /** The lowest byte of the frame, set at entry: stack accesses are positive offsets from it, which the engine folds. */
  frameStart(): Local<'i32'> {
    return this.scratch('i32', 'frame_start');
  }

  /** The running CPU's area, set at entry. */
  cpu(): Local<'i32'> {
    return this.scratch('i32', 'cpu');
  }

  op(name: OpName): void {
    this.code.op(CODES[name] as number);
  }

  /** A load, store or atomic; `align` is the hint in bytes. */
  memoryOp(name: MemoryOpName, offset: number, align = 1): void {
    this.code.op(CODES[name] as number);
    emitMemArg(this.code, align, offset);
  }

  push32(value: number): void {
    this.code.byte(OP.i32_const);
    this.code.s32(value);
  }

  /** A 64-bit constant that is a sign-extended 32-bit one. */
  push64(value: number): void {
    this.code.byte(OP.i64_const);
    this.code.s32(value);
  }

  pushBig(value: bigint): void {
    this.code.byte(OP.i64_const);
    this.code.s64(value);
  }

  pushLocal(local: Local): void {
    this.code.byte(OP.local_get);
    this.code.u32(local.index);
  }

  popLocal(local: Local): void {
    this.code.byte(OP.local_set);
    this.code.u32(local.index);
  }

  teeLocal(local: Local): void {
    this.code.byte(OP.local_tee);
    this.code.u32(local.index);
  }

  /** A register as an expression. */
  reg(register: number): Expr<'i64'> {
    return register === BPF_REG_FP ? i64.or(i64.extend_i32_u(this.framePointer), i64.const(KERNEL_BASE)) : this.register(register);
  }

  /** The low half of a register as an expression. */
  reg32(register: number): Expr<'i32'> {
    return register === BPF_REG_FP ? this.framePointer : i32.wrap_i64(this.register(register));
  }

  /** The local of r0 … r9. */
  register(register: number): Local<'i64'> {
    return defined(this.#registers[register], `register r${register}`);
  }

  pushReg(register: number): void {
    if (register !== BPF_REG_FP) return this.pushLocal(this.register(register));
    this.pushLocal(this.framePointer);
    this.op('i64.extend_i32_u');
    this.pushBig(KERNEL_BASE);
    this.op('i64.or');
  }

  pushReg32(register: number): void {
    if (register === BPF_REG_FP) return this.pushLocal(this.framePointer);
    this.pushLocal(this.register(register));
    this.op('i32.wrap_i64');
  }

  popReg(register: number): void {
    this.popLocal(this.register(register));
  }

  /** Zero-extends the i32 on the stack into a register. */
  popReg32(register: number): void {
    this.op('i64.extend_i32_u');
    this.popReg(register);
  }

  /** Opens an `if` that leaves a value; the condition is on the stack. Close with `endIf`. */
  ifValue(type: ValType): void {
    this.code.byte(OP.if);
    this.code.byte(VAL_TYPE_CODE[type]);
  }

  else(): void {
    this.code.byte(OP.else);
  }

  endIf(): void {
    this.code.byte(OP.end);
  }

  /**
   * Leaves the run with a Fault when the condition on the stack holds: `kind` is of FAULT, `at` the instruction to blame,
   * `address` what it accessed (for FAULT.memory).
   */
  faultIf(kind: number, at: number, address?: Local<'i64'>): void {
    this.f.open(OP.if);
    this.push32(kind);
    this.push32(at);
    if (address === undefined) this.push64(0);
    else this.pushLocal(address);
    this.code.byte(OP.call);
    this.unit.fault.emitIndex(this.code);
    this.f.unreachable();
    this.f.close();
  }
}

const NO_FACT: InsnFact = {};

/** The kernel address of a memory offset: KERNEL_BASE | offset, and 0 stays NULL. */
export const addressOf = (offset: Expr<'i32'>, known: Local<'i32'>): Expr<'i64'> => expr('i64', (code) => {
  offset.emit(code);
  code.byte(OP.local_tee);
  code.u32(known.index);
  code.byte(OP.if);
  code.byte(VAL_TYPE_CODE.i64);
  i64.or(i64.extend_i32_u(known), KERNEL_BASE).emit(code);
  code.byte(OP.else);
  i64.const(0n).emit(code);
  code.byte(OP.end);
});
