// One eBPF instruction slot and what a program is before it is verified.
// Invariant: an `Insn` is one 8-byte slot as in the file; a 64-bit immediate load (LDDW) takes two slots, the second all zero but `imm`.
// Source: RFC 9669 section 3; uapi/linux/bpf.h `struct bpf_insn`.

/** An 8-byte slot: opcode 0–255, registers 0–15 as encoded, signed 16-bit offset, signed 32-bit immediate. */
export interface Insn {
  readonly code: number;
  readonly dst: number;
  readonly src: number;
  readonly off: number;
  readonly imm: number;
}

/** `struct bpf_func_info`: the function that starts at slot `insnOff` has BTF type `typeId`. */
export interface FuncInfo { readonly insnOff: number; readonly typeId: number }

/** `struct bpf_line_info`, with its strings as offsets into the BTF: file, source line, line and column numbers from 1. */
export interface LineInfo {
  readonly insnOff: number;
  readonly fileNameOff: number;
  readonly lineOff: number;
  readonly line: number;
  readonly column: number;
}

/** A program as BPF_PROG_LOAD is given it: relocated, map references as file descriptors, unverified. */
export interface Program {
  readonly name: string;
  /** BPF_PROG_TYPE_* */
  readonly type: number;
  /** BPF_* attach type, 0 where the type has none. */
  readonly expectedAttachType: number;
  readonly insns: readonly Insn[];
  readonly license: string;
  /** BPF_F_* load flags. */
  readonly flags: number;
  readonly funcInfo: readonly FuncInfo[];
  readonly lineInfo: readonly LineInfo[];
}
