// The machine's own kernel as the differential tests and tools ask it: from one CPU only.

import { execFileSync } from 'node:child_process';
import { openLinuxKernel, type LinuxKernel } from '../../linux/index.ts';

/**
 * Opens the running kernel and binds this process to `cpu`: test runs happen where the caller is, and per-CPU values must lie where the simulated
 * kernel's do. Throws BpfkitError where there is no kernel, and taskset's error where that can't be done.
 */
export async function openPinnedKernel(cpu = 0): Promise<LinuxKernel> {
  const kernel = await openLinuxKernel();
  execFileSync('taskset', ['-cp', String(cpu), String(process.pid)], { stdio: 'ignore' });
  return kernel;
}
