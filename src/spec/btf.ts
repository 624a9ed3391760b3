// The BTF format's numbers: magic, kinds, int encodings, linkages, and the kinds of CO-RE relocation.
// Invariant: names as in uapi/linux/btf.h and uapi/linux/bpf.h `enum bpf_core_relo_kind`, Linux 6.18.
// Sizes are bytes of what follows the 12-byte `struct btf_type`.

export const BTF_MAGIC = 0xeb9f;
export const BTF_VERSION = 1;
/** Bytes of `struct btf_header` and `struct btf_type`. */
export const BTF_HEADER_SIZE = 24;
export const BTF_TYPE_SIZE = 12;
export const BTF_MAX_VLEN = 0xffff;
/** Deepest chain of typedefs and modifiers that is followed (libbpf MAX_RESOLVE_DEPTH). */
export const BTF_MAX_RESOLVE_DEPTH = 32;

export const BTF_KIND_UNKN = 0;
export const BTF_KIND_INT = 1;
export const BTF_KIND_PTR = 2;
export const BTF_KIND_ARRAY = 3;
export const BTF_KIND_STRUCT = 4;
export const BTF_KIND_UNION = 5;
export const BTF_KIND_ENUM = 6;
export const BTF_KIND_FWD = 7;
export const BTF_KIND_TYPEDEF = 8;
export const BTF_KIND_VOLATILE = 9;
export const BTF_KIND_CONST = 10;
export const BTF_KIND_RESTRICT = 11;
export const BTF_KIND_FUNC = 12;
export const BTF_KIND_FUNC_PROTO = 13;
export const BTF_KIND_VAR = 14;
export const BTF_KIND_DATASEC = 15;
export const BTF_KIND_FLOAT = 16;
export const BTF_KIND_DECL_TAG = 17;
export const BTF_KIND_TYPE_TAG = 18;
export const BTF_KIND_ENUM64 = 19;
export const BTF_KIND_MAX = 19;

/** A kind's name, and how many bytes follow its header: `fixed`, and `perItem` for each of vlen. */
export interface BtfKindSpec { readonly name: string; readonly id: number; readonly fixed: number; readonly perItem: number }

/** Every kind, indexed by its number; row 0 is void. */
export const BTF_KINDS = [
  { name: 'UNKNOWN', id: 0, fixed: 0, perItem: 0 },
  { name: 'INT', id: 1, fixed: 4, perItem: 0 },
  { name: 'PTR', id: 2, fixed: 0, perItem: 0 },
  { name: 'ARRAY', id: 3, fixed: 12, perItem: 0 },
  { name: 'STRUCT', id: 4, fixed: 0, perItem: 12 },
  { name: 'UNION', id: 5, fixed: 0, perItem: 12 },
  { name: 'ENUM', id: 6, fixed: 0, perItem: 8 },
  { name: 'FWD', id: 7, fixed: 0, perItem: 0 },
  { name: 'TYPEDEF', id: 8, fixed: 0, perItem: 0 },
  { name: 'VOLATILE', id: 9, fixed: 0, perItem: 0 },
  { name: 'CONST', id: 10, fixed: 0, perItem: 0 },
  { name: 'RESTRICT', id: 11, fixed: 0, perItem: 0 },
  { name: 'FUNC', id: 12, fixed: 0, perItem: 0 },
  { name: 'FUNC_PROTO', id: 13, fixed: 0, perItem: 8 },
  { name: 'VAR', id: 14, fixed: 4, perItem: 0 },
  { name: 'DATASEC', id: 15, fixed: 0, perItem: 12 },
  { name: 'FLOAT', id: 16, fixed: 0, perItem: 0 },
  { name: 'DECL_TAG', id: 17, fixed: 4, perItem: 0 },
  { name: 'TYPE_TAG', id: 18, fixed: 0, perItem: 0 },
  { name: 'ENUM64', id: 19, fixed: 0, perItem: 12 },
] as const satisfies readonly BtfKindSpec[];

export const BTF_INT_SIGNED = 1;
export const BTF_INT_CHAR = 2;
export const BTF_INT_BOOL = 4;

export const BTF_FUNC_STATIC = 0;
export const BTF_FUNC_GLOBAL = 1;
export const BTF_FUNC_EXTERN = 2;

export const BTF_VAR_STATIC = 0;
export const BTF_VAR_GLOBAL_ALLOCATED = 1;
export const BTF_VAR_GLOBAL_EXTERN = 2;

export const BPF_CORE_FIELD_BYTE_OFFSET = 0;
export const BPF_CORE_FIELD_BYTE_SIZE = 1;
export const BPF_CORE_FIELD_EXISTS = 2;
export const BPF_CORE_FIELD_SIGNED = 3;
export const BPF_CORE_FIELD_LSHIFT_U64 = 4;
export const BPF_CORE_FIELD_RSHIFT_U64 = 5;
export const BPF_CORE_TYPE_ID_LOCAL = 6;
export const BPF_CORE_TYPE_ID_TARGET = 7;
export const BPF_CORE_TYPE_EXISTS = 8;
export const BPF_CORE_TYPE_SIZE = 9;
export const BPF_CORE_ENUMVAL_EXISTS = 10;
export const BPF_CORE_ENUMVAL_VALUE = 11;
export const BPF_CORE_TYPE_MATCHES = 12;

/** libbpf's word for each kind of CO-RE relocation, by number. */
export const BPF_CORE_RELO_KINDS = [
  'byte_off', 'byte_sz', 'field_exists', 'signed', 'lshift_u64', 'rshift_u64', 'local_type_id',
  'target_type_id', 'type_exists', 'type_size', 'enumval_exists', 'enumval_value', 'type_matches',
] as const;

/** What libbpf puts in place of an instruction whose relocation failed: a call of this helper ("bad relo"). */
export const BPF_CORE_POISON_IMM = 195896080;
