// What a compiled program imports: helpers written in JavaScript, and the operations of its maps.
// Invariant: each is imported once per module; numbers cross as the kinds of vm/host.ts say (i32 for all but 'u64').
// Map operations are the map module's own wasm exports, taken from the function table: importing those as they are avoids JavaScript.

import { helperById } from '../spec/helpers.ts';
import { defined } from '../util/assert.ts';
import { NotSupportedError } from '../util/errors.ts';
import type { ExecEnv, MapOps } from '../vm/executor.ts';
import type { CrossingKind, HelperHost, HelperImpl, ResultKind } from '../vm/host.ts';
import { MAP_HEADER, MAP_OP_SLOTS } from '../vm/map-header.ts';
import type { ModuleBuilder } from '../wasm/module-builder.ts';
import type { ResultType, ValType } from '../wasm/opcodes.ts';
import type { FunctionRef } from '../wasm/refs.ts';

/** Module name of all imports. */
export const IMPORT_MODULE = 'env';

type Crossed = number | bigint;
type Convert = (value: never) => Crossed;
const CONVERT: Readonly<Record<CrossingKind, Convert>> = {
  ptr: (value: number) => value >>> 0,
  u32: (value: number) => value >>> 0,
  s32: (value: number) => value,
  u64: (value: bigint) => BigInt.asUintN(64, value),
};
const same: Convert = (value: number) => value;

/** A helper as wasm calls it: fixed arity, since spreading arguments costs more than most helpers. */
export function crossing(host: HelperHost, impl: HelperImpl): Function {
  const call = impl.call as (host: HelperHost, ...args: Crossed[]) => Crossed | void;
  const [c1, c2, c3, c4, c5] = [0, 1, 2, 3, 4].map((index) => CONVERT[impl.args[index] as CrossingKind] ?? same) as [Convert, Convert, Convert, Convert, Convert];
  const wrappers: Function[] = [
    () => call(host),
    (a: never) => call(host, c1(a)),
    (a: never, b: never) => call(host, c1(a), c2(b)),
    (a: never, b: never, c: never) => call(host, c1(a), c2(b), c3(c)),
    (a: never, b: never, c: never, d: never) => call(host, c1(a), c2(b), c3(c), c4(d)),
    (a: never, b: never, c: never, d: never, e: never) => call(host, c1(a), c2(b), c3(c), c4(d), c5(e)),
  ];
  return defined(wrappers[impl.args.length], `wrapper for ${impl.args.length} arguments`);
}

const wasmType = (kind: CrossingKind): ValType => (kind === 'u64' ? 'i64' : 'i32');
const wasmResult = (kind: ResultKind): ResultType => (kind === 'void' ? 'void' : wasmType(kind));
/** Parameters of each map operation, all i32, as is the result. */
const MAP_OP_ARITY: Readonly<Record<keyof MapOps, number>> = { lookup: 1, update: 3, delete: 1, push: 2, pop: 1, peek: 1, lookupPercpu: 2, walk: 2 };

/** The wasm parameters of a map operation. */
export const mapOpParams = (op: keyof MapOps): ValType[] => Array.from({ length: MAP_OP_ARITY[op] }, () => 'i32');

/** Collects imports while a module is built, and their values for its instantiation. */
export class ImportTable {
  readonly values: Record<string, WebAssembly.ExportValue> = {};
  readonly #module: ModuleBuilder;
  readonly #env: ExecEnv;
  readonly #functions = new Map<string, FunctionRef>();

  constructor(module: ModuleBuilder, env: ExecEnv) {
    this.#module = module;
    this.#env = env;
  }

  #function(name: string, params: readonly ValType[], result: ResultType, value: () => Function): FunctionRef {
    const known = this.#functions.get(name);
    if (known !== undefined) return known;
    const ref = this.#module.importFunction(IMPORT_MODULE, name, params, result);
    this.#functions.set(name, ref);
    this.values[name] = value();
    return ref;
  }

  /** The helper of an id. Throws NotSupportedError by name when the kernel doesn't have it. */
  implementation(id: number): HelperImpl {
    const impl = this.#env.helpers.get(id);
    if (impl === undefined) throw new NotSupportedError(`helper ${helperById(id)?.name ?? id}`);
    return impl;
  }

  helper(impl: HelperImpl): FunctionRef {
    return this.#function(impl.name, impl.args.map(wasmType), wasmResult(impl.result), () => crossing(this.#env.host, impl));
  }

  /** An operation of the program's map number `mapIndex`. */
  mapOp(mapIndex: number, op: keyof MapOps): FunctionRef {
    return this.#function(`map${mapIndex}.${op}`, mapOpParams(op), 'i32', () => this.#mapFunction(mapIndex, op));
  }

  #mapFunction(mapIndex: number, op: keyof MapOps): Function {
    const map = defined(this.#env.maps[mapIndex], `map ${mapIndex}`);
    const opsSlot = this.#env.memory.view.getUint32(map.header + MAP_HEADER.opsSlot, true);
    const { wasm } = this.#env.table;
    const exported = opsSlot === 0 ? null : wasm.get(opsSlot + MAP_OP_SLOTS.indexOf(op));
    return exported ?? (map.ops[op] as (...args: number[]) => number).bind(map.ops);
  }
}
