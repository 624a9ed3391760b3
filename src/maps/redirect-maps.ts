// DEVMAP, DEVMAP_HASH and CPUMAP from outside: targets of bpf_redirect_map, each with an optional second XDP program.
// Invariant: an element keeps {ifindex or qsize, program id}; commands copy its first value_size bytes. Programs may read it, not write.
// Source: kernel/bpf/devmap.c, cpumap.c; uapi struct bpf_devmap_val, bpf_cpumap_val.

import { BPF_EXIST, BPF_NOEXIST } from '../spec/map-types.ts';
import { BPF_XDP_CPUMAP, BPF_XDP_DEVMAP } from '../spec/attach-types.ts';
import { BPF_PROG_TYPE_XDP } from '../spec/prog-types.ts';
import { E2BIG, EEXIST, EINVAL, ENODEV, ENOENT, ENOMEM, ENOTSUPP, EOVERFLOW } from '../spec/errno.ts';
import { viewOf } from '../util/bytes.ts';
import { IndexedMap } from './array-map.ts';
import { flagsAsI32, indexOf } from './bpf-map.ts';
import type { BatchSupport, MapSetup } from './bpf-map.ts';
import type { MapEnv, ProgRef } from './env.ts';
import { REDIRECT_VALUE_BYTES, emitSlotOps } from './fd-array.ts';
import { HashMap } from './hash-map.ts';

/** The largest queue of a CPUMAP element (the kernel's sanity limit). */
const MAX_QSIZE = 16384;

/** An element's words as a command gave them: the device or queue size, and the program's descriptor (0 or less: none). */
function wordsOf(value: Uint8Array): { first: number; progFd: number } {
  const view = viewOf(value);
  return { first: view.getUint32(0, true), progFd: value.length >= 8 ? view.getInt32(4, true) : 0 };
}

/** The XDP program behind a descriptor, held; undefined for none, negative errno when it may not stand here. */
function secondProgram(env: MapEnv, fd: number, attachType: number): ProgRef | undefined | number {
  if (fd <= 0) return undefined;
  const prog = env.progFromFd(fd);
  if (prog.progType !== BPF_PROG_TYPE_XDP || prog.expectedAttachType !== attachType) return -EINVAL;
  prog.get();
  return prog;
}

function elementBytes(first: number, prog: ProgRef | undefined): Uint8Array {
  const bytes = new Uint8Array(REDIRECT_VALUE_BYTES);
  viewOf(bytes).setUint32(0, first, true);
  viewOf(bytes).setUint32(4, prog?.id ?? 0, true);
  return bytes;
}

/** DEVMAP and CPUMAP: arrays of structures. */
abstract class RedirectArrayMap extends IndexedMap {
  readonly #progs = new Map<number, ProgRef>();

  constructor(setup: MapSetup) {
    super(setup, { emit: emitSlotOps, dataBytes: setup.shape.maxEntries * REDIRECT_VALUE_BYTES });
  }

  protected override extraOps(): { redirectTarget: (key: number) => number } {
    return { redirectTarget: (key) => this.redirectTarget(key) };
  }
  /** Offset of the element {u32 ifindex or qsize, u32 program id} that bpf_redirect_map finds, or 0. */
  redirectTarget(key: number): number {
    if (key >= this.shape.maxEntries) return 0;
    const at = this.data + key * REDIRECT_VALUE_BYTES;
    return this.env.memory.view.getUint32(at, true) === 0 ? 0 : at;
  }
  /** The second program of an element, to run after the redirect. */
  programAt(key: number): ProgRef | undefined {
    return this.#progs.get(key);
  }

  protected setElement(index: number, first: number, prog: ProgRef | undefined): void {
    const old = this.#progs.get(index);
    if (prog === undefined) this.#progs.delete(index);
    else this.#progs.set(index, prog);
    this.env.memory.bytes.set(elementBytes(first, prog), this.data + index * REDIRECT_VALUE_BYTES);
    if (old !== undefined) this.env.deferFree(() => old.put());
  }
  protected override sysLookup(key: Uint8Array, value: Uint8Array): number {
    const at = this.redirectTarget(indexOf(key));
    if (at === 0) return -ENOENT;
    this.takeValue(at, value);
    return 0;
  }
  protected override sysDelete(key: Uint8Array): number {
    if (indexOf(key) >= this.shape.maxEntries) return -EINVAL;
    this.setElement(indexOf(key), 0, undefined);
    return 0;
  }
  protected override releaseElements(): void {
    for (const index of this.#progs.keys()) this.setElement(index, 0, undefined);
  }
}

/** BPF_MAP_TYPE_DEVMAP. */
export class DevMap extends RedirectArrayMap {
  protected override sysUpdate(key: Uint8Array, value: Uint8Array, flags: bigint): number {
    const index = indexOf(key);
    if (flags > BPF_EXIST) return -EINVAL;
    if (index >= this.shape.maxEntries) return -E2BIG;
    if (flags === BigInt(BPF_NOEXIST)) return -EEXIST;
    const { first: ifindex, progFd } = wordsOf(value);
    if (ifindex === 0) {
      if (progFd > 0) return -EINVAL;
      this.setElement(index, 0, undefined);
      return 0;
    }
    const prog = deviceProgram(this.env, ifindex, progFd);
    if (typeof prog === 'number') return prog;
    this.setElement(index, ifindex, prog);
    return 0;
  }
}

/** The device exists and the program may stand here: the program or undefined, else -EINVAL. */
function deviceProgram(env: MapEnv, ifindex: number, progFd: number): ProgRef | undefined | number {
  if (!env.deviceExists(ifindex)) return -EINVAL;
  try {
    return secondProgram(env, progFd, BPF_XDP_DEVMAP);
  } catch {
    return -EINVAL;
  }
}

/** BPF_MAP_TYPE_CPUMAP. */
export class CpuMap extends RedirectArrayMap {
  protected override sysUpdate(key: Uint8Array, value: Uint8Array, flags: bigint): number {
    const index = indexOf(key);
    const { first: qsize, progFd } = wordsOf(value);
    if (flags > BPF_EXIST) return -EINVAL;
    if (index >= this.shape.maxEntries) return -E2BIG;
    if (flags === BigInt(BPF_NOEXIST)) return -EEXIST;
    if (qsize > MAX_QSIZE) return -EOVERFLOW;
    if (index >= this.env.possibleCpus) return -ENODEV;
    const prog = qsize === 0 ? undefined : cpuProgram(this.env, progFd);
    if (typeof prog === 'number') return prog;
    this.setElement(index, qsize, prog);
    return 0;
  }
}

/** The program, or undefined, else a negative errno (the kernel says -ENOMEM when the program is refused, whatever the reason). */
function cpuProgram(env: MapEnv, progFd: number): ProgRef | undefined | number {
  try {
    const prog = secondProgram(env, progFd, BPF_XDP_CPUMAP);
    return typeof prog === 'number' ? -ENOMEM : prog;
  } catch {
    return -ENOMEM;
  }
}

/** BPF_MAP_TYPE_DEVMAP_HASH: devices under any u32 key. */
export class DevMapHash extends HashMap {
  readonly #progs = new Map<number, ProgRef>();

  protected override get batch(): BatchSupport {
    return {};
  }
  protected override extraOps(): { redirectTarget: (key: number) => number } {
    return { redirectTarget: (key) => this.redirectTarget(key) };
  }
  /** Offset of the element that bpf_redirect_map finds, or 0. */
  redirectTarget(key: number): number {
    const bytes = new Uint8Array(4);
    viewOf(bytes).setUint32(0, key, true);
    return this.runtime.ops.lookup(this.putKey(bytes));
  }
  /** The second program of an element. */
  programAt(key: number): ProgRef | undefined {
    return this.#progs.get(key);
  }

  protected override sysUpdate(key: Uint8Array, value: Uint8Array, flags: bigint): number {
    const { first: ifindex, progFd } = wordsOf(value);
    if (flags > BPF_EXIST || ifindex === 0) return -EINVAL;
    if (this.instance.find(this.putKey(key)) !== 0 && flags === BigInt(BPF_NOEXIST)) return -EEXIST;
    const prog = deviceProgram(this.env, ifindex, progFd);
    if (typeof prog === 'number') return prog;
    const result = this.runtime.ops.update(this.putKey(key), this.putValue(elementBytes(ifindex, prog)), flagsAsI32(0n));
    if (result !== 0) prog?.put();
    else this.#hold(indexOf(key), prog);
    return result;
  }
  #hold(key: number, prog: ProgRef | undefined): void {
    const old = this.#progs.get(key);
    if (prog === undefined) this.#progs.delete(key);
    else this.#progs.set(key, prog);
    if (old !== undefined) this.env.deferFree(() => old.put());
  }
  protected override sysDelete(key: Uint8Array): number {
    const result = super.sysDelete(key);
    if (result === 0) this.#hold(indexOf(key), undefined);
    return result;
  }
  protected override sysLookupAndDelete(): number {
    return -ENOTSUPP;
  }
  protected override releaseElements(): void {
    for (const key of this.#progs.keys()) this.#hold(key, undefined);
  }
}
