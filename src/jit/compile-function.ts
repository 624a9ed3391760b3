// One BPF function becomes one wasm function: entry, structured control flow, fuel, instructions.
// Invariant: fuel is charged on entry to each basic block, as insn/blocks.ts weighs it and the interpreter does.
// Source: design.md section 4 (zeroed stack, fuel), vm/executor.ts (calling convention).

import type { BasicBlock } from '../insn/blocks.ts';
import { isCall, isLddw } from '../insn/fields.ts';
import { BPF_REG_0 } from '../spec/opcodes.ts';
import { defined } from '../util/assert.ts';
import { NotSupportedError } from '../util/errors.ts';
import { CPU, FRAME_BYTES } from '../vm/cpu-area.ts';
import { i32, i64, v128 } from '../wasm/expr.ts';
import { dominance } from './dominators.ts';
import { FAULT } from './fault.ts';
import { flowGraph } from './flow-graph.ts';
import type { FlowNode } from './flow-graph.ts';
import { lowerInsn } from './lower-insn.ts';
import { initMayGoto, isMayGoto, pushCondition } from './lower-jump.ts';
import { makeReducible } from './reducible.ts';
import { Scope } from './scope.ts';
import type { Unit } from './scope.ts';
import { writeStructured } from './structure.ts';

/** The largest function that engines take (wasm JavaScript API, implementation limits). */
const MAX_FUNCTION_BYTES = 7_654_321;
const ZEROS = v128.const(new Uint8Array(16));

/** Stack bytes that the program may read before it writes them are zero in every executor. */
function zeroFrame(s: Scope): void {
  const { stackDepthBytes } = s.subprog;
  const first = FRAME_BYTES - Math.min(Math.ceil(stackDepthBytes / 16) * 16, FRAME_BYTES);
  for (let offset = first; offset < FRAME_BYTES; offset += 16) s.f.store('v128.store', s.frameStart(), ZEROS, { offset });
}

function writeEntry(s: Scope): void {
  const { parts, env, cpu } = s.unit;
  const insns = parts.insns.slice(s.subprog.start, s.subprog.end);
  s.f.set(s.frameStart(), i32.sub(s.framePointer, FRAME_BYTES));
  if (env.fuel || insns.some(isCall)) s.f.set(s.cpu(), cpu);
  if (insns.some(isMayGoto)) initMayGoto(s);
  if (parts.readsUninitStack) zeroFrame(s);
}

function chargeFuel(s: Scope, block: BasicBlock): void {
  const left = s.scratch('i64', 'fuel');
  const cell = { offset: CPU.fuel };
  s.f.store64(s.cpu(), left.tee(i64.sub(i64.load(s.cpu(), cell), BigInt(block.weight))), cell);
  i64.lt_s(left, 0n).emit(s.code);
  s.faultIf(FAULT.fuel, block.start);
}

function writeBody(s: Scope, node: FlowNode): void {
  const { block, bodyEnd, exit } = node;
  if (block === undefined) return;
  if (s.unit.env.fuel) chargeFuel(s, block);
  for (let at = block.start; at < bodyEnd; at++) {
    const insn = s.insn(at);
    lowerInsn(s, insn, at);
    if (isLddw(insn)) at++;
  }
  if (exit.kind === 'return') s.f.return(s.reg(BPF_REG_0));
}

/** Writes the body of subprogram `index`. Throws NotSupportedError for what can't be compiled, also for functions beyond the engine's limit. */
export function compileFunction(unit: Unit, index: number): void {
  const subprog = defined(unit.parts.subprogs[index], `function ${index}`);
  const s = new Scope(unit, subprog, defined(unit.functions[index], `function ${index}`));
  const nodes = flowGraph(unit.parts.insns, unit.blocks.filter(({ start }) => start >= subprog.start && start < subprog.end));
  let dom = dominance(nodes);
  if (!dom.reducible) {
    makeReducible(nodes, dom.order);
    dom = dominance(nodes);
  }
  writeEntry(s);
  writeStructured(nodes, dom, {
    f: s.f as never,
    body: (node) => writeBody(s, node),
    condition: (at) => pushCondition(s, s.insn(at)),
    selector: () => s.scratch('i32', 'select'),
  });
  if (s.code.length > MAX_FUNCTION_BYTES - 100) {
    throw new NotSupportedError(`programs whose WebAssembly is larger than ${MAX_FUNCTION_BYTES} bytes a function ('${subprog.name}' has ${s.code.length})`);
  }
}
