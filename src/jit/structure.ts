// Writes a flow graph as WebAssembly's nested blocks and loops, by a walk of the dominator tree.
// Invariant: the code of a node always ends in a branch, a return or the code of the nodes that follow it, so nothing falls through a block's end.
// A node with several forward edges into it gets a block that ends where its code begins; the others are placed where their one edge leaves.
// No recursion: work that is left waits on a stack, since programs can be a million instructions deep.
// Source: N. Ramsey, "Beyond Relooper", ICFP 2022, section 3.

import { unreachable } from '../util/assert.ts';
import type { FunctionBuilder, Label, Local } from '../wasm/function-builder.ts';
import { OP, PLAIN_OPS } from '../wasm/opcodes.ts';
import type { Dominance } from './dominators.ts';
import type { Edge, FlowNode } from './flow-graph.ts';

/** What writes the instructions themselves. */
export interface NodeWriter {
  readonly f: FunctionBuilder;
  /** The node's instructions but for the branch at its end; for a return, all of them. */
  body(node: FlowNode): void;
  /** Leaves the condition of the branch instruction at a slot on the stack (i32). */
  condition(insn: number): void;
  /** The dispatch variable; only asked for where there are dispatchers. */
  selector(): Local<'i32'>;
}

/** Writes the whole function. The graph must be reducible. */
export function writeStructured(nodes: readonly FlowNode[], dom: Dominance, writer: NodeWriter): void {
  new Structurer(nodes, dom, writer).run();
}

class Structurer {
  readonly #nodes: readonly FlowNode[];
  readonly #dom: Dominance;
  readonly #writer: NodeWriter;
  readonly #f: FunctionBuilder;
  /** Where to branch to reach a merge node (its block's end), or to go round a loop again. */
  readonly #mergeLabel: (Label | undefined)[] = [];
  readonly #loopLabel: (Label | undefined)[] = [];
  readonly #work: (() => void)[] = [];

  constructor(nodes: readonly FlowNode[], dom: Dominance, writer: NodeWriter) {
    this.#nodes = nodes;
    this.#dom = dom;
    this.#writer = writer;
    this.#f = writer.f;
  }

  run(): void {
    this.#writeTree(0);
    for (let task = this.#work.pop(); task !== undefined; task = this.#work.pop()) task();
    this.#f.unreachable();
  }

  #isMerge(node: number): boolean {
    return (this.#dom.forwardEdges[node] as number) > 1;
  }

  /** Writes a node and everything that it dominates. Tasks run last in, first out. */
  #writeTree(node: number): void {
    const merges = (this.#dom.children[node] as readonly number[]).filter((child) => this.#isMerge(child));
    if (this.#dom.isLoopHeader[node] === 1) {
      this.#loopLabel[node] = this.#f.open(OP.loop);
      this.#work.push(() => this.#f.close());
    }
    for (const merge of merges.toReversed()) {
      this.#mergeLabel[merge] = this.#f.open(OP.block);
      this.#work.push(() => {
        this.#f.close();
        this.#writeTree(merge);
      });
    }
    this.#writer.body(this.#nodes[node] as FlowNode);
    this.#writeExit(node);
  }

  #writeExit(node: number): void {
    const { exit } = this.#nodes[node] as FlowNode;
    if (exit.kind === 'return') return;
    if (exit.kind === 'goto') this.#follow(node, exit.next);
    else if (exit.kind === 'branch') this.#writeBranch(node, exit.insn, exit.taken, exit.next);
    else if (exit.kind === 'dispatch') this.#writeDispatch(node, exit.arms);
    else unreachable(exit);
  }

  /** The label that an edge branches to, or undefined when the target's code is to be written here. */
  #labelOf(from: number, edge: Edge): Label | undefined {
    const isBack = (this.#dom.place[edge.to] as number) <= (this.#dom.place[from] as number);
    return isBack ? this.#loopLabel[edge.to] : this.#isMerge(edge.to) ? this.#mergeLabel[edge.to] : undefined;
  }

  /** Goes along an edge; code that is placed here is written by the next task. */
  #follow(from: number, edge: Edge): void {
    if (edge.select !== undefined) this.#f.set(this.#writer.selector(), edge.select);
    const label = this.#labelOf(from, edge);
    if (label === undefined) this.#work.push(() => this.#writeTree(edge.to));
    else this.#f.br(label);
  }

  #writeBranch(from: number, insn: number, taken: Edge, next: Edge): void {
    this.#writer.condition(insn);
    const takenLabel = taken.select === undefined ? this.#labelOf(from, taken) : undefined;
    const nextLabel = next.select === undefined ? this.#labelOf(from, next) : undefined;
    if (takenLabel !== undefined) {
      this.#f.brIfTrue(takenLabel);
      this.#follow(from, next);
    } else if (nextLabel !== undefined) {
      this.#f.code.op(PLAIN_OPS['i32.eqz'].code);
      this.#f.brIfTrue(nextLabel);
      this.#follow(from, taken);
    } else {
      this.#f.open(OP.if);
      this.#work.push(() => {
        this.#f.close();
        this.#follow(from, next);
      });
      this.#follow(from, taken);
    }
  }

  /** One block per arm, the first innermost; the last takes what is left. */
  #writeDispatch(from: number, arms: readonly Edge[]): void {
    const labels = arms.map(() => this.#f.open(OP.block)).toReversed();
    for (const arm of arms.toReversed()) {
      this.#work.push(() => {
        this.#f.close();
        this.#follow(from, arm);
      });
    }
    this.#f.brTable(this.#writer.selector(), labels.slice(0, -1), labels.at(-1) as Label);
  }
}
