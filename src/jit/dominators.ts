// Reverse postorder and the dominator tree of a flow graph.
// Invariant: numbers are of nodes reachable from node 0; unreachable ones have order -1.
// Source: K. Cooper, T. Harvey, K. Kennedy, "A Simple, Fast Dominance Algorithm", 2001.

import { edgesOf } from './flow-graph.ts';
import type { FlowNode } from './flow-graph.ts';

/** What structuring needs to know of a graph. Arrays are indexed by node. */
export interface Dominance {
  /** Nodes in reverse postorder. */
  readonly order: readonly number[];
  /** Place of each node in `order`, -1 when unreachable. */
  readonly place: Int32Array;
  /** Immediate dominator; the entry's is itself. */
  readonly parent: Int32Array;
  /** Forward edges that reach the node. */
  readonly forwardEdges: Int32Array;
  /** 1 where a back edge ends. */
  readonly isLoopHeader: Uint8Array;
  /** Nodes that this one immediately dominates, in reverse postorder. */
  readonly children: readonly (readonly number[])[];
  /** True when no back edge goes to a node that doesn't dominate its source. */
  readonly reducible: boolean;
}

function postorder(nodes: readonly FlowNode[]): number[] {
  const successors = nodes.map((node) => edgesOf(node.exit).map((edge) => edge.to));
  const seen = new Uint8Array(nodes.length);
  const next = new Int32Array(nodes.length);
  const stack = [0];
  const order: number[] = [];
  seen[0] = 1;
  while (stack.length > 0) {
    const node = stack.at(-1) as number;
    const to = successors[node]?.[next[node] as number];
    next[node] = (next[node] as number) + 1;
    if (to === undefined) order.push(stack.pop() as number);
    else if (seen[to] === 0) {
      seen[to] = 1;
      stack.push(to);
    }
  }
  return order;
}

function predecessorsOf(nodes: readonly FlowNode[], order: readonly number[]): number[][] {
  const predecessors = nodes.map((): number[] => []);
  for (const node of order) for (const { to } of edgesOf((nodes[node] as FlowNode).exit)) predecessors[to]?.push(node);
  return predecessors;
}

function immediateDominators(order: readonly number[], place: Int32Array, predecessors: readonly (readonly number[])[]): Int32Array {
  const parent = new Int32Array(place.length).fill(-1);
  parent[0] = 0;
  const meet = (a: number, b: number): number => {
    let [x, y] = [a, b];
    while (x !== y) {
      if ((place[x] as number) > (place[y] as number)) x = parent[x] as number;
      else y = parent[y] as number;
    }
    return x;
  };
  for (let changed = true; changed;) {
    changed = false;
    for (const node of order) {
      if (node === 0) continue;
      let best = -1;
      for (const from of predecessors[node] as readonly number[]) {
        if (parent[from] !== -1) best = best === -1 ? from : meet(best, from);
      }
      if (parent[node] !== best) changed = true;
      parent[node] = best;
    }
  }
  return parent;
}

function childrenOf(order: readonly number[], parent: Int32Array): number[][] {
  const children = Array.from(parent, (): number[] => []);
  for (const node of order) if (node !== 0) children[parent[node] as number]?.push(node);
  return children;
}

/** First and last visit of each node in a walk of the dominator tree, so that dominance is an interval test. */
function visits(children: readonly (readonly number[])[]): { readonly enter: Int32Array; readonly leave: Int32Array } {
  const enter = new Int32Array(children.length);
  const leave = new Int32Array(children.length);
  const stack = [0];
  let clock = 0;
  while (stack.length > 0) {
    const node = stack.pop() as number;
    if (node < 0) {
      leave[~node] = clock++;
      continue;
    }
    enter[node] = clock++;
    stack.push(~node, ...(children[node] as readonly number[]));
  }
  return { enter, leave };
}

/** Orders a graph and finds its dominators, loops and merges. */
export function dominance(nodes: readonly FlowNode[]): Dominance {
  const order = postorder(nodes).toReversed();
  const place = new Int32Array(nodes.length).fill(-1);
  for (const [at, node] of order.entries()) place[node] = at;
  const predecessors = predecessorsOf(nodes, order);
  const parent = immediateDominators(order, place, predecessors);
  const children = childrenOf(order, parent);
  const { enter, leave } = visits(children);
  const dominates = (a: number, b: number): boolean => (enter[a] as number) <= (enter[b] as number) && (leave[b] as number) <= (leave[a] as number);
  const forwardEdges = new Int32Array(nodes.length);
  const isLoopHeader = new Uint8Array(nodes.length);
  let reducible = true;
  for (const to of order) {
    for (const from of predecessors[to] as readonly number[]) {
      if ((place[from] as number) < (place[to] as number)) forwardEdges[to] = (forwardEdges[to] as number) + 1;
      else {
        isLoopHeader[to] = 1;
        if (!dominates(to, from)) reducible = false;
      }
    }
  }
  return { order, place, parent, forwardEdges, isLoopHeader, children, reducible };
}
