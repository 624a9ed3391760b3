// The maps alone behind the map commands: descriptors, CPUs and grace periods, and no verifier or programs.

import { BPF_MAP_TYPE_HASH, BPF_MAP_TYPE_LRU_HASH, BPF_MAP_TYPE_LRU_PERCPU_HASH, BPF_MAP_TYPE_PERCPU_HASH, BPF_MAP_TYPE_ARRAY, BPF_MAP_TYPE_PERCPU_ARRAY } from '../../src/spec/map-types.ts';
import type { MapBatchAttr, MapBatchResult, MapCreateAttr, MapElemAttr, MapInfo, ProgInfo, ProgLoadResult } from '../../src/spec/syscall.ts';
import type { BpfMap } from '../../src/maps/bpf-map.ts';
import { createMap } from '../../src/maps/create.ts';
import type { MapBtf } from '../../src/maps/create.ts';
import type { MapCommands, ProgramSide } from './drive.ts';
import { testEnv } from './env.ts';
import type { TestEnv } from './env.ts';

const WALKABLE = [BPF_MAP_TYPE_HASH, BPF_MAP_TYPE_LRU_HASH, BPF_MAP_TYPE_LRU_PERCPU_HASH, BPF_MAP_TYPE_PERCPU_HASH, BPF_MAP_TYPE_ARRAY, BPF_MAP_TYPE_PERCPU_ARRAY];

/** Map commands and the program's side of each map. */
export class TestKernel implements MapCommands, ProgramSide {
  readonly env: TestEnv;
  readonly possibleCpus: number;
  readonly #scratch: number;
  #nextFd = 10;

  constructor(cpus = 2, shared = false) {
    this.env = testEnv(cpus, shared);
    this.env.devices.add(1);
    this.possibleCpus = cpus;
    this.#scratch = this.env.memory.alloc(4096);
  }

  map(fd: number): BpfMap {
    return this.env.mapFromFd(fd) as BpfMap;
  }
  mapCreate(attr: MapCreateAttr, btf?: MapBtf): number {
    const fd = this.#nextFd++;
    this.env.maps.set(fd, createMap(attr, this.env, btf));
    return fd;
  }
  mapLookupElem(attr: MapElemAttr): void {
    this.map(attr.map_fd).lookupElem(attr);
  }
  mapUpdateElem(attr: MapElemAttr): void {
    this.map(attr.map_fd).updateElem(attr);
  }
  mapDeleteElem(attr: MapElemAttr): void {
    this.map(attr.map_fd).deleteElem(attr);
  }
  mapGetNextKey(attr: MapElemAttr): void {
    this.map(attr.map_fd).getNextKey(attr);
  }
  mapLookupAndDeleteElem(attr: MapElemAttr): void {
    this.map(attr.map_fd).lookupAndDeleteElem(attr);
  }
  mapLookupBatch(attr: MapBatchAttr): MapBatchResult {
    return this.map(attr.map_fd).lookupBatch(attr);
  }
  mapLookupAndDeleteBatch(attr: MapBatchAttr): MapBatchResult {
    return this.map(attr.map_fd).lookupAndDeleteBatch(attr);
  }
  mapUpdateBatch(attr: MapBatchAttr): MapBatchResult {
    return this.map(attr.map_fd).updateBatch(attr);
  }
  mapDeleteBatch(attr: MapBatchAttr): MapBatchResult {
    return this.map(attr.map_fd).deleteBatch(attr);
  }
  mapGetInfoByFd(fd: number): MapInfo {
    return this.map(fd).info();
  }
  /** A program that is only an id and a slot. */
  progLoad(): ProgLoadResult {
    const fd = this.#nextFd++;
    this.env.progs.set(fd, { id: fd + 1000, entrySlot: fd + 2000, progType: 1, expectedAttachType: 0, compatibility: 'socket_filter', get: () => {}, put: () => {} });
    return { fd, log: '' };
  }
  progGetInfoByFd(fd: number): ProgInfo {
    const { id, progType } = this.env.progFromFd(fd);
    return { type: progType, id, name: '', tag: '', xlated_insns: new Uint8Array(0), map_ids: [], gpl_compatible: true, verified_insns: 0 };
  }
  close(fd: number): void {
    this.env.maps.get(fd)?.put();
    this.env.maps.delete(fd);
    this.env.progs.delete(fd);
  }

  #put(bytes: Uint8Array, at = 0): number {
    this.env.memory.bytes.set(bytes, this.#scratch + at);
    return this.#scratch + at;
  }
  #take(at: number, length: number): Uint8Array {
    return this.env.memory.bytes.slice(at, at + length);
  }
  lookup(fd: number, key: Uint8Array, cpu: number): Uint8Array | undefined {
    this.env.runOn(cpu);
    const at = this.map(fd).runtime.ops.lookup(this.#put(key));
    return at === 0 ? undefined : this.#take(at, this.map(fd).shape.valueSize);
  }
  lookupPercpu(fd: number, key: Uint8Array, cpu: number): Uint8Array | undefined {
    const at = this.map(fd).runtime.ops.lookupPercpu(this.#put(key), cpu);
    return at === 0 ? undefined : this.#take(at, this.map(fd).shape.valueSize);
  }
  update(fd: number, key: Uint8Array, value: Uint8Array, flags: number, cpu: number): number {
    this.env.runOn(cpu);
    return this.map(fd).runtime.ops.update(this.#put(key), this.#put(value, 1024), flags);
  }
  delete(fd: number, key: Uint8Array): number {
    return this.map(fd).runtime.ops.delete(this.#put(key));
  }
  push(fd: number, value: Uint8Array, flags: number): number {
    return this.map(fd).runtime.ops.push(this.#put(value), flags);
  }
  pop(fd: number): { errno: number; value: Uint8Array } {
    const errno = this.map(fd).runtime.ops.pop(this.#scratch);
    return { errno, value: this.#take(this.#scratch, this.map(fd).shape.valueSize) };
  }
  peek(fd: number, value: Uint8Array): { errno: number; value: Uint8Array } {
    const errno = this.map(fd).runtime.ops.peek(this.#put(value));
    return { errno, value: this.#take(this.#scratch, this.map(fd).shape.valueSize) };
  }
  walk(fd: number, cpu: number): { key: Uint8Array; value: Uint8Array }[] | undefined {
    const { shape, runtime } = this.map(fd);
    if (!WALKABLE.includes(shape.mapType)) return undefined;
    this.env.runOn(cpu);
    const visited: { key: Uint8Array; value: Uint8Array }[] = [];
    const cursor = this.#put(new Uint8Array(24));
    for (let value = runtime.ops.walk(cursor, cursor + 16); value !== 0; value = runtime.ops.walk(cursor, cursor + 16)) {
      const key = this.env.memory.view.getUint32(cursor + 16, true);
      visited.push({ key: this.#take(key, shape.keySize), value: this.#take(value, shape.valueSize) });
    }
    return visited;
  }
  endRun(): void {
    this.env.endGracePeriod();
  }
}
