// Every row of the opcode table is run on edge and random operands and compared with a meaning written in bigint.
import { describe, expect, test } from 'vitest';
import { INSTRUCTIONS } from './expr.ts';
import type { Expr } from './expr.ts';
import { ModuleBuilder } from './module-builder.ts';
import { CMPXCHG_OPS, LOAD_OPS, PLAIN_OPS, RMW_OPS, STORE_OPS } from './opcodes.ts';
import type { ResultType, ValType } from './opcodes.ts';

type Value = number | bigint;
type Build = (...args: unknown[]) => Expr;
const builders = INSTRUCTIONS as unknown as Record<string, Build>;
const P = 64;

function compile(name: string, params: readonly ValType[], result: ResultType): { run: (...args: Value[]) => unknown; view: DataView } {
  const m = new ModuleBuilder();
  m.memory({ initial: 1 });
  m.exportMemory('memory');
  m.function({ exportName: 'f', params, result }, (f, ...locals) => {
    const e = (builders[name] as Build)(...locals);
    if (e.type === 'void') f.emit(e as Expr<'void'>);
    else f.return(e as never);
  });
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(m.encode()));
  return { run: exports['f'] as never, view: new DataView((exports['memory'] as WebAssembly.Memory).buffer) };
}

const bitsOf = (type: string): number => (type === 'i32' ? 32 : 64);
const signed = (bits: number, v: bigint): bigint => BigInt.asIntN(bits, v);
const asResult = (type: string, v: bigint): Value => (type === 'i32' ? Number(signed(32, v)) : signed(64, v));
const asOperand = asResult;
const EDGES = [0n, 1n, 2n, 31n, 32n, 63n, 64n, 127n, 128n, 255n, 0x7fffn, 0x8000n, 0x7fff_ffffn, 0x8000_0000n, 0xffff_ffffn, 0x1_0000_0001n,
  0x7fff_ffff_ffff_ffffn, 0x8000_0000_0000_0000n, 0xffff_ffff_ffff_ffffn, 0x1234_5678_9abc_def0n];

const count = (bits: number, v: bigint, from: 'high' | 'low'): bigint => {
  const text = v.toString(2).padStart(bits, '0');
  const hit = from === 'high' ? text.indexOf('1') : [...text].toReversed().indexOf('1');
  return BigInt(hit < 0 ? bits : hit);
};
const TRAP = Symbol('trap');
type Meaning = (bits: number, a: bigint, b: bigint) => bigint | typeof TRAP;
const cmp = (holds: (a: bigint, b: bigint) => boolean, isSigned: boolean): Meaning => (bits, a, b) =>
  BigInt(isSigned ? holds(signed(bits, a), signed(bits, b)) : holds(a, b));
const rot = (bits: number, a: bigint, by: bigint): bigint => (a << by) | (a >> (BigInt(bits) - by));
const MEANINGS: Record<string, Meaning> = {
  eqz: (_, a) => BigInt(a === 0n), eq: cmp((a, b) => a === b, false), ne: cmp((a, b) => a !== b, false),
  lt_s: cmp((a, b) => a < b, true), lt_u: cmp((a, b) => a < b, false), gt_s: cmp((a, b) => a > b, true), gt_u: cmp((a, b) => a > b, false),
  le_s: cmp((a, b) => a <= b, true), le_u: cmp((a, b) => a <= b, false), ge_s: cmp((a, b) => a >= b, true), ge_u: cmp((a, b) => a >= b, false),
  clz: (bits, a) => count(bits, a, 'high'), ctz: (bits, a) => count(bits, a, 'low'), popcnt: (_, a) => BigInt([...a.toString(2)].filter((c) => c === '1').length),
  add: (_, a, b) => a + b, sub: (_, a, b) => a - b, mul: (_, a, b) => a * b,
  div_u: (_, a, b) => (b === 0n ? TRAP : a / b), rem_u: (_, a, b) => (b === 0n ? TRAP : a % b),
  div_s: (bits, a, b) => (b === 0n || (signed(bits, b) === -1n && signed(bits, a) === -(1n << BigInt(bits - 1))) ? TRAP : signed(bits, a) / signed(bits, b)),
  rem_s: (bits, a, b) => (b === 0n ? TRAP : signed(bits, a) % signed(bits, b)),
  and: (_, a, b) => a & b, or: (_, a, b) => a | b, xor: (_, a, b) => a ^ b,
  shl: (bits, a, b) => a << b % BigInt(bits), shr_u: (bits, a, b) => a >> b % BigInt(bits), shr_s: (bits, a, b) => signed(bits, a) >> b % BigInt(bits),
  rotl: (bits, a, b) => rot(bits, a, b % BigInt(bits)), rotr: (bits, a, b) => rot(bits, a, (BigInt(bits) - (b % BigInt(bits))) % BigInt(bits)),
  wrap_i64: (_, a) => a, extend_i32_s: (_, a) => signed(32, a), extend_i32_u: (_, a) => BigInt.asUintN(32, a),
  extend8_s: (_, a) => signed(8, a), extend16_s: (_, a) => signed(16, a), extend32_s: (_, a) => signed(32, a),
};

describe('plain instructions', () => {
  const rows = Object.entries(PLAIN_OPS).filter(([name]) => /^i(32|64)\./.test(name));
  test.each(rows)('%s', (name, row) => {
    const meaning = MEANINGS[name.split('.')[1] as string] as Meaning;
    const { run } = compile(name, row.args, row.result);
    const bits = bitsOf(row.args[0]);
    for (const a of EDGES) {
      for (const b of row.args.length === 1 ? [0n] : EDGES) {
        const [ua, ub] = [BigInt.asUintN(bits, a), BigInt.asUintN(bits, b)];
        const want = meaning(bits, ua, ub);
        const go = (): unknown => run(...[ua, ub].slice(0, row.args.length).map((v) => asOperand(row.args[0], v)));
        if (want === TRAP) expect(go).toThrow(WebAssembly.RuntimeError);
        else expect(go(), `${a} ${b}`).toBe(asResult(row.result, want));
      }
    }
  });
});

const BYTES = [0x81, 0x92, 0x73, 0xe4, 0xd5, 0x46, 0xb7, 0xf8, 9, 10, 11, 12, 13, 14, 15, 16];
const fill = (view: DataView): void => BYTES.forEach((byte, i) => view.setUint8(P + i, byte));
const read = (view: DataView, at: number, bytes: number): bigint => {
  let v = 0n;
  for (let i = bytes - 1; i >= 0; i--) v = (v << 8n) | BigInt(view.getUint8(at + i));
  return v;
};
const scalar = <T>(table: Record<string, T>): [string, T][] => Object.entries(table).filter(([name]) => !name.startsWith('v128'));

describe('memory instructions', () => {
  test.each(scalar<(typeof LOAD_OPS)[keyof typeof LOAD_OPS]>(LOAD_OPS))('%s', (name, row) => {
    const { run, view } = compile(name, ['i32'], row.result);
    fill(view);
    const there = read(view, P, row.widthBytes);
    expect(run(P)).toBe(asResult(row.result, name.endsWith('_s') ? signed(row.widthBytes * 8, there) : there));
    expect(() => run(65536 - row.widthBytes + (name.includes('atomic') ? row.widthBytes : 1))).toThrow(WebAssembly.RuntimeError);
  });

  test.each(scalar<(typeof STORE_OPS)[keyof typeof STORE_OPS]>(STORE_OPS))('%s', (name, row) => {
    const { run, view } = compile(name, ['i32', row.value], 'void');
    fill(view);
    run(P, asOperand(row.value, 0x0102_0304_0506_0708n));
    expect(read(view, P, row.widthBytes)).toBe(BigInt.asUintN(row.widthBytes * 8, 0x0102_0304_0506_0708n));
    expect(view.getUint8(P + row.widthBytes)).toBe(BYTES[row.widthBytes]);
  });

  const rmw: Record<string, (a: bigint, b: bigint) => bigint> = {
    add: (a, b) => a + b, sub: (a, b) => a - b, and: (a, b) => a & b, or: (a, b) => a | b, xor: (a, b) => a ^ b, xchg: (_, b) => b,
  };
  test.each(Object.entries(RMW_OPS))('%s', (name, row) => {
    const { run, view } = compile(name, ['i32', row.result], row.result);
    fill(view);
    const bits = row.widthBytes * 8;
    const before = read(view, P, row.widthBytes);
    const operand = BigInt.asUintN(bits, 0x1122_3344_f566_77e8n);
    expect(run(P, asOperand(row.result, operand))).toBe(asResult(row.result, before));
    const kind = (name.split('.')[3] as string).replace('_u', '');
    expect(read(view, P, row.widthBytes)).toBe(BigInt.asUintN(bits, (rmw[kind] as (a: bigint, b: bigint) => bigint)(before, operand)));
    if (row.widthBytes > 1) expect(() => run(P + 1, asOperand(row.result, 1n))).toThrow(WebAssembly.RuntimeError);
  });

  test.each(Object.entries(CMPXCHG_OPS))('%s', (name, row) => {
    const { run, view } = compile(name, ['i32', row.result, row.result], row.result);
    fill(view);
    const before = read(view, P, row.widthBytes);
    expect(run(P, asOperand(row.result, before ^ 1n), asOperand(row.result, 7n))).toBe(asResult(row.result, before));
    expect(read(view, P, row.widthBytes)).toBe(before);
    expect(run(P, asOperand(row.result, before), asOperand(row.result, 7n))).toBe(asResult(row.result, before));
    expect(read(view, P, row.widthBytes)).toBe(7n);
  });

  test('vector rows run in module-builder.test.ts or are validated here', () => {
    for (const [name, row] of Object.entries(PLAIN_OPS)) {
      if (/^i(32|64)\./.test(name)) continue;
      const m = new ModuleBuilder();
      m.memory({ initial: 1 });
      m.function({ params: [], result: 'void' }, (f) => {
        const args = row.args.map((type) => (type === 'v128' ? (builders['v128.load'] as Build)(0) : type === 'i32' ? 5 : 5n));
        f.drop((builders[name] as Build)(...args));
      });
      expect(WebAssembly.validate(m.encode()), name).toBe(true);
    }
  });
});
