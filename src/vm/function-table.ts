// The kernel's table of functions: program entries, callbacks and map operations, each in a numbered slot.
// Invariant: slot 0 is never handed out, and every filled slot can be called from wasm: a JavaScript closure (the interpreter's) enters
// the wasm table through a module of its own that imports and re-exports it, so that JIT-ed programs tail-call interpreted ones.
// Source: WebAssembly JavaScript Interface 2.0, `Table.set` takes exported functions only.

import { InternalError } from '../util/errors.ts';
import type { FunctionTable, ProgramFunction } from './executor.ts';

const INITIAL_SLOTS = 64;

/** `(module (func (import "" "f") (param i64 i64 i64 i64 i64 i32) (result i64)) (export "f" (func 0)))` */
const TRAMPOLINE = new Uint8Array([
  0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00,
  0x01, 0x0b, 0x01, 0x60, 0x06, 0x7e, 0x7e, 0x7e, 0x7e, 0x7e, 0x7f, 0x01, 0x7e,
  0x02, 0x06, 0x01, 0x00, 0x01, 0x66, 0x00, 0x00,
  0x07, 0x05, 0x01, 0x01, 0x66, 0x00, 0x00,
]);

let trampoline: WebAssembly.Module | undefined;

function exported(fn: ProgramFunction): Function {
  trampoline ??= new WebAssembly.Module(TRAMPOLINE);
  return new WebAssembly.Instance(trampoline, { '': { f: fn } }).exports['f'] as Function;
}

/** A growing table of functions with reuse of freed slots. */
export class KernelFunctionTable implements FunctionTable {
  readonly wasm = new WebAssembly.Table({ element: 'anyfunc', initial: INITIAL_SLOTS });
  readonly #functions: (ProgramFunction | undefined)[] = [undefined];
  readonly #free = new Map<number, number[]>();
  #next = 1;

  /** The first of `count` consecutive free slots (never 0). */
  allocate(count: number): number {
    const reused = this.#free.get(count)?.pop();
    if (reused !== undefined) return reused;
    const first = this.#next;
    this.#next += count;
    if (this.#next > this.wasm.length) this.wasm.grow(Math.max(this.#next - this.wasm.length, this.wasm.length));
    return first;
  }

  /** Empties slots and makes them free; `slot` and `count` as `allocate` gave them. */
  release(slot: number, count: number): void {
    for (let i = slot; i < slot + count; i++) {
      this.#functions[i] = undefined;
      this.wasm.set(i, null);
    }
    const list = this.#free.get(count);
    if (list === undefined) this.#free.set(count, [slot]);
    else list.push(slot);
  }

  /** Fills a slot with a closure or an exported wasm function. */
  set(slot: number, fn: ProgramFunction): void {
    if (slot <= 0 || slot >= this.#next) throw new InternalError(`function slot ${slot} was not allocated`);
    this.#functions[slot] = fn;
    try {
      this.wasm.set(slot, fn);
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
      this.wasm.set(slot, exported(fn));
    }
  }

  /** The function of a slot, undefined when it is empty. Functions put straight into `wasm` are found too. */
  get(slot: number): ProgramFunction | undefined {
    const known = this.#functions[slot];
    if (known !== undefined) return known;
    return slot < this.wasm.length ? ((this.wasm.get(slot) ?? undefined) as ProgramFunction | undefined) : undefined;
  }
}
