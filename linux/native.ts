// The narrow passage to native code: system calls with a pointer to an attribute block, through koffi.
// Invariant: every buffer that the kernel reads or writes lies in one arena allocated outside JavaScript's heap, so nothing moves
// under a system call; the arena is emptied before each call. This file is koffi's only importer.
// Source: bpf(2), syscall(2); numbers are per architecture (asm/unistd.h).

import { UsageError } from '../src/util/errors.ts';

const ARENA_BYTES = 40 * 1024 * 1024;

/** bpf(2)'s system-call number by Node's `process.arch`. */
const SYS_BPF: Readonly<Record<string, number>> = { x64: 321, arm64: 280, riscv64: 280, loong64: 280, s390x: 351, ppc64: 361 };

/** A place in the arena: its address for the kernel, its bytes for us. */
export interface NativeBuffer { readonly address: bigint; readonly bytes: Uint8Array }

/** System calls and the arena. One per process is enough; not re-entrant. */
export interface Native {
  /** Forgets all buffers of the previous call. */
  reset(): void;
  /** A buffer of `sizeBytes`, 8-aligned and zeroed unless `zero` is false (then only its first byte is). UsageError past the arena's 40 MiB. */
  buffer(sizeBytes: number, zero?: boolean): NativeBuffer;
  /** bpf(cmd, attr, size): the result, or -errno. */
  bpf(command: number, attr: NativeBuffer): number;
  /** close(fd): 0 or -errno. */
  close(fd: number): number;
}

/** Loads koffi and libc. Throws UsageError, saying why, where there is no Linux kernel or no koffi. */
export async function loadNative(): Promise<Native> {
  const sysBpf = SYS_BPF[process.arch];
  if (process.platform !== 'linux' || sysBpf === undefined) {
    throw new UsageError(`--host needs a Linux kernel; this is ${process.platform} on ${process.arch}`);
  }
  const koffi = await importKoffi();
  const libc = koffi.load('libc.so.6');
  const syscall = libc.func('long syscall(long number, long command, uint64_t attr, long size)');
  const closeFd = libc.func('int close(int fd)');
  const pointer: unknown = koffi.alloc('uint8_t', ARENA_BYTES);
  const base = BigInt(koffi.address(pointer));
  const arena = koffi.view(pointer, ARENA_BYTES);
  let used = 0;

  const buffer = (sizeBytes: number, zero = true): NativeBuffer => {
    if (used + sizeBytes > ARENA_BYTES) throw new UsageError(`a bpf() call with more than ${ARENA_BYTES} bytes of buffers`);
    const bytes = new Uint8Array(arena, used, sizeBytes);
    const address = base + BigInt(used);
    used += (sizeBytes + 15) & ~7;
    bytes.fill(0, 0, zero ? sizeBytes : 1);
    return { address, bytes };
  };
  return {
    reset: () => {
      used = 0;
    },
    buffer,
    bpf: (command, attr) => {
      const result = Number(syscall(sysBpf, command, attr.address, attr.bytes.length));
      return result < 0 ? -koffi.errno() : result;
    },
    close: (fd) => (closeFd(fd) < 0 ? -koffi.errno() : 0),
  };
}

async function importKoffi(): Promise<typeof import('koffi')['default']> {
  try {
    return (await import('koffi')).default;
  } catch {
    throw new UsageError("--host needs the optional package 'koffi', which is not installed: npm install koffi");
  }
}
