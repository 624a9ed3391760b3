// Kernel versions as numbers that compare: major × 1000 + minor, so 6.18 is 6018 and 4.9 < 4.10.
// Source: kernel.org's list of releases; the newest known is the profile's default.

import { UsageError } from '../util/errors.ts';

/** major × 1000 + minor: 3018 … 6018. */
export type KernelVersion = number;

/** The version that bpfkit models in full. */
export const NEWEST_KERNEL: KernelVersion = 6018;
/** The first version with bpf(2). */
export const OLDEST_KERNEL: KernelVersion = 3018;

/** The last minor release of each major one, as far as bpfkit knows them. */
const LAST_MINOR: ReadonlyMap<number, number> = new Map([[3, 19], [4, 20], [5, 19], [6, 18]]);

/** '6.18' of 6018. */
export const formatVersion = (version: KernelVersion): string => `${Math.floor(version / 1000)}.${version % 1000}`;

/** True for the versions with bpf(2) that bpfkit has facts about: 3.18 … 6.18. */
export function isKnownVersion(version: KernelVersion): boolean {
  const last = LAST_MINOR.get(Math.floor(version / 1000));
  return version >= OLDEST_KERNEL && last !== undefined && version % 1000 <= last;
}

/** Reads '6.18', 'v6.1' or '6.1.55' (the patch level is ignored). Throws UsageError on anything else and on versions not known. */
export function parseVersion(text: string): KernelVersion {
  const match = /^v?(\d+)\.(\d{1,3})(?:\.\d+)?$/.exec(text.trim());
  const version = match === null ? Number.NaN : Number(match[1]) * 1000 + Number(match[2]);
  if (isKnownVersion(version)) return version;
  throw new UsageError(`unknown kernel version '${text}': known are ${formatVersion(OLDEST_KERNEL)} to ${formatVersion(NEWEST_KERNEL)}, written like 6.18`);
}
