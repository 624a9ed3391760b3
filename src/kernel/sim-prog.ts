// A loaded program of the simulated kernel: verified, compiled or interpreted, holding the maps that it uses.
// Source: kernel/bpf/core.c bpf_prog; syscall.c bpf_prog_load.

import type { VerifiedProgram } from '../insn/verified-program.ts';
import type { ProgRef } from '../maps/env.ts';
import type { BpfMap } from '../maps/bpf-map.ts';
import { encodeInsns } from '../insn/encode.ts';
import type { ProgInfo } from '../spec/syscall.ts';
import type { Executable } from '../vm/executor.ts';
import type { KernelObject } from './file-descriptors.ts';

/** What a program is made of. */
export interface SimProgParts {
  readonly id: number;
  readonly name: string;
  readonly verified: VerifiedProgram;
  readonly executable: Executable;
  readonly maps: readonly BpfMap[];
  readonly processedInsns: number;
}

/** What programs of one PROG_ARRAY must agree on (kernel's bpf_prog_map_owner: the type; JIT and the rest are the same for all here). */
export const compatibilityOf = (progType: number): string => `${progType}`;

/** A program with its count of references (descriptors, PROG_ARRAY elements). */
export class SimProg implements KernelObject, ProgRef {
  readonly id: number;
  readonly name: string;
  readonly verified: VerifiedProgram;
  readonly executable: Executable;
  readonly #parts: SimProgParts;
  #references = 1;

  /** Takes a reference on each map. */
  constructor(parts: SimProgParts) {
    this.#parts = parts;
    this.id = parts.id;
    this.name = parts.name;
    this.verified = parts.verified;
    this.executable = parts.executable;
    for (const map of parts.maps) map.get();
  }

  get entrySlot(): number {
    return this.executable.entrySlot;
  }
  get progType(): number {
    return this.verified.parts.type;
  }
  get expectedAttachType(): number {
    return this.verified.parts.expectedAttachType;
  }
  get compatibility(): string {
    return compatibilityOf(this.progType);
  }

  get(): void {
    this.#references++;
  }
  put(): void {
    if (--this.#references > 0) return;
    this.executable.dispose();
    for (const map of this.#parts.maps) map.put();
  }

  info(): ProgInfo {
    const { parts } = this.verified;
    return {
      type: parts.type, id: this.id, name: this.name, tag: '', xlated_insns: encodeInsns(parts.insns), map_ids: this.#parts.maps.map((map) => map.id),
      gpl_compatible: parts.gplCompatible, verified_insns: this.#parts.processedInsns,
    };
  }
}
