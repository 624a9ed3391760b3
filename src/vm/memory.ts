// The one linear memory of a kernel: everything that a BPF program can touch lies in it.
// Invariant: a kernel address is KERNEL_BASE | offset; the first 64 KiB are never handed out, so offset 0 means NULL.
// Growing detaches views: never keep `view` or `bytes` across anything that can allocate. Offsets are unsigned 32-bit numbers.
// Source: design.md section 4, "One linear memory".

import { BpfSyscallError } from '../util/errors.ts';
import { ENOMEM } from '../spec/errno.ts';

/** The direct-map base of x86-64 Linux; programs that print pointers see addresses of the usual look. */
export const KERNEL_BASE = 0xffff_8880_0000_0000n;
/** The high half of every kernel address. */
export const KERNEL_BASE_HI = 0xffff_8880;
export const PAGE_BYTES = 65536;
const MAX_PAGES = 65536;

/** The 64-bit kernel address of an offset; 0 stays NULL. */
export const toAddr = (offset: number): bigint => (offset === 0 ? 0n : KERNEL_BASE | BigInt(offset >>> 0));
/** The memory offset of a kernel address (its low 32 bits). */
export const toOffset = (addr: bigint): number => Number(addr & 0xffff_ffffn);

/** How a kernel's memory is made: `shared` for worker threads (needs a maximum), sizes in 64 KiB pages. */
export interface MemoryOptions { readonly shared?: boolean; readonly initialPages?: number; readonly maximumPages?: number }

/** Linear memory with an allocator: power-of-two size classes from 16 bytes up, freed blocks are reused by class, large blocks whole. */
export class KernelMemory {
  readonly memory: WebAssembly.Memory;
  readonly shared: boolean;
  readonly #maximumPages: number;
  #view: DataView;
  #bytes: Uint8Array;
  #next = PAGE_BYTES;
  readonly #free = new Map<number, number[]>();

  constructor(options: MemoryOptions = {}) {
    this.shared = options.shared ?? false;
    this.#maximumPages = Math.min(options.maximumPages ?? MAX_PAGES, MAX_PAGES);
    const initial = options.initialPages ?? 16;
    this.memory = new WebAssembly.Memory({ initial, maximum: this.#maximumPages, shared: this.shared });
    this.#view = new DataView(this.memory.buffer);
    this.#bytes = new Uint8Array(this.memory.buffer);
  }

  /** A view of the whole memory, fetched anew after growth. Little-endian accesses only. */
  get view(): DataView {
    if (this.shared) this.#fetchViews();
    return this.#view;
  }

  /** The whole memory as bytes, fetched anew after growth. */
  get bytes(): Uint8Array {
    if (this.shared) this.#fetchViews();
    return this.#bytes;
  }

  /** Only this object grows a plain memory, and says so below; a shared one may grow in any worker. Asking `buffer` costs more than a program. */
  #fetchViews(): void {
    const { buffer } = this.memory;
    if (this.#view.buffer === buffer) return;
    this.#view = new DataView(buffer);
    this.#bytes = new Uint8Array(buffer);
  }

  /** A zeroed block of at least `sizeBytes`, aligned to `alignBytes` (a power of two up to 64 KiB). Throws BpfSyscallError ENOMEM past 4 GiB. */
  alloc(sizeBytes: number, alignBytes = 8): number {
    const size = blockBytes(sizeBytes, alignBytes);
    const reused = this.#free.get(size)?.pop();
    if (reused !== undefined) {
      this.bytes.fill(0, reused, reused + size);
      return reused;
    }
    const start = Math.ceil(this.#next / Math.min(size, PAGE_BYTES)) * Math.min(size, PAGE_BYTES);
    this.#reserve(start + size);
    this.#next = start + size;
    return start;
  }

  /** Gives a block back; `sizeBytes` and `alignBytes` as given to `alloc`. */
  free(offset: number, sizeBytes: number, alignBytes = 8): void {
    const size = blockBytes(sizeBytes, alignBytes);
    const list = this.#free.get(size);
    if (list === undefined) this.#free.set(size, [offset]);
    else list.push(offset);
  }

  #reserve(end: number): void {
    const have = this.memory.buffer.byteLength;
    if (end <= have) return;
    const wantPages = Math.ceil((end - have) / PAGE_BYTES);
    const roomPages = this.#maximumPages - have / PAGE_BYTES;
    if (wantPages > roomPages) throw outOfMemory(end);
    const generousPages = Math.min(Math.max(wantPages, Math.floor(have / PAGE_BYTES / 2)), roomPages);
    try {
      this.memory.grow(generousPages);
    } catch {
      throw outOfMemory(end);
    }
    this.#fetchViews();
  }
}

const outOfMemory = (end: number): BpfSyscallError =>
  new BpfSyscallError('memory', ENOMEM, `Cannot allocate memory: ${Math.ceil(end / 2 ** 20)} MiB wanted in all, a kernel's memory holds at most 4096 MiB`);

/** Small blocks go to powers of two so that freed ones are found again; from 64 KiB on, to whole pages. */
function blockBytes(sizeBytes: number, alignBytes: number): number {
  const wanted = Math.max(sizeBytes, alignBytes, 16);
  if (wanted >= PAGE_BYTES) return Math.ceil(wanted / PAGE_BYTES) * PAGE_BYTES;
  return 2 ** Math.ceil(Math.log2(wanted));
}
