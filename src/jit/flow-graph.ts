// The control-flow graph of one function: nodes are basic blocks (and dispatchers that make irreducible loops reducible), edges are typed by how they leave.
// Invariant: node 0 is the entry; only nodes reachable from it matter. An edge may set the dispatch variable before it goes (`select`).
// Source: N. Ramsey, "Beyond Relooper: recursive translation of unstructured control flow to structured control flow", ICFP 2022.

import type { BasicBlock } from '../insn/blocks.ts';
import { isBranch, isExit, isGoto, jumpTarget } from '../insn/fields.ts';
import type { Insn } from '../insn/insn.ts';
import { defined } from '../util/assert.ts';

/** A way to a node; `select` is the number that the dispatcher there goes by. */
export interface Edge { to: number; select?: number }

/** How control leaves a node. A branch's condition is computed by the instruction at `insn`. */
export type Exit =
  | { readonly kind: 'return' }
  | { readonly kind: 'goto'; readonly next: Edge }
  | { readonly kind: 'branch'; readonly insn: number; readonly taken: Edge; readonly next: Edge }
  | { readonly kind: 'dispatch'; readonly arms: readonly Edge[] };

/** A basic block's slots, or none for a dispatcher. `bodyEnd` leaves out the branch that ends the block. */
export interface FlowNode {
  readonly block: BasicBlock | undefined;
  readonly bodyEnd: number;
  readonly exit: Exit;
}

/** The edges that leave a node. */
export function edgesOf(exit: Exit): readonly Edge[] {
  if (exit.kind === 'return') return [];
  if (exit.kind === 'goto') return [exit.next];
  return exit.kind === 'branch' ? [exit.taken, exit.next] : exit.arms;
}

/** Index of the block's last instruction. */
function lastInsn(insns: readonly Insn[], block: BasicBlock): number {
  const last = block.end - 1;
  return isBranch(insns[last] as Insn) ? last : block.end;
}

function exitOf(insns: readonly Insn[], at: number, end: number, nodeAt: (slot: number) => number): Exit {
  const insn = insns[at] as Insn;
  if (at === end) return { kind: 'goto', next: { to: nodeAt(end) } };
  if (isExit(insn)) return { kind: 'return' };
  const target = nodeAt(defined(jumpTarget(insn, at), `target of the jump at ${at}`));
  if (isGoto(insn)) return { kind: 'goto', next: { to: target } };
  const next = nodeAt(end);
  return target === next ? { kind: 'goto', next: { to: next } } : { kind: 'branch', insn: at, taken: { to: target }, next: { to: next } };
}

/** The graph of the function whose basic blocks are given, in order of place; the first is the entry. */
export function flowGraph(insns: readonly Insn[], blocks: readonly BasicBlock[]): FlowNode[] {
  const index = new Map(blocks.map((block, node) => [block.start, node]));
  const nodeAt = (slot: number): number => defined(index.get(slot), `block at instruction ${slot}`);
  return blocks.map((block) => {
    const bodyEnd = lastInsn(insns, block);
    return { block, bodyEnd, exit: exitOf(insns, bodyEnd, block.end, nodeAt) };
  });
}
