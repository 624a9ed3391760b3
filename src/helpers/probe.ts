// Reads that may fail: bpf_probe_read_* and bpf_copy_from_user.
// Invariant: a read is whole or not at all; on failure the destination is zeroed and the result is -EFAULT.
// There are no user addresses but those that the host's `readUser` knows (a kernel with no task has none, so there each of them faults).
// Source: kernel/trace/bpf_trace.c, mm/maccess.c; design.md section 4.

import { EFAULT } from '../spec/errno.ts';
import type { HelperHost } from '../vm/host.ts';
import { KERNEL_BASE, PAGE_BYTES, toOffset } from '../vm/memory.ts';
import { helper } from './define.ts';

/** First address above user space on x86-64 (TASK_SIZE_MAX). */
export const USER_END = 0x7fff_ffff_f000n;

type Read = (host: HelperHost, addr: bigint, sizeBytes: number) => Uint8Array | undefined;

/** A copy of kernel memory, or undefined where any byte of it isn't kernel memory. */
export function readKernel(host: HelperHost, addr: bigint, sizeBytes: number): Uint8Array | undefined {
  const { bytes } = host.memory;
  const offset = toOffset(addr);
  if (addr >> 32n !== KERNEL_BASE >> 32n || offset < PAGE_BYTES || offset + sizeBytes > bytes.length) return undefined;
  return bytes.slice(offset, offset + sizeBytes);
}

/** A copy of the current task's memory, or undefined where it has none. */
export const readUser: Read = (host, addr, sizeBytes) => (addr + BigInt(sizeBytes) > USER_END ? undefined : host.readUser?.(addr, sizeBytes));

/** What the old helpers do, which don't say which of the two they mean. */
const readEither: Read = (host, addr, sizeBytes) => (addr < USER_END ? readUser : readKernel)(host, addr, sizeBytes);

function copyIn(host: HelperHost, dst: number, size: number, source: Uint8Array | undefined): number {
  if (source === undefined) host.memory.bytes.fill(0, dst, dst + size);
  else host.memory.bytes.set(source, dst);
  return source === undefined ? -EFAULT : 0;
}

/** The bytes of a string with its NUL, at most `limit`; cut strings lose their last byte to the NUL. Undefined on a fault before the NUL. */
export function readString(host: HelperHost, read: Read, addr: bigint, limit: number): Uint8Array | undefined {
  const text = new Uint8Array(limit);
  for (let length = 0; length < limit; length++) {
    const byte = read(host, addr + BigInt(length), 1)?.[0];
    if (byte === undefined) return undefined;
    text[length] = byte;
    if (byte === 0) return text.subarray(0, length + 1);
  }
  text[limit - 1] = 0;
  return text;
}

function copyString(host: HelperHost, dst: number, size: number, read: Read, addr: bigint): number {
  if (size === 0) return 0;
  const text = readString(host, read, addr, size);
  const failed = copyIn(host, dst, text === undefined ? size : text.length, text);
  return text === undefined ? failed : text.length;
}

const probeRead = (name: string, read: Read) =>
  helper(name, ['ptr', 'u32', 'u64'], 's32', (host, dst, size, addr) => copyIn(host, dst, size, read(host, addr, size)));

const probeReadStr = (name: string, read: Read) =>
  helper(name, ['ptr', 'u32', 'u64'], 's32', (host, dst, size, addr) => copyString(host, dst, size, read, addr));

export const probeReadKernel = probeRead('bpf_probe_read_kernel', readKernel);
export const probeReadUser = probeRead('bpf_probe_read_user', readUser);
export const probeReadAny = probeRead('bpf_probe_read', readEither);
export const copyFromUser = probeRead('bpf_copy_from_user', readUser);
export const probeReadKernelStr = probeReadStr('bpf_probe_read_kernel_str', readKernel);
export const probeReadUserStr = probeReadStr('bpf_probe_read_user_str', readUser);
export const probeReadStrAny = probeReadStr('bpf_probe_read_str', readEither);
