// Calls: functions of the program, helpers, tail calls.
// Invariant: r6 … r9 are the caller's own wasm locals; a callee's frame lies FRAME_BYTES lower; a tail call keeps the frame.
// Tail calls check in the order of arch/x86/net/bpf_jit_comp.c (6.18): the index, the limit of 33, the element; only a taken one counts.
// Source: RFC 9669 section 4.3.1, vm/executor.ts.

import type { Insn } from '../insn/insn.ts';
import { BPF_FUNC_tail_call } from '../spec/helpers.ts';
import { MAX_TAIL_CALL_CNT } from '../spec/limits.ts';
import { BPF_CALL, BPF_JMP, BPF_PSEUDO_CALL, BPF_PSEUDO_KFUNC_CALL, BPF_REG_0 } from '../spec/opcodes.ts';
import { defined } from '../util/assert.ts';
import { NotSupportedError } from '../util/errors.ts';
import { CPU, FRAME_BYTES } from '../vm/cpu-area.ts';
import type { CrossingKind, HelperImpl } from '../vm/host.ts';
import { MAP_HEADER } from '../vm/map-header.ts';
import { i32, i64, operand } from '../wasm/expr.ts';
import type { Expr, Operand } from '../wasm/expr.ts';
import { call } from '../wasm/refs.ts';
import { FAULT } from './fault.ts';
import { emitters } from './helper-emitters.ts';
import { lowerMapCall } from './map-calls.ts';
import { addressOf } from './scope.ts';
import type { Scope } from './scope.ts';

const ARGS = [1, 2, 3, 4, 5] as const;

/** Raw programs may call themselves without end: they stop where the stack ends. */
function checkDepth(s: Scope, at: number): void {
  const { checked } = s.unit.parts;
  if (checked === undefined) return;
  i32.lt_u(s.framePointer, checked.stack.start + 2 * FRAME_BYTES).emit(s.code);
  s.faultIf(FAULT.call, at);
}

function callFunction(s: Scope, insn: Insn, at: number): void {
  const start = at + 1 + insn.imm;
  const index = s.unit.parts.subprogs.findIndex((subprog) => subprog.start === start);
  const callee = defined(s.unit.functions[index], `function at instruction ${start}`);
  checkDepth(s, at);
  const [r1, r2, r3, r4, r5] = ARGS.map((register) => s.reg(register)) as [Expr<'i64'>, Expr<'i64'>, Expr<'i64'>, Expr<'i64'>, Expr<'i64'>];
  s.f.set(s.register(BPF_REG_0), call(callee, r1, r2, r3, r4, r5, i32.sub(s.framePointer, FRAME_BYTES)));
}

const crossed = (s: Scope, kind: CrossingKind, register: number): Expr<'i32' | 'i64'> => (kind === 'u64' ? s.reg(register) : s.reg32(register));

/** What a helper's result becomes in r0. */
function resultOf(s: Scope, impl: HelperImpl, value: Expr): Expr<'i64'> {
  if (impl.result === 'u64') return value as Expr<'i64'>;
  const low = value as Expr<'i32'>;
  if (impl.result === 'ptr') return addressOf(low, s.scratch('i32', 'found'));
  return impl.result === 's32' ? i64.extend_i32_s(low) : i64.extend_i32_u(low);
}

function callImported(s: Scope, impl: HelperImpl): void {
  if (impl.callsBack === true) s.f.store32(s.cpu(), s.framePointer, { offset: CPU.framePointer });
  const args = impl.args.map((kind, index) => crossed(s, kind, index + 1));
  const value = call(s.unit.imports.helper(impl), ...(args as Operand<'i32'>[]));
  const r0 = s.register(BPF_REG_0);
  if (impl.result !== 'void') return s.f.set(r0, resultOf(s, impl, value));
  s.f.emit(value as Expr<'void'>);
  s.f.set(r0, 0n);
}

function callHelper(s: Scope, insn: Insn, at: number): void {
  const impl = s.unit.imports.implementation(insn.imm);
  const fact = s.fact(at);
  const site = { f: s.f, cpu: s.cpu(), args: ARGS.map((register) => s.reg(register)), fact, env: s.unit.env };
  const value = lowerMapCall(s, insn.imm, fact.mapIndex) ?? emitters[impl.name]?.(site);
  if (value === undefined) callImported(s, impl);
  else s.f.set(s.register(BPF_REG_0), value);
}

/** Where a PROG_ARRAY keeps its length and its slots: constants when the map is known. */
function programArray(s: Scope, mapIndex: number | undefined): { readonly length: Operand<'i32'>; readonly slots: Operand<'i32'> } {
  const map = mapIndex === undefined ? undefined : s.unit.env.maps[mapIndex];
  if (map !== undefined) {
    const word = (offset: number): number => s.unit.env.memory.view.getUint32(map.header + offset, true);
    return { length: word(MAP_HEADER.maxEntries), slots: word(MAP_HEADER.data) };
  }
  const header = s.f.local('i32', s.reg32(2));
  return { length: i32.load(header, { offset: MAP_HEADER.maxEntries }), slots: i32.load(header, { offset: MAP_HEADER.data }) };
}

/** bpf_tail_call(ctx, map, index): leaves this function for the other program; where it can't, the program goes on with r0 as it was. */
function tailCall(s: Scope, at: number): void {
  const { f } = s;
  const index = s.reg32(3);
  const slot = s.scratch('i32', 'slot');
  const made = i32.load(s.cpu(), { offset: CPU.tailCalls });
  f.block((goOn) => {
    const { length, slots } = programArray(s, s.fact(at).mapIndex);
    f.brIf(goOn, i32.ge_u(index, length));
    f.brIf(goOn, i32.ge_u(made, MAX_TAIL_CALL_CNT));
    f.set(slot, i32.load(i32.add(operand<'i32'>(slots), i32.shl(index, 2))));
    f.brIf(goOn, i32.eqz(slot));
    f.store32(s.cpu(), i32.add(made, 1), { offset: CPU.tailCalls });
    f.returnCallIndirect(s.unit.table, s.unit.programType, slot, s.reg(1), 0n, 0n, 0n, 0n, s.framePointer);
  });
}

/** Writes a call. Throws NotSupportedError, by name, for kernel functions and for helpers that this kernel doesn't have. */
export function lowerCall(s: Scope, insn: Insn, at: number): void {
  if (insn.code !== (BPF_JMP | BPF_CALL)) throw new NotSupportedError(`instruction with opcode 0x${insn.code.toString(16).padStart(2, '0')}`);
  if (insn.src === BPF_PSEUDO_CALL) callFunction(s, insn, at);
  else if (insn.src === BPF_PSEUDO_KFUNC_CALL) throw new NotSupportedError(`call of kernel function (BTF id ${insn.imm})`);
  else if (insn.imm === BPF_FUNC_tail_call) tailCall(s, at);
  else callHelper(s, insn, at);
}
