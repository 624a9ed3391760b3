// The JIT: a verified program becomes a WebAssembly module of its own, made for one kernel (addresses of maps are constants in it).
// Invariants: I3 (takes only a VerifiedProgram), I6 (what is seen from outside is what the interpreter would show).
// Source: design.md section 4, "The JIT's target is WebAssembly".

import { basicBlocks } from '../insn/blocks.ts';
import { isPseudoFunc } from '../insn/fields.ts';
import type { VerifiedParts, VerifiedProgram } from '../insn/verified-program.ts';
import { defined } from '../util/assert.ts';
import { BpfkitError, InternalError } from '../util/errors.ts';
import { CPU, CPU_AREA_BYTES } from '../vm/cpu-area.ts';
import type { Executable, ExecEnv, Executor, ProgramFunction } from '../vm/executor.ts';
import { i32, i64 } from '../wasm/expr.ts';
import { ModuleBuilder } from '../wasm/module-builder.ts';
import { call } from '../wasm/refs.ts';
import { compileFunction } from './compile-function.ts';
import { faultThrower } from './fault.ts';
import { IMPORT_MODULE, ImportTable } from './imports.ts';
import { PROGRAM_PARAMS, addressOf } from './scope.ts';
import type { Unit } from './scope.ts';

/** The bytes of a compiled program and the values that its instance imports. */
export interface CompiledProgram { readonly bytes: Uint8Array; readonly imports: WebAssembly.Imports }

const exportName = (index: number): string => `f${index}`;

function importEnvironment(module: ModuleBuilder, env: ExecEnv, imports: ImportTable): Pick<Unit, 'table' | 'cpu' | 'fault'> {
  module.importMemory(IMPORT_MODULE, 'memory', env.memory.shared ? { initial: 1, maximum: 65536, shared: true } : { initial: 1 });
  Object.assign(imports.values, { memory: env.memory.memory, table: env.table.wasm, cpu: env.cpu });
  return {
    table: module.importTable(IMPORT_MODULE, 'table'),
    cpu: module.importGlobal(IMPORT_MODULE, 'cpu', 'i32', true),
    fault: module.importFunction(IMPORT_MODULE, 'fault', ['i32', 'i32', 'i64'], 'void'),
  };
}

function unitOf(parts: VerifiedParts, env: ExecEnv, firstSlot: number): Unit {
  const module = new ModuleBuilder();
  const imports = new ImportTable(module, env);
  const environment = importEnvironment(module, env, imports);
  imports.values['fault'] = faultThrower(parts.insns);
  const functions = parts.subprogs.map((subprog, index) =>
    module.declare({ name: subprog.name, exportName: exportName(index), params: PROGRAM_PARAMS, result: 'i64' }));
  return {
    parts, env, firstSlot, module, imports, functions, ...environment,
    blocks: basicBlocks(parts.insns), programType: module.type(PROGRAM_PARAMS, 'i64'),
  };
}

/** `run(ctx, r2)`: enters the program on the running CPU's stack, keeps all of r0 in the result cell and returns its low half. */
function writeRun(unit: Unit): void {
  const main = defined(unit.functions[0], 'main function');
  unit.module.function({ exportName: 'run', params: ['i32', 'i32'], result: 'i32' }, (f, ctx, r2) => {
    const cpu = f.local('i32', unit.cpu);
    const result = f.local('i64');
    f.store32(cpu, 0, { offset: CPU.tailCalls });
    f.set(result, call(main, addressOf(ctx, ctx), i64.extend_i32_u(r2), 0n, 0n, 0n, i32.add(cpu, CPU_AREA_BYTES)));
    f.store64(cpu, result, { offset: CPU.result });
    f.return(i32.wrap_i64(result));
  });
}

/** Compiles a program to a module's bytes. Throws NotSupportedError, naming what can't be compiled. */
export function compileProgram(parts: VerifiedParts, env: ExecEnv, firstSlot: number): CompiledProgram {
  const unit = unitOf(parts, env, firstSlot);
  for (const index of parts.subprogs.keys()) compileFunction(unit, index);
  writeRun(unit);
  return { bytes: unit.module.encode({ names: true }), imports: { [IMPORT_MODULE]: unit.imports.values } };
}

function instantiate({ bytes, imports }: CompiledProgram): Record<string, WebAssembly.ExportValue> {
  try {
    return new WebAssembly.Instance(new WebAssembly.Module(bytes), imports).exports;
  } catch (error) {
    if (error instanceof BpfkitError) throw error;
    throw new InternalError(`the engine refuses the compiled program: ${String(error)}`);
  }
}

/** Subprograms that something outside the module calls: the entry, and callbacks. */
function calledFromOutside(parts: VerifiedParts): Set<number> {
  const indices = new Set([0]);
  for (const [at, insn] of parts.insns.entries()) {
    if (!isPseudoFunc(insn)) continue;
    const index = parts.subprogs.findIndex((subprog) => subprog.start === at + 1 + insn.imm);
    if (index >= 0) indices.add(index);
  }
  return indices;
}

/** A trap would be a bug of the verifier or of the JIT (invariant I7), so it is reported as one; Faults pass. */
function rethrow(parts: VerifiedParts, error: unknown): never {
  if (error instanceof WebAssembly.RuntimeError || error instanceof RangeError) throw new InternalError(`program '${parts.name}' trapped: ${error.message}`);
  throw error;
}

function prepare({ parts }: VerifiedProgram, env: ExecEnv): Executable {
  const slots = parts.subprogs.length;
  const firstSlot = env.table.allocate(slots);
  try {
    const exports = instantiate(compileProgram(parts, env, firstSlot));
    for (const index of calledFromOutside(parts)) env.table.set(firstSlot + index, exports[exportName(index)] as ProgramFunction);
    const enter = exports['run'] as (ctx: number, r2: number) => number;
    const run = (ctx: number, r2 = 0): number => {
      try {
        return enter(ctx, r2) >>> 0;
      } catch (error) {
        return rethrow(parts, error);
      }
    };
    return { entrySlot: firstSlot, run, dispose: () => env.table.release(firstSlot, slots) };
  } catch (error) {
    env.table.release(firstSlot, slots);
    throw error;
  }
}

/** The JIT to WebAssembly. `prepare` throws NotSupportedError for arena casts, kernel functions, missing helpers and functions too large for the engine. */
export const jit: Executor = { name: 'jit', prepare };
