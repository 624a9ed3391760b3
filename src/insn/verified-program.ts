// What the verifier hands to the executors: the rewritten instruction stream and what was proved about it.
// Invariant I3: executors take only this; `mintVerifiedProgram` is called from src/verifier and nowhere else (tools/layers checks it).

import type { Insn } from './insn.ts';

/** A function of the program: slots [start, end), and the deepest stack byte it touches (0–512, a multiple of 8). */
export interface VerifiedSubprog {
  readonly start: number;
  readonly end: number;
  readonly stackDepthBytes: number;
  readonly isCallback: boolean;
  readonly name: string;
}

/** What the verifier proved about one instruction; empty object where there is nothing to say. */
export interface InsnFact {
  /** Index into `maps` of the one map that a helper call or LDDW here always means. */
  readonly mapIndex?: number;
  /** For tail calls and array look-ups: the constant key. */
  readonly constantKey?: number;
  /** A load that the verifier did not prove (PROBE_MEM): it reads 0 on a bad address. */
  readonly probe?: boolean;
  /** The access may be unaligned for its width: atomics need a guard in WebAssembly, whose atomics trap. Only `false` spares it; absent is unknown. */
  readonly maybeUnaligned?: boolean;
  /** The callback's subprogram index for a call that takes a PTR_TO_FUNC. */
  readonly callbackSubprog?: number;
  /** Where a memory operand points to, if always the same. */
  readonly memory?: 'stack' | 'ctx' | 'packet' | 'map_value' | 'mem';
}

/** The parts of a verified program, as the verifier gives them to `mintVerifiedProgram`. */
export interface VerifiedParts {
  readonly name: string;
  readonly type: number;
  readonly expectedAttachType: number;
  /**
   * After fix-ups: context accesses rewritten to the kernel-side layout; LDDW of a map (src 1 or 5) keeps src BPF_PSEUDO_MAP_FD with
   * `imm` = index into `maps`; of a map value (src 2 or 6) keeps BPF_PSEUDO_MAP_VALUE, imm = index into `maps`, next imm = byte offset;
   * of a function (src 4) imm = relative offset as in the file. Calls keep src 0 (helper id), 1 (bpf-to-bpf, relative), 2 (kfunc id).
   */
  readonly insns: readonly Insn[];
  /** One per slot of `insns`. */
  readonly facts: readonly InsnFact[];
  readonly subprogs: readonly VerifiedSubprog[];
  /** Map file descriptors or ids as the program named them, in order of first use; facts and LDDW index this list. */
  readonly maps: readonly number[];
  /** The program may read stack bytes that it never wrote, so executors must zero frames. */
  readonly readsUninitStack: boolean;
  readonly gplCompatible: boolean;
  /** Raw programs only (vm/raw-program.ts): the memory offsets that any access must lie in, else Fault 'memory'. Absent: accesses were proved. */
  readonly checked?: CheckedRanges;
}

/** Offsets, `start` inclusive, `end` exclusive; r10 of the first frame is `stack.end`. The high half of an address must be KERNEL_BASE's. */
export interface CheckedRanges {
  readonly stack: { readonly start: number; readonly end: number };
  readonly memory: { readonly start: number; readonly end: number };
}

let mint: (parts: VerifiedParts) => VerifiedProgram;

/** A program that the verifier accepted. The private field makes the class nominal: no object literal passes for it. */
export class VerifiedProgram {
  readonly #verified = true;
  readonly parts: VerifiedParts;
  private constructor(parts: VerifiedParts) {
    this.parts = parts;
  }
  static {
    mint = (parts) => new VerifiedProgram(parts);
  }
  /** True for every instance; exists so that the brand is read somewhere. */
  get verified(): boolean {
    return this.#verified;
  }
}

/** Makes a VerifiedProgram. For src/verifier only, and for the named escape `bpfkit exec` (vm/raw-program.ts). */
export const mintVerifiedProgram = (parts: VerifiedParts): VerifiedProgram => mint(parts);
