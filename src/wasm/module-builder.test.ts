// The module builder on programs of its own: what it emits is validated and run by the host's WebAssembly engine.

import { describe, expect, test } from 'vitest';
import { andThen, either, i32, i64, i8x16, memoryCopy, memoryFill, memorySize, orElse, select, v128 } from './expr.ts';
import type { Expr } from './expr.ts';
import { ModuleBuilder } from './module-builder.ts';
import { call, callIndirect } from './refs.ts';
import type { ValType } from './opcodes.ts';

function instantiate(m: ModuleBuilder, imports: WebAssembly.Imports = {}): Record<string, WebAssembly.ExportValue> {
  return new WebAssembly.Instance(new WebAssembly.Module(m.encode({ names: true })), imports).exports;
}
const fn = (exports: Record<string, WebAssembly.ExportValue>, name = 'f'): ((...args: (number | bigint)[]) => unknown) =>
  exports[name] as (...args: (number | bigint)[]) => unknown;

/** One function of i32 parameters that returns an i32. */
function build(count: number, body: (m: ModuleBuilder, ...params: Expr<'i32'>[]) => Expr<'i32'>): (...args: number[]) => unknown {
  const m = new ModuleBuilder();
  m.memory({ initial: 1 });
  m.function({ exportName: 'f', params: Array<ValType>(count).fill('i32') as 'i32'[], result: 'i32' }, (f, ...params) => f.return(body(m, ...params)));
  return fn(instantiate(m));
}

describe('statements', () => {
  test('if, else, locals, loop: sum of 1 … n', () => {
    const m = new ModuleBuilder();
    m.function({ exportName: 'f', params: ['i32'], result: 'i64' }, (f, n) => {
      const sum = f.local('i64');
      const i = f.local('i32', 1);
      f.if(i32.eqz(n), () => f.return(-1n), () => f.set(sum, 100n));
      f.while(i32.le_u(i, n), () => {
        f.set(sum, i64.add(sum, i64.extend_i32_u(i)));
        f.set(i, i32.add(i, 1));
      });
      f.return(sum);
    });
    const sum = fn(instantiate(m));
    expect(sum(0)).toBe(-1n);
    expect(sum(10)).toBe(155n);
  });

  test('block, br, brIf, brTable', () => {
    const m = new ModuleBuilder();
    m.function({ exportName: 'f', params: ['i32'], result: 'i32' }, (f, n) => {
      f.block((other) => {
        f.block((one) => {
          f.block((zero) => f.brTable(n, [zero, one], other));
          f.return(10);
        });
        f.return(11);
      });
      f.loop((again) => {
        f.block((end) => {
          f.brIf(end, i32.lt_s(n, 100));
          f.set(n, i32.sub(n, 100));
          f.br(again);
        });
      });
      f.return(n);
    });
    const route = fn(instantiate(m));
    expect([0, 1, 2, 99, 100, 345].map((n) => route(n))).toEqual([10, 11, 2, 99, 0, 45]);
  });

  test('calls: direct, forward, imported after the caller was built, indirect, tail', () => {
    const m = new ModuleBuilder();
    const later = m.declare({ name: 'later', params: ['i32'], result: 'i32' });
    const table = m.table(8);
    const type = m.type(['i32'], 'i32');
    m.function({ exportName: 'direct', params: ['i32'], result: 'i32' }, (f, x) => f.return(call(later, i32.add(x, 1))));
    m.function({ exportName: 'indirect', params: ['i32', 'i32'], result: 'i32' }, (f, slot, x) => f.return(callIndirect(table, type, 'i32', slot, x)));
    m.function({ exportName: 'tail', params: ['i32'], result: 'i32' }, (f, x) => f.returnCall(later, x));
    m.function({ exportName: 'tailIndirect', params: ['i32', 'i32'], result: 'i32' }, (f, slot, x) => f.returnCallIndirect(table, type, slot, x));
    const twice = m.importFunction('env', 'twice', ['i32'], 'i32');
    later.builder.return(call(twice, later.builder.params[0]));
    m.elements(table, 3, [later, twice]);
    const e = instantiate(m, { env: { twice: (x: number) => 2 * x } });
    expect(fn(e, 'direct')(20)).toBe(42);
    expect(fn(e, 'indirect')(3, 5)).toBe(10);
    expect(fn(e, 'indirect')(4, 6)).toBe(12);
    expect(() => fn(e, 'indirect')(1, 6)).toThrow(WebAssembly.RuntimeError);
    expect(fn(e, 'tail')(8)).toBe(16);
    expect(fn(e, 'tailIndirect')(3, 9)).toBe(18);
  });

  test('globals, imported and own; exports of memory, table, global', () => {
    const m = new ModuleBuilder();
    const given = m.importGlobal('env', 'given', 'i32', true);
    const own = m.global('i64', -5n);
    m.memory({ initial: 1 });
    m.exportMemory('memory');
    m.exportTable('table', m.table(2));
    m.exportGlobal('own', own);
    m.function({ exportName: 'f', params: ['i32'], result: 'i64' }, (f, x) => {
      f.setGlobal(given, i32.add(given, x));
      f.setGlobal(own, i64.sub(own, 1n));
      f.return(own);
    });
    const env = new WebAssembly.Global({ value: 'i32', mutable: true }, 7);
    const e = instantiate(m, { env: { given: env } });
    expect(fn(e)(3)).toBe(-6n);
    expect(env.value).toBe(10);
    expect((e['own'] as WebAssembly.Global).value).toBe(-6n);
    expect(e['memory']).toBeInstanceOf(WebAssembly.Memory);
    expect((e['table'] as WebAssembly.Table).length).toBe(2);
  });

  test('imported memory, plain and shared, and an imported table', () => {
    for (const shared of [false, true]) {
      const m = new ModuleBuilder();
      m.importMemory('env', 'memory', { initial: 1, maximum: 4, shared });
      const table = m.importTable('env', 'table');
      const type = m.type([], 'i32');
      m.function({ exportName: 'f', params: [], result: 'i32' }, (f) => {
        f.drop(i64.atomic.rmw.add(64, 1n));
        f.return(i32.add(callIndirect(table, type, 'i32', 0), i32.load(64)));
      });
      const memory = new WebAssembly.Memory({ initial: 1, maximum: 4, shared });
      const seven = build(0, () => i32.const(7));
      const wasmTable = new WebAssembly.Table({ element: 'anyfunc', initial: 1 });
      wasmTable.set(0, seven);
      expect(fn(instantiate(m, { env: { memory, table: wasmTable } }))()).toBe(8);
    }
  });

  test('types are stored once', () => {
    const m = new ModuleBuilder();
    expect(m.type(['i32', 'i64'], 'void')).toBe(0);
    expect(m.type([], 'i32')).toBe(1);
    expect(m.type(['i32', 'i64'], 'void')).toBe(0);
  });
});

describe('expressions', () => {
  test('select, either, andThen, orElse', () => {
    const pick = build(3, (_, c, a, b) => select<'i32'>(c, a, b));
    expect([pick(1, 2, 3), pick(0, 2, 3)]).toEqual([2, 3]);
    const guarded = build(2, (_, c, a) => either<'i32'>(c, i32.div_u(100, a), -1));
    expect([guarded(0, 0), guarded(1, 4)]).toEqual([-1, 25]);
    const both = build(2, (_, a, b) => andThen(a, i32.div_u(10, b)));
    expect([both(0, 0), both(1, 5), both(1, 11)]).toEqual([0, 1, 0]);
    const any = build(2, (_, a, b) => orElse(a, i32.div_u(10, b)));
    expect([any(1, 0), any(0, 5), any(0, 11)]).toEqual([1, 1, 0]);
  });

  test('constants at the edges of LEB128', () => {
    for (const value of [0, 63, 64, -64, -65, 127, 128, 8191, 8192, 0x7fff_ffff, -0x8000_0000, 0xffff_ffff, 0xdead_beef]) {
      expect(build(0, () => i32.const(value))()).toBe(value | 0);
    }
    for (const value of [0n, 63n, -64n, 64n, 2n ** 31n, 2n ** 62n, 2n ** 63n - 1n, -(2n ** 63n), 2n ** 64n - 1n]) {
      const m = new ModuleBuilder();
      m.function({ exportName: 'f', params: [], result: 'i64' }, (f) => f.return(i64.const(value)));
      expect(fn(instantiate(m))()).toBe(BigInt.asIntN(64, value));
    }
  });

  test('memory.fill, memory.copy, memory.size, offsets and alignment hints', () => {
    const m = new ModuleBuilder();
    m.memory({ initial: 2 });
    m.function({ exportName: 'f', params: ['i32'], result: 'i32' }, (f, p) => {
      f.emit(memoryFill(p, 0xab, 8), memoryCopy(i32.add(p, 100), p, 6));
      f.store8(p, 0x11, { offset: 102 });
      f.store16(p, 0x2233, { offset: 104, align: 1 });
      f.return(i32.add(i32.load(p, { offset: 101, align: 1 }), memorySize()));
    });
    expect(fn(instantiate(m))(1001)).toBe((0x33ab11ab + 2) | 0);
  });

  test('vectors', () => {
    const m = new ModuleBuilder();
    m.memory({ initial: 1 });
    m.function({ exportName: 'f', params: ['i32'], result: 'i32' }, (f, p) => {
      f.store('v128.store', p, v128.const(Array.from({ length: 16 }, (_, i) => i)));
      f.emit(i32.store8(i32.add(p, 5), 0));
      const same = i8x16.eq(v128.load(p), i8x16.swizzle(v128.load(p), v128.const(Array.from({ length: 16 }, (_, i) => i))));
      const parts = i32.add(i32.mul(i8x16.bitmask(i8x16.eq(v128.load(p), i8x16.splat(0))), 4), i8x16.all_true(same));
      f.return(i32.add(parts, i32.mul(v128.any_true(v128.xor(v128.load(p), v128.load(p))), 2)));
    });
    expect(fn(instantiate(m))(32)).toBe((1 + 32) * 4 + 1);
  });
});
