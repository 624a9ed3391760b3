// What programs that hold an element's address may see, what survives in an LRU map, walks, permissions, special fields, references between maps.

import { describe, expect, test } from 'vitest';
import { TestKernel } from '../../tests/map-models/test-kernel.ts';
import { u32Bytes } from '../../tests/map-models/model.ts';
import * as t from '../spec/map-types.ts';
import { BPF_XDP_DEVMAP } from '../spec/attach-types.ts';
import { EBUSY, EPERM } from '../spec/errno.ts';
import type { MapCreateAttr } from '../spec/syscall.ts';
import { BpfSyscallError } from '../util/errors.ts';
import type { BpfMap } from './bpf-map.ts';
import type { SpecialField } from './layout.ts';
import { PerfEventArrayMap, ProgArrayMap, XskMap } from './fd-maps.ts';
import type { DevMap } from './redirect-maps.ts';

const HASH: MapCreateAttr = { map_type: t.BPF_MAP_TYPE_HASH, key_size: 4, value_size: 8, max_entries: 4 };
const value = (n: number): Uint8Array => new Uint8Array(8).fill(n);

function make(attr: MapCreateAttr, kernel = new TestKernel(2), special: readonly SpecialField[] = []): { kernel: TestKernel; map: BpfMap; fd: number } {
  const fd = kernel.mapCreate(attr, { btfId: 0, special });
  return { kernel, map: kernel.map(fd), fd };
}
function errno(act: () => void): number {
  try {
    act();
    return 0;
  } catch (error) {
    if (error instanceof BpfSyscallError) return error.errno;
    throw error;
  }
}
/** The address that a program gets for a key. */
function addressOf({ kernel, map }: { kernel: TestKernel; map: BpfMap }, key: number): number {
  const at = kernel.env.memory.alloc(8);
  kernel.env.memory.bytes.set(u32Bytes(key), at);
  return map.runtime.ops.lookup(at);
}
const byteAt = (kernel: TestKernel, at: number): number => kernel.env.memory.view.getUint8(at);
const keysOf = (map: BpfMap): number[] => {
  const keys: number[] = [];
  for (let key: Uint8Array | undefined; ;) {
    const next = new Uint8Array(4);
    if (errno(() => map.getNextKey({ key, next_key: next })) !== 0) return keys;
    keys.push(Buffer.from(next).readUInt32LE(0));
    key = next;
  }
};

describe('a program that holds the address of a value', () => {
  test('sees the old value after an update of the key (preallocated: until the spare is used again)', () => {
    const it = make(HASH);
    it.map.updateElem({ key: u32Bytes(1), value: value(1) });
    const held = addressOf(it, 1);
    it.map.updateElem({ key: u32Bytes(1), value: value(2) });
    expect(byteAt(it.kernel, held)).toBe(1);
    expect(byteAt(it.kernel, addressOf(it, 1))).toBe(2);
    it.map.updateElem({ key: u32Bytes(1), value: value(3) });
    expect(addressOf(it, 1)).toBe(held);
  });

  test('preallocated: sees the next owner after a deletion, as in the kernel', () => {
    const it = make(HASH);
    it.map.updateElem({ key: u32Bytes(1), value: value(1) });
    const held = addressOf(it, 1);
    it.map.deleteElem({ key: u32Bytes(1) });
    expect(byteAt(it.kernel, held)).toBe(1);
    it.map.updateElem({ key: u32Bytes(9), value: value(9) });
    expect(addressOf(it, 9)).toBe(held);
  });

  test.each([t.BPF_MAP_TYPE_HASH, t.BPF_MAP_TYPE_LPM_TRIE])('without preallocation (type %i): nobody reuses the element before the grace period ends', (map_type) => {
    const lpm = map_type === t.BPF_MAP_TYPE_LPM_TRIE;
    const it = make({ ...HASH, map_type, key_size: lpm ? 8 : 4, map_flags: t.BPF_F_NO_PREALLOC });
    const key = (n: number): Uint8Array => (lpm ? new Uint8Array([32, 0, 0, 0, 10, 0, 0, n]) : u32Bytes(n));
    const at = it.kernel.env.memory.alloc(8);
    const address = (n: number): number => {
      it.kernel.env.memory.bytes.set(key(n), at);
      return it.map.runtime.ops.lookup(at);
    };
    it.map.updateElem({ key: key(1), value: value(1) });
    const held = address(1);
    it.map.deleteElem({ key: key(1) });
    for (let n = 2; n < 6; n++) {
      it.map.updateElem({ key: key(n), value: value(n) });
      expect(address(n)).not.toBe(held);
    }
    expect(byteAt(it.kernel, held)).toBe(1);
    it.kernel.endRun();
    it.map.deleteElem({ key: key(2) });
    it.map.updateElem({ key: key(7), value: value(7) });
    expect(address(7)).toBe(held);
  });

  test('updates of existing keys succeed in a full map, new keys do not', () => {
    for (const map_flags of [0, t.BPF_F_NO_PREALLOC]) {
      const { map } = make({ ...HASH, map_flags });
      for (let n = 0; n < 4; n++) map.updateElem({ key: u32Bytes(n), value: value(n) });
      expect(errno(() => map.updateElem({ key: u32Bytes(4), value: value(4) }))).toBe(7);
      for (let round = 0; round < 10; round++) map.updateElem({ key: u32Bytes(round % 4), value: value(round) });
    }
  });
});

describe('LRU', () => {
  test('what was looked up survives, the rest goes', () => {
    const it = make({ ...HASH, map_type: t.BPF_MAP_TYPE_LRU_HASH, max_entries: 64 });
    for (let n = 0; n < 64; n++) it.map.updateElem({ key: u32Bytes(n), value: value(n) });
    for (let n = 0; n < 16; n++) addressOf(it, n);
    for (let n = 100; n < 148; n++) it.map.updateElem({ key: u32Bytes(n), value: value(n) });
    const keys = keysOf(it.map);
    expect(keys.length).toBe(64);
    for (let n = 0; n < 16; n++) expect(keys).toContain(n);
  });

  test('look-ups from user space leave no trace', () => {
    const it = make({ ...HASH, map_type: t.BPF_MAP_TYPE_LRU_HASH, max_entries: 8 });
    for (let n = 0; n < 8; n++) it.map.updateElem({ key: u32Bytes(n), value: value(n) });
    for (let round = 0; round < 5; round++) it.map.lookupElem({ key: u32Bytes(0), value: value(0) });
    for (let n = 10; n < 18; n++) it.map.updateElem({ key: u32Bytes(n), value: value(n) });
    expect(keysOf(it.map)).not.toContain(0);
  });
});

describe('walking', () => {
  test.each([0, t.BPF_F_NO_PREALLOC])('deleting every element on the way visits each once (flags %i)', (map_flags) => {
    const { map, kernel } = make({ ...HASH, max_entries: 100, map_flags });
    for (let n = 0; n < 100; n++) map.updateElem({ key: u32Bytes(n), value: value(n) });
    const cursor = kernel.env.memory.alloc(24);
    const seen = new Set<number>();
    while (map.runtime.ops.walk(cursor, cursor + 16) !== 0) {
      const key = kernel.env.memory.view.getUint32(cursor + 16, true);
      seen.add(kernel.env.memory.view.getUint32(key, true));
      expect(map.runtime.ops.delete(key)).toBe(0);
    }
    expect(seen.size).toBe(100);
    expect(keysOf(map)).toEqual([]);
  });
});

describe('permissions', () => {
  test('a frozen map can be read by commands, not written; programs still write it', () => {
    const { map, kernel, fd } = make({ ...HASH, map_type: t.BPF_MAP_TYPE_ARRAY });
    map.freeze();
    expect(errno(() => map.updateElem({ key: u32Bytes(0), value: value(1) }))).toBe(EPERM);
    expect(errno(() => map.lookupElem({ key: u32Bytes(0), value: value(1) }))).toBe(0);
    expect(kernel.update(fd, u32Bytes(0), value(3), 0, 0)).toBe(0);
    expect(errno(() => map.freeze())).toBe(EBUSY);
  });
  test('BPF_F_RDONLY and BPF_F_WRONLY bind the first descriptor, and another may have other rights', () => {
    const readOnly = make({ ...HASH, map_flags: t.BPF_F_RDONLY }).map;
    expect(errno(() => readOnly.updateElem({ key: u32Bytes(0), value: value(1) }))).toBe(EPERM);
    expect(errno(() => readOnly.updateElem({ key: u32Bytes(0), value: value(1) }, { read: true, write: true }))).toBe(0);
    const writeOnly = make({ ...HASH, map_flags: t.BPF_F_WRONLY }).map;
    expect(errno(() => writeOnly.lookupElem({ key: u32Bytes(0), value: value(1) }))).toBe(EPERM);
    expect(errno(() => writeOnly.lookupAndDeleteElem({ key: u32Bytes(0), value: value(1) }))).toBe(EPERM);
    expect(errno(() => writeOnly.getNextKey({ next_key: u32Bytes(0) }))).toBe(EPERM);
  });
  test('buffers that are missing or too small are EFAULT, a key where there is none EINVAL', () => {
    const { map } = make(HASH);
    expect(errno(() => map.updateElem({ value: value(1) }))).toBe(14);
    expect(errno(() => map.updateElem({ key: u32Bytes(1), value: new Uint8Array(7) }))).toBe(14);
    const queue = make({ ...HASH, map_type: t.BPF_MAP_TYPE_QUEUE, key_size: 0 }).map;
    expect(errno(() => queue.updateElem({ key: u32Bytes(1), value: value(1) }))).toBe(22);
  });
});

describe.each([false, true])('special fields, shared memory: %s', (shared) => {
  const special: SpecialField[] = [{ kind: 'spin_lock', offset: 4, sizeBytes: 4 }];
  test.each([t.BPF_MAP_TYPE_HASH, t.BPF_MAP_TYPE_ARRAY])('type %i: copies leave the spin lock alone, look-ups show zeros, BPF_F_LOCK writes in place', (map_type) => {
    const it = make({ ...HASH, map_type, value_size: 16 }, new TestKernel(2, shared), special);
    const bytes = new Uint8Array(16).fill(0x11);
    it.map.updateElem({ key: u32Bytes(1), value: bytes });
    const at = addressOf(it, 1);
    expect(it.kernel.env.memory.view.getUint32(at + 4, true)).toBe(0);
    it.map.updateElem({ key: u32Bytes(1), value: bytes.fill(0x22), flags: BigInt(t.BPF_F_LOCK) });
    expect(addressOf(it, 1)).toBe(at);
    expect(byteAt(it.kernel, at)).toBe(0x22);
    expect(it.kernel.env.memory.view.getUint32(at + 4, true)).toBe(0);
    it.kernel.env.memory.view.setUint32(at + 4, 1, true);
    const out = new Uint8Array(16);
    it.map.lookupElem({ key: u32Bytes(1), value: out });
    expect([...out.subarray(4, 8)]).toEqual([0, 0, 0, 0]);
  });
});

describe('maps of descriptors', () => {
  test('inner maps must look like the example', () => {
    const kernel = new TestKernel();
    const inner = kernel.mapCreate({ ...HASH, map_type: t.BPF_MAP_TYPE_ARRAY });
    const larger = kernel.mapCreate({ ...HASH, map_type: t.BPF_MAP_TYPE_ARRAY, max_entries: 9 });
    const hash = kernel.mapCreate(HASH);
    const outer = make({ map_type: t.BPF_MAP_TYPE_ARRAY_OF_MAPS, key_size: 4, value_size: 4, max_entries: 2, inner_map_fd: inner }, kernel);
    const update = (fd: number): number => errno(() => outer.map.updateElem({ key: u32Bytes(0), value: u32Bytes(fd) }));
    expect([update(inner), update(larger), update(hash), update(outer.fd)]).toEqual([0, 22, 22, 22]);
    expect(addressOf(outer, 0)).toBe(kernel.map(inner).header);
    const nested = (): void => void kernel.mapCreate({ map_type: t.BPF_MAP_TYPE_ARRAY_OF_MAPS, key_size: 4, value_size: 4, max_entries: 2, inner_map_fd: outer.fd });
    expect(errno(nested)).toBe(22);
  });

  test('BPF_F_INNER_MAP lets array sizes differ', () => {
    const kernel = new TestKernel();
    const array = { ...HASH, map_type: t.BPF_MAP_TYPE_ARRAY, map_flags: t.BPF_F_INNER_MAP };
    const inner = kernel.mapCreate(array);
    const larger = kernel.mapCreate({ ...array, max_entries: 9 });
    const { map } = make({ map_type: t.BPF_MAP_TYPE_HASH_OF_MAPS, key_size: 4, value_size: 4, max_entries: 2, inner_map_fd: inner }, kernel);
    expect(errno(() => map.updateElem({ key: u32Bytes(0), value: u32Bytes(larger) }))).toBe(0);
  });

  test('an inner map lives as long as an element holds it, and its memory is free after the grace period', () => {
    const kernel = new TestKernel();
    const inner = kernel.mapCreate(HASH);
    const { header } = kernel.map(inner);
    const { map } = make({ map_type: t.BPF_MAP_TYPE_HASH_OF_MAPS, key_size: 4, value_size: 4, max_entries: 2, inner_map_fd: inner }, kernel);
    map.updateElem({ key: u32Bytes(5), value: u32Bytes(inner) });
    kernel.close(inner);
    kernel.endRun();
    expect(kernel.env.memory.view.getUint32(header + 4, true)).toBe(t.BPF_MAP_TYPE_HASH);
    map.deleteElem({ key: u32Bytes(5) });
    kernel.endRun();
    kernel.endRun();
    expect(kernel.map(kernel.mapCreate(HASH)).header).toBe(header);
  });

  test('PROG_ARRAY: slots in memory, ids outside, one kind of program', () => {
    const { map, kernel } = make({ map_type: t.BPF_MAP_TYPE_PROG_ARRAY, key_size: 4, value_size: 4, max_entries: 2 });
    const { fd } = kernel.progLoad();
    map.updateElem({ key: u32Bytes(1), value: u32Bytes(fd) });
    const prog = kernel.env.progFromFd(fd);
    expect(kernel.env.memory.view.getUint32(map.data + 4, true)).toBe(prog.entrySlot);
    expect((map as ProgArrayMap).programAt(1)).toBe(prog.id);
    kernel.env.progs.set(99, { ...prog, compatibility: 'xdp' });
    expect(errno(() => map.updateElem({ key: u32Bytes(0), value: u32Bytes(99) }))).toBe(22);
    map.deleteElem({ key: u32Bytes(1) });
    expect(kernel.env.memory.view.getUint32(map.data + 4, true)).toBe(0);
  });

  test('PERF_EVENT_ARRAY and XSKMAP hold ids', () => {
    const kernel = new TestKernel();
    kernel.env.events.set(50, 7);
    const perf = make({ map_type: t.BPF_MAP_TYPE_PERF_EVENT_ARRAY, key_size: 4, value_size: 4, max_entries: 2 }, kernel).map as PerfEventArrayMap;
    perf.updateElem({ key: u32Bytes(1), value: u32Bytes(50) });
    expect([perf.eventAt(0), perf.eventAt(1), perf.eventAt(2)]).toEqual([0, 7, 0]);
    const xsk = make({ map_type: t.BPF_MAP_TYPE_XSKMAP, key_size: 4, value_size: 4, max_entries: 2 }, kernel).map as XskMap;
    const update = (flags: number): number => errno(() => xsk.updateElem({ key: u32Bytes(1), value: u32Bytes(50), flags: BigInt(flags) }));
    expect([update(t.BPF_EXIST), update(t.BPF_NOEXIST), update(t.BPF_NOEXIST), update(t.BPF_EXIST)]).toEqual([2, 0, 17, 0]);
    expect([xsk.redirectTarget(0), xsk.redirectTarget(1), xsk.runtime.redirectTarget?.(1)]).toEqual([0, 7, 7]);
  });

  test('DEVMAP keeps the device and the program to run there', () => {
    const it = make({ map_type: t.BPF_MAP_TYPE_DEVMAP, key_size: 4, value_size: 8, max_entries: 2 });
    const prog = { id: 77, entrySlot: 3, progType: 6, expectedAttachType: BPF_XDP_DEVMAP, compatibility: '', get: () => {}, put: () => {} };
    it.kernel.env.progs.set(60, prog);
    it.kernel.env.progs.set(61, { ...prog, expectedAttachType: 0 });
    const update = (fd: number): number => errno(() => it.map.updateElem({ key: u32Bytes(0), value: new Uint8Array([1, 0, 0, 0, fd, 0, 0, 0]) }));
    expect([update(60), update(61), update(62)]).toEqual([0, 22, 22]);
    const at = (it.map as DevMap).redirectTarget(0);
    expect([it.kernel.env.memory.view.getUint32(at, true), it.kernel.env.memory.view.getUint32(at + 4, true)]).toEqual([1, 77]);
    expect(addressOf(it, 0)).toBe(at);
    expect(addressOf(it, 1)).toBe(0);
  });
});
