// Reads that may fail: bpf_probe_read_* and bpf_copy_from_user.
// Invariant: a read is whole or not at all; on failure the destination is zeroed. Addresses that can't be the kernel's are -ERANGE for a kernel
// read, all others that aren't memory -EFAULT. There are no user addresses but those that the host's `readUser` knows (a kernel with no task has
// none, so there each of them faults).
// Source: kernel/trace/bpf_trace.c, mm/maccess.c, arch/x86/mm/maccess.c; design.md section 4.

import { EFAULT, ERANGE } from '../spec/errno.ts';
import type { HelperHost } from '../vm/host.ts';
import { KERNEL_BASE, PAGE_BYTES, toOffset } from '../vm/memory.ts';
import { helper } from './define.ts';

/** First address above user space on x86-64 (TASK_SIZE_MAX). */
export const USER_END = 0x7fff_ffff_f000n;
/** First canonical address of the kernel's half. */
const KERNEL_HALF = 0xffff_8000_0000_0000n;

/** A copy of `sizeBytes` bytes at an address, or a negative errno. */
type Read = (host: HelperHost, addr: bigint, sizeBytes: number) => Uint8Array | number;

/** A copy of kernel memory; -ERANGE for addresses outside the kernel's half, -EFAULT where a byte isn't mapped. */
export const readKernel: Read = (host, addr, sizeBytes) => {
  const { bytes } = host.memory;
  const offset = toOffset(addr);
  if (addr < KERNEL_HALF) return -ERANGE;
  if (addr >> 32n !== KERNEL_BASE >> 32n || offset < PAGE_BYTES || offset + sizeBytes > bytes.length) return -EFAULT;
  return bytes.slice(offset, offset + sizeBytes);
};

/** A copy of the current task's memory, or -EFAULT where it has none. */
export const readUser: Read = (host, addr, sizeBytes) => {
  if (addr + BigInt(sizeBytes) > USER_END) return -EFAULT;
  return sizeBytes === 0 ? new Uint8Array(0) : (host.readUser?.(addr, sizeBytes) ?? -EFAULT);
};

/** What the old helpers do, which don't say which of the two they mean. */
const readEither: Read = (host, addr, sizeBytes) => (addr < USER_END ? readUser : readKernel)(host, addr, sizeBytes);

function copyIn(host: HelperHost, dst: number, size: number, source: Uint8Array | number): number {
  if (typeof source === 'number') {
    host.memory.bytes.fill(0, dst, dst + size);
    return source;
  }
  host.memory.bytes.set(source, dst);
  return source.length;
}

/** The bytes of a string with its NUL, at most `limit`, the last of which becomes the NUL of a cut string; or a negative errno. */
export function readString(host: HelperHost, read: Read, addr: bigint, limit: number): Uint8Array | number {
  const text = new Uint8Array(limit);
  for (let length = 0; length < limit; length++) {
    const byte = read(host, addr + BigInt(length), 1);
    if (typeof byte === 'number') return byte;
    text[length] = byte[0] as number;
    if (text[length] === 0) return text.subarray(0, length + 1);
  }
  text[limit - 1] = 0;
  return text;
}

const probeRead = (name: string, read: Read) =>
  helper(name, ['ptr', 'u32', 'u64'], 's32', (host, dst, size, addr) => Math.min(copyIn(host, dst, size, read(host, addr, size)), 0));

const probeReadStr = (name: string, read: Read) =>
  helper(name, ['ptr', 'u32', 'u64'], 's32', (host, dst, size, addr) =>
    (size === 0 ? 0 : copyIn(host, dst, size, readString(host, read, addr, size))));

export const probeReadKernel = probeRead('bpf_probe_read_kernel', readKernel);
export const probeReadUser = probeRead('bpf_probe_read_user', readUser);
export const probeReadAny = probeRead('bpf_probe_read', readEither);
export const copyFromUser = probeRead('bpf_copy_from_user', readUser);
export const probeReadKernelStr = probeReadStr('bpf_probe_read_kernel_str', readKernel);
export const probeReadUserStr = probeReadStr('bpf_probe_read_user_str', readUser);
export const probeReadStrAny = probeReadStr('bpf_probe_read_str', readEither);
