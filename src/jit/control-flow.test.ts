// Control flow: random graphs, reducible or not, walked by the compiled program and by a few lines of TypeScript; shapes that were hard elsewhere.

import { describe, expect, test } from 'vitest';
import { asVerified, miniKernel } from '../../tests/support/mini-kernel.ts';
import { basicBlocks } from '../insn/blocks.ts';
import type { Insn } from '../insn/insn.ts';
import { CPU } from '../vm/cpu-area.ts';
import { dominance } from './dominators.ts';
import { edgesOf, flowGraph } from './flow-graph.ts';
import { jit } from './jit.ts';
import { makeReducible } from './reducible.ts';

const insn = (code: number, dst = 0, src = 0, off = 0, imm = 0): Insn => ({ code, dst, src, off, imm });
const EXIT = insn(0x95);
const mov = (dst: number, imm: number): Insn => insn(0xb7, dst, 0, 0, imm);

/** mulberry32: small, seeded, good enough to draw graphs. */
function random(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % below;
  };
}

/** A node goes to `taken` when bit `bit` of the hash is set, else to `next`. */
interface Spot { readonly taken: number; readonly next: number; readonly bit: number }

function randomGraph(seed: number, size: number, reach: number): Spot[] {
  const draw = random(seed);
  const near = (from: number): number => Math.min(Math.max(from + draw(2 * reach + 1) - reach, 0), size - 1);
  return Array.from({ length: size }, (_, from) => ({ taken: near(from), next: draw(3) === 0 ? near(from) : Math.min(from + 1, size - 1), bit: draw(31) }));
}

const STEPS = 500;
const K = 0x01000193;

/** hash = (hash ^ node) * K + 1 at each node, for STEPS nodes. */
function walk(graph: readonly Spot[], start: bigint): bigint {
  let hash = start;
  let node = 0;
  for (let steps = 0; steps < STEPS; steps++) {
    hash = BigInt.asUintN(64, (hash ^ BigInt(node)) * BigInt(K) + 1n);
    const spot = graph[node] as Spot;
    node = ((hash >> BigInt(spot.bit)) & 1n) === 1n ? spot.taken : spot.next;
  }
  return hash;
}

/** r0 hash, r6 steps; every node has the same number of slots, so that jumps are easy to place. */
function program(graph: readonly Spot[]): Insn[] {
  const SLOTS = 8;
  const prologue = [insn(0xbf, 0, 1), mov(6, 0)];
  const place = (node: number): number => prologue.length + SLOTS * node;
  const body = graph.flatMap((spot, node) => {
    const at = place(node);
    return [
      insn(0xa7, 0, 0, 0, node), insn(0x27, 0, 0, 0, K), insn(0x07, 0, 0, 0, 1), insn(0x07, 6, 0, 0, 1),
      insn(0x55, 6, 0, 1, STEPS), EXIT,
      insn(0x45, 0, 0, place(spot.taken) - (at + 7), 2 ** spot.bit), insn(0x05, 0, 0, place(spot.next) - (at + 8)),
    ];
  });
  return [...prologue, ...body];
}

function runProgram(insns: readonly Insn[], ctx = 0, fuel?: bigint): bigint {
  const kernel = miniKernel(fuel === undefined ? {} : { fuel });
  jit.prepare(asVerified(insns, { readsUninitStack: false }), kernel.env).run(ctx);
  return kernel.memory.view.getBigUint64(kernel.area + CPU.result, true);
}

const isReducible = (insns: readonly Insn[]): boolean => dominance(flowGraph(insns, basicBlocks(insns))).reducible;

describe('random graphs', () => {
  test.each([[2, 2], [3, 3], [5, 5], [8, 4], [13, 13], [40, 6], [40, 40], [150, 9]])('%i nodes, jumps of up to %i', (size, reach) => {
    let irreducible = 0;
    for (let seed = 1; seed <= 60; seed++) {
      const graph = randomGraph(seed * 7919 + size, size, reach);
      const insns = program(graph);
      if (!isReducible(insns)) irreducible++;
      expect(runProgram(insns), `seed ${seed}`).toBe(walk(graph, 0n));
    }
    if (size >= 5) expect(irreducible).toBeGreaterThan(5);
  });

  test('fuel does not change what a program does', () => {
    for (let seed = 1; seed <= 40; seed++) {
      const graph = randomGraph(seed, 20, 10);
      expect(runProgram(program(graph), 0, 1_000_000n)).toBe(walk(graph, 0n));
    }
  });
});

const enteredInTheMiddle = (i: number): Insn[] => [insn(0x55, 1, 0, 1, 0), insn(0x07, 0, 0, 0, 1), insn(0x07, 0, 0, 0, 2), insn(0xa5, 0, 0, -3, 10 * i + 10)];

describe('making graphs reducible', () => {
  test('leaves the reachable graph reducible, and reducible graphs alone', () => {
    for (let seed = 1; seed <= 300; seed++) {
      const insns = program(randomGraph(seed, 12, 12));
      const nodes = flowGraph(insns, basicBlocks(insns));
      const before = dominance(nodes);
      if (before.reducible) continue;
      makeReducible(nodes, before.order);
      expect(dominance(nodes).reducible, `seed ${seed}`).toBe(true);
      for (const node of nodes) for (const edge of edgesOf(node.exit)) expect(edge.to).toBeLessThan(nodes.length);
    }
  });

  test('5,000 loops entered in the middle, one behind the other', () => {
    let expected = 0;
    for (let i = 0; i < 5000; i++) do expected += 3; while (expected < 10 * i + 10);
    expect(runProgram([mov(0, 0), ...Array.from({ length: 5000 }, (_, i) => enteredInTheMiddle(i)).flat(), EXIT])).toBe(BigInt(expected));
  });

  test('300 loops inside each other, each entered in the middle', () => {
    const depth = 300;
    // before a loop: if r1 goto its middle; the middle of the outer one holds the inner one; behind it: r0 += 1, back to the head a few times
    let body: Insn[] = [insn(0x07, 0, 0, 0, 1)];
    for (let level = 1; level <= depth; level++) {
      body = [insn(0x55, 1, 0, 1, 0), insn(0x07, 0, 0, 0, 1), ...body, insn(0x07, 0, 0, 0, 1), insn(0xa5, 0, 0, -(body.length + 3), 3 * level)];
    }
    expect(isReducible([mov(0, 0), ...body, EXIT])).toBe(false);
    let expected = 0;
    const round = (level: number): void => {
      if (level === 0) return void expected++;
      do {
        expected++;
        round(level - 1);
        expected++;
      } while (expected < 3 * level);
    };
    round(depth);
    expect(runProgram([mov(0, 0), ...body, EXIT])).toBe(BigInt(expected));
  });

  test('a loop entered in the middle gets one dispatcher', () => {
    // 0: if r1 goto 3; 2: r0 += 1; 3: r0 += 2; if r0 < 10 goto 2
    const insns = [mov(0, 0), insn(0x55, 1, 0, 1, 0), insn(0x07, 0, 0, 0, 1), insn(0x07, 0, 0, 0, 2), insn(0xa5, 0, 0, -3, 10), EXIT];
    expect(isReducible(insns)).toBe(false);
    const nodes = flowGraph(insns, basicBlocks(insns));
    makeReducible(nodes, dominance(nodes).order);
    expect(nodes.filter((node) => node.exit.kind === 'dispatch')).toHaveLength(1);
    expect(runProgram(insns)).toBe(12n);
  });
});

describe('shapes', () => {
  test('a straight line, an endless loop under may_goto, a jump to the next instruction', () => {
    expect(runProgram([mov(0, 4), EXIT])).toBe(4n);
    expect(runProgram([mov(0, 0), insn(0x07, 0, 0, 0, 1), insn(0xe5, 0, 0, 1), insn(0x05, 0, 0, -3), EXIT])).toBe(8_388_609n);
    expect(runProgram([mov(0, 4), insn(0x15, 0, 0, 0, 4), insn(0x05, 0, 0, 0), EXIT])).toBe(4n);
  });

  test('a loop whose head is the first instruction', () => {
    expect(runProgram([insn(0x07, 0, 0, 0, 1), insn(0xa5, 0, 0, -2, 9), EXIT])).toBe(9n);
  });

  test('gotol reaches further than 16 bits, forwards and backwards', () => {
    const far = 40_000;
    const fill = Array.from({ length: far }, () => insn(0x07, 0, 0, 0, 1));
    expect(runProgram([mov(0, 0), insn(0x06, 0, 0, 0, far), ...fill, EXIT])).toBe(0n);
    expect(runProgram([mov(0, 0), insn(0x06, 0, 0, 0, far + 1), ...fill, EXIT, insn(0x06, 0, 0, 0, -(far + 1))])).toBe(BigInt(far - 1));
  });

  test('unreachable code is left out', () => {
    expect(runProgram([mov(0, 1), insn(0x05, 0, 0, 2), mov(0, 2), EXIT, EXIT])).toBe(1n);
  });

  test('a chain of 30,000 diamonds: deep dominator trees need no deep JavaScript stack', () => {
    const count = 30_000;
    const insns: Insn[] = [mov(0, 0)];
    for (let i = 0; i < count; i++) insns.push(insn(0x15, 0, 0, 1, -1), insn(0x07, 0, 0, 0, 1));
    insns.push(EXIT);
    expect(runProgram(insns)).toBe(BigInt(count));
  });

  test('15,000 early exits to one label', () => {
    const count = 15_000;
    const insns: Insn[] = [mov(0, 0)];
    for (let i = 0; i < count; i++) insns.push(insn(0x15, 0, 0, 2 * (count - i) - 1, -1), insn(0x07, 0, 0, 0, 1));
    insns.push(EXIT);
    expect(runProgram(insns)).toBe(BigInt(count));
  });

  test('a ladder of nested ifs and of nested loops', () => {
    const depth = 1000;
    const ladder: Insn[] = [mov(0, 0)];
    for (let i = 0; i < depth; i++) ladder.push(insn(0x55, 1, 0, 2 * (depth - i) - 1, 0), insn(0x07, 0, 0, 0, 1));
    ladder.push(EXIT);
    expect(runProgram(ladder)).toBe(BigInt(depth));
    // for each of 12 levels: do { … } while (++r < 2), registers kept on the stack
    const loops: Insn[] = [mov(0, 0)];
    const levels = 12;
    for (let i = 0; i < levels; i++) loops.push(insn(0x7a, 10, 0, -8 * (i + 1), 0));
    const heads: number[] = [];
    for (let i = 0; i < levels; i++) {
      heads.push(loops.length);
      loops.push(insn(0x7a, 10, 0, -8 * (i + 2), 0));
    }
    loops.push(insn(0x07, 0, 0, 0, 1));
    for (let i = levels - 1; i >= 0; i--) {
      loops.push(insn(0x79, 2, 10, -8 * (i + 1)), insn(0x07, 2, 0, 0, 1), insn(0x7b, 10, 2, -8 * (i + 1)));
      loops.push(insn(0xa5, 2, 0, (heads[i] as number) - loops.length - 1, 2));
    }
    loops.push(EXIT);
    expect(runProgram(loops)).toBe(BigInt(2 ** levels));
  });
});
