// File descriptors of a simulated kernel: small numbers that refer to maps, programs, BTF objects and events.
// Invariant: an open descriptor is one reference; what it refers to lives while anything else (a program, an outer map) holds it too.
// Source: kernel/bpf/syscall.c bpf_map_put, bpf_prog_put.

import { EBADF, EINVAL } from '../spec/errno.ts';
import { BpfSyscallError } from '../util/errors.ts';

/** Something that descriptors refer to, with its own count of references. */
export interface KernelObject {
  readonly id: number;
  get(): void;
  put(): void;
}

/** What kinds of objects a descriptor can mean. */
export type ObjectKind = 'map' | 'prog' | 'btf' | 'perf_event' | 'xsk';

interface Entry { readonly kind: ObjectKind; readonly object: KernelObject }

const FIRST_FD = 3;

/** The table of one kernel. Descriptors are reused lowest first, as Linux does. */
export class FileDescriptors {
  readonly #open = new Map<number, Entry>();

  /** A new descriptor that takes over the caller's reference. */
  open(kind: ObjectKind, object: KernelObject): number {
    let fd = FIRST_FD;
    while (this.#open.has(fd)) fd++;
    this.#open.set(fd, { kind, object });
    return fd;
  }

  /** The object behind a descriptor. EBADF when it isn't open, EINVAL when it is of another kind, as the kernel. */
  get(command: string, fd: number, kind: ObjectKind): KernelObject {
    const entry = this.#open.get(fd);
    if (entry === undefined) throw new BpfSyscallError(command, EBADF, `EBADF: file descriptor ${fd} is not open`);
    if (entry.kind !== kind) throw new BpfSyscallError(command, EINVAL, `EINVAL: file descriptor ${fd} is a ${entry.kind}, not a ${kind}`);
    return entry.object;
  }

  /** The object if the descriptor is open and of this kind. */
  find(fd: number, kind: ObjectKind): KernelObject | undefined {
    const entry = this.#open.get(fd);
    return entry?.kind === kind ? entry.object : undefined;
  }

  /** Whether anything is open there; 0, 1 and 2 are the process's standard streams, which aren't BPF objects. */
  isOpen(fd: number): boolean {
    return (fd >= 0 && fd < FIRST_FD) || this.#open.has(fd);
  }

  /** Closes a descriptor; one that isn't open is passed over, as callers can do nothing about EBADF. */
  close(fd: number): void {
    const entry = this.#open.get(fd);
    if (entry === undefined) return;
    this.#open.delete(fd);
    entry.object.put();
  }
}
