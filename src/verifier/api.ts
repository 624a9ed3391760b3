// The verifier's front door: what it is given and what it answers.
// Invariant: `verifyProgram` depends on nothing but its arguments; the same arguments give the same log, byte for byte.

import type { Btf } from '../btf/btf.ts';
import type { Program } from '../insn/insn.ts';
import type { VerifiedProgram } from '../insn/verified-program.ts';

/** A map as the verifier needs it; `inner` is the template of a map-in-map. */
export interface VerifierMap {
  readonly id: number;
  readonly name: string;
  readonly mapType: number;
  readonly keySize: number;
  readonly valueSize: number;
  readonly maxEntries: number;
  readonly mapFlags: number;
  readonly inner?: VerifierMap;
  /** BPF_F_RDONLY_PROG and frozen: loads at constant offsets fold to what this returns (little-endian, `sizeBytes` 1–8). */
  readonly readFrozen?: (offset: number, sizeBytes: number) => bigint;
  /** The map was created with BTF of its value (implied by the offsets below). */
  readonly hasBtf?: boolean;
  /** Byte offset of a bpf_spin_lock in the value, undefined when there is none (from the value's BTF). */
  readonly spinLockOffset?: number;
  readonly timerOffset?: number;
}

/** Capabilities, as the kernel splits them. */
export interface Capabilities { readonly bpf: boolean; readonly perfmon: boolean; readonly netAdmin: boolean; readonly sysAdmin: boolean }

/** What a program is verified against. */
export interface VerifierOptions {
  readonly caps: Capabilities;
  /** Linux version of the profile, major × 1000 + minor: 6018 by default. */
  readonly kernel: number;
  /** Possible CPUs of the machine (nr_cpu_ids): bounds what bpf_get_smp_processor_id returns. 2 by default. */
  readonly cpuCount?: number;
  /** BPF_LOG_LEVEL1 1, LEVEL2 2, STATS 4 */
  readonly logLevel: number;
  /** The map behind a file descriptor of the program's LDDW; 'not a map' (-EINVAL) when something else is open there, undefined (-EBADF) when nothing is. */
  readonly mapByFd: (fd: number) => VerifierMap | 'not a map' | undefined;
  /** The program's own BTF (prog_btf_fd): arguments of global functions are checked by it. */
  readonly btf?: Btf;
  /** Source line of a line-info record's offset, and a function's name by BTF type id; undefined without BTF. */
  readonly lineText?: (lineOff: number) => string;
  readonly funcName?: (typeId: number) => string | undefined;
  /** Linkage of a function's BTF: 'global' functions are verified on their own. */
  readonly funcLinkage?: (typeId: number) => 'static' | 'global' | 'extern' | undefined;
}

/** The counters of the log's last line. */
export interface VerifierStats {
  readonly processedInsns: number;
  readonly maxStatesPerInsn: number;
  readonly totalStates: number;
  readonly peakStates: number;
  readonly markReadInsns: number;
  /** `stack depth 16+8`: bytes per subprogram. */
  readonly stackDepths: readonly number[];
}

export type VerifyResult =
  | { readonly verdict: 'accept'; readonly program: VerifiedProgram; readonly log: string; readonly stats: VerifierStats }
  | {
      readonly verdict: 'reject';
      /** Positive: EACCES 13, EINVAL 22, E2BIG 7, EPERM 1 … */
      readonly errno: number;
      /** The last log line before the statistics. */
      readonly message: string;
      /** Instruction index it stopped at, -1 if none. */
      readonly insn: number;
      readonly log: string;
      readonly stats: VerifierStats;
    };

/** Verifies one program. Throws NotSupportedError for what it can't judge yet; never guesses. */
export type VerifyProgram = (prog: Program, options: VerifierOptions) => VerifyResult;
