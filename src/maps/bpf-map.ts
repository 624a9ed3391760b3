// A map as the bpf() commands see it: checks, permissions and copying in the kernel's order, around the operations that each type defines.
// Invariant: element operations go through the same emitted code that programs call; only iteration and descriptors are handled here, in TypeScript.
// Source: kernel/bpf/syscall.c (map_lookup_elem … bpf_map_do_batch), Linux 6.18. Errors are BpfSyscallError with the command's name and errno.

import { BPF_F_LOCK } from '../spec/map-types.ts';
import { EBUSY, EFAULT, EINVAL, ENOENT, ENOMEM, ENOTSUPP, EPERM } from '../spec/errno.ts';
import type { MapBatchAttr, MapBatchResult, MapInfo } from '../spec/syscall.ts';
import { BpfSyscallError } from '../util/errors.ts';
import { viewOf } from '../util/bytes.ts';
import type { MapRuntime, RingbufOps } from '../vm/executor.ts';
import { MAP_HEADER, MAP_OP_SLOTS, RINGBUF_OP_SLOTS } from '../vm/map-header.ts';
import type { Access, CheckedAttr } from './alloc-check.ts';
import { commandError } from './command-error.ts';
import type { MapEnv, MapRef } from './env.ts';
import { STATE, spinLockOf, valueStride } from './layout.ts';
import type { MapShape } from './layout.ts';
import { instantiateMap } from './map-module.ts';
import type { EmitMapOps, MapInstance } from './map-module.ts';

/** An element command's buffers: as MapElemAttr, without the descriptor. */
export interface ElemArgs {
  readonly key?: Uint8Array | undefined;
  readonly value?: Uint8Array | undefined;
  readonly next_key?: Uint8Array | undefined;
  readonly flags?: bigint | undefined;
}
/** A batch command's buffers: as MapBatchAttr, without the descriptor. */
export type BatchArgs = Omit<MapBatchAttr, 'map_fd'>;

/** How a map is made: by `createMap`, from checked attributes. */
export interface MapSetup {
  readonly attr: CheckedAttr;
  readonly shape: MapShape;
  readonly env: MapEnv;
}

/** The memory that a type wants, and its operations. */
export interface MapParts {
  readonly emit: EmitMapOps;
  readonly dataBytes: number;
  readonly dataAlign?: number;
  /** Direct value addresses (BPF_PSEUDO_MAP_VALUE) work. */
  readonly directValues?: boolean;
}

/** Batch commands that a type has: the generic ones walk by key, a hash's own walks by bucket. */
export interface BatchSupport { readonly lookup?: 'generic' | 'hash'; readonly lookupAndDelete?: 'hash'; readonly update?: boolean; readonly delete?: boolean }

/** A map of any type. Methods `sys…` are what the types differ in: they return 0 or negative errno. */
export abstract class BpfMap implements MapRef {
  readonly id: number;
  readonly attr: CheckedAttr;
  readonly shape: MapShape;
  readonly env: MapEnv;
  /** The map as executors and helpers see it. */
  readonly runtime: MapRuntime;
  readonly instance: MapInstance;
  readonly header: number;
  readonly data: number;
  /** Set by BPF_MAP_FREEZE: commands can't write any more. */
  frozen = false;
  readonly #parts: MapParts;
  readonly #opsSlot: number;
  readonly #keyScratch: number;
  readonly #valueScratch: number;
  #references = 1;

  constructor(setup: MapSetup, parts: MapParts) {
    this.attr = setup.attr;
    this.shape = setup.shape;
    this.env = setup.env;
    this.#parts = parts;
    this.data = this.alloc(Math.max(parts.dataBytes, 8), parts.dataAlign ?? 64);
    this.header = this.alloc(STATE.sizeBytes, 64);
    this.#keyScratch = this.alloc(Math.max(this.shape.keySize, 8));
    this.#valueScratch = this.alloc(Math.max(valueStride(this.shape), 8));
    this.id = this.env.newMapId();
    this.instance = instantiateMap(this.shape, parts.emit, this.env, this.header, this.data, () => this.grow());
    this.#opsSlot = this.#publishOps();
    this.#writeHeader();
    this.runtime = {
      id: this.id, header: this.header, mapType: this.shape.mapType,
      valuesOffset: parts.directValues === true ? this.data : undefined, ops: this.instance.ops, ...this.extraOps(),
    };
  }

  #slotNames(): string[] {
    return [...MAP_OP_SLOTS, ...RINGBUF_OP_SLOTS].filter((name) => this.instance.exports[name] !== undefined);
  }

  /** Puts the operations into consecutive slots of the function table, in MAP_OP_SLOTS order, a ring buffer's own after them. Returns the first, 0 without a table. */
  #publishOps(): number {
    const { table } = this.env;
    if (table === undefined) return 0;
    const names = this.#slotNames();
    const first = table.allocate(names.length);
    names.forEach((name, i) => table.wasm.set(first + i, this.instance.exports[name] as Function));
    return first;
  }

  #writeHeader(): void {
    const { view } = this.env.memory;
    const { shape, attr } = this;
    const cells: [number, number][] = [
      [MAP_HEADER.id, this.id], [MAP_HEADER.mapType, shape.mapType], [MAP_HEADER.keySize, shape.keySize], [MAP_HEADER.valueSize, shape.valueSize],
      [MAP_HEADER.maxEntries, shape.maxEntries], [MAP_HEADER.mapFlags, attr.map_flags], [MAP_HEADER.opsSlot, this.#opsSlot], [MAP_HEADER.data, this.data],
      [STATE.grace, this.env.graceCell],
    ];
    for (const [at, value] of cells) view.setUint32(this.header + at, value, true);
  }

  /** What this type's runtime has beyond MapOps; called by the constructor, so only `instance`, `shape`, `env`, `header` and `data` are there. */
  protected extraOps(): { ringbuf?: RingbufOps; redirectTarget?: (key: number) => number } {
    return {};
  }

  /** Memory of the kernel. Throws BpfSyscallError ENOMEM. */
  protected alloc(sizeBytes: number, alignBytes = 8): number {
    try {
      return this.env.memory.alloc(sizeBytes, alignBytes);
    } catch (error) {
      if (error instanceof BpfSyscallError) throw commandError('BPF_MAP_CREATE', ENOMEM);
      throw error;
    }
  }

  /** Makes room for more elements; called from emitted code of maps without preallocation. 0 or -ENOMEM. */
  protected grow(): number {
    return -ENOMEM;
  }

  /** A cell of the state block (STATE.…), a u32. */
  protected state(cell: number): number {
    return this.env.memory.view.getUint32(this.header + cell, true);
  }
  protected setState(cell: number, value: number): void {
    this.env.memory.view.setUint32(this.header + cell, value, true);
  }

  /** Puts a key where the operations can read it. */
  protected putKey(key: Uint8Array): number {
    this.env.memory.bytes.set(key.subarray(0, this.shape.keySize), this.#keyScratch);
    return this.#keyScratch;
  }
  /** Puts one value where the operations can read it. */
  protected putValue(value: Uint8Array): number {
    this.env.memory.bytes.set(value.subarray(0, valueStride(this.shape)), this.#valueScratch);
    return this.#valueScratch;
  }
  /** Where operations that fill a value put it; `sizeBytes` of it are copied out by `takeValue`. */
  protected get valueScratch(): number {
    return this.#valueScratch;
  }
  /** Copies a value out of memory, special fields as zeros (the kernel's check_and_init_map_value). */
  protected takeValue(offset: number, value: Uint8Array, sizeBytes = this.shape.valueSize): void {
    value.set(this.env.memory.bytes.subarray(offset, offset + sizeBytes));
    for (const field of this.shape.special) value.fill(0, field.offset, field.offset + field.sizeBytes);
  }

  /** Bytes of a value as the commands copy it. */
  get userValueSize(): number {
    return this.shape.valueSize;
  }

  /** Look-up, update and delete are the program's own operations by default. */
  protected sysLookup(key: Uint8Array, value: Uint8Array, _flags: bigint): number {
    const at = this.runtime.ops.lookup(this.putKey(key));
    if (at === 0) return -ENOENT;
    this.takeValue(at, value);
    return 0;
  }
  protected sysUpdate(key: Uint8Array, value: Uint8Array, flags: bigint): number {
    return this.runtime.ops.update(this.putKey(key), this.putValue(value), flagsAsI32(flags));
  }
  protected sysDelete(key: Uint8Array): number {
    return this.runtime.ops.delete(this.putKey(key));
  }
  protected abstract sysNextKey(key: Uint8Array | undefined, next: Uint8Array): number;
  protected sysLookupAndDelete(_key: Uint8Array, _value: Uint8Array, _flags: bigint): number {
    return -ENOTSUPP;
  }
  /** Batch commands of this type; none by default (-ENOTSUPP). */
  protected get batch(): BatchSupport {
    return {};
  }
  /** The type takes no flags in look-up-and-delete (queue, stack). */
  protected get flaglessPop(): boolean {
    return false;
  }
  /** The value of a look-up is read, not only written (bloom filter). */
  protected get lookupReadsValue(): boolean {
    return false;
  }

  /** Maps of maps: what their inner maps look like. */
  get innerMeta(): MapRef | undefined {
    return undefined;
  }

  /** What the map's own flags allow its first descriptor. */
  get access(): Access {
    return this.attr.access;
  }

  /** BPF_MAP_LOOKUP_ELEM: fills `value`. */
  lookupElem(args: ElemArgs, access = this.access): void {
    const command = 'BPF_MAP_LOOKUP_ELEM';
    const flags = args.flags ?? 0n;
    if ((flags & ~BigInt(BPF_F_LOCK)) !== 0n) throw commandError(command, EINVAL);
    this.#mayRead(command, access);
    this.#mayLock(command, flags);
    const key = this.#copyKey(command, args.key);
    const value = new Uint8Array(this.userValueSize);
    if (this.lookupReadsValue) value.set(bufferOf(command, args.value, value.length));
    this.#done(command, this.sysLookup(key, value, flags));
    if (!this.lookupReadsValue) bufferOf(command, args.value, value.length).set(value);
  }

  /** BPF_MAP_UPDATE_ELEM. */
  updateElem(args: ElemArgs, access = this.access): void {
    const command = 'BPF_MAP_UPDATE_ELEM';
    const flags = args.flags ?? 0n;
    this.#mayWrite(command, access);
    this.#mayLock(command, flags);
    const key = this.#copyKey(command, args.key);
    const value = bufferOf(command, args.value, this.userValueSize).slice();
    this.#done(command, this.sysUpdate(key, value, flags));
  }

  /** BPF_MAP_DELETE_ELEM. */
  deleteElem(args: ElemArgs, access = this.access): void {
    const command = 'BPF_MAP_DELETE_ELEM';
    this.#mayWrite(command, access);
    this.#done(command, this.sysDelete(this.#copyKey(command, args.key)));
  }

  /** BPF_MAP_GET_NEXT_KEY: fills `next_key`; ENOENT at the end. */
  getNextKey(args: ElemArgs, access = this.access): void {
    const command = 'BPF_MAP_GET_NEXT_KEY';
    this.#mayRead(command, access);
    const key = args.key === undefined ? undefined : this.#copyKey(command, args.key);
    const next = new Uint8Array(this.shape.keySize);
    this.#done(command, this.sysNextKey(key, next));
    bufferOf(command, args.next_key, next.length).set(next);
  }

  /** BPF_MAP_LOOKUP_AND_DELETE_ELEM: fills `value`. */
  lookupAndDeleteElem(args: ElemArgs, access = this.access): void {
    const command = 'BPF_MAP_LOOKUP_AND_DELETE_ELEM';
    const flags = args.flags ?? 0n;
    if ((flags & ~BigInt(BPF_F_LOCK)) !== 0n) throw commandError(command, EINVAL);
    this.#mayRead(command, access);
    this.#mayWrite(command, access);
    if (flags !== 0n && this.flaglessPop) throw commandError(command, EINVAL);
    this.#mayLock(command, flags);
    const key = this.#copyKey(command, args.key);
    const value = new Uint8Array(this.userValueSize);
    this.#done(command, this.sysLookupAndDelete(key, value, flags));
    bufferOf(command, args.value, value.length).set(value);
  }

  /** BPF_MAP_FREEZE: no command may write the map any more; programs still may. EBUSY when it is frozen already. */
  freeze(): void {
    if (this.shape.special.some((field) => field.kind !== 'spin_lock')) throw commandError('BPF_MAP_FREEZE', ENOTSUPP);
    if (this.frozen) throw commandError('BPF_MAP_FREEZE', EBUSY);
    this.frozen = true;
  }

  /** BPF_MAP_LOOKUP_BATCH. */
  lookupBatch(args: BatchArgs, access = this.access): MapBatchResult {
    const command = 'BPF_MAP_LOOKUP_BATCH';
    this.#mayRead(command, access);
    if (this.batch.lookup === 'hash') return this.#batchDone(command, this.hashBatch(args, false));
    if (this.batch.lookup !== 'generic') throw commandError(command, ENOTSUPP);
    return this.#batchDone(command, this.#genericLookupBatch(command, args));
  }

  /** BPF_MAP_LOOKUP_AND_DELETE_BATCH. */
  lookupAndDeleteBatch(args: BatchArgs, access = this.access): MapBatchResult {
    const command = 'BPF_MAP_LOOKUP_AND_DELETE_BATCH';
    this.#mayRead(command, access);
    this.#mayWrite(command, access);
    if (this.batch.lookupAndDelete === undefined) throw commandError(command, ENOTSUPP);
    return this.#batchDone(command, this.hashBatch(args, true));
  }

  /** BPF_MAP_UPDATE_BATCH. */
  updateBatch(args: BatchArgs, access = this.access): MapBatchResult {
    const command = 'BPF_MAP_UPDATE_BATCH';
    this.#mayWrite(command, access);
    if (this.batch.update !== true) throw commandError(command, ENOTSUPP);
    const { keySize } = this.shape;
    const valueSize = this.userValueSize;
    return this.#eachOf(command, args, (i) => {
      const key = part(args.keys, i, keySize);
      const value = part(args.values, i, valueSize);
      return key === undefined || value === undefined ? -EFAULT : this.sysUpdate(key, value, args.elem_flags ?? 0n);
    });
  }

  /** BPF_MAP_DELETE_BATCH. */
  deleteBatch(args: BatchArgs, access = this.access): MapBatchResult {
    const command = 'BPF_MAP_DELETE_BATCH';
    this.#mayWrite(command, access);
    if (this.batch.delete !== true) throw commandError(command, ENOTSUPP);
    return this.#eachOf(command, args, (i) => {
      const key = part(args.keys, i, this.shape.keySize);
      return key === undefined ? -EFAULT : this.sysDelete(key);
    });
  }

  #eachOf(command: string, args: BatchArgs, one: (index: number) => number): MapBatchResult {
    this.checkElemFlags(command, args.elem_flags ?? 0n);
    let count = 0;
    let result = 0;
    for (; count < args.count; count++) {
      result = one(count);
      if (result !== 0) break;
    }
    return this.#batchDone(command, { count, errno: -result });
  }

  #batchDone(command: string, result: MapBatchResult): MapBatchResult {
    if (result.errno !== 0 && result.errno !== ENOENT) throw commandError(command, result.errno);
    return result;
  }

  /** Throws EINVAL for element flags that no batch command takes. */
  protected checkElemFlags(command: string, flags: bigint): void {
    if ((flags & ~BigInt(BPF_F_LOCK)) !== 0n) throw commandError(command, EINVAL);
    this.#mayLock(command, flags);
  }

  #genericLookupBatch(command: string, args: BatchArgs): MapBatchResult {
    this.checkElemFlags(command, args.elem_flags ?? 0n);
    if (args.count === 0) return { count: 0, errno: 0 };
    let previous = args.in_batch === undefined ? undefined : bufferOf(command, args.in_batch, this.shape.keySize).slice();
    let count = 0;
    let errno = 0;
    while (count < args.count) {
      const next = new Uint8Array(this.shape.keySize);
      errno = -this.sysNextKey(previous, next);
      if (errno !== 0) break;
      const value = new Uint8Array(this.userValueSize);
      errno = -this.sysLookup(next, value, args.elem_flags ?? 0n);
      if (errno !== 0 && errno !== ENOENT) return { count: 0, errno };
      if (errno === 0 && !(store(args.keys, count, next) && store(args.values, count, value))) return { count: 0, errno: EFAULT };
      if (errno === 0) count++;
      previous = next;
      errno = 0;
    }
    if (count > 0 && previous !== undefined) bufferOf(command, args.out_batch, previous.length).set(previous);
    return { count, errno };
  }

  /** A hash map's batch look-up, bucket by bucket. */
  protected hashBatch(_args: BatchArgs, _deletes: boolean): MapBatchResult {
    return { count: 0, errno: ENOTSUPP };
  }

  /** BPF_OBJ_GET_INFO_BY_FD. */
  info(): MapInfo {
    const { attr } = this;
    return {
      type: attr.map_type, id: this.id, key_size: attr.key_size, value_size: attr.value_size, max_entries: attr.max_entries, map_flags: attr.map_flags,
      name: attr.map_name, btf_id: attr.btf_id, btf_key_type_id: attr.btf_key_type_id, btf_value_type_id: attr.btf_value_type_id, map_extra: attr.map_extra,
    };
  }

  /** One more holder: a descriptor, a program, an outer map. */
  get(): void {
    this.#references++;
  }
  /** One holder less; the last one frees the map after the grace period. */
  put(): void {
    if (--this.#references > 0) return;
    this.releaseElements();
    this.env.deferFree(() => this.#dispose());
  }

  /** Lets go of what the elements hold (programs, inner maps) when the map goes. */
  protected releaseElements(): void {}
  /** Frees memory that the type allocated itself. */
  protected freeMemory(): void {}

  #dispose(): void {
    const { memory, table } = this.env;
    this.freeMemory();
    if (table !== undefined) table.release(this.#opsSlot, this.#slotNames().length);
    memory.free(this.data, Math.max(this.#parts.dataBytes, 8), this.#parts.dataAlign ?? 64);
    memory.free(this.#keyScratch, Math.max(this.shape.keySize, 8));
    memory.free(this.#valueScratch, Math.max(valueStride(this.shape), 8));
    memory.free(this.header, STATE.sizeBytes, 64);
    this.env.mapFreed?.(this.id);
  }

  #mayRead(command: string, access: Access): void {
    if (!access.read) throw commandError(command, EPERM);
  }
  #mayWrite(command: string, access: Access): void {
    if (!access.write || this.frozen) throw commandError(command, EPERM);
  }
  #mayLock(command: string, flags: bigint): void {
    if ((flags & BigInt(BPF_F_LOCK)) !== 0n && spinLockOf(this.shape) === undefined) throw commandError(command, EINVAL);
  }

  /** The kernel's __bpf_copy_key: a keyless map takes no key, all others need one. */
  #copyKey(command: string, key: Uint8Array | undefined): Uint8Array {
    if (this.shape.keySize === 0) {
      if (key !== undefined && key.length > 0) throw commandError(command, EINVAL);
      return new Uint8Array(0);
    }
    return bufferOf(command, key, this.shape.keySize).slice();
  }

  #done(command: string, result: number): void {
    if (result !== 0) throw commandError(command, -result);
  }
}

/** Flags as emitted code takes them: what doesn't fit in 31 bits is -1, which every operation refuses. */
export const flagsAsI32 = (flags: bigint): number => (flags > 0x7fff_ffffn ? -1 : Number(flags));

/** The u32 that an index key holds. */
export const indexOf = (key: Uint8Array): number => viewOf(key).getUint32(0, true);

/** The caller's buffer, cut to what the command copies. Throws EFAULT when it is missing or too small. */
function bufferOf(command: string, buffer: Uint8Array | undefined, sizeBytes: number): Uint8Array {
  if (buffer === undefined ? sizeBytes > 0 : buffer.length < sizeBytes) throw commandError(command, EFAULT);
  return (buffer ?? new Uint8Array(0)).subarray(0, sizeBytes);
}

const part = (buffer: Uint8Array, index: number, sizeBytes: number): Uint8Array | undefined =>
  (buffer.length < (index + 1) * sizeBytes ? undefined : buffer.slice(index * sizeBytes, (index + 1) * sizeBytes));

/** Writes one element of an array of them; false when the buffer ends before it. */
export function store(buffer: Uint8Array, index: number, bytes: Uint8Array): boolean {
  if (buffer.length < (index + 1) * bytes.length) return false;
  buffer.set(bytes, index * bytes.length);
  return true;
}
