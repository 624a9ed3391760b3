// Calls: helpers, functions of the program, tail calls.
// Invariant: r6 … r9 belong to the caller (each activation has registers of its own); a tail call keeps the frame, counts only when its
// element holds a program, and stops at 33.
// Source: RFC 9669 section 4.3.1; vm/executor.ts and vm/host.ts (crossing kinds); arch/x86/net/bpf_jit_comp.c for the order of a tail call's checks.

import { BPF_FUNC_tail_call } from '../spec/helpers.ts';
import { MAX_TAIL_CALL_CNT } from '../spec/limits.ts';
import { BPF_CALL, BPF_JMP, BPF_PSEUDO_CALL, BPF_PSEUDO_KFUNC_CALL } from '../spec/opcodes.ts';
import { defined } from '../util/assert.ts';
import { Fault, NotSupportedError } from '../util/errors.ts';
import { CPU, FRAME_BYTES } from '../vm/cpu-area.ts';
import type { CrossingKind, HelperHost, HelperImpl, ResultKind } from '../vm/host.ts';
import { MAP_HEADER } from '../vm/map-header.ts';
import { toAddr, toOffset } from '../vm/memory.ts';
import { cpuArea } from './frame.ts';
import type { Frame, Handler, Op } from './frame.ts';

type Crossed = number | bigint;

const ARGUMENT: Readonly<Record<CrossingKind, (value: bigint) => Crossed>> = {
  ptr: toOffset,
  u32: toOffset,
  s32: (value) => Number(BigInt.asIntN(32, value)),
  u64: (value) => value,
};

const RESULT: Readonly<Record<ResultKind, (value: Crossed) => bigint>> = {
  ptr: (value) => toAddr(Number(value)),
  u32: (value) => BigInt(Number(value) >>> 0),
  s32: (value) => BigInt(Number(value) | 0),
  u64: BigInt,
  void: () => 0n,
};

function callHelper(frame: Frame, helper: HelperImpl): void {
  const { env } = frame.prog;
  if (helper.callsBack === true) env.memory.view.setUint32(cpuArea(env) + CPU.framePointer, frame.framePointer, true);
  const args = helper.args.map((kind, index) => ARGUMENT[kind](frame.reg(index + 1)));
  const call = helper.call as (host: HelperHost, ...args: Crossed[]) => Crossed | void;
  frame.regs[0] = RESULT[helper.result](call(env.host, ...args) ?? 0);
}

function callFunction(frame: Frame, callee: number): void {
  const { prog } = frame;
  const framePointer = frame.framePointer - FRAME_BYTES;
  if (framePointer < prog.lowestFrame) throw new Fault('call', `more calls inside calls than the stack has frames, at instruction ${frame.pc - 1}`);
  frame.regs[0] = prog.enter(callee, [1, 2, 3, 4, 5].map((reg) => frame.reg(reg)), framePointer);
}

/** The slot that element `index` of a PROG_ARRAY holds, 0 for none. */
function programSlot(view: DataView, header: number, index: number): number {
  if (index >= view.getUint32(header + MAP_HEADER.maxEntries, true)) return 0;
  return view.getUint32(view.getUint32(header + MAP_HEADER.data, true) + 4 * index, true);
}

/** bpf_tail_call(ctx, map, index): the other program's result becomes this function's; on any failure the program goes on. */
function tailCall(frame: Frame): void {
  const { env } = frame.prog;
  const { view } = env.memory;
  const counter = cpuArea(env) + CPU.tailCalls;
  const made = view.getUint32(counter, true);
  const slot = programSlot(view, toOffset(frame.reg(2)), toOffset(frame.reg(3)));
  const target = slot === 0 || made >= MAX_TAIL_CALL_CNT ? undefined : env.table.get(slot);
  if (target === undefined) return;
  view.setUint32(counter, made + 1, true);
  frame.exit(target(frame.reg(1), 0n, 0n, 0n, 0n, frame.framePointer));
}

const call: Handler = (frame, op) => {
  if (op.src === BPF_PSEUDO_CALL) callFunction(frame, op.callee);
  else if (op.imm === BPF_FUNC_tail_call) tailCall(frame);
  else callHelper(frame, defined(op.helper, 'the helper of a call'));
};

/** Refuses kernel functions, which no executor runs yet. Throws NotSupportedError. */
export function checkCallSupported(op: Pick<Op, 'code' | 'src' | 'imm'>): void {
  if (op.code !== (BPF_JMP | BPF_CALL) || op.src !== BPF_PSEUDO_KFUNC_CALL) return;
  throw new NotSupportedError(`call of kernel function (BTF id ${op.imm})`);
}

/** The handler of calls, by opcode. */
export const CALL_HANDLERS: readonly (readonly [number, Handler])[] = [[BPF_JMP | BPF_CALL, call]];
