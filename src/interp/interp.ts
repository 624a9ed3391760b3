// The reference interpreter: walks the instructions one by one and acts each out as its handler says.
// Invariant I6: nothing that a program or its caller can see differs from the JIT; where they disagree, this is the one that is easy to read.
// Source: RFC 9669; the calling convention of vm/executor.ts.

import type { VerifiedParts, VerifiedProgram } from '../insn/verified-program.ts';
import { defined } from '../util/assert.ts';
import { Fault } from '../util/errors.ts';
import { CPU, FRAME_BYTES, stackTop } from '../vm/cpu-area.ts';
import type { Executable, ExecEnv, Executor } from '../vm/executor.ts';
import { toAddr } from '../vm/memory.ts';
import { Frame, cpuArea } from './frame.ts';
import type { Op, PreparedProgram, Translate } from './frame.ts';
import { prepareOps } from './prepare.ts';
import { proved, withinRanges } from './translate.ts';

const LOW_32 = 0xffff_ffffn;

/** Takes `weight` from the CPU's cell, in two halves: a bigint a block would cost more than the block. */
function chargeFuel(frame: Frame, weight: number): void {
  const { env } = frame.prog;
  const { view } = env.memory;
  const cell = cpuArea(env) + CPU.fuel;
  const low = view.getUint32(cell, true) - weight;
  view.setInt32(cell, low | 0, true);
  if (low >= 0 && view.getInt32(cell + 4, true) >= 0) return;
  const high = view.getInt32(cell + 4, true) - (low < 0 ? 1 : 0);
  view.setInt32(cell + 4, high, true);
  if (high < 0) throw new Fault('fuel', `out of fuel at instruction ${frame.pc}`);
}

function step(frame: Frame): void {
  const op = frame.prog.ops[frame.pc] as Op;
  if (op.fuel !== 0) chargeFuel(frame, op.fuel);
  frame.pc++;
  op.handler(frame, op);
}

function enterFunction(prog: PreparedProgram, parts: VerifiedParts, index: number, args: readonly bigint[], framePointer: number): bigint {
  const frame = new Frame(prog, defined(parts.subprogs[index], `function ${index}`).start, framePointer);
  if (parts.readsUninitStack) prog.env.memory.bytes.fill(0, framePointer - FRAME_BYTES, framePointer);
  for (const [reg, value] of args.entries()) frame.regs[reg + 1] = value;
  frame.regs[10] = toAddr(framePointer);
  while (!frame.exited) step(frame);
  return frame.reg(0);
}

function prepareProgram(parts: VerifiedParts, env: ExecEnv, firstSlot: number, translate: Translate): PreparedProgram {
  const prog: PreparedProgram = {
    env,
    ops: prepareOps(parts, env, firstSlot),
    translate,
    enter: (index, args, framePointer) => enterFunction(prog, parts, index, args, framePointer),
    lowestFrame: parts.checked === undefined ? 0 : parts.checked.stack.start + FRAME_BYTES,
  };
  return prog;
}

function runOnce(prog: PreparedProgram, ctx: number, r2: number): number {
  const { memory } = prog.env;
  const area = cpuArea(prog.env);
  memory.view.setUint32(area + CPU.tailCalls, 0, true);
  const result = prog.enter(0, [toAddr(ctx), BigInt(r2)], stackTop(area));
  memory.view.setBigUint64(area + CPU.result, result, true);
  return Number(result & LOW_32);
}

/** Prepares a program with a rule for its memory accesses; the way to both the plain and the checking interpreter. */
export function prepareWith(verified: VerifiedProgram, env: ExecEnv, translate: Translate): Executable {
  const { parts } = verified;
  const slots = parts.subprogs.length;
  const firstSlot = env.table.allocate(slots);
  let prog: PreparedProgram;
  try {
    prog = prepareProgram(parts, env, firstSlot, parts.checked === undefined ? translate : withinRanges(parts.checked));
  } catch (error) {
    env.table.release(firstSlot, slots);
    throw error;
  }
  for (let index = 0; index < slots; index++) {
    env.table.set(firstSlot + index, (r1, r2, r3, r4, r5, framePointer) => prog.enter(index, [r1, r2, r3, r4, r5], framePointer));
  }
  return { entrySlot: firstSlot, run: (ctx, r2 = 0) => runOnce(prog, ctx, r2), dispose: () => env.table.release(firstSlot, slots) };
}

/** The reference interpreter. `prepare` throws NotSupportedError for arena casts, kernel functions and helpers that are missing. */
export const interp: Executor = { name: 'interp', prepare: (prog, env) => prepareWith(prog, env, proved) };
