// How BPF objects use ELF: relocation types and the sections with a meaning of their own.
// Source: Documentation/bpf/llvm_reloc.rst; RFC 9669's companion psABI draft; libbpf's section names.

export const R_BPF_NONE = 0;
/** LDDW: map, variable or function address. */
export const R_BPF_64_64 = 1;
/** 8 bytes of data. */
export const R_BPF_64_ABS64 = 2;
/** 4 bytes of data. */
export const R_BPF_64_ABS32 = 3;
/** 4 bytes in .BTF and .BTF.ext, which tools but the linker leave alone. */
export const R_BPF_64_NODYLD32 = 4;
/** The imm of a call. */
export const R_BPF_64_32 = 10;

/** Names of the relocation types, for messages. */
export const R_BPF_NAMES: ReadonlyMap<number, string> = new Map([
  [R_BPF_NONE, 'R_BPF_NONE'], [R_BPF_64_64, 'R_BPF_64_64'], [R_BPF_64_ABS64, 'R_BPF_64_ABS64'], [R_BPF_64_ABS32, 'R_BPF_64_ABS32'],
  [R_BPF_64_NODYLD32, 'R_BPF_64_NODYLD32'], [R_BPF_64_32, 'R_BPF_64_32'],
]);

/** Bytes of libbpf's `struct bpf_map_def` (legacy "maps" sections) and of iproute2's `struct bpf_elf_map`. */
export const BPF_MAP_DEF_SIZE = 20;
export const BPF_ELF_MAP_SIZE = 36;

/** libbpf's `enum libbpf_pin_type`. */
export const LIBBPF_PIN_NONE = 0;
export const LIBBPF_PIN_BY_NAME = 1;
