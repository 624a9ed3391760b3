// What a program is judged against: a kernel version, its configuration and architecture, and the capabilities of who loads it.
// Invariant: the default is Linux 6.18 on x86-64 with a distribution's configuration, loaded by root.
// Source: design.md section 4; Kconfig defaults of Debian's and Fedora's kernels.

import type { KernelVersion } from './versions.ts';
import { NEWEST_KERNEL, parseVersion } from './versions.ts';
import { UsageError } from '../util/errors.ts';

/** Capabilities, as the kernel splits them. CAP_SYS_ADMIN holds the others. */
export interface ProfileCaps { readonly bpf: boolean; readonly perfmon: boolean; readonly netAdmin: boolean; readonly sysAdmin: boolean }

/** The configuration that changes a verdict. */
export interface KernelConfig {
  /** Programs are compiled: helpers are inlined, tail calls may stand beside bpf-to-bpf calls. */
  readonly jit: boolean;
  /** CONFIG_HAVE_EFFICIENT_UNALIGNED_ACCESS: false makes every program strict about alignment. */
  readonly unalignedAccess: boolean;
  /** kernel.unprivileged_bpf_disabled: 0 lets anyone load SOCKET_FILTER and CGROUP_SKB programs. */
  readonly unprivilegedBpfDisabled: boolean;
  /** CPU mitigations are on: unprivileged programs are also checked under speculation. */
  readonly speculationMitigations: boolean;
  /** Lockdown mode 'integrity' or 'confidentiality' takes bpf_probe_write_user away. */
  readonly lockdown: 'none' | 'integrity' | 'confidentiality';
}

/** A kernel to be like. */
export interface Profile {
  readonly kernel: KernelVersion;
  readonly arch: 'x86-64';
  readonly config: KernelConfig;
}

export const ALL_CAPS: ProfileCaps = { bpf: true, perfmon: true, netAdmin: true, sysAdmin: true };
export const NO_CAPS: ProfileCaps = { bpf: false, perfmon: false, netAdmin: false, sysAdmin: false };

/** A distribution's configuration. */
export const DISTRIBUTION_CONFIG: KernelConfig = {
  jit: true,
  unalignedAccess: true,
  unprivilegedBpfDisabled: false,
  speculationMitigations: true,
  lockdown: 'none',
};

/** Linux 6.18, x86-64, a distribution's configuration. */
export const DEFAULT_PROFILE: Profile = { kernel: NEWEST_KERNEL, arch: 'x86-64', config: DISTRIBUTION_CONFIG };

/** The profile of a kernel version such as '6.18' or 'v6.1'. Throws UsageError when the version is not known. */
export const profileOf = (version: string): Profile => ({ ...DEFAULT_PROFILE, kernel: parseVersion(version) });

const CAP_KEYS: ReadonlyMap<string, keyof ProfileCaps> = new Map([
  ['bpf', 'bpf'],
  ['perfmon', 'perfmon'],
  ['net_admin', 'netAdmin'],
  ['sys_admin', 'sysAdmin'],
]);

/** Reads a list such as 'cap_bpf,net_admin' ('' or 'none' for none, 'all' for all). Throws UsageError on an unknown word. */
export function parseCaps(list: string): ProfileCaps {
  const words = list.split(',').map((word) => word.trim().toLowerCase().replace(/^cap_/, '')).filter((word) => word !== '' && word !== 'none');
  const caps = { ...NO_CAPS };
  for (const word of words) {
    if (word === 'all') return ALL_CAPS;
    const key = CAP_KEYS.get(word);
    if (key === undefined) throw new UsageError(`unknown capability '${word}': known are bpf, perfmon, net_admin, sys_admin, all, none`);
    caps[key] = true;
  }
  return caps.sysAdmin ? ALL_CAPS : caps;
}
