// Maps of descriptors from outside: PROG_ARRAY, PERF_EVENT_ARRAY, ARRAY_OF_MAPS, HASH_OF_MAPS, XSKMAP.
// Invariant: an element holds a reference to what it names; it is given back when the element goes, after the grace period.
// Updates take file descriptors, look-ups give ids. Source: kernel/bpf/arraymap.c (bpf_fd_array_map_update_elem …), map_in_map.c, net/xdp/xskmap.c.

import {
  BPF_ANY, BPF_EXIST, BPF_F_INNER_MAP, BPF_MAP_TYPE_ARRAY, BPF_MAP_TYPE_PROG_ARRAY, BPF_MAP_TYPE_XSKMAP, BPF_NOEXIST,
} from '../spec/map-types.ts';
import { E2BIG, EEXIST, EINVAL, ENOENT, ENOTSUPP, EOPNOTSUPP } from '../spec/errno.ts';
import { viewOf } from '../util/bytes.ts';
import { BpfSyscallError } from '../util/errors.ts';
import { MAP_HEADER } from '../vm/map-header.ts';
import { IndexedMap } from './array-map.ts';
import { flagsAsI32, indexOf } from './bpf-map.ts';
import type { BatchSupport, MapSetup } from './bpf-map.ts';
import { commandError } from './command-error.ts';
import type { MapEnv, MapRef } from './env.ts';
import { emitSlotOps, slotBytes } from './fd-array.ts';
import { HashMap } from './hash-map.ts';

/** Something that an element holds. */
interface Held { readonly put: () => void; readonly id: number }

/** An array of slots that hold references. Subclasses say what a descriptor resolves to. */
abstract class FdArrayMap extends IndexedMap {
  readonly #held = new Map<number, Held>();

  constructor(setup: MapSetup, extraBytes = 0) {
    super(setup, { emit: emitSlotOps, dataBytes: setup.shape.maxEntries * slotBytes(setup.shape) + extraBytes });
  }

  /** Resolves a descriptor: what the element holds, and what its slot reads as. Throws BpfSyscallError. */
  protected abstract resolve(fd: number): { held: Held; slot: number };

  protected slotAt(index: number): number {
    return this.data + index * slotBytes(this.shape);
  }
  protected heldAt(index: number): Held | undefined {
    return this.#held.get(index);
  }

  protected override sysUpdate(key: Uint8Array, value: Uint8Array, flags: bigint): number {
    if (flags !== BigInt(BPF_ANY)) return -EINVAL;
    const index = indexOf(key);
    if (index >= this.shape.maxEntries) return -E2BIG;
    return errnoOf(() => this.putElement(index, this.resolve(viewOf(value).getInt32(0, true))));
  }

  protected putElement(index: number, { held, slot }: { held: Held; slot: number }): void {
    const old = this.#held.get(index);
    this.#held.set(index, held);
    this.env.memory.view.setUint32(this.slotAt(index), slot, true);
    if (old !== undefined) this.env.deferFree(old.put);
  }

  protected override sysDelete(key: Uint8Array): number {
    const index = indexOf(key);
    if (index >= this.shape.maxEntries) return -E2BIG;
    return this.takeElement(index) ? 0 : -ENOENT;
  }

  /** Empties a slot; false when it was empty. */
  protected takeElement(index: number): boolean {
    const old = this.#held.get(index);
    if (old === undefined) return false;
    this.#held.delete(index);
    this.env.memory.view.setUint32(this.slotAt(index), 0, true);
    this.env.deferFree(old.put);
    return true;
  }

  protected override sysLookup(key: Uint8Array, value: Uint8Array): number {
    const held = this.heldAt(indexOf(key));
    if (held === undefined) return -ENOENT;
    viewOf(value).setUint32(0, held.id, true);
    return 0;
  }

  protected override releaseElements(): void {
    for (const index of this.#held.keys()) this.takeElement(index);
  }
}

/** Runs `act`; 0, or the negative errno of the BpfSyscallError that it threw. */
function errnoOf(act: () => void): number {
  try {
    act();
    return 0;
  } catch (error) {
    if (error instanceof BpfSyscallError) return -error.errno;
    throw error;
  }
}

/** BPF_MAP_TYPE_PROG_ARRAY: slots hold function-table slots; look-ups give program ids. All its programs are compatible with the first. */
export class ProgArrayMap extends FdArrayMap {
  #compatibility: string | undefined;

  /** The kind of program that this array belongs to; the first program that uses or enters it decides. False when `compatibility` doesn't fit. */
  admits(compatibility: string): boolean {
    this.#compatibility ??= compatibility;
    return this.#compatibility === compatibility;
  }
  protected override resolve(fd: number): { held: Held; slot: number } {
    const prog = this.env.progFromFd(fd);
    if (!this.admits(prog.compatibility)) throw commandError('BPF_MAP_UPDATE_ELEM', EINVAL);
    prog.get();
    return { held: { id: prog.id, put: () => prog.put() }, slot: prog.entrySlot };
  }
  /** The program ids by index, for tools. */
  programAt(index: number): number | undefined {
    return this.heldAt(index)?.id;
  }
}

/** BPF_MAP_TYPE_PERF_EVENT_ARRAY: slots hold event ids, which bpf_perf_event_output hands to the host. */
export class PerfEventArrayMap extends FdArrayMap {
  protected override resolve(fd: number): { held: Held; slot: number } {
    const id = this.env.perfEventFromFd(fd);
    return { held: { id, put: () => {} }, slot: id };
  }
  protected override sysLookup(): number {
    return -ENOTSUPP;
  }
  /** The event id in a slot, 0 when empty. */
  eventAt(index: number): number {
    return index < this.shape.maxEntries ? this.env.memory.view.getUint32(this.slotAt(index), true) : 0;
  }
}

/** Resolves the inner map that a map of maps is made with. Throws as bpf_map_meta_alloc fails. */
function innerMetaOf(setup: MapSetup): MapRef {
  const inner = setup.env.mapFromFd(setup.attr.inner_map_fd);
  if (inner.innerMeta !== undefined) throw commandError('BPF_MAP_CREATE', EINVAL);
  if (inner.shape.mapType === BPF_MAP_TYPE_PROG_ARRAY) throw commandError('BPF_MAP_CREATE', ENOTSUPP);
  return inner;
}

/** The kernel's bpf_map_meta_equal and its variants: may `inner` be an element where `meta` was the example? */
export function mapMetaEqual(meta: MapRef, inner: MapRef): boolean {
  const [a, b] = [meta.shape, inner.shape];
  const same = a.mapType === b.mapType && a.keySize === b.keySize && a.valueSize === b.valueSize && meta.attr.map_flags === inner.attr.map_flags
    && JSON.stringify(a.special) === JSON.stringify(b.special);
  if (!same) return false;
  if (a.mapType === BPF_MAP_TYPE_ARRAY && (meta.attr.map_flags & BPF_F_INNER_MAP) !== 0) return true;
  return (a.mapType !== BPF_MAP_TYPE_ARRAY && a.mapType !== BPF_MAP_TYPE_XSKMAP) || a.maxEntries === b.maxEntries;
}

/** The inner map behind a descriptor, held. Throws EBADF or EINVAL. */
function holdInner(env: MapEnv, meta: MapRef, fd: number): MapRef {
  const inner = env.mapFromFd(fd);
  if (inner.innerMeta !== undefined || !mapMetaEqual(meta, inner)) throw commandError('BPF_MAP_UPDATE_ELEM', EINVAL);
  inner.get();
  return inner;
}

/** BPF_MAP_TYPE_ARRAY_OF_MAPS: slots hold the inner maps' headers. */
export class ArrayOfMapsMap extends FdArrayMap {
  readonly #meta: MapRef;
  constructor(setup: MapSetup) {
    const meta = innerMetaOf(setup);
    super(setup);
    this.#meta = meta;
  }
  override get innerMeta(): MapRef | undefined {
    return this.#meta;
  }
  protected override get batch(): BatchSupport {
    return { lookup: 'generic', update: true };
  }
  protected override resolve(fd: number): { held: Held; slot: number } {
    const inner = holdInner(this.env, this.#meta, fd);
    return { held: { id: inner.id, put: () => inner.put() }, slot: inner.header };
  }
}

/** BPF_MAP_TYPE_HASH_OF_MAPS: values hold the inner maps' headers. */
export class HashOfMapsMap extends HashMap {
  readonly #meta: MapRef;
  readonly #held = new Map<number, MapRef>();
  readonly #uses = new Map<number, number>();

  constructor(setup: MapSetup) {
    const meta = innerMetaOf(setup);
    super(setup);
    this.#meta = meta;
  }
  override get innerMeta(): MapRef | undefined {
    return this.#meta;
  }

  #innerOf(element: number): number {
    return this.env.memory.view.getUint32(element + this.layout.valueOffset, true);
  }
  protected override copyElement(element: number, value: Uint8Array): void {
    viewOf(value).setUint32(0, this.env.memory.view.getUint32(this.#innerOf(element) + MAP_HEADER.id, true), true);
  }

  protected override sysUpdate(key: Uint8Array, value: Uint8Array, flags: bigint): number {
    return errnoOf(() => {
      const inner = holdInner(this.env, this.#meta, viewOf(value).getInt32(0, true));
      const old = this.instance.find(this.putKey(key));
      const replaced = old === 0 ? undefined : this.#innerOf(old);
      const header = new Uint8Array(4);
      viewOf(header).setUint32(0, inner.header, true);
      const result = this.runtime.ops.update(this.putKey(key), this.putValue(header), flagsAsI32(flags));
      if (result !== 0) {
        inner.put();
        throw commandError('BPF_MAP_UPDATE_ELEM', -result);
      }
      this.#held.set(inner.header, inner);
      this.#uses.set(inner.header, (this.#uses.get(inner.header) ?? 0) + 1);
      if (replaced !== undefined) this.#release(replaced);
    });
  }

  protected override sysDelete(key: Uint8Array): number {
    const element = this.instance.find(this.putKey(key));
    const inner = element === 0 ? undefined : this.#innerOf(element);
    const result = super.sysDelete(key);
    if (inner !== undefined) this.#release(inner);
    return result;
  }
  protected override sysLookupAndDelete(): number {
    return -ENOTSUPP;
  }

  #release(header: number): void {
    const inner = this.#held.get(header);
    const uses = (this.#uses.get(header) ?? 1) - 1;
    this.#uses.set(header, uses);
    if (uses === 0) this.#held.delete(header);
    if (inner !== undefined) this.env.deferFree(() => inner.put());
  }
  protected override releaseElements(): void {
    for (const element of this.allElements()) this.#release(this.#innerOf(element));
  }
}

/** BPF_MAP_TYPE_XSKMAP: slots hold AF_XDP socket ids. */
export class XskMap extends FdArrayMap {
  protected override resolve(fd: number): { held: Held; slot: number } {
    const id = this.env.xskFromFd(fd);
    return { held: { id, put: () => {} }, slot: id };
  }
  protected override sysUpdate(key: Uint8Array, value: Uint8Array, flags: bigint): number {
    const index = indexOf(key);
    if (flags > BPF_EXIST) return -EINVAL;
    if (index >= this.shape.maxEntries) return -E2BIG;
    return errnoOf(() => {
      const element = this.resolve(viewOf(value).getInt32(0, true));
      const taken = this.heldAt(index) !== undefined;
      if (taken && flags === BigInt(BPF_NOEXIST)) throw commandError('BPF_MAP_UPDATE_ELEM', EEXIST);
      if (!taken && flags === BigInt(BPF_EXIST)) throw commandError('BPF_MAP_UPDATE_ELEM', ENOENT);
      this.putElement(index, element);
    });
  }
  protected override sysDelete(key: Uint8Array): number {
    if (indexOf(key) >= this.shape.maxEntries) return -EINVAL;
    this.takeElement(indexOf(key));
    return 0;
  }
  protected override sysLookup(): number {
    return -EOPNOTSUPP;
  }
  protected override extraOps(): { redirectTarget: (key: number) => number } {
    return { redirectTarget: (key) => this.redirectTarget(key) };
  }
  /** The socket id that bpf_redirect_map sends to, 0 when there is none. */
  redirectTarget(key: number): number {
    return key < this.shape.maxEntries ? this.env.memory.view.getUint32(this.slotAt(key), true) : 0;
  }
}
