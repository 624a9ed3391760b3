// For tests: assembles a program and verifies it with all capabilities, against a few maps that stand for file descriptors 10 and up.

import { assemble } from '../asm/assemble.ts';
import type { Program } from '../insn/insn.ts';
import { BPF_F_RDONLY_PROG, BPF_MAP_TYPE_ARRAY, BPF_MAP_TYPE_HASH } from '../spec/map-types.ts';
import { BPF_PROG_TYPE_XDP } from '../spec/prog-types.ts';
import type { VerifierMap, VerifierOptions, VerifyResult } from './api.ts';
import { verifyProgram } from './verify.ts';

const map = (id: number, mapType: number, keySize: number, valueSize: number, maxEntries: number, more: Partial<VerifierMap> = {}): VerifierMap =>
  ({ id, name: `m${id}`, mapType, keySize, valueSize, maxEntries, mapFlags: 0, ...more });

/** fd 10: hash of 8-byte keys, 48-byte values. 11: array of one 48-byte value. 12: the same, read-only and frozen, byte i of the value is i. */
export const TEST_MAPS: ReadonlyMap<number, VerifierMap> = new Map([
  [10, map(10, BPF_MAP_TYPE_HASH, 8, 48, 16)],
  [11, map(11, BPF_MAP_TYPE_ARRAY, 4, 48, 1)],
  [12, map(12, BPF_MAP_TYPE_ARRAY, 4, 48, 1, {
    mapFlags: BPF_F_RDONLY_PROG,
    readFrozen: (offset, sizeBytes) => {
      let value = 0n;
      for (let i = sizeBytes - 1; i >= 0; i--) value = (value << 8n) | BigInt(offset + i);
      return value;
    },
  })],
]);

/** The program of some assembly text in the kernel's dialect. */
export function testProgram(text: string, type = BPF_PROG_TYPE_XDP, more: Partial<Program> = {}): Program {
  const { insns } = assemble(text);
  return { name: 'test', type, expectedAttachType: 0, insns, license: 'GPL', flags: 0, funcInfo: [], lineInfo: [], ...more };
}

/** Options of a privileged load on 6.18. */
export const testOptions = (more: Partial<VerifierOptions> = {}): VerifierOptions => ({
  caps: { bpf: true, perfmon: true, netAdmin: true, sysAdmin: true }, kernel: 6018, logLevel: 0, mapByFd: (fd) => TEST_MAPS.get(fd), ...more,
});

/** Verifies assembly text as an XDP program (or another type). */
export const verifyText = (text: string, type = BPF_PROG_TYPE_XDP, more: Partial<VerifierOptions> = {}): VerifyResult =>
  verifyProgram(testProgram(text, type), testOptions(more));
