// Drives one map and its model with the same random operations and compares every answer, errno and, now and then, the whole contents.
// Works on anything that speaks BpfSyscall's map commands: the maps alone, the simulated kernel, the host's. `programs` adds the program's side where there is one.
// Left out of the comparison: iteration order of hashes, LRU victims, bloom filters' false positives.

import * as t from '../../src/spec/map-types.ts';
import type { BpfSyscall, MapElemAttr } from '../../src/spec/syscall.ts';
import { BpfSyscallError, InternalError } from '../../src/util/errors.ts';
import { mapTypeName } from '../../src/spec/map-types.ts';
import { DRIVEN } from './configs.ts';
import type { Ids } from './configs.ts';
import { EEXIST, EINVAL, ENOENT, ENOSPC, ENOTSUPP, hex } from './model.ts';
import type { MapModel, ModelConfig } from './model.ts';
import { Random } from './random.ts';

/** What the driver needs of a kernel. */
export type MapCommands = Pick<BpfSyscall,
  'possibleCpus' | 'mapCreate' | 'mapLookupElem' | 'mapUpdateElem' | 'mapDeleteElem' | 'mapGetNextKey' | 'mapLookupAndDeleteElem' | 'mapLookupBatch' |
  'mapLookupAndDeleteBatch' | 'mapUpdateBatch' | 'mapDeleteBatch' | 'mapGetInfoByFd' | 'progLoad' | 'progGetInfoByFd' | 'close'>;

/** The program's side of a map, on a CPU. Errno negative, as helpers return it. */
export interface ProgramSide {
  lookup(fd: number, key: Uint8Array, cpu: number): Uint8Array | undefined;
  lookupPercpu(fd: number, key: Uint8Array, cpu: number): Uint8Array | undefined;
  update(fd: number, key: Uint8Array, value: Uint8Array, flags: number, cpu: number): number;
  delete(fd: number, key: Uint8Array): number;
  push(fd: number, value: Uint8Array, flags: number): number;
  pop(fd: number): { errno: number; value: Uint8Array };
  peek(fd: number, value: Uint8Array): { errno: number; value: Uint8Array };
  /** Keys and values that bpf_for_each_map_elem visits; undefined when the type can't be walked. */
  walk(fd: number, cpu: number): { key: Uint8Array; value: Uint8Array }[] | undefined;
  /** A run has ended. */
  endRun(): void;
}

/** How often each operation gave each errno. */
export type Histogram = Record<string, number>;

const INNER = { map_type: t.BPF_MAP_TYPE_ARRAY, key_size: 4, value_size: 8, max_entries: 2 };
/** r0 = 0; exit */
const TRIVIAL = Uint8Array.from([0xb7, 0, 0, 0, 0, 0, 0, 0, 0x95, 0, 0, 0, 0, 0, 0, 0]);
const LOOPBACK = 1;

/** Drives `count` operations spread over the type's sizes; throws with seed and step at the first difference. */
export function driveMap(sys: MapCommands, type: number, seed: number, count: number, programs?: ProgramSide): Histogram {
  const row = DRIVEN.get(type);
  if (row === undefined) throw new InternalError(`${mapTypeName(type)} has no model`);
  const histogram: Histogram = {};
  row.sizes.forEach((sizes, index) => {
    const config = { ...sizes, type, cpus: sys.possibleCpus };
    new Driver(sys, config, new Random(seed * 31 + index), histogram, programs, `${mapTypeName(type)} #${index} seed ${seed}`).run(Math.ceil(count / row.sizes.length));
  });
  return histogram;
}

class Driver {
  readonly #sys: MapCommands;
  readonly #config: ModelConfig;
  readonly #random: Random;
  readonly #histogram: Histogram;
  readonly #programs: ProgramSide | undefined;
  readonly #label: string;
  readonly #fds: number[] = [];
  readonly #ids: Ids;
  readonly #model: MapModel;
  readonly #fd: number;
  #step = 0;

  constructor(sys: MapCommands, config: ModelConfig, random: Random, histogram: Histogram, programs: ProgramSide | undefined, label: string) {
    this.#sys = sys;
    this.#random = random;
    this.#histogram = histogram;
    this.#programs = programs;
    this.#label = label;
    const { type } = config;
    const outer = type === t.BPF_MAP_TYPE_ARRAY_OF_MAPS || type === t.BPF_MAP_TYPE_HASH_OF_MAPS;
    this.#ids = this.#makeIds(type);
    this.#fd = this.#own(sys.mapCreate({
      map_type: type, key_size: config.keySize, value_size: config.valueSize, max_entries: config.maxEntries, map_flags: config.flags,
      ...(outer ? { inner_map_fd: [...this.#ids.keys()][0] as number } : {}),
    }));
    this.#config = { ...config, maxEntries: sys.mapGetInfoByFd(this.#fd).max_entries };
    this.#model = (DRIVEN.get(type) as NonNullable<ReturnType<typeof DRIVEN.get>>).model(this.#config, this.#ids);
  }

  #own(fd: number): number {
    this.#fds.push(fd);
    return fd;
  }

  #makeIds(type: number): Ids {
    if (type === t.BPF_MAP_TYPE_ARRAY_OF_MAPS || type === t.BPF_MAP_TYPE_HASH_OF_MAPS) {
      return new Map([0, 1, 2].map(() => this.#own(this.#sys.mapCreate(INNER))).map((fd) => [fd, this.#sys.mapGetInfoByFd(fd).id]));
    }
    if (type === t.BPF_MAP_TYPE_PROG_ARRAY) {
      const load = (): number => this.#own(this.#sys.progLoad({ prog_type: 1, insns: TRIVIAL, license: 'GPL' }).fd);
      return new Map([0, 1].map(load).map((fd) => [fd, this.#sys.progGetInfoByFd(fd).id]));
    }
    return type === t.BPF_MAP_TYPE_DEVMAP || type === t.BPF_MAP_TYPE_DEVMAP_HASH ? new Map([[LOOPBACK, LOOPBACK]]) : new Map();
  }

  run(count: number): void {
    try {
      for (this.#step = 0; this.#step < count; this.#step++) {
        this.#one();
        if (this.#step % 97 === 0) this.#compareAll();
      }
      this.#compareAll();
    } finally {
      for (const fd of this.#fds.toReversed()) this.#sys.close(fd);
    }
  }

  #fail(what: string): never {
    throw new InternalError(`${this.#label} step ${this.#step}: ${what}`);
  }
  #same(what: string, actual: number, expected: number): void {
    this.#histogram[`${what} ${actual}`] = (this.#histogram[`${what} ${actual}`] ?? 0) + 1;
    if (actual !== expected) this.#fail(`${what} gave ${actual}, the model ${expected}`);
  }
  #sameBytes(what: string, actual: Uint8Array | undefined, expected: Uint8Array | undefined): void {
    const [a, e] = [actual, expected].map((bytes) => (bytes === undefined ? 'nothing' : hex(bytes)));
    if (a !== e) this.#fail(`${what} gave ${a}, the model ${e}`);
  }

  #key(): Uint8Array {
    return (DRIVEN.get(this.#config.type) as NonNullable<ReturnType<typeof DRIVEN.get>>).key(this.#random, this.#config);
  }
  #value(): Uint8Array {
    return (DRIVEN.get(this.#config.type) as NonNullable<ReturnType<typeof DRIVEN.get>>).value(this.#random, this.#config, this.#ids, this.#model.userValueSize);
  }
  #flags(): bigint {
    return this.#random.chance(60) ? 0n : this.#random.pick([0n, 1n, 1n, 2n, 2n, 3n, 4n, 5n, 8n, 1n << 40n]);
  }
  #elem(key: Uint8Array, more: Partial<MapElemAttr>): MapElemAttr {
    return { map_fd: this.#fd, ...(key.length === 0 ? {} : { key }), ...more };
  }

  #one(): void {
    if (this.#programs !== undefined && this.#model.prog !== undefined && this.#random.chance(50)) this.#programOp(this.#programs);
    else this.#command();
  }

  #command(): void {
    const dice = this.#random.below(100);
    if (dice < 42) this.#update();
    else if (dice < 65) this.#lookup();
    else if (dice < 78) this.#delete();
    else if (dice < 84) this.#lookupAndDelete();
    else if (dice < 91) this.#nextKey();
    else if (dice < 94) this.#dumpBatch(false);
    else if (dice < 95) this.#dumpBatch(true);
    else if (dice < 98) this.#updateBatch();
    else this.#deleteBatch();
  }

  #update(): void {
    const [key, value, flags] = [this.#key(), this.#value(), this.#flags()];
    const actual = errnoOf(() => this.#sys.mapUpdateElem(this.#elem(key, { value: value.slice(), flags })));
    const expected = (flags & 4n) !== 0n ? EINVAL : this.#model.update(key, value, flags);
    this.#same('update', actual, this.#evictedFirst(actual, expected, key, value) ? actual : expected);
    this.#afterUpdate(actual === 0 ? key : undefined);
  }

  /** The host takes an element from the LRU list before it looks at the flags, and that may be the very key's: then NOEXIST succeeds and EXIST fails. */
  #evictedFirst(actual: number, expected: number, key: Uint8Array, value: Uint8Array): boolean {
    if (!this.#model.evicts || this.#programs !== undefined) return false;
    const gone = (actual === 0 && expected === EEXIST) || (actual === ENOENT && expected === 0);
    if (gone) this.#model.delete(key);
    if (gone && actual === 0) this.#model.update(key, value, 0n);
    return gone;
  }

  /** An LRU map may have dropped keys: never the one just written, never more than it must. */
  #afterUpdate(key: Uint8Array | undefined): void {
    if (!this.#model.evicts) return;
    const left = this.#walkKeys();
    const known = new Set((this.#model.keys() ?? []).map(hex));
    if (key !== undefined && !left.some((other) => hex(other) === hex(key))) this.#fail(`update of ${hex(key)} dropped the key itself`);
    if (left.length > this.#config.maxEntries) this.#fail(`${left.length} keys in a map of ${this.#config.maxEntries}`);
    for (const other of left) if (!known.has(hex(other))) this.#fail(`key ${hex(other)} was never written`);
    this.#model.retain(left);
  }

  #lookup(): void {
    const key = this.#key();
    const input = this.#model.falsePositives ? this.#value() : new Uint8Array(this.#model.userValueSize);
    const value = input.slice();
    const flags = this.#random.chance(95) ? 0n : this.#flags();
    const actual = errnoOf(() => this.#sys.mapLookupElem(this.#elem(key, { value, flags })));
    const expected = flags !== 0n ? { errno: EINVAL } : this.#model.lookup(key, input);
    if (this.#model.falsePositives && actual === 0 && expected.errno === ENOENT) return;
    this.#same('lookup', actual, expected.errno);
    if (actual === 0 && expected.value !== undefined) this.#sameBytes(`lookup of ${hex(key)}`, value, expected.value);
  }

  #delete(): void {
    const key = this.#key();
    this.#same('delete', errnoOf(() => this.#sys.mapDeleteElem(this.#elem(key, {}))), this.#model.delete(key));
  }

  #lookupAndDelete(): void {
    const key = this.#key();
    const value = new Uint8Array(this.#model.userValueSize);
    const flags = this.#random.chance(90) ? 0n : this.#flags();
    const actual = errnoOf(() => this.#sys.mapLookupAndDeleteElem(this.#elem(key, { value, flags })));
    const expected = flags !== 0n ? { errno: EINVAL } : this.#model.lookupAndDelete(key);
    this.#same('lookupAndDelete', actual, expected.errno);
    if (actual === 0) this.#sameBytes('lookupAndDelete', value, expected.value);
  }

  #nextKey(): void {
    const key = this.#random.chance(20) ? undefined : this.#key();
    const next = new Uint8Array(this.#config.keySize);
    const attr = { map_fd: this.#fd, next_key: next, ...(key === undefined || key.length === 0 ? {} : { key }) };
    const actual = errnoOf(() => this.#sys.mapGetNextKey(attr));
    const keys = this.#model.keys();
    if (keys === undefined) return this.#same('nextKey', actual, this.#model.nextErrno);
    if (!this.#model.ordered) {
      if (actual === 0 && !keys.some((other) => hex(other) === hex(next))) this.#fail(`nextKey gave ${hex(next)}, which isn't there`);
      if (keys.length === 0 || key === undefined) this.#same('nextKey', actual, keys.length === 0 ? ENOENT : 0);
      return undefined;
    }
    const expected = keys[key === undefined ? 0 : this.#indexAfter(keys, key)];
    this.#same('nextKey', actual, expected === undefined ? ENOENT : 0);
    if (expected !== undefined) this.#sameBytes(`nextKey of ${key === undefined ? 'nothing' : hex(key)}`, next, expected);
    return undefined;
  }

  /** A trie's keys are the same when their prefixes are, whatever follows. */
  #indexAfter(keys: readonly Uint8Array[], key: Uint8Array): number {
    const significant = (other: Uint8Array): string => {
      if (this.#config.type !== t.BPF_MAP_TYPE_LPM_TRIE) return hex(other);
      const length = Buffer.from(other).readUInt32LE(0);
      return `${length}:${[...other.subarray(4)].map((byte) => byte.toString(2).padStart(8, '0')).join('').slice(0, length)}`;
    };
    return keys.findIndex((other) => significant(other) === significant(key)) + 1;
  }

  #walkKeys(): Uint8Array[] {
    const keys: Uint8Array[] = [];
    let key: Uint8Array | undefined;
    for (;;) {
      const next = new Uint8Array(this.#config.keySize);
      const errno = errnoOf(() => this.#sys.mapGetNextKey({ map_fd: this.#fd, next_key: next, ...(key === undefined ? {} : { key }) }));
      if (errno === ENOENT) return keys;
      if (errno !== 0) this.#fail(`nextKey failed with ${errno}`);
      if (keys.length > this.#config.maxEntries) this.#fail('the walk does not end');
      keys.push(next);
      key = next;
    }
  }

  #sameKeys(actual: readonly Uint8Array[], expected: readonly Uint8Array[]): void {
    const text = (keys: readonly Uint8Array[]): string => (this.#model.ordered ? keys.map(hex) : keys.map(hex).toSorted()).join(' ');
    if (text(actual) !== text(expected)) this.#fail(`keys ${text(actual)}, the model's ${text(expected)}`);
  }

  #compareAll(): void {
    const keys = this.#model.keys();
    if (keys === undefined) return;
    this.#sameKeys(this.#walkKeys(), keys);
    for (const key of keys) {
      const value = new Uint8Array(this.#model.userValueSize);
      const expected = this.#model.lookup(key, value);
      const actual = errnoOf(() => this.#sys.mapLookupElem(this.#elem(key, { value })));
      this.#same('lookup', actual, expected.errno);
      if (actual === 0) this.#sameBytes(`value of ${hex(key)}`, value, expected.value);
    }
  }

  #dumpBatch(deletes: boolean): void {
    const kind = deletes ? this.#model.batch.lookupAndDelete : this.#model.batch.lookup;
    const call = (attr: Parameters<MapCommands['mapLookupBatch']>[0]) => (deletes ? this.#sys.mapLookupAndDeleteBatch(attr) : this.#sys.mapLookupBatch(attr));
    const what = deletes ? 'lookupAndDeleteBatch' : 'lookupBatch';
    const { keySize } = this.#config;
    let chunk = 1 + this.#random.below(6);
    let cursor: Uint8Array | undefined;
    const found: { key: Uint8Array; value: Uint8Array }[] = [];
    for (;;) {
      const [keys, values, out] = [new Uint8Array(Math.max(1, keySize) * chunk), new Uint8Array(this.#model.userValueSize * chunk), new Uint8Array(Math.max(4, keySize))];
      const step = { count: 0, errno: 0 };
      const errno = errnoOf(() => void Object.assign(step, call({ map_fd: this.#fd, in_batch: cursor, out_batch: out, keys, values, count: chunk })));
      if (kind === undefined) return this.#same(what, errno, ENOTSUPP);
      if (errno === ENOSPC) {
        chunk *= 2;
        continue;
      }
      if (errno !== 0) this.#fail(`${what} failed with ${errno}`);
      for (let i = 0; i < step.count; i++) {
        found.push({ key: keys.slice(i * keySize, (i + 1) * keySize), value: values.slice(i * this.#model.userValueSize, (i + 1) * this.#model.userValueSize) });
      }
      if (step.errno === ENOENT) break;
      cursor = out;
    }
    this.#compareDump(what, kind, found);
    if (deletes) for (const { key } of found) this.#model.delete(key);
    return undefined;
  }

  #compareDump(what: string, kind: 'generic' | 'hash', found: readonly { key: Uint8Array; value: Uint8Array }[]): void {
    const blank = new Uint8Array(this.#model.userValueSize);
    const there = (this.#model.keys() ?? []).filter((key) => kind === 'hash' || this.#model.lookup(key, blank).errno === 0);
    this.#sameKeys(found.map(({ key }) => key), there);
    this.#same(what, found.length, there.length);
    for (const { key, value } of found) this.#sameBytes(`${what} of ${hex(key)}`, value, this.#model.lookup(key, value).value);
  }

  #updateBatch(): void {
    const count = this.#random.below(5);
    const [keys, values] = [Array.from({ length: count }, () => this.#key()), Array.from({ length: count }, () => this.#value())];
    const attr = { map_fd: this.#fd, keys: concat(keys), values: concat(values), count };
    const actual = errnoOf(() => void this.#sys.mapUpdateBatch(attr));
    if (this.#model.batch.update !== true) return this.#same('updateBatch', actual, ENOTSUPP);
    let expected = 0;
    for (let i = 0; i < count && expected === 0; i++) expected = this.#model.update(keys[i] as Uint8Array, values[i] as Uint8Array, 0n);
    this.#same('updateBatch', actual, expected);
    const last = keys.at(-1);
    if (last !== undefined && actual === 0) this.#afterUpdate(last);
    return undefined;
  }

  #deleteBatch(): void {
    const count = this.#random.below(4);
    const keys = Array.from({ length: count }, () => this.#key());
    const attr = { map_fd: this.#fd, keys: concat(keys), values: new Uint8Array(0), count };
    const step = { count: 0, errno: 0 };
    const errno = errnoOf(() => void Object.assign(step, this.#sys.mapDeleteBatch(attr)));
    if (this.#model.batch.delete !== true) return this.#same('deleteBatch', errno, ENOTSUPP);
    let expected = 0;
    for (let i = 0; i < count && expected === 0; i++) expected = this.#model.delete(keys[i] as Uint8Array);
    this.#same('deleteBatch', errno === 0 ? step.errno : errno, expected);
    return undefined;
  }

  #programOp(programs: ProgramSide): void {
    const view = this.#model.prog as NonNullable<MapModel['prog']>;
    const cpu = this.#random.below(this.#config.cpus);
    const [key, flags] = [this.#key(), Number(this.#flags() & 0xffn)];
    const value = this.#value().subarray(0, this.#config.valueSize);
    if (this.#random.chance(20)) programs.endRun();
    if (view.push !== undefined) this.#programQueueOp(programs, value, flags);
    else if (this.#random.chance(40)) {
      const actual = -programs.update(this.#fd, key, value, flags, cpu);
      this.#same('prog update', actual, view.update(key, value, flags, cpu));
      if (actual === 0) this.#afterUpdate(key);
    } else if (this.#random.chance(25)) this.#same('prog delete', -programs.delete(this.#fd, key), view.delete(key));
    else if (view.lookupPercpu !== undefined && this.#random.chance(30)) {
      const wanted = this.#random.below(this.#config.cpus + 1);
      this.#sameBytes('prog lookupPercpu', programs.lookupPercpu(this.#fd, key, wanted), view.lookupPercpu(key, wanted));
    } else if (this.#random.chance(5)) this.#programWalk(programs, cpu);
    else this.#sameBytes('prog lookup', programs.lookup(this.#fd, key, cpu), view.lookup(key, cpu));
  }

  #programQueueOp(programs: ProgramSide, value: Uint8Array, flags: number): void {
    const view = this.#model.prog as Required<NonNullable<MapModel['prog']>>;
    if (this.#random.chance(50)) return this.#same('prog push', -programs.push(this.#fd, value, flags), view.push(value, flags));
    const pops = this.#random.chance(50);
    const actual = pops ? programs.pop(this.#fd) : programs.peek(this.#fd, value);
    const expected = pops ? view.pop() : view.peek(value);
    if (this.#model.falsePositives && actual.errno === 0 && expected.errno === ENOENT) return undefined;
    this.#same(pops ? 'prog pop' : 'prog peek', -actual.errno, expected.errno);
    if (expected.value !== undefined) this.#sameBytes('prog pop', actual.value, expected.value);
    return undefined;
  }

  #programWalk(programs: ProgramSide, cpu: number): void {
    const visited = programs.walk(this.#fd, cpu);
    if (visited === undefined) return;
    this.#sameKeys(visited.map(({ key }) => key), this.#model.keys() ?? []);
    for (const { key, value } of visited) this.#sameBytes('walk', value, this.#model.prog?.lookup(key, cpu));
  }
}

const concat = (parts: readonly Uint8Array[]): Uint8Array => new Uint8Array(Buffer.concat(parts));

/** 0, or the errno of the BpfSyscallError that `act` threw. */
function errnoOf(act: () => void): number {
  try {
    act();
    return 0;
  } catch (error) {
    if (error instanceof BpfSyscallError) return error.errno;
    throw error;
  }
}
