// The kernel that a command talks to: the simulated one, or with --host the running one. Nothing else in the CLI tells them apart (I9).

import { existsSync, readFileSync } from 'node:fs';
import type { BpfSyscall, Btf, SimKernelOptions } from '../src/index.ts';
import { openKernelBtf, SimKernel } from '../src/index.ts';
import { readBytes } from './files.ts';

const RUNNING_KERNEL_BTF = '/sys/kernel/btf/vmlinux';

/** Opens the kernel asked for. Throws UsageError where --host can't be had. */
export async function openKernel(host: boolean, options: SimKernelOptions = {}): Promise<BpfSyscall> {
  if (!host) return new SimKernel({ nowNs: () => process.hrtime.bigint(), ...options });
  const { openLinuxKernel } = await import('../linux/index.ts');
  return openLinuxKernel();
}

/**
 * Where CO-RE relocations find the target's types: the file given (read at once), else the running kernel's BTF if there is one. Opened when the
 * first program needs it, and once for all that do. Throws BtfError, ElfError when it can't be opened.
 */
export function kernelBtf(file: string | undefined): () => Btf | undefined {
  const bytes = file === undefined ? runningKernelBtf : readBytes(file);
  let opened: { readonly btf: Btf | undefined } | undefined;
  return () => (opened ??= { btf: openKernelBtf(bytes) }).btf;
}

const runningKernelBtf = (): Uint8Array | undefined => (existsSync(RUNNING_KERNEL_BTF) ? new Uint8Array(readFileSync(RUNNING_KERNEL_BTF)) : undefined);
