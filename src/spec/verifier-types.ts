// The verifier's types of registers, helper arguments and helper results.
// Invariant: a type is a base in the low 8 bits and flags from bit 8 up, numerically as in Linux 6.18; baseType and typeFlag take it apart.
// Source: include/linux/bpf.h `enum bpf_reg_type`, `bpf_arg_type`, `bpf_return_type`, `bpf_type_flag`; names as kernel/bpf/log.c prints them.

const BPF_BASE_TYPE_BITS = 8;
export const BPF_BASE_TYPE_MASK = 0xff;

// Flags.
/** May be NULL; must be compared with 0 before use. */
export const PTR_MAYBE_NULL = 1 << BPF_BASE_TYPE_BITS;
/** Read-only memory; of an argument: the helper only reads. */
export const MEM_RDONLY = 1 << (1 + BPF_BASE_TYPE_BITS);
export const MEM_RINGBUF = 1 << (2 + BPF_BASE_TYPE_BITS);
export const MEM_USER = 1 << (3 + BPF_BASE_TYPE_BITS);
export const MEM_PERCPU = 1 << (4 + BPF_BASE_TYPE_BITS);
/** The argument's reference is released by the call. */
export const OBJ_RELEASE = 1 << (5 + BPF_BASE_TYPE_BITS);
export const PTR_UNTRUSTED = 1 << (6 + BPF_BASE_TYPE_BITS);
/** The helper fills the memory, so it need not be initialised. */
export const MEM_UNINIT = 1 << (7 + BPF_BASE_TYPE_BITS);
export const DYNPTR_TYPE_LOCAL = 1 << (8 + BPF_BASE_TYPE_BITS);
export const DYNPTR_TYPE_RINGBUF = 1 << (9 + BPF_BASE_TYPE_BITS);
/** Memory whose size the prototype fixes (`sizes` of the helper's row). */
export const MEM_FIXED_SIZE = 1 << (10 + BPF_BASE_TYPE_BITS);
export const MEM_ALLOC = 1 << (11 + BPF_BASE_TYPE_BITS);
export const PTR_TRUSTED = 1 << (12 + BPF_BASE_TYPE_BITS);
export const MEM_RCU = 1 << (13 + BPF_BASE_TYPE_BITS);
export const NON_OWN_REF = 1 << (14 + BPF_BASE_TYPE_BITS);
export const DYNPTR_TYPE_SKB = 1 << (15 + BPF_BASE_TYPE_BITS);
export const DYNPTR_TYPE_XDP = 1 << (16 + BPF_BASE_TYPE_BITS);
/** The memory must be aligned to its size. */
export const MEM_ALIGNED = 1 << (17 + BPF_BASE_TYPE_BITS);
/** The helper writes to the memory. */
export const MEM_WRITE = 1 << (18 + BPF_BASE_TYPE_BITS);
export const DYNPTR_TYPE_SKB_META = 1 << (19 + BPF_BASE_TYPE_BITS);
export const DYNPTR_TYPE_FLAG_MASK = DYNPTR_TYPE_LOCAL | DYNPTR_TYPE_RINGBUF | DYNPTR_TYPE_SKB | DYNPTR_TYPE_XDP | DYNPTR_TYPE_SKB_META;

// Register types.
export const NOT_INIT = 0;
export const SCALAR_VALUE = 1;
export const PTR_TO_CTX = 2;
export const CONST_PTR_TO_MAP = 3;
export const PTR_TO_MAP_VALUE = 4;
export const PTR_TO_MAP_KEY = 5;
export const PTR_TO_STACK = 6;
export const PTR_TO_PACKET_META = 7;
export const PTR_TO_PACKET = 8;
export const PTR_TO_PACKET_END = 9;
export const PTR_TO_FLOW_KEYS = 10;
export const PTR_TO_SOCKET = 11;
export const PTR_TO_SOCK_COMMON = 12;
export const PTR_TO_TCP_SOCK = 13;
export const PTR_TO_TP_BUFFER = 14;
export const PTR_TO_XDP_SOCK = 15;
export const PTR_TO_BTF_ID = 16;
export const PTR_TO_MEM = 17;
export const PTR_TO_ARENA = 18;
export const PTR_TO_BUF = 19;
export const PTR_TO_FUNC = 20;
export const CONST_PTR_TO_DYNPTR = 21;
export const __BPF_REG_TYPE_MAX = 22;
export const PTR_TO_MAP_VALUE_OR_NULL = PTR_MAYBE_NULL | PTR_TO_MAP_VALUE;
export const PTR_TO_SOCKET_OR_NULL = PTR_MAYBE_NULL | PTR_TO_SOCKET;
export const PTR_TO_SOCK_COMMON_OR_NULL = PTR_MAYBE_NULL | PTR_TO_SOCK_COMMON;
export const PTR_TO_TCP_SOCK_OR_NULL = PTR_MAYBE_NULL | PTR_TO_TCP_SOCK;
export const PTR_TO_BTF_ID_OR_NULL = PTR_MAYBE_NULL | PTR_TO_BTF_ID;

// Argument types of helpers.
/** No such argument. */
export const ARG_DONTCARE = 0;
export const ARG_CONST_MAP_PTR = 1;
export const ARG_PTR_TO_MAP_KEY = 2;
export const ARG_PTR_TO_MAP_VALUE = 3;
export const ARG_PTR_TO_MEM = 4;
export const ARG_PTR_TO_ARENA = 5;
/** Size of the memory argument before it, at least 1. */
export const ARG_CONST_SIZE = 6;
export const ARG_CONST_SIZE_OR_ZERO = 7;
export const ARG_PTR_TO_CTX = 8;
/** Any initialised value. */
export const ARG_ANYTHING = 9;
export const ARG_PTR_TO_SPIN_LOCK = 10;
export const ARG_PTR_TO_SOCK_COMMON = 11;
export const ARG_PTR_TO_SOCKET = 12;
export const ARG_PTR_TO_BTF_ID = 13;
export const ARG_PTR_TO_RINGBUF_MEM = 14;
export const ARG_CONST_ALLOC_SIZE_OR_ZERO = 15;
export const ARG_PTR_TO_BTF_ID_SOCK_COMMON = 16;
export const ARG_PTR_TO_PERCPU_BTF_ID = 17;
export const ARG_PTR_TO_FUNC = 18;
export const ARG_PTR_TO_STACK = 19;
export const ARG_PTR_TO_CONST_STR = 20;
export const ARG_PTR_TO_TIMER = 21;
export const ARG_KPTR_XCHG_DEST = 22;
export const ARG_PTR_TO_DYNPTR = 23;
export const __BPF_ARG_TYPE_MAX = 24;
export const ARG_PTR_TO_MAP_VALUE_OR_NULL = PTR_MAYBE_NULL | ARG_PTR_TO_MAP_VALUE;
export const ARG_PTR_TO_MEM_OR_NULL = PTR_MAYBE_NULL | ARG_PTR_TO_MEM;
export const ARG_PTR_TO_CTX_OR_NULL = PTR_MAYBE_NULL | ARG_PTR_TO_CTX;
export const ARG_PTR_TO_SOCKET_OR_NULL = PTR_MAYBE_NULL | ARG_PTR_TO_SOCKET;
export const ARG_PTR_TO_STACK_OR_NULL = PTR_MAYBE_NULL | ARG_PTR_TO_STACK;
export const ARG_PTR_TO_BTF_ID_OR_NULL = PTR_MAYBE_NULL | ARG_PTR_TO_BTF_ID;
export const ARG_PTR_TO_UNINIT_MEM = MEM_UNINIT | MEM_WRITE | ARG_PTR_TO_MEM;
export const ARG_PTR_TO_FIXED_SIZE_MEM = MEM_FIXED_SIZE | ARG_PTR_TO_MEM;

// Result types of helpers.
export const RET_INTEGER = 0;
export const RET_VOID = 1;
export const RET_PTR_TO_MAP_VALUE = 2;
export const RET_PTR_TO_SOCKET = 3;
export const RET_PTR_TO_TCP_SOCK = 4;
export const RET_PTR_TO_SOCK_COMMON = 5;
export const RET_PTR_TO_MEM = 6;
export const RET_PTR_TO_MEM_OR_BTF_ID = 7;
export const RET_PTR_TO_BTF_ID = 8;
export const __BPF_RET_TYPE_MAX = 9;
export const RET_PTR_TO_MAP_VALUE_OR_NULL = PTR_MAYBE_NULL | RET_PTR_TO_MAP_VALUE;
export const RET_PTR_TO_SOCKET_OR_NULL = PTR_MAYBE_NULL | RET_PTR_TO_SOCKET;
export const RET_PTR_TO_TCP_SOCK_OR_NULL = PTR_MAYBE_NULL | RET_PTR_TO_TCP_SOCK;
export const RET_PTR_TO_SOCK_COMMON_OR_NULL = PTR_MAYBE_NULL | RET_PTR_TO_SOCK_COMMON;
export const RET_PTR_TO_RINGBUF_MEM_OR_NULL = PTR_MAYBE_NULL | MEM_RINGBUF | RET_PTR_TO_MEM;
export const RET_PTR_TO_DYNPTR_MEM_OR_NULL = PTR_MAYBE_NULL | RET_PTR_TO_MEM;
export const RET_PTR_TO_BTF_ID_OR_NULL = PTR_MAYBE_NULL | RET_PTR_TO_BTF_ID;
export const RET_PTR_TO_BTF_ID_TRUSTED = PTR_TRUSTED | RET_PTR_TO_BTF_ID;

/** The type without its flags. */
export const baseType = (type: number): number => type & BPF_BASE_TYPE_MASK;
/** The flags alone. */
export const typeFlag = (type: number): number => type & ~BPF_BASE_TYPE_MASK;
/** True when the type carries PTR_MAYBE_NULL. */
export const typeMayBeNull = (type: number): boolean => (type & PTR_MAYBE_NULL) !== 0;

/** Base register types as the verifier's messages print them, indexed by type. */
export const REG_TYPE_NAMES = [
  '?', 'scalar', 'ctx', 'map_ptr', 'map_value', 'map_key', 'fp', 'pkt_meta', 'pkt', 'pkt_end', 'flow_keys', 'sock', 'sock_common',
  'tcp_sock', 'tp_buffer', 'xdp_sock', 'ptr_', 'mem', 'arena', 'buf', 'func', 'dynptr_ptr',
] as const;

/** Flags that show as a prefix, in the order in which they are printed. */
export const REG_TYPE_PREFIXES = [
  [MEM_RDONLY, 'rdonly_'],
  [MEM_RINGBUF, 'ringbuf_'],
  [MEM_USER, 'user_'],
  [MEM_PERCPU, 'percpu_'],
  [MEM_RCU, 'rcu_'],
  [PTR_UNTRUSTED, 'untrusted_'],
  [PTR_TRUSTED, 'trusted_'],
] as const;

const memo = new Map<number, string>();

/** A register type as the verifier prints it: 'map_value_or_null', 'rdonly_mem', 'ptr_or_null_' (the BTF name follows it). */
export function regTypeStr(type: number): string {
  let text = memo.get(type);
  if (text === undefined) {
    const prefix = REG_TYPE_PREFIXES.map(([flag, word]) => ((type & flag) === 0 ? '' : word)).join('');
    const orNull = baseType(type) === PTR_TO_BTF_ID ? 'or_null_' : '_or_null';
    text = `${prefix}${REG_TYPE_NAMES[baseType(type)] ?? '?'}${typeMayBeNull(type) ? orNull : ''}`;
    memo.set(type, text);
  }
  return text;
}
