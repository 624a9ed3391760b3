// Makes a map's WebAssembly module: one function per operation, specialised to the map's shape, its place given by two imported globals.
// Invariant: modules are cached by shape for the life of the program; an instance belongs to one map (and one worker).
// Source: design.md section 4 "One source per map operation"; operation signatures in vm/executor.ts MapOps.

import { EINVAL } from '../spec/errno.ts';
import { InternalError } from '../util/errors.ts';
import type { MapOps } from '../vm/executor.ts';
import { MAP_OP_SLOTS } from '../vm/map-header.ts';
import type { KernelMemory } from '../vm/memory.ts';
import type { Expr } from '../wasm/expr.ts';
import type { FunctionBuilder, ParamLocals } from '../wasm/function-builder.ts';
import { ModuleBuilder } from '../wasm/module-builder.ts';
import type { FunctionRef } from '../wasm/refs.ts';
import type { MapSite } from './code.ts';
import type { MapShape } from './layout.ts';

type I32s<N extends number> = N extends 1 ? readonly ['i32'] : N extends 2 ? readonly ['i32', 'i32'] : readonly ['i32', 'i32', 'i32'];
/** Number of i32 parameters of each operation; every operation returns an i32. */
const OP_ARITY = { lookup: 1, update: 3, delete: 1, push: 2, pop: 1, peek: 1, lookupPercpu: 2, walk: 2, find: 1 } as const;
/** An operation that a map's module exports; `find` is for the user side: the element's offset, with no trace left (no LRU reference). */
export type MapOpName = keyof typeof OP_ARITY;

/** A map's module under construction. */
export class MapCode {
  readonly module = new ModuleBuilder();
  readonly site: MapSite & { readonly header: Expr<'i32'>; readonly data: Expr<'i32'> };
  readonly shape: MapShape;
  /** Asks JavaScript for more elements: 0, or negative errno. Only maps that allocate as they go import it. */
  readonly grow: FunctionRef<readonly ['i32'], 'i32'> | undefined;
  readonly #defined = new Set<string>();
  readonly #shared = new Map<string, unknown>();

  constructor(shape: MapShape) {
    this.shape = shape;
    this.module.importMemory('env', 'memory', shape.shared ? { initial: 1, maximum: 65536, shared: true } : { initial: 1 });
    const header = this.module.importGlobal('env', 'header', 'i32');
    const data = this.module.importGlobal('env', 'data', 'i32');
    const cpu = this.module.importGlobal('env', 'cpu', 'i32', true);
    this.site = { header, data, cpu };
    this.grow = shape.noPrealloc ? this.module.importFunction('env', 'grow', ['i32'], 'i32') : undefined;
  }

  /** What `make` gives, made once per module: functions that several operations share. */
  once<T>(name: string, make: () => T): T {
    if (!this.#shared.has(name)) this.#shared.set(name, make());
    return this.#shared.get(name) as T;
  }

  /** Defines an operation; the body ends in `f.return(…)`. */
  op<K extends MapOpName>(name: K, body: (f: FunctionBuilder<I32s<(typeof OP_ARITY)[K]>, 'i32'>, ...params: ParamLocals<I32s<(typeof OP_ARITY)[K]>>) => void): void {
    this.#defined.add(name);
    const params = Array.from({ length: OP_ARITY[name] }, () => 'i32') as unknown as I32s<(typeof OP_ARITY)[K]>;
    this.module.function({ exportName: name, params, result: 'i32' }, body as never);
  }

  /** Gives every operation that isn't defined a function that returns `values[name]`, by default 0 for look-ups and -EINVAL for the rest. */
  defaults(values: Partial<Record<MapOpName, number>> = {}): void {
    for (const name of MAP_OP_SLOTS) {
      if (this.#defined.has(name)) continue;
      const value = values[name] ?? (name === 'lookup' || name === 'lookupPercpu' || name === 'walk' ? 0 : -EINVAL);
      const params = Array.from({ length: OP_ARITY[name] }, () => 'i32' as const);
      this.module.function({ exportName: name, params, result: 'i32' }, (f) => f.return(value));
    }
  }
}

/** Emits all operations of a map type into a module. */
export type EmitMapOps = (code: MapCode) => void;

const cache = new Map<string, WebAssembly.Module>();

/** The compiled module for a shape. It imports env.memory, header, data, cpu and, without preallocation, grow. */
export function moduleFor(shape: MapShape, emit: EmitMapOps): WebAssembly.Module {
  const key = JSON.stringify(shape);
  const known = cache.get(key);
  if (known !== undefined) return known;
  const code = new MapCode(shape);
  emit(code);
  code.defaults();
  const made = new WebAssembly.Module(code.module.encode({ names: true }));
  cache.set(key, made);
  return made;
}

/** What instances of map modules need of their kernel (one per worker). */
export interface InstanceEnv {
  readonly memory: KernelMemory;
  /** Mutable i32: offset of the running CPU's area. */
  readonly cpu: WebAssembly.Global;
}

/** A map's operations as WebAssembly exports, further ones (ring buffer) by name. */
export interface MapInstance {
  readonly ops: MapOps;
  readonly find: (key: number) => number;
  readonly exports: Record<string, WebAssembly.ExportValue>;
}

const i32Global = (value: number): WebAssembly.Global => new WebAssembly.Global({ value: 'i32' }, value | 0);
type Op = (...args: number[]) => number;
/** Offsets from 2 GiB on come out of wasm negative. */
const asOffset = (op: Op): Op => (...args) => op(...args) >>> 0;

/** Instantiates the operations of the map at `header` with its values or buckets at `data`. `grow` serves maps that allocate as they go. */
export function instantiateMap(shape: MapShape, emit: EmitMapOps, env: InstanceEnv, header: number, data: number, grow: (header: number) => number): MapInstance {
  const instance = new WebAssembly.Instance(moduleFor(shape, emit), {
    env: { memory: env.memory.memory, header: i32Global(header), data: i32Global(data), cpu: env.cpu, grow },
  });
  const exported = instance.exports as Record<string, Op>;
  const op = (name: string): Op => {
    const fn = exported[name];
    if (fn === undefined) throw new InternalError(`map module without ${name}`);
    return fn;
  };
  const find = exported['find'];
  return {
    ops: {
      lookup: asOffset(op('lookup')), update: op('update'), delete: op('delete'), push: op('push'), pop: op('pop'), peek: op('peek'),
      lookupPercpu: asOffset(op('lookupPercpu')), walk: asOffset(op('walk')),
    },
    find: find === undefined ? () => 0 : asOffset(find),
    exports: instance.exports,
  };
}
