// From a verified program to what the interpreter walks: each slot with its handler, its constant and its fuel.
// Invariant: everything that could be missing (an opcode, a helper, a kernel function) is found here, before the first run.
// Source: insn/verified-program.ts (the form of LDDW), insn/blocks.ts (fuel).

import { basicBlocks } from '../insn/blocks.ts';
import { isCall, isLddw } from '../insn/fields.ts';
import type { Insn } from '../insn/insn.ts';
import { fullImm } from '../insn/lddw.ts';
import type { VerifiedParts } from '../insn/verified-program.ts';
import { BPF_FUNC_tail_call, helperById } from '../spec/helpers.ts';
import {
  BPF_ALU64, BPF_MOV, BPF_PSEUDO_CALL, BPF_PSEUDO_FUNC, BPF_PSEUDO_MAP_FD, BPF_PSEUDO_MAP_VALUE, BPF_X, BPF_ADDR_SPACE_CAST,
} from '../spec/opcodes.ts';
import { defined } from '../util/assert.ts';
import { NotSupportedError } from '../util/errors.ts';
import { u64 } from '../util/u64.ts';
import type { ExecEnv } from '../vm/executor.ts';
import type { HelperImpl } from '../vm/host.ts';
import { toAddr } from '../vm/memory.ts';
import { ALU_HANDLERS } from './alu.ts';
import { ATOMIC_HANDLERS } from './atomic.ts';
import { CALL_HANDLERS, checkCallSupported } from './call.ts';
import type { Handler, Op } from './frame.ts';
import { JUMP_HANDLERS } from './jump.ts';
import { LOAD_STORE_HANDLERS } from './load-store.ts';
import { PACKET_LOAD_HANDLERS } from './packet-load.ts';

/** What acts out each opcode; the whole instruction set. */
export const HANDLERS: ReadonlyMap<number, Handler> = new Map([
  ...ALU_HANDLERS, ...JUMP_HANDLERS, ...LOAD_STORE_HANDLERS, ...ATOMIC_HANDLERS, ...CALL_HANDLERS, ...PACKET_LOAD_HANDLERS,
]);

const subprogAt = (parts: VerifiedParts, start: number): number => {
  const index = parts.subprogs.findIndex((subprog) => subprog.start === start);
  return defined(index < 0 ? undefined : index, `function at instruction ${start}`);
};

/** The value that a 64-bit immediate load gives: a constant, a map's or map value's address, or a callback's slot. */
function lddwValue(parts: VerifiedParts, env: ExecEnv, at: number, firstSlot: number): bigint {
  const insn = parts.insns[at] as Insn;
  const next = parts.insns[at + 1];
  if (insn.src === BPF_PSEUDO_FUNC) return BigInt(firstSlot + subprogAt(parts, at + 1 + insn.imm));
  if (insn.src === BPF_PSEUDO_MAP_FD) return toAddr(defined(env.maps[insn.imm], `map ${insn.imm}`).header);
  if (insn.src !== BPF_PSEUDO_MAP_VALUE) return fullImm(insn, next);
  const values = defined(defined(env.maps[insn.imm], `map ${insn.imm}`).valuesOffset, `values of map ${insn.imm}`);
  return u64(toAddr(values) + BigInt(next?.imm ?? 0));
}

function helperOf(insn: Insn, env: ExecEnv): HelperImpl | undefined {
  if (!isCall(insn) || insn.src === BPF_PSEUDO_CALL || insn.imm === BPF_FUNC_tail_call) return undefined;
  const helper = env.helpers.get(insn.imm);
  if (helper === undefined) throw new NotSupportedError(`helper ${helperById(insn.imm)?.name ?? insn.imm}`);
  return helper;
}

function handlerOf(insn: Insn): Handler {
  const handler = HANDLERS.get(insn.code);
  if (handler === undefined) throw new NotSupportedError(`instruction with opcode 0x${insn.code.toString(16).padStart(2, '0')}`);
  const isMove64 = insn.code === (BPF_ALU64 | BPF_MOV | BPF_X);
  if (isMove64 && insn.off === BPF_ADDR_SPACE_CAST) throw new NotSupportedError('addr_space_cast (arena maps)');
  return handler;
}

const secondHalf: Handler = (frame) => {
  throw new NotSupportedError(`a jump into the second half of a 64-bit load, at ${frame.pc - 1}`);
};

/** One `Op` per slot. `firstSlot` is the table slot of function 0. Throws NotSupportedError naming what can't be run. */
export function prepareOps(parts: VerifiedParts, env: ExecEnv, firstSlot: number): Op[] {
  const fuel = new Map(basicBlocks(parts.insns).map((block) => [block.start, block.weight]));
  return parts.insns.map((insn, at): Op => {
    const previous = parts.insns[at - 1];
    const inLddw = previous !== undefined && isLddw(previous) && insn.code === 0;
    if (!inLddw) checkCallSupported(insn);
    return {
      ...insn,
      handler: inLddw ? secondHalf : handlerOf(insn),
      imm64: isLddw(insn) ? lddwValue(parts, env, at, firstSlot) : BigInt(insn.imm),
      fact: parts.facts[at] ?? {},
      fuel: env.fuel ? (fuel.get(at) ?? 0) : 0,
      helper: inLddw ? undefined : helperOf(insn, env),
      callee: isCall(insn) && insn.src === BPF_PSEUDO_CALL ? subprogAt(parts, at + 1 + insn.imm) : -1,
    };
  });
}
