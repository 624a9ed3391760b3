// Builds a WebAssembly module: imports, functions, globals, tables, exports; encodes it to bytes.
// Invariant: types are stored once; function imports may be added at any time before `encode`, global and table imports before definitions.
// Nothing is validated beyond TypeScript's types: the engine does that. Source: WebAssembly Core Specification 3.0, section 5.5 (modules).

import { assert } from '../util/assert.ts';
import { CodeWriter } from './code-writer.ts';
import { expr } from './expr.ts';
import { FunctionBuilder } from './function-builder.ts';
import type { ParamLocals } from './function-builder.ts';
import { OP, VAL_TYPE_CODE } from './opcodes.ts';
import type { ResultType, ValType } from './opcodes.ts';
import type { FunctionRef, GlobalRef, TableRef } from './refs.ts';

/** Sizes in 64 KiB pages; a shared memory needs a maximum. */
export interface MemoryLimits { readonly initial: number; readonly maximum?: number; readonly shared?: boolean }
/** How a function is declared: its name goes to the name section, `exportName` to the exports. */
export interface FunctionOptions<P extends readonly ValType[], R extends ResultType> {
  readonly name?: string;
  readonly exportName?: string;
  readonly params: P;
  readonly result: R;
}
/** A function declared before it is built, so that others can call it. */
export interface DeclaredFunction<P extends readonly ValType[], R extends ResultType> extends FunctionRef<P, R> {
  readonly builder: FunctionBuilder<P, R>;
}

const SECTION = { type: 1, import: 2, function: 3, table: 4, memory: 5, global: 6, export: 7, element: 9, code: 10, custom: 0 } as const;
const KIND = { function: 0, table: 1, memory: 2, global: 3 } as const;
const FUNCREF = 0x70;
const FUNCTION_TYPE = 0x60;

interface GlobalDefinition { readonly type: ValType; readonly mutable: boolean; readonly initial: bigint }
interface ElementSegment { readonly table: TableRef; readonly offset: number; readonly functions: readonly FunctionRef[] }

/** A module under construction. */
export class ModuleBuilder {
  readonly #types: CodeWriter = new CodeWriter();
  readonly #typeIndices = new Map<string, number>();
  readonly #imports: CodeWriter = new CodeWriter();
  readonly #exports: { name: string; kind: number; index: () => number }[] = [];
  readonly #functions: { builder: FunctionBuilder; typeIndex: number; name: string | undefined }[] = [];
  readonly #importedNames: string[] = [];
  readonly #globals: GlobalDefinition[] = [];
  readonly #tables: { initial: number; maximum: number | undefined }[] = [];
  readonly #elements: ElementSegment[] = [];
  #memory: MemoryLimits | undefined;
  #importCount = 0;
  #importedGlobals = 0;
  #importedTables = 0;

  /** Index of a function type, the same for the same parameters and result. */
  type(params: readonly ValType[], result: ResultType): number {
    const key = `${params.join()}>${result}`;
    const known = this.#typeIndices.get(key);
    if (known !== undefined) return known;
    const results = result === 'void' ? [] : [result];
    this.#types.byte(FUNCTION_TYPE);
    for (const list of [params, results]) {
      this.#types.u32(list.length);
      for (const type of list) this.#types.byte(VAL_TYPE_CODE[type]);
    }
    this.#typeIndices.set(key, this.#typeIndices.size);
    return this.#typeIndices.size - 1;
  }

  #import(module: string, name: string, kind: number): CodeWriter {
    this.#importCount++;
    this.#imports.name(module);
    this.#imports.name(name);
    this.#imports.byte(kind);
    return this.#imports;
  }

  importFunction<const P extends readonly ValType[], R extends ResultType>(module: string, name: string, params: P, result: R): FunctionRef<P, R> {
    this.#import(module, name, KIND.function).u32(this.type(params, result));
    const index = this.#importedNames.push(name) - 1;
    return { params, result, imported: true, ordinal: index, emitIndex: (code) => code.u32(index) };
  }

  importMemory(module: string, name: string, limits: MemoryLimits): void {
    writeLimits(this.#import(module, name, KIND.memory), limits);
  }

  importTable(module: string, name: string, initial = 0, maximum?: number): TableRef {
    assert(this.#tables.length === 0, 'table imports come before tables');
    const out = this.#import(module, name, KIND.table);
    out.byte(FUNCREF);
    writeLimits(out, maximum === undefined ? { initial } : { initial, maximum });
    return { index: this.#importedTables++ };
  }

  importGlobal<T extends ValType>(module: string, name: string, type: T, mutable = false): GlobalRef<T> {
    assert(this.#globals.length === 0, 'global imports come before globals');
    const out = this.#import(module, name, KIND.global);
    out.byte(VAL_TYPE_CODE[type]);
    out.byte(mutable ? 1 : 0);
    return globalAt(type, this.#importedGlobals++);
  }

  global<T extends 'i32' | 'i64'>(type: T, initial: number | bigint, mutable = true): GlobalRef<T> {
    this.#globals.push({ type, mutable, initial: BigInt(initial) });
    return globalAt(type, this.#importedGlobals + this.#globals.length - 1);
  }

  table(initial: number, maximum?: number): TableRef {
    this.#tables.push({ initial, maximum });
    return { index: this.#importedTables + this.#tables.length - 1 };
  }

  /** Defines the module's own memory (instead of importing one). */
  memory(limits: MemoryLimits): void {
    this.#memory = limits;
  }

  /** A function that is called before it is built: write its body with `builder` later. */
  declare<const P extends readonly ValType[], R extends ResultType>(options: FunctionOptions<P, R>): DeclaredFunction<P, R> {
    const builder = new FunctionBuilder(options.params, options.result);
    const typeIndex = this.type(options.params, options.result);
    const ordinal = this.#functions.push({ builder: builder as unknown as FunctionBuilder, typeIndex, name: options.name ?? options.exportName }) - 1;
    const ref: DeclaredFunction<P, R> = {
      params: options.params, result: options.result, imported: false, ordinal, builder,
      emitIndex: (code) => code.definedFunction(ordinal),
    };
    if (options.exportName !== undefined) this.exportFunction(options.exportName, ref);
    return ref;
  }

  /** Defines a function; `body` gets the builder and the parameters. A function with a result must end in `return` or `unreachable`. */
  function<const P extends readonly ValType[], R extends ResultType>(
    options: FunctionOptions<P, R>, body: (f: FunctionBuilder<P, R>, ...params: ParamLocals<P>) => void,
  ): FunctionRef<P, R> {
    const declared = this.declare(options);
    body(declared.builder, ...declared.builder.params);
    return declared;
  }

  /** The final index of a function; only right once every function import has been made. */
  #indexOf(fn: { imported: boolean; ordinal: number }): number {
    return fn.imported ? fn.ordinal : this.#importedNames.length + fn.ordinal;
  }

  exportFunction(name: string, fn: { readonly imported: boolean; readonly ordinal: number }): void {
    this.#exports.push({ name, kind: KIND.function, index: () => this.#indexOf(fn) });
  }
  exportMemory(name: string): void {
    this.#exports.push({ name, kind: KIND.memory, index: () => 0 });
  }
  exportTable(name: string, table: TableRef): void {
    this.#exports.push({ name, kind: KIND.table, index: () => table.index });
  }
  exportGlobal(name: string, global: GlobalRef): void {
    this.#exports.push({ name, kind: KIND.global, index: () => global.index });
  }

  /** Puts functions into consecutive slots of a table when the module is instantiated. */
  elements(table: TableRef, offset: number, functions: readonly FunctionRef[]): void {
    this.#elements.push({ table, offset, functions });
  }

  /** The module's bytes. `names` adds the name section, for stack traces and profilers. */
  encode(options: { readonly names?: boolean } = {}): Uint8Array {
    const out = new CodeWriter(1024);
    out.append([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]);
    raw(out, SECTION.type, this.#typeIndices.size, this.#types);
    raw(out, SECTION.import, this.#importCount, this.#imports);
    section(out, SECTION.function, this.#functions, (body, fn) => body.u32(fn.typeIndex));
    section(out, SECTION.table, this.#tables, writeTable);
    section(out, SECTION.memory, this.#memory === undefined ? [] : [this.#memory], writeLimits);
    section(out, SECTION.global, this.#globals, writeGlobal);
    section(out, SECTION.export, this.#exports, (body, row) => {
      body.name(row.name);
      body.byte(row.kind);
      body.u32(row.index());
    });
    section(out, SECTION.element, this.#elements, (body, row) => this.#writeElements(body, row));
    section(out, SECTION.code, this.#functions, (body, fn) => fn.builder.encode(body, this.#importedNames.length));
    if (options.names === true) this.#writeNames(out);
    return out.bytes().slice();
  }

  #writeElements(out: CodeWriter, segment: ElementSegment): void {
    out.u32(2);
    out.u32(segment.table.index);
    out.byte(OP.i32_const);
    out.s32(segment.offset);
    out.byte(OP.end);
    out.byte(0);
    out.u32(segment.functions.length);
    for (const fn of segment.functions) out.u32(this.#indexOf(fn));
  }

  #writeNames(out: CodeWriter): void {
    const names = [...this.#importedNames, ...this.#functions.map((fn) => fn.name)];
    const map = new CodeWriter();
    const named = names.flatMap((name, index) => (name === undefined ? [] : [{ name, index }]));
    map.u32(named.length);
    for (const { name, index } of named) {
      map.u32(index);
      map.name(name);
    }
    const body = new CodeWriter();
    body.name('name');
    body.byte(1);
    body.u32(map.length);
    body.append(map.bytes());
    out.byte(SECTION.custom);
    out.u32(body.length);
    out.append(body.bytes());
  }
}

const globalAt = <T extends ValType>(type: T, index: number): GlobalRef<T> => ({
  index,
  ...expr(type, (code) => {
    code.byte(OP.global_get);
    code.u32(index);
  }),
});

function writeLimits(out: CodeWriter, limits: MemoryLimits): void {
  assert(limits.shared !== true || limits.maximum !== undefined, 'a shared memory has a maximum');
  out.byte((limits.maximum === undefined ? 0 : 1) | (limits.shared === true ? 2 : 0));
  out.u32(limits.initial);
  if (limits.maximum !== undefined) out.u32(limits.maximum);
}

function writeTable(out: CodeWriter, table: { initial: number; maximum: number | undefined }): void {
  out.byte(FUNCREF);
  writeLimits(out, table.maximum === undefined ? { initial: table.initial } : { initial: table.initial, maximum: table.maximum });
}

function writeGlobal(out: CodeWriter, global: GlobalDefinition): void {
  out.byte(VAL_TYPE_CODE[global.type]);
  out.byte(global.mutable ? 1 : 0);
  out.byte(global.type === 'i32' ? OP.i32_const : OP.i64_const);
  out.s64(global.type === 'i32' ? BigInt.asIntN(32, global.initial) : global.initial);
  out.byte(OP.end);
}

function raw(out: CodeWriter, id: number, count: number, content: CodeWriter): void {
  if (count === 0) return;
  const head = new CodeWriter(8);
  head.u32(count);
  out.byte(id);
  out.u32(head.length + content.length);
  out.append(head.bytes());
  out.append(content.bytes());
}

function section<T>(out: CodeWriter, id: number, rows: readonly T[], write: (body: CodeWriter, row: T) => void): void {
  const body = new CodeWriter();
  for (const row of rows) write(body, row);
  raw(out, id, rows.length, body);
}
