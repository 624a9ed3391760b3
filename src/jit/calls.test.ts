// What leaves a compiled function: helpers, map operations, tail calls, callbacks, packet loads, faults.

import { describe, expect, test } from 'vitest';
import { asVerified, miniKernel } from '../../tests/support/mini-kernel.ts';
import type { MiniKernel } from '../../tests/support/mini-kernel.ts';
import { mapDeleteElem, mapLookupElem, mapUpdateElem } from '../helpers/map.ts';
import { ktimeGetNs } from '../helpers/time.ts';
import { getCurrentPidTgid, getSmpProcessorId } from '../helpers/task.ts';
import type { Insn } from '../insn/insn.ts';
import { ldImm64, lddwInsns } from '../insn/lddw.ts';
import type { InsnFact, VerifiedParts } from '../insn/verified-program.ts';
import { createMap } from '../maps/create.ts';
import { SK_BUFF } from '../spec/context.ts';
import { BPF_MAP_TYPE_ARRAY, BPF_MAP_TYPE_HASH, BPF_MAP_TYPE_PERCPU_ARRAY, BPF_MAP_TYPE_PROG_ARRAY } from '../spec/map-types.ts';
import { Fault, NotSupportedError } from '../util/errors.ts';
import { CPU, stackTop } from '../vm/cpu-area.ts';
import type { MapRuntime } from '../vm/executor.ts';
import type { HelperImpl } from '../vm/host.ts';
import { MAP_HEADER } from '../vm/map-header.ts';
import { KERNEL_BASE, toAddr } from '../vm/memory.ts';
import { jit } from './jit.ts';

const insn = (code: number, dst = 0, src = 0, off = 0, imm = 0): Insn => ({ code, dst, src, off, imm });
const EXIT = insn(0x95);
const mov = (dst: number, imm: number): Insn => insn(0xb7, dst, 0, 0, imm);
const helper = (id: number): Insn => insn(0x85, 0, 0, 0, id);
const M1 = 0xffff_ffff_ffff_ffffn;

function runIn(kernel: MiniKernel, insns: readonly Insn[], ctx = 0, parts: Partial<VerifiedParts> = {}): bigint {
  jit.prepare(asVerified(insns, parts), kernel.env).run(ctx);
  return kernel.memory.view.getBigUint64(kernel.area + CPU.result, true);
}

/** The same fact for every instruction. */
const factsFor = (insns: readonly Insn[], fact: InsnFact): { facts: InsnFact[] } => ({ facts: insns.map(() => fact) });

const recorder = (id: number, arity: number, seen: unknown[]): [number, HelperImpl] => {
  const args = (['ptr', 'u32', 's32', 'u64', 'u64'] as const).slice(0, arity);
  return [id, { name: `h${id}`, args, result: 'u32', call: ((_host: unknown, ...given: unknown[]) => seen.push(given)) as never }];
};

describe('helpers', () => {
  test('each number of arguments, unsigned where the kind says so', () => {
    const seen: unknown[] = [];
    const kernel = miniKernel({ helpers: [0, 1, 2, 3, 4, 5].map((arity) => recorder(900 + arity, arity, seen)) });
    const load = [...ldImm64(1, toAddr(0xf000_0000)), ...ldImm64(2, M1), ...ldImm64(3, 0xffff_fffen), ...ldImm64(4, M1), ...ldImm64(5, 1n << 63n)];
    for (let arity = 0; arity <= 5; arity++) runIn(kernel, [...load, helper(900 + arity), EXIT]);
    const all = [0xf000_0000, 0xffff_ffff, -2, M1, 1n << 63n];
    expect(seen).toEqual([0, 1, 2, 3, 4, 5].map((arity) => all.slice(0, arity)));
  });

  test('cells of the CPU area are read in place, by the same value as the helper gives', () => {
    const kernel = miniKernel({ helpers: [[5, ktimeGetNs], [8, getSmpProcessorId], [14, getCurrentPidTgid]] });
    const { view } = kernel.memory;
    view.setBigUint64(kernel.area + CPU.ktimeNs, 0x8000_0000_0000_0001n, true);
    view.setUint32(kernel.area + CPU.id, 0xffff_fffe, true);
    view.setBigUint64(kernel.area + CPU.pidTgid, (7n << 32n) | 9n, true);
    expect(runIn(kernel, [helper(5), EXIT])).toBe(0x8000_0000_0000_0001n);
    expect(runIn(kernel, [helper(8), EXIT])).toBe(0xffff_fffen);
    expect(runIn(kernel, [helper(14), EXIT])).toBe((7n << 32n) | 9n);
  });

  test('an exception of a helper comes through as it is, and the executable still runs', () => {
    let fail = true;
    const moody: HelperImpl = { name: 'moody', args: [], result: 'u32', call: () => {
      if (fail) throw new Fault('call', 'moody');
      return 3;
    } };
    const program = jit.prepare(asVerified([helper(900), EXIT]), miniKernel({ helpers: [[900, moody]] }).env);
    expect(() => program.run(0)).toThrow(new Fault('call', 'moody'));
    fail = false;
    expect(program.run(0)).toBe(3);
  });

  test('names what it cannot call, and gives the slots back', () => {
    const kernel = miniKernel();
    const prepare = (op: Insn) => () => jit.prepare(asVerified([op, EXIT]), kernel.env);
    expect(prepare(helper(1))).toThrow('not supported yet: helper bpf_map_lookup_elem');
    expect(prepare(insn(0x85, 0, 2, 0, 77))).toThrow('not supported yet: call of kernel function (BTF id 77)');
    expect(prepare(insn(0xbf, 1, 1, 1, 1))).toThrow('addr_space_cast');
    expect(prepare(insn(0xdb, 10, 1, -8, 0x70))).toThrow(NotSupportedError);
    expect(prepare(insn(0x8d))).toThrow(NotSupportedError);
    const first = kernel.env.table.allocate(1);
    expect(kernel.env.table.get(first)).toBeUndefined();
  });
});

describe('functions of the program', () => {
  test('arguments, r6 … r9, frames of their own, recursion-free nesting of eight', () => {
    const kernel = miniKernel();
    const level = (deeper: boolean): Insn[] => [
      insn(0x7b, 10, 1, -8), insn(0xbf, 6, 1), insn(0x07, 1, 0, 0, 1),
      ...(deeper ? [insn(0x85, 0, 1, 0, 4)] : [insn(0xbf, 0, 1)]),
      insn(0x79, 2, 10, -8), insn(0x0f, 0, 2), insn(0x0f, 0, 6), EXIT,
    ];
    const program = [...Array.from({ length: 7 }, () => level(true)).flat(), ...level(false)];
    expect(runIn(kernel, [mov(1, 1), insn(0x85, 0, 1, 0, 1), EXIT, ...program.slice(8)])).toBe(2n * (1n + 2n + 3n + 4n + 5n + 6n + 7n) + 8n);
  });

  test('callbacks run in a frame below the caller', () => {
    const twice: HelperImpl = {
      name: 'twice', args: ['ptr'], result: 'u64', callsBack: true,
      call: ((host: MiniKernel['host'], slot: number) => host.callBack(slot, 1n, 0n, 0n, 0n, 0n) + host.callBack(slot, M1, 0n, 0n, 0n, 0n)) as never,
    };
    const kernel = miniKernel({ helpers: [[900, twice]] });
    expect(runIn(kernel, [
      insn(0x7a, 10, 0, -8, 77), ...lddwInsns(1, 4, 5, 0), helper(900), insn(0x79, 1, 10, -8), insn(0x0f, 0, 1), EXIT,
      insn(0x7b, 10, 1, -8), insn(0xbf, 0, 1), EXIT,
    ])).toBe(77n);
    expect(kernel.memory.view.getUint32(kernel.area + CPU.framePointer, true)).toBe(stackTop(kernel.area));
  });
});

/** [r10-4] = key; r0 = the value's first word, or -1 when there is none. */
const look = (key: number): Insn[] => [
  insn(0x62, 10, 0, -4, key), ...lddwInsns(1, 1, 0, 0), insn(0xbf, 2, 10), insn(0x07, 2, 0, 0, -4), helper(1),
  insn(0x55, 0, 0, 2, 0), mov(0, -1), EXIT, insn(0x61, 0, 0, 0), EXIT,
];

/** map[key] = value, 0, 0 with flags; r0 = result. */
const update = (key: number, value: number, flags: bigint): Insn[] => [
  insn(0x62, 10, 0, -4, key), insn(0x7a, 10, 0, -24, value), insn(0x7a, 10, 0, -16, 0), ...lddwInsns(1, 1, 0, 0), insn(0xbf, 2, 10),
  insn(0x07, 2, 0, 0, -4), insn(0xbf, 3, 10), insn(0x07, 3, 0, 0, -24), ...ldImm64(4, flags), helper(2), EXIT,
];

const remove = (key: number): Insn[] => [
  insn(0x62, 10, 0, -4, key), ...lddwInsns(1, 1, 0, 0), insn(0xbf, 2, 10), insn(0x07, 2, 0, 0, -4), helper(3), EXIT,
];

describe.each([false, true])('maps, shared: %s', (shared) => {
  function withMap(mapType: number, maxEntries: number): { kernel: MiniKernel; key: number; value: number } {
    const kernel = miniKernel({ shared, helpers: [[1, mapLookupElem], [2, mapUpdateElem], [3, mapDeleteElem]] });
    const env = {
      memory: kernel.memory, cpu: kernel.env.cpu, table: kernel.env.table, possibleCpus: 1, graceCell: kernel.memory.alloc(8), deferFree: () => {},
      newMapId: () => 1, mapFromFd: () => undefined, progFromFd: () => undefined, perfEventFromFd: () => 0, xskFromFd: () => 0, deviceExists: () => false,
    };
    const attr = { map_type: mapType, key_size: 4, value_size: 12, max_entries: maxEntries, map_flags: 0, map_name: 'm', map_extra: 0n };
    const map = createMap(attr as never, env as never);
    kernel.maps.push(map.runtime);
    return { kernel, key: kernel.memory.alloc(8), value: kernel.memory.alloc(16) };
  }

  test.each([
    ['array', BPF_MAP_TYPE_ARRAY], ['per-CPU array', BPF_MAP_TYPE_PERCPU_ARRAY], ['hash', BPF_MAP_TYPE_HASH],
  ])('%s: known (direct call or inline) and unknown (through the header)', (_name, mapType) => {
    for (const fact of [{ mapIndex: 0 }, {}]) {
      const { kernel } = withMap(mapType, 4);
      const go = (insns: readonly Insn[]): bigint => runIn(kernel, insns, 0, factsFor(insns, fact));
      const empty = mapType === BPF_MAP_TYPE_HASH ? M1 : 0n;
      expect(go(look(2))).toBe(empty);
      expect(go(update(2, 55, 0n))).toBe(0n);
      expect(go(look(2))).toBe(55n);
      expect(go(look(3))).toBe(empty);
      expect(go(look(4))).toBe(M1);
      expect(go(update(2, 56, 1n))).toBe(BigInt.asUintN(64, -17n));
      for (const flags of [8n, 1n << 31n, 1n << 32n, M1]) expect(go(update(2, 56, flags)), `flags ${flags}`).toBe(BigInt.asUintN(64, -22n));
      expect(go(remove(2))).toBe(mapType === BPF_MAP_TYPE_HASH ? 0n : BigInt.asUintN(64, -22n));
      expect(go(look(2))).toBe(mapType === BPF_MAP_TYPE_HASH ? M1 : 55n);
    }
  });

  test('the address of a map and of a value', () => {
    const { kernel } = withMap(BPF_MAP_TYPE_ARRAY, 4);
    const map = kernel.maps[0] as MapRuntime;
    expect(runIn(kernel, [...lddwInsns(0, 1, 0, 0), EXIT])).toBe(toAddr(map.header));
    expect(runIn(kernel, [...lddwInsns(0, 2, 0, 24), EXIT])).toBe(toAddr((map.valuesOffset as number) + 24));
  });
});

function withProgArray(entries: number): { kernel: MiniKernel; set: (index: number, slot: number) => void } {
  const kernel = miniKernel();
  const { memory } = kernel;
  const header = memory.alloc(MAP_HEADER.sizeBytes);
  const data = memory.alloc(4 * entries);
  memory.view.setUint32(header + MAP_HEADER.maxEntries, entries, true);
  memory.view.setUint32(header + MAP_HEADER.data, data, true);
  kernel.maps.push({ id: 7, header, mapType: BPF_MAP_TYPE_PROG_ARRAY, valuesOffset: undefined, ops: {} as MapRuntime['ops'] });
  return { kernel, set: (index, slot) => memory.view.setUint32(data + 4 * index, slot, true) };
}

const caller = (index: number): Insn[] => [mov(0, 5), ...lddwInsns(2, 1, 0, 0), ...ldImm64(3, BigInt(index)), helper(12), insn(0x07, 0, 0, 0, 94), EXIT];

describe('tail calls', () => {
  test.each([['known map', { mapIndex: 0 }], ['unknown map', {}]])('%s', (_name, fact) => {
    const { kernel, set } = withProgArray(2);
    const ctx = kernel.memory.alloc(8);
    kernel.memory.view.setUint32(ctx, 41, true);
    set(1, jit.prepare(asVerified([insn(0x61, 0, 1, 0), insn(0x07, 0, 0, 0, 1), EXIT]), kernel.env).entrySlot);
    const go = (index: number): bigint => runIn(kernel, caller(index), ctx, factsFor(caller(index), fact));
    expect(go(1)).toBe(42n);
    expect(kernel.memory.view.getUint32(kernel.area + CPU.tailCalls, true)).toBe(1);
    for (const index of [0, 2, 3, -1]) {
      expect(go(index)).toBe(99n);
      expect(kernel.memory.view.getUint32(kernel.area + CPU.tailCalls, true)).toBe(0);
    }
  });

  test('33 and no more, from inside a function of the program too', () => {
    const { kernel, set } = withProgArray(1);
    const counter = kernel.memory.alloc(8);
    // main: f(ctx); exit    f: ++*ctx; tail call; r0 = 99
    const program = jit.prepare(asVerified([
      insn(0x85, 0, 1, 0, 1), EXIT,
      insn(0x61, 0, 1, 0), insn(0x07, 0, 0, 0, 1), insn(0x63, 1, 0, 0), ...lddwInsns(2, 1, 0, 0), mov(3, 0), helper(12), mov(0, 99), EXIT,
    ]), kernel.env);
    set(0, program.entrySlot);
    expect(program.run(counter)).toBe(99);
    expect(kernel.memory.view.getUint32(counter, true)).toBe(34);
    program.run(counter);
    expect(kernel.memory.view.getUint32(counter, true)).toBe(68);
  });
});

describe('packet loads', () => {
  const PACKET = Array.from({ length: 40 }, (_, i) => 0x80 + i);
  function load(code: number, imm: number, src = 0n): bigint {
    const kernel = miniKernel();
    const { memory } = kernel;
    const skb = memory.alloc(SK_BUFF.sizeBytes);
    const head = memory.alloc(64);
    memory.bytes.set(PACKET, head);
    memory.view.setBigUint64(skb + SK_BUFF.head, toAddr(head), true);
    memory.view.setBigUint64(skb + SK_BUFF.data, toAddr(head + 14), true);
    memory.view.setBigUint64(skb + SK_BUFF.data_end, toAddr(head + 40), true);
    memory.view.setUint32(skb + SK_BUFF.mac_header, 0, true);
    memory.view.setUint32(skb + SK_BUFF.network_header, 14, true);
    return runIn(kernel, [insn(0xbf, 6, 1), ...ldImm64(3, src), mov(0, 1234), insn(code, 0, 3, 0, imm), insn(0x07, 0, 0, 0, 1), EXIT], skb);
  }
  test('in network order, from data on', () => {
    expect(load(0x30, 0)).toBe(0x8en + 1n);
    expect(load(0x28, 1)).toBe(0x8f90n + 1n);
    expect(load(0x20, 22)).toBe(0xa4a5a6a7n + 1n);
    expect(load(0x40, 2, 20n)).toBe(0xa4a5a6a7n + 1n);
    expect(load(0x48, 0, (1n << 32n) | 3n)).toBe(0x9192n + 1n);
    expect(load(0x50, -1, 3n)).toBe(0x90n + 1n);
  });
  test('from the network and the link-layer header', () => {
    expect(load(0x30, -0x10_0000 + 2)).toBe(0x90n + 1n);
    expect(load(0x28, -0x20_0000)).toBe(0x8081n + 1n);
    expect(load(0x40, 4, BigInt(-0x20_0000))).toBe(0x84858687n + 1n);
  });
  test('outside the packet the program ends with 0', () => {
    for (const imm of [23, 24, 1000, 0x7fff_ffff, -1, -0x1000, -0x10_0000 + 23, -0x20_0000 + 37, -0x20_0001, -0x8000_0000]) expect(load(0x20, imm), `${imm}`).toBe(0n);
    expect(load(0x20, 22)).not.toBe(0n);
    expect(load(0x40, 0x7fff_ffff, 1n)).toBe(0n);
  });
});

const probe = (address: bigint, code = 0x79): bigint => {
  const insns = [...ldImm64(1, address), mov(0, 7), insn(code, 0, 1, 0), EXIT];
  return runIn(miniKernel(), insns, 0, factsFor(insns, { probe: true }));
};

describe('probe loads', () => {
  test('a bad address reads 0', () => {
    const end = miniKernel().memory.view.byteLength;
    for (const bad of [0n, 8n, KERNEL_BASE, KERNEL_BASE | 0xffffn, toAddr(end - 7), toAddr(end), toAddr(0xffff_fff8), KERNEL_BASE + (1n << 32n), 1n << 63n, M1]) {
      expect(probe(bad), bad.toString(16)).toBe(0n);
    }
    expect(probe(toAddr(end - 1), 0x71)).toBe(0n);
  });
  test('a good one reads memory, with its sign where asked for', () => {
    const insns = [insn(0x7a, 10, 0, -8, -2), insn(0x91, 0, 10, -8), EXIT];
    expect(runIn(miniKernel(), insns, 0, factsFor(insns, { probe: true }))).toBe(M1 - 1n);
  });
});

describe('raw programs are checked', () => {
  const kernel = miniKernel();
  const start = kernel.memory.alloc(64);
  const checked = { stack: { start: kernel.area + CPU.stack, end: stackTop(kernel.area) }, memory: { start, end: start + 64 } };
  const go = (...insns: Insn[]) => (): bigint => runIn(kernel, [...insns, mov(0, 1), EXIT], start, { checked });
  test('accesses within the given memory and the stack', () => {
    expect(go(insn(0x79, 0, 1, 56), insn(0x7b, 1, 1, 0), insn(0x7b, 10, 1, -8), insn(0xdb, 1, 1, 8, 1))()).toBe(1n);
  });
  test.each([
    ['past the end', insn(0x79, 0, 1, 57), 'load of 8 bytes'], ['before the start', insn(0x73, 1, 0, -1), 'store of 1 bytes'],
    ['r10 and up', insn(0x71, 0, 10, 0), 'load of 1 bytes'], ['no kernel address', insn(0x79, 0, 2, 0), 'load of 8 bytes at 0x0, instruction 0'],
    ['an atomic', insn(0xc3, 1, 1, 61), 'store of 4 bytes'],
  ])('%s', (_name, op, message) => {
    expect(go(op)).toThrow(Fault);
    expect(go(op)).toThrow(message);
  });
  test('a high half that is not the kernel’s', () => {
    expect(go(insn(0x07, 1, 0, 0, -1), insn(0x77, 1, 0, 0, 1), insn(0x71, 0, 1, 0))).toThrow(Fault);
  });
  test('endless recursion', () => {
    expect(go(insn(0x85, 0, 1, 0, -1))).toThrow('more calls inside calls');
  });
  test('no private memory at all', () => {
    const empty = { ...checked, memory: { start: 0, end: 0 } };
    expect(() => runIn(kernel, [insn(0x71, 0, 1, 0), EXIT], start, { checked: empty })).toThrow(Fault);
  });
});

describe('fuel', () => {
  const loop = [mov(0, 0), insn(0x07, 0, 0, 0, 1), insn(0xa5, 0, 0, -2, 10), EXIT];
  test('by basic blocks: 1 + 10 × 2 + 1', () => {
    const kernel = miniKernel({ fuel: 22n });
    expect(runIn(kernel, loop)).toBe(10n);
    expect(kernel.memory.view.getBigInt64(kernel.area + CPU.fuel, true)).toBe(0n);
  });
  test('one less is a Fault that names the block, and the cell keeps the debt', () => {
    const kernel = miniKernel({ fuel: 21n });
    expect(() => runIn(kernel, loop)).toThrow(new Fault('fuel', 'out of fuel at instruction 3'));
    expect(kernel.memory.view.getBigInt64(kernel.area + CPU.fuel, true)).toBe(-1n);
  });
  test('an endless loop ends', () => {
    expect(() => runIn(miniKernel({ fuel: 100_000n }), [mov(0, 0), insn(0x05, 0, 0, -1)])).toThrow(Fault);
  });
});

test('a function beyond the engine’s limit is refused by name', () => {
  const insns = [...Array.from({ length: 500_000 }, () => [insn(0x87, 0), insn(0x18, 1, 0, 0, 0x7fff_ffff), insn(0, 0, 0, 0, 0x7fff_ffff)]).flat(), EXIT];
  expect(() => jit.prepare(asVerified(insns), miniKernel().env)).toThrow('a function');
});
