// File descriptors of a simulated kernel: small numbers that refer to maps, programs and BTF objects.
// Invariant: an object lives while anything refers to it (a descriptor, a program using a map, an element of a map-in-map);
// when the last reference goes, its `release` runs once. Source: kernel/bpf/syscall.c bpf_map_put, bpf_prog_put.

import { EBADF, EINVAL } from '../spec/errno.ts';
import { BpfSyscallError } from '../util/errors.ts';

/** Something with an id that descriptors and other objects refer to. */
export interface KernelObject {
  readonly kind: 'map' | 'prog' | 'btf';
  readonly id: number;
  /** Called when the last reference goes. */
  release(): void;
}

const FIRST_FD = 3;

/** The table of one kernel. Descriptors are reused lowest first, ids never. */
export class FileDescriptors {
  readonly #open = new Map<number, KernelObject>();
  readonly #references = new Map<KernelObject, number>();

  /** A new descriptor for the object, which it keeps alive. */
  open(object: KernelObject): number {
    let fd = FIRST_FD;
    while (this.#open.has(fd)) fd++;
    this.#open.set(fd, object);
    this.hold(object);
    return fd;
  }

  /** Adds a reference that is no descriptor. */
  hold(object: KernelObject): void {
    this.#references.set(object, (this.#references.get(object) ?? 0) + 1);
  }

  /** Drops a reference; the last one releases the object. */
  drop(object: KernelObject): void {
    const left = (this.#references.get(object) ?? 1) - 1;
    if (left > 0) {
      this.#references.set(object, left);
      return;
    }
    this.#references.delete(object);
    object.release();
  }

  /** The object behind a descriptor. EBADF when it isn't open, EINVAL when it is of another kind (as the kernel). */
  get<K extends KernelObject>(command: string, fd: number, kind: K['kind']): K {
    const object = this.#open.get(fd);
    if (object === undefined) throw new BpfSyscallError(command, EBADF, `EBADF: file descriptor ${fd} is not open`);
    if (object.kind !== kind) throw new BpfSyscallError(command, EINVAL, `EINVAL: file descriptor ${fd} is a ${object.kind}, not a ${kind}`);
    return object as K;
  }

  /** The object if the descriptor is open and of this kind. */
  find<K extends KernelObject>(fd: number, kind: K['kind']): K | undefined {
    const object = this.#open.get(fd);
    return object?.kind === kind ? (object as K) : undefined;
  }

  /** Every live object of a kind. */
  *objects(): Iterable<KernelObject> {
    yield* this.#references.keys();
  }

  /** Closes a descriptor; closing one that isn't open does nothing, as close(2)'s EBADF is of no use to callers here. */
  close(fd: number): void {
    const object = this.#open.get(fd);
    if (object === undefined) return;
    this.#open.delete(fd);
    this.drop(object);
  }
}
