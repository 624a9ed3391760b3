// What an object file says, before any kernel is asked: programs, maps, variables, types.
// Invariant I4: pure data, the same for the same bytes on every host; nothing here is changed after `openObject`.

import type { Btf } from '../btf/btf.ts';
import type { CoreRelo } from '../btf/ext.ts';
import type { FuncInfo, Insn, LineInfo } from '../insn/insn.ts';

/** An element that a map of maps or of programs starts with: slot `index` holds the map or program `name`. */
export interface MapSlot { readonly index: number; readonly target: 'map' | 'prog'; readonly name: string }

/** A map. Sizes in bytes; type ids refer to the object's BTF, 0 where there are none. */
export interface MapSpec {
  /** The name in the source; `.rodata`, `.data.x`, `.bss` for global variables. */
  readonly name: string;
  /** The name that the kernel is given: 15 characters at most. */
  readonly kernelName: string;
  /** ELF section that defines it. */
  readonly section: string;
  /** Where it comes from: a definition in the source, or a section of global variables. */
  readonly origin: 'defined' | 'legacy' | 'data' | 'rodata' | 'bss';
  /** BPF_MAP_TYPE_* */
  readonly type: number;
  readonly keySize: number;
  readonly valueSize: number;
  readonly maxEntries: number;
  /** BPF_F_* of BPF_MAP_CREATE. */
  readonly flags: number;
  readonly numaNode: number;
  readonly mapExtra: bigint;
  readonly keyTypeId: number;
  readonly valueTypeId: number;
  /** LIBBPF_PIN_* */
  readonly pinning: number;
  /** The template of a map in map. */
  readonly inner?: MapSpec;
  /** Initial elements of maps of maps and of programs. */
  readonly slots: readonly MapSlot[];
  /** The value of element 0 for global variables. */
  readonly contents?: Uint8Array;
  /** BPF_MAP_FREEZE after filling (.rodata). */
  readonly frozen: boolean;
}

/** A place in a program that needs a file descriptor or an outside symbol. `insnIdx` counts slots from the program's start. */
export type ProgramRelocation =
  | { readonly kind: 'map'; readonly insnIdx: number; readonly map: string }
  | { readonly kind: 'map_value'; readonly insnIdx: number; readonly map: string; readonly offset: number }
  | { readonly kind: 'extern'; readonly insnIdx: number; readonly name: string; readonly section: string; readonly weak: boolean };

/** A CO-RE relocation of a program, at slot `insnIdx`. */
export interface ProgramCoreRelo extends CoreRelo { readonly insnIdx: number }

/** A function inside a program: slots [insnOff, insnOff + insnCnt). The first is the program itself. */
export interface SubprogSpec { readonly name: string; readonly insnOff: number; readonly insnCnt: number }

/** A program with the subprograms that it needs appended, calls resolved; map references and CO-RE relocations still open. */
export interface ProgramSpec {
  readonly name: string;
  /** The ELF section, without libbpf's leading `?`. */
  readonly section: string;
  /** BPF_PROG_TYPE_*; BPF_PROG_TYPE_UNSPEC when the section's name says nothing. */
  readonly type: number;
  readonly expectedAttachType: number;
  /** What follows the type in the section's name (`tcp_v4_connect` in `kprobe/tcp_v4_connect`), '' if nothing. */
  readonly attachTo: string;
  /** `attachTo` is looked up in the kernel's BTF when the program is loaded (fentry, lsm, tp_btf, iter …). */
  readonly attachBtf: boolean;
  /** Load flags (BPF_F_SLEEPABLE, BPF_F_XDP_HAS_FRAGS …). */
  readonly flags: number;
  /** False for sections that start with `?`. */
  readonly autoload: boolean;
  readonly insns: readonly Insn[];
  readonly subprogs: readonly SubprogSpec[];
  readonly relocations: readonly ProgramRelocation[];
  readonly coreRelos: readonly ProgramCoreRelo[];
  readonly funcInfo: readonly FuncInfo[];
  readonly lineInfo: readonly LineInfo[];
}

/** A global variable: `size` bytes at `offset` of map `map`; `typeId` is 0 without BTF. */
export interface VariableSpec {
  readonly name: string;
  readonly map: string;
  readonly offset: number;
  readonly size: number;
  readonly typeId: number;
  readonly isStatic: boolean;
}

/** An object file. */
export interface ObjectSpec {
  readonly name: string;
  readonly license: string;
  /** The `version` section (LINUX_VERSION_CODE), 0 without one. */
  readonly kernelVersion: number;
  readonly programs: readonly ProgramSpec[];
  readonly maps: readonly MapSpec[];
  readonly variables: readonly VariableSpec[];
  /** The object's types with section sizes and variable offsets filled in. */
  readonly btf?: Btf;
  /** What was read but has no effect, in words. */
  readonly warnings: readonly string[];
}

/** The map called `name`, as in the source or in the kernel; undefined when there is none. */
export const findMap = (spec: ObjectSpec, name: string): MapSpec | undefined => spec.maps.find((m) => m.name === name) ?? spec.maps.find((m) => m.kernelName === name);

/** The program called `name`; undefined when there is none. */
export const findProgram = (spec: ObjectSpec, name: string): ProgramSpec | undefined => spec.programs.find((p) => p.name === name);
