// Makes a graph reducible: a loop that can be entered at several nodes gets a dispatcher as its one entry.
// Invariant: each edge to an entry of such a loop, from outside or inside, sets the dispatch variable and goes to the dispatcher; nothing else changes.
// The variable is read at once by the dispatcher that it was set for, so one variable serves all of them, nested ones too.
// Source: Ramsey 2022 (see flow-graph.ts) leaves irreducible graphs to a pass like this; loops are found by strongly connected components, outermost first.

import { edgesOf } from './flow-graph.ts';
import type { Edge, FlowNode } from './flow-graph.ts';

/** Strongly connected components of the nodes in `within` that have a cycle (Tarjan, without recursion). */
function loopsWithin(nodes: readonly FlowNode[], within: ReadonlySet<number>): number[][] {
  const index = new Map<number, number>();
  const low = new Map<number, number>();
  const open = new Set<number>();
  const path: number[] = [];
  const found: number[][] = [];
  const successors = (node: number): number[] => edgesOf((nodes[node] as FlowNode).exit).map((edge) => edge.to).filter((to) => within.has(to));
  const visit = (node: number): { node: number; rest: number[] } => {
    index.set(node, index.size);
    low.set(node, index.get(node) as number);
    open.add(node);
    path.push(node);
    return { node, rest: successors(node) };
  };
  const lower = (node: number, to: number): void => void low.set(node, Math.min(low.get(node) as number, to));
  for (const root of within) {
    if (index.has(root)) continue;
    const stack = [visit(root)];
    while (stack.length > 0) {
      const top = stack.at(-1) as { node: number; rest: number[] };
      const to = top.rest.pop();
      if (to !== undefined) {
        if (!index.has(to)) stack.push(visit(to));
        else if (open.has(to)) lower(top.node, index.get(to) as number);
        continue;
      }
      stack.pop();
      const above = stack.at(-1);
      if (above !== undefined) lower(above.node, low.get(top.node) as number);
      if (low.get(top.node) !== index.get(top.node)) continue;
      const component = path.splice(path.lastIndexOf(top.node));
      for (const node of component) open.delete(node);
      if (component.length > 1 || successors(top.node).includes(top.node)) found.push(component);
    }
  }
  return found;
}

/** An edge with the node that it leaves; lists of them by the node that they reach are kept up to date as edges move. */
interface Incoming { readonly from: number; readonly edge: Edge }

function incomingOf(nodes: readonly FlowNode[], reachable: readonly number[]): Incoming[][] {
  const incoming = nodes.map((): Incoming[] => []);
  for (const from of reachable) for (const edge of edgesOf((nodes[from] as FlowNode).exit)) incoming[edge.to]?.push({ from, edge });
  return incoming;
}

/** Nodes of the loop that an edge from outside reaches. */
function entriesOf(incoming: readonly (readonly Incoming[])[], loop: ReadonlySet<number>): number[] {
  return [...loop].filter((node) => (incoming[node] as readonly Incoming[]).some(({ from }) => !loop.has(from)));
}

/** Sends every edge to one of `entries` through a new dispatcher. */
function addDispatcher(nodes: FlowNode[], incoming: Incoming[][], entries: readonly number[]): void {
  const dispatcher = nodes.length;
  const arms: Edge[] = entries.map((to) => ({ to }));
  const moved: Incoming[] = [];
  for (const [select, entry] of entries.entries()) {
    for (const into of incoming[entry] as readonly Incoming[]) {
      into.edge.to = dispatcher;
      into.edge.select = select;
      moved.push(into);
    }
    incoming[entry] = [{ from: dispatcher, edge: arms[select] as Edge }];
  }
  incoming.push(moved);
  nodes.push({ block: undefined, bodyEnd: 0, exit: { kind: 'dispatch', arms } });
}

/** Moves the entry's content to a new node, so that node 0 is in no loop and every loop is entered by an edge. */
function addEmptyEntry(nodes: FlowNode[]): number {
  const moved = nodes.push(nodes[0] as FlowNode) - 1;
  for (const node of nodes) for (const edge of edgesOf(node.exit)) if (edge.to === 0) edge.to = moved;
  nodes[0] = { block: undefined, bodyEnd: 0, exit: { kind: 'goto', next: { to: moved } } };
  return moved;
}

/** Adds dispatchers to `nodes` until every loop has one entry. `reachable` lists the nodes that can be reached from node 0. */
export function makeReducible(nodes: FlowNode[], reachable: readonly number[]): void {
  const live = [...reachable, addEmptyEntry(nodes)];
  const incoming = incomingOf(nodes, live);
  const regions: number[][] = [live];
  for (let region = regions.pop(); region !== undefined; region = regions.pop()) {
    for (const loop of loopsWithin(nodes, new Set(region))) {
      const entries = entriesOf(incoming, new Set(loop));
      const [only] = entries;
      if (entries.length > 1) addDispatcher(nodes, incoming, entries);
      regions.push(entries.length > 1 ? loop : loop.filter((node) => node !== only));
    }
  }
}
